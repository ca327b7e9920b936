"""Why a licence's need is what it is, in words that a vendor's auditor would use."""

from __future__ import annotations

import numpy as np

from capplan.licensing import metrics
from capplan.licensing.by_host import counted_groups, host_cores, reached
from capplan.licensing.counting import Counting
from capplan.licensing.groups import Groups
from capplan.licensing.schemas import CHARGED, HOSTED, PEOPLE
from capplan.licensing.scope import terms_of
from capplan.problem import Options, Problem
from capplan.program import Builder
from capplan.units import decimal_text


def why(problem: Problem, options: Options, licence: int, t: int, editions: frozenset[tuple[str, int]]) -> str:
    """The sum behind the need of a licence in a period, for the plan that ``options`` are.

    ``editions``: the Datacenter editions that are taken, by the purchase's name and period.
    """
    counting = Counting.of(problem, options, Builder(options.item, options.items, ledger=False), licence, t)
    texts = _taken(counting, licence, editions)
    if len(counting.rows.row):
        texts.insert(0, _said(counting, editions))
    return "; ".join(filter(None, texts)) or "no workload in scope needs it"


def _taken(counting: Counting, datacenter: int, editions: frozenset[tuple[str, int]]) -> list[str]:
    """Host groups for which this Datacenter edition is taken instead of another licence."""
    groups, table = Groups.of(counting.problem), counting.problem.inventory.table("licences")
    found = []
    for other in np.flatnonzero(table.refs("datacenter") == datacenter).tolist():
        standard = Counting.of(counting.problem, counting.options, counting.builder, other, counting.t)
        for g in range(len(groups)):
            if (f"{table.ids[datacenter]} on {groups.table.ids[g]}", counting.t) in editions:
                cores = host_cores(standard, g)
                found.append(f"{_size(counting, g)}, {cores} cores each, instead of {table.ids[other]}")
    return found


def _said(counting: Counting, editions: frozenset[tuple[str, int]]) -> str:
    metric = counting.metric
    if metric in ("standard_core", "server"):
        return "; ".join(_machines(counting, g, editions) for g in counted_groups(counting))
    if metric in HOSTED and not _hard(counting):
        return _hosts(counting)
    if metric in CHARGED:
        return f"each {metric} with a workload that needs it"
    return _workloads(counting)


def _hard(counting: Counting) -> bool:
    table = counting.problem.inventory.table("licences")
    return counting.metric == "processor" and table.text("partitioning")[counting.licence] == "hard"


def _size(counting: Counting, g: int) -> str:
    """``esx1: 4 hosts of 2 × 16 cores``."""
    groups = Groups.of(counting.problem)
    what = "host" if groups.hosts[g] == 1 else "hosts"
    return f"{groups.table.ids[g]}: {groups.hosts[g]} {what} of {groups.processors[g]} × {groups.cores[g]} cores"


def _hosts(counting: Counting) -> str:
    groups, texts = Groups.of(counting.problem), []
    day = int(counting.problem.periods.start[counting.t])
    terms = counting.problem.inventory.table("licences").text("terms")[counting.licence]
    factors = terms_of(counting.problem).factors(terms, day)
    for g, _ in reached(counting):
        text = _size(counting, g)
        if counting.metric == "processor":
            kind = groups.table.text("processor")[g]
            text += f", factor {decimal_text(factors.get(kind, 1))} for {kind}"
        elif counting.metric == "core":
            text += f", {host_cores(counting, g)} licences each"
        texts.append(text)
    least = counting.whole("minimum_order")
    return "; ".join([*texts, *([f"at least {least} in an order"] if least else [])])


def _machines(counting: Counting, g: int, editions: frozenset[tuple[str, int]]) -> str:
    groups, table = Groups.of(counting.problem), counting.problem.inventory.table("licences")
    other = int(table.refs("datacenter")[counting.licence])
    if other >= 0 and (f"{table.ids[other]} on {groups.table.ids[g]}", counting.t) in editions:
        return f"{groups.table.ids[g]}: {table.ids[other]} is taken instead"
    machines = int(counting.rows.quantity[counting.group == g].sum())
    most = metrics.most_machines(machines, groups.share(g), 0)
    text = f"{_size(counting, g)}, {machines} machines, at most {most} on a host"
    if counting.metric == "server":
        return text
    each = host_cores(counting, g)
    stacked = metrics.standard_cores(each, most) * int(groups.hosts[g])
    return f"{text}: {each} cores × {-(-most // 2)} for two machines each = {stacked}"


def _workloads(counting: Counting) -> str:
    number = len(np.unique(counting.workload))
    if counting.metric in PEOPLE or counting.metric == "population":
        owners = np.unique(counting.problem.workloads.refs("organisation")[counting.workload])
        ids = [counting.problem.inventory.table("organisations").ids[o] for o in owners.tolist()[:5]]
        more = f" and {len(owners) - 5} more" if len(owners) > 5 else ""
        return f"the people of {', '.join(ids)}{more}, each organisation's once"
    if counting.metric == "concurrent":
        return f"{number} workloads, at the time of day when most people use them together"
    if counting.metric in ("machine_core", "processor"):
        least, step = counting.whole("per_machine"), counting.whole("step", 1)
        return f"{number} workloads, at least {least} cores a machine, rounded up to {step}"
    return f"{number} workloads"
