"""Generalised assignment: every job to one agent, cost and weight depend on the pair, agents have a capacity.

Format: ``m n``, m × n costs, m × n weights (a row for each agent), m capacities; minimisation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from benchmarks.assigning import all_pairs, assigning, misplaced, no_score, overfull, score
from benchmarks.files import FolderSet, Numbers, integers
from benchmarks.interface import Compiled, Score
from capplan.units import Ints


@dataclass(frozen=True)
class Assignment:
    """``cost``, ``weight`` int64 [agent, job], ``capacity`` int64 [agent]."""

    cost: Ints
    weight: Ints
    capacity: Ints

    def compile(self) -> Compiled:
        """Agents are places; the demand of a pair is its weight."""
        agents, jobs = self.cost.shape
        pairs = all_pairs(jobs, agents, self.cost.T)
        pairs = replace(pairs, need=np.arange(len(pairs.item)))
        return assigning(pairs, jobs, self.weight.T.reshape(-1, 1), self.capacity[:, None])

    def evaluate(self, assignment: Ints) -> Score:
        """Total cost, if no agent is overloaded."""
        agents, jobs = self.cost.shape
        if broken := misplaced(assignment, jobs, agents):
            return no_score(broken)
        job = np.arange(jobs)
        weight = self.weight[assignment, job][:, None]
        broken = overfull(assignment, weight, self.capacity[:, None])
        return score(broken, int(self.cost[assignment, job].sum()))


def parse(text: str) -> Assignment:
    """Read an instance."""
    numbers = Numbers(integers(text))
    agents, jobs = numbers.take(2).tolist()
    cost = numbers.take(agents * jobs).reshape(agents, jobs)
    weight = numbers.take(agents * jobs).reshape(agents, jobs)
    capacity = numbers.take(agents)
    numbers.end()
    return Assignment(cost, weight, capacity)


SET = FolderSet(
    "gap",
    (".txt", ".dat"),
    parse,
    "generalized assignment problems in the layout of fontanf/generalizedassignmentsolver",
)
