"""Neighbourhood: a workload needs another of a named group in the same region.

Where neighbourhoods are not regions, the column ``neighbourhood`` of sites draws them; blank, it is the region.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from capplan.errors import Fault, did_you_mean
from capplan.inventory import Column, Kind, TableSchema
from capplan.problem import Options, Problem
from capplan.problem.groups import RowsOf, groups_of
from capplan.program import Builder, LimitName
from capplan.rules.base import Rule
from capplan.units import Ints


class SameNeighbourhood(Rule):
    """Where a workload is placed, some other workload of each group it needs is in the same neighbourhood."""

    summary = "a workload needs another of a named group in its region or neighbourhood"
    schemas = (
        TableSchema(
            "sites",
            ("site",),
            (Column("neighbourhood", Kind.TEXT, "what counts as near needs_nearby; blank = its region"),),
            "",
        ),
        TableSchema(
            "workloads",
            ("workload",),
            (
                Column("groups", Kind.WORDS, "groups it belongs to"),
                Column("needs_nearby", Kind.WORDS, "groups of which another workload must be in its neighbourhood"),
            ),
            "",
        ),
    )

    def build(self, problem: Problem, options: Options, builder: Builder) -> None:
        """``here − any of the group here ≤ 0`` for each needing workload, group, neighbourhood and period."""
        groups, rows_of = groups_of(problem.workloads.words("groups")), RowsOf(problem, options)
        near = _Near(options, builder, rows_of, *_neighbourhoods(problem))
        for group, needing in groups_of(problem.workloads.words("needs_nearby")).items():
            members = groups[group]
            for t in range(len(problem.periods)):
                active = members[problem.active[members, t]]
                facts = near.facts(active)
                for w in needing[problem.active[needing, t]].tolist():
                    others = active[active != w]
                    found = facts if len(others) == len(active) else near.facts(others)
                    self._near(problem, near, (w, group, t), found)

    def _near(self, problem: Problem, near: _Near, what: tuple[int, str, int], facts: Ints) -> None:
        """Limits of one workload and group in one period, one for each neighbourhood."""
        w, group, t = what
        subject, source = f"{problem.workloads.ids[w]} needs {group} in ", ("workloads", w, "needs_nearby")
        limits = [
            LimitName(
                self.name,
                subject + (name or "no region"),
                t,
                "workload of the group",
                Fraction(1),
                -1,
                source,
                least=True,
            )
            for name in near.names
        ]
        block = near.builder.limits(limits, np.zeros(len(limits), dtype=np.int64))
        mine = near.rows_of(np.array([w]))
        number = near.number[near.options.site[mine]]
        block.options(number, near.options.option[mine], np.ones(len(mine), dtype=np.int64))
        there = np.flatnonzero(facts >= 0)
        block.facts(there, facts[there], -np.ones_like(there))

    def faults(self, problem: Problem) -> Iterable[Fault]:
        """Groups that are needed and that no workload belongs to."""
        groups = groups_of(problem.workloads.words("groups"))
        for w, needed in enumerate(problem.workloads.words("needs_nearby")):
            for group in needed:
                if group not in groups:
                    place = problem.workloads.place(w, "needs_nearby")
                    hint = did_you_mean(group, groups, "name it in the column groups of the workloads it means")
                    yield Fault(place, "unknown-reference", f'no workload belongs to the group "{group}"', hint)


@dataclass(frozen=True)
class _Near:
    """An option table by neighbourhood: ``names`` of them, ``number`` int64 [site]."""

    options: Options
    builder: Builder
    rows_of: RowsOf
    names: list[str]
    number: Ints

    def facts(self, members: Ints) -> Ints:
        """Facts "one of these workloads is in this neighbourhood", -1 where none could be. int64 [neighbourhood]."""
        rows = self.rows_of(members)
        return self.builder.any_of(self.number[self.options.site[rows]], self.options.option[rows], len(self.names))


def _neighbourhoods(problem: Problem) -> tuple[list[str], Ints]:
    """Their names in order, and the number of each site's. int64 [site]."""
    own, region = problem.sites.text("neighbourhood"), problem.sites.text("region")
    names, number = np.unique(
        np.array([a or b for a, b in zip(own, region, strict=True)], dtype=np.str_), return_inverse=True
    )
    return names.tolist(), number
