"""Programs in which every item goes to one place with limited room, and their measure.

All sets but one are of this kind. Arrays are filled directly: the largest estates have tens of millions of options.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from benchmarks.interface import Compiled, Score
from capplan.program import LimitName, LinearGoal, Program, Purchases
from capplan.program.coefficients import Coefficients
from capplan.program.sparse import sparse
from capplan.units import LARGEST, Bools, Ints, Numbers

CHUNK = 1 << 22


@dataclass(frozen=True)
class Pairs:
    """Who may go where.

    ``item`` int64 [option] ascending, ``place`` int32 [option], ``cost`` int64 [option]; ``need`` int64 [option]: the
    row of the table of demands that an option uses up (its item, unless demand depends on the place).
    """

    item: Ints
    place: npt.NDArray[np.int32]
    cost: Ints
    need: Ints

    def only(self, kept: Bools) -> Pairs:
        """Some of them."""
        if kept.all():
            return self
        item = self.item[kept]
        need = item if self.need is self.item else self.need[kept]
        return Pairs(item, self.place[kept], self.cost[kept], need)

    def fitting(self, demand: Ints, capacity: Ints) -> Bools:
        """Options that fit into their place when it is empty. bool [option]."""
        fits = np.ones(len(self.item), dtype=np.bool_)
        for first in range(0, len(fits), CHUNK):
            part = slice(first, first + CHUNK)
            for r in range(demand.shape[1]):
                fits[part] &= demand[self.need[part], r] <= capacity[self.place[part], r]
        return fits


def all_pairs(items: int, places: int, cost: Ints | None = None) -> Pairs:
    """Every item with every place; ``cost`` int64 [item, place], 0 if there is none."""
    item = np.repeat(np.arange(items, dtype=np.int64), places)
    place = np.tile(np.arange(places, dtype=np.int32), items)
    return Pairs(item, place, np.zeros(len(item), np.int64) if cost is None else cost.ravel(), item)


def assigning(
    pairs: Pairs,
    items: int,
    demand: Ints,
    capacity: Ints,
    opening: Ints | None = None,
    most_open: int | None = None,
    scale: int = 1,
) -> Compiled:
    """The Program; options that do not fit into an empty place are left out, for every solver alike.

    ``demand`` int64 [need, resource], ``capacity`` int64 [place, resource], ``opening`` int64 [place]: cost of using a
    place at all, a fact in the Program; ``most_open`` limits how many places are used; costs are in 1 ÷ ``scale`` of
    what is published. Limits are the places' resources in order of [place, resource].
    """
    pairs = pairs.only(pairs.fitting(demand, capacity))
    order, start = _by_place(pairs.place, len(capacity))
    used = np.flatnonzero(np.diff(start)) if opening is not None else np.zeros(0, dtype=np.int64)
    facts = _facts(order, start, used)
    coefficients = pairs.cost if opening is None else np.concatenate([pairs.cost, opening[used]])
    pairs = replace(pairs, cost=coefficients[: len(pairs.cost)])
    columns = len(coefficients)
    by_item = pairs.need is pairs.item
    rows = capacity.size
    rest: Any = sp.csr_array((rows, columns), dtype=np.int64)
    if not by_item:
        rest = _capacity_rows(pairs, order, start, demand, columns)
    bound, names = capacity.ravel().copy(), _names(capacity)
    if most_open is not None:
        rest, bound = _with_most_open(rest, len(pairs.item)), np.append(bound, most_open)
        names.append(LimitName("most_open", "places used", -1, "", Fraction(1)))
    _refuse_large(demand, items, coefficients)
    item = pairs.item.astype(np.int32)
    row = np.arange(rows, dtype=np.int32).reshape(capacity.shape)
    limits = Coefficients(rest, item, pairs.place if by_item else None, row, demand)
    if not by_item:
        limits = replace(limits, row=row[:0], need=demand[:0])
    none = np.zeros(0, dtype=np.int64)
    program = Program(
        item=item,
        items=items,
        any_of=facts,
        purchases=Purchases((), none, np.zeros(0, dtype=np.bool_)),
        limits=limits,
        bound=bound,
        limit_names=tuple(names),
        goals=(LinearGoal("cost", coefficients, 0, Fraction(1, scale)),),
        make_ties=lambda: sparse(none, none, none, (0, columns)),
        tie_base=none,
    )
    return Compiled(program, _decoder(item, pairs.place, items))


def _names(capacity: Ints) -> list[LimitName]:
    """Names of the capacity rows, in their order."""
    places, resources = capacity.shape
    return [
        LimitName("capacity", f"place {p} resource {r}", -1, "", Fraction(1))
        for p in range(places)
        for r in range(resources)
    ]


def _with_most_open(limits: sp.csr_array, options: int) -> sp.csr_array:
    """The limits and one more row: the number of facts that hold."""
    row: Any = sp.csr_array((np.arange(limits.shape[1]) >= options).astype(np.int64)[None])
    return sp.csr_array(sp.vstack([limits, row], format="csr"))


def _by_place(place: npt.NDArray[np.int32], places: int) -> tuple[npt.NDArray[np.int32], Ints]:
    """Options sorted by place, and where each place begins. int32 [option], int64 [place + 1]."""
    key = place.astype(np.uint16) if places < 1 << 16 else place  # narrow keys are sorted by radix
    order = np.argsort(key, kind="stable").astype(np.int32)
    start = np.zeros(places + 1, dtype=np.int64)
    np.cumsum(np.bincount(place, minlength=places), out=start[1:])
    return order, start


def _facts(order: npt.NDArray[np.int32], start: Ints, used: Ints) -> sp.csr_array:
    """Fact "any option of this place is taken" for each of ``used``, the places with options. bool [fact, option]."""
    if not len(used):
        return sp.csr_array((0, len(order)), dtype=np.bool_)
    ends = _narrow(np.append(start[used], len(order)))
    return sp.csr_array((np.ones(len(order), np.bool_), order, ends), shape=(len(used), len(order)))


def _capacity_rows(pairs: Pairs, order: npt.NDArray[np.int32], start: Ints, demand: Ints, columns: int) -> sp.csr_array:
    """Use of every resource of every place. int64 [place × resource, column]."""
    places, resources = len(start) - 1, demand.shape[1]
    index = np.empty(len(order) * resources, dtype=np.int32)
    value = np.empty(len(index), dtype=np.int64)
    for p in range(places):
        mine = order[start[p] : start[p + 1]]
        part = slice(start[p] * resources, start[p + 1] * resources)
        index[part] = np.tile(mine, resources)
        value[part] = demand[pairs.need[mine]].T.ravel()
    ends = np.cumsum(np.append(0, np.repeat(np.diff(start), resources)))
    rows: Any = sp.csr_array((value, index, _narrow(ends)), shape=(places * resources, columns))
    rows.eliminate_zeros()
    return rows  # type: ignore[no-any-return]  # the stubs know only floats in this constructor


def _narrow(ends: Ints) -> npt.NDArray[np.integer[Any]]:
    """Row ends in 32 bits where they fit: a sparse matrix keeps all its indices as wide as these."""
    return ends.astype(np.int32) if ends[-1] < 2**31 else ends


def _refuse_large(demand: Ints, items: int, coefficients: Ints) -> None:
    """Raise OverflowError where a sum, were all its terms as large as the largest, could leave 64-bit integers."""
    largest = max(int(coefficients.max(initial=0)), -int(coefficients.min(initial=0)))
    if max(int(demand.max(initial=0)) * items, largest * len(coefficients)) >= LARGEST:
        raise OverflowError("a sum of this instance is more than 64-bit integers hold")


def _decoder(item: Numbers, place: npt.NDArray[np.int32], items: int) -> Callable[[Ints], Ints]:
    def decode(x: Ints) -> Ints:
        taken = np.flatnonzero(x[: len(item)] > 0)
        found = np.full(items, -1, dtype=np.int64)
        found[item[taken]] = place[taken]
        return found

    return decode


def misplaced(assignment: Ints, items: int, places: int) -> str:
    """What is wrong with the form of an assignment, or nothing."""
    if len(assignment) != items:
        return f"{len(assignment)} items are assigned, there are {items}"
    bad = np.flatnonzero((assignment < 0) | (assignment >= places))
    return f"item {bad[0]} is at {assignment[bad[0]]}, there are {places} places" if len(bad) else ""


def overfull(assignment: Ints, demand: Ints, capacity: Ints) -> str:
    """The first place that holds too much, or nothing. ``demand`` int64 [item, resource], ``capacity`` [place, ..]."""
    load = np.zeros_like(capacity)
    np.add.at(load, assignment, demand)
    over = np.argwhere(load > capacity)
    if not len(over):
        return ""
    place, resource = over[0].tolist()
    held, room = load[place, resource], capacity[place, resource]
    return f"place {place} holds {held} of resource {resource}, its capacity is {room}"


def score(broken: str, value: int, scale: int = 1) -> Score:
    """A score; ``broken`` is empty where all is well."""
    return Score(not broken, Fraction(value, scale), broken)


def no_score(broken: str) -> Score:
    """The score of what is no assignment at all."""
    return Score(False, Fraction(0), broken)
