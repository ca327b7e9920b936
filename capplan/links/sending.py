"""What options send between nodes in one period: alone, as a replica of another, or as one end of an interface.

Everything is told between *pairs* of nodes, so that routes are looked for once for each pair.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import scipy.sparse as sp

from capplan.links.interface import NONE, Interface, interfaces_of, kbps
from capplan.problem import Options, Problem
from capplan.problem.groups import RowsOf
from capplan.problem.trips import network_of
from capplan.units import Ints, Numbers


@dataclass(frozen=True)
class PairSending:
    """A leg of an interface whose traffic depends on two workloads, or on whether others are placed.

    ``number`` int64 [a, b] is the pair of nodes of each combination, NONE where nothing is sent over circuits.
    ``options_a``, ``options_b`` hold the options that put an end at each of its nodes; ``others`` those that place each
    further workload that may be left out. ``movable`` of the ends are workloads.
    """

    key: int
    up: int
    down: int
    number: Ints
    options_a: tuple[Ints, ...]
    options_b: tuple[Ints, ...]
    others: tuple[Ints, ...]
    movable: int

    def at(self, first: Ints, second: Ints) -> list[Ints]:
        """Options that put the ends at any of these nodes; an end that is no workload is there in any case."""
        found = []
        for chosen, options in ((first, self.options_a), (second, self.options_b)):
            found.append(np.concatenate([options[i] for i in chosen.tolist()]))
        return found


@dataclass(frozen=True)
class Sending:
    """Traffic of one period.

    ``source``, ``target`` int64 [pair] are nodes. Linear traffic int64 [k]: ``option`` (NONE: sent in any case), its
    ``element`` (one of whose options is taken), ``pair``, ``up`` and ``down`` in kbit/s. ``pairs``: what depends on
    two workloads.
    """

    source: Ints
    target: Ints
    option: Ints
    element: Ints
    pair: Ints
    up: Ints
    down: Ints
    pairs: tuple[PairSending, ...]

    @property
    def empty(self) -> bool:
        """Whether nothing is sent over circuits."""
        return not len(self.source)

    def same(self, other: Sending) -> bool:
        """Whether another period's is equal."""
        names = ("source", "target", "option", "element", "pair", "up", "down")
        if not all(np.array_equal(getattr(self, name), getattr(other, name)) for name in names):
            return False
        mine, theirs = ([(p.key, p.up, p.down, p.number.tobytes()) for p in s.pairs] for s in (self, other))
        return mine == theirs

    def linear(self, up: Ints, down: Ints) -> tuple[Ints, Ints]:
        """Options and what each sends over a column that these pairs use with their traffic to the target, and back."""
        amount = self.up * np.isin(self.pair, up) + self.down * np.isin(self.pair, down)
        chosen = (amount > 0) & (self.option != NONE)
        return self.option[chosen], amount[chosen]

    def fixed(self, up: Ints, down: Ints) -> int:
        """What is sent over it in any case."""
        always = self.option == NONE
        return int(
            (self.up * (np.isin(self.pair, up) & always) + self.down * (np.isin(self.pair, down) & always)).sum()
        )

    def bound(self, routes: sp.csr_array) -> Ints:
        """At least the most that can be sent over each column. int64 [column]."""
        total = np.zeros(routes.shape[1], dtype=np.int64)
        for element, (pair, up, down) in self._by_element.items():
            part = routes[pair].tocoo()
            most = np.zeros(routes.shape[1], dtype=np.int64)
            if element[0] == "always":
                np.add.at(total, part.col, up[part.row])
                np.add.at(total, part.col ^ 1, down[part.row])
                continue
            columns = np.concatenate([part.col, part.col ^ 1])
            np.maximum.at(most, columns, np.concatenate([up[part.row], down[part.row]]))
            total += most
        return total

    def bound_of_pairs(self) -> Ints:
        """At least the most that can be sent between each pair, both ways together. int64 [pair]."""
        total = np.zeros(len(self.source), dtype=np.int64)
        for element, (pair, up, down) in self._by_element.items():
            most = np.zeros(len(self.source), dtype=np.int64)
            if element[0] == "always":
                np.add.at(most, pair, up + down)
            else:
                np.maximum.at(most, pair, up + down)
            total += most
        return total

    @cached_property
    def _by_element(self) -> dict[tuple[str, int], tuple[Ints, Ints, Ints]]:
        """Pairs and traffic of each element."""
        found: dict[tuple[str, int], tuple[Ints, Ints, Ints]] = {}
        for always in (True, False):
            mine = (self.option == NONE) == always
            for element in np.unique(self.element[mine]).tolist():
                rows = np.flatnonzero(mine & (self.element == element))
                found["always" if always else "option", element] = self.pair[rows], self.up[rows], self.down[rows]
        for number, leg in enumerate(self.pairs):
            pair = np.unique(leg.number[leg.number != NONE])
            same = np.ones(len(pair), dtype=np.int64)
            found["both", number] = pair, same * leg.up, same * leg.down
        return found


def sending_of(problem: Problem, options: Options, t: int) -> Sending:
    """What options send in a period."""
    found = _Collected(problem, options, t)
    found.users()
    found.replicas()
    for interface in interfaces_of(problem):
        if t in interface.periods and (interface.up or interface.down):
            found.interface(interface)
    return found.sending()


