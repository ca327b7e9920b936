"""Workloads that are placed elsewhere than today."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from capplan.goals.base import Goal, counted
from capplan.problem import Options, Problem
from capplan.problem.use import moved
from capplan.program import Builder, Form


class Moves(Goal):
    """A workload with a current site that is placed at another one; leaving out is not a move."""

    summary = "workloads placed elsewhere than at their current site"
    unit = "workloads"

    def forms(self, problem: Problem, options: Options, builder: Builder) -> Sequence[Form]:
        """Number of moves."""
        return [Form(counted(options, options.option[np.flatnonzero(moved(problem, options))]))]
