"""Why a workload is where it is, and what it would take to have it elsewhere: every site, verified by solving."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from capplan.compile import open_options, program_of
from capplan.engine import Status, Watch
from capplan.explain.case import Case
from capplan.measure import Breach, Measured, measure
from capplan.obstacles import Obstacle, forbidden
from capplan.problem import NOWHERE, Options, Plan, Problem, elsewhere
from capplan.program import Goal
from capplan.units import Bools

SITES_SOLVED = 8
"""Sites for which all else is planned anew, where none is asked for by name: those that cost least as things are."""


@dataclass(frozen=True)
class Outcome:
    """A plan with the workload at a site, against the plan that is explained.

    ``moves`` are the other workloads that change: (workload, before, after). ``cost`` is the difference in pence.
    ``forgone`` the difference in the value a year of what is left out, in pence. ``proved`` says that no better such
    plan exists.
    """

    plan: Measured
    moves: tuple[tuple[int, int, int], ...]
    cost: int
    forgone: int
    proved: bool


@dataclass(frozen=True)
class AtSite:
    """A workload at one site: what forbids it; else what it comes to with all else as it is, and with all else free.

    ``short`` is what would be broken with all else as it is, where there is no such plan; ``status`` what is known of
    plans with all else free.
    """

    site: int
    here: bool
    obstacles: tuple[Obstacle, ...]
    fixed: Outcome | None = None
    free: Outcome | None = None
    short: tuple[Breach, ...] = ()
    status: Status = Status.UNKNOWN


@dataclass(frozen=True)
class Placement:
    """A workload in a plan, and every site it was asked about, the best first."""

    problem: Problem
    workload: int
    plan: Measured
    sites: tuple[AtSite, ...]

    @property
    def site(self) -> int:
        """Where the plan has it, NOWHERE if it is left out."""
        return int(self.plan.plan.site[self.workload])

    @property
    def best_elsewhere(self) -> tuple[AtSite, Outcome, bool] | None:
        """The best other site that a plan was found for, what it comes to, and whether all else was planned anew.

        The best as the model's goals see it.
        """
        tried = [
            (one, outcome, anew)
            for one in self.sites
            if not one.here
            for outcome, anew in ((one.free, True), (one.fixed, False))
            if outcome is not None
        ]
        return min(tried, key=lambda each: (each[1].plan.goal_values(), each[1].cost, not each[2]), default=None)

    def deciding(self, outcome: Outcome) -> tuple[Goal, int | Fraction, int | Fraction] | None:
        """The first goal that tells the plan from another: the goal, its value in the plan and in the other.

        None where all goals are met equally well.
        """
        goals = zip(self.plan.program.goals, self.plan.goal_values(), outcome.plan.goal_values(), strict=True)
        return next((each for each in goals if each[1] != each[2]), None)

    @property
    def broken(self) -> tuple[Breach, ...]:
        """Rules that the plan breaks and that concern the workload."""
        return tuple(breach for breach in self.plan.breaches if self.workload in breach.workloads)


def explain_placement(case: Case, plan: Measured, workload: int, at: int | None = None) -> Placement:
    """Explain one workload of a plan at every site, or at one."""
    problem = case.problem
    closed = forbidden(problem, [workload])
    if at == plan.plan.site[workload]:
        at = None  # why it is here can only be said beside what it comes to elsewhere
    wanted = range(len(problem.sites)) if at is None else [at]
    options = open_options(problem)
    open_sites = [s for s in wanted if not closed[workload, s]]
    found = [
        AtSite(s, s == plan.plan.site[workload], tuple(closed[workload, s])) for s in wanted if s not in open_sites
    ]
    opened = [_fixed(case, plan, options, workload, s) for s in open_sites]
    opened.sort(key=_rank)
    for number, one in enumerate(opened):
        if one.here or (at is None and number >= SITES_SOLVED):
            continue
        case.say(f"planning all else anew with {problem.workloads.ids[workload]} at {problem.sites.ids[one.site]}")
        status, free = _free(
            case.part(1 / (min(len(opened), SITES_SOLVED) - number or 1)), plan, options, workload, one.site
        )
        opened[number] = replace(one, free=_better(one.fixed, free), status=status)
    opened.sort(key=_rank)
    return Placement(problem, workload, plan, (*opened, *found))


def _better(fixed: Outcome | None, free: Outcome | None) -> Outcome | None:
    """The better of two plans: with all else as it is it is also one with all else free, if nothing better is found."""
    if fixed is None or free is None:
        return free
    worse = (free.forgone, free.cost) > (fixed.forgone, fixed.cost) and not free.proved
    return replace(fixed, proved=False) if worse else free


def _rank(one: AtSite) -> tuple[object, ...]:
    best = one.fixed or one.free
    return not one.here, best is None, one.fixed is None, best.cost + best.forgone if best else 0, one.site


def _at(options: Options, workload: int, site: int) -> Bools:
    """Options of the workload's item that put it at a site. bool [option]."""
    found = np.zeros(len(options), dtype=np.bool_)
    found[options.option[(options.workload == workload) & (options.site == site)]] = True
    return found


