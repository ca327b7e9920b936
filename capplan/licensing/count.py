"""The need of a licence as sums over the columns of a Program, metric by metric.

What owned and bought licences must cover is one or more sums, each of which they must cover by itself: that is how a
maximum ("users, but at least 25 a processor") is written. Whole numbers that only arise after rounding up are derived
amounts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil

import numpy as np

from capplan.licensing import metrics
from capplan.licensing.groups import Groups
from capplan.licensing.schemas import HOSTED, PEOPLE, POOLED
from capplan.licensing.scope import Rows, counts_in, figure, rows_of, terms_of
from capplan.problem import Options, Problem
from capplan.program import Builder, LimitBlock, PurchaseName
from capplan.program.statements import NO_PERIOD, ROUNDING
from capplan.units import Ints, Numbers

NAMELESS = PurchaseName("", -1, NO_PERIOD, "")


@dataclass
class Need:
    """One sum that a licence must cover. ``most``: no plan needs more of it."""

    label: str = ""
    most: int = 0
    options: list[tuple[Ints, Ints]] = field(default_factory=list)
    facts: list[tuple[Ints, Ints]] = field(default_factory=list)
    derived: list[tuple[int, int]] = field(default_factory=list)

    def fill(self, block: LimitBlock) -> None:
        """Enter the sum into a block of one limit."""
        for entries, add in ((self.options, block.options), (self.facts, block.facts)):
            for index, number in entries:
                add(np.zeros(len(index), dtype=np.int64), index, number)
        if self.derived:
            index, number = np.array(self.derived, dtype=np.int64).T
            block.purchases(np.zeros_like(index), index, number)


@dataclass(frozen=True)
class Counting:
    """One licence in one period. ``rows`` are the placed rows that need it."""

    problem: Problem
    options: Options
    builder: Builder
    licence: int
    t: int
    rows: Rows

    @staticmethod
    def of(problem: Problem, options: Options, builder: Builder, licence: int, t: int) -> Counting:
        """With the rows that are active then."""
        rows = rows_of(problem, options, licence).active(problem, options, t)
        return Counting(problem, options, builder, licence, t, rows)

    @property
    def metric(self) -> str:
        """How the licence is counted."""
        return self.problem.inventory.table("licences").text("metric")[self.licence]

    def figure(self, name: str, default: int | Fraction = 0) -> Fraction:
        """A figure of the licence's terms."""
        return figure(self.problem, self.licence, name, self.t, default)

    def whole(self, name: str, default: int = 0) -> int:
        """A figure that is a whole number."""
        return ceil(self.figure(name, default))

    @property
    def option(self) -> Ints:
        """The option of each row. int64 [k]."""
        return np.asarray(self.options.option[self.rows.row], dtype=np.int64)

    @property
    def workload(self) -> Ints:
        """The workload of each row. int64 [k]."""
        return np.asarray(self.options.workload[self.rows.row], dtype=np.int64)

    @property
    def group(self) -> Ints:
        """The host group of each row. int64 [k]."""
        row = self.rows.row
        return Groups.of(self.problem).of_rows(self.options.workload[row], self.options.site[row])

    def derived(self, most: int) -> int:
        """A whole amount of at most ``most`` that its limits make as small as they allow."""
        return self.builder.purchase(NAMELESS, most, derived=True)

    def at_least(self, derived: int, times: int, parts: list[tuple[str, Ints, Ints]], bound: int = 0) -> None:
        """``Σ parts − times × derived ≤ bound``. Each part is a kind of column, its index and its number."""
        block = self.builder.limits([ROUNDING], np.array([bound], dtype=np.int64))
        for kind, index, number in parts:
            getattr(block, kind)(np.zeros(len(index), dtype=np.int64), index, number)
        one = np.ones(1, dtype=np.int64)
        block.purchases(one * 0, one * derived, one * -times)


def needs(counting: Counting) -> list[Need]:
    """Every sum that must be covered."""
    metric = counting.metric
    if metric in POOLED:
        found = [_pooled(counting)]
    elif metric in PEOPLE or metric == "population":
        found = [_people(counting)]
        if metric == "named_user":
            found += _least_users(counting)
    elif metric == "concurrent":
        found = _concurrent(counting)
    elif metric in HOSTED:
        found = [_HOSTED[metric](counting)]
    else:
        found = [_used(counting)]
    return [*found, *_order(counting)]


# --- workloads ------------------------------------------------------------------------------------


