"""The network of one period as arrays: circuits that exist, neighbours of each node, and quickest routes from roots.

A route is unique: of equally quick ones that with fewest circuits, then, from its start on, the first circuits by id.
So the same input gives the same routes, whichever way they are found.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import dijkstra

from capplan.network.trips import HOP
from capplan.units import Bools, Ints

FAR = np.int64(2**62)
"""Length of a route that does not exist."""

NONE = -1


@dataclass(frozen=True)
class Graph:
    """Nodes and circuits. ``a``, ``b``, ``us`` int64, ``usable`` bool [circuit]; ``nodes`` is their number."""

    nodes: int
    a: Ints
    b: Ints
    us: Ints
    usable: Bools

    @cached_property
    def length(self) -> Ints:
        """What each circuit adds to a route. int64 [circuit]."""
        return np.asarray(self.us * HOP + 1)

    @cached_property
    def adjacency(self) -> tuple[Ints, Ints, Ints]:
        """First neighbour of each node [node + 1], neighbours and the circuits to them [k], in order of circuits."""
        circuit = np.tile(np.flatnonzero(self.usable), 2)
        half = len(circuit) // 2
        here = np.concatenate([self.a[circuit[:half]], self.b[circuit[half:]]])
        there = np.concatenate([self.b[circuit[:half]], self.a[circuit[half:]]])
        order = np.lexsort((circuit, here))
        start = np.searchsorted(here[order], np.arange(self.nodes + 1))
        return start.astype(np.int64), there[order], circuit[order]

    def other_end(self, circuit: Ints, node: Ints) -> Ints:
        """The other end of circuits that end at ``node``. int64 [k]."""
        return np.where(self.a[circuit] == node, self.b[circuit], self.a[circuit])

    def without(self, circuits: Ints, node: int = NONE) -> Graph:
        """The graph after a loss of circuits, and of all that end at a node."""
        usable = self.usable.copy()
        usable[circuits] = False
        if node != NONE:
            usable &= (self.a != node) & (self.b != node)
        return Graph(self.nodes, self.a, self.b, self.us, usable)

    @cached_property
    def component(self) -> Ints:
        """Nodes with equal numbers can reach one another. int64 [node]."""
        chosen = np.flatnonzero(self.usable)
        links = sp.csr_array((np.ones(len(chosen)), (self.a[chosen], self.b[chosen])), shape=(self.nodes, self.nodes))
        return np.asarray(sp.csgraph.connected_components(links, directed=False)[1], dtype=np.int64)


@dataclass(frozen=True)
class Trees:
    """Quickest routes from every node to some roots.

    ``roots`` int64 [root]; ``length`` int64 [root, node], FAR without a route; ``circuit`` int64 [root, node]: the
    first circuit of the way to the root, NONE at the root itself and where there is no route.
    """

    graph: Graph
    roots: Ints
    length: Ints
    circuit: Ints

    def us(self, root: int, node: int) -> int:
        """Round trip in microseconds, -1 without a route."""
        length = int(self.length[root, node])
        return length // HOP if length < FAR else -1

    def through(self, flagged: Bools) -> Bools:
        """Whether a flagged node lies strictly between each node and each root. bool [root, node]."""
        found = np.zeros(self.length.shape, dtype=np.bool_)
        hops = np.where(self.length < FAR, self.length % HOP, 0)
        for root in range(len(self.roots)):
            for level in range(2, int(hops[root].max(initial=0)) + 1):
                node = np.flatnonzero(hops[root] == level)
                before = self.graph.other_end(self.circuit[root, node], node)
                found[root, node] = found[root, before] | flagged[before]
        return found

    def path(self, root: int, node: int) -> list[int]:
        """Circuits of the route from a node to a root, in this order; empty at the root."""
        found = []
        circuit = int(self.circuit[root, node])
        while circuit != NONE:
            found.append(circuit)
            node = int(self.graph.b[circuit] if self.graph.a[circuit] == node else self.graph.a[circuit])
            circuit = int(self.circuit[root, node])
        return found


def trees_of(graph: Graph, roots: Ints) -> Trees:
    """Quickest routes to ``roots`` int64 [root]."""
    length = _lengths(graph, roots)
    return Trees(graph, roots, length, _first_circuits(graph, length))


def _lengths(graph: Graph, roots: Ints) -> Ints:
    chosen = np.flatnonzero(graph.usable)
    low, high = np.minimum(graph.a, graph.b)[chosen], np.maximum(graph.a, graph.b)[chosen]
    # Of parallel circuits the quickest: a sparse matrix would add them up.
    order = np.lexsort((graph.length[chosen], high, low))
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = (np.diff(low[order]) != 0) | (np.diff(high[order]) != 0)
    best = order[first]
    weight = graph.length[chosen[best]].astype(np.float64)
    links = sp.csr_array((weight, (low[best], high[best])), shape=(graph.nodes, graph.nodes))
    if not len(roots):
        return np.zeros((0, graph.nodes), dtype=np.int64)
    found = dijkstra(links, directed=False, indices=roots).reshape(len(roots), graph.nodes)
    known = np.isfinite(found)
    return np.where(known, np.where(known, found, 0).astype(np.int64), FAR)


def _first_circuits(graph: Graph, length: Ints) -> Ints:
    """The first circuit by id among those that begin a quickest route. int64 [root, node]."""
    start, there, circuit = graph.adjacency
    here = np.repeat(np.arange(graph.nodes), np.diff(start))
    found = np.full(length.shape, NONE, dtype=np.int64)
    for root in range(len(length)):
        on = (length[root, there] < FAR) & (length[root, there] + graph.length[circuit] == length[root, here])
        # Backwards, so that the first circuit of each node is what stays.
        found[root, here[on][::-1]] = circuit[on][::-1]
    return found
