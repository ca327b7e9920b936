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
from capplan.problem.use import moved, priced, site_ever_used, site_used
from capplan.program import Builder, Charge, Form
from capplan.program.statements import NO_PERIOD
from capplan.units import Ints

HOURS_PER_DAY = 24


class Cost(Goal):
    """Everything that is charged."""

    summary = "money over the horizon"
    unit = "money"

    def forms(self, problem: Problem, options: Options, builder: Builder) -> Sequence[Form]:
        """Pence: the sum of all charges of the Program."""
        placed = np.zeros(len(options), dtype=np.int64)
        facts: dict[int, int] = {}
        purchases: dict[int, int] = {}
        constant = 0
        for charge in builder.charges:
            if charge.on == "option":
                np.add.at(placed, charge.index, charge.amounts)
            elif charge.on == "always":
                constant += int(charge.amounts.sum())
            else:
                target = facts if charge.on == "fact" else purchases
                for index, pence in zip(charge.index.tolist(), charge.amounts.tolist(), strict=True):
                    target[index] = target.get(index, 0) + pence
        unit = Fraction(1, problem.inventory.currency.pence_per_unit)
        return [Form(placed, facts, purchases, constant, unit)]


def charges(problem: Problem, options: Options, builder: Builder) -> None:
    """Add every charge that follows from where workloads are, and those that are paid in any case."""
    _sites(problem, options, builder)
    _by_row(options, builder, "energy", _energy(problem, options))
    _by_row(options, builder, "resource", _resources(problem, options))
    _by_row(options, builder, "placement", _placements(problem, options))
    _moves(problem, options, builder)
    _circuits(problem, builder)
    builder.settle()


def _by_row(options: Options, builder: Builder, kind: str, pence: Ints) -> None:
    """Charges of placed rows, ``pence`` int64 [row, period]."""
    for t in range(pence.shape[1]):
        row = np.flatnonzero(pence[:, t])
        if len(row):
            builder.charge(
                Charge(
                    kind,
                    t,
                    "option",
                    options.option[row],
                    pence[row, t],
                    options.site[row],
                    options.workload[row],
                )
            )


def _energy(problem: Problem, options: Options) -> Ints:
    """kW × PUE × active hours × price. int64 [row, period]."""
    power = [r for r, resource in enumerate(problem.resources) if resource.name == "power_kw"]
    pue, price = problem.sites.decimals("pue"), problem.sites.decimals("energy_price_kwh")
    pence = problem.inventory.currency.pence_per_unit
    parts = [
        (
            problem.demand_at(options.workload, options.site, r) * problem.active_days[options.workload],
            [
                problem.resources[r].step * pue.fraction(s) * price.fraction(s) * HOURS_PER_DAY * pence
                for s in range(len(problem.sites))
            ],
        )
        for r in power
        if price.given.any()
    ]
    return priced(parts, options.site, len(problem.sites))


def _resources(problem: Problem, options: Options) -> Ints:
    """Demand × price of a unit for a year, by active days, all resources together. int64 [row, period]."""
    parts = []
    for r, resource in enumerate(problem.resources):
        price = problem.sites.decimals("cost_" + resource.name)
        if price.given.any():
            rate = resource.step * problem.inventory.currency.pence_per_unit / YEAR_DAYS
            quantity = problem.demand_at(options.workload, options.site, r) * problem.active_days[options.workload]
            parts.append((quantity, [rate * price.fraction(s) for s in range(len(problem.sites))]))
    return priced(parts, options.site, len(problem.sites))


def _placements(problem: Problem, options: Options) -> Ints:
    """Yearly cost of listed pairs by active days. int64 [row, period]."""
    table = problem.inventory.table("placements")
    pence = np.zeros((len(options.workload), len(problem.periods)), dtype=np.int64)
    if not len(table) or not table.given("cost").any():
        return pence
    pair = table.refs("workload") * len(problem.sites) + table.refs("site")
    order = np.argsort(pair, kind="stable")
    mine = options.workload * len(problem.sites) + options.site
    at = order[np.minimum(np.searchsorted(pair[order], mine), len(pair) - 1)]
    hit = pair[at] == mine
    amounts = problem.pence(table, "cost", problem.active_days[table.refs("workload")])
    pence[hit] = amounts[at[hit]]
    return pence


def _moves(problem: Problem, options: Options, builder: Builder) -> None:
    """One-off cost of moving, in the first period in which the workload is active."""
    price = problem.pence_once(problem.workloads, "move_cost_once")[options.workload] + _between(problem, options)
    first = problem.first_period[options.workload]
    pays = moved(problem, options) & (price > 0) & (first >= 0)
    for t in range(len(problem.periods)):
        row = np.flatnonzero(pays & (first == t))
        if len(row):
            builder.charge(
                Charge(
                    "move",
                    t,
                    "option",
                    options.option[row],
                    price[row],
                    options.site[row],
                    options.workload[row],
                    once=True,
                )
            )


def _between(problem: Problem, options: Options) -> Ints:
    """Price of the way from each placed row's current site to its site, 0 where none is listed. int64 [row]."""
    table = problem.inventory.table("move_costs")
    if not len(table):
        return np.zeros(len(options.site), dtype=np.int64)
    pair = np.zeros((len(problem.sites), len(problem.sites)), dtype=np.int64)
    pair[table.refs("current_site"), table.refs("site")] = problem.pence_once(table, "cost_once")
    # Without a current site nothing moves, and what the last row says is never charged.
    return np.asarray(pair[problem.inventory.current_site[options.workload], options.site])


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
