"""Places that are alike: as much room, as dear to open, and what goes there costs as much at each.

Items are alike where they need as much and cost as much everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capplan.program import LinearGoal, Program
from capplan.units import Bools, Ints

ENDLESS = 2**62
LARGEST_TABLE = 20_000_000
"""Items times kinds beyond which nobody looks."""
LEAST_ALIKE = 1.5
"""Places of a kind, on average, that make it worth while."""


@dataclass(frozen=True)
class Kinds:
    """Places sorted into kinds, and items into types.

    ``of_place`` int64 [place], -1 for places that nothing may go to; ``count`` int64 [kind]; ``room`` int64 [kind,
    slot]; ``opening`` int64 [kind]; ``of_item`` int64 [item]; ``times`` int64 [type]: how many items are of it;
    ``cost`` int64 [kind, type], where ``may`` bool [kind, type]; ``need`` int64 [type, slot].
    """

    of_place: Ints
    count: Ints
    room: Ints
    opening: Ints
    of_item: Ints
    times: Ints
    cost: Ints
    may: Bools
    need: Ints


def kinds_of(program: Program, goal: LinearGoal) -> Kinds | None:
    """The kinds of a Program that consists of places with room and an opening cost; None of any other.

    None too where few places are of a kind.
    """
    limits = program.limits
    if limits.place is None or limits.rest.nnz or len(program.purchases) or (limits.place < 0).any():
        return None
    row, place = limits.row, np.asarray(limits.place, dtype=np.int64)
    opening = _openings(program, goal, place)
    if opening is None or len(np.unique(row[row >= 0])) < (row >= 0).sum():
        return None
    room = np.where(row >= 0, program.bound[row], ENDLESS)
    seen = np.bincount(place, minlength=len(row)) > 0
    key, kind = np.unique(np.column_stack([room, opening])[seen], axis=0, return_inverse=True)
    if seen.sum() < LEAST_ALIKE * len(key) or len(key) * program.items > LARGEST_TABLE:
        return None
    of_place = np.full(len(row), -1, dtype=np.int64)
    of_place[seen] = kind
    cell = of_place[place] * program.items + program.item
    least = np.full(len(key) * program.items, ENDLESS)
    most = np.full(len(key) * program.items, -ENDLESS)
    np.minimum.at(least, cell, goal.coefficients[: program.options])
    np.maximum.at(most, cell, goal.coefficients[: program.options])
    may = most > -ENDLESS
    if (least[may] != most[may]).any():
        return None
    shape = (len(key), program.items)
    cost = np.where(may, least, 0).reshape(shape)
    need = np.asarray(limits.need, dtype=np.int64)
    same = np.column_stack([need, cost.T, may.reshape(shape).T])
    _, first, of_item, times = np.unique(same, axis=0, return_index=True, return_inverse=True, return_counts=True)
    may = may.reshape(shape)[:, first]
    return Kinds(of_place, np.bincount(kind), key[:, :-1], key[:, -1], of_item, times, cost[:, first], may, need[first])


def _openings(program: Program, goal: LinearGoal, place: Ints) -> Ints | None:
    """What each place costs to open; None if a fact that costs something is not one place's. int64 [place]."""
    first = program.options
    price = goal.coefficients[first : first + program.facts]
    found = np.zeros(len(program.limits.row), dtype=np.int64)
    options = np.bincount(place, minlength=len(found))
    for fact in np.flatnonzero(price).tolist():
        at = place[program.any_of.indices[program.any_of.indptr[fact] : program.any_of.indptr[fact + 1]]]
        if price[fact] < 0 or not len(at) or (at != at[0]).any() or len(at) < options[at[0]]:
            return None
        found[at[0]] += price[fact]
    return found
