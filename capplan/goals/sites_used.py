"""Number of sites at which anything runs at any time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from capplan.goals.base import Goal
from capplan.problem import Options, Problem
from capplan.problem.use import site_ever_used
from capplan.program import Builder, Form


class SitesUsed(Goal):
    """Sites with an active workload in some period."""

    summary = "sites in use"
    unit = "sites"

    def forms(self, problem: Problem, options: Options, builder: Builder) -> Sequence[Form]:
        """Number of sites."""
        facts = site_ever_used(problem, options, builder)
        # Two sites may share one fact when the same options use both.
        count: dict[int, int] = {}
        for fact in facts[facts >= 0].tolist():
            count[fact] = count.get(fact, 0) + 1
        return [Form(np.zeros(len(options), dtype=np.int64), facts=count)]
