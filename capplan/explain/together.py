"""Several changes that make a plan possible together, where no single one does."""

from __future__ import annotations

from dataclasses import dataclass, replace

from capplan.explain import relaxing
from capplan.explain.case import Case, merged
from capplan.explain.changes import in_order, verified, ways_for
from capplan.explain.conflicts import conflicts
from capplan.explain.statements import Conflict
from capplan.explain.totals import totals
from capplan.measure import Measured
from capplan.problem.ways import Changes, Way

ROUNDS = 6
"""Changes at most: more are a new plan, not advice."""


@dataclass(frozen=True)
class Combined:
    """Several changes of which each ends one conflict and all together make a plan possible, verified."""

    ways: tuple[Way, ...]
    changes: Changes
    plan: Measured


def combined(case: Case) -> Combined | None:
    """One change after the other, each the first that ends a conflict, until there is a plan."""
    changes: dict[str, object] = {}
    ways: list[Way] = []
    for _ in range(ROUNDS):
        problem = case.changed(changes)
        if problem is None or not case.left:
            return None
        if ways:
            plan = case.any_plan(problem, case.left / 2)
            if plan is not None:
                return _without_waste(case, Combined(tuple(ways), changes, plan))
        case.say(f"looking for changes that do together: {len(ways) + 1}")
        way = _first_way(replace(case, problem=problem), case, changes)
        if way is None:
            return None
        ways.append(way)
        changes = merged(changes, way.changes)
    return None


def _without_waste(case: Case, found: Combined) -> Combined:
    """The changes without those that the later ones have made unnecessary, as far as the time lasts."""
    for way in found.ways[:-1]:
        rest = tuple(other for other in found.ways if other is not way)
        changes: dict[str, object] = {}
        for other in rest:
            changes = merged(changes, other.changes)
        answer = verified(case, changes, None) if case.left else None
        if isinstance(answer, Measured):
            found = Combined(rest, changes, answer)
    return found


def _first_way(now: Case, case: Case, changes: Changes) -> Way | None:
    """The first change that ends a shortage of all sites, else a conflict; what other conflicts are about may wait."""
    problem = now.problem
    found, lacking = list(conflicts(now.part(0.35))), list(totals(problem))
    if not found and not lacking:
        return None
    short = {problem.resources[total.resource].name for total in lacking}
    mine = [conflict for conflict in found if _columns(conflict) & short] if lacking else found[:1]
    others = {item for conflict in found if conflict not in mine for item in conflict.items}
    must = [w for item, group in enumerate(problem.members) if item not in others for w in group]
    # What is waiting has to be fitted in later, so the sites are not filled to the brim.
    rooms = relaxing.ROOM[2:] if others else relaxing.ROOM
    extra = [sized for total in lacking for sized in relaxing.in_all(problem, total, rooms)]
    for way, _ in in_order([*extra, *ways_for(now, problem, mine, [], must)]):
        if not case.left:
            return None
        if way.kind == "leave out" and not lacking:
            return way
        then = merged(changes, way.changes)
        if not (lacking and _lacks(case, then)) and isinstance(verified(case, then, must), Measured):
            return way
    return None


def _lacks(case: Case, changes: Changes) -> bool:
    """Whether all sites together still lack something."""
    problem = case.changed(changes)
    return problem is None or any(True for _ in totals(problem))


def _columns(conflict: Conflict) -> set[str]:
    """Columns that the limits of a conflict stand in."""
    limits = [limit for member in conflict.members for limit in member.limits]
    return {limit.source[2] for limit in limits if limit.source is not None}
