"""The linear relaxation of a Program over some of its options, by HiGHS inside OR-Tools."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from ortools.math_opt import model_pb2
from ortools.math_opt.python import mathopt

from capplan.engine.columns import Columns
from capplan.units import Ints

Floats = npt.NDArray[np.float64]

BARRIER_FROM = 30_000
"""Entries of the matrix from which the interior-point method is faster than simplex. It is too where rows that tie
options to facts outnumber the items. Measured on generated estates, generalised assignment and facility location."""
EFFORT_AN_ENTRY, EFFORT_A_STEP = 6e-6, 3.2e-7
"""Effort for an entry of the matrix by simplex in all, and by each step of the interior-point method."""


@dataclass(frozen=True)
class Relaxed:
    """A solved relaxation.

    ``option`` int64 [k]: the options that took part; ``x`` float [k] their shares, ``others`` float [fact + purchase];
    ``price`` float [row] ≥ 0 the rows' dual values, ``item`` float [item] the items'. ``value`` without the constant.
    """

    option: Ints
    x: Floats
    others: Floats
    price: Floats
    item: Floats
    value: float


def gather(columns: Columns, option: Ints) -> tuple[Ints, Ints, Ints]:
    """Entries of some options as (position in ``option``, row, value), int64 [k] each."""
    parts: list[tuple[Ints, Ints, Ints]] = []
    if columns.row.size:
        place = columns.place[option]
        item = np.searchsorted(columns.start, option, side="right") - 1
        row = np.where(place[:, None] >= 0, columns.row[place], -1)
        which, slot = np.nonzero(row >= 0)
        parts.append((which, row[which, slot].astype(np.int64), columns.need[item[which], slot]))
    if len(columns.entry):
        which, e = columns.explicit(option)
        parts.append((which, columns.entry_row[e].astype(np.int64), columns.entry[e]))
    if not parts:
        none = np.zeros(0, np.int64)
        return none, none, none
    joined = [np.concatenate(piece) for piece in zip(*parts, strict=True)]
    return joined[0], joined[1], joined[2]


def matrix_of(columns: Columns, option: Ints) -> sp.csr_array:
    """Rows of the items, then of the limits; columns of ``option`` int64 [k] ascending, then facts and purchases."""
    items, rows, count = len(columns.start) - 1, len(columns.bound), len(option)
    item = np.searchsorted(columns.start, option, side="right") - 1
    which, row, value = gather(columns, option)
    others = len(columns.other_cost)
    other = np.repeat(np.arange(others), np.diff(columns.other_at))
    return sp.csr_array(
        (
            np.concatenate([np.ones(count), value.astype(float), columns.other.astype(float)]),
            (
                np.concatenate([item, items + row, items + columns.other_row]),
                np.concatenate([np.arange(count), which, count + other]),
            ),
        ),
        shape=(items + rows, count + others),
    )


def relax(
    columns: Columns,
    option: Ints,
    seconds: float,
    fixed: Floats | None = None,
    tied: sp.csr_array | None = None,
    effort: float = math.inf,
) -> tuple[Relaxed | None, float]:
    """Solve the relaxation over ``option`` int64 [k] ascending; None when it was not solved in time or with ``effort``.

    The second that is returned is the effort it took, which does not depend on the clock.

    ``fixed`` float [fact + purchase], where given, fixes facts and purchases (NaN: free); items may then stay without
    an option at a price far above any option's. ``tied`` [row, option or fact or purchase] are more rows, ≤ 0; they
    have no price.
    """
    items, count = len(columns.start) - 1, len(option)
    others = len(columns.other_cost)
    spare = items if fixed is not None else 0
    first = count + others
    matrix, rows = matrix_of(columns, option), len(columns.bound)
    if tied is not None:
        matrix = sp.csr_array(sp.vstack([matrix, tied]))
    if spare:
        lost = sp.csr_array((np.ones(items), (np.arange(items), np.arange(items))), shape=(matrix.shape[0], items))
        matrix = sp.csr_array(sp.hstack([matrix, lost]))
    # Rows are scaled to a largest entry of 1, costs to a mean of 1: solvers' tolerances are absolute.
    size = np.maximum(1.0, abs(matrix).max(axis=1).toarray().ravel())
    matrix = sp.csr_array(sp.diags_array(1 / size) @ matrix)
    dear = 3.0 * float(np.abs(columns.cost).max(initial=1))
    cost = np.concatenate([columns.cost[option], columns.other_cost, np.full(spare, dear)]).astype(float)
    unit = max(1.0, float(np.abs(cost).mean()))
    more = matrix.shape[0] - items - rows
    limit = np.concatenate([np.ones(items), columns.bound / size[items : items + rows], np.zeros(more)])
    low, high = np.zeros(others), columns.upper.astype(float)
    if fixed is not None:
        low, high = np.where(np.isnan(fixed), low, fixed), np.where(np.isnan(fixed), high, fixed)
    lower = np.concatenate([np.zeros(count), low, np.zeros(spare)])
    upper = np.concatenate([np.ones(count), high, np.ones(spare)])
    model = _model(matrix, cost / unit, limit, items, (lower, upper))
    barrier = rows > items or matrix.nnz >= BARRIER_FROM
    each = EFFORT_A_STEP * max(1, matrix.nnz)
    parameters = mathopt.SolveParameters(
        time_limit=timedelta(seconds=seconds),
        lp_algorithm=mathopt.LPAlgorithm.BARRIER if barrier else None,
        iteration_limit=math.ceil(effort / each) if barrier and effort < math.inf else None,
    )
    result: Any = mathopt.solve(model, mathopt.SolverType.HIGHS, params=parameters)
    took = each * result.solve_stats.barrier_iterations if barrier else EFFORT_AN_ENTRY * matrix.nnz
    if result.termination.reason != mathopt.TerminationReason.OPTIMAL:
        return None, took
    x = np.array(result.variable_values(list(model.variables())))
    dual = np.array(result.dual_values(list(model.linear_constraints()))) * unit / size
    price = np.maximum(0.0, -dual[items : items + rows])
    return Relaxed(option, x[:count], x[count:first], price, dual[:items], float(cost @ x)), took


def minimum(matrix: sp.csr_array, cost: Floats, limit: Floats) -> tuple[Floats, Floats]:
    """Where ``cost @ x`` is least, ``matrix @ x ≤ limit``, x ≥ 0: x float [column], prices, all ≤ 0, float [row]."""
    unit = max(1.0, float(np.abs(cost).mean()))
    box = np.zeros(len(cost)), np.full(len(cost), np.inf)
    model = _model(matrix, cost / unit, limit, 0, box)
    result: Any = mathopt.solve(model, mathopt.SolverType.HIGHS)
    if result.termination.reason != mathopt.TerminationReason.OPTIMAL:
        return np.zeros(len(cost)), np.zeros(len(limit))
    price = np.array(result.dual_values(list(model.linear_constraints()))) * unit
    return np.array(result.variable_values(list(model.variables()))), np.minimum(0.0, price)


def _model(matrix: sp.csr_array, cost: Floats, limit: Floats, equal: int, box: tuple[Floats, Floats]) -> Any:
    """A MathOpt model filled in bulk: the first ``equal`` rows are equations, all others ≤."""
    proto = model_pb2.ModelProto()
    rows, count = matrix.shape
    variables = proto.variables
    variables.ids.extend(range(count))
    variables.lower_bounds.extend(box[0].tolist())
    variables.upper_bounds.extend(box[1].tolist())
    variables.integers.extend([False] * count)
    used = np.flatnonzero(cost)
    proto.objective.linear_coefficients.ids.extend(used.tolist())
    proto.objective.linear_coefficients.values.extend(cost[used].tolist())
    constraints = proto.linear_constraints
    constraints.ids.extend(range(rows))
    constraints.lower_bounds.extend(np.concatenate([limit[:equal], np.full(rows - equal, -np.inf)]).tolist())
    constraints.upper_bounds.extend(limit.tolist())
    matrix.sort_indices()
    proto.linear_constraint_matrix.row_ids.extend(np.repeat(np.arange(rows), np.diff(matrix.indptr)).tolist())
    proto.linear_constraint_matrix.column_ids.extend(matrix.indices.tolist())
    proto.linear_constraint_matrix.coefficients.extend(matrix.data.tolist())
    return mathopt.Model.from_model_proto(proto)
