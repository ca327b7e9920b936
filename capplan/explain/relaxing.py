"""Statements of the inventory or the model that could ask for less, as scenarios to try.

Nothing here says that a change helps: each is tried, and only what was verified is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from fractions import Fraction

import numpy as np

from capplan.explain.way import Way, set_cell
from capplan.problem import Problem
from capplan.problem.options import one_by_one
from capplan.program.statements import Source
from capplan.rules import RULES
from capplan.units import decimal_text, with_unit

BLANKED = frozenset("pinned_site forbidden_sites countries max_rtt_ms together apart needs_nearby zone".split())
BLANKED_OF_REPLICAS = frozenset(("replica_min_km", "replica_max_rtt_ms"))


def purchases(problem: Problem) -> Iterator[Way]:
    """Allowing what the model does not let be bought: each thing alone, then all of it."""
    table = problem.inventory.table("expansions")
    names = dict.fromkeys([*table.ids, *problem.inventory.table("licences").ids])
    closed = [name for name in names if not problem.may_buy(name)]
    allowed = [] if isinstance(problem.model.purchases, str) else list(problem.model.purchases)
    for name in closed:
        rows = [i for i, other in enumerate(table.ids) if other == name]
        yearly = sum((problem.exact_pence(table, "cost", i) for i in rows), Fraction(0))
        once = sum((problem.exact_pence(table, "cost_once", i) for i in rows), Fraction(0))
        if not rows:
            licences = problem.inventory.table("licences")
            yearly = problem.exact_pence(licences, "pack_cost", licences.row(name))
        text = f"allow the purchase of {name}{_gives(problem, rows)}"
        yield Way("purchase", text, {"purchases": [*allowed, name]}, yearly, once, physical=True)
    if len(closed) > 1:
        yield Way(
            "purchase", "allow everything that can be bought", {"purchases": "all"}, physical=True, share=Fraction(1)
        )


def _gives(problem: Problem, rows: Sequence[int]) -> str:
    """``: 18 kW more of power_kw at DUDLEY, up to 2 times`` for the rows of an expansion."""
    table = problem.inventory.table("expansions")
    units = {resource.name: resource.unit for resource in problem.resources}
    parts = [
        f"{with_unit(table.decimals('amount').fraction(i), units[table.text('resource')[i]])} more of "
        f"{table.text('resource')[i]} at {problem.sites.ids[table.refs('site')[i]]}"
        for i in rows
    ]
    most = int(table.counts("max")[rows[0]]) if rows else 1
    return f": {'; '.join(parts)}{f', up to {most} times' if most > 1 else ''}" if parts else ""


def rules_off(problem: Problem, first: Sequence[str]) -> Iterator[Way]:
    """Each rule switched off, those that take part in what stands in the way first; never what physically is there."""
    others = [name for name in problem.rules if name not in first]
    for name in [*first, *others]:
        if name in problem.rules and name not in PHYSICAL:
            yield Way("rule off", f"switch the rule {name} off", {"rules": {name: "off"}})


PHYSICAL = frozenset(("capacity",))
"""Rules that say what there is, not what somebody decided."""


def of_source(problem: Problem, source: Source | None, workloads: Sequence[int]) -> Iterator[Way]:
    """A cell that forbids sites, blank or less strict, the least change first where it is known."""
    if source is None:
        return
    table, row, column = source
    ids, sites = problem.workloads.ids, problem.sites.ids
    if table == "workloads" and column == "max_rtt_ms":
        yield from _longer_trips(problem, row)
    if table == "workloads" and column in ("allowed_sites", "forbidden_sites"):
        yield from _other_lists(problem, row, column)
    if table == "workloads" and (column in BLANKED or column in BLANKED_OF_REPLICAS):
        words = {"pinned_site": f"do not pin {ids[row]} to {problem.workloads.text(column)[row]}"}
        text = words.get(column, f"no {column} for {ids[row]}")
        yield Way("workload", text, set_cell("workloads", ids[row], column, ""), share=Fraction(1, 2))
    if table == "placements":
        cells = problem.inventory.table("placements")
        yield Way(
            "workload",
            f"allow {cells.keys[row].replace('.', ' at ')} in placements.csv",
            set_cell("placements", cells.keys[row], "allowed", "yes"),
        )
    if table == "sites" and column == "zones":
        zones = problem.workloads.text("zone"), problem.inventory.table("organisations").text("zone")
        owner = problem.workloads.refs("organisation")
        for zone in dict.fromkeys(zones[0][w] or zones[1][owner[w]] for w in workloads):
            taken = ";".join([*problem.sites.words("zones")[row], zone])
            yield Way("site", f"let {sites[row]} take the zone {zone}", set_cell("sites", sites[row], "zones", taken))
    if table == "sites" and column == "from":
        yield from _dates(problem, row, workloads)


def _longer_trips(problem: Problem, w: int) -> Iterator[Way]:
    """The limit of a round trip raised to what it is to a site, the nearest first."""
    sites = len(problem.sites)
    pairs = one_by_one(np.full(sites, w), np.arange(sites), len(problem.workloads))
    texts = RULES["latency"].placement_columns(problem, pairs)["rtt_ms"]
    have = problem.workloads.decimals("max_rtt_ms").fraction(w)
    found = sorted({Fraction(text) for text in texts if text and Fraction(text) > have})
    for trip in found[:3]:
        name, text = problem.workloads.ids[w], decimal_text(trip)
        said = f"a round trip of up to {text} ms for {name} instead of {decimal_text(have)} ms"
        yield Way("workload", said, set_cell("workloads", name, "max_rtt_ms", text), share=trip / have - 1)


def _other_lists(problem: Problem, w: int, column: str) -> Iterator[Way]:
    """One more site in a list of allowed ones, one fewer in a list of forbidden ones; then no list."""
    listed = problem.workloads.ref_lists(column)[w]
    name, sites = problem.workloads.ids[w], problem.sites.ids
    for s in range(len(sites)) if column == "allowed_sites" else listed:
        if column == "allowed_sites" and s not in listed:
            now = ";".join([*(sites[x] for x in listed), sites[s]])
            yield Way(
                "workload",
                f"allow {name} at {sites[s]} too",
                set_cell("workloads", name, column, now),
                share=Fraction(1, 10),
            )
        elif column == "forbidden_sites":
            now = ";".join(sites[x] for x in listed if x != s)
            yield Way(
                "workload",
                f"do not forbid {name} at {sites[s]}",
                set_cell("workloads", name, column, now),
                share=Fraction(1, 10),
            )
    yield Way("workload", f"no {column} for {name}", set_cell("workloads", name, column, ""), share=Fraction(1, 2))


def _dates(problem: Problem, site: int, workloads: Sequence[int]) -> Iterator[Way]:
    """A workload that begins when its site opens, or a site that is open when it is needed."""
    opens, closes = problem.sites.text("from")[site], problem.sites.text("to")[site]
    where, (first, last) = problem.sites.ids[site], problem.window
    for w in workloads:
        name = problem.workloads.ids[w]
        if opens and first[w] < date.fromisoformat(opens).toordinal():
            yield Way("date", f"{name} from {opens} on, when {where} opens", set_cell("workloads", name, "from", opens))
        if closes and last[w] > date.fromisoformat(closes).toordinal():
            yield Way("date", f"{name} until {closes}, when {where} closes", set_cell("workloads", name, "to", closes))
    need = min(int(first[w]) for w in workloads), max(int(last[w]) for w in workloads)
    if opens and date.fromisoformat(opens).toordinal() > need[0]:
        day = date.fromordinal(need[0]).isoformat()
        yield Way(
            "date", f"open {where} on {day} instead of {opens}", set_cell("sites", where, "from", day), physical=True
        )
    if closes and date.fromisoformat(closes).toordinal() < need[1]:
        day = date.fromordinal(need[1]).isoformat()
        yield Way(
            "date",
            f"keep {where} open until {day} instead of {closes}",
            set_cell("sites", where, "to", day),
            physical=True,
        )


def leave_out(problem: Problem, items: Sequence[int]) -> Iterator[Way]:
    """One of the workloads (with those placed as one with it) left out."""
    for item in items:
        members = [problem.workloads.ids[w] for w in problem.members[item]]
        primaries = [problem.workloads.ids[w] for w in problem.members[item] if problem.primary[w] < 0]
        changes = {"set": {f"workloads.{name}.value": "0" for name in primaries}}
        yield Way("leave out", f"leave out {', '.join(members)}", changes, share=Fraction(len(members)))


def leave_groups(problem: Problem, workloads: Sequence[int], columns: Sequence[str]) -> Iterator[Way]:
    """One workload taken out of the groups it must be together with, or apart from."""
    for column in columns:
        if not problem.workloads.has(column):
            continue
        for w in workloads:
            groups = problem.workloads.text(column)[w]
            if groups:
                name = problem.workloads.ids[w]
                text = f"do not keep {name} {column} with the group {groups}"
                yield Way("workload", text, set_cell("workloads", name, column, ""), share=Fraction(1, 2))