class _Collected:
    """Traffic of one period on its way to a ``Sending``."""

    def __init__(self, problem: Problem, options: Options, t: int) -> None:
        self.problem, self.options, self.t = problem, options, t
        self.node = problem.sites.nodes("node")
        self.attached = network_of(problem).attached
        self.active = problem.active[:, t]
        self.rows_of = RowsOf(problem, options)
        self.elements = 0
        self.ends: list[tuple[Ints, Ints]] = []
        self.parts: list[tuple[Ints, Ints, Ints, Ints]] = []
        self.legs: list[tuple[int, int, Ints, Ints, tuple[Ints, ...], tuple[Ints, ...], tuple[Ints, ...], int]] = []

    def users(self) -> None:
        """From users to sites and back."""
        table = self.problem.workloads
        up, down = kbps(table, "mbps_up"), kbps(table, "mbps_down")
        sends = self.active & (up + down > 0)
        if not sends.any():
            return
        options = self.options
        rows = np.flatnonzero(sends[options.workload])
        workload = options.workload[rows]
        users = self.problem.inventory.table("organisations").nodes("node")[table.refs("organisation")]
        self._linear(
            (options.option[rows], workload),
            (users[workload], self.node[options.site[rows]]),
            up[workload],
            down[workload],
        )

    def replicas(self) -> None:
        """From a primary to its replica."""
        rate, primary = kbps(self.problem.workloads, "replica_mbps"), self.problem.primary
        copies = np.flatnonzero(self.active & (primary >= 0) & (rate > 0))
        for w in copies[self.active[primary[copies]]].tolist():
            here, there = self.rows_of(np.array([primary[w]])), self.rows_of(np.array([w]))
            option, at, copy_at = np.intersect1d(
                self.options.option[here], self.options.option[there], return_indices=True
            )
            ends = self.node[self.options.site[here[at]]], self.node[self.options.site[there[copy_at]]]
            amount = np.full(len(option), rate[w])
            self._linear((option, np.full(len(option), len(primary) + w)), ends, amount, np.zeros_like(amount))

    def interface(self, interface: Interface) -> None:
        """Each leg of an interface that is in force."""
        rows = {w: self.rows_of(np.array([w])) for w in interface.placed}
        if not all(map(len, rows.values())):
            return
        absent = [w for w in interface.placed if (self.options.absent_workload == w).any()]
        stops = list(zip(interface.workloads, interface.nodes, strict=True))
        for one, other in pairwise(stops):
            self._leg(interface, one, other, (rows, absent))

    def _leg(
        self,
        interface: Interface,
        one: tuple[int, int],
        other: tuple[int, int],
        known: tuple[dict[int, Ints], list[int]],
    ) -> None:
        rows, absent = known
        others = tuple(self.options.option[rows[w]].astype(np.int64) for w in absent if w not in (one[0], other[0]))
        movable = [w for w in (one[0], other[0]) if w != NONE]
        both = (interface.up, interface.down)
        if len(movable) == 1 and not others:
            mine = rows[movable[0]]
            ends = [self.node[self.options.site[mine]] if w != NONE else np.full(len(mine), n) for w, n in (one, other)]
            amount = [np.full(len(mine), rate) for rate in both]
            element = np.full(len(mine), -1 - self.elements)
            self.elements += 1
            self._linear((self.options.option[mine], element), (ends[0], ends[1]), amount[0], amount[1])
        elif not movable and not others and not interface.placed:
            always = np.full(1, NONE)
            self._linear((always, always), (np.array([one[1]]), np.array([other[1]])), *(np.array([r]) for r in both))
        else:
            a, b = self._end(one, rows), self._end(other, rows)
            self.legs.append((*both, a[0], b[0], a[1], b[1], others, len(movable)))

    def _end(self, stop: tuple[int, int], rows: dict[int, Ints]) -> tuple[Ints, tuple[Ints, ...]]:
        """The nodes open to an end, and the options that put it at each."""
        w, n = stop
        if w == NONE:
            return np.array([n]), (np.zeros(0, dtype=np.int64),)
        node = self.node[self.options.site[rows[w]]]
        open_nodes = np.unique(node)
        return open_nodes, tuple(self.options.option[rows[w][node == m]] for m in open_nodes.tolist())

    def _linear(self, who: tuple[Numbers, Numbers], ends: tuple[Ints, Ints], up: Ints, down: Ints) -> None:
        kept = (ends[0] != ends[1]) & self.attached[ends[0]] & self.attached[ends[1]]
        self.ends.append((ends[0][kept], ends[1][kept]))
        option, element = (column[kept].astype(np.int64) for column in who)
        self.parts.append((option, element, up[kept], down[kept]))

    def sending(self) -> Sending:
        """Everything collected, pairs of nodes numbered."""
        none = np.zeros(0, dtype=np.int64)
        size = len(self.problem.inventory.nodes)
        keys = [source.astype(np.int64) * size + target for source, target in self.ends]
        grids = []
        for _, _, a, b, *_ in self.legs:
            known = (a[:, None] != b[None]) & self.attached[a][:, None] & self.attached[b][None]
            grids.append(np.where(known, a[:, None] * size + b[None], NONE))
        every = np.unique(np.concatenate([none, *keys, *(grid[grid != NONE] for grid in grids)]))
        option, element, up, down = (
            np.concatenate([none, *(part[i].astype(np.int64) for part in self.parts)]) for i in range(4)
        )
        pairs = tuple(
            PairSending(number, leg[0], leg[1], self._numbers(every, grid), *leg[4:])
            for number, (leg, grid) in enumerate(zip(self.legs, grids, strict=True))
        )
        pair = np.searchsorted(every, np.concatenate([none, *keys]))
        return Sending(every // size, every % size, option, element, pair, up, down, pairs)

    def _numbers(self, every: Ints, grid: Ints) -> Ints:
        found = np.searchsorted(every, np.maximum(grid, 0))
        return np.where(grid == NONE, NONE, found)
