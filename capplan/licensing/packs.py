"""Packs of licences as purchases."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import numpy as np

from capplan.inventory import Table
from capplan.licensing import metrics
from capplan.licensing.groups import Groups
from capplan.licensing.schemas import CHARGED, HOSTED, PEOPLE
from capplan.licensing.scope import counts_in, figure, quantities
from capplan.problem import Problem
from capplan.problem.periods import FIRST_DAY, LAST_DAY, YEAR_DAYS
from capplan.program import Builder, LimitName, PurchaseName
from capplan.units import Ints

IN_VAIN = 100
"""Packs that may be bought, if so many are for sale, even where nothing needs them."""


def declare(problem: Problem, builder: Builder, licence: int) -> dict[int, list[int]]:
    """The purchases whose packs count in each period in which the licence does; durable ones from theirs on."""
    table = problem.inventory.table("licences")
    periods = np.flatnonzero(counts_in(problem)[licence]).tolist()
    charged = table.text("metric")[licence] in CHARGED
    if not charged and not problem.may_buy(table.ids[licence]):
        return {t: [] for t in periods}
    durable = table.text("kind")[licence] == "durable" and not charged
    upper = {t: _upper(problem, table, licence, t) for t in periods}
    found: dict[int, list[int]] = {t: [] for t in periods}
    for t in periods:
        held = [u for u in periods if u >= t] if durable else [t]
        purchase = _purchase(problem, builder, licence, t, max(upper[u] for u in held))
        _price(problem, builder, purchase, licence, held)
        for u in held:
            found[u].append(purchase)
    if durable and len(periods) > 1 and table.given("max_packs")[licence]:
        most, bought = table.counts("max_packs")[licence : licence + 1], np.array(found[periods[-1]], dtype=np.int64)
        source = ("licences", licence, "max_packs")
        name = LimitName("licences", f"{table.ids[licence]} max_packs", -1, "packs", Fraction(1), -1, source)
        builder.limits([name], most).purchases(np.zeros_like(bought), bought, np.ones_like(bought))
    return found


def _purchase(problem: Problem, builder: Builder, licence: int, t: int, upper: int) -> int:
    table = problem.inventory.table("licences")
    name = table.ids[licence]
    gives = f"+{int(table.counts('pack')[licence])} {name}"
    derived = table.text("metric")[licence] in CHARGED
    return builder.purchase(PurchaseName(name, -1, t, gives, ("licences", licence, "")), upper, derived=derived)


def _price(problem: Problem, builder: Builder, purchase: int, licence: int, held: list[int]) -> None:
    table = problem.inventory.table("licences")
    for t in held:
        price = pack_price(problem, licence, t)
        if price:
            builder.purchase_charge(purchase, "licence", t, price)
    once = problem.exact_pence(table, "pack_cost_once", licence)
    if once:
        builder.purchase_charge(purchase, "licence", held[0], once, once=True)


def pack_price(problem: Problem, licence: int, t: int) -> Fraction:
    """Exact pence of one pack for the days of a period on which the licence counts."""
    table = problem.inventory.table("licences")
    days = problem.periods.overlap(table.dates("from", FIRST_DAY), table.dates("to", LAST_DAY))[licence, t]
    return problem.exact_pence(table, "pack_cost", licence) * Fraction(int(days), YEAR_DAYS)


def _upper(problem: Problem, table: Table, licence: int, t: int) -> int:
    """Packs of which no plan needs more, whatever options there are; a plan made by hand may buy some in vain."""
    upper = ceil(Fraction(_most_needed(problem, table, licence, t), int(table.counts("pack")[licence])))
    if not table.given("max_packs")[licence]:
        return upper
    return min(max(upper, IN_VAIN), int(table.counts("max_packs")[licence]))


def _most_needed(problem: Problem, table: Table, licence: int, t: int) -> int:
    """A need that no plan exceeds."""
    metric = table.text("metric")[licence]
    need, organisations = quantities(problem, licence), problem.inventory.table("organisations")
    if metric == "site":
        return len(problem.sites)
    if metric == "organisation":
        return len(organisations)
    if metric == "population":
        return int(organisations.counts("population").sum())
    least = ceil(figure(problem, licence, "minimum_order", t))
    hosts = _hosts(problem, licence, t, int(need.sum()))
    if metric in HOSTED:
        return max(least, hosts, _machines(problem, licence, t, need) if metric == "processor" else 0)
    people = ceil(figure(problem, licence, "users_each", t)) * hosts if metric in PEOPLE else 0
    peaks = problem.inventory.table("licence_peaks")
    at_peak = int(peaks.counts("users")[peaks.refs("licence") == licence].sum())
    reserves = problem.inventory.table("licence_reserves")
    kept = int(reserves.counts("reserved")[reserves.refs("licence") == licence].sum())
    cores = _machines(problem, licence, t, need) if metric == "machine_core" else 0
    return max(least, people, int(need.sum()) + at_peak + kept + cores)


def _machines(problem: Problem, licence: int, t: int, machines: Ints) -> int:
    """Core licences of all machines, each of which has all the cores of its workload."""
    least, step = ceil(figure(problem, licence, "per_machine", t)), ceil(figure(problem, licence, "step", t, 1))
    if not any(resource.name == "cores" for resource in problem.resources):
        return int(machines.sum()) * max(least, step)
    r = problem.resource_number("cores")
    cores = int((problem.demand[:, r, t] * (machines > 0)).sum()) + problem.own_demand_peak(r)
    return cores + int(machines.sum()) * (least + step)


def _hosts(problem: Problem, licence: int, t: int, machines: int) -> int:
    """Licences for all hosts, every machine on each of them."""
    groups, names = Groups.of(problem), ("per_processor", "per_server")
    figures = {name: ceil(figure(problem, licence, name, t)) for name in names}
    step = ceil(figure(problem, licence, "step", t, 1))
    each = [
        metrics.server_cores([int(groups.cores[g])] * int(groups.processors[g]), **figures, step=step)
        for g in range(len(groups))
    ]
    total = int((np.array(each, dtype=np.int64) * groups.hosts).sum())
    standard = problem.inventory.table("licences").text("metric")[licence] == "standard_core"
    return total * max(1, ceil(Fraction(machines, 2))) if standard else total + machines * int(groups.hosts.sum())
