"""Neighbourhood: a workload needs another of a named group in the same region."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import numpy as np

from capplan.errors import Fault, did_you_mean
from capplan.inventory import Column, Kind, TableSchema
from capplan.problem import Options, Problem
from capplan.problem.groups import groups_of
from capplan.program import Builder, LimitName
from capplan.rules.base import Rule
from capplan.units import Ints


class SameNeighbourhood(Rule):
    """Where a workload is placed, some other workload of each group it needs is in the same region."""

    summary = "a workload needs another of a named group in its region"
    schemas = (
        TableSchema(
            "workloads",
            ("workload",),
            (
                Column("groups", Kind.WORDS, "groups it belongs to"),
                Column("needs_nearby", Kind.WORDS, "groups of which another workload must be in its region"),
            ),
            "",
        ),
    )

    def build(self, problem: Problem, options: Options, builder: Builder) -> None:
        """``here − any of the group in this region ≤ 0`` for each needing workload, group, region and period."""
        groups = groups_of(problem.workloads.words("groups"))
        for w, needed in enumerate(problem.workloads.words("needs_nearby")):
            for group in needed:
                for t in np.flatnonzero(problem.active[w]).tolist():
                    self._near(problem, options, builder, w, group, groups[group], t)

    def _near(
        self, problem: Problem, options: Options, builder: Builder, w: int, group: str, members: Ints, t: int
    ) -> None:
        """Limits of one workload and group in one period."""
        names, region_of = np.unique(np.array(problem.sites.text("region"), dtype=np.str_), return_inverse=True)
        others = members[(members != w) & problem.active[members, t]]
        mine = options.rows_of(np.array([w]))
        theirs = options.rows_of(others)
        facts = builder.any_of(region_of[options.site[theirs]], options.option[theirs], len(names))
        limits = [
            LimitName(
                self.name,
                f"{problem.workloads.ids[w]} needs {group} in {region or 'no region'}",
                t,
                "workload of the group",
                Fraction(1),
                -1,
                ("workloads", w, "needs_nearby"),
                least=True,
            )
            for region in names.tolist()
        ]
        block = builder.limits(limits, np.zeros(len(limits), dtype=np.int64))
        block.options(region_of[options.site[mine]], options.option[mine], np.ones(len(mine), dtype=np.int64))
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
