"""Latency: the round trip from an organisation's users to a site stays within the workload's limit.

A value measured for the pair (``placements.rtt_ms``) wins; else the shortest path over the circuits that exist in
every period in which the workload is active, the slowest such period counting. Estimates are marked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

import numpy as np

from capplan.errors import Fault, Severity
from capplan.inventory import Column, Kind, TableSchema
from capplan.network import UNREACHABLE
from capplan.problem import Options, Problem, one_by_one
from capplan.problem.trips import EstimateOptions, Trips, network_of, round_trips
from capplan.problem.ways import Way, set_cell
from capplan.program.statements import Source
from capplan.rules.base import Exclusion, Rule
from capplan.units import Ints, decimal_text


class Latency(Rule):
    """``max_rtt_ms`` between the organisation's node and the site."""

    summary = "round trip between an organisation's users and the site"
    options = EstimateOptions
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
        limits = problem.shared("latency limits", lambda: _limits_us(problem))
        if not (limits >= 0).any():
            return
        limit, trips = limits[options.workload], _trips(problem, options)
        rows = np.flatnonzero((limit >= 0) & ((trips.us > limit) | (trips.us == UNREACHABLE)))
        if not len(rows):
            return
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
            self.name, options.option[rows], reason, lambda i: ("workloads", int(workload[i]), "max_rtt_ms"), rows
        )

    def eased(self, problem: Problem, source: Source, workloads: Sequence[int]) -> Iterable[Way]:
        """The limit of a round trip raised to what it is to a site, the nearest first; then no limit."""
        w, sites = source[1], len(problem.sites)
        pairs = one_by_one(np.full(sites, w), np.arange(sites), len(problem.workloads))
        have, name = Fraction(int(_limits_us(problem)[w]), 1000), problem.workloads.ids[w]
        for us in sorted(set(_trips(problem, pairs).us.tolist()))[: len(pairs)]:
            trip = Fraction(us, 1000)
            if us != UNREACHABLE and trip > have:
                text = f"a round trip of up to {_ms(us)} ms for {name} instead of {decimal_text(have)} ms"
                changes = set_cell("workloads", name, "max_rtt_ms", _ms(us))
                share = trip / have - 1 if have else Fraction(10)
                yield Way("workload", text, changes, share=share, figure=("max_rtt_ms", name))
        yield from super().eased(problem, source, workloads)

    def faults(self, problem: Problem) -> Iterable[Fault]:
        """Measured round trips that are shorter than light takes: a slipped decimal, or one way for both."""
        table = problem.inventory.table("circuits")
        for i, least in network_of(problem).quicker_than_light():
            message = f"{table.ids[i]} is measured at {table.text('rtt_ms')[i]} ms, light in fibre needs {least:.3f} ms"
            fix = "check the unit, and that it is the way there and back"
            yield Fault(table.place(i, "rtt_ms"), "rtt-below-light", message, fix, Severity.WARNING)

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


def _trips(problem: Problem, options: Options) -> Trips:
    """Round trip of each placed row: the pair's own, else the worst over the workload's periods."""
    organisations = problem.inventory.table("organisations")
    source = organisations.nodes("node")[problem.workloads.refs("organisation")[options.workload]]
    target = problem.sites.nodes("node")[options.site]
    return _with_measured_pairs(
        problem, options, round_trips(problem, source, target, problem.active[options.workload])
    )


def _with_measured_pairs(problem: Problem, options: Options, trips: Trips) -> Trips:
    table = problem.inventory.table("placements")
    cells = table.decimals("rtt_ms")
    if not cells.given.any():
        return trips
    at, us = problem.placement_at(options.workload, options.site), cells.rounded(Fraction(1, 1000), "up")
    own = (at >= 0) & cells.given[at]
    return Trips(np.where(own, us[at], trips.us), trips.estimated & ~own)
