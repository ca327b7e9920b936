"""What to open and to buy: a small whole-number problem over facts and purchases, taught by prices.

Prices λ on the limits bound the cost of every plan from below by a *linear* function of its facts and purchases
(Benders 1962; for facility location Fischetti, Ljubić, Sinnl 2016)::

    cost ≥ Σ over items of their cheapest option at λ − Σ λ × bound + Σ over facts and purchases z × their price at λ

The least that all such functions together allow, over whole z, is a bound on every plan, and the z where it is reached
says what to open next. It closes what the linear relaxation cannot: that half of a site costs half of its opening.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from ortools.sat.python import cp_model

from capplan.engine.columns import Columns
from capplan.engine.dual import Bound
from capplan.engine.settled import worth
from capplan.units import Bools, Floats, Ints

UNITS = 16
"""Parts of the goal's unit in which cuts are counted; rounding down keeps them valid."""
LARGEST = 2**50


class Master:
    """Cuts over facts and purchases ``other`` int64 [k]; what the rest of them may save is given away in each cut."""

    def __init__(self, columns: Columns, other: Ints) -> None:
        self.columns, self.other = columns, other
        self.cuts: list[tuple[int, list[int]]] = []

    def learn(self, bound: Bound) -> None:
        """Add the cut that a bound's prices make."""
        price = bound.others
        kept = np.zeros(len(price), dtype=np.bool_)
        kept[self.other] = True
        upper = self.columns.upper.tolist()
        free = sum(min(0, v) * upper[j] for j, v in enumerate(price) if not kept[j])
        every = sum(min(0, v) * upper[j] for j, v in enumerate(price))
        units = max(1, bound.scale // UNITS)
        constant = (bound.total - every + free) // units
        slope = [price[j] // units for j in self.other.tolist()]
        if abs(constant) < LARGEST and all(abs(v) * upper[j] < LARGEST for v, j in zip(slope, self.other, strict=True)):
            self.cuts.append((constant, slope))

    @property
    def only_whether(self) -> bool:
        """Whether nothing is decided but what is to be had at all, not how much of it."""
        return bool((self.columns.upper[self.other] <= 1).all())

    def solve(self, seconds: float, others_than: Sequence[Ints] = ()) -> tuple[Ints, int] | None:
        """The cheapest z int64 [k] by the cuts, and a proven bound in the goal's unit; None where none was found.

        Both of all ``others_than`` some, int64 [k] each, where there is ``only_whether``.
        """
        model = cp_model.CpModel()
        z = [model.new_int_var(0, int(u), "") for u in self.columns.upper[self.other]]
        floor = min(
            constant + sum(min(0, v) * int(u) for v, u in zip(slope, self.columns.upper[self.other], strict=True))
            for constant, slope in self.cuts
        )
        value = model.new_int_var(floor, 4 * LARGEST, "")
        for constant, slope in self.cuts:
            model.add(value >= constant + sum(v * column for v, column in zip(slope, z, strict=True) if v))
        for known in others_than:
            model.add(sum(1 - column if held else column for held, column in zip(known.tolist(), z, strict=True)) >= 1)
        model.minimize(value)
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.max_deterministic_time = seconds
        solver.parameters.max_time_in_seconds = 5 * seconds + 5
        solver.parameters.catch_sigint_signal = False
        status = solver.solve(model)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return None
        proved = int(np.floor(solver.best_objective_bound + 1e-3 - abs(solver.best_objective_bound) * 1e-14))
        return np.array([solver.value(v) for v in z], dtype=np.int64), -(-proved // UNITS)


def structural(columns: Columns, derived: Bools, most: int) -> Ints:
    """Facts and decided purchases that cost something, if there are at most ``most``; else none. int64 [k]."""
    facts = len(columns.upper) - len(derived)
    open_to_choice = np.concatenate([np.ones(facts, dtype=np.bool_), ~derived])
    found = np.flatnonzero(open_to_choice & (columns.other_cost > 0))
    return found if len(found) <= most else np.zeros(0, np.int64)


def dear(columns: Columns, derived: Bools) -> Ints:
    """Facts that cost something, by themselves or because of what has to be bought with them. int64 [k]."""
    facts = len(columns.upper) - len(derived)
    follows = np.concatenate([np.zeros(facts, dtype=np.bool_), derived])
    shape = (len(columns.bound), len(columns.upper))
    others = sp.csc_array((columns.other, columns.other_row, columns.other_at), shape=shape)
    return np.flatnonzero(worth(others, columns.other_cost.astype(np.float64), follows)[:facts] > 0)


def spread(columns: Columns, other: Ints, z: Ints | Floats) -> Floats:
    """Values of all facts and purchases: ``z`` where the master decides, NaN elsewhere. float [other]."""
    fixed = np.full(len(columns.upper), np.nan)
    fixed[other] = z
    return fixed
