"""Vector bin packing: items with several sizes into as few equal bins as possible.

Format: D, D capacities, number of lines, per line D sizes and a multiplicity.

The Program has as many bins as first fit decreasing needs: more are never useful. Bins are interchangeable, so items
are numbered in decreasing size and item i may use the bins 0 to i only: any packing can be renamed so, its bins in the
order of their largest items.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.assigning import Pairs, assigning, misplaced, no_score, overfull, score
from benchmarks.files import FolderSet, Numbers, integers
from benchmarks.interface import Compiled, Score
from capplan.units import Ints


@dataclass(frozen=True)
class Packing:
    """``size`` int64 [item, dimension], ``capacity`` int64 [dimension]."""

    size: Ints
    capacity: Ints

    def compile(self) -> Compiled:
        """Bins are places that cost 1 to open."""
        order = self._decreasing()
        bins = int(first_fit(self.size[order], self.capacity).max(initial=-1)) + 1
        items = len(order)
        allowed = np.minimum(np.arange(items) + 1, bins)
        item = np.repeat(np.arange(items), allowed)
        place = (np.arange(len(item)) - np.repeat(np.cumsum(allowed) - allowed, allowed)).astype(np.int32)
        pairs = Pairs(item, place, np.zeros(len(item), np.int64), item)
        capacity = np.tile(self.capacity, (bins, 1))
        compiled = assigning(pairs, items, self.size[order], capacity, np.ones(bins, np.int64))

        def decode(x: Ints) -> Ints:
            found = np.empty(items, dtype=np.int64)
            found[order] = compiled.decode(x)
            return found

        return Compiled(compiled.program, decode)

    def _decreasing(self) -> Ints:
        """Items by the sum of their sizes, each as a share of a bin, the largest first. int64 [item]."""
        share = (self.size / np.maximum(1, self.capacity)).sum(axis=1)
        return np.argsort(-share, kind="stable")

    def evaluate(self, assignment: Ints) -> Score:
        """Number of bins used, if none is overfull."""
        items = len(self.size)
        if broken := misplaced(assignment, items, items):
            return no_score(broken)
        used, bin_of = np.unique(assignment, return_inverse=True)
        return score(overfull(bin_of, self.size, np.tile(self.capacity, (len(used), 1))), len(used))


def first_fit(size: Ints, capacity: Ints) -> Ints:
    """The first bin with room for each item, in the order given. int64 [item]."""
    room = np.tile(capacity, (len(size), 1))
    bin_of = np.empty(len(size), dtype=np.int64)
    for i, mine in enumerate(size):
        fits = (room[: i + 1] >= mine).all(axis=1)
        if not fits.any():
            raise ValueError(f"an item is larger than a bin: {mine.tolist()} against {capacity.tolist()}")
        bin_of[i] = fits.argmax()
        room[bin_of[i]] -= mine
    return bin_of


def parse(text: str) -> Packing:
    """Read an instance; multiplicities are written out in file order."""
    numbers = Numbers(integers(text))
    dimensions = numbers.one()
    capacity = numbers.take(dimensions)
    lines = numbers.one()
    table = numbers.take(lines * (dimensions + 1)).reshape(lines, dimensions + 1)
    numbers.end()
    return Packing(np.repeat(table[:, :-1], table[:, -1], axis=0), capacity)


SET = FolderSet("vbp", (".vbp", ".txt"), parse, "vector bin packing (Vectorpack/experiments_vector_paper)")
