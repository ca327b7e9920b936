"""Use of sites: which option uses how much of what, where and when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from capplan.problem.options import Options
from capplan.problem.places import places_of
from capplan.problem.problem import Problem
from capplan.program import Builder, LimitBlock
from capplan.units import Bools, Ints, Numbers, keys, scaled


def uses(problem: Problem, options: Options) -> Iterator[tuple[int, Ints, Ints, Ints]]:
    """Per resource: its number, and for every positive use the placed row, the period and the steps.

    Yields (resource, row, period, steps), the last three int64 [k].
    """
    for r in range(len(problem.resources)):
        steps = problem.demand_at(options.workload, options.site, r)
        row, period = np.nonzero(steps)
        yield r, row, period, steps[row, period]


def add_use(
    problem: Problem, options: Options, builder: Builder, block: LimitBlock, rows: Ints, factor: Sequence[int]
) -> None:
    """Count what options use of sites in limits ``rows`` int64 [site, resource, period] (-1: none).

    Steps of each resource count × ``factor`` [resource]. What an item uses wherever it goes is held once.
    """
    places = builder.shared("places", lambda: places_of(problem, options))
    if places.place is not None:
        slots = np.flatnonzero((rows >= 0).any(axis=0).reshape(-1) & places.need.any(axis=0))
        times = np.repeat(np.array(factor, dtype=np.int64), rows.shape[2])[slots]
        block.at_places(places.place, rows.reshape(len(rows), -1)[:, slots], places.need[:, slots] * times)
    row = places.explicit
    for r in range(len(problem.resources) if len(row) else 0):
        steps = problem.demand_at(options.workload[row], options.site[row], r)
        which, period = np.nonzero(steps)
        at = rows[options.site[row[which]], r, period]
        keep = at >= 0
        block.options(at[keep], options.option[row[which[keep]]], steps[which, period][keep] * factor[r])


def used(problem: Problem, options: Options) -> Ints:
    """Steps of each resource used at each site if all options are taken. int64 [site, resource, period]."""
    total = np.zeros((len(problem.sites), len(problem.resources), len(problem.periods)), dtype=np.int64)
    for r, row, period, steps in uses(problem, options):
        np.add.at(total[:, r, :], (options.site[row], period), steps)
    return total


def site_used(problem: Problem, options: Options, builder: Builder) -> Ints:
    """Facts "some active workload is at this site in this period"; -1 where none could be. int64 [site, period]."""
    return builder.shared("site_used", lambda: _site_used(problem, options, builder))


def _site_used(problem: Problem, options: Options, builder: Builder) -> Ints:
    if problem.active.all():
        facts = builder.any_of(options.site, options.option, len(problem.sites))
        return np.repeat(facts[:, None], len(problem.periods), axis=1)
    patterns, first, of_period = np.unique(problem.active, axis=1, return_index=True, return_inverse=True)
    # Periods in which the same workloads are active share their facts; the earliest such period comes first.
    order = np.argsort(first)
    number = np.argsort(order)[of_period.reshape(-1)]
    rows = [np.flatnonzero(patterns[:, p][options.workload]) for p in order]
    group = np.concatenate([keys(options.site[row], len(rows), p) for p, row in enumerate(rows)])
    option = np.concatenate([options.option[row] for row in rows])
    facts = builder.any_of(group, option, len(problem.sites) * len(rows)).reshape(len(problem.sites), len(rows))
    return facts[:, number]


def site_ever_used(problem: Problem, options: Options, builder: Builder) -> Ints:
    """Facts "some active workload is at this site in any period"; -1 where none could be. int64 [site]."""
    active = problem.first_period >= 0
    if active.all():
        return builder.any_of(options.site, options.option, len(problem.sites))
    rows = np.flatnonzero(active[options.workload])
    return builder.any_of(options.site[rows], options.option[rows], len(problem.sites))


def moved(problem: Problem, options: Options) -> Bools:
    """Whether each placed row is elsewhere than its workload's current site. bool [row]."""
    now = problem.inventory.current_site
    found = np.zeros(len(options.workload), dtype=np.bool_)
    for row in options.parts() if (now >= 0).any() else ():
        here = now[options.workload[row]]
        found[row] = (here >= 0) & (here != options.site[row])
    return found


def priced(parts: Sequence[tuple[Ints, Sequence[Fraction]]], site: Numbers, sites: int) -> Ints:
    """Σ over parts of quantity × the site's rate, added exactly and rounded once, half up.

    Each part is (quantity int64 [row, period], rate per site); ``site`` [row]. Returns int64 [row, period].
    """
    common = int(np.lcm.reduce([rate.denominator for _, rates in parts for rate in rates], dtype=object))
    tops = [[int(rate * common) for rate in rates] for _, rates in parts]
    peak = sum(int(q.max(initial=0)) * max(top) for (q, _), top in zip(parts, tops, strict=True))
    if max(peak, common) < 2**61:
        # One denominator for all sites: no row has to be sought out by its site.
        whole = sum(q * np.array(top)[site][:, None] for (q, _), top in zip(parts, tops, strict=True))
        return scaled(np.asarray(whole), Fraction(1, common))
    total = np.zeros(parts[0][0].shape, dtype=np.int64)
    order = np.argsort(site, kind="stable")
    start = np.searchsorted(site[order], np.arange(sites + 1))
    for s in range(sites):
        rows = order[start[s] : start[s + 1]]
        rates = [rate[s] for _, rate in parts]
        if len(rows) and any(rates):
            total[rows] = _sum_rounded([quantity[rows] for quantity, _ in parts], rates)
    return total


def _sum_rounded(quantities: Sequence[Ints], rates: Sequence[Fraction]) -> Ints:
    common = np.lcm.reduce([rate.denominator for rate in rates], dtype=object)
    tops = [int(rate * common) for rate in rates]
    peak = sum(int(q.max(initial=0)) * top for q, top in zip(quantities, tops, strict=True))
    kind = np.int64 if peak < 2**61 else object
    whole = sum(q.astype(kind) * top for q, top in zip(quantities, tops, strict=True))
    if kind is object:
        return np.array((2 * whole + common) // (2 * common), dtype=np.int64)
    return scaled(np.asarray(whole), Fraction(1, int(common)))
