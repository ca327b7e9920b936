"""What holds the plan back: every limit with what is left of it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from capplan.report.bars import level_bar
from capplan.report.blocks import Block, Column, Explorer, Fold, Section, Table
from capplan.report.facts import Facts, Row
from capplan.report.words import counted, figure, percent
from capplan.tables import NEARLY_FULL

TIGHTEST = 15


def section(facts: Facts) -> Section | None:
    """Nothing where nothing is limited."""
    rows = facts.rows("limits")
    if not rows:
        return None
    binding = sum(row["binding"] == "yes" for row in rows)
    lead = f"{counted(len(rows), 'limit')}, of which {binding:,} with nothing left."
    columns = [
        Column("Rule"),
        Column("About"),
        Column("Period"),
        Column("State"),
        Column("Unit"),
        *(Column(n, numeric=True) for n in ("Limit", "Used", "Left")),
        Column("Nothing left"),
    ]
    cells = [
        [
            row["rule"],
            row["subject"],
            row["period"],
            row["state"],
            row["unit"],
            *(_figure(row[n]) for n in ("limit", "used", "slack")),
            row["binding"],
        ]
        for row in rows
    ]
    choose = ("Rule", "Period", "State", "Nothing left")
    every = Explorer("limits", "Every limit", columns, cells, choose, "limits.csv")
    blocks: list[Block] = [_tightest(facts, rows), Fold("Every limit", [every])]
    return Section("limits", "What holds the plan back", blocks, lead)


def _tightest(facts: Facts, rows: Sequence[Row]) -> Table:
    """The fullest limits, each with its fullest period only."""
    worst: dict[tuple[str, str, str], tuple[Fraction, Row]] = {}
    for row in rows:
        if row["limit"] in ("", "unlimited") or Fraction(row["limit"]) <= 0:
            continue
        key = row["rule"], row["subject"], row["state"]
        share = Fraction(row["used"]) / Fraction(row["limit"])
        if key not in worst or share > worst[key][0]:
            worst[key] = share, row
    ordered = sorted(worst.items(), key=lambda item: (-item[1][0], item[0]))[:TIGHTEST]
    cells = [
        [
            facts.about(row["subject"]),
            row["rule"].replace("_", " "),
            row["state"],
            level_bar(Fraction(row["used"]), Fraction(row["limit"]), Fraction(row["limit"]), _mark(share)),
            f"{_figure(row['used'])} {row['unit']}",
            f"{_figure(row['limit'])} {row['unit']}",
            percent(share),
        ]
        for _, (share, row) in ordered
    ]
    columns = [
        Column("About"),
        Column("Rule"),
        Column("State"),
        Column("Use", bar=True),
        *(Column(n, numeric=True) for n in ("Used", "Limit", "Full")),
    ]
    return Table(f"The {len(cells)} tightest" if len(cells) > 1 else "The tightest", columns, cells)


def _mark(share: Fraction) -> str:
    return "over" if share > 1 else "tight" if share >= NEARLY_FULL else ""


def _figure(text: str) -> str:
    return text if text in ("", "unlimited") else figure(Fraction(text), 6)
