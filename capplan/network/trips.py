"""Round trips over the network: circuits as measured, or estimated from their length.

Round trip of a circuit = its measured ``rtt_ms``, else ``2 × km × route_factor × 5 µs + hops × per_hop``; light needs
about 4.9 µs for a kilometre of fibre, the route factor allows for ducts that are longer than the crow flies.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import dijkstra

from capplan.inventory import Inventory, Table
from capplan.units import AT_ONCE, Bools, Floats, Ints, keys

EARTH_RADIUS_KM = 6371.0088
FIBRE_US_PER_KM = 5
UNREACHABLE = -1
HOP = 2**20
"""Round trips are compared in µs × HOP + circuits passed: of equally quick paths the one with fewest circuits wins."""

LIGHT_US_PER_KM = 4.897
"""One way through fibre at 1550 nm: no measured round trip over a distance is shorter than twice this."""


@dataclass(frozen=True)
class RoundTrips:
    """Round trips from some nodes to others.

    ``us`` int64 [source, target], UNREACHABLE where there is no path; ``estimated`` bool [source, target]: some part of
    the path was not measured.
    """

    us: Ints
    estimated: Bools


@dataclass(frozen=True)
class Network:
    """The circuits of an inventory, each with a round trip in whole microseconds.

    ``route_factor`` and ``per_hop_us`` are the parameters of the estimate.
    """

    inventory: Inventory
    route_factor: float
    per_hop_us: int

    @cached_property
    def positions(self) -> Floats:
        """Latitude and longitude of each node in degrees, NaN where unknown. float64 [node, 2]."""
        position = np.full((len(self.inventory.nodes), 2), np.nan)
        for name in ("organisations", "sites", "nodes"):
            table = self.inventory.table(name)
            own = positions_of(table)
            known = ~np.isnan(own).any(axis=1)
            position[table.nodes("node")[known]] = own[known]
        return position

    @cached_property
    def measured(self) -> Bools:
        """Circuits whose round trip was measured. bool [circuit]."""
        return self.inventory.table("circuits").decimals("rtt_ms").given

    @cached_property
    def circuit_us(self) -> Ints:
        """Round trip of each circuit, UNREACHABLE where neither measured nor to be estimated. int64 [circuit]."""
        table = self.inventory.table("circuits")
        rtt, km = table.decimals("rtt_ms"), table.decimals("km")
        straight = self.distance_km(table.nodes("a"), table.nodes("b"))
        length = np.where(km.given, km.mantissa / 10**km.digits, straight)
        guess = self.estimate_us(length, table.counts("hops"))
        exact = (rtt.mantissa * 1000 + 10**rtt.digits // 2) // 10**rtt.digits
        return np.where(rtt.given, exact, guess)

    def distance_km(self, a: Ints, b: Ints) -> Floats:
        """Great-circle distance between nodes, NaN where a position is unknown. float64 [k]."""
        return great_circle_km(self.positions[a], self.positions[b])

    def estimate_us(self, km: Floats, hops: Ints) -> Ints:
        """Estimated round trip in whole microseconds, UNREACHABLE where the length is unknown. int64 [k]."""
        exact = 2 * km * self.route_factor * FIBRE_US_PER_KM + hops * self.per_hop_us
        # Rounding to nanoseconds first keeps the last bits of sines and cosines out of the result.
        whole = np.floor(np.round(np.nan_to_num(exact), 3) + 0.5).astype(np.int64)
        return np.where(np.isnan(exact), UNREACHABLE, whole)

    def quicker_than_light(self) -> list[tuple[int, float]]:
        """Circuits measured shorter than light in fibre needs, each with that least round trip in ms."""
        table = self.inventory.table("circuits")
        km, straight = table.decimals("km"), self.distance_km(table.nodes("a"), table.nodes("b"))
        least = 2 * np.maximum(np.nan_to_num(straight), km.mantissa / 10**km.digits) * LIGHT_US_PER_KM
        found = np.flatnonzero(self.measured & (self.circuit_us < np.floor(least)))
        return [(int(i), float(least[i]) / 1000) for i in found]

    @cached_property
    def attached(self) -> Bools:
        """Nodes at which any circuit ends, whenever it exists. bool [node]."""
        table = self.inventory.table("circuits")
        found = np.zeros(len(self.inventory.nodes), dtype=np.bool_)
        found[table.nodes("a")] = True
        found[table.nodes("b")] = True
        return found

    def round_trips(self, sources: Ints, targets: Ints, existing: Bools) -> RoundTrips:
        """Shortest round trips from ``sources`` int64 [source] to ``targets`` int64 [target].

        They go over the ``existing`` bool [circuit] circuits; between ends of which one has no circuit at all the
        straight distance gives an estimate. A node is at round trip 0 from itself.
        """
        us, estimated = self._straight(sources, targets)
        from_here, to_here = np.flatnonzero(self.attached[sources]), np.flatnonzero(self.attached[targets])
        if len(from_here) and len(to_here):
            found = self._over_circuits(sources[from_here], existing)
            chosen = np.ix_(from_here, to_here)
            number = np.cumsum(self.attached) - 1
            us[chosen] = found.us[:, number[targets[to_here]]]
            estimated[chosen] = found.estimated[:, number[targets[to_here]]]
        return RoundTrips(us, estimated)

    def _over_circuits(self, sources: Ints, existing: Bools) -> RoundTrips:
        """Round trips from nodes with a circuit to all nodes with one. [source, attached node]."""
        usable = self.usable(existing)
        graph, guessed = self._graph(usable)
        start = (np.cumsum(self.attached) - 1)[sources]
        distance, before = dijkstra(graph, indices=start, return_predecessors=True)
        estimated = _along_paths(distance, before.astype(np.int64), guessed)
        known = np.isfinite(distance)
        us = np.where(known, np.where(known, distance, 0) // HOP, UNREACHABLE).astype(np.int64)
        return RoundTrips(us, estimated)

    def _straight(self, sources: Ints, targets: Ints) -> tuple[Ints, Bools]:
        """Estimates from straight distances; a node is at 0 from itself, and that is no estimate. [source, target]."""
        away = sources[:, None] != targets
        us = np.zeros(away.shape, dtype=np.int64)
        at_once = max(1, AT_ONCE // 4 // max(1, len(targets)))
        for first in range(0, len(sources), at_once):
            some = slice(first, first + at_once)
            km = great_circle_km(self.positions[sources[some]][:, None], self.positions[targets][None])
            us[some] = self.estimate_us(km, np.zeros(1, dtype=np.int64))
        return us * away, away

    def usable(self, existing: Bools) -> Bools:
        """Which of the ``existing`` bool [circuit] have a round trip and end at no removed site. bool [circuit]."""
        return existing & (self.circuit_us >= 0) & self._standing

    @cached_property
    def _standing(self) -> Bools:
        """Circuits neither end of which is a removed site. bool [circuit]."""
        table, sites = self.inventory.table("circuits"), self.inventory.table("sites")
        gone = np.zeros(len(self.inventory.nodes), dtype=np.bool_)
        gone[sites.nodes("node")[self.inventory.removed_sites]] = True
        gone[sites.nodes("node")[~self.inventory.removed_sites]] = False
        return np.asarray(~gone[table.nodes("a")] & ~gone[table.nodes("b")])

    def _graph(self, usable: Bools) -> tuple[sp.csr_array, sp.csr_array]:
        """Weights (µs × HOP + 1) of the best circuit of each pair of nodes, and which of them are estimates.

        Both sparse [attached node, attached node].
        """
        table = self.inventory.table("circuits")
        number = np.cumsum(self.attached) - 1
        ends = np.sort(number[np.stack([table.nodes("a"), table.nodes("b")], axis=1)[usable]], axis=1)
        us, guess = self.circuit_us[usable], (~self.measured[usable]).astype(np.int64)
        order = np.lexsort((guess, us, ends[:, 1], ends[:, 0]))
        _, first = np.unique(ends[order], axis=0, return_index=True)
        best = order[first]
        size = int(self.attached.sum())
        both = (
            np.concatenate([ends[best, 0], ends[best, 1]]),
            np.concatenate([ends[best, 1], ends[best, 0]]),
        )
        weight = sp.csr_array((np.tile(us[best] * float(HOP) + 1, 2), both), shape=(size, size))
        return weight, sp.csr_array((np.tile(guess[best], 2), both), shape=(size, size))


def positions_of(table: Table) -> Floats:
    """Latitude and longitude of each row in degrees, NaN where not both are given. float64 [row, 2]."""
    latitude, longitude = table.decimals("latitude"), table.decimals("longitude")
    own = np.stack([latitude.mantissa / 10**latitude.digits, longitude.mantissa / 10**longitude.digits], axis=1)
    own[~(latitude.given & longitude.given)] = np.nan
    return own


def great_circle_km(a: Floats, b: Floats) -> Floats:
    """Great-circle distance (haversine) between positions in degrees, float64 [.., 2]; NaN where one is unknown."""
    start, end = np.radians(a), np.radians(b)
    rise = np.sin((end[..., 0] - start[..., 0]) / 2) ** 2
    turn = np.sin((end[..., 1] - start[..., 1]) / 2) ** 2
    h = rise + np.cos(start[..., 0]) * np.cos(end[..., 0]) * turn
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(1, h))))


def _along_paths(distance: Floats, before: Ints, guessed: sp.csr_array) -> Bools:
    """Whether a circuit of each shortest path is an estimate. bool [source, node]."""
    estimated = np.zeros(distance.shape, dtype=np.bool_)
    edges = guessed.tocoo()
    order = np.argsort(keys(edges.row, len(before.T), edges.col))
    edge, guess = keys(edges.row, len(before.T), edges.col)[order], edges.data[order] > 0
    for nodes in np.argsort(distance, axis=1, kind="stable").T:
        # The nodes that come next from every source: those before them on their paths are done.
        source = np.arange(len(nodes))
        prior = before[source, nodes]
        source, node, prior = source[prior >= 0], nodes[prior >= 0], prior[prior >= 0]
        last = guess[np.searchsorted(edge, keys(prior, len(before.T), node))] if len(node) else np.zeros(0, np.bool_)
        estimated[source, node] = estimated[source, prior] | last
    return estimated
