"""Interfaces as the checks read them: their stops, traffic, limits, and the periods in which they work."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from capplan.inventory import Table
from capplan.problem import Problem
from capplan.problem.periods import FIRST_DAY, LAST_DAY
from capplan.units import Ints, scaled

SECONDS_A_DAY = 86_400
NONE = -1


@dataclass(frozen=True)
class Interface:
    """One interface. ``workloads`` and ``nodes`` hold each stop from source to target: the one or the other, else NONE.

    ``up`` and ``down`` are kbit/s from source to target and back, ``max_us`` and ``processing_us`` microseconds (-1: no
    limit), ``encrypted`` is None where nobody says, ``periods`` are those in which it and all its workloads are active.
    """

    row: int
    name: str
    workloads: tuple[int, ...]
    nodes: tuple[int, ...]
    up: int
    down: int
    max_us: int
    processing_us: int
    diverse: str
    encrypted: bool | None
    zone: str
    periods: tuple[int, ...]

    @property
    def placed(self) -> tuple[int, ...]:
        """Its workloads, each once, in the order of its stops."""
        return tuple(dict.fromkeys(w for w in self.workloads if w != NONE))


def interfaces_of(problem: Problem) -> list[Interface]:
    """Every interface of the inventory, in id order."""
    return problem.shared("interfaces", lambda: _interfaces(problem))


def _interfaces(problem: Problem) -> list[Interface]:
    table = problem.inventory.table("interfaces")
    if not len(table):
        return []
    first, last = table.dates("from", FIRST_DAY), table.dates("to", LAST_DAY)
    own = problem.periods.overlap(first, last) > 0
    up, down = traffic_of(table)
    limit, processing = table.decimals("max_rtt_ms"), _processing_us(problem)
    max_us = np.where(limit.given, limit.rounded(Fraction(1, 1000), "down"), NONE)
    (source, source_node), (target, target_node) = table.ends("source"), table.ends("target")
    diverse, said, encrypted = table.text("diverse"), table.given("encrypted"), table.flags("encrypted")
    zones = _zones(problem, table, source, target)
    found = []
    for row, engines in enumerate(table.ref_lists("via")):
        stops = (int(source[row]), *engines, int(target[row]))
        nodes = (int(source_node[row]), *(NONE for _ in engines), int(target_node[row]))
        active = own[row] & np.all([problem.active[w] for w in stops if w != NONE], axis=0)
        found.append(
            Interface(
                row,
                table.ids[row],
                stops,
                nodes,
                int(up[row]),
                int(down[row]),
                int(max_us[row]),
                int(sum(processing[w] for w in engines)),
                diverse[row],
                bool(encrypted[row]) if said[row] else None,
                zones[row],
                tuple(np.flatnonzero(active).tolist()),
            )
        )
    return found


def traffic_of(table: Table) -> tuple[Ints, Ints]:
    """Traffic of interfaces in kbit/s, rounded up, from source to target and back. int64 [interface] each.

    Messages: number a day × bytes × 8 × peak factor ÷ 86,400 s ÷ 1,000.
    """
    rate, back = table.decimals("mbps"), table.decimals("mbps_back")
    peak, size = table.decimals("peak_factor"), table.decimals("bytes_per_message")
    up = np.zeros(len(table), dtype=np.int64)
    for row, number in enumerate(table.counts("messages_per_day").tolist()):
        messages = number * size.fraction(row) * 8 * peak.fraction(row) / SECONDS_A_DAY / 1000
        exact = rate.fraction(row) * 1000 + messages
        up[row] = -(-exact.numerator // exact.denominator)
    return up, scaled(back.mantissa, Fraction(1000, 10**back.digits), "up")


def kbps(table: Table, column: str) -> Ints:
    """A column of Mbit/s in whole kbit/s, rounded up, 0 where blank. int64 [row]."""
    cells = table.decimals(column)
    return scaled(cells.mantissa, Fraction(1000, 10**cells.digits), "up")


def _processing_us(problem: Problem) -> Ints:
    cells = problem.workloads.decimals("processing_ms")
    return scaled(cells.mantissa, Fraction(1000, 10**cells.digits), "up")


def _zones(problem: Problem, table: Table, source: Ints, target: Ints) -> list[str]:
    """Zone of each interface: its own, else its source's, else its target's."""
    own = problem.workloads.text("zone")
    owner, zones = (
        problem.workloads.refs("organisation").tolist(),
        problem.inventory.table("organisations").text("zone"),
    )
    of_workload = [zone or (zones[o] if o >= 0 else "") for zone, o in zip(own, owner, strict=True)]

    def named(w: int) -> str:
        return of_workload[w] if w != NONE else ""

    return [
        zone or named(int(s)) or named(int(t)) for zone, s, t in zip(table.text("zone"), source, target, strict=True)
    ]
