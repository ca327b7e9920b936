"""Who goes where: every workload, to filter and sort."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from capplan.report.blocks import Column, Explorer, Section
from capplan.report.facts import Facts
from capplan.report.words import counted, grouped

LABELS = {
    "workload": "Workload",
    "name": "Name",
    "organisation": "Organisation",
    "service": "Service",
    "site": "Site",
    "status": "Status",
    "current_site": "Today at",
    "moved": "Moves",
    "replica_of": "Copy of",
    "from": "From",
    "to": "To",
    "rtt_ms": "Round trip, ms",
    "max_rtt_ms": "At most, ms",
    "note": "Note",
}
NUMBERS = frozenset({"rtt_ms", "max_rtt_ms", "cost"})
CHOOSE = ("Organisation", "Service", "Site", "Status", "Today at", "Moves")


def section(facts: Facts) -> Section | None:
    """Columns in which nothing is written are left out."""
    rows = facts.rows("allocation")
    if not rows:
        return None
    names = [name for name in rows[0] if any(row[name] for row in rows)]
    if not any(row.get("current_site") for row in rows):
        names = [name for name in names if name != "moved"]
    if all(not Fraction(row["cost"] or 0) for row in rows):
        names.remove("cost")
    columns, shown = [], []
    for name in names:
        label, numeric, show = _column(facts, name)
        columns.append(Column(label, numeric=numeric))
        known: dict[str, str] = {}
        cells = [row[name] for row in rows]
        for cell in cells:
            if cell not in known:
                known[cell] = show(cell) if cell else ""
        shown.append([known[cell] for cell in cells])
    explorer = Explorer(
        "allocation",
        "Every workload",
        columns,
        list(zip(*shown, strict=True)),
        CHOOSE,
        "allocation.csv",
    )
    lead = f"{counted(len(rows), 'workload')}. Type to filter, choose from the lists, press a heading to sort."
    return Section("allocation", "Who goes where", [explorer], lead)


def _column(facts: Facts, name: str) -> tuple[str, bool, Callable[[str], str]]:
    """Label, whether it holds numbers, and how a cell is shown."""
    if name == "cost":
        return f"Cost, {facts.currency.code}", True, grouped
    if name in facts.resources:
        resource = facts.resources[name]
        return f"{resource.label.capitalize()}, {resource.unit}", True, grouped
    shown: dict[str, Callable[[str], str]] = {
        "organisation": facts.organisation,
        "site": facts.site,
        "current_site": facts.site,
        "status": lambda text: text.replace("_", " "),
    }
    return LABELS.get(name, name), name in NUMBERS, shown.get(name, str)
