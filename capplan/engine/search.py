"""What the search for one goal knows, and how others help it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np

from capplan.engine.budget import Budget
from capplan.engine.columns import Columns, columns_of, links_of
from capplan.engine.core import Core, core_of
from capplan.engine.crew import Crew, joined
from capplan.engine.dual import Bound
from capplan.engine.improve import Improver, Start
from capplan.engine.result import Limits, Watch
from capplan.engine.settled import settled
from capplan.program import LinearGoal, Program, evaluate
from capplan.units import Bools, Floats, Ints

CORE_MOST = 100_000
"""Options that are kept in all where items have fewer."""
CORE_LUCK = 3
"""Options of an item, on average, that are kept at random at least: those that all like best may not hold them all."""


class Search:
    """A plan and a bound for one goal, the core in which plans are looked for, and what improves them.

    ``best`` int64 [column] and ``bound`` (without the goal's constant) only ever improve. ``price`` float [row] are
    the best prices so far, ``last`` the bound at the latest ones.
    """

    price: Floats
    last: Bound

    def __init__(
        self,
        program: Program,
        goal: LinearGoal,
        limits: Limits,
        watch: Watch,
        heard: Callable[[LinearGoal, int | None, int], None],
        best: Ints | None,
        crew: Crew | None = None,
    ) -> None:
        self.whole, self.goal, self.limits, self.watch, self._heard = settled(program), goal, limits, watch, heard
        self.budget = Budget(limits, watch)
        self.crew = crew
        self.best: Ints | None = None
        self.bound = -(2**62)
        self.infeasible = self.gap_reached = False
        self.random = np.random.default_rng(limits.seed)
        self.columns: Columns = columns_of(program, goal, links_of(program, goal))
        self.enough: int | None = None
        if best is not None:
            self.offer(best)

    # -- what is known ------------------------------------------------------------------------------------

    @property
    def left(self) -> float:
        """Seconds, or effort, left."""
        return self.budget.left

    def over(self) -> bool:
        """Whether there is nothing left to look for, or to look with."""
        return self.proved or self.budget.used_up or self.infeasible

    @property
    def _value(self) -> float:
        """The best plan's goal."""
        return np.inf if self.best is None else self.goal.value(self.best)

    @property
    def proved(self) -> bool:
        """Whether the plan is as good as was asked for."""
        if self.best is None:
            return False
        value = self.goal.value(self.best)
        if self.enough is not None and value <= self.enough:
            return True
        bound = self.bound + self.goal.constant
        if value <= bound:
            return True
        self.gap_reached = bool(self.limits.gap) and Fraction(value - bound, max(1, abs(value))) <= self.limits.gap
        return self.gap_reached

    def offer(self, x: Ints) -> bool:
        """Take a plan of the whole Program if it keeps every limit and is better. ``x`` int64 [column]."""
        first = self.whole.options + self.whole.facts
        values = evaluate(self.whole, x[: self.whole.options] > 0, x[first:])
        if (values.used > self.whole.bound).any():
            return False
        if self.best is not None and self.goal.value(values.x) >= self.goal.value(self.best):
            return False
        self.best = values.x
        self._tell()
        return True

    def prove(self, bound: int) -> None:
        """Take a bound, without the goal's constant."""
        if bound > self.bound:
            self.bound = bound
            self._tell()

    def _tell(self) -> None:
        best = None if self.best is None else self.goal.value(self.best)
        self._heard(self.goal, best, self.bound + self.goal.constant)

    def _keep(self, keep: Bools, bound: Bound) -> None:
        """Make ``keep`` bool [option], others at random, and the best plan's the core."""
        most = max(CORE_MOST, int(keep.sum()) + CORE_LUCK * self.whole.items)
        spare = (most - int(keep.sum())) / max(1, self.whole.options)
        if spare > 0:
            keep = keep | (self.random.random(self.whole.options) < spare)
        if self.best is not None:
            keep |= self.best[: self.whole.options] > 0
        self.core: Core = core_of(self.whole, self.goal, keep, bound, self.price)
        inner = None if self.best is None else self.core.inner(self.best)
        self.improver = Improver(self.core, inner, self.budget, int(self.random.integers(2**31)))

    def _take(self) -> None:
        """Hear of the best plan of the core."""
        if self.improver.x is not None:
            self.offer(self.core.outer(self.improver.x))

    # -- improvement --------------------------------------------------------------------------------------

    @property
    def _turn(self) -> float:
        """Seconds between two exchanges with other processes."""
        return max(0.5, 0.02 * self.limits.time_limit_s, 1e-5 * len(self.core.option))

    def _cover(self) -> None:
        """Make sure that the best plan, which may come from another core, lies in the core."""
        if self.best is None:
            return
        inside = self.core.inner(self.best)[: len(self.core.option)]
        if inside.sum() < self.whole.items:
            keep = np.zeros(self.whole.options, dtype=np.bool_)
            keep[self.core.option] = True
            self._keep(keep, self.last)

    def _hand_out(self) -> None:
        """Have others improve the best plan, as far as they are idle."""
        self._cover()
        while self.crew is not None and self.crew.idle > 0 and self.best is not None and not self.over():
            self._send(Start(self.core.inner(self.best)), self._turn)

    def _send(self, start: Start, turn: float) -> None:
        assert self.crew is not None
        # By the clock they go on until they are called back, as nobody knows how long a relaxation takes.
        limits = replace(self.limits, time_limit_s=self.limits.time_limit_s - self.watch.seconds)
        self.crew.send(self.core, start, limits, min(turn, self.left), int(self.random.integers(2**31)))

    def _bring_back(self, *, last: bool = False) -> None:
        """Take over what others found; in deterministic mode wait for it, so that it always comes at the same point."""
        if self.crew is None:
            return
        waits = last or self.limits.deterministic
        if not self.limits.deterministic:
            self.crew.call(everybody=last)
        for sent, found in self.crew.back(wait=waits):
            if self.best is None or sent is None:
                self.offer(found)
            else:
                self.offer(joined(self.whole, self.goal, sent, self.best, found))
