"""Compiled loops over all options of a Program's columns: priced costs, soft minima, their gradients, the cheapest.

They stand in one file, because compiled code is kept on disk by file and would be stale for a change in another one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from capplan.engine.columns import Columns
from capplan.engine.compiled import compiled
from capplan.units import Bools, Floats, Ints

FAR = 30.0
"""Temperatures above the cheapest beyond which an option has no weight."""


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


@compiled
def paid(columns: Columns, price: Floats, i: int, o: int, cost: float) -> float:
    """``cost`` plus what option ``o`` of item ``i`` pays at ``price`` float [row]."""
    slots = columns.row.shape[1]
    if slots:
        p = columns.place[o]
        if p >= 0:
            for k in range(slots):
                r = columns.row[p, k]
                if r >= 0:
                    cost += price[r] * columns.need[i, k]
    if len(columns.entry) > 0:
        for e in range(columns.at[o], columns.at[o + 1]):
            cost += price[columns.entry_row[e]] * columns.entry[e]
    return cost


@compiled
def use(columns: Columns, used: Floats, share: float, i: int, o: int) -> None:
    """Add what a ``share`` of option ``o`` of item ``i`` uses to ``used`` float [row]."""
    # The way through the rows that ``paid`` goes: with a generator for both an ascent takes 2.3 times as long.
    slots = columns.row.shape[1]
    if slots:
        p = columns.place[o]
        if p >= 0:
            for k in range(slots):
                r = columns.row[p, k]
                if r >= 0:
                    used[r] += share * columns.need[i, k]
    if len(columns.entry) > 0:
        for e in range(columns.at[o], columns.at[o + 1]):
            used[columns.entry_row[e]] += share * columns.entry[e]


@compiled
def paid_by_other(columns: Columns, price: Floats, j: int) -> float:
    """What a fact or purchase costs and pays at ``price`` float [row]."""
    cost = float(columns.other_cost[j])
    for e in range(columns.other_at[j], columns.other_at[j + 1]):
        cost += price[columns.other_row[e]] * columns.other[e]
    return cost


@compiled
def use_by_other(columns: Columns, used: Floats, share: float, j: int) -> None:
    """Add what a ``share`` of all there may be of a fact or purchase uses to ``used`` float [row]."""
    if share > 0:
        for e in range(columns.other_at[j], columns.other_at[j + 1]):
            used[columns.other_row[e]] += share * columns.upper[j] * columns.other[e]


@compiled
def saved_at(cost: float, heat: float) -> float:
    """The soft minimum of 0 and ``cost`` at the temperature ``heat``."""
    away = cost / heat
    if away > FAR:
        return 0.0
    return cost if away < -FAR else -heat * np.log1p(np.exp(-away))


@compiled
def held_at(cost: float, heat: float) -> float:
    """How much of what costs that is to be had at the temperature ``heat``, of 1: the slope of ``saved_at``."""
    away = cost / heat
    if away > FAR:
        return 0.0
    return 1.0 if away < -FAR else 1.0 / (1.0 + np.exp(away))


@compiled
def smooth(columns: Columns, items: Ints, price: Floats, heat: float, gradient: Floats, value: Floats) -> float:
    """Σ over ``items`` of the soft minimum of their options' priced costs; its gradient is added to ``gradient``.

    ``value`` float has room for the options of one item.
    """
    total = 0.0
    for i in items:
        first, end = columns.start[i], columns.start[i + 1]
        least = np.inf
        for o in range(first, end):
            v = paid(columns, price, i, o, float(columns.cost[o]))
            value[o - first] = v
            least = min(least, v)
        weight = 0.0
        for j in range(end - first):
            away = (value[j] - least) / heat
            value[j] = np.exp(-away) if away < FAR else 0.0
            weight += value[j]
        total += least - heat * np.log(weight)
        for o in range(first, end):
            share = value[o - first] / weight
            if share > 0:
                use(columns, gradient, share, i, o)
    return total


@compiled
def smooth_others(columns: Columns, price: Floats, heat: float, gradient: Floats) -> float:
    """Σ of the soft ``upper × min(0, priced cost)`` of facts and purchases; adds to ``gradient``."""
    total = 0.0
    for j in range(len(columns.other_cost)):
        v = columns.upper[j] * paid_by_other(columns, price, j)
        share = held_at(v, heat)
        total += saved_at(v, heat)
        use_by_other(columns, gradient, share, j)
    return total


@compiled
def price_all(columns: Columns, price: Ints, scale: int, value: Ints) -> None:
    """``scale × cost`` plus what each option pays at integer prices. Fills ``value`` int64 [option]."""
    # ``paid`` written out: here it is all there is to do, and as a call takes 2.5 times as long.
    slots, explicit = columns.row.shape[1], len(columns.entry) > 0
    for i in range(len(columns.start) - 1):
        for o in range(columns.start[i], columns.start[i + 1]):
            v = columns.cost[o] * scale
            if slots:
                p = columns.place[o]
                if p >= 0:
                    for k in range(slots):
                        r = columns.row[p, k]
                        if r >= 0:
                            v += price[r] * columns.need[i, k]
            if explicit:
                for e in range(columns.at[o], columns.at[o + 1]):
                    v += price[columns.entry_row[e]] * columns.entry[e]
            value[o] = v


@compiled
def lower(start: Ints, by: Ints, value: Ints) -> None:
    """Take ``by`` int64 [item] from what each of an item's options has as ``value`` int64 [option]."""
    for i in range(len(start) - 1):
        for o in range(start[i], start[i + 1]):
            value[o] -= by[i]


