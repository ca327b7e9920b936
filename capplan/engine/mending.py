"""A plan and its parts: solved again exactly by CP-SAT, whether to make it better or to mend what breaks limits."""

from __future__ import annotations

import numpy as np

from capplan.engine.budget import Budget
from capplan.engine.core import Core
from capplan.engine.cpsat import Answer, Callback, Model
from capplan.engine.experience import Experience
from capplan.engine.neighbourhood import ARMS, neighbourhood
from capplan.engine.result import Limits
from capplan.program import evaluate
from capplan.units import Bools, Floats, Ints

PART_S = 1.0
"""Seconds that a part may take."""
FINE = 16
"""Parts of the goal's unit in which the price of excess is counted."""


class Mender:
    """``x`` int64 [column of the core] is the best plan so far and only ever gets better; ``value`` is its goal."""

    def __init__(self, core: Core, x: Ints | None, budget: Budget, seed: int, experience: Experience) -> None:
        self.core, self.x, self.budget, self.experience = core, x, budget, experience
        self.random = np.random.default_rng(seed)

    @property
    def value(self) -> int | None:
        """The goal of the best plan."""
        return None if self.x is None else self.core.parts.goal.value(self.x)

    def take(self, x: Ints) -> None:
        """Keep a plan that keeps every limit, if it is the best."""
        value = self.value
        if value is None or self.core.parts.goal.value(x) < value:
            self.x = x

    # -- what breaks limits -------------------------------------------------------------------------------

    def _excess(self, x: Ints) -> Ints:
        """How far ``x`` exceeds each limit. int64 [limit]."""
        program = self.core.parts.program
        return np.asarray(self.core.parts.by_column @ x - program.bound)

    def _mend(self, x: Ints, seconds: float, shut: Ints) -> Ints:
        """Make ``x`` exceed limits less and less: parts around what is exceeded are solved at a price of the excess."""
        parts, program = self.core.parts, self.core.parts.program
        x = evaluate(program, x[: program.options] > 0, x[program.options + program.facts :]).x
        toll, end = self.core.toll.copy(), self.budget.left - seconds
        closed = np.zeros(program.options, dtype=np.bool_)
        closed[shut] = True
        by_row = parts.by_row
        kinds = [k for k, arm in enumerate(ARMS) if arm.places in (2, 3) and arm.items <= 30]
        while not self.budget.used_up and self.budget.left > end:
            excess = self._excess(x)
            over = np.flatnonzero(excess > 0)
            if not len(over):
                break
            row = int(self.random.choice(over))
            taken = np.flatnonzero(x[: program.options])
            there = np.intersect1d(by_row.indices[by_row.indptr[row] : by_row.indptr[row + 1]], taken)
            kind = int(self.random.choice(kinds))
            seed = program.item[self.random.choice(there)] if len(there) else None
            items = neighbourhood(self.core, taken, kind, self.random, seed).items
            x = self._mended(x, items, np.maximum(0, excess), toll, closed)
            toll[over] *= 1.05
        return x

    def _mended(self, x: Ints, items: Ints, excess: Ints, toll: Floats, closed: Bools) -> Ints:
        """``items`` int64 [k] solved again, limits exceeded no further than now and at a price."""
        parts = self.core.parts
        part = parts.part(x, items)
        model = Model(part.program, excess[part.row])
        used = np.flatnonzero(part.goal.coefficients)
        price = {v: max(1, round(FINE * toll[part.row[r]])) for r, v in model.slack_of.items()}
        model.minimise([*used.tolist(), *price], [*(FINE * part.goal.coefficients[used]).tolist(), *price.values()])
        model.forbid(np.flatnonzero(closed[part.option] & (x[part.option] == 0)))
        answer = self._solved(model, 0.3 * PART_S, 0.2 * PART_S)
        return x if answer.x is None else parts.merged(part, x, answer.x)

    # -- parts --------------------------------------------------------------------------------------------

    def solve_part(self, x: Ints, items: Ints, seconds: float, allowed: Bools | None = None) -> Ints:
        """``x`` int64 [column] with ``items`` int64 [k] solved again exactly, all others as they are; see ``part``."""
        parts = self.core.parts
        part = parts.part(x, items, allowed)
        model = Model(part.program, tie=False)
        used = np.flatnonzero(part.goal.coefficients)
        model.minimise(used.tolist(), part.goal.coefficients[used].tolist())
        model.hint(parts.inside(part, x))
        answer = self._solved(model, seconds, 0.5 * PART_S)
        if answer.x is None:
            return x
        merged = parts.merged(part, x, answer.x)
        self.take(merged)
        return merged

    def _solved(self, model: Model, seconds: float, effort: float) -> Answer:
        """One worker's answer to a part."""
        limits = self.budget.limits
        inner = Limits(seconds, seed=int(self.random.integers(2**31)), workers=1, deterministic=limits.deterministic)
        clock = self.budget.clock(seconds)
        answer = model.solve(inner, clock, effort, self.budget.watch, Callback(lambda *_: None))
        self.budget.spend(2 * answer.effort + 0.005)
        return answer
