"""Licences: what is needed, what is owned, what is bought."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from capplan.report.bars import level_bar
from capplan.report.blocks import Block, Column, Section, Table
from capplan.report.facts import Facts, Row
from capplan.report.words import figure, period_text

SHOWN = 200


def section(facts: Facts) -> Section | None:
    """Nothing where there are no licences."""
    rows = facts.rows("licences")
    if not rows:
        return None
    blocks: list[Block] = [_table(facts, rows[:SHOWN], len(rows) - SHOWN)]
    lead = "Need against what is owned and bought. The line stands at what there is: owned and bought together."
    return Section("licences", "Licences", blocks, lead)


def _table(facts: Facts, rows: Sequence[Row], more: int) -> Table:
    columns = [
        Column("Licence"),
        Column("Scope"),
        Column("Period"),
        Column("Need", bar=True),
        *(Column(name, numeric=True) for name in ("Need", "Owned", "Bought", "Spare", "Cost")),
    ]
    note = f"and {more:,} more: see licences.csv" if more > 0 else ""
    return Table("Licences", columns, [_row(facts, row) for row in rows], note)


def _row(facts: Facts, row: Row) -> list[str]:
    need, owned, bought = (_amount(row[name]) for name in ("need", "owned", "bought"))
    there = owned + bought
    mark = "over" if need > there else "tight" if need == there and need else ""
    amounts = [figure(Fraction(row[n])) if row[n] else "" for n in ("need", "owned", "bought", "spare")]
    cost = facts.money(facts.pence(row["cost"])) if row["cost"] else ""
    return [
        row["licence"],
        row["scope"],
        period_text(row["period"]),
        level_bar(need, there, there, mark),
        *amounts,
        cost,
    ]


def _amount(text: str) -> Fraction:
    return Fraction(text) if text not in ("", "unlimited") else Fraction(0)
