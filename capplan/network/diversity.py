"""Paths that share nothing: two routes without a node, a circuit or a shared risk in common.

Every circuit is a node of its own here (site – circuit – site), because networkx loses parallel circuits otherwise: its
``bridges`` of a simple graph and its ``edge_disjoint_paths`` of a multigraph both count two circuits as one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeAlias

import networkx as nx
import numpy as np

from capplan.network.graph import Graph

Vertex: TypeAlias = tuple[str, int]
"""``("node", n)`` or ``("circuit", c)``."""

MOST_PATHS = 5_000
"""Most paths looked at for one pair: with groups of shared risks the question is NP-complete."""

MOST_CIRCUITS = 2_000
"""Circuits between two ends beyond which no pair of paths with shared risks is searched for."""


def circuit_graph(graph: Graph) -> nx.Graph[Vertex]:
    """Nodes and usable circuits as one simple graph; isolated nodes are there, too."""
    found: nx.Graph[Vertex] = nx.Graph()
    found.add_nodes_from(("node", n) for n in range(graph.nodes))
    for c in np.flatnonzero(graph.usable).tolist():
        found.add_edge(("node", int(graph.a[c])), ("circuit", c))
        found.add_edge(("circuit", c), ("node", int(graph.b[c])))
    return found


def points_of_failure(graph: Graph) -> set[Vertex]:
    """Nodes and circuits whose loss alone parts others that can reach one another now."""
    return set(nx.articulation_points(circuit_graph(graph)))


class Diversity:
    """Answers for one graph. ``risks`` maps a circuit to the groups it fails with; ``accepted`` nodes may be shared."""

    def __init__(self, graph: Graph, risks: Mapping[int, Sequence[int]], accepted: Sequence[int] = ()) -> None:
        self._whole = circuit_graph(graph)
        self._component = graph.component
        self._risks = risks
        self._accepted = frozenset(("node", n) for n in accepted)
        self._sharing: dict[int, set[int]] = {}
        for circuit, groups in risks.items():
            for group in groups:
                self._sharing.setdefault(group, set()).add(circuit)

    def disjoint(self, source: int, target: int) -> bool | None:
        """Whether two paths share no node, circuit or risk; None where that was not determined.

        Ends that are one node need no path.
        """
        if source == target:
            return True
        if self._component[source] != self._component[target]:
            return False
        start, end = ("node", source), ("node", target)
        part = self._between(start, end)
        first = self._node_disjoint(part, start, end)
        if len(first) < 2:
            return False
        if not any(self._shared_by(path) & self._circuits(other) for path in first for other in first if path != other):
            return True
        if sum(kind == "circuit" for kind, _ in part) > MOST_CIRCUITS:
            return None
        return self._by_enumeration(part, start, end)

    def _between(self, start: Vertex, end: Vertex) -> nx.Graph[Vertex]:
        """The part of the graph on some path between two ends; accepted nodes stand twice: both paths may pass."""
        reached = nx.node_connected_component(self._whole, start)
        part: nx.Graph[Vertex] = nx.Graph(self._whole.subgraph(reached))
        for vertex in sorted((self._accepted & part.nodes) - {start, end}):
            twin = ("twin", vertex[1])
            part.add_edges_from((twin, other) for other in list(part[vertex]))
        return part

    def _node_disjoint(self, part: nx.Graph[Vertex], start: Vertex, end: Vertex) -> list[list[Vertex]]:
        try:
            return [list(path) for path in islice(nx.node_disjoint_paths(part, start, end), 2)]
        except nx.NetworkXNoPath:
            return []

    def _by_enumeration(self, part: nx.Graph[Vertex], start: Vertex, end: Vertex) -> bool | None:
        for number, path in enumerate(self._paths(part, start, end)):
            if number == MOST_PATHS:
                return None
            gone = {("circuit", c) for c in self._shared_by(path)} | set(path[1:-1])
            rest = part.subgraph(v for v in part if v not in gone)
            if nx.has_path(rest, start, end):
                return True
        return False

    def _paths(self, part: nx.Graph[Vertex], start: Vertex, end: Vertex) -> Iterator[list[Vertex]]:
        """Every simple path, the shortest first."""
        yield from nx.shortest_simple_paths(part, start, end)

    def _circuits(self, path: Sequence[Vertex]) -> set[int]:
        return {number for kind, number in path if kind == "circuit"}

    def _shared_by(self, path: Sequence[Vertex]) -> set[int]:
        """Circuits that fail together with some circuit of a path, its own included."""
        found = self._circuits(path)
        for circuit in list(found):
            for group in self._risks.get(circuit, ()):
                found |= self._sharing[group]
        return found
