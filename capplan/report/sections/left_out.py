"""What was left out, and why."""

from __future__ import annotations

from capplan.report.blocks import Column, Explorer, Section, Table
from capplan.report.facts import Facts

SHOWN = 50


def section(facts: Facts) -> Section | None:
    """Nothing where everything is placed."""
    rows = facts.rows("left_out")
    if not rows:
        return None
    value = f"Worth, {facts.currency.code} a year"
    columns = [Column("Workload"), Column(value, numeric=True), Column("What each site lacks for it")]
    cells = [[facts.workload(row["workload"]), _money(facts, row["value"]), row["reason"]] for row in rows]
    heading = "What was left out, and why"
    if len(cells) > SHOWN:
        explorer = Explorer("left_out", heading, columns, cells, (), "left_out.csv")
        return Section("left-out", heading, [explorer])
    return Section("left-out", heading, [Table(heading, columns, cells)])


def _money(facts: Facts, text: str) -> str:
    return facts.money(facts.pence(text)) if text else ""
