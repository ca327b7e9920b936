"""The main job: from an inventory and a model to a measured plan, or to what stands in its way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from html import escape

import numpy as np

from capplan.compile import open_options, problem_of, program_of
from capplan.engine import (
    GoalValue,
    Limits,
    Progress,
    Status,
    Stopped,
    Watch,
    chosen,
    impossible,
    smallest_shortage,
    solve_program,
)
from capplan.engine.result import Result as Found
from capplan.errors import Defect
from capplan.frames import Frames, shown
from capplan.inventory import Allocation, Inventory
from capplan.measure import Breach, Measured, measure, today_of
from capplan.model import Model
from capplan.obstacles import Obstacle, forbidden
from capplan.problem import NOWHERE, Options, Plan, Problem, elsewhere
from capplan.program import LinearGoal, Program, evaluate
from capplan.tables import Output, tables_of
from capplan.units import Ints, percent_text

SHARE_OF_TIME_FOR_SHORTAGE = 0.5
MOST_SECONDS_FOR_SHORTAGE = 5.0
SHARE_OF_TIME_FOR_PROOF = 0.1
"""At most, to see whether anything can keep all limits before a plan is looked for."""
WORTH_A_PROOF = 300
"""Options from which that is quicker than to find out by searching."""


@dataclass(frozen=True)
class Reached:
    """One goal as reached: value and proven bound in the unit it ``reads`` in; ``money`` where that is the currency.

    The bound holds given the values of the goals before.
    """

    goal: str
    reads: str
    value: Fraction
    bound: Fraction

    @property
    def gap(self) -> Fraction:
        """(value − bound) ÷ value; 0 where they are equal."""
        if self.value == self.bound:
            return Fraction(0)
        return abs(self.value - self.bound) / max(abs(self.value), Fraction(1, 10**9))


@dataclass(frozen=True)
class Explanation:
    """Why there is no plan.

    ``homeless``: workloads that no site may take, each with the first obstacle at every site. ``shortages``: the limits
    that fall short in the plan that exceeds them least; ``least`` says that no smaller excess does.
    """

    homeless: dict[int, list[tuple[int, Obstacle]]]
    shortages: tuple[Breach, ...]
    least: bool


@dataclass(frozen=True)
class Result:
    """What a solve came to. ``measured`` is None where there is no plan.

    ``today`` is the current allocation measured the same way, where there is one. ``seconds`` by stage; ``size`` counts
    what the ``engine`` was given.
    """

    problem: Problem
    status: Status
    stopped_because: Stopped
    measured: Measured | None
    goals: tuple[Reached, ...]
    tie_break: str
    today: Measured | None
    explanation: Explanation | None
    seconds: dict[str, float]
    trace: tuple[Progress, ...] = ()
    size: Mapping[str, int] = field(default_factory=dict)
    engine: str = "exact"

    @property
    def gap(self) -> Fraction | None:
        """The gap of the most important goal that is not proved, 0 if all are; None without a plan."""
        return next((goal.gap for goal in self.goals if goal.gap), Fraction(0)) if self.measured else None

    @property
    def plan(self) -> Frames | None:
        """The plan's tables as data frames; None without a plan."""
        return Frames(self.tables) if self.measured else None

    @cached_property
    def tables(self) -> Sequence[Output]:
        """The plan's tables; none without a plan."""
        return tables_of(self.measured, self.today) if self.measured else ()

    def __repr__(self) -> str:
        return f"<Result: {self.text}>"

    @property
    def text(self) -> str:
        """What the solve came to, in a line."""
        if self.measured is None or self.gap is None:
            return f"{self.status}, no plan"
        placed = int((self.measured.plan.site != NOWHERE).sum())
        cost = self.problem.inventory.currency.text(self.measured.cost)
        how_far = f" within {percent_text(self.gap)} of the best possible" if self.gap else ""
        left_out = len(self.problem.workloads) - placed
        return f"{self.status}{how_far}: {placed:,} workloads placed, {left_out:,} left out, {cost}"

    def _repr_html_(self) -> str:
        """As a notebook shows it: what the solve came to, how full the sites are, what is left out."""
        title = escape(f"{self.problem.inventory.title}: {self.text}")
        tables = [shown(table) for table in self.tables if table.name in ("sites", "left_out") and table.rows]
        return f"<p><strong>{title}</strong></p>{''.join(tables)}"


def solve(
    inventory: Inventory,
    model: Model,
    watch: Watch | None = None,
    *,
    start: Plan | None = None,
    keep: Allocation | None = None,
    engine: str = "auto",
) -> Result:
    """Plan an inventory under a model.

    ``engine``: ``auto`` takes what fits the size; ``exact`` and ``large`` are these.

    ``start`` is a plan to start the search from; it need not keep any rule. Where its sites are the current ones, today
    is measured with what it buys. Workloads that ``keep`` puts at a site stay there, the rest is planned around them.

    Always returns: an infeasible or unfinished solve is a result. Raises BadInput for contradictions in the input, and
    Defect when the plan found does not measure as the engine said.
    """
    watch = watch or Watch()
    problem = problem_of(inventory, model, keep=keep)
    options = open_options(problem)
    program = program_of(problem, options, ledger=False)
    seconds = {"compile": watch.seconds}
    limits = _limits(model)
    found = _search(program, limits, watch, None if start is None else hint(program, options, start), engine)
    seconds["search"] = watch.seconds - seconds["compile"]
    before = watch.seconds
    result = _result(problem, program, options, found, (limits, watch), today_of(problem, start))
    seconds["measure"] = watch.seconds - before
    return replace(result, seconds=seconds, size=program.size, engine=chosen(program, engine))