def _pooled(counting: Counting) -> Need:
    number = _machine_cores(counting) if counting.metric == "machine_core" else counting.rows.quantity
    need = Need()
    owner = counting.problem.workloads.refs("organisation")[counting.workload]
    kept = _reserved(counting)
    plain = ~np.isin(owner, list(kept))
    need.options.append((counting.option[plain], number[plain]))
    need.most = _most(counting, number)
    for organisation, reserved in kept.items():
        mine = owner == organisation
        held = counting.derived(max(need.most, reserved))
        counting.at_least(held, 1, [("options", counting.option[mine], number[mine])])
        # Reserved in any case: the least amount that covers it, needed or not.
        counting.at_least(held, 1, [], -reserved)
        need.derived.append((held, 1))
        need.most += reserved
    return need


def _reserved(counting: Counting) -> dict[int, int]:
    table = counting.problem.inventory.table("licence_reserves")
    mine = np.flatnonzero(table.refs("licence") == counting.licence)
    return dict(zip(table.refs("organisation")[mine].tolist(), table.counts("reserved")[mine].tolist(), strict=True))


def _machine_cores(counting: Counting) -> Ints:
    """Core licences of each row's machines, between which its cores are shared evenly. int64 [k]."""
    problem, row = counting.problem, counting.rows.row
    least, step = counting.whole("per_machine"), counting.whole("step", 1)
    cores = np.zeros(len(row), dtype=np.int64)
    if any(resource.name == "cores" for resource in problem.resources):
        r = problem.resource_number("cores")
        cores = problem.demand_at(counting.options.workload[row], counting.options.site[row], r)[:, counting.t]
    machines = counting.rows.quantity
    each = -(-cores // np.maximum(1, machines))
    return np.asarray(machines * np.maximum(least, -(-each // step) * step))


def _most(counting: Counting, number: Ints) -> int:
    """What all workloads together need, each where it needs most."""
    most = np.zeros(len(counting.problem.workloads), dtype=np.int64)
    np.maximum.at(most, counting.workload, number)
    return int(most.sum())


def _people(counting: Counting) -> Need:
    """The people of an organisation count once: as many as its largest workload has."""
    need, owner = Need("users" if counting.metric == "named_user" else ""), _owners(counting)
    everyone = counting.problem.inventory.table("organisations").counts("population")
    for organisation in np.unique(owner).tolist():
        mine = np.flatnonzero(owner == organisation)
        number = counting.rows.quantity[mine]
        if counting.metric == "population":
            number = np.full(len(mine), int(everyone[organisation]), dtype=np.int64)
        most = int(number.max(initial=0))
        if (number == most).all():
            fact = counting.builder.any_of(np.zeros(len(mine), dtype=np.int32), counting.option[mine], 1)
            need.facts.append((fact, np.array([most])))
        else:
            people = counting.derived(most)
            for w in np.unique(counting.workload[mine]).tolist():
                its = mine[counting.workload[mine] == w]
                part = ("options", counting.option[its], counting.rows.quantity[its])
                counting.at_least(people, 1, [part])
            need.derived.append((people, 1))
        need.most += most
    return need


def _owners(counting: Counting) -> Ints:
    return np.asarray(counting.problem.workloads.refs("organisation")[counting.workload])


def _concurrent(counting: Counting) -> list[Need]:
    """One sum for each time of day; who has no peaks of his own counts at all of them."""
    table = counting.problem.inventory.table("licence_peaks")
    mine = table.refs("licence") == counting.licence
    times = sorted({time for time, its in zip(table.text("time"), mine.tolist(), strict=True) if its})
    found = []
    for time in times or [""]:
        users = np.zeros(len(counting.problem.workloads), dtype=np.int64)
        here = mine & np.array([text == time for text in table.text("time")], dtype=np.bool_)
        users[table.refs("workload")[here]] = table.counts("users")[here]
        own = np.isin(counting.workload, table.refs("workload")[mine])
        number = np.where(own, users[counting.workload], counting.rows.quantity)
        need = Need(time, _most(counting, number))
        need.options.append((counting.option, number))
        found.append(need)
    return found


def _used(counting: Counting) -> Need:
    """Sites or organisations with a workload that needs the licence."""
    if counting.metric == "organisation":
        group: Numbers = _owners(counting)
        groups = len(counting.problem.inventory.table("organisations"))
    else:
        group, groups = counting.options.site[counting.rows.row], len(counting.problem.sites)
    facts = counting.builder.any_of(group, counting.option, groups)
    facts = facts[facts >= 0]
    return Need(most=groups, facts=[(facts, np.ones_like(facts))])


# --- hosts ----------------------------------------------------------------------------------------


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


def _per_host(counting: Counting, each: list[int]) -> Need:
    """So many licences for each host of every group reached."""
    need, hosts = Need(), Groups.of(counting.problem).hosts
    for g, fact in _reached_facts(counting):
        number = int(hosts[g]) * each[g]
        need.facts.append((fact, np.array([number])))
        need.most += number
    return need


def _cores(counting: Counting) -> Need:
    count = len(Groups.of(counting.problem))
    need = _per_host(counting, [host_cores(counting, g) for g in range(count)])
    for _, edition, number in _editions(counting):
        need.derived.append((edition, number))
        need.most += number
    return need


def _sockets(counting: Counting) -> Need:
    return _per_host(counting, Groups.of(counting.problem).processors.tolist())


def _processors(counting: Counting) -> Need:
    """Cores are added up for each kind of processor before they are rounded."""
    need = Need()
    for derived, most in _processor_amounts(counting):
        need.derived.append((derived, 1))
        need.most += most
    return need


def _processor_amounts(counting: Counting) -> list[tuple[int, int]]:
    factors = terms_of(counting.problem).factors(_terms_name(counting), int(counting.problem.periods.start[counting.t]))
    by_kind: dict[str, tuple[int, list[tuple[str, Ints, Ints]]]] = {}
    for kind, part, most in _core_parts(counting):
        before, parts = by_kind.get(kind, (0, []))
        by_kind[kind] = before + most, [*parts, part]
    found = []
    for kind, (cores, parts) in sorted(by_kind.items()):
        factor = factors.get(kind, Fraction(1))
        most = ceil(cores * factor)
        amount = counting.derived(most)
        scaled = [(what, index, number * factor.numerator) for what, index, number in parts]
        counting.at_least(amount, factor.denominator, scaled)
        found.append((amount, most))
    return found


def _core_parts(counting: Counting) -> list[tuple[str, tuple[str, Ints, Ints], int]]:
    """Cores by kind of processor: (kind, part of a sum, the most of it)."""
    groups = Groups.of(counting.problem)
    kinds = groups.table.text("processor")
    if counting.problem.inventory.table("licences").text("partitioning")[counting.licence] == "soft":
        cores = groups.hosts * groups.processors * groups.cores
        return [(kinds[g], ("facts", f, cores[g : g + 1]), int(cores[g])) for g, f in _reached_facts(counting)]
    number, found = _machine_cores(counting), []
    for g in counted_groups(counting):
        rows = np.flatnonzero(counting.group == g)
        part = ("options", counting.option[rows], number[rows])
        found.append((kinds[g], part, int(number[rows].sum())))
    return found


def _terms_name(counting: Counting) -> str:
    return counting.problem.inventory.table("licences").text("terms")[counting.licence]


def _machines_at(counting: Counting, g: int) -> tuple[tuple[str, Ints, Ints], int]:
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


_HOSTED = {
    "core": _cores,
    "standard_core": _standard,
    "server": _servers,
    "processor": _processors,
    "socket": _sockets,
}


# --- minimums -------------------------------------------------------------------------------------


def _least_users(counting: Counting) -> list[Need]:
    """So many named users for each processor licence or server that the workloads can reach, whoever they are."""
    each = counting.whole("users_each")
    if not each or not len(Groups.of(counting.problem)):
        return []
    day = int(counting.problem.periods.start[counting.t])
    need = Need("minimum")
    if terms_of(counting.problem).factors(_terms_name(counting), day):
        amounts = _processor_amounts(counting)
        need.derived = [(derived, each) for derived, _ in amounts]
        need.most = sum(each * most for _, most in amounts)
    else:
        need = _per_host(counting, [each] * len(Groups.of(counting.problem)))
        need.label = "minimum"
    return [need]


def _order(counting: Counting) -> list[Need]:
    """The smallest order, where anything is needed at all."""
    least = counting.whole("minimum_order")
    if not least or not len(counting.rows.row):
        return []
    fact = counting.builder.any_of(np.zeros(len(counting.rows.row), dtype=np.int32), counting.option, 1)
    return [Need("minimum order", least, facts=[(fact, np.array([least]))])]
