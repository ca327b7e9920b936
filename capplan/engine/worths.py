"""Prices of limits and worths of items, found together: a bound that knows what using a site at all costs.

Prices λ ≥ 0 of limits and values v of items bound the cost of every plan (``dual.exact_bound`` with ties)::

    Σ v − Σ λ × bound + Σ over facts of min(0, their price − Σ over items of what they save there)
    what an item saves = max(0, v − its cheapest option of that fact)

An item saves what its options cost less than it is worth only where their fact holds, so a site is worth opening only
for what all its items together save (Erlenkotter 1978; for capacities Cornuéjols, Sridharan, Thizy 1991). The linear
relaxation with a row for each item and fact says the same, and needs many of these rows. Here minima and maxima are
smoothed and L-BFGS climbs at lower and lower temperatures, as in ``dual.ascend``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import minimize

from capplan.engine.columns import Columns, Ties
from capplan.engine.dual import HIGHEST, Bound, exact_bound
from capplan.engine.loops import Room, hold, save, value_items
from capplan.units import Floats

SCHEDULE = ((0.02, 150), (0.005, 200), (0.001, 300))
"""Temperature, in what an item costs on average, and most rounds of each leg of the climb."""
EFFORT_AN_OPTION = 2e-8
"""Effort for one look at an option."""


class Worths(NamedTuple):
    """Where a climb ended. ``price`` float [row], ``worth`` float [item], ``held`` float [fact + purchase].

    ``bound`` is what they prove; ``effort`` what the climb took.
    """

    price: Floats
    worth: Floats
    held: Floats
    bound: Bound
    effort: float


class _Look:
    """The smoothed bound at one temperature and its gradient, for x: prices and worths counted in what is typical."""

    def __init__(self, columns: Columns, ties: Ties, sizes: Floats, typical: float) -> None:
        self.columns, self.fact, self.typical = columns, ties.fact.astype(np.int64), typical
        self.pair, self.unit = ties.pair.astype(np.int64), typical / np.maximum(1.0, sizes)
        self.items, self.rows = len(columns.start) - 1, len(columns.bound)
        pairs, others = len(ties.fact), len(columns.other_cost)
        self.room = Room(*(np.zeros(n) for n in (len(columns.cost), pairs, pairs, others, others, self.items)))
        self.a_fact = self.items / max(1, len(np.unique(ties.fact)))
        self.heat, self.looks = 0.0, 0

    def counted(self, price: Floats, worth: Floats) -> Floats:
        """Prices and worths as x."""
        return np.concatenate([price / self.unit, worth / self.typical])

    def meant(self, x: Floats) -> tuple[Floats, Floats]:
        """Prices and worths by x."""
        return x[: self.rows] * self.unit, x[self.rows :] * self.typical

    def __call__(self, x: Floats) -> tuple[float, Floats]:
        """The bound's negative, in what is typical of an item, and its gradient."""
        self.looks += 1
        columns, heat = self.columns, self.heat * self.typical
        price, worth = self.meant(x)
        gradient = -columns.bound.astype(np.float64)
        save(columns, self.pair, price, worth, heat, self.room)
        total = hold(columns, self.fact, price, heat, heat * self.a_fact, gradient, self.room)
        total += value_items(columns, self.pair, self.fact, worth, heat, gradient, self.room)
        total -= float(price @ columns.bound)
        slope = np.concatenate([gradient * self.unit, self.room.rise * self.typical])
        return -total / (self.typical * self.items), -slope / (self.typical * self.items)


def climbed(columns: Columns, ties: Ties, sizes: Floats, spent: Callable[[], bool], start: Bound) -> Worths:
    """Prices and worths that prove more than ``start`` where any do; it is where the climb begins.

    ``sizes`` float [row] is what one unit of each row's price is measured in; ``spent`` ends the climb.
    """
    price, worth = start.price / start.scale, start.least / start.scale
    # Where the prices prove nothing, all that is known of the costs is what facts cost.
    total = abs(start.value) or float(np.maximum(0, columns.other_cost[ties.fact]).max(initial=0))
    look = _Look(columns, ties, sizes, max(1.0, total / max(1, len(worth))))
    bounds = [(0, HIGHEST)] * look.rows + [(None, None)] * look.items
    found, x = Worths(price, worth, np.zeros(len(columns.upper)), start, 0.0), look.counted(price, worth)

    def stop(_: Floats) -> None:
        if spent():
            raise StopIteration

    find: Any = minimize
    for heat, rounds in SCHEDULE:
        look.heat = heat
        options = {"maxiter": rounds, "maxcor": 20, "ftol": 1e-7, "gtol": 1e-9}
        x = find(look, x, jac=True, method="L-BFGS-B", bounds=bounds, callback=stop, options=options).x
        # What is held is to be that of the end.
        look(x)
        price, worth = look.meant(x)
        bound = exact_bound(columns, price, ties, worth)
        if bound.value > found.bound.value:
            found = Worths(price, worth, look.room.held.copy(), bound, 0.0)
        if spent():
            break
    return found._replace(effort=EFFORT_AN_OPTION * len(columns.cost) * look.looks)
