"""Changes to try: what rules say could ask for less, what could be bought, what could be left out.

Nothing here says that a change helps: each is tried, and only what was verified is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import ceil

import numpy as np

from capplan.explain.totals import Total
from capplan.problem import Problem
from capplan.problem.raising import HEADROOM_STEPS, less_headroom, more_at, more_everywhere
from capplan.problem.ways import Figure, Way
from capplan.program import Program
from capplan.rules import RULES
from capplan.units import UNLIMITED, with_unit

ROOM = (Fraction(0), Fraction(1, 200), Fraction(1, 50), Fraction(1, 20))
"""What is tried on top of a shortage of all sites together: workloads come whole and rarely fill sites to the brim."""


FINE = 1_000
"""Units of a limit from which a little more of it is less than what it counts."""


def figures(problem: Problem, program: Program, rows: Sequence[int]) -> Iterator[Figure]:
    """Figures that could be raised or lowered so that some limits hold, each with all the limits that it widens."""
    seen: set[tuple[str, ...]] = set()
    for row in rows:
        name = program.limit_names[row]
        for figure in RULES[name.rule].figures(problem, program, name) if name.rule else ():
            if figure.key not in seen:
                seen.add(figure.key)
                yield figure


def in_all(problem: Problem, total: Total, rooms: Sequence[Fraction] = ROOM) -> Iterator[tuple[Way, bool]]:
    """What all sites together lack, given to one of the largest sites, or a little to each; or as much less headroom.

    Each way comes with whether less of it could not do.
    """
    r, resource, capacity = total.resource, problem.resources[total.resource], problem.inventory.capacity
    share = 1 - problem.headroom(resource.name)
    finite = np.where((capacity[:, r] == UNLIMITED) | problem.inventory.removed_sites, -1, capacity[:, r])
    all_there = int(np.maximum(0, finite).sum())
    for room in rooms:
        need = ceil(total.short / share + room * all_there)
        for s in np.argsort(-finite, kind="stable")[:2].tolist():
            yield more_at(problem, s, r, need), not room
        if room and (finite > 0).sum() > 1:
            yield more_everywhere(problem, r, total.short / share / max(1, all_there) + room), False
        tenths = ceil((total.short / max(1, total.physical) + room) * HEADROOM_STEPS)
        if Fraction(tenths, HEADROOM_STEPS) <= 1 - share:
            yield less_headroom(problem, resource.name, tenths), not room


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
        text = "allow everything that can be bought"
        yield Way("purchase", text, {"purchases": "all"}, physical=True, share=Fraction(1))


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
    for name in dict.fromkeys([*first, *problem.rules]):
        if name in problem.rules and not RULES[name].physical:
            yield Way("rule off", f"switch the rule {name} off", {"rules": {name: "off"}})


def leave_out(problem: Problem, items: Sequence[int]) -> Iterator[Way]:
    """One of the workloads (with those placed as one with it) left out."""
    for item in items:
        members = [problem.workloads.ids[w] for w in problem.members[item]]
        primaries = [problem.workloads.ids[w] for w in problem.members[item] if problem.primary[w] < 0]
        changes = {"set": {f"workloads.{name}.value": "0" for name in primaries}}
        yield Way("leave out", f"leave out {', '.join(members)}", changes, share=Fraction(len(members)))
