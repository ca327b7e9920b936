"""Branch and bound by HiGHS on what may still be in a better plan, beside the search for plans.

It hears of better plans, and its own plans and bounds are taken over as they come. In deterministic mode both happen
at the same of its steps every time.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from capplan.engine.columns import columns_of, links_of
from capplan.engine.linear import matrix_of
from capplan.engine.linking import linking
from capplan.engine.narrow import narrowed
from capplan.highs import Problem, Search
from capplan.program import LinearGoal, Program
from capplan.units import Bools, Floats, Ints

STEP_S, STEP_S_PER_SQUARE = 3e-3, 1e-10
"""Effort of a step: at least, and for the square of the entries of the matrix. Measured on public problems."""
LARGEST_EXACT = 2**53


class Prover:
    """Looks for a plan that is better than ``best`` int64 [column], if any, among the options ``keep`` bool [option].

    ``elsewhere`` is a lower bound on every plan that takes any other option, None where there is none.
    """

    def __init__(
        self,
        program: Program,
        goal: LinearGoal,
        keep: Bools,
        best: Ints | None,
        seed: int,
        elsewhere: int | None = None,
    ) -> None:
        self._option, self._first, self._goal = np.flatnonzero(keep), program.options, goal
        self._elsewhere = elsewhere
        small, inner = narrowed(program, goal, self._option)
        self._unit = max(1, int(np.gcd.reduce(inner.coefficients)))
        problem = _problem(small, inner, self._unit, None if best is None else self._inner(best), seed)
        self._step_s = STEP_S + STEP_S_PER_SQUARE * len(problem.value) ** 2
        self._search = Search(problem)

    @staticmethod
    def can(goal: LinearGoal) -> bool:
        """Whether the goal can be told without rounding."""
        return int(np.abs(goal.coefficients).max(initial=0)) < LARGEST_EXACT

    @property
    def ended(self) -> bool:
        """Whether nothing more is to be expected."""
        return self._search.ended

    def allow(self, effort: float | None) -> None:
        """Let it go on to so much effort in all, or for ever."""
        self._search.allow(None if effort is None else int(effort / self._step_s))

    def hear(self, effort: float | None, timeout_s: float) -> tuple[list[Ints], int | None]:
        """New plans, int64 [column of the Program], and a new bound of the goal (constant included), if any.

        With ``effort`` waits until so much was done, but no longer than ``timeout_s``.
        """
        found = self._search.hear(None if effort is None else int(effort / self._step_s), timeout_s)
        bound = None
        if found.least is not None:
            bound = found.least * self._unit + self._goal.constant
            if self._elsewhere is not None:
                bound = min(bound, self._elsewhere)
        return [self._outer(x) for x in found.plans], bound

    def tell(self, x: Ints) -> None:
        """Of a better plan, int64 [column of the Program], unless it lies outside."""
        inner = self._inner(x)
        if inner[: len(self._option)].sum() == x[: self._first].sum():
            self._search.tell(inner)

    def end(self) -> None:
        """Stop."""
        self._search.end()

    def _inner(self, x: Ints) -> Floats:
        return np.concatenate([x[: self._first][self._option], x[self._first :]]).astype(np.float64)

    def _outer(self, x: Floats) -> Ints:
        whole = np.rint(x).astype(np.int64)
        wide = np.zeros(self._first + len(x) - len(self._option), dtype=np.int64)
        wide[self._option] = whole[: len(self._option)]
        wide[self._first :] = whole[len(self._option) :]
        return wide


def _problem(program: Program, goal: LinearGoal, unit: int, hint: Floats | None, seed: int) -> Problem:
    """A Program as HiGHS likes it: limits tied to facts, and options to those that cost something."""
    links = links_of(program, goal)
    columns = columns_of(program, goal, links)
    rows = matrix_of(columns, np.arange(program.options))
    # Facts that no limit is tied to have such rows among the columns' own.
    tied = sp.hstack(linking(program, np.flatnonzero(links.wanted_not & ~links.loose), np.zeros(0, dtype=np.int64)))
    matrix = sp.csc_array(sp.vstack([rows, tied]).tocsc())
    matrix.eliminate_zeros()
    ones = np.ones(program.items)
    free = np.full(matrix.shape[0] - program.items, -np.inf)
    low, high = np.concatenate([ones, free]), np.concatenate([ones, columns.bound, np.zeros(tied.shape[0])])
    upper = np.concatenate([np.ones(program.options), columns.upper])
    return Problem.of(matrix, goal.coefficients / unit, upper, (low, high), hint, seed % 2**31)
