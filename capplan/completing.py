"""The best purchases for a given allocation: nothing is placed, only what to buy is decided."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from capplan.compile import program_of
from capplan.engine import Limits, Watch, smallest_shortage, solve_exact
from capplan.measure import Measured, measure
from capplan.problem import Plan, Problem
from capplan.program import evaluate


@dataclass(frozen=True)
class Completion:
    """An allocation with the purchases that leave it least short, and among those the best by the model's goals.

    ``proved``: there are no better ones.
    """

    measured: Measured
    proved: bool

    @property
    def bought(self) -> dict[tuple[str, int, int], int]:
        """Decided purchases: steps by (purchase, site, period)."""
        return dict(self.measured.plan.bought)


def complete(
    problem: Problem, plan: Plan, limits: Limits | None = None, watch: Watch | None = None
) -> Completion | None:
    """Decide the purchases of ``plan``, whose own are disregarded; None where the time was not enough to find any.

    What no purchase mends stays as it is: limits that remain exceeded are exceeded as little as possible.
    """
    limits, watch = limits or Limits(), watch or Watch()
    options = plan.options(problem)
    program = program_of(problem, options, ledger=False)
    taken = np.ones(len(options), dtype=np.bool_)
    bare = evaluate(program, taken, np.zeros(len(program.purchases), dtype=np.int64))
    if (bare.used > program.bound).any():
        short = smallest_shortage(program, limits, watch)
        if short.x is None:
            return None
        program = replace(program, bound=program.bound + short.short)
    found = solve_exact(program, limits, watch)
    if found.x is None:
        return None
    proved = all(goal.proved for goal in found.goals)
    return Completion(measure(problem, Plan.of(problem, program, options, found.x)), proved)
