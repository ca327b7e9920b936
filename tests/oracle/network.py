"""Round trips and distances, from circuits where there are any and from the map where there are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import asin, cos, radians, sin, sqrt
from typing import Any

from tests.oracle.cells import Period, Row, cell, half_up, lifetime, number

EARTH_KM = 6371.0088


class Network:
    """Nodes and circuits of one world; `options` are those of the rule ``latency``."""

    def __init__(self, tables: Mapping[str, list[Row]], periods: Sequence[Period], options: Mapping[str, Any]) -> None:
        self.circuits = tables["circuits"]
        self.periods = periods
        self.options = options
        # Where several rows could say where a node is, the first of them that knows does.
        self.places = [
            {row[key]: row for row in tables[table]}
            for table, key in (("nodes", "node"), ("organisations", "organisation"), ("sites", "site"))
        ]

    def round_trip_us(self, ends: tuple[str, str], owners: tuple[Row, Row], t: int) -> Fraction | None:
        """Microseconds between the nodes of two owners; None where unknown or without a path."""
        here, there = ends
        if here == there:
            return Fraction(0)
        attached = {end for row in self.circuits for end in (row["a"], row["b"])}
        if here in attached and there in attached:
            return self._shortest(t, here).get(there)
        a, b = (self._position(node, owner) for node, owner in zip(ends, owners, strict=True))
        return None if a is None or b is None else Fraction(self._estimate_us(distance_km(a, b), 0))

    def _shortest(self, t: int, start: str) -> dict[str, Fraction]:
        """Round trips from a node over the circuits that exist on every day of a period."""
        period = self.periods[t]
        lines = [
            (row["a"], row["b"], self._circuit_us(row)) for row in self.circuits if lifetime(row).both(period) == period
        ]
        reached = {start: Fraction(0)}
        for _ in range(len(lines)):  # relax as often as a path can have circuits
            for a, b, weight in [*lines, *((b, a, weight) for a, b, weight in lines)]:
                if a in reached and (b not in reached or reached[a] + weight < reached[b]):
                    reached[b] = reached[a] + weight
        return reached

    def _circuit_us(self, row: Row) -> Fraction:
        """Measured, else estimated from its length, else from the positions of its ends."""
        if cell(row, "rtt_ms"):
            return Fraction(cell(row, "rtt_ms")) * 1000
        hops = int(number(row, "hops"))
        if cell(row, "km"):
            return Fraction(self._estimate_us(Fraction(cell(row, "km")), hops))
        a, b = self._position(row["a"]), self._position(row["b"])
        if a is None or b is None:
            raise ValueError(f"circuit {row['circuit']} has no length")
        return Fraction(self._estimate_us(distance_km(a, b), hops))

    def _estimate_us(self, km: Fraction, hops: int) -> int:
        """Light takes 5 us per km of fibre and way; fibre is longer than the crow flies."""
        route_factor = Fraction(self.options.get("route_factor", "1.4"))
        per_hop_us = Fraction(self.options.get("per_hop_ms", "0.1")) * 1000
        return half_up(2 * km * route_factor * 5 + hops * per_hop_us)

    def _position(self, node: str, owner: Row | None = None) -> tuple[float, float] | None:
        """Latitude and longitude of a node: the owner's own, else those of the row that has the node's id."""
        for row in (owner, *(rows.get(node) for rows in self.places)):
            found = position(row or {})
            if found is not None:
                return found
        return None


def position(row: Row) -> tuple[float, float] | None:
    """Latitude and longitude that stand in a row."""
    if cell(row, "latitude") and cell(row, "longitude"):
        return float(cell(row, "latitude")), float(cell(row, "longitude"))
    return None


def distance_km(a: tuple[float, float], b: tuple[float, float]) -> Fraction:
    """Great-circle distance (haversine) between two positions in degrees."""
    (lat_a, lon_a), (lat_b, lon_b) = (tuple(map(radians, end)) for end in (a, b))
    h = sin((lat_b - lat_a) / 2) ** 2 + cos(lat_a) * cos(lat_b) * sin((lon_b - lon_a) / 2) ** 2
    return Fraction(2 * EARTH_KM * asin(sqrt(h)))
