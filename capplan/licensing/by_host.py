"""Needs that follow from the hosts on which machines run, or which they can reach."""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import TypeAlias

import numpy as np

from capplan.licensing import metrics
from capplan.licensing.by_workload import machine_cores
from capplan.licensing.counting import Counting, Need
from capplan.licensing.groups import Groups
from capplan.licensing.scope import counts_in, terms_of
from capplan.problem import Problem
from capplan.program import PurchaseName
from capplan.units import Ints

Part: TypeAlias = tuple[str, Ints, Ints]
"""Part of a sum: kind of column, index int64 [k], number int64 [k]."""


def host_cores(counting: Counting, g: int) -> int:
    """Core licences of one host of a group."""
    groups = Groups.of(counting.problem)
    return metrics.server_cores(
        [int(groups.cores[g])] * int(groups.processors[g]),
        per_processor=counting.whole("per_processor"),
        per_server=counting.whole("per_server"),
        step=counting.whole("step", 1),
    )


def counted_groups(counting: Counting) -> list[int]:
    """Host groups on which some row may run and that are not covered already."""
    covered = Groups.of(counting.problem).table.ref_lists("licensed")
    found = np.unique(counting.group[counting.group >= 0]).tolist()
    return [g for g in found if counting.licence not in covered[g]]


def reached(counting: Counting) -> list[tuple[int, Ints]]:
    """Host groups that machines can reach, each with the rows (of ``counting.rows``) from which it is reached."""
    groups, group = Groups.of(counting.problem), counting.group
    covered = groups.table.ref_lists("licensed")
    cluster = np.where(group >= 0, groups.cluster[group], -1) if len(groups) else np.full_like(group, -1)
    found = []
    for g in range(len(groups)):
        rows = np.flatnonzero(cluster == groups.cluster[g])
        if len(rows) and counting.licence not in covered[g]:
            found.append((g, rows))
    return found


def _reached_facts(counting: Counting) -> list[tuple[int, Ints]]:
    """Each reachable group with the fact that it is reached. int64 [1]."""
    facts = []
    for g, rows in reached(counting):
        fact = counting.builder.any_of(np.zeros(len(rows), dtype=np.int32), counting.option[rows], 1)
        facts.append((g, fact))
    return facts


def per_host(counting: Counting, each: list[int]) -> Need:
    """So many licences for each host of every group reached."""
    need, hosts = Need(), Groups.of(counting.problem).hosts
    for g, fact in _reached_facts(counting):
        number = int(hosts[g]) * each[g]
        need.facts.append((fact, np.array([number])))
        need.most += number
    return need


def _cores(counting: Counting) -> Need:
    count = len(Groups.of(counting.problem))
    need = per_host(counting, [host_cores(counting, g) for g in range(count)])
    for _, edition, number in _editions(counting):
        need.derived.append((edition, number))
        need.most += number
    return need


def _sockets(counting: Counting) -> Need:
    return per_host(counting, Groups.of(counting.problem).processors.tolist())


def _processors(counting: Counting) -> Need:
    """Cores are added up for each kind of processor before they are rounded."""
    return processors(counting, 1)


