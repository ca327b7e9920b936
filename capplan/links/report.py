"""Every check of every link under a placement: interfaces, ways of users, circuits, points of failure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

import numpy as np

from capplan.links import checks
from capplan.links.interface import NONE, Interface, interfaces_of
from capplan.links.row import FAIL, PASS, WARN, Check, worst
from capplan.links.standards import standard_check
from capplan.links.state import State, states_of
from capplan.links.traffic import Carried, Placement, carried, flows_of, path_name
from capplan.network.failures import Failure
from capplan.problem import Problem
from capplan.units import Ints

FULL, BUSY = Fraction(1), Fraction(3, 4)
"""Shares of a circuit's capacity: more than the first fails, more than the second warns (NHS guidance)."""


@dataclass(frozen=True)
class Report:
    """The checks of a placement; ``site`` int64 [workload], NONE where a workload is nowhere.

    ``only``, where given, is the one interface that counts; ``reach`` see ``Placement``.
    """

    problem: Problem
    site: Ints
    only: Interface | None = None
    reach: Sequence[tuple[int, int]] | None = None

    @cached_property
    def placement(self) -> Placement:
        """Where everything is."""
        return Placement(self.problem, self.site, self.reach)

    @cached_property
    def states(self) -> list[State]:
        """States of the network."""
        return states_of(self.problem)

    @cached_property
    def interfaces(self) -> list[Interface]:
        """Interfaces of the inventory."""
        return interfaces_of(self.problem) if self.only is None else [self.only]

    @cached_property
    def loads(self) -> list[Carried]:
        """What is carried in each period, equal periods once."""
        found: list[Carried] = []
        for state in self.states:
            seen: list[object] = []
            for t in state.periods:
                flows = flows_of(self.placement, self.interfaces, self.problem.active[:, t], t)
                if flows not in seen:
                    seen.append(flows)
                    found.append(carried(state, t, flows))
        return found

    @cached_property
    def rows(self) -> list[Check]:
        """Every check: interfaces first, then ways of users, then circuits and points of failure."""
        if not len(self.problem.inventory.table("circuits")) and not self.interfaces:
            return []
        found = [check for interface in self.interfaces for check in self.interface(interface)]
        return [*found, *self.paths(), *self.circuits(), *points_of(self.cut)]

    # -- interfaces ---------------------------------------------------------------------------------------

    def interface(self, interface: Interface) -> list[Check]:
        """The checks of one interface."""
        stops, name = self.placement.stops(interface), interface.name
        standard = standard_check(self.problem, interface)
        missing = [self.problem.workloads.ids[w] for w in interface.placed if self.placement.node[w] == NONE]
        if missing:
            return [Check(name, "exists", WARN, note=f"{checks.listed(missing)} has no site"), standard]
        if not interface.periods:
            note = "its ends are never active in the same period"
            return [Check(name, "exists", WARN, note=note), standard]
        by_state = [
            self._on_network(interface, stops, state)
            for state in self.states
            if set(state.periods) & set(interface.periods)
        ]
        lists = [[standard], *by_state]
        return [_worst_of(column, lists) for column in _columns(lists)]

    def _on_network(self, interface: Interface, stops: tuple[int, ...], state: State) -> list[Check]:
        found, known = checks.of_way(state, interface, stops, self._when(state))
        if known:
            path, sends = found[0].path, bool(interface.up or interface.down)
            found += [
                self._bandwidth(interface.name, state, path, sends),
                self._single_points(interface, state, path),
            ]
        return found

    def _when(self, state: State) -> str:
        """The periods of a state in words, where it is not the only one."""
        if len(self.states) == 1:
            return ""
        return f" in {checks.listed(self.problem.periods.text(t) for t in state.periods)}"

    def _single_points(self, interface: Interface, state: State, path: str) -> Check:
        cut, accepted = self._cutting(interface.name, state)
        engines = [
            w for w in interface.placed if w in interface.workloads[1:-1] and not self._has_replica(w, interface)
        ]
        alone = [f"engine {self.problem.workloads.ids[w]}" for w in engines]
        ended = [str(failure) for failure in self._ending(interface, state)]
        return checks.single_points(interface.name, [*cut, *ended, *alone], accepted, path)

    def _has_replica(self, w: int, interface: Interface) -> bool:
        copy = int(self.problem.first_replica[w])
        if copy < 0 or self.placement.node[copy] in (NONE, self.placement.node[w]):
            return False
        return bool(self.problem.active[copy, list(interface.periods)].all())

    def _ending(self, interface: Interface, state: State) -> Iterator[Failure]:
        """Sites whose loss takes a workload of the interface along, and no replica goes on with a way to the others."""
        stops = self.placement.stops(interface)
        for failure in state.failures:
            if failure.kind != "site" or failure.node not in stops:
                continue
            left = [self._after(interface, stop, failure.node) for stop in range(len(stops))]
            component = state.component(failure)
            if NONE in left or len({int(component[n]) for n in left}) > 1:
                yield failure

    def _after(self, interface: Interface, stop: int, lost: int) -> int:
        """Node of a stop once a node is lost: that of its first replica, where it was there; NONE: it is down."""
        w, node = interface.workloads[stop], self.placement.stops(interface)[stop]
        if node != lost:
            return node
        if w == NONE or not self._has_replica(w, interface):
            return NONE
        return int(self.placement.node[self.problem.first_replica[w]])

    # -- what failures cut --------------------------------------------------------------------------------

    @cached_property
    def cut(self) -> dict[str, dict[State, dict[int, None]]]:
        """Failures that part the ends of flows, by name of the flow and state."""
        found: dict[str, dict[State, dict[int, None]]] = {}
        for one in self.loads:
            for flow, failures in one.cut.items():
                seen = found.setdefault(one.flows[flow].what, {}).setdefault(one.state, {})
                seen.update(dict.fromkeys(failures))
        return found

    def _cutting(self, name: str, state: State) -> tuple[list[str], list[str]]:
        """What cuts a link, and what of it is accepted."""
        failures = [state.failures[f] for f in sorted(self.cut.get(name, {}).get(state, {}))]
        taken = [failure for failure in failures if failure.node in state.accepted]
        return [str(f) for f in failures if f not in taken], [str(f) for f in taken]

    # -- ways of users ------------------------------------------------------------------------------------

    def paths(self) -> Iterator[Check]:
        """The checks of each way from an organisation's users to a site."""
        problem, placement = self.problem, self.placement
        owner, limits = problem.workloads.refs("organisation"), problem.workloads.decimals("max_rtt_ms")
        limit = np.where(limits.given, limits.rounded(Fraction(1, 1000), "down"), np.iinfo(np.int64).max)
        pairs: dict[tuple[int, int], list[int]] = {}
        for w, s in placement.pairs:
            if problem.active[w].any():
                pairs.setdefault((int(owner[w]), s), []).append(w)
        names, sites = problem.inventory.table("organisations").ids, problem.sites.ids
        nodes = problem.sites.nodes("node")
        for (o, s), workloads in sorted(pairs.items()):
            name, ends = path_name(names[o], sites[s]), (int(placement.users[workloads[0]]), int(nodes[s]))
            most = int(limit[workloads].min())
            active = np.asarray(problem.active[workloads].any(axis=0))
            by_state = [
                self._path(name, ends, most if most < np.iinfo(np.int64).max else NONE, state)
                for state in self.states
                if active[list(state.periods)].any()
            ]
            yield from (_worst_of(column, by_state) for column in _columns(by_state))

    def _path(self, name: str, ends: tuple[int, int], limit: int, state: State) -> list[Check]:
        routes = [state.route(*ends)]
        first = checks.exists(state, name, routes, self._when(state))
        if first.status == FAIL:
            return [first]
        found = [first, checks.round_trip(name, routes, 0, limit, first.path)]
        if routes[0].straight:
            return found
        cut, accepted = self._cutting(name, state)
        sent = name in self._sending
        return [
            *found,
            self._bandwidth(name, state, first.path, sent),
            self._path_survives(name, state, first.path),
            checks.disjoint(state, name, [ends], False, first.path),
            checks.single_points(name, cut, accepted, first.path),
        ]

    def _path_survives(self, name: str, state: State, path: str) -> Check:
        """As for interfaces, read off what failures do to all ways at once."""
        failures = [state.failures[f] for f in sorted(self.cut.get(name, {}).get(state, {}))]
        wanted = [f for f in failures if f.kind in ("shared risk", "site", "node") and f.node not in state.accepted]
        note = f"cut by loss of {checks.listed(map(str, wanted))}" if wanted else ""
        count = Fraction(len(wanted))
        return Check(
            name,
            "survives",
            WARN if wanted else PASS,
            count,
            Fraction(0),
            "shared risks and places that cut it",
            path,
            note,
        )

    # -- bandwidth ----------------------------------------------------------------------------------------

    def _bandwidth(self, name: str, state: State, path: str, sends: bool) -> Check:
        """The fullest circuit that the link goes over, in any state."""
        if not sends:
            return Check(name, "bandwidth", PASS, path=path, note="no traffic is given")
        best = self._fullest.get(name)
        if best is None:
            return Check(name, "bandwidth", PASS, path=path, note="no capacity is given on its way")
        note = f"{best.link}{', ' + best.note if best.note else ''}"
        return replace(best, link=name, path=path, note=note)

    @cached_property
    def _fullest(self) -> dict[str, Check]:
        """The fullest circuit that each flow goes over normally, the first of equals."""
        found: dict[str, Check] = {}
        for check, flows in self._circuit_checks:
            for name in flows:
                if name not in found or _share(check) > _share(found[name]):
                    found[name] = check
        return found

    @cached_property
    def _sending(self) -> frozenset[str]:
        """Flows that send anything in any period."""
        return frozenset(flow.what for one in self.loads for flow in one.flows if flow.up or flow.down)

    @cached_property
    def _circuit_checks(self) -> list[tuple[Check, frozenset[str]]]:
        """Each circuit and direction that carries something: its check, and the flows that go over it normally."""
        found: dict[tuple[int, int], Check] = {}
        over: dict[tuple[int, int], set[str]] = {}
        capacity = capacity_of(self.problem)
        for one in self.loads:
            for flow, way in _ways(one):
                for circuit, direction in way:
                    over.setdefault((circuit, direction), set()).add(one.flows[flow].what)
            for circuit, direction in zip(*np.nonzero((one.effects.worst > 0) & (capacity >= 0)), strict=True):
                key = int(circuit), int(direction)
                check = _circuit_check(self.problem, one, *key, int(capacity[key]))
                if key not in found or _share(check) > _share(found[key]):
                    found[key] = check
        return [(found[key], frozenset(over.get(key, ()))) for key in sorted(found)]

    def circuits(self) -> list[Check]:
        """What each circuit carries in each direction, where that is limited."""
        return [check for check, _ in self._circuit_checks]


