"""Circuits as limits: what options send over each, normally and after each single failure, within its capacity.

Only rows that something could exceed are made: an upper bound on the load (every workload at
its worst) is compared first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import scipy.sparse as sp

from capplan.links.report import capacity_of, circuit_name
from capplan.links.sending import PairSending, Sending, sending_of
from capplan.links.state import State, states_of
from capplan.network.failures import Failure
from capplan.network.graph import FAR, NONE, Graph, trees_of
from capplan.problem import Options, Problem
from capplan.program import Builder, LimitName
from capplan.program.statements import ROUNDING, PurchaseName
from capplan.units import Ints


def circuit_limits(problem: Problem, options: Options, builder: Builder, rule: str, *, failures: bool) -> None:
    """Add the limits of every circuit and direction."""
    capacity = capacity_of(problem).reshape(-1)
    if not (capacity >= 0).any():
        return
    for state in states_of(problem):
        seen: list[Sending] = []
        for t in state.periods:
            sending = sending_of(problem, options, t)
            # What is sent in equal periods is limited once, under the first of them.
            if not sending.empty and not any(sending.same(other) for other in seen):
                seen.append(sending)
                _Limits(problem, builder, rule, state, t, sending, capacity).add(failures=failures)


@dataclass
class _Limits:
    """The limits of one period. Columns are 2 × circuit + direction, 0 for a→b.

    ``capacity`` int64 [column], -1 where none is given.
    """

    problem: Problem
    builder: Builder
    rule: str
    state: State
    period: int
    sending: Sending
    capacity: Ints
    used: dict[tuple[int, bytes], int] = field(default_factory=dict)

    def add(self, *, failures: bool) -> None:
        """Limits in the normal state, then after each failure that could fill a circuit more."""
        normal = _routes(self.state.graph, self.sending)
        bound = self.sending.bound(normal)
        self._rows(normal, np.flatnonzero((self.capacity >= 0) & (bound > self.capacity)), None)
        if not failures:
            return
        total = self.sending.bound_of_pairs()
        tight = (self.capacity >= 0) & (bound + int(total.sum()) > self.capacity)
        for failure in self.state.failures if tight.any() else ():
            self._after(failure, normal, (bound, total, tight))

    def _after(
        self,
        failure: Failure,
        normal: sp.csr_array,
        known: tuple[Ints, Ints, np.ndarray[tuple[int], np.dtype[np.bool_]]],
    ) -> None:
        """Limits of circuits that traffic moves to when something fails."""
        bound, total, tight = known
        touched = _touched(normal, failure, self.state.graph)
        if not len(touched) or not (tight & (bound + int(total[touched].sum()) > self.capacity)).any():
            return
        after = _rerouted(self.state.graph, self.sending, normal, failure, touched)
        gained = np.zeros(len(self.capacity), dtype=np.bool_)
        gained[_either((after - normal).tocoo())] = True
        full = self.sending.bound(after) > self.capacity
        self._rows(after, np.flatnonzero(gained & (self.capacity >= 0) & full), failure)

    def _rows(self, routes: sp.csr_array, columns: Ints, failure: Failure | None) -> None:
        if not len(columns):
            return
        after = "" if failure is None else f" after loss of {failure}"
        names = [
            LimitName(
                self.rule,
                f"circuit {circuit_name(self.problem, int(c) // 2, int(c) % 2)}{after}",
                self.period,
                "Mbit/s",
                Fraction(1, 1000),
                -1,
                ("circuits", int(c) // 2, "mbps_back" if c % 2 and self._has_back(int(c) // 2) else "mbps"),
            )
            for c in columns
        ]
        by_column = routes.tocsc()
        fixed = np.array([self.sending.fixed(*_users(by_column, int(c))) for c in columns], dtype=np.int64)
        block = self.builder.limits(names, self.capacity[columns] - fixed)
        for row, column in enumerate(columns.tolist()):
            up, down = _users(by_column, column)
            option, amount = self.sending.linear(up, down)
            block.options(np.full(len(option), row), option, amount)
            for pair in self.sending.pairs:
                for pairs, rate in ((up, pair.up), (down, pair.down)):
                    purchase = self._both(pair, pairs) if rate else None
                    if purchase is not None:
                        one = np.ones(1, dtype=np.int64)
                        block.purchases(one * row, one * purchase, one * rate)

    def _has_back(self, circuit: int) -> bool:
        return bool(self.problem.inventory.table("circuits").given("mbps_back")[circuit])

    def _both(self, pair: PairSending, pairs: Ints) -> int | None:
        """A purchase that is 1 just when both ends are placed so that their way is among ``pairs``; None: never so."""
        chosen = np.isin(pair.number, pairs)
        if not chosen.any():
            return None
        key = pair.key, chosen.tobytes()
        if key not in self.used:
            self.used[key] = self._made(pair, chosen)
        return self.used[key]

    def _made(self, pair: PairSending, chosen: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> int:
        """``x[a in group] + Σ x[b, where the way counts] + Σ placed − both ≤ number of these − 1``, for each group."""
        name = PurchaseName("", -1, self.period, "")
        purchase = self.builder.purchase(name, 1, derived=True)
        sets, group = np.unique(chosen, axis=0, return_inverse=True)
        for g, ends in enumerate(sets):
            if not ends.any():
                continue
            block = self.builder.limits([ROUNDING], np.array([pair.movable + len(pair.others) - 1]))
            first = np.flatnonzero(group.reshape(-1) == g)
            for options in (*pair.at(first, np.flatnonzero(ends)), *pair.others):
                block.options(np.zeros_like(options), options, np.ones_like(options))
            block.purchases(np.zeros(1, dtype=np.int64), np.array([purchase]), -np.ones(1, dtype=np.int64))
        return purchase


def _users(by_column: sp.csc_array, column: int) -> tuple[Ints, Ints]:
    """Pairs whose traffic to their target, and whose traffic back, goes over a column. int64 [k] each."""
    start, pairs = by_column.indptr, by_column.indices.astype(np.int64)
    other = column ^ 1
    return pairs[start[column] : start[column + 1]], pairs[start[other] : start[other + 1]]


def _either(entries: sp.coo_array) -> Ints:
    """Columns, both directions of them, in which entries are positive."""
    columns = np.asarray(entries.col[entries.data > 0], dtype=np.int64)
    return np.concatenate([columns, columns ^ 1])


def _routes(graph: Graph, sending: Sending) -> sp.csr_array:
    """Which pair of nodes goes over which column, from its source to its target. 0/1 sparse [pair, column]."""
    rows, columns = _walked(graph, sending, np.arange(len(sending.source)))
    return _matrix(graph, sending, rows, columns)


def _rerouted(graph: Graph, sending: Sending, normal: sp.csr_array, failure: Failure, touched: Ints) -> sp.csr_array:
    """The same after a failure, in which only the ``touched`` pairs change their way."""
    rows, columns = _walked(graph.without(np.array(failure.circuits, dtype=np.int64), failure.node), sending, touched)
    kept = normal.tocoo()
    same = ~np.isin(kept.row, touched)
    return _matrix(graph, sending, np.concatenate([kept.row[same], rows]), np.concatenate([kept.col[same], columns]))


def _matrix(graph: Graph, sending: Sending, rows: Ints, columns: Ints) -> sp.csr_array:
    shape = (len(sending.source), 2 * len(graph.a))
    return sp.csr_array((np.ones(len(rows), dtype=np.int64), (rows, columns)), shape=shape)


def _walked(graph: Graph, sending: Sending, pairs: Ints) -> tuple[Ints, Ints]:
    """The ways of some pairs, all walked a circuit at a time: pair and column of each step. int64 [k] each."""
    roots, root = np.unique(sending.target[pairs], return_inverse=True)
    trees = trees_of(graph, roots)
    node, left = sending.source[pairs].copy(), np.arange(len(pairs))
    left = left[trees.length[root, node] < FAR]
    rows, columns = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    while len(left):
        circuit = trees.circuit[root[left], node[left]]
        left, circuit = left[circuit != NONE], circuit[circuit != NONE]
        forwards = graph.a[circuit] == node[left]
        rows.append(pairs[left])
        columns.append(2 * circuit + ~forwards)
        node[left] = np.where(forwards, graph.b[circuit], graph.a[circuit])
    return np.concatenate(rows), np.concatenate(columns)


def _touched(normal: sp.csr_array, failure: Failure, graph: Graph) -> Ints:
    """Pairs whose way, or an end, is lost with a failure. int64 [k]."""
    circuits = np.array(failure.circuits, dtype=np.int64)
    if failure.node != NONE:
        at = (graph.a == failure.node) | (graph.b == failure.node)
        circuits = np.union1d(circuits, np.flatnonzero(at & graph.usable))
    by_column = normal.tocsc()
    found = [_users(by_column, 2 * int(c)) for c in circuits]
    parts = [part for pair in found for part in pair]
    return np.unique(np.concatenate(parts)) if parts else np.zeros(0, dtype=np.int64)
