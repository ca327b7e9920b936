"""Needs that follow from workloads, their machines and their people."""

from __future__ import annotations

import numpy as np

from capplan.licensing.counting import Counting, Need
from capplan.units import Ints, Numbers


def pooled(counting: Counting) -> Need:
    """What adds up over workloads; an organisation has at least what is kept for it."""
    number = machine_cores(counting) if counting.metric == "machine_core" else counting.rows.quantity
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


def machine_cores(counting: Counting) -> Ints:
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


def people(counting: Counting) -> Need:
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
            heads = counting.derived(most)
            for w in np.unique(counting.workload[mine]).tolist():
                its = mine[counting.workload[mine] == w]
                part = ("options", counting.option[its], counting.rows.quantity[its])
                counting.at_least(heads, 1, [part])
            need.derived.append((heads, 1))
        need.most += most
    _take_off_twice(counting, need, owner)
    return need


def _take_off_twice(counting: Counting, need: Need, owner: Ints) -> None:
    """Take off those who belong to two organisations where both are counted.

    Both are when ``one + other − either`` is 1, so that three facts say it.
    """
    table = counting.problem.inventory.table("licence_people")
    one, other, people = table.refs("organisation"), table.refs("other"), table.counts("people")
    for row in np.flatnonzero((table.refs("licence") == counting.licence) & (people > 0)).tolist():
        pair = [owner == one[row], owner == other[row]]
        if not all(mine.any() for mine in pair):
            continue
        for mine, times in ((pair[0], -1), (pair[1], -1), (pair[0] | pair[1], 1)):
            option = counting.option[mine]
            fact = counting.builder.any_of(np.zeros(len(option), dtype=np.int32), option, 1)
            need.facts.append((fact, np.array([times * int(people[row])])))


def _owners(counting: Counting) -> Ints:
    return np.asarray(counting.problem.workloads.refs("organisation")[counting.workload])


def concurrent(counting: Counting) -> list[Need]:
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


def used(counting: Counting) -> Need:
    """Sites or organisations with a workload that needs the licence."""
    if counting.metric == "organisation":
        group: Numbers = _owners(counting)
        groups = len(counting.problem.inventory.table("organisations"))
    else:
        group, groups = counting.options.site[counting.rows.row], len(counting.problem.sites)
    facts = counting.builder.any_of(group, counting.option, groups)
    facts = facts[facts >= 0]
    return Need(most=groups, facts=[(facts, np.ones_like(facts))])
