"""The plan under small changes: one more unit of what binds, a rule switched off, other plans that cost little more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from capplan.compile import open_options, program_of
from capplan.engine import Status, Watch, prices
from capplan.explain import relaxing
from capplan.explain.case import Case
from capplan.explain.placement import changes as differences
from capplan.measure import Measured, measure
from capplan.problem import NOWHERE, Plan
from capplan.problem.ways import Changes, Kind, Way
from capplan.program import LinearGoal, Program
from capplan.rules import RULES
from capplan.units import decimal_text

FIGURES_TRIED = 12
POLICY: tuple[Kind, ...] = ("headroom", "budget")
"""Figures of which a unit more is nothing that anybody could have."""
WORTH_A_RETRY = 1.0
"""Seconds that have to be left over to try again what a share of the time did not suffice for."""


@dataclass(frozen=True)
class Variant:
    """A changed problem solved anew. ``cost`` and ``left_out`` are differences to the plan; None without a plan.

    ``proved`` says that both are the best possible.
    """

    name: str
    changes: Changes
    status: Status
    plan: Measured | None
    cost: int | None
    left_out: int | None
    proved: bool


@dataclass(frozen=True)
class Worth:
    """What one more unit of a figure is worth. ``free`` of the limit that binds first, in its ``unit``.

    ``estimate`` in pence is the price of the relaxation, a quick guess; None where there is none.
    """

    way: Way
    subject: str
    free: Fraction
    unit: str
    estimate: Fraction | None
    variant: Variant


def _variant(case: Case, base: Measured, name: str, changes: Changes, seconds: float, proved: bool) -> Variant:
    if not case.left:
        return Variant(name, changes, Status.UNKNOWN, None, None, None, False)
    case.say(f"solving again: {name}")
    problem = case.changed(changes)
    if problem is None:
        return Variant(name, changes, Status.INFEASIBLE, None, None, None, False)
    status, plan = case.best_plan(problem, seconds)
    if plan is None:
        return Variant(name, changes, status, None, None, None, False)
    gone = _left_out(plan) - _left_out(base)
    known = proved and status is Status.OPTIMAL
    return Variant(name, changes, status, plan, plan.cost - base.cost, gone, known)


def _retried(case: Case, base: Measured, found: list[Variant], proved: bool) -> list[Variant]:
    """What its share of the time did not suffice for is solved once more, with what the others left over."""
    waiting = [i for i, one in enumerate(found) if one.status is Status.UNKNOWN]
    for left, i in zip(range(len(waiting), 0, -1), waiting, strict=True):
        if case.left > WORTH_A_RETRY:
            found[i] = _variant(case, base, found[i].name, found[i].changes, case.left / left, proved)
    return found


def _at_worst_the_same(variant: Variant) -> Variant:
    """Where a limit is only widened the plan itself stays possible: what is worse was found for want of time."""
    if variant.cost is None or variant.left_out is None or (variant.left_out, variant.cost) <= (0, 0):
        return variant
    return replace(variant, cost=0, left_out=0, plan=None, proved=False)


def _left_out(plan: Measured) -> int:
    return int((plan.plan.site == NOWHERE).sum())


def worth(case: Case, base: Measured, *, proved: bool) -> Iterator[Worth]:
    """The value of one more unit of each figure that binds or nearly does, those with least left first."""
    problem = case.problem
    program = program_of(problem, open_options(problem), ledger=False)
    number = {name[:3]: row for row, name in enumerate(program.limit_names)}
    names, free = base.program.limit_names, base.available - base.used
    rows = [row for row, name in enumerate(names) if name.rule and name[:3] in number and base.used[row] > 0]
    rows.sort(key=lambda row: (free[row] / max(1, int(base.available[row])), names[row].subject))
    guess = prices(program, base.goal_values())
    figures = list(relaxing.figures(problem, program, [number[names[row][:3]] for row in rows]))
    chosen = [one for one in figures if one.way(one.unit).kind not in POLICY][:FIGURES_TRIED]
    ways = [figure.way(figure.unit) for figure in chosen]
    variants = [
        _variant(case, base, way.text, way.changes, case.left / left, proved)
        for left, way in zip(range(len(ways), 0, -1), ways, strict=True)
    ]
    for figure, way, variant in zip(chosen, ways, _retried(case, base, variants, proved), strict=True):
        tight = min(figure.weight, key=lambda row: _free(base, program, row))
        name = program.limit_names[tight]
        estimate = None
        if guess is not None:
            money, price = guess
            units_of_money = sum(float(price[row]) * by * figure.unit for row, by in figure.weight.items()) * money
            estimate = Fraction(round(units_of_money * problem.inventory.currency.pence_per_unit))
        left_over = _free(base, program, tight) * name.per_unit
        yield Worth(way, name.subject, left_over, name.unit, estimate, _at_worst_the_same(variant))


def _free(base: Measured, program: Program, row: int) -> int:
    name = program.limit_names[row]
    for other, candidate in enumerate(base.program.limit_names):
        if candidate[:3] == name[:3]:
            return int(base.available[other] - base.used[other])
    return int(program.bound[row])


def sensitivity(case: Case, base: Measured, *, proved: bool) -> Iterator[Variant]:
    """Each rule switched off, and headroom waived: what the best plan then costs more or less."""
    problem = case.problem
    kept = [name for name, share in problem.model.headroom.items() if share]
    tries: list[tuple[str, Changes]] = [(name, {"rules": {name: "off"}}) for name in problem.rules]
    tries += [(f"headroom {name}", {"headroom": {name: "0%"}}) for name in kept]
    found = [
        _variant(case, base, name, changed, case.left / left, proved)
        for left, (name, changed) in zip(range(len(tries), 0, -1), tries, strict=True)
    ]
    yield from _retried(case, base, found, proved)


def physical(name: str) -> bool:
    """Whether a rule says what there is."""
    return name in RULES and RULES[name].physical


@dataclass(frozen=True)
class Alternative:
    """Another plan within the cost allowed, and what it is like.

    ``share`` is its cost more than the plan's, ``changed`` the workloads that are elsewhere.
    """

    name: str
    changes: Changes
    plan: Measured
    share: Fraction
    sites: int
    moves: int
    operators: int
    changed: int


def alternatives(case: Case, base: Measured, within: Fraction) -> Iterator[Alternative]:
    """Plans that cost at most ``within`` more and differ most: fewer sites or moves, without a supplier or a site."""
    cap = {"budget": {"total": decimal_text(base.cost * (1 + within) / case.problem.inventory.currency.pence_per_unit)}}
    tries: list[tuple[str, Changes]] = []
    for goal, name in (
        ("sites_used", "fewest sites"),
        ("moves", "fewest moves"),
        ("worst_utilisation", "most even use"),
    ):
        tries.append((name, {"rules": cap, "goals": ["unplaced", "forgone", goal, "cost"]}))
    tries += [(name, {"rules": cap, **removed}) for name, removed in _without(base)]
    seen = {base.plan.site.tobytes()}
    for left, (name, changed) in zip(range(len(tries) + 1, 1, -1), tries, strict=True):
        case.say(f"looking for a plan {name if name.startswith('without') else f'with the {name}'}")
        problem = case.changed(changed)
        plan = None if problem is None else case.best_plan(problem, case.left / left)[1]
        if plan is not None and plan.plan.site.tobytes() not in seen:
            seen.add(plan.plan.site.tobytes())
            yield _alternative(name, changed, base, plan)
    plan = _most_different(case, base, {"rules": cap})
    if plan is not None and plan.plan.site.tobytes() not in seen:
        yield _alternative("most workloads elsewhere", {"rules": cap}, base, plan)


def _without(base: Measured) -> Iterator[tuple[str, Changes]]:
    """Doing without one operator, then without one site, of those in use."""
    problem = base.problem
    ids, operator = problem.sites.ids, problem.sites.text("operator")
    used = sorted(set(base.plan.site[base.plan.site != NOWHERE].tolist()))
    for name in dict.fromkeys(operator[s] for s in used if operator[s]):
        theirs = [ids[s] for s in range(len(ids)) if operator[s] == name]
        if len(theirs) < len(ids):
            yield f"without the operator {name}", {"remove": {"sites": theirs}}
    for s in used if len(used) > 1 else ():
        yield f"without the site {ids[s]}", {"remove": {"sites": [ids[s]]}}


def _most_different(case: Case, base: Measured, changed: Changes) -> Measured | None:
    """The plan within the budget that has fewest workloads where the plan has them."""
    problem = case.changed(changed)
    if problem is None or not case.left:
        return None
    options = open_options(problem)
    program = program_of(problem, options, ledger=False)
    same = np.zeros(program.columns, dtype=np.int64)
    np.add.at(same, options.option, base.plan.site[options.workload] == options.site)
    # As much is left out as in the plan: being nowhere is no other place.
    np.add.at(same, options.absent_option, 2)
    goals = (*program.goals[:1], LinearGoal("same place", same, 0, Fraction(1)))
    found = case.solved(replace(program, goals=goals), replace(case.limits, time_limit_s=case.left), Watch())
    if found.x is None:
        return None
    measured = measure(problem, Plan.of(problem, program, options, found.x))
    return None if measured.breaches else measured


def _alternative(name: str, changed: Changes, base: Measured, plan: Measured) -> Alternative:
    problem, site = plan.problem, plan.plan.site
    used = sorted(set(site[site != NOWHERE].tolist()))
    now = problem.inventory.current_site
    operator = problem.sites.text("operator")
    return Alternative(
        name,
        changed,
        plan,
        Fraction(plan.cost - base.cost, max(1, abs(base.cost))),
        len(used),
        int(((site != NOWHERE) & (now >= 0) & (site != now)).sum()),
        len({operator[s] for s in used if operator[s]}),
        len(differences(base, plan)),
    )


def described(base: Measured) -> Alternative:
    """The plan itself, as its alternatives are described."""
    return _alternative("the plan", {}, base, base)
