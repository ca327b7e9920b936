"""Where the sites and the organisations are."""

from __future__ import annotations

from collections import Counter

from capplan.report.blocks import Column, Figure, Key, Section, Table
from capplan.report.facts import Facts, Spot
from capplan.report.map import Mark, map_drawing
from capplan.report.words import counted, figure

MOST = 400
LEGEND = (Key("site", "site in use"), Key("idle", "site not used"), Key("organisation", "organisation"))


def section(facts: Facts) -> Section | None:
    """Nothing where no site has coordinates."""
    marks = site_marks(facts) + organisation_marks(facts)
    if not any(mark.kind in ("site", "idle") for mark in marks):
        return None
    drawing = map_drawing(marks[:MOST], title="Map of the sites and the organisations")
    note = "Coastline and borders: Natural Earth, public domain."
    missing = [spot for spot in facts.sites.values() if spot.latitude is None]
    if missing:
        note += f" Without coordinates: {counted(len(missing), 'site')}."
    legend = [key for key in LEGEND if any(mark.kind == key.mark for mark in marks)]
    picture = Figure("Where the sites are", [drawing], _table(facts), legend, note, wide=True)
    return Section("map", "Where the sites are", [picture])


def workloads_at(facts: Facts) -> Counter[str]:
    """How many workloads each site has."""
    return Counter(row["site"] for row in facts.rows("allocation") if row["site"])


def site_marks(facts: Facts) -> list[Mark]:
    """A mark for each site whose place is known."""
    at = workloads_at(facts)
    return [
        _mark(spot, "site" if at[spot.id] else "idle", f"{spot.text}: {counted(at[spot.id], 'workload')}")
        for spot in facts.sites.values()
        if spot.latitude is not None and spot.longitude is not None
    ]


def organisation_marks(facts: Facts) -> list[Mark]:
    """A mark for each organisation whose place is known."""
    return [
        _mark(spot, "organisation", spot.text)
        for spot in facts.organisations.values()
        if spot.latitude is not None and spot.longitude is not None and spot.id not in facts.sites
    ]


def _mark(spot: Spot, kind: str, tip: str) -> Mark:
    assert spot.latitude is not None
    assert spot.longitude is not None
    label = spot.short if kind in ("site", "idle") else spot.id
    return Mark(spot.id, label, tip, kind, spot.latitude, spot.longitude)


def _table(facts: Facts) -> Table:
    at = workloads_at(facts)
    columns = [
        Column("Site"),
        Column("Kind"),
        Column("Latitude", numeric=True),
        Column("Longitude", numeric=True),
        Column("Workloads", numeric=True),
    ]
    rows = [
        [spot.text, spot.kind.replace("_", " "), _degrees(spot.latitude), _degrees(spot.longitude), figure(at[spot.id])]
        for spot in facts.sites.values()
    ]
    return Table("Sites", columns, rows)


def _degrees(angle: float | None) -> str:
    return "" if angle is None else f"{angle:.5f}"
