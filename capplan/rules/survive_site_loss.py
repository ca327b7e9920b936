"""Each site can carry what falls to it when another is lost.

For every lost site f, survivor s, resource and period::

    used at s + Σ over replicas at s whose primary is at f (failover − own demand)  ≤  physical capacity of s

Headroom is waived in a failure, bought capacity counts. The replica that takes over is its primary's first by id. What
a replica then needs: ``failover_``*resource*; blank, its primary's demand for power, cooling, cores, memory and staff,
its own demand for everything else; never less than its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from capplan.inventory import Column, Kind, TableSchema
from capplan.problem import Options, Problem
from capplan.problem.raising import site_figures
from capplan.problem.supply import supply
from capplan.problem.use import add_use
from capplan.problem.ways import Figure
from capplan.program import Builder, LimitName, Program
from capplan.program.statements import NO_PERIOD, ROUNDING, PurchaseName
from capplan.rules.base import Rule
from capplan.units import UNLIMITED, Ints, keys

FOLLOWS_PRIMARY = frozenset(("power_kw", "cooling_kw", "cores", "memory_gb", "fte"))
"""Resources of which a replica needs as much as its primary once it takes over, unless it says otherwise."""


class SurviveSiteLoss(Rule):
    """The loss of any one site; a model must ask for it."""

    summary = "every site carries its own load and what falls to it when any other site is lost"
    on_by_default = False
    schemas = (
        TableSchema(
            "workloads",
            ("workload",),
            (Column("failover_", Kind.QUANTITY, "need of a replica that has taken over", per_resource=True),),
            "",
        ),
    )

    def build(self, problem: Problem, options: Options, builder: Builder) -> None:
        """``used + reserve ≤ physical``, where the reserve is the least that covers every single loss."""
        extra = _extra(problem, options)
        finite = (problem.inventory.capacity != UNLIMITED) & ~problem.inventory.removed_sites[:, None]
        if (~problem.inventory.removed_sites).sum() < 2:
            return  # nothing survives the only site
        every = np.repeat(finite[:, :, None], len(problem.periods), axis=2)
        cells = np.argwhere(every)
        number = np.where(every, np.cumsum(every).reshape(every.shape) - 1, -1)
        names = [self._name(problem, s, r, t) for s, r, t in cells.tolist()]
        physical = problem.inventory.capacity[cells[:, 0], cells[:, 1]]
        block = builder.limits(names, physical)
        supply(problem, builder).widen(block, number, [1] * len(problem.resources))
        add_use(problem, options, builder, block, number, [1] * len(problem.resources))
        sent, reserve = self._reserve(builder, extra, number)
        block.purchases(sent, reserve, np.ones_like(sent))

    def _reserve(self, builder: Builder, extra: Ints, number: Ints) -> tuple[Ints, Ints]:
        """Cells to which anything can fall, and for each a derived amount: the most that a lost site sends there."""
        cell, at = np.unique(number[extra[:, 2], extra[:, 3], extra[:, 4]], return_inverse=True)
        most = np.bincount(at, weights=extra[:, 5], minlength=len(cell)).astype(np.int64)
        name = PurchaseName("", -1, NO_PERIOD, "")
        reserve = np.array([builder.purchase(name, int(m), derived=True) for m in most], dtype=np.int64)
        # One row for each lost site and cell: what moves from there to here ≤ reserve.
        keys, row = np.unique(extra[:, 1] * max(1, len(cell)) + at, return_inverse=True)
        block = builder.limits([ROUNDING] * len(keys), np.zeros(len(keys), dtype=np.int64))
        block.options(row, extra[:, 0], extra[:, 5])
        block.purchases(np.arange(len(keys)), reserve[keys % max(1, len(cell))], -np.ones(len(keys), dtype=np.int64))
        return cell, reserve

    def _name(self, problem: Problem, s: int, r: int, t: int) -> LimitName:
        resource = problem.resources[r]
        subject = f"{problem.sites.ids[s]} {resource.name}"
        return LimitName(self.name, subject, t, resource.unit, resource.step, s, ("sites", s, resource.name))

    def figures(self, problem: Problem, program: Program, name: LimitName) -> Iterable[Figure]:
        """More at the site that has to carry what falls to it."""
        return site_figures(problem, program, name)

    def limit_states(self, problem: Problem, options: Options) -> Mapping[tuple[str, int], str]:
        """The site whose loss sends most to each limit."""
        extra = _extra(problem, options)
        sent: dict[tuple[int, int, int], dict[int, int]] = {}
        for _, lost, s, r, t, steps in extra.tolist():
            by_site = sent.setdefault((s, r, t), {})
            by_site[lost] = by_site.get(lost, 0) + steps
        worst = {cell: min(by_site, key=lambda f: (-by_site[f], f)) for cell, by_site in sent.items()}
        sites, resources = problem.sites.ids, problem.resources
        return {(f"{sites[s]} {resources[r].name}", t): f"loss of {sites[f]}" for (s, r, t), f in worst.items()}


def _extra(problem: Problem, options: Options) -> Ints:
    """What moves when a site is lost: int64 [k, 6] of option, lost site, survivor, resource, period, steps."""
    copy = problem.first_replica
    key = keys(options.option, len(copy), options.workload)
    order = np.argsort(key, kind="stable")
    rows = np.flatnonzero(copy[options.workload] >= 0)
    wanted = keys(options.option[rows], len(copy), copy[options.workload[rows]])
    at = order[np.minimum(np.searchsorted(key[order], wanted), max(0, len(order) - 1))] if len(order) else rows
    hit = (key[at] == wanted) if len(order) else np.zeros(0, dtype=np.bool_)
    primary, replica = rows[hit], at[hit]
    apart = options.site[primary] != options.site[replica]
    primary, replica = primary[apart], replica[apart]
    both = problem.active[options.workload[primary]] & problem.active[options.workload[replica]]
    parts = [np.zeros((0, 6), dtype=np.int64)]
    for r in range(len(problem.resources)):
        own = problem.demand_at(options.workload[replica], options.site[replica], r)
        more = np.maximum(0, _failover(problem, r)[options.workload[replica]] - own) * both
        finite = problem.inventory.capacity[options.site[replica], r] != UNLIMITED
        i, t = np.nonzero(more * finite[:, None])
        columns = (options.option[primary[i]], options.site[primary[i]], options.site[replica[i]])
        parts.append(np.stack([*columns, np.full_like(i, r), t, more[i, t]], axis=1))
    return np.concatenate(parts)


def _failover(problem: Problem, r: int) -> Ints:
    """What each replica needs of a resource once it has taken over. int64 [workload, period]."""
    name = problem.resources[r].name
    given, grown = problem.grown("failover_" + name, r)
    otherwise = problem.demand[:, r, :]
    if name in FOLLOWS_PRIMARY:
        otherwise = np.where((problem.primary >= 0)[:, None], problem.demand[problem.primary, r, :], otherwise)
    return np.where(given[:, None], grown, otherwise)
