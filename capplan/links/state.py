"""The network while its circuits stay the same: routes, what can fail, and where information may pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from capplan.inventory import Inventory
from capplan.links.interface import NONE
from capplan.network import Network
from capplan.network.diversity import Diversity, points_of_failure
from capplan.network.failures import Failure
from capplan.network.graph import FAR, Graph, Trees, trees_of
from capplan.problem import Problem
from capplan.problem.trips import network_of, network_states
from capplan.units import Bools, Ints

LARGEST_UNASKED = 400
"""Circuits up to which two disjoint paths are looked for although no interface asks for them."""


@dataclass(frozen=True)
class Route:
    """A way between two nodes.

    ``us`` round trip, -1 without a way. ``circuits`` and ``nodes`` (both ends included) in order. ``straight``: an end
    has no circuit, so the straight distance stands in for the way.
    """

    us: int
    estimated: bool
    circuits: tuple[int, ...]
    nodes: tuple[int, ...]
    straight: bool = False


class State:
    """Circuits that exist throughout some ``periods``, with everything the checks ask of them."""

    def __init__(self, network: Network, existing: Bools, periods: Sequence[int]) -> None:
        self.network = network
        self.inventory: Inventory = network.inventory
        self.periods = tuple(periods)
        self._existing = existing
        self._trees: dict[int, tuple[Trees, int]] = {}
        self._diverse: dict[tuple[int, int], bool | None] = {}
        self._without: dict[Failure, Ints] = {}

    @cached_property
    def graph(self) -> Graph:
        """The circuits that can be used now."""
        table = self.inventory.table("circuits")
        usable = self.network.usable(self._existing)
        us = np.maximum(self.network.circuit_us, 0)
        return Graph(len(self.inventory.nodes), table.nodes("a"), table.nodes("b"), us, usable)

    @cached_property
    def names(self) -> list[str]:
        """Names of circuits."""
        return self.inventory.table("circuits").ids

    def prepare(self, roots: Sequence[int]) -> Trees:
        """Routes to many nodes at once. Returns the trees, one a root, in order."""
        trees = trees_of(self.graph, np.array(roots, dtype=np.int64))
        self._trees.update({root: (trees, number) for number, root in enumerate(roots)})
        return trees

    def tree(self, root: int) -> tuple[Trees, int]:
        """Trees that hold the routes to a node, and its number in them."""
        if root not in self._trees:
            self.prepare([root])
        return self._trees[root]

    def us(self, sources: Ints, targets: Ints) -> Ints:
        """Round trips in µs, -1 where there is no way. int64 [source, target]."""
        return self.network.round_trips(sources, targets, self._existing).us

    def route(self, source: int, target: int) -> Route:
        """The quickest way."""
        if source == target:
            return Route(0, False, (), (source,))
        attached = self.network.attached
        if not (attached[source] and attached[target]):
            us = self.us(np.array([source]), np.array([target]))[0, 0]
            return Route(int(us), True, (), (source, target), straight=True)
        trees, root = self.tree(target)
        if trees.length[root, source] >= FAR:
            return Route(-1, False, (), (source, target))
        circuits, nodes = trees.path(root, source), [source]
        for circuit in circuits:
            a, b = int(self.graph.a[circuit]), int(self.graph.b[circuit])
            nodes.append(b if a == nodes[-1] else a)
        estimated = not bool(self.network.measured[circuits].all())
        return Route(trees.us(root, source), estimated, tuple(circuits), tuple(nodes))

    # -- failures -----------------------------------------------------------------------------------------

    @cached_property
    def risks(self) -> dict[int, tuple[int, ...]]:
        """Numbers of the shared risks of each usable circuit that names some."""
        number = {name: i for i, name in enumerate(self.risk_names)}
        words = self.inventory.table("circuits").words("shared_risks")
        usable = np.flatnonzero(self.graph.usable).tolist()
        return {c: tuple(number[word] for word in words[c]) for c in usable if words[c]}

    @cached_property
    def risk_names(self) -> list[str]:
        """Shared risks by name."""
        return sorted({word for words in self.inventory.table("circuits").words("shared_risks") for word in words})

    @cached_property
    def failures(self) -> list[Failure]:
        """Every single failure: shared risks, sites and other nodes, operators, circuits."""
        return [*self.risk_failures, *self._node_failures(), *self._operator_failures(), *self._circuit_failures()]

    @cached_property
    def risk_failures(self) -> list[Failure]:
        """The loss of each shared risk that any usable circuit names."""
        members: dict[int, list[int]] = {}
        for circuit, groups in self.risks.items():
            for group in groups:
                members.setdefault(group, []).append(circuit)
        return [Failure("shared risk", self.risk_names[g], tuple(members[g])) for g in sorted(members)]

    def _node_failures(self) -> list[Failure]:
        """Nodes that something can pass: those with two circuits or more, and every site."""
        usable = self.graph.usable
        degree = np.bincount(np.concatenate([self.graph.a[usable], self.graph.b[usable]]), minlength=self.graph.nodes)
        site = self.site_at >= 0
        chosen = np.flatnonzero((degree >= 2) | (site & (degree >= 1))).tolist()
        return [Failure("site" if site[n] else "node", self.inventory.nodes[n], (), n) for n in chosen]

    def _operator_failures(self) -> list[Failure]:
        members: dict[str, list[int]] = {}
        for circuit, name in enumerate(self.inventory.table("circuits").text("operator")):
            if name and self.graph.usable[circuit]:
                members.setdefault(name, []).append(circuit)
        return [Failure("operator", name, tuple(members[name])) for name in sorted(members)]

    def _circuit_failures(self) -> list[Failure]:
        return [Failure("circuit", self.names[c], (c,)) for c in np.flatnonzero(self.graph.usable).tolist()]

    @cached_property
    def site_at(self) -> Ints:
        """A site at each node, -1 where none is. int64 [node]."""
        found = np.full(len(self.inventory.nodes), NONE, dtype=np.int64)
        sites = self.inventory.table("sites")
        found[sites.nodes("node")[::-1]] = np.arange(len(sites))[::-1]
        return found

    @cached_property
    def accepted(self) -> frozenset[int]:
        """Nodes on which everything may hang."""
        table = self.inventory.table("nodes")
        return frozenset(table.nodes("node")[table.flags("accepted_single_point")].tolist())

    @cached_property
    def survivable(self) -> list[Failure]:
        """What an interface that asks for it must survive: every shared risk, and every site or device in between."""
        points = {number for kind, number in points_of_failure(self.graph) if kind == "node"}
        nodes = [f for f in self._node_failures() if f.node in points and f.node not in self.accepted]
        return [*self.risk_failures, *nodes]

    def component(self, failure: Failure) -> Ints:
        """Nodes with equal numbers still reach one another after a failure. int64 [node]."""
        if failure not in self._without:
            gone = np.array(failure.circuits, dtype=np.int64)
            self._without[failure] = self.graph.without(gone, failure.node).component
        return self._without[failure]

    def cut_by(self, source: int, target: int) -> list[Failure]:
        """What of ``survivable`` parts two nodes, neither of which it is."""
        return [
            failure
            for failure in self.survivable
            if failure.node not in (source, target)
            and self.component(failure)[source] != self.component(failure)[target]
        ]

    # -- diversity and zones ------------------------------------------------------------------------------

    @cached_property
    def _diversity(self) -> Diversity:
        return Diversity(self.graph, self.risks, sorted(self.accepted))

    def disjoint(self, source: int, target: int, *, asked: bool) -> bool | None:
        """Whether two paths share nothing (accepted nodes apart); None: not determined.

        Nobody looks in networks of more than LARGEST_UNASKED circuits unless ``asked`` to.
        """
        if not asked and self.graph.usable.sum() > LARGEST_UNASKED:
            return None
        pair = min(source, target), max(source, target)
        if pair not in self._diverse:
            self._diverse[pair] = self._diversity.disjoint(*pair)
        return self._diverse[pair]

    def refuses(self, zone: str) -> Bools:
        """Nodes that do not take a zone: of a site by its zones, of another node by its own. bool [node]."""
        refused = np.zeros(len(self.inventory.nodes), dtype=np.bool_)
        if not zone:
            return refused
        for name in ("nodes", "sites"):
            table = self.inventory.table(name)
            refused[table.nodes("node")] = [bool(words) and zone not in words for words in table.words("zones")]
        return refused


def states_of(problem: Problem) -> list[State]:
    """The states of the network over the horizon."""
    return problem.shared("link states", lambda: _states(problem))


def _states(problem: Problem) -> list[State]:
    network = network_of(problem)
    return [State(network, existing, periods) for existing, periods in network_states(problem)]
