"""The largest used ÷ physical capacity over sites, periods and finite resources."""

from __future__ import annotations

import numpy as np

from capplan.goals.base import Goal
from capplan.problem import Options, Problem
from capplan.problem.use import uses
from capplan.program import Builder, WorstGoal
from capplan.program.sparse import sparse
from capplan.units import UNLIMITED, Ints


class WorstUtilisation(Goal):
    """Bought capacity does not count, nor does a site that offers none of a resource."""

    summary = "largest used ÷ physical capacity over site, period and resource"
    unit = "share"
    linear = False

    def worst(self, problem: Problem, options: Options, builder: Builder) -> WorstGoal:
        """One ratio per site, finite resource and period."""
        capacity = problem.inventory.capacity
        row_of = _rows(problem)
        rows, columns, values = [], [], []
        for r, row, period, steps in uses(problem, options):
            at = row_of[options.site[row], r, period]
            keep = at >= 0
            rows.append(at[keep])
            columns.append(options.option[row[keep]])
            values.append(steps[keep])
        none = np.zeros(0, dtype=np.int64)
        coordinates = (np.concatenate([none, *rows]), np.concatenate([none, *columns]))
        # Facts and purchases have no part in it; the matrix is widened to all columns when assembled.
        shape = (int((row_of >= 0).sum()), len(options))
        use = sparse(*coordinates, np.concatenate([none, *values]), shape)
        full = np.repeat(capacity[:, :, None], len(problem.periods), axis=2)[row_of >= 0]
        return WorstGoal(self.name, use, full)


def _rows(problem: Problem) -> Ints:
    """Number of each ratio, -1 where there is none. int64 [site, resource, period]."""
    capacity = problem.inventory.capacity
    counts = np.repeat(((capacity > 0) & (capacity != UNLIMITED))[:, :, None], len(problem.periods), axis=2)
    return np.where(counts, np.cumsum(counts).reshape(counts.shape) - 1, -1)
