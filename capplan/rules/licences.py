"""Licences: what placed workloads need of a licence is owned or bought, in every period.

How the need is counted is the licence's metric (``capplan.licensing``); figures such as minimums and core factors come
from its terms. Whatever the metric, ``need ≤ owned + pack × packs``; metrics ``site`` and ``organisation`` are charged
instead for each that is used beyond what is owned. A licence counts in the periods that its dates touch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from fractions import Fraction

import numpy as np

from capplan.errors import Fault
from capplan.licensing.contradictions import contradictions
from capplan.licensing.count import needs
from capplan.licensing.counting import Counting
from capplan.licensing.groups import Groups
from capplan.licensing.more import more_licences
from capplan.licensing.overview import overview
from capplan.licensing.packs import declare
from capplan.licensing.schemas import HOSTED, SCHEMAS
from capplan.licensing.scope import counts_in, figure, rows_of
from capplan.problem import Options, Problem
from capplan.problem.ways import Figure, evenly, rows_where
from capplan.program import Builder, LimitName, Program, Values
from capplan.rules.base import Exclusion, Row, Rule
from capplan.units import Bools, Ints

FARM_SITES = 2
REASSIGN_DAYS = 90
"""What mobility means where a licence's terms do not say."""


class Licences(Rule):
    """Every licence, in every period."""

    summary = "licences needed by placed workloads are owned or bought"
    schemas = SCHEMAS

    def build(self, problem: Problem, options: Options, builder: Builder) -> None:
        """One limit for each sum that a licence must cover in a period in which it counts."""
        for licence in range(len(problem.inventory.table("licences"))):
            for t, packs in declare(problem, builder, licence).items():
                counting = Counting.of(problem, options, builder, licence, t)
                self._covered(counting, packs)
                self._farm(counting)

    def _covered(self, counting: Counting, packs: list[int]) -> None:
        table = counting.problem.inventory.table("licences")
        owned, pack = table.counts("owned"), int(table.counts("pack")[counting.licence])
        bought = np.array(packs, dtype=np.int64)
        for need in needs(counting):
            name = self._name(counting, need.label)
            block = counting.builder.limits([name], owned[counting.licence : counting.licence + 1])
            need.fill(block)
            block.purchases(np.zeros_like(bought), bought, np.full_like(bought, -pack))

    def _name(self, counting: Counting, label: str) -> LimitName:
        table = counting.problem.inventory.table("licences")
        unit = {"site": "sites", "organisation": "organisations"}.get(counting.metric, "licences")
        subject = f"{table.ids[counting.licence]} {label}".rstrip()
        return LimitName(self.name, subject, counting.t, unit, Fraction(1), -1, ("licences", counting.licence, "owned"))

    def _farm(self, counting: Counting) -> None:
        """A server farm: the workloads of a licence are at so few sites."""
        problem, table = counting.problem, counting.problem.inventory.table("licences")
        if table.text("mobility")[counting.licence] != "farm":
            return
        most = counting.whole("farm_sites", FARM_SITES)
        site = counting.options.site[counting.rows.row]
        facts = counting.builder.any_of(site, counting.option, len(problem.sites))
        facts = facts[facts >= 0]
        source = ("licences", counting.licence, "mobility")
        name = LimitName(self.name, f"{table.ids[counting.licence]} farm", counting.t, "sites", Fraction(1), -1, source)
        block = counting.builder.limits([name], np.array([most], dtype=np.int64))
        block.facts(np.zeros_like(facts), facts, np.ones_like(facts))

    def exclusions(self, problem: Problem, options: Options) -> Iterable[Exclusion]:
        """Sites whose hosts a licence does not allow, or where it cannot be counted."""
        for licence in np.flatnonzero(counts_in(problem).any(axis=1)).tolist():
            row = rows_of(problem, options, licence).row
            for check in (_no_hosts, _too_many_sockets, _shared_hosts, _moved_too_soon):
                bad, reason, column = check(problem, options, licence, row)
                if bad.any():
                    yield _exclusion(options, row[bad], reason, licence, column)

    def figures(self, problem: Problem, program: Program, name: LimitName) -> Iterable[Figure]:
        """Licences owned, or packs where packs are sold."""
        if name.source is None or name.source[2] != "owned":
            return
        licence = name.source[1]
        rows = rows_where(program, lambda other: other.rule == self.name and other.source == name.source)
        yield Figure(("licence", str(licence)), evenly(rows), lambda number: more_licences(problem, licence, number))

    def faults(self, problem: Problem) -> Iterable[Fault]:
        """Terms that nobody knows, host groups that cannot be told apart, rows that would count for nothing."""
        return contradictions(problem)

    def tables(self, problem: Problem, options: Options, program: Program, values: Values) -> Mapping[str, list[Row]]:
        """``licences.csv``."""
        return {"licences": overview(problem, options, program, values)}


