"""Quick proofs that a Program has no solution: prices at which its limits cost more than any choice can pay.

For whole weights w ≥ 0 on the limits, every solution keeps ``Σ w × limit``, so::

    Σ over items of the least that an option counts in it + Σ over facts and purchases of their least  ≤  Σ w × bound

Weights that break it prove that nothing keeps the limits (the lemma of Farkas, for whole numbers). They come from the
linear relaxation in which items may stay without an option; what they prove is counted in integers, so that nothing
depends on a solver's tolerance. Options that break a limit all alone are left out of it. Items and limits that weigh
nothing have no part in it: what is left is a small set of statements that contradict each other, or a shortage of all
there is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.optimize import linprog
from scipy.sparse.csgraph import connected_components

from capplan.program import Program
from capplan.units import Bools, Floats, Ints

LARGEST_PROOF = 60_000
"""Options up to which the relaxation takes a fraction of a second."""

TIED_MOST = 5_000
"""Options that are tied one by one to facts that count in a limit; above that facts are taken to be free."""

NO_WEIGHT = 1e-7
"""Weights of the relaxation, relative to a limit's size, below which they are noise."""


@dataclass(frozen=True)
class Proof:
    """Items that cannot all have an option while the limits ``rows`` hold. int64 [k] each, ascending."""

    items: Ints
    rows: Ints


def impossible(program: Program, seconds: float) -> bool:
    """Whether a quick proof shows that nothing keeps the limits. False says nothing."""
    if (np.diff(program.item_start) == 0).any():
        return True
    everything = np.ones(len(program.bound), dtype=np.bool_)
    return any(True for _ in proofs(program, np.ones(program.items, dtype=np.bool_), everything, seconds))


def proofs(program: Program, asked: Bools, kept: Bools, seconds: float, most: int = LARGEST_PROOF) -> Iterator[Proof]:
    """Quick proofs that share no item, the smallest first; none where the relaxation has a solution.

    ``asked`` bool [item] must have an option, the others need not; ``kept`` bool [limit] are the limits that count.
    Nothing is tried for more than ``most`` options.
    """
    has_options = np.diff(program.item_start) > 0
    items = np.flatnonzero((asked | _helping(program, kept)) & has_options)
    if not (asked & has_options).any() or program.options > most:
        return
    rows = np.flatnonzero(kept)
    option = np.flatnonzero(np.isin(program.item, items))
    blocker = _blockers(program, rows, option)
    homes = np.zeros(program.items, dtype=np.bool_)
    homes[program.item[option[blocker < 0]]] = True
    for item in items[asked[items] & ~homes[items]].tolist():
        yield Proof(np.array([item]), np.unique(blocker[program.item[option] == item]))
    items = items[homes[items]]
    if not asked[items].any():
        return
    small = Relaxation(program, items, rows, option[blocker < 0], asked[items])
    weight = small.weights(seconds)
    if weight is None:
        return
    shut, because = option[blocker >= 0], blocker[blocker >= 0]
    entries = small.entries(shut)
    each = (small.proof(part, shut, because, entries) for part in small.parts(weight))
    found = [proof for proof in each if proof is not None]
    yield from sorted(found, key=lambda one: (len(one.items), len(one.rows), one.items[:1].tolist()))


def _blockers(program: Program, rows: Ints, option: Ints) -> Ints:
    """A limit that each option breaks whatever else is chosen or bought, -1 where there is none. int64 [option]."""
    matrix: Any = program.limits.of_rows(rows).tocoo()
    row, column, value = matrix.row, matrix.col, matrix.data
    upper = np.ones(program.columns, dtype=np.int64)
    upper[program.options + program.facts :] = program.purchases.upper
    helps = value < 0
    reach = program.bound[rows].astype(np.float64)
    np.add.at(reach, row[helps], -value[helps] * upper[column[helps]].astype(np.float64))
    # Doubles are exact up to 2^53; beyond it the margin keeps them on the safe side.
    breaks = (value > (reach + np.abs(reach) * 1e-12)[row]) & (column < program.options)
    found = np.full(program.options, -1, dtype=np.int64)
    found[column[breaks][::-1]] = rows[row[breaks][::-1]]
    return np.asarray(found[option])


