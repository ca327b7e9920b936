"""The money of a plan, entry by entry, exact to the penny."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from capplan.problem import Options, Problem
from capplan.problem.use import used
from capplan.program import Program, Values
from capplan.program.statements import NO_PERIOD
from capplan.units import Ints, largest_remainder


@dataclass(frozen=True)
class Entry:
    """One amount: ``pence`` of a kind, in a period, at a site, for a workload or a named purchase (-1, "" if none)."""

    kind: str
    period: int
    site: int
    workload: int
    label: str
    pence: int


def entries_of(problem: Problem, options: Options, program: Program, values: Values) -> list[Entry]:
    """Every amount that a plan costs. ``program`` is compiled over ``options``, the plan's own."""
    starts = {"option": 0, "fact": program.options, "purchase": program.options + program.facts}
    total: dict[tuple[str, int, int, int, str], int] = defaultdict(int)
    first_use = _first_use(problem, options)
    for charge in program.charges:
        times = np.ones_like(charge.index) if charge.on == "always" else values.x[starts[charge.on] + charge.index]
        for i in np.flatnonzero(times).tolist():
            site = int(charge.site[i])
            period = int(first_use[site]) if charge.period == NO_PERIOD else charge.period
            key = (charge.kind, period, site, int(charge.workload[i]), charge.label)
            total[key] += int(charge.amounts[i]) * int(times[i])
    return [Entry(*key, pence) for key, pence in sorted(total.items()) if pence]


def _first_use(problem: Problem, options: Options) -> Ints:
    """First period in which each site has an active workload. int64 [site]."""
    first = np.full(len(problem.sites), len(problem.periods), dtype=np.int64)
    np.minimum.at(first, options.site, problem.first_period[options.workload])
    return first


@dataclass(frozen=True)
class Share:
    """What one organisation (-1: nobody) bears of a kind of cost at a site in a period."""

    organisation: int
    site: int
    period: int
    kind: str
    pence: int


def shares_of(problem: Problem, options: Options, entries: list[Entry]) -> list[Share]:
    """Costs by organisation, summing to the entries to the penny.

    What a workload causes is its organisation's. Shared cost is split by used power, else by the site's first used
    resource, with the largest remainder, ties by id; cost that nobody uses is nobody's.
    """
    owner = problem.workloads.refs("organisation")
    weights = _Weights(problem, options)
    total: dict[tuple[int, int, int, str], int] = defaultdict(int)
    for entry in entries:
        place = (entry.site, entry.period, entry.kind)
        if entry.workload >= 0:
            total[int(owner[entry.workload]), *place] += entry.pence
            continue
        shares = weights.at(entry.site, entry.period)
        payers = np.flatnonzero(shares).tolist() or [-1]
        parts = largest_remainder(entry.pence, [int(shares[o]) if o >= 0 else 1 for o in payers])
        for organisation, pence in zip(payers, parts, strict=True):
            total[organisation, *place] += pence
    return [Share(*key, pence) for key, pence in sorted(total.items()) if pence]


class _Weights:
    """By how much each organisation uses a site in a period."""

    def __init__(self, problem: Problem, options: Options) -> None:
        self._problem = problem
        self._owner = problem.workloads.refs("organisation")[options.workload]
        self._options = options
        self._used = used(problem, options)
        self._known: dict[tuple[int, int], Ints] = {}

    def at(self, site: int, period: int) -> Ints:
        """Steps of the splitting resource by organisation; all 0 without a site. int64 [organisation]."""
        if (site, period) not in self._known:
            self._known[site, period] = self._sum(site, period)
        return self._known[site, period]

    def _sum(self, site: int, period: int) -> Ints:
        total = np.zeros(len(self._problem.inventory.table("organisations")), dtype=np.int64)
        used_here = np.flatnonzero(self._used[site, :, period]) if site >= 0 else np.zeros(0, dtype=np.int64)
        if not len(used_here):
            return total
        names = [resource.name for resource in self._problem.resources]
        power = [r for r in used_here if names[r] == "power_kw"]
        rows = np.flatnonzero(self._options.site == site)
        workload = self._options.workload[rows]
        steps = self._problem.demand_at(workload, self._options.site[rows], int([*power, *used_here][0]))
        np.add.at(total, self._owner[rows], steps[:, period])
        return total
