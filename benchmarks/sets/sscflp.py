"""Single-source facility location: open facilities, every customer is served wholly by one of them.

Format: ``m n``, m capacities, m opening costs, n demands, n rows of m costs of serving customer j from facility i.
Decimals are taken exactly: quantities and money are each multiplied by the power of ten that makes them whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from benchmarks.assigning import all_pairs, assigning, misplaced, no_score, overfull, score
from benchmarks.files import FolderSet, scaled
from benchmarks.interface import Compiled, Score
from capplan.units import Ints


@dataclass(frozen=True)
class Location:
    """``capacity``, ``opening`` int64 [facility], ``demand`` int64 [customer], ``cost`` int64 [customer, facility].

    Money is multiplied by ``scale``.
    """

    capacity: Ints
    opening: Ints
    demand: Ints
    cost: Ints
    scale: int

    def compile(self) -> Compiled:
        """Facilities are places with an opening cost."""
        customers, facilities = self.cost.shape
        pairs = all_pairs(customers, facilities, self.cost)
        return assigning(pairs, customers, self.demand[:, None], self.capacity[:, None], self.opening, scale=self.scale)

    def evaluate(self, assignment: Ints) -> Score:
        """Serving plus opening cost; a facility is open when it serves somebody."""
        customers, facilities = self.cost.shape
        if broken := misplaced(assignment, customers, facilities):
            return no_score(broken)
        broken = overfull(assignment, self.demand[:, None], self.capacity[:, None])
        serving = int(self.cost[np.arange(customers), assignment].sum())
        return score(broken, serving + int(self.opening[np.unique(assignment)].sum()), self.scale)


def parse(text: str) -> Location:
    """Read an instance."""
    words = text.split()
    facilities, customers = int(words[0]), int(words[1])
    ends = np.cumsum([2, facilities, facilities, customers, customers * facilities]).tolist()
    if len(words) != ends[-1]:
        raise ValueError(f"it has {len(words)} numbers, {ends[-1]} are expected")
    capacity, opening, demand, cost = (words[a:b] for a, b in pairwise(ends))
    quantities, _ = scaled(capacity + demand)
    money, scale = scaled(opening + cost)
    return Location(
        quantities[:facilities],
        money[:facilities],
        quantities[facilities:],
        money[facilities:].reshape(customers, facilities),
        scale,
    )


SET = FolderSet(
    "sscflp",
    (".txt", ".dat"),
    parse,
    "single-source facility location in the layout of Oscar-Oliveira/OR-Datasets, Facility-Location/SSCFLP/formatted",
)
