"""A Program as a mixed integer program such as an experienced user would write it.

Options that alone break a limit are dropped. A fact that costs is tied to its options by the limits themselves where it
can be: a limit whose options all belong to the fact becomes ``Σ demand x ≤ capacity y``; other facts get ``x ≤ y`` for
every option, or one sum where there are many. As the strongest linking ``x ≤ y`` is added for all facts while cheap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from capplan.program import LinearGoal, Program
from capplan.units import Bools, Ints

CHEAP_LINKS = 20_000
"""As many rows ``x ≤ y`` are added; more of them slow every solver down by more than they help."""


@dataclass(frozen=True)
class Formulation:
    """Minimise ``cost · x + constant`` subject to ``lower ≤ rows x ≤ upper``, ``0 ≤ x ≤ most``, x whole.

    ``kept`` int64 [variable]: the Program's column of each variable.
    """

    kept: Ints
    columns: int
    most: Ints
    cost: Ints
    constant: int
    rows: sp.csr_array
    lower: np.ndarray[Any, np.dtype[np.float64]]
    upper: np.ndarray[Any, np.dtype[np.float64]]

    def column_values(self, variable: Ints, value: np.ndarray[Any, np.dtype[np.float64]]) -> Ints:
        """``x`` int64 [column] of the Program from the variables that are not 0."""
        x = np.zeros(self.columns, dtype=np.int64)
        x[self.kept[variable]] = np.rint(value).astype(np.int64)
        return x


def formulate(program: Program, goal: LinearGoal) -> Formulation:
    """Presolve and formulate."""
    kept = np.append(possible(program), np.arange(program.options, program.columns))
    options = len(kept) - program.columns + program.options
    limits: Any = program.limits.tocsr()[:, kept]
    any_of: Any = program.any_of[:, kept[:options]].astype(np.int64).tocsr()
    cost = goal.coefficients[kept]
    tied, covered, bound = _tie(limits, any_of, program.bound, options)
    blocks = [
        _choose(program, kept[:options], len(kept)),
        (tied, np.full(len(bound), -np.inf), bound.astype(np.float64)),
    ]
    lows, highs = _wanted(limits, cost, options, program.facts)
    blocks += _links(any_of, lows, covered, len(kept))
    if highs.any():
        blocks.append(_members_first(any_of, highs, len(kept)))
    rows: Any = sp.vstack([block[0] for block in blocks], format="csr")
    rows.sum_duplicates()
    most = np.append(np.ones(options + program.facts, np.int64), program.purchases.upper)
    lower, upper = (np.concatenate([block[k] for block in blocks]) for k in (1, 2))
    return Formulation(kept, program.columns, most, cost, goal.constant, rows, lower, upper)


def possible(program: Program) -> Ints:
    """Options that do not break a limit on their own. int64 [kept]."""
    limits = program.limits.tocsr()
    least = np.zeros(len(limits.data), dtype=np.int64)
    least[limits.data < 0] = 1
    rows = np.repeat(np.arange(len(program.bound)), np.diff(limits.indptr))
    positive = np.bincount(rows, least, len(program.bound)) == 0
    alone = positive[rows] & (limits.data > program.bound[rows])
    broken = np.zeros(program.columns, dtype=np.bool_)
    broken[limits.indices[alone]] = True
    return np.flatnonzero(~broken[: program.options])


def _choose(program: Program, kept: Ints, columns: int) -> tuple[Any, Any, Any]:
    """Exactly one option for every item."""
    one = np.ones(program.items)
    start = np.searchsorted(program.item[kept], np.arange(program.items + 1))
    shape = (program.items, columns)
    return sp.csr_array((np.ones(len(kept), np.int64), np.arange(len(kept)), start), shape=shape), one, one


def _tie(limits: Any, any_of: Any, bound: Ints, options: int) -> tuple[Any, Bools, Ints]:
    """Limits multiplied by the fact of all their options, whether each fact is tied by one, and the new bounds."""
    among = (limits[:, :options] != 0).astype(np.int64)
    size, others = np.diff(among.indptr), np.diff(limits[:, options:].tocsr().indptr)
    plain = (size > 0) & (others == 0) & (bound >= 0) & (np.asarray((limits < 0).sum(axis=1)).ravel() == 0)
    inside = (sp.csr_array(among) @ any_of.T).tocoo()
    whole = (inside.data == size[inside.row]) & plain[inside.row]
    row, fact = inside.row[whole], inside.col[whole]
    members = np.diff(any_of.indptr)
    order = np.lexsort((fact, members[fact], row))
    row, first = np.unique(row[order], return_index=True)
    fact = fact[order][first]
    most = np.minimum(bound[row], np.asarray(limits[row].sum(axis=1)).ravel())
    switched: Any = sp.csr_array((-most, (row, options + fact)), shape=limits.shape)
    covered = np.zeros(any_of.shape[0], dtype=np.bool_)
    covered[fact[size[row] == members[fact]]] = True
    rest = bound.copy()
    rest[row] = 0
    return (limits + switched).tocsr(), covered, rest


def _wanted(limits: Any, cost: Ints, options: int, facts: int) -> tuple[Bools, Bools]:
    """Facts that something wants to be 0, and facts that something wants to be 1. bool [fact] each."""
    part = limits[:, options : options + facts]
    price = cost[options : options + facts]
    above, below = (np.asarray(side.sum(axis=0)).ravel() > 0 for side in (part > 0, part < 0))
    return (price > 0) | above, (price < 0) | below


def _links(any_of: Any, wanted: Bools, covered: Bools, columns: int) -> list[tuple[Any, Any, Any]]:
    """Rows that force a fact to 1 when one of its options is taken."""
    members = np.diff(any_of.indptr)
    if members[wanted].sum() <= CHEAP_LINKS:
        return [_each(any_of, np.flatnonzero(wanted), columns)]
    open_facts = wanted & ~covered
    if members[open_facts].sum() <= CHEAP_LINKS:
        return [_each(any_of, np.flatnonzero(open_facts), columns)]
    facts = np.flatnonzero(open_facts)
    return [_sums(any_of, facts, -members[facts], columns)]


def _each(any_of: Any, facts: Ints, columns: int) -> tuple[Any, Any, Any]:
    """``x − y ≤ 0`` for every option of the facts."""
    part = any_of[facts].tocsr()
    count = part.nnz
    row, one = np.arange(count), np.ones(count, np.int64)
    fact = any_of.shape[1] + np.repeat(facts, np.diff(part.indptr))
    entries = np.append(one, -one), (np.append(row, row), np.append(part.indices, fact))
    return sp.csr_array(entries, shape=(count, columns)), np.full(count, -np.inf), np.zeros(count)


def _sums(any_of: Any, facts: Ints, times: Ints, columns: int) -> tuple[Any, Any, Any]:
    """``Σ x + times y ≤ 0`` for each of the facts."""
    side: Any = sp.csr_array((times, (np.arange(len(facts)), facts)), shape=(len(facts), columns - any_of.shape[1]))
    return sp.hstack([any_of[facts], side]), np.full(len(facts), -np.inf), np.zeros(len(facts))


def _members_first(any_of: Any, wanted: Bools, columns: int) -> tuple[Any, Any, Any]:
    """``Σ x − y ≥ 0``: no fact without one of its options."""
    facts = np.flatnonzero(wanted)
    rows, _, zero = _sums(any_of, facts, -np.ones(len(facts), np.int64), columns)
    return rows, zero, np.full(len(facts), np.inf)