def points_of(cut: Mapping[str, Mapping[State, Mapping[int, None]]]) -> list[Check]:
    """What alone takes links down, each with the links; accepted ones pass."""
    links: dict[tuple[int, str], dict[str, None]] = {}
    accepted: set[str] = set()
    for name, by_state in cut.items():
        for state, failures in by_state.items():
            for failure in (state.failures[number] for number in failures):
                links.setdefault((_RANK[failure.kind], str(failure)), {})[name] = None
                if failure.node in state.accepted:
                    accepted.add(str(failure))
    found = []
    for (_, name), names in sorted(links.items()):
        taken = name in accepted
        note = ("accepted; " if taken else "") + f"cuts {checks.listed(sorted(names))}"
        count = Fraction(len(names))
        found.append(Check(name, "point_of_failure", PASS if taken else WARN, count, None, "links cut", note=note))
    return found


_RANK = {"shared risk": 0, "site": 1, "node": 2, "operator": 3, "circuit": 4}


def _share(check: Check) -> Fraction:
    return (check.measured or Fraction(0)) / check.limit if check.limit else Fraction(0)


def capacity_of(problem: Problem) -> Ints:
    """Capacity of circuits a→b and b→a in kbit/s, rounded down; -1 where none is given. int64 [circuit, 2]."""
    table = problem.inventory.table("circuits")
    there, back = table.decimals("mbps"), table.decimals("mbps_back")
    to_b = np.where(there.given, there.rounded(Fraction(1, 1000), "down"), NONE)
    to_a = np.where(back.given, back.rounded(Fraction(1, 1000), "down"), to_b)
    return np.stack([to_b, to_a], axis=1)


