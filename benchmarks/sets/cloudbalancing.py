"""Cloud balancing: processes on computers of different size and price, at the least cost of computers in use.

Format: JSON with ``computerList`` and ``processList``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.assigning import all_pairs, assigning, misplaced, no_score, overfull, score
from benchmarks.files import FolderSet
from benchmarks.interface import Compiled, Score
from capplan.units import Ints

CAPACITIES = ("cpuPower", "memory", "networkBandwidth")
DEMANDS = ("requiredCpuPower", "requiredMemory", "requiredNetworkBandwidth")


@dataclass(frozen=True)
class Cloud:
    """``demand`` int64 [process, 3], ``capacity`` int64 [computer, 3], ``price`` int64 [computer]."""

    demand: Ints
    capacity: Ints
    price: Ints

    def compile(self) -> Compiled:
        """Computers are places with an opening cost."""
        processes, computers = len(self.demand), len(self.capacity)
        return assigning(all_pairs(processes, computers), processes, self.demand, self.capacity, self.price)

    def evaluate(self, assignment: Ints) -> Score:
        """Cost of the computers in use, if none is overloaded."""
        if broken := misplaced(assignment, len(self.demand), len(self.capacity)):
            return no_score(broken)
        broken = overfull(assignment, self.demand, self.capacity)
        return score(broken, int(self.price[np.unique(assignment)].sum()))


def _table(rows: Sequence[Mapping[str, object]], keys: tuple[str, ...]) -> Ints:
    """Some keys of all rows. int64 [row, key]."""
    table = np.array([[row[key] for key in keys] for row in rows])
    if table.dtype.kind != "i":
        raise ValueError(f"{', '.join(keys)} must be whole numbers")
    return table.astype(np.int64)


def parse(text: str) -> Cloud:
    """Read an instance."""
    found = json.loads(text)
    computers = found["computerList"]
    price = _table(computers, ("cost",))[:, 0]
    return Cloud(_table(found["processList"], DEMANDS), _table(computers, CAPACITIES), price)


SET = FolderSet(
    "cloudbalancing", (".json",), parse, "cloud balancing (apache/incubator-kie-optaplanner, cloudbalancing)"
)
