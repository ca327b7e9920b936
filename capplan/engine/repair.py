"""A plan of one Program made into a plan of another that differs a little from it."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from capplan.engine.cpsat import Callback, Model
from capplan.engine.narrow import Parts
from capplan.engine.result import Limits, Watch
from capplan.program import LinearGoal, Program, evaluate
from capplan.units import Bools, Ints

MOST_FREED = 150
"""Items that are placed anew at most: beyond that a plan is sooner found from nothing."""

SPARE = 30
"""Items that are placed anew though nothing is wrong with them: they make room."""


def repaired(program: Program, x: Ints, loose: Bools, limits: Limits, watch: Watch) -> Ints | None:
    """A plan near ``x`` int64 [column], in which items may have no option and limits may be broken; None: none found.

    Items without an option, those that use what is broken, and ``loose`` bool [item] are placed anew, all others stay.
    What is bought is chosen anew.
    """
    first = program.options + program.facts
    taken = x[: program.options] > 0
    values = evaluate(program, taken, x[first:])
    free = loose | (np.bincount(program.item[taken], minlength=program.items) != 1)
    broken = program.limits.of_rows(np.flatnonzero(values.used > program.bound))[:, : program.options]
    mine = np.unique(broken.nonzero()[1])
    free[program.item[mine[taken[mine]]]] = True
    if free.sum() > MOST_FREED:
        return None
    spare = np.flatnonzero(~free)
    free[np.random.default_rng(limits.seed).permutation(spare)[:SPARE]] = True
    start = x.copy()
    start[: program.options][free[program.item]] = 0
    parts = Parts(program, LinearGoal("", np.zeros(program.columns, dtype=np.int64), 0, Fraction(1)))
    part = parts.part(start, np.flatnonzero(free))
    seconds = limits.time_limit_s
    answer = Model(part.program).solve(limits, seconds, seconds / 2, watch, Callback(lambda *_: None))
    if answer.x is None:
        return None
    found = parts.merged(part, start, answer.x)
    values = evaluate(program, found[: program.options] > 0, found[first:])
    return values.x if (values.used <= program.bound).all() else None
