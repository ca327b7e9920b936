"""The page of a sweep: every scenario beside the others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import capplan
from capplan.report.bars import part_bar
from capplan.report.blocks import Answer, Answers, Column, Explorer, Key, Page, Section, Table, Tone
from capplan.report.page import html
from capplan.report.words import counted, figure, joined, percent
from capplan.sweeping import read_sweep
from capplan.units import Currency

NAMED = 6
Row = Mapping[str, str]

LEGEND = (Key("part-0", "every workload that must have a home has one"), Key("part-5", "something has no home"))
MOST_DRAWN = 200


def sweep_report(folder: Path) -> str:
    """The report of a sweep's folder: one HTML file. Raises UsageError where there is no sweep."""
    info, tables = read_sweep(folder)
    return html(sweep_page(info, tables))


def sweep_page(info: Mapping[str, Any], tables: Mapping[str, Sequence[Row]]) -> Page:
    """What the report of a sweep shows."""
    currency, scenarios = Currency(info["currency"]), tables["scenarios"]
    sections = [
        Section("answers", "In short", [Answers(_answers(currency, scenarios, tables["homeless"]))]),
        Section("scenarios", "Every scenario", [_bars(currency, scenarios), _scenarios(scenarios)]),
    ]
    if tables["homeless"]:
        sections.append(Section("homeless", "What has no home", [_homeless(tables["homeless"])]))
    if tables["organisations"]:
        sections.append(Section("organisations", "What it costs whom", [_organisations(tables["organisations"])]))
    subtitle = f"{counted(len(scenarios), 'scenario')} tried"
    footer = f"Made by capplan {capplan.__version__} from the tables of the sweep."
    return Page(title=info["title"], subtitle=subtitle, sections=sections, footer=footer)


def _money(currency: Currency, text: str) -> str:
    return currency.text(Fraction(text) * currency.pence_per_unit) if text else ""


def _answers(currency: Currency, rows: Sequence[Row], homeless: Sequence[Row]) -> list[Answer]:
    return [_range(currency, rows), _without_home(rows, homeless), _without_plan(rows)]


def _range(currency: Currency, rows: Sequence[Row]) -> Answer:
    known = [row for row in rows if row["cost"]]
    if not known:
        return Answer("How much does it cost?", ["No scenario has a plan."], Tone.BAD, "no plan", "scenarios")
    base = next((row for row in known if row["kind"] == "base"), None)
    said = [f"As planned: {_money(currency, base['cost'])}."] if base else []
    # A plan that leaves something without a home is cheap for the wrong reason.
    whole = [row for row in known if row["homeless"] in ("", "0")]
    if whole:
        least, most = (pick(whole, key=lambda row: Fraction(row["cost"])) for pick in (min, max))
        said.append(
            "In no other scenario does everything have its home."
            if len(whole) == 1
            else f"Where everything has its home, from {_money(currency, least['cost'])} ({least['scenario']}) to "
            f"{_money(currency, most['cost'])} ({most['scenario']})."
        )
    return Answer("How much does it cost?", said, Tone.PLAIN, "", "scenarios")


def _without_home(rows: Sequence[Row], homeless: Sequence[Row]) -> Answer:
    question = "Which scenarios leave something without a home?"
    gone: dict[str, list[str]] = defaultdict(list)
    for row in homeless:
        gone[row["scenario"]].append(row["name"] or row["workload"])
    if not gone:
        return Answer(question, ["None."], Tone.GOOD, "everything has a home", "scenarios")
    worst = sorted(gone.items(), key=lambda item: (-len(item[1]), item[0]))[:NAMED]
    said = [f"{counted(len(gone), 'scenario')} of {len(rows):,}."]
    said += [f"{name}: {joined(names, NAMED)}." for name, names in worst]
    return Answer(question, said, Tone.WATCH, counted(len(gone), "scenario"), "homeless")


def _without_plan(rows: Sequence[Row]) -> Answer:
    question = "Which have no plan at all?"
    names = [f"{row['scenario']} ({row['status']})" for row in rows if not row["cost"]]
    if not names:
        return Answer(question, ["Every scenario has a plan."], Tone.GOOD, "all can be planned", "scenarios")
    return Answer(question, [f"{joined(names, 2 * NAMED)}."], Tone.BAD, counted(len(names), "scenario"), "scenarios")


def _bars(currency: Currency, rows: Sequence[Row]) -> Table:
    longest = max([Fraction(row["cost"]) for row in rows if row["cost"]], default=Fraction(0))
    columns = [
        Column("Scenario"),
        Column("Cost", bar=True),
        Column("Cost", numeric=True),
        Column("Against the base", numeric=True),
        Column("Left out", numeric=True),
        Column("Without a home", numeric=True),
        Column("Status"),
    ]
    cells = []
    for row in rows[:MOST_DRAWN]:
        fill = 5 if row["homeless"] not in ("", "0") else 0
        bar = part_bar([(fill, max(Fraction(row["cost"] or 0), Fraction(0)))], longest)
        change = _money(currency, row["cost_difference"])
        sign = "+" if row["cost_difference"] and Fraction(row["cost_difference"]) > 0 else ""
        gap = row["gap"] and Fraction(row["gap"])
        status = f"{row['status']}, within {percent(Fraction(gap))} of the best" if gap else row["status"]
        counts = row["left_out"], row["homeless"]
        cells.append([row["scenario"], bar, _money(currency, row["cost"]), f"{sign}{change}", *counts, status])
    more = len(rows) - MOST_DRAWN
    return Table("Cost of each scenario", columns, cells, f"and {more:,} more below" if more > 0 else "", LEGEND)


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _scenarios(rows: Sequence[Row]) -> Explorer:
    texts = {"scenario", "kind", "subject", "value", "status", "run"}
    names = [name for name in rows[0] if any(row[name] for row in rows)]
    columns = [Column(_label(name), numeric=name not in texts) for name in names]
    cells = [[row[name] if name in texts else _figure(row[name]) for name in names] for row in rows]
    return Explorer("scenarios", "Every figure", columns, cells, ("Kind", "Status"), "scenarios.csv")


def _figure(text: str) -> str:
    return figure(Fraction(text), 4) if text else ""


def _homeless(rows: Sequence[Row]) -> Explorer:
    names = list(rows[0])
    cells = [[row[name] for name in names] for row in rows]
    choose = ("Scenario", "Organisation", "Service")
    columns = [Column(_label(name)) for name in names]
    return Explorer("homeless", "Workloads without a home", columns, cells, choose, "homeless.csv")


def _organisations(rows: Sequence[Row]) -> Explorer:
    columns = [Column("Scenario"), Column("Organisation"), *(Column(n, numeric=True) for n in ("Cost", "Left out"))]
    cells = [
        [
            row["scenario"],
            row["organisation"] or "no single organisation",
            *map(_figure, (row["cost"], row["left_out"])),
        ]
        for row in rows
    ]
    choose = ("Scenario", "Organisation")
    return Explorer("organisations", "Cost by organisation", columns, cells, choose, "organisations.csv")
