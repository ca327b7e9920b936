"""Lower bounds from prices: what every choice costs at least when limits are paid for instead of kept.

For prices λ ≥ 0 on the rows, no plan costs less than::

    L(λ) = Σ over items of the cheapest option at those prices + Σ over facts and purchases of upper × min(0, their
    price) − Σ λ × bound

(Lagrangian relaxation; Geoffrion 1974). Any prices give a valid bound; ``exact_bound`` evaluates it in integers.
With values v of the items, what an option costs less than its item's is charged to the fact that it needs instead:
it is saved only where the fact holds (the strong formulation of facility location; Erlenkotter 1978).
``ascend`` looks for good prices: the minima are smoothed (soft minimum of temperature t) and L-BFGS climbs, at lower
and lower temperatures (the smoothed dual of entropic relaxation).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.optimize import minimize

from capplan.engine.columns import Columns, Ties
from capplan.engine.loops import FAR, lower, mark_cheapest, price_all, smooth, smooth_others
from capplan.units import Bools, Ints

Floats = npt.NDArray[np.float64]
Schedule = tuple[tuple[float, int], ...]

HIGHEST = 1e6
"""Mean costs for one unit beyond which no price climbs."""

FACT_MOST = 2**50
"""The most that a fact that does not pay is counted as, so that the sum of many fits into 64 bits."""
HASTE = 3
"""How many times fewer rounds a sample gets: its prices are good for a first plan only."""
SCHEDULE = ((0.02, 100), (0.002, 200))
"""Temperature in mean costs, and most rounds, of each leg of the climb."""
NEAR, FINER = 8, ((0.002, 200), (0.0005, 200), (0.0001, 300))
"""Options of each item, cheapest first, among which prices are refined where items have more, and the legs of that."""
FINELY = ((2e-6, 100),)
"""The same where prices are to be refined, in what an item costs and pays on average."""


@dataclass(frozen=True)
class Bound:
    """A valid lower bound and the prices that prove it.

    ``value`` counts in the goal's unit without its constant; ``price`` int64 [row] are prices × ``scale``.
    ``reduced`` int64 [option]: how much, × ``scale``, an option costs above the cheapest of its item at those prices;
    any plan that takes it costs at least (total + reduced) ÷ scale, where ``total`` is the exact bound × ``scale``.
    ``others``: what each fact and purchase costs at those prices, × ``scale``; ``least`` int64 [item]: the cheapest
    option of each.
    """

    value: int
    price: Ints
    scale: int
    total: int
    reduced: Ints
    others: list[int]
    least: Ints

    def least_with(self, any_of: sp.csr_array) -> Ints:
        """A lower bound on every plan that takes an option, rounded down. int64 [option].

        ``any_of`` bool sparse [fact, option]: an option brings its facts, also those that do not pay.
        """
        least: Ints = self.reduced // self.scale
        # In place: there may be tens of millions.
        least += self.total // self.scale
        for fact, cost in enumerate(self.others[: any_of.shape[0]]):
            if cost > 0:
                brought = any_of.indices[any_of.indptr[fact] : any_of.indptr[fact + 1]]
                least[brought] += min(cost // self.scale, FACT_MOST)
        return least


def exact_bound(columns: Columns, price: Floats, ties: Ties | None = None, worth: Floats | None = None) -> Bound:
    """The bound that ``price`` float [row] proves, in integers: prices are first rounded to parts of a power of two.

    With ``ties`` and ``worth`` float [item], options cheaper than that are charged to their facts.
    """
    price = np.minimum(np.maximum(0.0, np.nan_to_num(price)), 2.0**60)
    peak = _peak(columns, price)
    # Without any plan prices climb for ever; lower ones are as valid.
    price *= min(1.0, 2.0**60 / peak)
    scale = int(2 ** np.clip(np.floor(61 - np.log2(_peak(columns, price))), 0, 30))
    # The peak knows nothing of rows that no option uses: facts and purchases pay for them, in Python's integers.
    whole = np.rint(np.minimum(price * scale, 2.0**61)).astype(np.int64)
    value = np.empty(len(columns.cost), dtype=np.int64)
    price_all(columns, whole, scale, value)
    others = priced_others(columns, whole, scale)
    if ties is not None and worth is not None and len(ties.fact):
        for fact, given in enumerate(_charged(columns, ties, value, worth, scale).tolist()):
            others[fact] -= given
    least = np.minimum.reduceat(value, columns.start[:-1]) if len(value) else np.zeros(0, np.int64)
    total = int(least.sum()) - sum(p * b for p, b in zip(whole.tolist(), columns.bound.tolist(), strict=True) if p)
    total += sum(min(0, v) * upper for v, upper in zip(others, columns.upper.tolist(), strict=True))
    lower(columns.start, least, value)
    return Bound(-(-total // scale), whole, scale, total, value, others, least)


def _charged(columns: Columns, ties: Ties, value: Ints, worth: Floats, scale: int) -> Ints:
    """Raise options with a fact to what their item is worth; returns what each fact gives for it. int64 [fact].

    An item takes one option only, so that a fact gives for it what its cheapest there saves.
    """
    highest = 2**61 // max(1, len(worth))
    most = np.clip(np.nan_to_num(worth) * float(scale), -highest, highest).astype(np.int64)
    lift = np.maximum(0, np.repeat(most, np.diff(columns.start)) - value)
    lift[ties.pair < 0] = 0
    value += lift
    saved = np.zeros(len(ties.fact), dtype=np.int64)
    np.maximum.at(saved, ties.pair[ties.pair >= 0], lift[ties.pair >= 0])
    given = np.zeros(int(ties.fact.max()) + 1, dtype=np.int64)
    np.add.at(given, ties.fact, saved)
    return given


def _peak(columns: Columns, price: Floats) -> float:
    """What no sum over the options of all items, costs and payments alike, exceeds."""
    largest = np.zeros(len(columns.bound))
    if len(columns.entry):
        np.maximum.at(largest, columns.entry_row, np.abs(columns.entry).astype(np.float64))
    if columns.row.size:
        need = np.abs(columns.need).max(axis=0, initial=0).astype(np.float64)
        for k in range(columns.row.shape[1]):
            used = columns.row[:, k][columns.row[:, k] >= 0]
            largest[used] = np.maximum(largest[used], need[k])
    # An option pays for every row at most once.
    peak = float(np.abs(columns.cost).max(initial=0)) + float(price @ largest)
    return max(1.0, peak * max(1, len(columns.start)))


def priced_others(columns: Columns, price: Ints, scale: int) -> list[int]:
    """``scale`` × cost of every fact and purchase plus what it pays at ``price`` int64 [row], in Python's integers."""
    row, entry, at = columns.other_row.tolist(), columns.other.tolist(), columns.other_at.tolist()
    paid = price.tolist()
    return [
        cost * scale + sum(paid[row[e]] * entry[e] for e in range(at[j], at[j + 1]))
        for j, cost in enumerate(columns.other_cost.tolist())
    ]


