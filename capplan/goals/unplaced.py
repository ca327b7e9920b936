"""Workloads without a value that are left out: as few as possible, the most important first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from capplan.goals.base import Goal, counted
from capplan.problem import Options, Problem
from capplan.program import Builder, Form


class Unplaced(Goal):
    """One form per priority: a workload of priority 1 outweighs any number of lower ones; blank comes last."""

    summary = "workloads without a value left out, most important first"
    unit = "workloads"

    def forms(self, problem: Problem, options: Options, builder: Builder) -> Sequence[Form]:
        """Number of workloads left out, one form per priority that occurs."""
        table = problem.workloads
        last = np.iinfo(np.int64).max
        priority = np.where(table.given("priority"), table.counts("priority"), last)
        needed = ~problem.optional[options.absent_workload]
        option, of = options.absent_option[needed], priority[options.absent_workload[needed]]
        levels = np.unique(priority[~problem.optional])
        if not len(levels):
            return [Form(counted(options, option))]
        return [Form(counted(options, option[of == level])) for level in levels]