def _search(program: Program, limits: Limits, watch: Watch, start: Ints | None, engine: str) -> Found:
    """A solve, where no quick proof shows that there is no plan: searches count one by one what is counted at once."""
    if program.options >= WORTH_A_PROOF and impossible(program, SHARE_OF_TIME_FOR_PROOF * limits.time_limit_s):
        return Found(Status.INFEASIBLE, None, (), Stopped.PROVED)
    return solve_program(program, limits, watch, start, engine)


def hint(program: Program, options: Options, start: Plan) -> Ints:
    """Where a plan to start from is open: 1 for each of its options that there is, and what it buys. int64 [column]."""
    x = np.zeros(program.columns, dtype=np.int64)
    x[np.flatnonzero(~elsewhere(options, start.site))] = 1
    names = program.purchases.names
    x[program.options + program.facts :] = [start.bought.get(name[:3], 0) for name in names]
    facts = program.any_of @ (x[: program.options] > 0)
    x[program.options : program.options + program.facts] = facts
    return x


def _limits(model: Model) -> Limits:
    solver = model.solver
    return Limits(float(solver.time_limit_s), solver.gap, solver.seed, solver.workers, solver.deterministic)


def _result(
    problem: Problem,
    program: Program,
    options: Options,
    found: Found,
    budget: tuple[Limits, Watch],
    today: Measured | None,
) -> Result:
    if found.x is None:
        why = explained(problem, *budget) if found.status is Status.INFEASIBLE else None
        return Result(problem, found.status, found.stopped_because, None, (), "none", today, why, {}, found.trace)
    x = found.x if found.ties == len(program.tie_base) else _without_waste(program, found.x)
    measured = measure(problem, Plan.of(problem, program, options, x))
    goals = _verified(program, measured, found.goals)
    ties = "complete" if found.ties == len(program.tie_base) else f"first {found.ties}" if found.ties else "none"
    return Result(problem, found.status, found.stopped_because, measured, goals, ties, today, None, {}, found.trace)


def _verified(program: Program, measured: Measured, claimed: Sequence[GoalValue]) -> tuple[Reached, ...]:
    """The goals as measured, each with its bound. Raises Defect where the plan is not what the engine said it is."""
    if measured.breaches:
        raise Defect(f"the plan found breaks a rule: {measured.breaches[0].subject}: {measured.breaches[0].message}")
    reached = []
    ours = zip(program.goals, measured.program.goals, claimed, strict=True)
    for goal, measuring, claim in ours:
        value = measuring.natural(measuring.value(measured.values.x))
        said, bound = goal.natural(claim.value), goal.natural(claim.bound)
        if value > said or (value < bound and isinstance(goal, LinearGoal)):
            raise Defect(f"the goal {goal.name} measures {value}, the engine said {said} with bound {bound}")
        reached.append(Reached(goal.name, goal.reads, value, min(bound, value)))
    return tuple(reached)


def _without_waste(program: Program, x: Ints) -> Ints:
    """The plan without decided purchases that no limit needs; they can remain where ties were not broken to the end."""
    first = program.options + program.facts
    taken = x[: program.options] > 0
    steps = x[first:].copy()
    values = [goal.value(x) for goal in program.goals]
    for p in np.flatnonzero((steps > 0) & ~program.purchases.derived).tolist():
        while steps[p]:
            fewer = steps.copy()
            fewer[p] -= 1
            tried = evaluate(program, taken, fewer)
            worse = any(goal.value(tried.x) > value for goal, value in zip(program.goals, values, strict=True))
            if worse or (tried.used > program.bound).any():
                break
            steps = fewer
    return np.concatenate([x[:first], steps])


def explained(problem: Problem, limits: Limits, watch: Watch, share: float = SHARE_OF_TIME_FOR_SHORTAGE) -> Explanation:
    """What stands in the way: workloads without any site, and the smallest overruns for the rest.

    Takes at most a ``share`` of the time, and never more than MOST_SECONDS_FOR_SHORTAGE; half of that for a large
    problem, where the smallest is out of reach anyway.
    """
    options = open_options(problem)
    open_items = np.bincount(options.item, minlength=options.items) > 0
    homeless = [w for i in np.flatnonzero(~open_items) for w in problem.members[int(i)]]
    if homeless:
        options = open_options(problem, problem.may_leave_out | ~open_items)
    program = program_of(problem, options)
    most = MOST_SECONDS_FOR_SHORTAGE / (2 if chosen(program) == "large" else 1)
    budget = replace(limits, time_limit_s=min(limits.time_limit_s * share, most))
    found = smallest_shortage(program, budget, watch)
    shortages: tuple[Breach, ...] = ()
    if found.x is not None:
        plan = Plan.of(problem, program, options, found.x)
        short = measure(problem, plan)
        shortages = tuple(breach for breach in short.breaches if breach.amount is not None)
    return Explanation(_first_obstacles(problem, homeless), shortages, found.least)


def _first_obstacles(problem: Problem, workloads: Sequence[int]) -> dict[int, list[tuple[int, Obstacle]]]:
    found: dict[int, list[tuple[int, Obstacle]]] = {w: [] for w in workloads}
    for (w, s), why in forbidden(problem, workloads).items():
        found[w] += [(s, obstacle) for obstacle in why[:1]]
    return found