def _fixed(case: Case, plan: Measured, options: Options, workload: int, site: int) -> AtSite:
    """The workload at a site with all others where the plan has them; purchases are chosen anew."""
    problem = case.problem
    here = site == int(plan.plan.site[workload])
    item = next(i for i, group in enumerate(problem.members) if workload in group)
    same = ~elsewhere(options, plan.plan.site)
    keep = np.where(options.item == item, _at(options, workload, site), same)
    _, outcome = _outcome(case.part(0.2), plan, options.kept(keep))
    short: tuple[Breach, ...] = ()
    if outcome is None:
        moved = plan.plan.site.copy()
        together = problem.blocks[item]
        block = next(block for block in together if workload in block)
        moved[list(block)] = site
        short = measure(problem, Plan(moved, plan.plan.bought)).breaches
    return AtSite(site, here, (), outcome, None, short)


def _free(case: Case, plan: Measured, options: Options, workload: int, site: int) -> tuple[Status, Outcome | None]:
    """The best plan with the workload at a site, all else free."""
    problem = case.problem
    item = next(i for i, group in enumerate(problem.members) if workload in group)
    keep = (options.item != item) | _at(options, workload, site)
    return _outcome(case, plan, options.kept(keep))


def _outcome(case: Case, plan: Measured, options: Options) -> tuple[Status, Outcome | None]:
    if (np.bincount(options.item, minlength=options.items) == 0).any():
        return Status.INFEASIBLE, None
    if not case.left:
        return Status.UNKNOWN, None
    problem = case.problem
    program = program_of(problem, options, ledger=False)
    found = case.solved(program, replace(case.limits, time_limit_s=case.left), Watch())
    if found.x is None:
        return found.status, None
    measured = measure(problem, Plan.of(problem, program, options, found.x))
    if measured.breaches:
        return Status.UNKNOWN, None
    proved = found.status is Status.OPTIMAL
    more, gone = measured.cost - plan.cost, forgone(measured) - forgone(plan)
    return found.status, Outcome(measured, changes(plan, measured), more, gone, proved)


def forgone(plan: Measured) -> int:
    """The value a year of what a plan leaves out, in pence."""
    table, pence = plan.problem.workloads, plan.problem.inventory.currency.pence_per_unit
    values = table.decimals("value")
    gone = np.flatnonzero((plan.plan.site == NOWHERE) & values.given).tolist()
    return round(sum((values.fraction(w) for w in gone), Fraction(0)) * pence)


def changes(before: Measured, after: Measured) -> tuple[tuple[int, int, int], ...]:
    """Workloads that are elsewhere: (workload, before, after)."""
    was, now = before.plan.site, after.plan.site
    return tuple((int(w), int(was[w]), int(now[w])) for w in np.flatnonzero(was != now))


def others(outcome: Outcome, workloads: Sequence[int]) -> list[tuple[int, int, int]]:
    """What changes but for the workloads themselves."""
    return [move for move in outcome.moves if move[0] not in workloads]
