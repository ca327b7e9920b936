"""Estates of our own, drawn by ``benchmarks.estate``: ``mild-1000x20-s11`` is family, workloads × sites, seed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.assigning import Pairs, assigning, misplaced, no_score, overfull, score
from benchmarks.estate import OPENING_SHARE, Estate, draw
from benchmarks.interface import Compiled, Published, Score
from capplan.units import Ints

SIZES = {
    "mild": ("200x10", "1000x20", "5000x50", "20000x200", "100000x1000"),
    "tight": ("200x10", "1000x20", "5000x50", "20000x200"),
}
REPORTED_SEEDS = (11, 12, 13)
CHUNK = 4096


@dataclass(frozen=True)
class Drawn:
    """An estate as an instance."""

    estate: Estate

    def compile(self) -> Compiled:
        """Sites are places with an opening cost and five resources."""
        estate = self.estate
        return assigning(self._pairs(), len(estate.demand), estate.demand, estate.capacity, estate.opening)

    def _pairs(self) -> Pairs:
        """Workloads with the sites near enough; nobody keeps them but who asked, there may be tens of millions."""
        estate = self.estate
        workloads, near = estate.nearest.shape
        cost = np.empty((workloads, near), dtype=np.int64)
        for first in range(0, workloads, CHUNK):
            cost[first : first + CHUNK] = estate.cost(first, first + CHUNK)
        item = np.repeat(np.arange(workloads, dtype=np.int64), near)
        return Pairs(item, estate.nearest.ravel(), cost.ravel(), item)

    def evaluate(self, assignment: Ints) -> Score:
        """Placing plus opening cost, if all are at sites near enough and none is overfull."""
        estate = self.estate
        if broken := misplaced(assignment, len(estate.demand), len(estate.capacity)):
            return no_score(broken)
        here = estate.nearest == assignment[:, None]
        near = here.any(axis=1)
        broken = "" if near.all() else f"workload {near.argmin()} is at a site that is too far away"
        placing = 0
        for first in range(0, len(here), CHUNK):
            placing += int(estate.cost(first, first + CHUNK)[here[first : first + CHUNK]].sum())
        opening = int(estate.opening[np.unique(assignment)].sum())
        return score(broken or overfull(assignment, estate.demand, estate.capacity), placing + opening)


class Estates:
    """The set; any name of the form draws an instance, listed or not."""

    name = "estate"
    origin = ""

    def instances(self, folder: Path) -> list[str]:
        """The sizes and seeds that are reported."""
        return [f"{family}-{size}-s{seed}" for family in SIZES for size in SIZES[family] for seed in REPORTED_SEEDS]

    def read(self, folder: Path, name: str) -> Drawn:
        """Draw an estate."""
        return Drawn(named(name))

    def published(self, folder: Path, name: str) -> Published:
        """Nothing is published."""
        return Published()


def named(name: str) -> Estate:
    """The estate of a name. Raises ValueError for any other name."""
    found = re.fullmatch(rf"({'|'.join(OPENING_SHARE)})-([1-9]\d*)x([1-9]\d*)-s(\d+)", name)
    if not found:
        raise ValueError(f"{name} is no estate; write family-workloads×sites-seed, such as mild-1000x20-s11")
    return draw(found[1], int(found[2]), int(found[3]), int(found[4]))


SET = Estates()
