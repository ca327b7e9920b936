"""What a unit more of each limit is worth in the linear relaxation: a quick estimate, no proof of anything."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.optimize import linprog

from capplan.program import LinearGoal, Program
from capplan.units import Floats, Ints

LARGEST = 200_000
"""Columns up to which the relaxation is solved."""


def prices(program: Program, reached: Sequence[int | Fraction]) -> tuple[float, Floats] | None:
    """The dual price of each limit for the first goal in money, goals before it kept at what was ``reached``.

    Returns how much money a unit of the goal is, and by how many such units the goal changes with one more unit of
    each limit's bound, float [limit]. None where no goal is money, or the relaxation has no solution.
    """
    goals = [goal for goal in program.goals if isinstance(goal, LinearGoal)]
    money = next((g for g, goal in enumerate(goals) if goal.reads == "money"), None)
    if money is None or program.columns > LARGEST or len(goals) != len(program.goals):
        return None
    goal = goals[money]
    before = [(one.coefficients, int(value) - one.constant) for one, value in zip(goals[:money], reached, strict=False)]
    rows, bound = _rows(program, before)
    upper = np.ones(program.columns)
    upper[program.options + program.facts :] = program.purchases.upper
    each = sp.csr_array(
        (np.ones(program.options), (program.item, np.arange(program.options))), shape=(program.items, program.columns)
    )
    solve: Any = linprog  # its stubs know no sparse arrays
    answer = solve(
        goal.coefficients.astype(float),
        A_ub=rows,
        b_ub=bound,
        A_eq=each,
        b_eq=np.ones(program.items),
        bounds=np.stack([np.zeros(program.columns), upper], axis=1),
        method="highs",
    )
    if not answer.success:
        return None
    return float(goal.unit), np.asarray(answer.ineqlin.marginals[: len(program.bound)])


def _rows(program: Program, before: Sequence[tuple[Ints, int]]) -> tuple[sp.csr_array, Floats]:
    """Limits, then what facts follow from, then earlier goals."""
    fact, option = program.any_of.nonzero()
    first, count = program.options, program.facts
    row = np.arange(len(fact))
    holds = sp.csr_array(
        (
            np.concatenate([np.ones(len(fact)), -np.ones(len(fact))]),
            (np.concatenate([row, row]), np.concatenate([option, first + fact])),
        ),
        shape=(len(fact), program.columns),
    )
    none = sp.csr_array(
        (
            np.concatenate([np.ones(count), -np.ones(len(fact))]),
            (np.concatenate([np.arange(count), fact]), np.concatenate([first + np.arange(count), option])),
        ),
        shape=(count, program.columns),
    )
    kept = [sp.csr_array(coefficients.reshape(1, -1)) for coefficients, _ in before]
    bound = [program.bound, np.zeros(len(fact) + count), np.array([value for _, value in before])]
    return sp.csr_array(sp.vstack([program.limits.tocsr(), holds, none, *kept])), np.concatenate(bound).astype(float)
