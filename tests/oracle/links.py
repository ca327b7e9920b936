"""What links a plan breaks, by looking at every simple path and every failure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from itertools import combinations, pairwise
from math import ceil
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.oracle.cells import Row, cell, lifetime, names, number

if TYPE_CHECKING:
    from tests.oracle.oracle import Oracle
    from tests.oracle.rules import State

Circuits = list[Row]


class Path(NamedTuple):
    """A simple path: circuits in order, and the nodes on it, both ends included."""

    circuits: tuple[str, ...]
    nodes: tuple[str, ...]


def links(oracle: Oracle, plan: State) -> Iterator[tuple[Any, ...]]:
    """Interfaces in force that may not be where they are, and circuits that carry too much."""
    look = _Look(oracle)
    for t in range(len(oracle.periods)):
        flows: list[tuple[str, str, int, int]] = list(look.other_flows(plan, t))
        for row in oracle.tables["interfaces"]:
            stops = look.stops(plan, row, t)
            if stops is None:
                continue
            # What no plan can change is no reason to refuse one.
            ends = {row["source"], *names(row, "via"), row["target"]}
            if ends & set(oracle.workloads) and not look.keeps(row, stops, t):
                yield "links", row["interface"], t
            up, down = look.traffic(row)
            flows += [(a, b, up, down) for a, b in pairwise(stops)]
        yield from (("links", name, t) for name in look.overfull(flows, t))


class _Look:
    """One world's network in each period."""

    def __init__(self, oracle: Oracle) -> None:
        self.oracle = oracle
        rows = oracle.tables["circuits"]
        self.order = sorted(row["circuit"] for row in rows)
        self.rows = {row["circuit"]: row for row in rows}
        self.attached = {end for row in rows for end in (row["a"], row["b"])}
        self.accepted = {r["node"] for r in oracle.tables["nodes"] if cell(r, "accepted_single_point") == "yes"}

    # -- where and when -----------------------------------------------------------------------------------

    def site_node(self, s: str) -> str:
        return cell(self.oracle.sites[s], "node", s)

    def stops(self, plan: State, row: Row, t: int) -> list[str] | None:
        """Nodes of the stops; None while the interface is not in force."""
        period = self.oracle.periods[t]
        if not lifetime(row).both(period).days:
            return None
        found = []
        for end in (row["source"], *names(row, "via"), row["target"]):
            if end in self.oracle.workloads:
                if not self.oracle.active[end][t] or end not in plan.placed:
                    return None
                found.append(self.site_node(plan.placed[end]))
            else:
                found.append(end)
        return found

    def existing(self, t: int) -> Circuits:
        period = self.oracle.periods[t]
        return [row for row in self.rows.values() if lifetime(row).both(period) == period]

    # -- ways ---------------------------------------------------------------------------------------------

    def paths(self, circuits: Iterable[Row], source: str, target: str) -> Iterator[Path]:
        """Every simple path."""
        stack = [Path((), (source,))]
        lines = list(circuits)
        while stack:
            path = stack.pop()
            if path.nodes[-1] == target:
                yield path
                continue
            for row in lines:
                for here, there in ((row["a"], row["b"]), (row["b"], row["a"])):
                    if here == path.nodes[-1] and there not in path.nodes:
                        stack.append(Path((*path.circuits, row["circuit"]), (*path.nodes, there)))

    def length(self, path: Path) -> Fraction:
        network = self.oracle.network
        return sum((network._circuit_us(self.rows[c]) for c in path.circuits), Fraction(0))

    def way(self, circuits: Iterable[Row], source: str, target: str) -> Path | None:
        """The quickest, with fewest circuits, with the first ids from its source on."""
        found = list(self.paths(circuits, source, target))
        return min(found, key=lambda p: (self.length(p), len(p.circuits), p.circuits), default=None)

    # -- one interface ------------------------------------------------------------------------------------

    def keeps(self, row: Row, stops: list[str], t: int) -> bool:
        """Whether an interface may be there."""
        total = Fraction(0)
        for engine in names(row, "via"):
            total += number(self.oracle.workloads[engine], "processing_ms") * 1000
        circuits = self.existing(t)
        for a, b in pairwise(stops):
            us = self._leg(row, circuits, a, b)
            if us is None:
                return False
            total += us
        limit = cell(row, "max_rtt_ms")
        return not limit or total <= Fraction(limit) * 1000

    def _leg(self, row: Row, circuits: Circuits, a: str, b: str) -> Fraction | None:
        """Its round trip; None where it may not be."""
        zone, diverse = self.zone(row), cell(row, "diverse", "none")
        if a == b:
            return Fraction(0) if self.takes(a, zone) else None
        if cell(row, "encrypted") == "no":
            return None
        if not {a, b} <= self.attached:
            straight = self._straight(a, b)
            fine = diverse == "none" and self.takes(a, zone) and self.takes(b, zone)
            return straight if fine else None
        path = self.way(circuits, a, b)
        if path is None or not all(self.takes(node, zone) for node in path.nodes):
            return None
        if diverse != "none" and not self._survives(circuits, a, b):
            return None
        if diverse == "disjoint" and not self._disjoint(circuits, a, b):
            return None
        return self.length(path)

    def _straight(self, a: str, b: str) -> Fraction | None:
        return self.oracle.network.round_trip_us((a, b), ({}, {}), 0)

    def zone(self, row: Row) -> str:
        own = cell(row, "zone")
        for end in (row["source"], row["target"]):
            if not own and end in self.oracle.workloads:
                workload = self.oracle.workloads[end]
                organisation = self.oracle.organisations[workload["organisation"]]
                own = cell(workload, "zone") or cell(organisation, "zone")
        return own

    def takes(self, node: str, zone: str) -> bool:
        """Whether a node takes a zone: a site's zones at the site's node, else those of the node itself."""
        sites = [row for s, row in self.oracle.sites.items() if self.site_node(s) == node]
        rows = sites or [row for row in self.oracle.tables["nodes"] if row["node"] == node]
        zones = names(rows[-1], "zones") if rows else []
        return not zone or not zones or zone in zones

    def _survives(self, circuits: Circuits, a: str, b: str) -> bool:
        risks = {risk for row in circuits for risk in names(row, "shared_risks")}
        nodes = {end for row in circuits for end in (row["a"], row["b"])} - {a, b} - self.accepted
        left = [[row for row in circuits if risk not in names(row, "shared_risks")] for risk in risks]
        left += [[row for row in circuits if node not in (row["a"], row["b"])] for node in nodes]
        return all(any(self.paths(rest, a, b)) for rest in left)

    def _disjoint(self, circuits: Circuits, a: str, b: str) -> bool:
        def risks(path: Path) -> set[str]:
            return {risk for c in path.circuits for risk in names(self.rows[c], "shared_risks")}

        def apart(one: Path, other: Path) -> bool:
            common = set(one.nodes) & set(other.nodes) - {a, b} - self.accepted
            return not (common or set(one.circuits) & set(other.circuits) or risks(one) & risks(other))

        return any(apart(*pair) for pair in combinations(self.paths(circuits, a, b), 2))

    # -- traffic ------------------------------------------------------------------------------------------

    def traffic(self, row: Row) -> tuple[int, int]:
        bits = number(row, "messages_per_day") * number(row, "bytes_per_message") * 8 * number(row, "peak_factor", "1")
        return ceil(number(row, "mbps") * 1000 + bits / 86_400 / 1000), ceil(number(row, "mbps_back") * 1000)

    def other_flows(self, plan: State, t: int) -> Iterator[tuple[str, str, int, int]]:
        """Between users and sites, and between primaries and replicas."""
        oracle = self.oracle
        for w, s in plan.placed.items():
            if not oracle.active[w][t]:
                continue
            row, raw = oracle.workloads[w], self._raw(w)
            users = oracle.organisations[row["organisation"]]
            up, down = (ceil(number(raw, column) * 1000) for column in ("mbps_up", "mbps_down"))
            yield cell(users, "node", users["organisation"]), self.site_node(s), up, down
            primary = cell(row, "replica_of")
            if primary in plan.placed and oracle.active[primary][t]:
                rate = ceil(number(raw, "replica_mbps") * 1000)
                yield self.site_node(plan.placed[primary]), self.site_node(s), rate, 0

    def _raw(self, w: str) -> Row:
        return next(row for row in self.oracle.tables["workloads"] if row["workload"] == w)

    def overfull(self, flows: list[tuple[str, str, int, int]], t: int) -> Iterator[str]:
        """Circuits that carry more than they can, normally or after a single failure."""
        circuits = self.existing(t)
        states = [circuits]
        if self.oracle.rule("links").get("failures", "true") != "false":
            states += self._failures(circuits)
        for rest in states:
            for (name, direction), load in self._loads(rest, flows).items():
                row = self.rows[name]
                capacity = cell(row, "mbps_back") or cell(row, "mbps") if direction else cell(row, "mbps")
                if capacity and load > Fraction(capacity) * 1000:
                    yield name

    def _failures(self, circuits: Circuits) -> list[Circuits]:
        risks = {risk for row in circuits for risk in names(row, "shared_risks")}
        operators = {cell(row, "operator") for row in circuits} - {""}
        nodes = {end for row in circuits for end in (row["a"], row["b"])}
        return [
            *([row for row in circuits if row is not lost] for lost in circuits),
            *([row for row in circuits if risk not in names(row, "shared_risks")] for risk in risks),
            *([row for row in circuits if cell(row, "operator") != name] for name in operators),
            *([row for row in circuits if node not in (row["a"], row["b"])] for node in nodes),
        ]

    def _loads(self, circuits: Circuits, flows: list[tuple[str, str, int, int]]) -> Mapping[tuple[str, int], int]:
        load: Counter[tuple[str, int]] = Counter()
        for a, b, up, down in flows:
            path = self.way(circuits, a, b) if a != b and up + down else None
            for name, here in zip(path.circuits, path.nodes, strict=False) if path else ():
                direction = 0 if self.rows[name]["a"] == here else 1
                load[name, direction] += up
                load[name, 1 - direction] += down
        return load