def held(columns: Columns, bound: Bound, warmth: float) -> Floats:
    """How much of each fact and purchase is to be had at the prices of ``bound``, of 1: half where that just pays.

    ``warmth``: the temperature, in mean costs. float [fact + purchase].
    """
    paid = np.array(bound.others, dtype=np.float64) / bound.scale
    away = np.clip(paid * columns.upper / (warmth * _mean_cost(columns)), -FAR, FAR)
    return np.asarray(1.0 / (1.0 + np.exp(away)))


def purchase_prices(columns: Columns, facts: int) -> Floats:
    """Prices of limits that purchases, those behind ``facts``, widen: what a unit of that costs, or 0. float [row].

    One says which for each slot and for all other rows together, where it bounds more. Where most of a resource is used
    up to its level everywhere, this is close to the best.
    """
    owner = np.repeat(np.arange(len(columns.other_cost)), np.diff(columns.other_at))
    cost, gives = columns.other_cost[owner], -columns.other
    some = (gives > 0) & (cost > 0) & (owner >= facts)
    full = np.full(len(columns.bound), np.inf)
    np.minimum.at(full, columns.other_row[some], cost[some] / gives[some])
    full[np.isinf(full)] = 0.0
    price = np.zeros(len(full))
    if not full.any():
        return price
    group = np.full(len(full) + 1, columns.row.shape[1])
    for k in range(columns.row.shape[1]):
        group[columns.row[:, k]] = k
    bound = exact_bound(columns, price).value
    for k in [None, *np.unique(group[:-1][full > 0]).tolist()]:
        other = full if k is None else np.where(group[:-1] != k, price, np.where(price > 0, 0.0, full))
        if (value := exact_bound(columns, other).value) > bound:
            price, bound = other, value
    return price