def processors(counting: Counting, times: int) -> Need:
    """So many licences for each processor licence, which are rounded up once for each kind of processor."""
    need = Need()
    factors = terms_of(counting.problem).factors(terms_name(counting), int(counting.problem.periods.start[counting.t]))
    by_kind: dict[str, tuple[int, list[Part]]] = {}
    for kind, part, most in _core_parts(counting):
        before, parts = by_kind.get(kind, (0, []))
        by_kind[kind] = before + most, [*parts, part]
    for kind, (cores, parts) in sorted(by_kind.items()):
        factor = factors.get(kind, Fraction(1))
        need.most += times * ceil(cores * factor)
        scaled = [(what, index, number * factor.numerator) for what, index, number in parts]
        if all((number % factor.denominator == 0).all() for _, _, number in scaled):
            # Nothing is left to round: a sum that searches see through.
            for what, index, number in scaled:
                getattr(need, what).append((index, times * number // factor.denominator))
            continue
        amount = counting.derived(ceil(cores * factor))
        counting.at_least(amount, factor.denominator, scaled)
        need.derived.append((amount, times))
    return need


def _core_parts(counting: Counting) -> list[tuple[str, Part, int]]:
    """Cores by kind of processor: (kind, part of a sum, the most of it)."""
    groups = Groups.of(counting.problem)
    kinds = groups.table.text("processor")
    if counting.problem.inventory.table("licences").text("partitioning")[counting.licence] == "soft":
        cores = groups.hosts * groups.processors * groups.cores
        return [(kinds[g], ("facts", f, cores[g : g + 1]), int(cores[g])) for g, f in _reached_facts(counting)]
    number, found = machine_cores(counting), []
    for g in counted_groups(counting):
        rows = np.flatnonzero(counting.group == g)
        part = ("options", counting.option[rows], number[rows])
        found.append((kinds[g], part, int(number[rows].sum())))
    return found


def terms_name(counting: Counting) -> str:
    """The name of the licence's terms."""
    return counting.problem.inventory.table("licences").text("terms")[counting.licence]


def _machines_at(counting: Counting, g: int) -> tuple[Part, int]:
    """Machines on a group as part of a sum, and the most there can be."""
    rows = np.flatnonzero(counting.group == g)
    most = np.zeros(len(counting.problem.workloads), dtype=np.int64)
    np.maximum.at(most, counting.workload[rows], counting.rows.quantity[rows])
    return ("options", counting.option[rows], counting.rows.quantity[rows]), int(most.sum())


def _standard(counting: Counting) -> Need:
    """Every host once more for every two machines that it may run; Datacenter instead, where that is taken."""
    need, groups = Need(), Groups.of(counting.problem)
    instead = {g: edition for g, edition, _ in _editions_of(counting)}
    for g in counted_groups(counting):
        part, machines = _machines_at(counting, g)
        each, hosts = 2 * groups.share(g), int(groups.hosts[g])
        stacks = counting.derived(ceil(Fraction(machines, each)))
        parts = [part]
        if g in instead:
            parts.append(("purchases", np.array([instead[g]]), np.array([-machines])))
        counting.at_least(stacks, each, parts)
        number = hosts * host_cores(counting, g)
        need.derived.append((stacks, number))
        need.most += number * ceil(Fraction(machines, each))
    return need


def _editions_of(counting: Counting) -> list[tuple[int, int, int]]:
    """The choice of Datacenter for each group: (group, decided purchase, core licences that it needs)."""
    table = counting.problem.inventory.table("licences")
    other = int(table.refs("datacenter")[counting.licence])
    if other < 0:
        return []
    key = f"editions {counting.licence} {counting.t}"
    return counting.builder.shared(key, lambda: _declare_editions(counting, other))


def _declare_editions(counting: Counting, other: int) -> list[tuple[int, int, int]]:
    groups, table = Groups.of(counting.problem), counting.problem.inventory.table("licences")
    if not _counts(counting.problem, other, counting.t):
        return []
    found = []
    for g in range(len(groups)):
        site = int(groups.table.refs("site")[g])
        gives = f"instead of {table.ids[counting.licence]}"
        name = PurchaseName(f"{table.ids[other]} on {groups.table.ids[g]}", site, counting.t, gives)
        cores = host_cores(counting, g) * int(groups.hosts[g])
        found.append((g, counting.builder.purchase(name, 1, derived=False), cores))
    return found


def _editions(counting: Counting) -> list[tuple[int, int, int]]:
    """The same, seen from the Datacenter licence: every Standard licence that may take it instead."""
    table = counting.problem.inventory.table("licences")
    found = []
    for licence in np.flatnonzero(table.refs("datacenter") == counting.licence).tolist():
        if _counts(counting.problem, licence, counting.t):
            standard = Counting.of(counting.problem, counting.options, counting.builder, licence, counting.t)
            found += _editions_of(standard)
    return found


def _counts(problem: Problem, licence: int, t: int) -> bool:
    return bool(counts_in(problem)[licence, t])


def _servers(counting: Counting) -> Need:
    """Servers by machines and cores, whichever asks for more, on every host of a group that is used."""
    need, groups = Need(), Groups.of(counting.problem)
    machines_each, cores_each = counting.whole("machines_each", 1), counting.whole("cores_each", 0)
    for g in counted_groups(counting):
        part, machines = _machines_at(counting, g)
        each, hosts = machines_each * groups.share(g), int(groups.hosts[g])
        by_cores = ceil(Fraction(int(groups.cores[g] * groups.processors[g]), cores_each)) if cores_each else 1
        most = max(ceil(Fraction(machines, each)), by_cores)
        servers = counting.derived(most)
        counting.at_least(servers, each, [part])
        rows = np.flatnonzero(counting.group == g)
        fact = counting.builder.any_of(np.zeros(len(rows), dtype=np.int32), counting.option[rows], 1)
        counting.at_least(servers, 1, [("facts", fact, np.array([by_cores]))])
        need.derived.append((servers, hosts))
        need.most += hosts * most
    return need


BY_HOST = {
    "core": _cores,
    "standard_core": _standard,
    "server": _servers,
    "processor": _processors,
    "socket": _sockets,
}
