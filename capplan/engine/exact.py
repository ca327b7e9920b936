"""The exact engine: goals proved one after the other by CP-SAT, then ties."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from capplan.engine.budget import SHARE_OF_EFFORT
from capplan.engine.cpsat import LEAST, Answer, Callback, Model
from capplan.engine.kinds import kinds_of
from capplan.engine.narrow import with_ceiling
from capplan.engine.result import GoalValue, Limits, Progress, Result, Status, Stopped, Watch
from capplan.program import LinearGoal, Program, WorstGoal
from capplan.program.statements import Goal
from capplan.units import Ints

EFFORT_PER_SECOND = 0.5
"""Deterministic time granted for a second of the limit: its unit takes up to two seconds of a busy core."""

LARGEST_TIE_WEIGHT = 2**40
TIE_SHARE = 0.2
"""Ties may take this share of the limits, or as much as the goals took if that is more."""

RATIO_STEPS = 10**6

FIRST_SHARE, FIRST_SHARE_OF_LITTLE = 0.3, 0.1
"""Shares of the limits after which what CP-SAT has not proved is searched like a large Program: usually, and where
places hold little, as patterns prove most there."""
LEAST_S_FOR_OTHERS = 5.0


def solve_exact(program: Program, limits: Limits, watch: Watch, start: Ints | None = None) -> Result:
    """Meet the goals in order, each proved before the next, then break ties.

    ``start`` int64 [column] is a plan to start from. The limits bound the whole call: when they are reached the
    best plan so far is returned with the bounds proved so far.
    """
    if (np.diff(program.item_start) == 0).any():
        return Result(Status.INFEASIBLE, None, (), Stopped.PROVED)
    search = _Search(program, limits, watch)
    if start is not None:
        search.model.hint(start)
    if not program.goals:
        search.any_plan()
    for goal in program.goals:
        search.meet(goal)
        if search.best is None:
            break
    if search.best is None:
        status = Status.INFEASIBLE if search.stopped is Stopped.PROVED else Status.UNKNOWN
        return Result(status, None, (), search.stopped, trace=tuple(search.trace))
    ties = search.break_ties()
    proved = all(goal.proved for goal in search.goals)
    stopped = search.stopped
    if not proved and stopped is Stopped.PROVED:
        stopped = Stopped.GAP
    status = Status.OPTIMAL if proved else Status.FEASIBLE
    return Result(status, search.best, tuple(search.goals), stopped, ties, tuple(search.trace))


@dataclass
class _Search:
    """One solve: the model as goals are added to it, the best plan so far, what is left of the limits.

    ``stopped`` stays PROVED as long as every question asked was answered in full.
    """

    program: Program
    limits: Limits
    watch: Watch
    best: Ints | None = None
    goals: list[GoalValue] = field(default_factory=list)
    trace: list[Progress] = field(default_factory=list)
    stopped: Stopped = Stopped.PROVED
    effort: float = 0.0

    def __post_init__(self) -> None:
        self.model = Model(self.program)
        self.effort_limit = self.limits.time_limit_s * EFFORT_PER_SECOND

    def run(self, model: Model, name: str, goal: LinearGoal | None = None, share: float = 1.0) -> Answer:
        """Solve with a share of what is left of the limits; a better plan becomes the best."""
        if self.watch.stopped:
            return Answer(None, LEAST, finished=False, effort=0.0)
        callback = Callback(lambda best, bound: self._improved(name, goal, best, bound))
        seconds = share * (self.limits.time_limit_s - self.watch.seconds)
        effort = share * (self.effort_limit - self.effort)
        if self.best is not None:
            model.hint(self.best)
        answer = model.solve(self.limits, seconds, effort, self.watch, callback)
        self.effort += answer.effort
        if answer.x is not None:
            self.best = answer.x
        return answer

    def _improved(self, name: str, goal: LinearGoal | None, best: int | None, bound: int | None) -> None:
        natural = [
            None if value is None or goal is None else goal.natural(value + goal.constant) for value in (best, bound)
        ]
        found = Progress(name, natural[0], natural[1], self.watch.seconds)
        self.trace.append(found)
        self.watch.report(found)

    def _limit_reached(self) -> None:
        if self.watch.stopped:
            self.stopped = Stopped.INTERRUPTED
        elif self.watch.seconds >= 0.95 * self.limits.time_limit_s:
            self.stopped = Stopped.TIME
        else:
            self.stopped = Stopped.EFFORT

    def any_plan(self) -> None:
        """Find a plan, whatever its worth."""
        self.model.no_objective()
        if not self.run(self.model, "a first plan").finished:
            self._limit_reached()

    def meet(self, goal: Goal) -> None:
        """Meet one goal, then keep its value while later ones are met.

        Once a limit is reached, later goals get the value of the best plan and a bound that needs no solving.
        """
        if self.stopped is Stopped.PROVED:
            if isinstance(goal, WorstGoal):
                self._meet_worst(goal)
            else:
                self._meet_linear(goal)
        elif self.best is not None:
            bound = Fraction(0) if isinstance(goal, WorstGoal) else least(self.program, goal)
            self.goals.append(GoalValue(goal.name, goal.value(self.best), bound))

    def _meet_linear(self, goal: LinearGoal) -> None:
        bound = least(self.program, goal)
        if self.best is None or goal.value(self.best) > bound:
            columns = np.flatnonzero(goal.coefficients)
            self.model.minimise(columns.tolist(), goal.coefficients[columns].tolist())
            answer = self.run(self.model, goal.name, goal, self._first_share(goal))
            bound = max(bound, answer.bound + goal.constant)
            if not answer.finished:
                bound = max(bound, self._search_on(goal, bound))
            if self.best is None:
                return
            if answer.finished and self.limits.gap == 0:
                bound = goal.value(self.best)
        value = goal.value(self.best)
        self.goals.append(GoalValue(goal.name, value, min(bound, value)))
        self.model.keep_at_most(goal.coefficients, value - goal.constant)
        self.program = with_ceiling(self.program, goal, value)

    def _others_help(self) -> bool:
        """Whether what CP-SAT does not prove soon is worth the search for large Programs, which has no ratios.

        Where effort is counted CP-SAT gets all of it: it proves more with that than the others with what they may take.
        """
        if self.limits.deterministic or any(isinstance(goal, WorstGoal) for goal in self.program.goals):
            return False
        return self.limits.workers > 1 and self.limits.time_limit_s - self.watch.seconds > LEAST_S_FOR_OTHERS

    def _first_share(self, goal: LinearGoal) -> float:
        """Share of the time left after which others go on."""
        if not self._others_help():
            return 1.0
        kinds = kinds_of(self.program, goal)
        return FIRST_SHARE if kinds is None or kinds.alike else FIRST_SHARE_OF_LITTLE

    def _search_on(self, goal: LinearGoal, bound: int) -> int:
        """Go on as for a large Program, with branch and bound beside; returns a bound."""
        if not self._others_help():
            self._limit_reached()
            return bound
        # Compiled loops take a moment to load, which those that are soon proved should not pay.
        from capplan.engine.stage import Stage  # noqa: PLC0415

        def heard(goal: LinearGoal, best: int | None, bound: int) -> None:
            self._improved(goal.name, goal, None if best is None else best - goal.constant, bound - goal.constant)

        stage = Stage(self.program, goal, self.limits, self.watch, heard, self.best)
        stage.budget.most = (self.effort_limit - self.effort) / EFFORT_PER_SECOND * SHARE_OF_EFFORT
        stage.run(enough=bound)
        self.effort += stage.budget.effort / SHARE_OF_EFFORT * EFFORT_PER_SECOND
        if stage.best is not None:
            self.best = stage.best
        if not (stage.proved or stage.infeasible):
            self._limit_reached()
        return max(bound, stage.bound + goal.constant)

    def _meet_worst(self, goal: WorstGoal) -> None:
        if self.best is None:
            self.any_plan()
        if self.best is None:
            return
        bound = self._approach(goal)
        while self.stopped is Stopped.PROVED and goal.value(self.best) > 0:
            better = self.model.copy()
            better.no_objective()
            self._keep_ratio(better, goal, goal.value(self.best), strictly=True)
            answer = self.run(better, goal.name)
            if answer.x is None:
                if answer.finished:
                    bound = goal.value(self.best)
                    break
                self._limit_reached()
        value = goal.value(self.best)
        self.goals.append(GoalValue(goal.name, value, min(bound, value)))
        self._keep_ratio(self.model, goal, value, strictly=False)

    def _approach(self, goal: WorstGoal) -> Fraction:
        """Come within a millionth of the least greatest ratio; returns a bound on it."""
        assert self.best is not None
        now = goal.value(self.best)
        steps = min(RATIO_STEPS, max(1, 2**60 // max(1, int(goal.capacity.max(initial=1)) * (int(now) + 2))))
        model = self.model.copy()
        ratio = model.variable(0, int(now * steps) + 1)
        for columns, values, capacity in _rows(goal):
            model.at_most([*columns, ratio], [*(v * steps for v in values), -capacity], 0)
        model.minimise([ratio], [1])
        answer = self.run(model, goal.name)
        if not answer.finished:
            self._limit_reached()
        # The least whole number of steps is at least the bound, so the ratio exceeds one step less.
        return Fraction(max(0, answer.bound - 1), steps)

    def _keep_ratio(self, model: Model, goal: WorstGoal, ratio: Fraction, *, strictly: bool) -> None:
        """Add use ≤ ratio × capacity for every row, or use < ratio × capacity."""
        for columns, values, capacity in _rows(goal):
            most = ratio * capacity
            model.at_most(columns, values, -(-most.numerator // most.denominator) - 1 if strictly else int(most // 1))

    def break_ties(self) -> int:
        """Among equally good plans take the smallest; returns how many digits are proved smallest."""
        if self.stopped is not Stopped.PROVED or any(not goal.proved for goal in self.goals):
            return 0
        self.effort_limit = min(self.effort_limit, self.effort + max(self.effort, TIE_SHARE * self.effort_limit))
        done = 0
        for first, end in _blocks(self.program.tie_base):
            if not self._smallest(first, end):
                break
            done = end
        if self.watch.stopped:
            self.stopped = Stopped.INTERRUPTED
        return done

    def _smallest(self, first: int, end: int) -> bool:
        """Make digits ``first`` to ``end`` the smallest number they can form, and fix them."""
        assert self.best is not None
        base = self.program.tie_base[first:end]
        weight = np.array([int(np.prod(base[i + 1 :], dtype=object)) for i in range(len(base))], dtype=np.int64)
        coefficients = np.asarray(weight @ self.program.ties[first:end], dtype=np.int64)
        goal = LinearGoal("ties", coefficients, 0, Fraction(1))
        if goal.value(self.best) > least(self.program, goal):
            columns = np.flatnonzero(coefficients)
            self.model.minimise(columns.tolist(), coefficients[columns].tolist())
            if not self.run(self.model, "ties").finished:
                return False
        for digit in range(first, end):
            self._fix_digit(digit)
        return True

    def _fix_digit(self, digit: int) -> None:
        """Forbid every option that would change a digit of the best plan."""
        assert self.best is not None
        matrix, options = self.program.ties, self.program.options
        part = slice(matrix.indptr[digit], matrix.indptr[digit + 1])
        columns, ranks = matrix.indices[part], matrix.data[part]
        for column in columns[columns >= options].tolist():
            self.model.fix(column, int(self.best[column]))
        columns, ranks = columns[columns < options], ranks[columns < options]
        value = int(ranks @ self.best[columns])
        self.model.forbid(columns[ranks != value])
        if value:
            taken = columns[self.best[columns] > 0][0]
            item = self.program.item[taken]
            mates = np.flatnonzero(self.program.item == item)
            self.model.forbid(np.setdiff1d(mates, columns))


def _rows(goal: WorstGoal) -> Iterator[tuple[list[int], list[int], int]]:
    """Columns, coefficients and capacity of each ratio that anything can use."""
    for row, capacity in enumerate(goal.capacity.tolist()):
        part = slice(goal.use.indptr[row], goal.use.indptr[row + 1])
        if part.start < part.stop:
            yield goal.use.indices[part].tolist(), goal.use.data[part].tolist(), capacity


def _blocks(base: Ints) -> Iterator[tuple[int, int]]:
    """Runs of digits whose mixed-radix number stays small enough for an objective."""
    first, product = 0, 1
    for digit, size in enumerate(base.tolist()):
        if product * size > LARGEST_TIE_WEIGHT and digit > first:
            yield first, digit
            first, product = digit, 1
        product *= size
    if first < len(base):
        yield first, len(base)


def least(program: Program, goal: LinearGoal) -> int:
    """A bound that needs no solving: the cheapest option of every item, nothing bought. Always valid."""
    if not program.items:
        return goal.constant
    options = goal.coefficients[: program.options]
    cheapest = np.minimum.reduceat(options, program.item_start[:-1])
    upper = np.ones(program.columns - program.options, dtype=np.int64)
    upper[program.facts :] = program.purchases.upper
    rest = np.minimum(0, goal.coefficients[program.options :]) * upper
    return int(cheapest.sum() + rest.sum()) + goal.constant
