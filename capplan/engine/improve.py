"""A plan made better inside a core: parts solved again exactly, walks, sites done without."""

from __future__ import annotations

import numpy as np

from capplan.engine.budget import Budget
from capplan.engine.core import Core
from capplan.engine.cpsat import Callback, Model
from capplan.engine.dual import cheapest
from capplan.engine.ground import ground_of
from capplan.engine.neighbourhood import ARMS, Chooser, neighbourhood
from capplan.engine.result import Limits, Watch
from capplan.engine.walk import walk
from capplan.program import evaluate
from capplan.units import Ints

CHUNK = 100_000
"""Moves between two looks at the clock."""
PART_S = 1.0
"""Seconds that a part may take."""
WALK, SHUT = len(ARMS), len(ARMS) + 1


class Improver:
    """``x`` int64 [column of the core] is the best plan so far and only ever gets better; ``value`` is its goal."""

    def __init__(self, core: Core, x: Ints | None, budget: Budget, seed: int) -> None:
        self.core, self.x, self.budget = core, x, budget
        self.random = np.random.default_rng(seed)
        self.chooser = Chooser(len(ARMS) + 2)

    @property
    def value(self) -> int | None:
        """The goal of the best plan."""
        return None if self.x is None else self.core.parts.goal.value(self.x)

    def improve(self, seconds: float, enough: int | None = None) -> None:
        """Search from the best plan for ``seconds``, or until its goal is ``enough``."""
        end = self.budget.left - seconds
        while self.x is not None and not self.budget.used_up and self.budget.left > end:
            before, left = self.value, self.budget.left
            assert before is not None
            if enough is not None and before <= enough:
                return
            kind = self.chooser.choose(self.random)
            self._try(kind, max(0.05, min(seconds, 0.3 + 2e-6 * self.core.parts.program.items)))
            now = self.value
            assert now is not None
            self.chooser.learn(kind, before - now, left - self.budget.left)

    def _try(self, kind: int, seconds: float) -> None:
        assert self.x is not None
        if kind == WALK:
            self.walk(self.x, seconds, heat=0.0005)
        elif kind == SHUT:
            self._shut_one(seconds)
        else:
            taken = np.flatnonzero(self.x[: self.core.parts.program.options])
            self.solve_part(self.x, neighbourhood(self.core, taken, kind, self.random), PART_S)

    # -- walks --------------------------------------------------------------------------------------------

    def walk(
        self, x: Ints, seconds: float, heat: float, shut: Ints | None = None, *, until_found: bool = False
    ) -> Ints | None:
        """Walk from ``x`` int64 [column]; the best plan that was met, better than the one known or not, else None."""
        program, parts = self.core.parts.program, self.core.parts
        ground = ground_of(parts, x, self.core.toll, shut)
        typical = max(1.0, float(np.abs(parts.goal.coefficients[: program.options]).mean()))
        cost, end = np.inf, self.budget.left - seconds
        moves = int(np.clip(5 * program.items, CHUNK // 10, 5 * CHUNK))
        while not self.budget.used_up and self.budget.left > end:
            share = min(1.0, 1 - (self.budget.left - end) / max(1e-9, seconds))
            warm = heat * typical * 0.02**share
            cost = walk(ground, cost, moves, (warm, warm), int(self.random.integers(2**31)))
            self.budget.spend(2e-6 * moves)
            if until_found and cost < np.inf:
                break
        return self._chosen(x, ground.best) if cost < np.inf else None

    def _chosen(self, x: Ints, choice: Ints) -> Ints:
        """The plan of a choice with what ``x`` buys, less what of it is not needed; taken if it is the best."""
        program = self.core.parts.program
        first = program.options + program.facts
        taken = np.zeros(program.options, dtype=np.bool_)
        taken[choice] = True
        values = evaluate(program, taken, x[first:])
        plan = values.x
        if (values.used <= program.bound).all():
            self.take(plan)
            if (~program.purchases.derived).any():
                return self.solve_part(plan, np.zeros(0, dtype=np.int64), 2 * PART_S)
        return plan

    def take(self, x: Ints) -> None:
        """Keep a plan that keeps every limit, if it is the best."""
        value = self.value
        if value is None or self.core.parts.goal.value(x) < value:
            self.x = x

    def _shut_one(self, seconds: float) -> None:
        """Try to do without one fact that costs something, those that few options need first."""
        assert self.x is not None
        program, x = self.core.parts.program, self.x
        first = program.options
        price = self.core.parts.goal.coefficients[first : first + program.facts]
        held = np.flatnonzero((x[first : first + program.facts] > 0) & (price > 0))
        if not len(held):
            return
        use = np.asarray(program.any_of.astype(np.int64) @ x[:first])[held]
        weight = (price[held] / np.maximum(1, use)) ** 2
        fact = int(self.random.choice(held, p=weight / weight.sum()))
        closed = np.zeros(program.facts, dtype=np.int64)
        closed[(x[first : first + program.facts] == 0) & (price > 0)] = 1
        closed[fact] = 1
        shut = np.flatnonzero(np.asarray(program.any_of.T.astype(np.int64) @ closed) > 0)
        rank = self.core.reduced.copy()
        rank[x[:first] > 0] = -1.0
        rank[shut] += 1e12
        y = np.zeros_like(x)
        y[np.flatnonzero(cheapest(self.core.parts.start, rank, 1))] = 1
        y[first + program.facts :] = x[first + program.facts :]
        self.walk(y, seconds, heat=0.001, shut=shut)

    # -- parts --------------------------------------------------------------------------------------------

    def solve_part(self, x: Ints, items: Ints, seconds: float) -> Ints:
        """``x`` int64 [column] with ``items`` int64 [k] solved again exactly, all others as they are."""
        parts, limits = self.core.parts, self.budget.limits
        part = parts.part(x, items)
        model = Model(part.program)
        used = np.flatnonzero(part.goal.coefficients)
        model.minimise(used.tolist(), part.goal.coefficients[used].tolist())
        model.hint(parts.inside(part, x))
        inner = Limits(seconds, seed=int(self.random.integers(2**31)), workers=1, deterministic=limits.deterministic)
        seconds = min(seconds, max(0.1, self.budget.left))
        answer = model.solve(inner, seconds, 0.5 * PART_S, self.budget.watch, Callback(lambda *_: None))
        self.budget.spend(2 * answer.effort + 0.005)
        if answer.x is None:
            return x
        merged = parts.merged(part, x, answer.x)
        self.take(merged)
        return merged


def improved(core: Core, x: Ints, limits: Limits, effort: float, seed: int) -> Ints:
    """The best plan found from ``x`` int64 [column of the core] within ``limits``: a task for another process."""
    improver = Improver(core, x, Budget(limits, Watch(), effort), seed)
    improver.improve(improver.budget.left)
    assert improver.x is not None
    return improver.x
