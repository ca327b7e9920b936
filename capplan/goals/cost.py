"""Money over the horizon: sites, energy, resources, placements, licences, purchases, circuits, moves.

Purchases and licence charges come from the rules that bring them; everything else is charged here. Each (row,
site, period, kind) amount is rounded half up to the penny once; totals are sums of those.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

import numpy as np

from capplan.goals.base import Goal
from capplan.problem import Options, Problem
from capplan.problem.periods import FIRST_DAY, LAST_DAY, YEAR_DAYS
from capplan.problem.use import priced, site_ever_used, site_used
from capplan.program import Builder, Charge, Form
from capplan.program.statements import NO_PERIOD
from capplan.units import Ints, Numbers

HOURS_PER_DAY = 24


class Cost(Goal):
    """Everything that is charged."""

    summary = "money over the horizon"
    unit = "money"

    def forms(self, problem: Problem, options: Options, builder: Builder) -> Sequence[Form]:
        """Pence: the sum of all charges of the Program."""
        return [builder.money.form(Fraction(1, problem.inventory.currency.pence_per_unit))]


def charges(problem: Problem, options: Options, builder: Builder) -> None:
    """Add every charge that follows from where workloads are, and those that are paid in any case."""
    _sites(problem, options, builder)
    for row in options.parts():
        _placed(problem, options, builder, row)
    _circuits(problem, builder)
    builder.settle()


def _placed(problem: Problem, options: Options, builder: Builder, row: slice) -> None:
    """Charges of some placed rows."""
    option, workload, site = options.option[row], options.workload[row], options.site[row]
    kinds = {
        "energy": _energy(problem, workload, site),
        "resource": _resources(problem, workload, site),
        "placement": _placements(problem, workload, site),
        "move": _moves(problem, workload, site),
    }
    for kind, pence in kinds.items():
        for t in range(0 if pence is None else len(problem.periods)):
            assert pence is not None
            paid = np.flatnonzero(pence[:, t])
            if len(paid):
                amounts, once = pence[paid, t], kind == "move"
                builder.charge(Charge(kind, t, "option", option[paid], amounts, site[paid], workload[paid], once=once))


def _energy(problem: Problem, workload: Numbers, site: Numbers) -> Ints | None:
    """kW × PUE × active hours × price. int64 [row, period], None where there is nothing to pay."""
    power = [r for r, resource in enumerate(problem.resources) if resource.name == "power_kw"]
    pue, price = problem.sites.decimals("pue"), problem.sites.decimals("energy_price_kwh")
    pence = problem.inventory.currency.pence_per_unit
    parts = [
        (
            problem.demand_at(workload, site, r) * problem.active_days[workload],
            [
                problem.resources[r].step * pue.fraction(s) * price.fraction(s) * HOURS_PER_DAY * pence
                for s in range(len(problem.sites))
            ],
        )
        for r in power
        if price.given.any()
    ]
    return priced(parts, site, len(problem.sites)) if parts else None


def _resources(problem: Problem, workload: Numbers, site: Numbers) -> Ints | None:
    """Demand × price of a unit for a year, by active days, all resources together. int64 [row, period] or None."""
    parts = []
    for r, resource in enumerate(problem.resources):
        price = problem.sites.decimals("cost_" + resource.name)
        if price.given.any():
            rate = resource.step * problem.inventory.currency.pence_per_unit / YEAR_DAYS
            quantity = problem.demand_at(workload, site, r) * problem.active_days[workload]
            parts.append((quantity, [rate * price.fraction(s) for s in range(len(problem.sites))]))
    return priced(parts, site, len(problem.sites)) if parts else None


def _placements(problem: Problem, workload: Numbers, site: Numbers) -> Ints | None:
    """Yearly cost of listed pairs by active days. int64 [row, period] or None."""
    table = problem.inventory.table("placements")
    if not table.given("cost").any():
        return None
    at = problem.placement_at(workload, site)
    amounts = problem.pence(table, "cost", problem.active_days[table.refs("workload")])
    return np.where((at >= 0)[:, None], amounts[at], 0)


def _moves(problem: Problem, workload: Numbers, site: Numbers) -> Ints | None:
    """One-off cost of moving, in the first period in which the workload is active. int64 [row, period] or None."""
    price, now = problem.pence_once(problem.workloads, "move_cost_once"), problem.inventory.current_site
    between = _between(problem)
    if not (now >= 0).any() or not (price.any() or between.any()):
        return None
    here = now[workload]
    away = (here >= 0) & (here != site)
    # Without a current site nothing moves, and what the last site's row says is never charged.
    paid = (price[workload] + between[here, site]) * away
    first = problem.first_period[workload][:, None] == np.arange(len(problem.periods))
    return np.asarray(first * paid[:, None])


def _between(problem: Problem) -> Ints:
    """Price of the way from one site to another, 0 where none is listed. int64 [site, site]."""
    table = problem.inventory.table("move_costs")
    pair = np.zeros((len(problem.sites), len(problem.sites)), dtype=np.int64)
    if len(table):
        pair[table.refs("current_site"), table.refs("site")] = problem.pence_once(table, "cost_once")
    return pair


def _sites(problem: Problem, options: Options, builder: Builder) -> None:
    """Opening costs: for the days a site exists in periods in which it is used (or in any case), once if ever used."""
    table = problem.sites
    standing = ~problem.inventory.removed_sites
    committed = table.flags("committed") & standing
    lifetime = problem.periods.overlap(table.dates("from", FIRST_DAY), table.dates("to", LAST_DAY))
    pence = problem.pence(table, "open_cost", lifetime)
    facts = site_used(problem, options, builder)
    for t in range(len(problem.periods)):
        _charge_sites(builder, "always", t, np.flatnonzero(committed & (pence[:, t] > 0)), None, pence[:, t])
        paying = np.flatnonzero(~committed & (facts[:, t] >= 0) & (pence[:, t] > 0))
        _charge_sites(builder, "fact", t, paying, facts[:, t], pence[:, t])
    once = problem.pence_once(table, "open_cost_once")
    if once.any():
        ever = site_ever_used(problem, options, builder)
        _charge_sites(builder, "fact", NO_PERIOD, np.flatnonzero((ever >= 0) & (once > 0)), ever, once)


def _charge_sites(
    builder: Builder, on: Literal["fact", "always"], period: int, site: Ints, facts: Ints | None, pence: Ints
) -> None:
    if len(site):
        index = np.zeros_like(site) if facts is None else facts[site]
        nobody, once = np.full(len(site), -1), period == NO_PERIOD
        builder.charge(Charge("site", period, on, index, pence[site], site, nobody, once=once))


def _circuits(problem: Problem, builder: Builder) -> None:
    """Circuits are paid while they exist, whatever is placed."""
    table = problem.inventory.table("circuits")
    days = problem.periods.overlap(table.dates("from", FIRST_DAY), table.dates("to", LAST_DAY))
    pence = problem.pence(table, "cost", days)
    for t in range(len(problem.periods)):
        paid = np.flatnonzero(pence[:, t])
        if len(paid):
            nowhere = np.full(len(paid), -1)
            builder.charge(Charge("circuit", t, "always", np.zeros_like(paid), pence[paid, t], nowhere, nowhere))