@compiled
def save(columns: Columns, pair: Ints, price: Floats, worth: Floats, heat: float, room: Room) -> None:
    """What options save at ``price`` and ``worth``, and what that comes to at each pair."""
    room.most[:] = -np.inf
    room.weights[:] = 0.0
    for i in range(len(columns.start) - 1):
        for o in range(columns.start[i], columns.start[i + 1]):
            room.saved[o] = worth[i] - paid(columns, price, i, o, float(columns.cost[o]))
            if pair[o] >= 0:
                room.most[pair[o]] = max(room.most[pair[o]], room.saved[o])
    for o in range(len(pair)):
        q = pair[o]
        if q >= 0 and room.most[q] > -FAR * heat:
            away = (room.most[q] - room.saved[o]) / heat
            if away < FAR:
                room.weights[q] += np.exp(-away)


@compiled
def hold(
    columns: Columns, fact: Ints, price: Floats, heat: float, warmth: float, gradient: Floats, room: Room
) -> float:
    """Σ of the soft ``upper × min(0, what is paid for a fact or purchase less what it saves)``.

    Adds to ``gradient`` float [row].
    """
    total, others = 0.0, len(columns.other_cost)
    for j in range(others):
        room.paid[j] = paid_by_other(columns, price, j)
    for q in range(len(fact)):
        if room.most[q] > -FAR * heat:
            # One way to save nothing: to be elsewhere.
            room.weights[q] += np.exp(-room.most[q] / heat)
            room.paid[fact[q]] -= room.most[q] + heat * np.log(room.weights[q])
    for j in range(others):
        paid_in_all = room.paid[j] * columns.upper[j]
        room.held[j] = held_at(paid_in_all, warmth)
        total += saved_at(paid_in_all, warmth)
        use_by_other(columns, gradient, room.held[j], j)
    return total


@compiled
def value_items(
    columns: Columns, pair: Ints, fact: Ints, worth: Floats, heat: float, gradient: Floats, room: Room
) -> float:
    """Σ over items of the soft minimum of their worth and their options without a fact.

    Adds to ``gradient`` float [row].
    """
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
                use(columns, gradient, share, i, o)
    return total


@compiled
def mark_cheapest(start: Ints, value: Floats | Ints, width: int, keep: Bools) -> None:
    """Mark in ``keep`` bool [option] the ``width`` options of each item with the least ``value`` [option]."""
    for i in range(len(start) - 1):
        for _ in range(min(width, start[i + 1] - start[i])):
            least = -1
            for o in range(start[i], start[i + 1]):
                if not keep[o] and (least < 0 or value[o] < value[least]):
                    least = o
            keep[least] = True
