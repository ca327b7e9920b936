"""Why there is no plan, and what would end that: shortages, conflicts, relaxations, the best plan without something.

In layers, each within a share of the time, so that something useful is there early and the rest says what it is not.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from capplan.compile import open_options, program_of
from capplan.engine import Questions, Status, least_widening
from capplan.explain import relaxing, widening
from capplan.explain.case import Case, Changes, merged
from capplan.explain.conflicts import conflicts
from capplan.explain.statements import Conflict
from capplan.explain.totals import Total, totals
from capplan.explain.way import Way
from capplan.measure import Breach, Measured
from capplan.problem import NOWHERE, Problem
from capplan.program import Program
from capplan.rules import RULES
from capplan.solving import Explanation, explained
from capplan.units import Bools

SHORTAGES, CONFLICTS, WIDENED, VERIFIED = 0.15, 0.35, 0.4, 0.75
"""Shares of the time that is left when each layer begins."""

CONTRIBUTORS_TRIED, WAYS_TRIED, ROUNDS = 4, 60, 6

ORDER = {
    "purchase": 0,
    "licence": 0,
    "date": 1,
    "workload": 1,
    "site": 1,
    "rule option": 1,
    "moves": 1,
    "least use": 1,
    "capacity": 2,
    "headroom": 2,
    "budget": 2,
    "leave out": 3,
    "rule off": 4,
}
"""Ways of like weight, the least intrusive first."""


@dataclass(frozen=True)
class Relaxation:
    """A change that makes a plan possible: verified by solving the changed problem anew.

    ``least`` says that a smaller amount of it would not do (None where it has no amount). ``plan`` is the plan that
    was found, which need not be a good one.
    """

    way: Way
    changes: Changes
    least: bool | None
    plan: Measured


@dataclass(frozen=True)
class Combined:
    """Several changes of which each ends one conflict and all together make a plan possible, verified."""

    ways: tuple[Way, ...]
    changes: Changes
    plan: Measured


@dataclass(frozen=True)
class Infeasible:
    """Everything found out about a problem without a plan.

    ``policy_only``: with no headroom and without the rules that the model asked for there would be one (None: not
    known). ``complete``: every layer was searched to its end. ``seconds`` by layer since the start.
    """

    problem: Problem
    why: Explanation
    conflicts: tuple[Conflict, ...]
    relaxations: tuple[Relaxation, ...]
    combined: Combined | None
    without: Measured | None
    without_status: Status
    policy_only: bool | None
    untried: int
    seconds: dict[str, float] = field(default_factory=dict)
    proved: bool = True
    totals: tuple[Total, ...] = ()


def explain_infeasible(case: Case, why: Explanation | None = None, *, proved: bool = True) -> Infeasible:
    """Explain a problem that has no plan, or for which none was found; ``why`` is what its solve has found already."""
    started, seconds = time.monotonic(), {}
    problem = case.problem
    short = tuple(totals(problem))
    seconds["totals"] = time.monotonic() - started
    if why is None:
        budget = replace(case.limits, time_limit_s=SHORTAGES * case.left)
        why = explained(problem, budget, case.watch, share=1.0)
    seconds["shortages"] = time.monotonic() - started
    found = tuple(conflicts(case.part(CONFLICTS)))
    seconds["conflicts"] = time.monotonic() - started
    extra = [(way, None) for total in short for way in widening.in_all(problem, total.resource, total.short)]
    relaxations, untried = _relaxations(case.part(VERIFIED), found, why.shortages, extra)
    blunt = all(one.way.kind == "rule off" for one in relaxations)
    combined = _combined(case.part(VERIFIED)) if found and blunt else None
    seconds["relaxations"] = time.monotonic() - started
    policy = _policy_only(case)
    status, without = _without(case)
    seconds["all"] = time.monotonic() - started
    known = proved or bool(found) or bool(short) or (why.least and bool(why.shortages or why.homeless))
    return Infeasible(
        problem, why, found, relaxations, combined, without, status, policy, untried, seconds, known, short
    )


def _policy_only(case: Case) -> bool | None:
    """Whether headroom and the rules that a model has to ask for are all that stands in the way."""
    problem = case.problem
    if case.left <= 0:
        return None
    asked = [name for name in problem.rules if not RULES[name].on_by_default]
    kept = [name for name, share in problem.model.headroom.items() if share]
    if not asked and not kept:
        return False
    changes = {"headroom": dict.fromkeys(kept, "0%"), "rules": dict.fromkeys(asked, "off")}
    free = case.changed(changes)
    if free is None:
        return None
    status, plan = case.best_plan(_without_goals(free), case.left / 2)
    return True if plan is not None else False if status is Status.INFEASIBLE else None


def _without_goals(problem: Problem) -> Problem:
    return replace(problem, model=replace(problem.model, goals=()))


def _without(case: Case) -> tuple[Status, Measured | None]:
    """The best plan that may leave any workload out."""
    problem = case.changed({"left_out": "any"})
    return (Status.UNKNOWN, None) if problem is None else case.best_plan(problem, case.left)


def left_out(plan: Measured) -> list[int]:
    """Workloads that a plan leaves out."""
    return [int(w) for w in np.flatnonzero(plan.plan.site == NOWHERE)]


# --- single changes -------------------------------------------------------------------------------------


def _relaxations(
    case: Case, found: Sequence[Conflict], short: Sequence[Breach], extra: Sequence[tuple[Way, None]]
) -> tuple[tuple[Relaxation, ...], int]:
    """Changes that were verified, the best first, and how many more the time did not suffice to try."""
    problem = case.problem
    ways = [*extra, *_ways(case.part(WIDENED), problem, found, short, None)]
    kept: list[Relaxation] = []
    tried = 0
    for way, least in _in_order(ways)[:WAYS_TRIED]:
        if not case.left:
            break
        tried += 1
        plan = _verified(case, way.changes, None)
        if plan is not None and not _covered(way, kept):
            kept.append(Relaxation(way, way.changes, least, plan))
    return tuple(kept), len(ways) - tried


def _covered(way: Way, kept: Sequence[Relaxation]) -> bool:
    """Whether a smaller change of the same cell is among those that do."""
    cells = _cells(way.changes)
    return bool(cells) and any(_cells(one.changes) == cells and one.way.share <= way.share for one in kept)


def _cells(changes: Changes) -> tuple[str, ...]:
    return tuple(sorted(changes.get("set", {}))) if set(changes) == {"set"} else ()


def _in_order(ways: Sequence[tuple[Way, bool | None]]) -> list[tuple[Way, bool | None]]:
    def rank(entry: tuple[Way, bool | None]) -> tuple[object, ...]:
        way = entry[0]
        money = (way.pence or 0) + (way.once or 0)
        return ORDER[way.kind], money, way.share, way.text

    unique = {repr(way.changes): (way, least) for way, least in reversed(ways)}
    return sorted(unique.values(), key=rank)


def _ways(
    case: Case, problem: Problem, found: Sequence[Conflict], short: Sequence[Breach], must: Sequence[int] | None
) -> Iterator[tuple[Way, bool | None]]:
    """Changes worth trying for some conflicts and shortages; amounts are the least that do, and whether proved."""
    members = [member for conflict in found for member in conflict.members]
    items = list(dict.fromkeys(item for conflict in found for item in conflict.items))
    workloads = [w for item in items for w in problem.members[item]]
    rules = dict.fromkeys([member.rule for member in members if member.kind != "workload"])
    rules |= dict.fromkeys(breach.rule for breach in short)
    for member in members:
        if member.kind == "rule":
            for way in relaxing.of_source(problem, member.source, member.workloads):
                yield way, None
    for way in relaxing.purchases(problem):
        yield way, None
    for way in relaxing.rules_off(problem, list(rules)):
        yield way, None
    for way in relaxing.leave_groups(problem, workloads, ("together", "apart")):
        yield way, None
    heavy = [w for breach in short for w in breach.workloads[:CONTRIBUTORS_TRIED]]
    of = {w: item for item, group in enumerate(problem.members) for w in group}
    for way in relaxing.leave_out(problem, list(dict.fromkeys([*items, *(of[w] for w in heavy)]))):
        yield way, None
    yield from _widened(case, problem, found, short, must)


def _widened(
    case: Case, problem: Problem, found: Sequence[Conflict], short: Sequence[Breach], must: Sequence[int] | None
) -> Iterator[tuple[Way, bool | None]]:
    """Figures raised by the least that does, those that fall short first."""
    options = open_options(problem, _may_leave(problem, must))
    if (np.bincount(options.item, minlength=options.items) == 0).any():
        return
    program = program_of(problem, options, ledger=False)
    ask = Questions(program, case.limits, case.watch, case.until)
    for figure in widening.widenable(problem, program, _rows(program, found, short)):
        if ask.over:
            return
        answer = least_widening(program, figure.weight, ask)
        if answer.amount:
            yield figure.way(answer.amount), answer.least


def _rows(program: Program, found: Sequence[Conflict], short: Sequence[Breach]) -> list[int]:
    """Limits that fall short or contradict something, then those of the same rule and resource elsewhere."""
    number = {name[:3]: row for row, name in enumerate(program.limit_names)}
    keys = [(breach.rule, breach.subject, breach.period) for breach in short]
    keys += [limit[:3] for conflict in found for member in conflict.members for limit in member.limits]
    rows = [number[key] for key in dict.fromkeys(keys) if key in number]
    like = {(program.limit_names[row].rule, _column(program, row)) for row in rows}
    others = [row for row, n in enumerate(program.limit_names) if n.rule and (n.rule, _column(program, row)) in like]
    return list(dict.fromkeys([*rows, *others]))


def _column(program: Program, row: int) -> str:
    source = program.limit_names[row].source
    return "" if source is None else source[2]


def _may_leave(problem: Problem, must: Sequence[int] | None) -> Bools:
    """Items that may be left out: where ``must`` names workloads, all but theirs."""
    if must is None:
        return problem.may_leave_out
    wanted = set(must)
    free = np.array([not wanted & set(group) for group in problem.members], dtype=np.bool_)
    return np.asarray(problem.may_leave_out | free)


def _verified(case: Case, changes: Changes, must: Sequence[int] | None) -> Measured | None:
    """A plan of the changed problem; of one in which only ``must`` has to be placed, where it is given."""
    problem = case.changed(changes)
    if problem is None:
        return None
    if must is not None:
        problem = replace(problem, model=replace(problem.model, left_out="any"))
        return case.placing(problem, must, case.left)
    return case.any_plan(problem, case.left)


# --- several changes ------------------------------------------------------------------------------------


def _combined(case: Case) -> Combined | None:
    """One change after the other, each the first that ends a conflict, until there is a plan."""
    changes: dict[str, object] = {}
    ways: list[Way] = []
    for _ in range(ROUNDS):
        problem = case.changed(changes)
        if problem is None or not case.left:
            return None
        if ways:
            plan = case.any_plan(problem, case.left)
            if plan is not None:
                return Combined(tuple(ways), changes, plan)
        way = _first_way(replace(case, problem=problem), case, changes)
        if way is None:
            return None
        ways.append(way)
        changes = merged(changes, way.changes)
    return None


def _first_way(now: Case, case: Case, changes: Changes) -> Way | None:
    """The first change that ends the first conflict there is, all being placed but what stands in another."""
    found = list(conflicts(now.part(CONFLICTS)))
    if not found:
        return None
    conflict, others = found[0], {item for other in found[1:] for item in other.items}
    must = [w for item, group in enumerate(now.problem.members) if item not in others for w in group]
    for way, _ in _in_order(list(_ways(now.part(WIDENED), now.problem, [conflict], [], must))):
        if not case.left:
            return None
        if way.kind == "leave out":
            return way
        if _verified(case, merged(changes, way.changes), must) is not None:
            return way
    return None
