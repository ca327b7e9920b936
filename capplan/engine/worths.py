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
from capplan.engine.compiled import compiled
from capplan.engine.dual import FAR, HIGHEST, Bound, exact_bound
from capplan.units import Floats, Ints

SCHEDULE = ((0.02, 150), (0.005, 200), (0.001, 300))
"""Temperature, in what an item costs on average, and most rounds of each leg of the climb."""
EFFORT_AN_OPTION = 2e-8
"""Effort for one look at an option."""


class Room(NamedTuple):
    """Room for what one look works out: of options, of pairs of an item and a fact, of facts and purchases, of items.

    ``saved`` float [option]: what it costs less than its item is worth; ``most`` float [pair] the most of it there and
    ``weights`` float [pair] the sum of their weights; ``paid`` float [other] what each costs less what it saves;
    ``held`` float [other] how much of it is to be had, of 1; ``rise`` float [item] what the bound gains by its worth.
    """

    saved: Floats
    most: Floats
    weights: Floats
    paid: Floats
    held: Floats
    rise: Floats


class Worths(NamedTuple):
    """Where a climb ended. ``price`` float [row], ``worth`` float [item], ``held`` float [fact + purchase].

    ``bound`` is what they prove; ``effort`` what the climb took.
    """

    price: Floats
    worth: Floats
    held: Floats
    bound: Bound
    effort: float


@compiled
def _save(columns: Columns, pair: Ints, price: Floats, worth: Floats, heat: float, room: Room) -> None:
    """What options save at ``price`` and ``worth``, and what that comes to at each pair."""
    slots, explicit = columns.row.shape[1], len(columns.entry) > 0
    room.most[:] = -np.inf
    room.weights[:] = 0.0
    for i in range(len(columns.start) - 1):
        for o in range(columns.start[i], columns.start[i + 1]):
            cost = float(columns.cost[o])
            if slots:
                p = columns.place[o]
                if p >= 0:
                    for k in range(slots):
                        r = columns.row[p, k]
                        if r >= 0:
                            cost += price[r] * columns.need[i, k]
            if explicit:
                for e in range(columns.at[o], columns.at[o + 1]):
                    cost += price[columns.entry_row[e]] * columns.entry[e]
            room.saved[o] = worth[i] - cost
            if pair[o] >= 0:
                room.most[pair[o]] = max(room.most[pair[o]], room.saved[o])
    for o in range(len(pair)):
        q = pair[o]
        if q >= 0 and room.most[q] > -FAR * heat:
            away = (room.most[q] - room.saved[o]) / heat
            if away < FAR:
                room.weights[q] += np.exp(-away)


@compiled
def _hold(
    columns: Columns, fact: Ints, price: Floats, heat: float, warmth: float, gradient: Floats, room: Room
) -> float:
    """Σ of the soft ``upper × min(0, what is paid for a fact or purchase less what it saves)``.

    Adds to ``gradient`` float [row].
    """
    total, others = 0.0, len(columns.other_cost)
    for j in range(others):
        paid = float(columns.other_cost[j])
        for e in range(columns.other_at[j], columns.other_at[j + 1]):
            paid += price[columns.other_row[e]] * columns.other[e]
        room.paid[j] = paid
    for q in range(len(fact)):
        if room.most[q] > -FAR * heat:
            # One way to save nothing: to be elsewhere.
            room.weights[q] += np.exp(-room.most[q] / heat)
            room.paid[fact[q]] -= room.most[q] + heat * np.log(room.weights[q])
    for j in range(others):
        paid = room.paid[j] * columns.upper[j]
        away = paid / warmth
        if away > FAR:
            room.held[j] = 0.0
            continue
        if away < -FAR:
            room.held[j] = 1.0
            total += paid
        else:
            room.held[j] = 1.0 / (1.0 + np.exp(away))
            total -= warmth * np.log1p(np.exp(-away))
        for e in range(columns.other_at[j], columns.other_at[j + 1]):
            gradient[columns.other_row[e]] += room.held[j] * columns.upper[j] * columns.other[e]
    return total


@compiled
def _value(columns: Columns, pair: Ints, fact: Ints, worth: Floats, heat: float, gradient: Floats, room: Room) -> float:
    """Σ over items of the soft minimum of their worth and their options without a fact.

    Adds to ``gradient`` float [row].
    """
    slots, explicit = columns.row.shape[1], len(columns.entry) > 0
    total = 0.0
    for i in range(len(columns.start) - 1):
        most = 0.0
        for o in range(columns.start[i], columns.start[i + 1]):
            if pair[o] < 0:
                most = max(most, room.saved[o])
        weight = np.exp(-most / heat) if most < FAR * heat else 0.0
        for o in range(columns.start[i], columns.start[i + 1]):
            if pair[o] < 0 and most - room.saved[o] < FAR * heat:
                weight += np.exp((room.saved[o] - most) / heat)
        total += worth[i] - most - heat * np.log(weight)
        room.rise[i] = 1.0
        for o in range(columns.start[i], columns.start[i + 1]):
            q, share = pair[o], 0.0
            if q < 0:
                if most - room.saved[o] < FAR * heat:
                    share = np.exp((room.saved[o] - most) / heat) / weight
            elif room.most[q] > -FAR * heat and room.held[fact[q]] > 0:
                away = (room.most[q] - room.saved[o]) / heat
                if away < FAR:
                    share = room.held[fact[q]] * columns.upper[fact[q]] * np.exp(-away) / room.weights[q]
            if share > 0:
                room.rise[i] -= share
                if slots:
                    p = columns.place[o]
                    if p >= 0:
                        for k in range(slots):
                            r = columns.row[p, k]
                            if r >= 0:
                                gradient[r] += share * columns.need[i, k]
                if explicit:
                    for e in range(columns.at[o], columns.at[o + 1]):
                        gradient[columns.entry_row[e]] += share * columns.entry[e]
    return total


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
        _save(columns, self.pair, price, worth, heat, self.room)
        total = _hold(columns, self.fact, price, heat, heat * self.a_fact, gradient, self.room)
        total += _value(columns, self.pair, self.fact, worth, heat, gradient, self.room)
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

    for heat, rounds in SCHEDULE:
        look.heat = heat
        options = {"maxiter": rounds, "maxcor": 20, "ftol": 1e-7, "gtol": 1e-9}
        find: Any = minimize
        x = find(look, x, jac=True, method="L-BFGS-B", bounds=bounds, callback=stop, options=options).x
        look(x)
        price, worth = look.meant(x)
        bound = exact_bound(columns, price, ties, worth)
        if bound.value > found.bound.value:
            found = Worths(price, worth, look.room.held.copy(), bound, 0.0)
        if spent():
            break
    return found._replace(effort=EFFORT_AN_OPTION * len(columns.cost) * look.looks)
