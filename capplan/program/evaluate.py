"""What a choice amounts to: facts, derived purchases, use of every limit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capplan.program.statements import Program
from capplan.units import Bools, Ints


@dataclass(frozen=True)
class Values:
    """A choice evaluated. ``x`` int64 [column]; ``used`` int64 [limit], the left-hand side of each limit."""

    x: Ints
    used: Ints

    def slack(self, program: Program) -> Ints:
        """Room left in each limit, negative where it is broken. int64 [limit]."""
        return np.asarray(program.bound - self.used, dtype=np.int64)


def evaluate(program: Program, taken: Bools, bought: Ints) -> Values:
    """Evaluate ``taken`` bool [option] with ``bought`` int64 [purchase] (derived entries are recomputed)."""
    first = program.options
    x = np.empty(program.columns, dtype=np.int64)
    x[:first] = taken
    x[first : first + program.facts] = program.any_of @ taken
    x[first + program.facts :] = np.where(program.purchases.derived, 0, bought)
    x = least_derived(program, x)
    return Values(x, program.limits @ x)


def least_derived(program: Program, x: Ints) -> Ints:
    """``x`` int64 [column] with the fewest derived steps that its limits need, up to their maximum.

    Nothing else widens the limits of a derived purchase, so raising each to what its rows still lack, until
    nothing changes, ends at the least fixed point.
    """
    first = program.options + program.facts
    derived = first + np.flatnonzero(program.purchases.derived)
    if not len(derived):
        return x
    part = program.limits.of_columns(derived).tocoo()
    widens = part.data < 0
    row, which, step = part.row[widens], part.col[widens], -part.data[widens]
    upper = program.purchases.upper[program.purchases.derived]
    x = x.copy()
    while True:
        excess = program.limits @ x - program.bound
        lacking = np.maximum(0, -(-excess[row] // step))
        more = np.zeros(len(derived), dtype=np.int64)
        np.maximum.at(more, which, lacking)
        raised = np.minimum(upper, x[derived] + more)
        if np.array_equal(raised, x[derived]):
            return x
        x[derived] = raised