def ascend(
    columns: Columns,
    sizes: Floats,
    spent: Callable[[], bool],
    start: Floats | None = None,
    sample: Ints | None = None,
) -> Floats:
    """Good prices. ``sizes`` float [row] is what one unit of each row's price is measured in; ``spent`` ends the climb.

    It begins at the prices ``start`` float [row], else at none. With ``sample`` int64 [k] these items stand for all.
    Returns float [row].
    """
    return _climbed(columns, sizes, spent, start, sample, _mean_cost(columns), SCHEDULE)


def sifted(
    columns: Columns, sizes: Floats, spent: Callable[[], bool], start: Floats, bound: Bound
) -> tuple[Floats, int]:
    """Prices ``start`` float [row], which prove ``bound``, made better; for items with many options. See ``ascend``.

    Only those near the cheapest are looked at; between climbs those that would be cheaper come to them. Returns the
    best prices, float [row], and how many options were looked at in all.
    """
    near, best, price, seen = cheapest(columns.start, bound.reduced, NEAR), start, start, 0
    value = bound.value
    for leg in FINER:
        option = np.flatnonzero(near)
        seen += len(option)
        price = _climbed(columns.among(option), sizes, spent, price, None, _mean_cost(columns), (leg,))
        bound = exact_bound(columns, price)
        if bound.value > value:
            best, value = price, bound.value
        if spent():
            break
        near |= cheapest(columns.start, bound.reduced, NEAR)
    return best, seen


def refined(columns: Columns, sizes: Floats, spent: Callable[[], bool], start: Floats) -> Floats:
    """The prices ``start`` float [row] made a little better; see ``ascend``, which would leave them first."""
    typical, used = _mean_cost(columns), np.zeros(len(columns.bound))
    items = len(columns.start) - 1
    smooth(columns, np.arange(items), start, typical, used, _room(columns))
    # What an item pays counts: where room is bought, its options may cost next to nothing.
    typical += float(start @ used) / max(1, items)
    return _climbed(columns, sizes, spent, start, None, typical, FINELY)


def _mean_cost(columns: Columns) -> float:
    return max(1.0, float(np.abs(columns.cost).mean()) if len(columns.cost) else 1.0)


def _room(columns: Columns) -> Floats:
    """Room for the options of one item."""
    return np.empty(int(np.diff(columns.start).max(initial=1)))


def _climbed(
    columns: Columns,
    sizes: Floats,
    spent: Callable[[], bool],
    start: Floats | None,
    sample: Ints | None,
    typical: float,
    schedule: Schedule,
) -> Floats:
    """Prices by ascent, temperatures of ``schedule`` in what is ``typical``; the rest as in ``ascend``."""
    items = len(columns.start) - 1
    if not len(columns.bound):
        return np.zeros(0)
    sample = np.arange(items) if sample is None else sample
    stands_for = items / max(1, len(sample))
    patience = 1 if stands_for == 1 else HASTE
    rows, room = len(columns.bound), _room(columns)
    unit = 1.0 / np.maximum(1.0, sizes)
    # Prices are counted in shares of what is typical, so that one step means the same on every row.
    x = np.zeros(rows) if start is None else start / (unit * typical)
    for heat, rounds in schedule:

        def value(x: Floats, heat: float = heat) -> tuple[float, Floats]:
            price = x * unit * typical
            gradient = np.zeros(rows)
            total = stands_for * smooth(columns, sample, price, heat * typical, gradient, room)
            gradient *= stands_for
            total += smooth_others(columns, price, heat * typical, gradient)
            total -= float(price @ columns.bound)
            gradient -= columns.bound
            weight = 1.0 / (typical * items)
            return -total * weight, -gradient * unit * typical * weight

        def stop(_: Floats) -> None:
            if spent():
                raise StopIteration

        find: Any = minimize
        found = find(
            value,
            x,
            jac=True,
            method="L-BFGS-B",
            bounds=[(0, HIGHEST)] * rows,
            callback=stop,
            options={"maxiter": rounds // patience, "maxcor": 20, "ftol": 1e-9, "gtol": 1e-9},
        )
        x = found.x
        if spent():
            break
    return x * unit * typical


def cheapest(start: Ints, value: Floats | Ints, width: int) -> Bools:
    """The ``width`` options of each item with the least ``value`` [option], the first of equal ones. bool [option]."""
    keep = np.zeros(len(value), dtype=np.bool_)
    mark_cheapest(start, value, width, keep)
    return keep
