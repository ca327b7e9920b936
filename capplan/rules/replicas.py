"""Replicas: a workload and its replicas are at different sites, far enough apart and near enough to keep up.

They are one item: placed together or left out together. ``replica_min_km`` is a great-circle distance,
``replica_max_rtt_ms`` a round trip between the two sites, both from the primary's site.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

import numpy as np

from capplan.errors import Fault
from capplan.inventory import Column, Kind, TableSchema
from capplan.network import UNREACHABLE, great_circle_km, positions_of
from capplan.problem import Options, Problem
from capplan.problem.options import spans
from capplan.problem.trips import round_trips
from capplan.program import Program, Values
from capplan.rules.base import Exclusion, Row, Rule
from capplan.units import Bools, Ints, Numbers, decimal_text, keys


@dataclass(frozen=True)
class _Pairs:
    """Two workloads of a family in one option. All [k]; ``first`` is the primary unless both are replicas."""

    option: Numbers
    first: Numbers
    second: Numbers
    first_site: Numbers
    second_site: Numbers

    def where(self, keep: Bools) -> _Pairs:
        """Some of the pairs."""
        return _Pairs(
            self.option[keep], self.first[keep], self.second[keep], self.first_site[keep], self.second_site[keep]
        )


class Replicas(Rule):
    """Distinct sites, least distance, greatest round trip; whole or not at all."""

    summary = "a workload and its replicas are at different sites, far enough and near enough"
    schemas = (
        TableSchema(
            "workloads",
            ("workload",),
            (
                Column("replica_min_km", Kind.DECIMAL, "least distance from its primary's site", minimum=0, unit="km"),
                Column(
                    "replica_max_rtt_ms",
                    Kind.DECIMAL,
                    "longest round trip between its primary's site and its own",
                    minimum=0,
                    unit="ms",
                ),
            ),
            "",
        ),
    )

    def joined(self, problem: Problem) -> Iterable[tuple[int, int]]:
        """Every replica with its primary."""
        for w in np.flatnonzero(problem.primary >= 0).tolist():
            yield int(problem.primary[w]), w

    def exclusions(self, problem: Problem, options: Options) -> Iterable[Exclusion]:
        """Options in which a family shares a site, is too near or too far, or is placed only in part."""
        if options.alone or not (problem.primary >= 0).any():
            return
        pairs = _pairs(problem, options)
        yield from self._same_site(problem, pairs)
        of_primary = pairs.where(problem.primary[pairs.second] == pairs.first)
        yield from self._too_near(problem, of_primary)
        yield from self._too_far(problem, of_primary)
        yield from self._in_part(problem, options)

    def _exclusion(self, pairs: _Pairs, reason: Callable[[int], str], column: str) -> Iterable[Exclusion]:
        if len(pairs.option):
            yield Exclusion(self.name, pairs.option, reason, lambda i: ("workloads", int(pairs.second[i]), column))

    def _same_site(self, problem: Problem, pairs: _Pairs) -> Iterable[Exclusion]:
        bad, ids = pairs.where(pairs.first_site == pairs.second_site), problem.workloads.ids
        return self._exclusion(
            bad,
            lambda i: (
                f"{ids[bad.first[i]]} and {ids[bad.second[i]]} are both at {problem.sites.ids[bad.first_site[i]]}: "
                "one loss would take both"
            ),
            "replica_of",
        )

    def _too_near(self, problem: Problem, pairs: _Pairs) -> Iterable[Exclusion]:
        cells = problem.workloads.decimals("replica_min_km")
        asked = pairs.where(cells.given[pairs.second])
        position = positions_of(problem.sites)
        km = great_circle_km(position[asked.first_site], position[asked.second_site])
        least = cells.mantissa[asked.second] / 10**cells.digits
        near = np.isnan(km) | (km < least)
        bad, km, least = asked.where(near), km[near], least[near]

        def reason(i: int) -> str:
            between = _between(problem, bad, i)
            if np.isnan(km[i]):
                return f"the distance {between} is not known: give both sites latitude and longitude"
            return f"{between} are {km[i]:.2f} km, at least {least[i]:g} km are asked"

        yield from self._exclusion(bad, reason, "replica_min_km")

    def _too_far(self, problem: Problem, pairs: _Pairs) -> Iterable[Exclusion]:
        cells = problem.workloads.decimals("replica_max_rtt_ms")
        asked = pairs.where(cells.given[pairs.second])
        if not len(asked.option):
            return
        node, limit = problem.sites.nodes("node"), cells.rounded(Fraction(1, 1000), "down")[asked.second]
        trips = round_trips(problem, node[asked.first_site], node[asked.second_site], problem.active[asked.second])
        far = (trips.us == UNREACHABLE) | (trips.us > limit)
        bad, us, most, guess = asked.where(far), trips.us[far], limit[far], trips.estimated[far]

        def reason(i: int) -> str:
            between = _between(problem, bad, i)
            if us[i] == UNREACHABLE:
                return f"no round trip is known {between}: no path of circuits, or no positions to estimate from"
            how = "estimated " if guess[i] else ""
            return f"round trip {between} is {how}{_ms(us[i])} ms, limit {_ms(most[i])} ms"

        yield from self._exclusion(bad, reason, "replica_max_rtt_ms")

    def _in_part(self, problem: Problem, options: Options) -> Iterable[Exclusion]:
        """A family of which some are placed and some left out."""
        family = np.where(problem.primary >= 0, problem.primary, np.arange(len(problem.workloads)))
        here = keys(options.option, len(family), family[options.workload])
        gone = keys(options.absent_option, len(family), family[options.absent_workload])
        both = np.intersect1d(here, gone)
        if len(both):
            option, primary = both // len(family), both % len(family)
            text = "it and its replicas are placed together or left out together"
            yield Exclusion(
                self.name,
                option,
                lambda i: f"{problem.workloads.ids[primary[i]]}: {text}",
                lambda i: ("workloads", int(primary[i]), "workload"),
            )

    def faults(self, problem: Problem) -> Iterable[Fault]:
        """Replicas of replicas or of themselves, and replicas where there is only one site."""
        table, primary = problem.workloads, problem.primary
        standing = int((~problem.inventory.removed_sites).sum())
        for w in np.flatnonzero(primary >= 0).tolist():
            of = int(primary[w])
            place = table.place(w, "replica_of")
            if of == w:
                yield Fault(place, "circular-reference", f"{table.ids[w]} is a replica of itself", "name its primary")
            elif primary[of] >= 0:
                message = (
                    f"{table.ids[w]} is a replica of {table.ids[of]}, itself a replica of {table.ids[primary[of]]}"
                )
                yield Fault(place, "circular-reference", message, "name the primary of both")
            elif standing == 1:
                message = f"{table.ids[w]} must be at another site than {table.ids[of]}, and there is only one site"
                yield Fault(place, "contradictory-rules", message, "add a site, or remove the replica")

    def tables(self, problem: Problem, options: Options, program: Program, values: Values) -> Mapping[str, list[Row]]:
        """``lost.csv``: what the loss of each site takes down in each period, and which site carries it then."""
        site = options.sites_of(len(problem.workloads))
        ids = problem.sites.ids
        rows: list[Row] = []
        for t in range(len(problem.periods)):
            for w in np.flatnonzero(problem.active[:, t] & (site >= 0) & (problem.primary < 0)).tolist():
                copy = int(problem.first_replica[w])
                carried = copy >= 0 and problem.active[copy, t] and site[copy] not in (-1, site[w])
                rows.append(
                    {
                        "site": ids[site[w]],
                        "period": problem.periods.text(t),
                        "workload": problem.workloads.ids[w],
                        "carried_by": ids[site[copy]] if carried else "",
                    }
                )
        return {"lost": sorted(rows, key=lambda row: (str(row["site"]), str(row["period"]), str(row["workload"])))}


def _between(problem: Problem, pairs: _Pairs, i: int) -> str:
    ids = problem.sites.ids
    return f"{ids[pairs.first_site[i]]} to {ids[pairs.second_site[i]]}"


def _ms(us: int) -> str:
    return decimal_text(Fraction(int(us), 1000))


def _pairs(problem: Problem, options: Options) -> _Pairs:
    """Every two placed workloads of one family in one option."""
    primary, count = problem.primary, len(problem.workloads)
    copies = np.flatnonzero(primary >= 0)
    pairs = [(int(primary[w]), int(w)) for w in copies]
    families: dict[int, list[int]] = {}
    for p, w in pairs:
        families.setdefault(p, []).append(w)
    for _, family in sorted(families.items()):
        pairs += combinations(family, 2)
    mates = np.array(pairs, dtype=np.int64)
    return _rows_of(options, mates[:, 0], mates[:, 1], count)


def _rows_of(options: Options, first: Ints, second: Ints, count: int) -> _Pairs:
    """Options that place both of a pair of workloads, pair after pair. ``first``, ``second`` int64 [pair]."""
    order = np.argsort(options.workload, kind="stable")
    by_workload = options.workload[order]
    start, end = np.searchsorted(by_workload, second), np.searchsorted(by_workload, second, side="right")
    rows, pair = order[spans(start, end)], np.repeat(np.arange(len(second)), end - start)
    key = keys(options.option, count, options.workload)
    sorted_rows = np.argsort(key, kind="stable")
    wanted = keys(options.option[rows], count, first[pair])
    mate = sorted_rows[np.minimum(np.searchsorted(key[sorted_rows], wanted), len(key) - 1)]
    hit = key[mate] == wanted
    rows, mate, pair = rows[hit], mate[hit], pair[hit]
    return _Pairs(options.option[rows], first[pair], second[pair], options.site[mate], options.site[rows])
