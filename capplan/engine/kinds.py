"""Places that are alike, or hold little: as much room, as dear to open, and what goes there costs as much at each.

Items are alike where they need as much and cost as much everywhere. Where few items fit into a place, kinds of one
place each are worth while too: there are few fillings of each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capplan.program import LinearGoal, Program
from capplan.units import Bools, Ints

ENDLESS = 2**62
LARGEST = 2.0**50
"""Sums of costs are exact in floating point up to here."""
LARGEST_TABLE = 20_000_000
"""Items times kinds beyond which nobody looks."""
LEAST_ALIKE = 1.5
"""Places of a kind, on average, that make it worth while."""
FEW, FEW_TABLE = 8, 20_000
"""Items of average size that fill a place, or less, that make it worth while too; items times kinds up to then."""


@dataclass(frozen=True)
class Kinds:
    """Places sorted into kinds, and items into types.

    ``of_place`` int64 [place], -1 for places that nothing may go to; ``count`` int64 [kind]; ``room`` int64 [kind,
    slot]; ``opening`` int64 [kind]; ``of_item`` int64 [item]; ``times`` int64 [type]: how many items are of it;
    ``cost`` int64 [kind, type], where ``may`` bool [kind, type]: beyond the least that an item of the type costs
    anywhere, which is 0; ``need`` int64 [type, slot]. ``constant``: what all items cost at least.
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
    constant: int = 0

    @property
    def alike(self) -> bool:
        """Whether there are several places of a kind, on average."""
        return bool(self.count.sum() >= LEAST_ALIKE * len(self.count))


def kinds_of(program: Program, goal: LinearGoal) -> Kinds | None:
    """The kinds of a Program that consists of places with room and an opening cost; None of any other.

    None too where few places are of a kind and many items fit into one.
    """
    limits = program.limits
    if limits.place is None or limits.rest.nnz or len(program.purchases) or (limits.place < 0).any():
        return None
    row, place = limits.row, np.asarray(limits.place, dtype=np.int64)
    opening = _openings(program, goal, place)
    if opening is None or len(np.unique(row[row >= 0])) < (row >= 0).sum():
        return None
    # Where a slot has no limit at a place, its row is -1.
    room = np.append(program.bound, ENDLESS)[row]
    seen = np.bincount(place, minlength=len(row)) > 0
    same = np.column_stack([room, opening])
    found = _kinds_by(same, program, goal, place, seen)
    if found is None:
        each = np.column_stack([same, np.arange(len(same))])
        found = _kinds_by(each, program, goal, place, seen)
    return found if found is None or found.alike or _held(found) <= FEW else None


def _kinds_by(same: Ints, program: Program, goal: LinearGoal, place: Ints, seen: Bools) -> Kinds | None:
    """Places of which a row of ``same`` is equal as a kind: room, opening cost, and maybe more. int64 [place, k].

    None where items do not cost the same at all of a kind, or tables grow too large. ``seen`` bool [place] are in use.
    """
    key, kind = np.unique(same[seen], axis=0, return_inverse=True)
    if len(key) * program.items > (LARGEST_TABLE if seen.sum() >= LEAST_ALIKE * len(key) else FEW_TABLE):
        return None
    of_place = np.full(len(same), -1, dtype=np.int64)
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
    may = may.reshape(shape)
    # Every item is placed once, so what it costs anywhere is no part of the choice.
    base = least.reshape(shape).min(axis=0)
    cost = np.where(may, least.reshape(shape) - base, 0)
    need = np.asarray(program.limits.need, dtype=np.int64)
    slots = need.shape[1]
    room, opening = key[:, :slots], key[:, slots]
    if (float(cost.max()) + float(opening.max())) * (program.items + seen.sum()) >= LARGEST:
        return None
    table = np.column_stack([need, cost.T, may.T])
    _, first, of_item, times = np.unique(table, axis=0, return_index=True, return_inverse=True, return_counts=True)
    cost, may, constant = cost[:, first], may[:, first], sum(base.tolist())
    return Kinds(of_place, np.bincount(kind), room, opening, of_item, times, cost, may, need[first], constant)


def _held(kinds: Kinds) -> float:
    """How many items of average size fill a place of average room."""
    room = np.average(np.minimum(kinds.room, kinds.times @ kinds.need), axis=0, weights=kinds.count)
    size = np.average(kinds.need, axis=0, weights=kinds.times)
    return float(np.min(room[size > 0] / size[size > 0], initial=np.inf))


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