Checked = tuple[Bools, str, str]
"""Rows that may not be, why, and the column of ``licences`` that says so."""


def _exclusion(options: Options, row: Ints, reason: str, licence: int, column: str) -> Exclusion:
    option = options.option[row]
    return Exclusion("licences", option, lambda i: reason, lambda i: ("licences", licence, column), row)


def _group(problem: Problem, options: Options, row: Ints) -> Ints:
    return Groups.of(problem).of_rows(options.workload[row], options.site[row])


def _no_hosts(problem: Problem, options: Options, licence: int, row: Ints) -> Checked:
    table = problem.inventory.table("licences")
    if table.text("metric")[licence] not in HOSTED:
        return np.zeros(len(row), dtype=np.bool_), "", ""
    reason = f"{table.ids[licence]} is counted by hosts, and hosts.csv has no host group for it there"
    return np.asarray(_group(problem, options, row) < 0), reason, "metric"


def _too_many_sockets(problem: Problem, options: Options, licence: int, row: Ints) -> Checked:
    """Oracle Standard Edition 2: the server may not have room for more sockets, used or not."""
    most = int(figure(problem, licence, "most_sockets", 0))
    if not most:
        return np.zeros(len(row), dtype=np.bool_), "", ""
    groups, group = Groups.of(problem), _group(problem, options, row)
    sockets = np.append(groups.sockets, 0)[group]
    name = problem.inventory.table("licences").ids[licence]
    return np.asarray(sockets > most), f"{name} allows servers of at most {most} sockets, empty ones included", "terms"


def _shared_hosts(problem: Problem, options: Options, licence: int, row: Ints) -> Checked:
    """A customer's own licence: dedicated hosts, or with assurance shared ones of a provider that is not listed."""
    table, groups = problem.inventory.table("licences"), Groups.of(problem)
    if not table.flags("bring_own")[licence]:
        return np.zeros(len(row), dtype=np.bool_), "", ""
    group, owner = _group(problem, options, row), problem.workloads.refs("organisation")[options.workload[row]]
    dedicated = np.append(groups.table.refs("dedicated_to"), -1)[group] == owner
    listed = np.append(groups.table.flags("listed_provider"), False)[group]
    allowed = dedicated | ~listed if table.flags("assurance")[licence] else dedicated
    return ~allowed, f"{table.ids[licence]} is the customer's own and needs hosts that are dedicated to it", "bring_own"


def _moved_too_soon(problem: Problem, options: Options, licence: int, row: Ints) -> Checked:
    """Without mobility a licence moves at most once in so many days."""
    table = problem.inventory.table("licences")
    assigned = int(table.dates("assigned", 0)[licence])
    days = int(figure(problem, licence, "reassign_days", 0, REASSIGN_DAYS))
    if table.text("mobility")[licence] != "none" or not assigned:
        return np.zeros(len(row), dtype=np.bool_), "", ""
    now = problem.inventory.current_site[options.workload[row]]
    moving = (now >= 0) & (now != options.site[row])
    first = problem.periods.start[np.maximum(0, problem.first_period[options.workload[row]])]
    free = date.fromordinal(assigned + days).isoformat()
    reason = f"{table.ids[licence]} cannot be reassigned before {free}, {days} days after the last time"
    return np.asarray(moving & (first < assigned + days)), reason, "mobility"
