"""Capacitated p-median: choose at most p points as medians, assign every point to one, at the least total distance.

Format: number and optimum (not used), ``n p Q``, n lines ``id x y demand``. Distances are Euclidean,
rounded down.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt

import numpy as np

from benchmarks.assigning import all_pairs, assigning, misplaced, no_score, overfull, score
from benchmarks.files import FolderSet, scaled
from benchmarks.interface import Compiled, Score
from capplan.units import Ints


@dataclass(frozen=True)
class Medians:
    """``at`` int64 [point, 2] multiplied by ``scale``, ``demand`` int64 [point]; every median has one ``capacity``."""

    at: Ints
    scale: int
    demand: Ints
    capacity: int
    medians: int

    def compile(self) -> Compiled:
        """Points are items and places at once; p limits the facts "place used", which cost nothing."""
        away = (np.subtract.outer(self.at[:, 0], self.at[:, 0])) ** 2 + np.subtract.outer(*[self.at[:, 1]] * 2) ** 2
        square = away // self.scale**2
        # Roots of squares below 2**52 are exact in floats.
        distance = np.floor(np.sqrt(square)).astype(np.int64)
        points = len(self.demand)
        capacity, opening = np.full((points, 1), self.capacity), np.zeros(points, np.int64)
        pairs = all_pairs(points, points, distance)
        return assigning(pairs, points, self.demand[:, None], capacity, opening, self.medians)

    def evaluate(self, assignment: Ints) -> Score:
        """Total distance, if there are at most p medians and none is overloaded."""
        points = len(self.demand)
        if broken := misplaced(assignment, points, points):
            return no_score(broken)
        broken = overfull(assignment, self.demand[:, None], np.full((points, 1), self.capacity))
        if len(chosen := np.unique(assignment)) > self.medians:
            broken = broken or f"{len(chosen)} medians are used, {self.medians} are allowed"
        place, scale = self.at.tolist(), self.scale**2
        ends = zip(place, (place[median] for median in assignment.tolist()), strict=True)
        return score(broken, sum(isqrt(((a - c) ** 2 + (b - d) ** 2) // scale) for (a, b), (c, d) in ends))


def parse(text: str) -> Medians:
    """Read an instance, but not the optimum in its first line."""
    words = text.split()[2:]
    points, medians, capacity = (int(word) for word in words[:3])
    if len(words) != 3 + 4 * points:
        raise ValueError(f"it has {len(words) + 2} numbers, {5 + 4 * points} are expected")
    at, scale = scaled([word for i in range(points) for word in words[4 + 4 * i : 6 + 4 * i]])
    demand = np.array(words[6::4], dtype=np.int64)
    return Medians(at.reshape(points, 2), scale, demand, capacity, medians)


SET = FolderSet(
    "pmedcap",
    (".txt", ".dat"),
    parse,
    "the OR-Library's capacitated p-median files (rafaelmartinelli/FacilityLocationProblems.jl)",
)
