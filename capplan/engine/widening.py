"""How little more of something would make an infeasible Program feasible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.optimize import linprog

from capplan.engine.choose import EXACT_MOST
from capplan.engine.conflict import Kept, Part, Questions, solved
from capplan.engine.cpsat import greatest_use
from capplan.engine.proof import LARGEST_PROOF, Relaxation, impossible
from capplan.program import Program
from capplan.units import Ints

LARGEST_WIDENING = 2**40
NEARLY = 1e-6
"""What the relaxation may be off by, relative to what is widened: an amount that is a hair too small is rounded up."""


@dataclass(frozen=True)
class Widening:
    """By how much some limits must be widened for everything to be kept, all else as it is.

    ``amount`` times each limit's own weight; None where no amount does, or none was found. ``least`` says that less
    would not do. ``sure`` says that ``amount`` does; otherwise it is what is needed at least.
    """

    amount: int | None
    least: bool
    sure: bool = True


def least_widening(program: Program, weight: Mapping[int, int], ask: Questions) -> Widening:
    """The least whole ``z`` with which all limits hold, those of ``weight`` (limit → weight) widened by weight × z."""
    if (np.diff(program.item_start) == 0).any():
        return Widening(None, least=True)
    over = np.maximum(0, greatest_use(program) - program.bound)
    most = max((-(-int(over[row]) // by) for row, by in weight.items()), default=0)
    if not 0 < most < LARGEST_WIDENING:
        return Widening(None, least=False)
    needed = _needed(program, weight, ask)
    if program.options > EXACT_MOST or (needed.amount is None and needed.least):
        return needed
    # What the relaxation needs at least is where the search for whole choices may end.
    least = needed.amount if needed.amount is not None and needed.least else 0
    return _exact(program, weight, ask, (min(least, most), most))


def _exact(program: Program, weight: Mapping[int, int], ask: Questions, between: tuple[int, int]) -> Widening:
    everything = np.ones(program.items, dtype=np.bool_)
    limits = ~ask.never
    limits[list(weight)] = False
    model = Part(program, Kept(everything, limits, np.ones(program.options, dtype=np.bool_)))
    z = model.variable(*between)
    rows = program.limits.of_rows(np.array(list(weight), dtype=np.int64))
    for i, (row, by) in enumerate(weight.items()):
        part = slice(rows.indptr[i], rows.indptr[i + 1])
        columns, values = rows.indices[part].tolist(), rows.data[part].tolist()
        model.at_most([*columns, z], [*values, -by], int(program.bound[row]))
    model.minimise([z], [1])
    answer = solved(model, ask)
    if answer.x is None:
        return Widening(None, answer.finished)
    used = program.limits @ answer.x - program.bound
    return Widening(max(between[0], *(-(-int(used[row]) // by) for row, by in weight.items())), answer.finished)


def _needed(program: Program, weight: Mapping[int, int], ask: Questions) -> Widening:
    """What the relaxation asks for, and whether a quick proof shows that less would not do."""
    if program.options > LARGEST_PROOF:
        return Widening(None, least=False)
    items, rows, option = (np.arange(n) for n in (program.items, len(program.bound), program.options))
    relaxation = Relaxation(program, items, rows, option, np.ones(len(items), dtype=np.bool_))
    matrix, columns = relaxation.matrix, relaxation.matrix.shape[1]
    by = np.zeros(matrix.shape[0])
    by[list(weight)] = list(weight.values())
    each = sp.csr_array((np.ones(len(option)), (relaxation.item, option)), shape=(len(items), columns + 1))
    size = np.maximum(1.0, abs(matrix).max(axis=1).toarray().ravel())
    # z is counted in parts of the largest bound, so that it is of the size of all else.
    unit = max(1.0, float((np.abs(program.bound[list(weight)]) / np.array(list(weight.values()))).max()))
    wide = sp.hstack([sp.diags_array(1 / size) @ matrix, sp.csr_array(-(by * unit / size)[:, None])])
    solve: Any = linprog  # its stubs know no sparse arrays
    answer = solve(
        np.append(np.zeros(columns), 1.0),
        A_ub=sp.csr_array(wide),
        b_ub=relaxation.bound / size,
        A_eq=each,
        b_eq=np.ones(len(items)),
        bounds=np.stack([np.zeros(columns + 1), np.append(relaxation.upper.astype(float), np.inf)], axis=1),
        method="highs",
        options={"time_limit": ask.seconds},
    )
    if answer.status != 0:
        return Widening(None, least=answer.status == 2)
    amount = max(1, ceil(float(answer.fun) * unit - NEARLY * unit))
    return Widening(amount, impossible(_widened(program, weight, amount - 1), ask.seconds), sure=False)


def _widened(program: Program, weight: Mapping[int, int], amount: int) -> Program:
    bound: Ints = program.bound.copy()
    bound[list(weight)] += amount * np.array(list(weight.values()), dtype=np.int64)
    return replace(program, bound=bound)
