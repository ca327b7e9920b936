"""What holds the plan back: every limit with what is left of it."""

from __future__ import annotations

from fractions import Fraction

from capplan.report.blocks import Block, Column, Explorer, Section
from capplan.report.facts import Facts
from capplan.report.words import counted, figure


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
    blocks: list[Block] = [Explorer("limits", "Every limit", columns, cells, choose, "limits.csv")]
    return Section("limits", "What holds the plan back", blocks, lead)


def _figure(text: str) -> str:
    return text if text in ("", "unlimited") else figure(Fraction(text), 6)
