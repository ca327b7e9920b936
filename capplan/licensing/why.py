"""Why a licence's need is what it is, in words that a vendor's auditor would use."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import ceil

import numpy as np

from capplan.licensing import metrics
from capplan.licensing.by_host import counted_groups, host_cores, reached, terms_name
from capplan.licensing.counting import Counting
from capplan.licensing.groups import Groups
from capplan.licensing.schemas import CHARGED, HOSTED, PEOPLE
from capplan.licensing.scope import terms_of
from capplan.problem import Options, Problem
from capplan.program import Builder
from capplan.units import Ints, decimal_text

FIGURES = {
    "core": ("per_processor", "per_server", "step", "minimum_order"),
    "standard_core": ("per_processor", "per_server", "step"),
    "server": ("machines_each", "cores_each"),
    "socket": ("most_sockets",),
    "machine_core": ("per_machine", "step"),
    "named_user": ("users_each",),
}
"""The figures that each metric's sum uses, core factors apart."""


def why(problem: Problem, options: Options, licence: int, t: int, editions: frozenset[tuple[str, int]]) -> str:
    """The sum behind the need of a licence in a period, for the plan that ``options`` are.

    ``editions``: the Datacenter editions that are taken, by the purchase's name and period.
    """
    counting = Counting.of(problem, options, Builder(options.item, options.items, ledger=False), licence, t)
    texts = _taken(counting, licence, editions)
    if len(counting.rows.row):
        texts.insert(0, _said(counting, editions))
    return "; ".join(filter(None, texts)) + _by(counting) if any(texts) else "no workload in scope needs it"


def _by(counting: Counting) -> str:
    """The documents whose figures the sum uses."""
    terms, day = terms_of(counting.problem), int(counting.problem.periods.start[counting.t])
    name = terms_name(counting)
    figures = FIGURES.get(counting.metric, ())
    if counting.metric in ("processor", "named_user"):
        figures = (*figures, *(f"factor_{kind}" for kind in terms.factors(name, day) if kind in _kinds(counting)))
    found = dict.fromkeys(filter(None, (terms.source(name, figure, day) for figure in figures)))
    return f" ({'; '.join(found)})" if found else ""


def _kinds(counting: Counting) -> set[str]:
    """Kinds of processor that are counted."""
    table = Groups.of(counting.problem).table
    return {table.text("processor")[g] for g in counted_groups(counting)}


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
    """Each host group with its part of the sum, and the sum."""
    groups, texts, cores, total = Groups.of(counting.problem), list[str](), dict[str, int](), 0
    for g, _ in reached(counting):
        hosts, processors = int(groups.hosts[g]), int(groups.processors[g])
        if counting.metric == "processor":
            number = hosts * processors * int(groups.cores[g])
            kind = groups.table.text("processor")[g]
            cores[kind] = cores.get(kind, 0) + number
            texts.append(f"{_size(counting, g)} = {number}")
            continue
        each = processors if counting.metric == "socket" else host_cores(counting, g)
        total += hosts * each
        texts.append(f"{_size(counting, g)}, {each} licences each = {hosts * each}")
    texts += _by_factor(counting, cores)
    if counting.metric != "processor" and len(texts) > 1:
        texts.append(f"together {total}")
    least = counting.whole("minimum_order")
    return "; ".join([*texts, *([f"at least {least} in an order"] if least else [])])


def _by_factor(counting: Counting, cores: Mapping[str, int]) -> list[str]:
    """``24 x86 cores × 0.5 = 12``, rounded up once for each kind of processor."""
    day = int(counting.problem.periods.start[counting.t])
    factors = terms_of(counting.problem).factors(terms_name(counting), day)
    texts = []
    for kind, number in sorted(cores.items()):
        factor = factors.get(kind, Fraction(1))
        texts.append(f"{number} {kind} cores × {decimal_text(factor)} = {ceil(number * factor)}")
    return texts


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
        owners, heads = _heads(counting)
        ids = counting.problem.inventory.table("organisations").ids
        ids = [f"{ids[o]} {number}" for o, number in zip(owners.tolist()[:5], heads.tolist(), strict=False)]
        more = f" and {len(owners) - 5} more" if len(owners) > 5 else ""
        return f"the people of {', '.join(ids)}{more}, each organisation's once{_twice(counting, owners)}"
    if counting.metric == "concurrent":
        return f"{number} workloads, at the time of day when most people use them together"
    if counting.metric in ("machine_core", "processor"):
        least, step = counting.whole("per_machine"), counting.whole("step", 1)
        return f"{number} workloads, at least {least} cores a machine, rounded up to {step}"
    return f"{number} workloads"


def _twice(counting: Counting, owners: Ints) -> str:
    """Who belongs to two of the organisations that are counted."""
    table = counting.problem.inventory.table("licence_people")
    both = np.isin(table.refs("organisation"), owners) & np.isin(table.refs("other"), owners)
    number = int(table.counts("people")[both & (table.refs("licence") == counting.licence)].sum())
    return f", less {number} who belong to two of them" if number else ""


def _heads(counting: Counting) -> tuple[Ints, Ints]:
    """Organisations that are counted, int64 [k], and the people of each, int64 [k]."""
    owner = counting.problem.workloads.refs("organisation")[counting.workload]
    owners, at = np.unique(owner, return_inverse=True)
    if counting.metric == "population":
        return owners, counting.problem.inventory.table("organisations").counts("population")[owners]
    heads = np.zeros(len(owners), dtype=np.int64)
    np.maximum.at(heads, at, counting.rows.quantity)
    return owners, heads
