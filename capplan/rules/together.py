"""Groups that stay together: workloads that name the same group are at one site."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from capplan.inventory import Column, Kind, TableSchema
from capplan.problem import NOWHERE, Options, Problem
from capplan.problem.groups import groups_of
from capplan.problem.ways import Way, out_of_groups
from capplan.rules.base import Exclusion, Rule
from capplan.units import Ints


class Together(Rule):
    """A group is one item: placed at one site, or left out, as a whole."""

    summary = "workloads of a group are all at one site, or all left out"
    schemas = (
        TableSchema(
            "workloads",
            ("workload",),
            (Column("together", Kind.WORDS, "groups that are all at one site, or all left out", inherits=False),),
            "",
        ),
    )

    def colocated(self, problem: Problem) -> Iterable[tuple[int, int]]:
        """Neighbours in each group."""
        for members in groups_of(problem.workloads.words("together")).values():
            yield from pairwise(members.tolist())

    def exclusions(self, problem: Problem, options: Options) -> Iterable[Exclusion]:
        """Options in which members of one group are apart, or some are left out and some not."""
        if options.alone:
            return
        for group, members in groups_of(problem.workloads.words("together")).items():
            mine = np.isin(options.workload, members)
            absent = np.bincount(
                options.absent_option[np.isin(options.absent_workload, members)], minlength=len(options)
            )
            option, site = options.option[mine], options.site[mine]
            low, high = np.full(len(options), len(problem.sites)), np.full(len(options), NOWHERE)
            np.minimum.at(low, option, site)
            np.maximum.at(high, option, site)
            bad = np.flatnonzero((high > low) | ((high >= 0) & (absent > 0)))
            if len(bad):
                yield self._apart(problem, options, group, members, bad)

    def released(self, problem: Problem, workloads: Sequence[int]) -> Iterable[Way]:
        """One workload that need not be with its group."""
        return out_of_groups(problem, workloads, "together")

    def _apart(self, problem: Problem, options: Options, group: str, members: Ints, option: Ints) -> Exclusion:
        ids = problem.workloads.ids

        def reason(i: int) -> str:
            gone = options.absent_workload[options.absent_option == option[i]]
            out = ", ".join(ids[w] for w in gone.tolist() if w in members)
            why = f", but {out} is left out" if out else ""
            return f"the group {group} is together: all its workloads at one site, or none placed{why}"

        return Exclusion(self.name, option, reason, lambda _: ("workloads", int(members[0]), "together"))