def _helping(program: Program, kept: Bools) -> Bools:
    """Items that may help to keep a limit although nobody asks for them. bool [item]."""
    entries = program.limits.rest.tocoo()
    negative = (entries.data < 0) & kept[entries.row] & (entries.col < program.options + program.facts)
    found = np.zeros(program.items, dtype=np.bool_)
    column = np.unique(entries.col[negative])
    found[program.item[column[column < program.options]]] = True
    fact = column[column >= program.options] - program.options
    found[program.item[np.unique(program.any_of[fact].indices)]] = True
    return found


class Relaxation:
    """The relaxation of some items and limits of a Program. ``asked`` bool [item]: must have an option.

    Rows are the limits, then what ties facts to options; columns the options of the items, the facts, the purchases.
    """

    def __init__(self, program: Program, items: Ints, rows: Ints, option: Ints, asked: Bools) -> None:
        self.program, self.items, self.rows, self.option, self.asked = program, items, rows, option, asked
        self.item = np.searchsorted(items, program.item[self.option])
        self.start = np.searchsorted(self.item, np.arange(len(items)))
        column = np.concatenate([self.option, np.arange(program.options, program.columns)])
        limits: Any = program.limits.of_rows(rows)[:, column]
        ties = self._ties(limits)
        self.matrix: sp.csr_array = sp.csr_array(sp.vstack([limits, ties]))
        self.bound = np.concatenate([program.bound[rows], np.zeros(ties.shape[0], dtype=np.int64)])
        self.upper = np.ones(len(column), dtype=np.int64)
        self.upper[len(self.option) + program.facts :] = program.purchases.upper

    def _ties(self, limits: sp.csr_array) -> sp.csr_array:
        """``fact ≤ Σ its options`` where facts help, ``option ≤ fact`` where they count against a limit."""
        first, facts = len(self.option), self.program.facts
        entries = limits.tocoo()
        of_fact = (entries.col >= first) & (entries.col < first + facts)
        any_of: Any = self.program.any_of[:, self.option].tocsr().astype(np.int64)
        self._helps = helps = np.unique(entries.col[of_fact & (entries.data < 0)]) - first
        wide = (len(helps), limits.shape[1] - first)
        one = sp.csr_array((np.ones(len(helps), np.int64), (np.arange(len(helps)), helps)), shape=wide)
        parts = [sp.hstack([-any_of[helps], one])]
        against = np.unique(entries.col[of_fact & (entries.data > 0)]) - first
        pairs = any_of[against].tocoo()
        if 0 < len(pairs.col) <= TIED_MOST:
            each = np.arange(len(pairs.col))
            value = np.ones(len(each), dtype=np.int64)
            row, column = np.concatenate([each, each]), np.concatenate([pairs.col, first + against[pairs.row]])
            shape = (len(each), limits.shape[1])
            parts.append(sp.csr_array((np.concatenate([value, -value]), (row, column)), shape=shape))
        return sp.csr_array(sp.vstack(parts), dtype=np.int64)

    def weights(self, seconds: float) -> Floats | None:
        """What each row weighs against the items that find no option; None where all do. float [row]."""
        items, columns = len(self.items), self.matrix.shape[1]
        size = np.maximum(1.0, abs(self.matrix).max(axis=1).toarray().ravel())
        each = sp.csr_array(
            (np.ones(len(self.option)), (self.item, np.arange(len(self.option)))), shape=(items, columns)
        )
        rows = sp.hstack([sp.diags_array(1 / size) @ self.matrix, sp.csr_array((len(size), items))])
        upper = np.concatenate([self.upper.astype(float), np.ones(items)])
        solve: Any = linprog  # its stubs know no sparse arrays
        answer = solve(
            np.concatenate([np.zeros(columns), self.asked.astype(float)]),
            A_ub=sp.csr_array(rows),
            b_ub=self.bound / size,
            A_eq=sp.csr_array(sp.hstack([each, sp.eye_array(items)])),
            b_eq=np.ones(items),
            bounds=np.stack([np.zeros(columns + items), upper], axis=1),
            method="highs",
            options={"time_limit": seconds},
        )
        if answer.status != 0 or answer.fun < NO_WEIGHT:
            return None
        weight = np.maximum(0.0, -np.asarray(answer.ineqlin.marginals, dtype=np.float64))
        return np.asarray(np.where(weight > NO_WEIGHT, weight, 0.0) / size)

    def parts(self, weight: Floats) -> Iterator[Ints]:
        """The weights as whole numbers, by groups of rows that no item ties together. int64 [row] each."""
        peak = float(weight @ (abs(self.matrix) @ self.upper.astype(float) + np.abs(self.bound)))
        whole = np.rint(weight * (2.0**56 / max(1.0, peak))).astype(np.int64)
        rows = np.flatnonzero(whole)
        counted = self._least(whole) != 0
        chosen: Any = self.matrix[rows][:, : len(self.option)].tocoo()
        keep = counted[self.item[chosen.col]] & (chosen.data != 0)
        others: Any = self.matrix[rows][:, len(self.option) :].tocoo()
        node = np.concatenate([self.item[chosen.col[keep]], len(self.items) + others.col])
        row = np.concatenate([chosen.row[keep], others.row])
        count = len(rows) + len(self.items) + self.matrix.shape[1]
        links = sp.csr_array((np.ones(len(row)), (row, len(rows) + node)), shape=(count, count))
        label = connected_components(links, directed=False)[1][: len(rows)]
        for part in np.unique(label).tolist():
            yield np.where(np.isin(np.arange(len(whole)), rows[label == part]), whole, 0)

    def _priced(self, weight: Ints) -> Ints:
        """What each column counts at the weights. int64 [column]."""
        return np.asarray(self.matrix.T @ weight, dtype=np.int64)

    def _least(self, weight: Ints) -> Ints:
        """The least that an option of each item counts, or none where none is asked for. int64 [item]."""
        least = np.minimum.reduceat(self._priced(weight)[: len(self.option)], self.start)
        return np.where(self.asked, least, np.minimum(0, least))

    def entries(self, option: Ints) -> sp.csr_array:
        """What options of the Program that are not here would have in each row. float sparse [row, option].

        Their coefficients may be too large for sums in whole numbers of 64 bits.
        """
        own: Any = self.program.limits.of_rows(self.rows)[:, option]
        brings: Any = self.program.any_of[self._helps][:, option].astype(np.int64)
        others = self.matrix.shape[0] - len(self.rows) - len(self._helps)
        return sp.csr_array(sp.vstack([own, -brings, sp.csr_array((others, len(option)))]), dtype=np.float64)

    def proof(self, weight: Ints, shut: Ints, because: Ints, entries: sp.csr_array) -> Proof | None:
        """What whole weights prove; None where they prove nothing.

        ``shut`` int64 [k]: options with ``entries`` that were left out ``because`` int64 [k] of a limit each. It has a
        part in the proof where they would count less than what their items count at least.
        """
        least, first = self._least(weight), len(self.option)
        others, upper = self._priced(weight)[first:].tolist(), self.upper[first:].tolist()
        total = sum(least.tolist()) + sum(min(0, each) * most for each, most in zip(others, upper, strict=True))
        total -= sum(w * b for w, b in zip(weight.tolist(), self.bound.tolist(), strict=True) if w)
        if total <= 0:
            return None
        # An item that is not here need not have an option, and counts nothing without.
        at_least = np.zeros(self.program.items, dtype=np.int64)
        at_least[self.items] = least
        # Less than its rounding error is less as well: one limit too many is no harm.
        counts = entries.T @ weight - 1e-12 * (abs(entries).T @ weight)
        needed = because[counts < at_least[self.program.item[shut]]]
        used = self.rows[np.flatnonzero(weight[: len(self.rows)])]
        return Proof(self.items[self.asked & (least != 0)], np.union1d(used, needed))
