"""Latency: the round trip from an organisation's users to a site stays within the workload's limit.

A value measured for the pair (``placements.rtt_ms``) wins; else the shortest path over the circuits that exist in
every period in which the workload is active, the slowest such period counting. Estimates are marked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Annotated

import numpy as np
from pydantic import Field

from capplan.inventory import Column, Kind, TableSchema
from capplan.model import Number
from capplan.network import UNREACHABLE, Network
from capplan.problem import Options, Problem
from capplan.problem.periods import FIRST_DAY, LAST_DAY
from capplan.rules.base import Exclusion, Rule, RuleOptions
from capplan.units import Bools, Ints, decimal_text


class LatencyOptions(RuleOptions):
    """Options of the rule ``latency``."""

    route_factor: Annotated[Number, Field(ge=1)] = Field(
        default=Decimal("1.4"),
        description="length of a fibre route ÷ straight distance, where only distance is known",
    )
    per_hop_ms: Annotated[Number, Field(ge=0)] = Field(
        default=Decimal("0.1"), description="round trip added by each hop of a circuit that was not measured"
    )


@dataclass(frozen=True)
class _Trips:
    """Round trip of each placed row: ``us`` int64 [row], UNREACHABLE where not known; ``estimated`` bool [row]."""

    us: Ints
    estimated: Bools


class Latency(Rule):
    """``max_rtt_ms`` between the organisation's node and the site."""

    summary = "round trip between an organisation's users and the site"
    options = LatencyOptions
    schemas = (
        TableSchema(
            "workloads",
            ("workload",),
            (
                Column(
                    "max_rtt_ms",
                    Kind.DECIMAL,
                    "longest round trip between its users and its site",
                    minimum=0,
                    unit="ms",
                ),
            ),
            "",
        ),
        TableSchema(
            "placements",
            ("workload", "site"),
            (
                Column(
                    "rtt_ms",
                    Kind.DECIMAL,
                    "measured round trip of this pair; wins over circuits",
                    minimum=0,
                    unit="ms",
                ),
            ),
            "",
        ),
    )

    def exclusions(self, problem: Problem, options: Options) -> Iterable[Exclusion]:
        """Options whose round trip exceeds the limit, or cannot be shown to keep it."""
        limit = _limits_us(problem)[options.workload]
        if not (limit >= 0).any():
            return
        trips = _trips(problem, options)
        bad = (limit >= 0) & ((trips.us > limit) | (trips.us == UNREACHABLE))
        rows = np.flatnonzero(bad)
        workload, site, us, guess = (
            column[rows] for column in (options.workload, options.site, trips.us, trips.estimated)
        )

        def reason(i: int) -> str:
            organisation = problem.inventory.table("organisations").ids[
                problem.workloads.refs("organisation")[workload[i]]
            ]
            between = f"{organisation} to {problem.sites.ids[site[i]]}"
            if us[i] == UNREACHABLE:
                return f"no round trip is known from {between}: no path of circuits, or no positions to estimate from"
            how = "estimated " if guess[i] else ""
            return f"round trip {between} is {how}{_ms(us[i])} ms, limit {_ms(limit[rows[i]])} ms"

        yield Exclusion(
            self.name, options.option[rows], reason, lambda i: ("workloads", int(workload[i]), "max_rtt_ms")
        )

    def placement_columns(self, problem: Problem, options: Options) -> Mapping[str, list[str]]:
        """``rtt_ms``, ``max_rtt_ms`` and a note on estimates."""
        trips, limit = _trips(problem, options), _limits_us(problem)[options.workload]
        return {
            "rtt_ms": ["" if us == UNREACHABLE else _ms(us) for us in trips.us],
            "max_rtt_ms": ["" if us < 0 else _ms(us) for us in limit],
            "note": [
                "rtt_ms is an estimate" if guess and us >= 0 else ""
                for us, guess in zip(trips.us, trips.estimated, strict=True)
            ],
        }


def _ms(us: int) -> str:
    return decimal_text(Fraction(int(us), 1000))


def _limits_us(problem: Problem) -> Ints:
    """Limit of each workload in whole microseconds, rounded down; -1 where it has none. int64 [workload]."""
    cells = problem.workloads.decimals("max_rtt_ms")
    return np.where(cells.given, cells.rounded(Fraction(1, 1000), "down"), -1)


def _trips(problem: Problem, options: Options) -> _Trips:
    """Round trip of each placed row: the pair's own, else the worst over the workload's periods."""
    setting = problem.rules.get("latency") or LatencyOptions()
    assert isinstance(setting, LatencyOptions)
    network = Network(problem.inventory, float(setting.route_factor), round(setting.per_hop_ms * 1000))
    organisations = problem.inventory.table("organisations")
    owner = problem.workloads.refs("organisation")[options.workload]
    sources, source = np.unique(organisations.nodes("node"), return_inverse=True)
    target = problem.sites.nodes("node")[options.site]
    us = np.full(len(owner), 0, dtype=np.int64)
    estimated = np.zeros(len(owner), dtype=np.bool_)
    known = np.ones(len(owner), dtype=np.bool_)
    for existing, periods in _network_states(problem):
        found = network.round_trips(sources, existing)
        here = problem.active[options.workload][:, periods].any(axis=1)
        trip, guess = found.us[source[owner], target], found.estimated[source[owner], target]
        known &= ~here | (trip != UNREACHABLE)
        worse = here & (trip >= us)
        estimated = np.where(worse, guess, estimated)
        us = np.where(worse, trip, us)
    return _with_measured_pairs(problem, options, np.where(known, us, UNREACHABLE), estimated)


def _with_measured_pairs(problem: Problem, options: Options, us: Ints, estimated: Bools) -> _Trips:
    table = problem.inventory.table("placements")
    cells = table.decimals("rtt_ms")
    if not cells.given.any():
        return _Trips(us, estimated)
    pair = table.refs("workload") * len(problem.sites) + table.refs("site")
    own = dict(
        zip(
            pair[cells.given].tolist(),
            cells.rounded(Fraction(1, 1000), "up")[cells.given].tolist(),
            strict=True,
        )
    )
    mine = options.workload * len(problem.sites) + options.site
    hit = np.isin(mine, pair[cells.given])
    us, estimated = us.copy(), estimated & ~hit
    us[hit] = [own[key] for key in mine[hit].tolist()]
    return _Trips(us, estimated)


def _network_states(problem: Problem) -> list[tuple[Bools, list[int]]]:
    """The different sets of circuits that exist throughout a period, each with its periods."""
    table = problem.inventory.table("circuits")
    covered = problem.periods.covered(table.dates("from", FIRST_DAY), table.dates("to", LAST_DAY))
    states: dict[bytes, list[int]] = {}
    for t in range(len(problem.periods)):
        states.setdefault(covered[:, t].tobytes(), []).append(t)
    return [(covered[:, periods[0]], periods) for periods in states.values()]
