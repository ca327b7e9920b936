"""The page of runs held against each other."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import capplan
from capplan.comparing import Comparison, Measure, Subject
from capplan.report.bars import part_bar
from capplan.report.blocks import Answer, Answers, Block, Column, Explorer, Fold, Page, Section, Table, Tone
from capplan.report.page import html
from capplan.report.words import counted, figure, joined, percent

NAMED = 6
CHANGES_SHOWN = 30


def comparison_report(comparison: Comparison) -> str:
    """The report of a comparison: one HTML file that needs nothing else; equal runs give equal bytes."""
    return html(comparison_page(comparison))


def comparison_page(comparison: Comparison) -> Page:
    """What the report of a comparison shows."""
    names = [subject.name for subject in comparison.subjects]
    sections = [
        Section("answers", "In short", [Answers(_answers(comparison))]),
        Section("figures", "Figure by figure", _figures(comparison), f"Differences are against {names[0]}."),
        Section("organisations", "What changes for whom", [_organisations(comparison)]),
        Section("inputs", "What differs in the inputs", _inputs(comparison)),
    ]
    return Page(
        title=joined(names, NAMED),
        subtitle="Plans compared",
        sections=sections,
        footer=f"Made by capplan {capplan.__version__} from the plans as they were found.",
    )


def _answers(comparison: Comparison) -> list[Answer]:
    """One answer a plan: how it stands, and what it has otherwise than the first."""
    found = []
    for number, subject in enumerate(comparison.subjects):
        tone, word = _verdict(subject)
        said = [_cost(comparison, number), *_more(comparison, number)] if subject.measured else ["It has no plan."]
        found.append(Answer(subject.name, said, tone, word, "figures"))
    return found


def _verdict(subject: Subject) -> tuple[Tone, str]:
    status = str(subject.info["status"])
    tones = {"optimal": (Tone.GOOD, "proved: no plan is better"), "infeasible": (Tone.BAD, "no plan keeps the rules")}
    gap = subject.info["gap"]
    other = f"within {percent(Fraction(str(gap)))} of the best possible" if gap is not None else status
    return tones.get(status, (Tone.WATCH, other))


def _cost(comparison: Comparison, number: int) -> str:
    measure = next((m for m in comparison.measures if (m.group, m.name) == ("cost", "total")), None)
    value = measure.values[number] if measure else None
    if measure is None or value is None:
        return "No cost is known."
    text = f"Cost {_value(comparison, measure, value)}"
    change = measure.difference(number)
    if not number or not change:
        return f"{text}." if not number else f"{text}, the same as {comparison.subjects[0].name}."
    amount = _value(comparison, measure, abs(change))
    return f"{text}: {amount} {'more' if change > 0 else 'less'} than {comparison.subjects[0].name}."


def _more(comparison: Comparison, number: int) -> list[str]:
    """Counts of workloads and sites, and which figures differ most in words."""
    said = []
    for group, name in (("workloads", "placed"), ("workloads", "left out"), ("workloads", "moved"), ("sites", "used")):
        measure = next((m for m in comparison.measures if (m.group, m.name) == (group, name)), None)
        value = measure.values[number] if measure else None
        if measure is not None and value is not None:
            said.append(f"{group} {name}: {_value(comparison, measure, value)}{_beside(comparison, measure, number)}")
    return [f"{'; '.join(said).capitalize()}."] if said else []


def _beside(comparison: Comparison, measure: Measure, number: int) -> str:
    change = measure.difference(number) if number else None
    return f" ({_signed(comparison, measure, change)})" if change else ""


def _value(comparison: Comparison, measure: Measure, value: Fraction) -> str:
    if measure.unit == "money":
        currency = comparison.subjects[0].inventory.currency
        return currency.text(value * currency.pence_per_unit)
    if measure.unit == "share":
        return percent(value)
    return f"{figure(value)} {measure.unit}".strip()


def _signed(comparison: Comparison, measure: Measure, change: Fraction) -> str:
    return f"{'+' if change > 0 else ''}{_value(comparison, measure, change)}"


def _figures(comparison: Comparison) -> list[Block]:
    """A table for each group; with bars where it is about money."""
    groups = dict.fromkeys(measure.group for measure in comparison.measures)
    blocks: list[Block] = []
    total = next((m for m in comparison.measures if (m.group, m.name) == ("cost", "total")), None)
    if total is not None:
        blocks.append(_bars(comparison, total))
    blocks += [_group(comparison, group, [m for m in comparison.measures if m.group == group]) for group in groups]
    return blocks


def _bars(comparison: Comparison, total: Measure) -> Table:
    longest = max([value for value in total.values if value is not None], default=Fraction(0))
    rows = []
    for number, (subject, value) in enumerate(zip(comparison.subjects, total.values, strict=True)):
        bar = part_bar([(0, max(value or Fraction(0), Fraction(0)))], longest)
        text = "" if value is None else _value(comparison, total, value)
        change = total.difference(number) if number else None
        rows.append([subject.name, bar, text, "" if not change else _signed(comparison, total, change)])
    columns = [Column("Plan"), Column("Cost", bar=True), Column("Cost", numeric=True), Column("Change", numeric=True)]
    return Table("Cost of each plan", columns, rows)


def _group(comparison: Comparison, group: str, measures: Sequence[Measure]) -> Table:
    names = [subject.name for subject in comparison.subjects]
    columns = [Column("Figure"), Column(names[0], numeric=True)]
    for name in names[1:]:
        columns += [Column(name, numeric=True), Column("Change", numeric=True)]
    rows = []
    for measure in measures:
        row = [measure.name]
        for number, value in enumerate(measure.values):
            row.append("" if value is None else _value(comparison, measure, value))
            if number:
                change = measure.difference(number)
                row.append("" if not change else _signed(comparison, measure, change))
        rows.append(row)
    return Table(group.capitalize(), columns, rows)


def _organisations(comparison: Comparison) -> Explorer:
    names = [subject.name for subject in comparison.subjects]
    currency = comparison.subjects[0].inventory.currency
    columns = [Column("Organisation")]
    for name in names:
        columns += [Column(f"{name}: cost, {currency.code}", numeric=True), Column(f"{name}: left out", numeric=True)]
        if name != names[0]:
            columns.append(Column(f"{name}: change, {currency.code}", numeric=True))
    rows = []
    for one in comparison.organisations:
        row, first = [one.name or "no single organisation"], one.accounts[0]
        for number, account in enumerate(one.accounts):
            pence = currency.pence_per_unit
            row.append("" if account is None else figure(Fraction(account.cost, pence), currency.digits))
            row.append(figure(one.left_out[number]))
            if number:
                known = account is not None and first is not None
                change = Fraction(account.cost - first.cost, pence) if account and first else Fraction(0)
                row.append(figure(change, currency.digits) if known else "")
        rows.append(row)
    return Explorer("organisations", "Cost by organisation", columns, rows, (), "organisations.csv")


def _inputs(comparison: Comparison) -> list[Block]:
    """What each plan's inventory and model have otherwise than the first."""
    blocks: list[Block] = []
    first = comparison.subjects[0].name
    for subject, differences in zip(comparison.subjects[1:], comparison.inputs[1:], strict=True):
        rows, changes = [], []
        for one in differences:
            rows.append(
                [one.table, joined(one.added, NAMED), joined(one.removed, NAMED), counted(one.rows_changed, "row")]
            )
            changes += [[one.table, c.key, c.column, c.before, c.after] for c in one.changed]
        columns = [Column(n) for n in ("Table", "Only here", f"Only in {first}", "Changed")]
        blocks.append(
            Table(f"{subject.name} against {first}", columns, rows, "" if rows else "The inputs are the same.")
        )
        if changes:
            named = [Column(n) for n in ("Table", "Row", "Column", first, subject.name)]
            name = f"changes-{len(blocks)}"
            cells = Explorer(
                name, f"Cells that differ: {subject.name}", named, changes, ("Table", "Column"), f"{name}.csv"
            )
            blocks.append(cells if len(changes) <= CHANGES_SHOWN else Fold("Cells that differ", [cells]))
    return blocks
