"""What the plan buys."""

from __future__ import annotations

from capplan.report.blocks import Column, Section, Table
from capplan.report.facts import Facts
from capplan.report.words import period_text

SHOWN = 200


def section(facts: Facts) -> Section | None:
    """Nothing where nothing is bought."""
    rows = facts.rows("purchases")
    if not rows:
        return None
    columns = [
        Column("Purchase"),
        Column("Where"),
        Column("For"),
        Column("Steps", numeric=True),
        Column("Each gives"),
        Column("Running cost", numeric=True),
        Column("Once", numeric=True),
    ]
    cells = [
        [
            row["purchase"],
            facts.site(row["site"]) if row["site"] else "everywhere",
            period_text(row["period"]),
            row["steps"],
            row["gives"],
            facts.money(facts.pence(row["cost"])),
            facts.money(facts.pence(row["cost_once"])),
        ]
        for row in rows[:SHOWN]
    ]
    more = len(rows) - SHOWN
    note = f"and {more:,} more: see purchases.csv" if more > 0 else ""
    lead = "Money over the whole time. What a limit needs is bought in whole steps."
    return Section("purchases", "What has to be bought", [Table("Purchases", columns, cells, note)], lead)
