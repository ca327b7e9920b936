"""The part of a large Program in which plans are looked for: the options that good prices leave attractive."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np

from capplan.engine.dual import Bound
from capplan.engine.ground import Terrain
from capplan.engine.narrow import Parts, dearest, narrowed
from capplan.engine.settled import worth_of
from capplan.program import LinearGoal, Program
from capplan.units import Bools, Floats, Ints


@dataclass(frozen=True)
class Core:
    """Some options of a Program, all facts, purchases and limits; a plan of the core is a plan of the whole.

    ``option`` int64 [k]: their numbers in the whole. ``reduced`` float [k]: what each costs above the cheapest of its
    item at good prices. ``place`` int64 [k]: options with the same number use the same limits. ``price`` float [limit]:
    good prices; ``toll``: the least price of a unit beyond each limit, for a walk. ``typical``: a middling ``reduced``
    above 0. ``first``: options of the whole.
    """

    option: Ints
    parts: Parts
    reduced: Floats
    place: Ints
    price: Floats
    toll: Floats
    typical: float
    first: int

    def __getstate__(self) -> dict[str, object]:
        """Without what is worked out of the rest."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @cached_property
    def terrain(self) -> Terrain:
        """What all walks have in common."""
        return Terrain(self.parts, self.place)

    @cached_property
    def worth(self) -> Floats:
        """What each fact and purchase costs. float [fact + purchase]."""
        return worth_of(self.parts)

    @cached_property
    def fact_price(self) -> Floats:
        """What each fact costs, and what it uses of limits at good prices. float [fact]."""
        first, last = self.parts.program.options, self.parts.program.options + self.parts.program.facts
        used = np.asarray(self.parts.by_column[:, first:last].T @ self.price)
        price: Floats = self.worth[: last - first] + np.maximum(0.0, used)
        return price

    @cached_property
    def owner(self) -> Ints:
        """The dearest fact of each option among those that cost something, -1 where there is none. int64 [option]."""
        return dearest(self.parts.program, np.flatnonzero(self.fact_price > 0), self.fact_price)

    def forget(self) -> None:
        """Let go of what is worked out of the rest, the larger part: for a core that is not walked in any more."""
        for name in ("terrain", "_by_reduced", "owner"):
            vars(self).pop(name, None)

    @cached_property
    def _by_reduced(self) -> Floats:
        return np.sort(self.reduced)

    def reach(self, share: float) -> float:
        """What so many options, for each item on average, have as ``reduced`` at most, beyond one for each."""
        count = min(len(self.option), math.ceil((1 + share) * self.parts.program.items))
        return float(self._by_reduced[count - 1])

    def inner(self, x: Ints) -> Ints:
        """A plan of the whole in the columns of the core."""
        return np.concatenate([x[: self.first][self.option], x[self.first :]])

    def taken(self, x: Ints) -> Bools:
        """The options of the whole that a plan of the core takes. bool [option]."""
        taken = np.zeros(self.first, dtype=np.bool_)
        taken[self.option] = x[: len(self.option)] > 0
        return taken


def core_of(program: Program, goal: LinearGoal, keep: Bools, bound: Bound, price: Floats) -> Core:
    """The core of the options ``keep`` bool [option].

    ``price`` float [row] ≥ 0 are prices of the limits.
    """
    option = np.flatnonzero(keep)
    small, inner_goal = narrowed(program, goal, option)
    # Names are for people, and there are as many as limits: a core is sent to other processes.
    small = replace(small, limit_names=())
    parts = Parts(small, inner_goal)
    place = None if program.limits.place is None else np.asarray(program.limits.place[option], dtype=np.int64)
    reduced = bound.reduced[option] / bound.scale
    typical = float(np.median(reduced[reduced > 0])) if (reduced > 0).any() else 1.0
    return Core(
        option,
        parts,
        reduced,
        _grouped(parts, place),
        price[: len(small.bound)],
        _tolls(parts, price),
        typical,
        program.options,
    )


def _grouped(parts: Parts, place: Ints | None) -> Ints:
    """Places, and beyond these one number for each set of limits that options use. int64 [option]."""
    options = parts.program.options
    found = np.full(options, -1, dtype=np.int64) if place is None else place.copy()
    none = np.flatnonzero(found < 0)
    if len(none):
        used = parts.by_column[:, :options]
        mark = np.random.default_rng(0).integers(2**62, size=len(parts.program.bound))
        sums = np.concatenate([[0], np.cumsum(mark[used.indices], dtype=np.int64)])
        signature = sums[used.indptr[1:]] - sums[used.indptr[:-1]]
        found[none] = found.max(initial=-1) + 1 + np.unique(signature[none], return_inverse=True)[1]
    return found


def _tolls(parts: Parts, price: Floats) -> Floats:
    program = parts.program
    rows = len(program.bound)
    typical = max(1.0, float(np.abs(parts.goal.coefficients[: program.options]).mean()))
    size = np.maximum(1.0, np.abs(program.bound)) * rows / max(1, program.items)
    return np.asarray(1.5 * price[:rows] + 0.02 * typical / np.maximum(1.0, size))
