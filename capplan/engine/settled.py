"""Purchases that nobody has to decide about, because the least of them is always best; what things cost through them.

Where a purchase alone widens the limits that it widens, saves nothing by itself and takes nothing away that another one
gives, buying more of it than its limits need makes no plan possible and none cheaper. Such purchases (packs of a
licence) follow from the choice like derived ones: searches then see at once what a choice costs.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from capplan.engine.narrow import Parts
from capplan.program import LinearGoal, Program
from capplan.units import Bools, Floats

DEEPEST = 4
"""Purchases that follow from one another: machines, core licences, packs, pennies."""


def settled(program: Program) -> Program:
    """The same Program with such purchases derived. What is optimal in one is optimal in the other."""
    more = _follow(program) & ~program.purchases.derived
    if not more.any():
        return program
    return replace(program, purchases=replace(program.purchases, derived=program.purchases.derived | more))


def _follow(program: Program) -> Bools:
    """Purchases of which the least is always best. bool [purchase]."""
    first = program.options + program.facts
    entries = program.limits.of_columns(np.arange(first, program.columns)).tocoo()
    widens = entries.data < 0
    hands = np.bincount(entries.row[widens], minlength=len(program.bound))
    alone = np.zeros(len(program.purchases), dtype=np.bool_)
    alone[entries.col[widens]] = True
    alone[entries.col[widens & (hands[entries.row] > 1)]] = False
    for goal in program.goals:
        if isinstance(goal, LinearGoal):
            alone &= goal.coefficients[first:] >= 0
        else:
            alone[goal.use[:, first:].tocoo().col] = False
    return alone


def worth(others: sp.csc_array, own: Floats, derived: Bools) -> Floats:
    """What each fact and a step of each purchase cost, with what has to be bought because of them.

    ``others`` int64 sparse [limit, fact + purchase]; ``own`` float [fact + purchase] their costs; ``derived`` bool
    [fact + purchase]. What limits leave room for anyway is not taken off: where licences are owned it is too much.
    """
    matrix = others.tocoo()
    gives, takes = (matrix.data < 0) & derived[matrix.col], matrix.data > 0
    if not gives.any():
        return own
    # A step of a purchase that widens a limit, spread over what it gives there.
    part = sp.csr_array((1.0 / -matrix.data[gives], (matrix.row[gives], matrix.col[gives])), shape=matrix.shape)
    uses = sp.csr_array((matrix.data[takes].astype(np.float64), (matrix.row[takes], matrix.col[takes])), matrix.shape)
    total = own
    for _ in range(DEEPEST):
        total = own + uses.T @ (part @ total)
    return np.asarray(total)


def worth_of(parts: Parts) -> Floats:
    """The same for an explicit Program. float [fact + purchase]."""
    program = parts.program
    derived = np.concatenate([np.zeros(program.facts, np.bool_), program.purchases.derived])
    own = parts.goal.coefficients[program.options :].astype(np.float64)
    return worth(parts.by_column[:, program.options :].tocsc(), own, derived)