def circuit_name(problem: Problem, circuit: int, direction: int) -> str:
    """A circuit in one direction (0: a to b): ``n1 A > N3``."""
    table = problem.inventory.table("circuits")
    a, b = table.text("a")[circuit], table.text("b")[circuit]
    return f"{table.ids[circuit]} {a} > {b}" if direction == 0 else f"{table.ids[circuit]} {b} > {a}"


def _ways(one: Carried) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """The circuits and directions that each flow uses normally: its number, and (circuit, 0 for a→b) pairs."""
    graph = one.state.graph
    for number, flow in enumerate(one.flows):
        if not (flow.up or flow.down):
            continue
        way, node = [], flow.source
        for circuit in one.state.route(flow.source, flow.target).circuits:
            there = 0 if graph.a[circuit] == node else 1
            node = int(graph.b[circuit] if there == 0 else graph.a[circuit])
            way += [(circuit, side) for side, rate in ((there, flow.up), (1 - there, flow.down)) if rate]
        yield number, way


def _circuit_check(problem: Problem, one: Carried, circuit: int, direction: int, capacity: int) -> Check:
    """Demand against capacity of one direction, in the normal state or the failure that asks most."""
    effects = one.effects
    most, state = int(effects.worst[circuit, direction]), int(effects.state[circuit, direction])
    share = Fraction(most, capacity) if capacity else Fraction(most + 1)
    status = FAIL if share > FULL else WARN if share > BUSY else PASS
    normal = Fraction(int(effects.load[circuit, direction]), 1000)
    note = ""
    if state != NONE:
        note = f"after loss of {one.state.failures[state]}; normally {float(normal):g}"
    link = f"circuit {circuit_name(problem, circuit, direction)}"
    return Check(link, "bandwidth", status, Fraction(most, 1000), Fraction(capacity, 1000), "Mbit/s", note=note)


ORDER = ("exists", "standard", "round_trip", "bandwidth", "survives", "disjoint", "zone", "encryption", "single_points")


def _columns(lists: Iterable[Sequence[Check]]) -> list[str]:
    """Names of checks that occur, in order."""
    seen = {check.check for found in lists for check in found}
    return [name for name in ORDER if name in seen]


def _worst_of(column: str, lists: Iterable[Sequence[Check]]) -> Check:
    return worst(check for found in lists for check in found if check.check == column)
