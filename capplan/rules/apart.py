"""Groups that stay apart: workloads that name the same group are at different sites.

A model may allow more than one at a site (``per_site: {web: 2}``), or ask for a number of distinct sites instead
(``sites: {web: 3}``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Annotated

import numpy as np
from pydantic import Field

from capplan.errors import Fault, did_you_mean
from capplan.inventory import Column, Kind, TableSchema
from capplan.model import Whole
from capplan.problem import Options, Problem
from capplan.problem.groups import active_together, groups_of
from capplan.program import Builder, LimitName
from capplan.rules.base import Rule, RuleOptions
from capplan.units import Ints


class ApartOptions(RuleOptions):
    """Options of the rule ``apart``."""

    per_site: Mapping[str, Annotated[Whole, Field(ge=1)]] = Field(
        default_factory=dict, description="groups of which more than one may be at a site, and how many"
    )
    sites: Mapping[str, Annotated[Whole, Field(ge=1)]] = Field(
        default_factory=dict, description="groups that need not be all apart but use at least so many sites"
    )


class Apart(Rule):
    """At most one (or so many) of a group at each site, among those active at the same time."""

    summary = "workloads of a group are at different sites, or at most so many at one, or at so many sites at least"
    options = ApartOptions
    schemas = (
        TableSchema(
            "workloads",
            ("workload",),
            (Column("apart", Kind.WORDS, "groups whose members are at different sites", inherits=False),),
            "",
        ),
    )

    def build(self, problem: Problem, options: Options, builder: Builder) -> None:
        """One limit per group, site and set of members active together."""
        setting = _options(problem)
        for group, members in groups_of(problem.workloads.words("apart")).items():
            for t, active in active_together(problem, members):
                if group in setting.sites:
                    self._spread(problem, options, builder, group, t, active, setting.sites[group])
                if group in setting.per_site or group not in setting.sites:
                    self._separate(problem, options, builder, group, t, active, setting.per_site.get(group, 1))

    def _separate(
        self, problem: Problem, options: Options, builder: Builder, group: str, t: int, members: Ints, most: int
    ) -> None:
        rows = options.rows_of(members)
        names = [
            LimitName(self.name, f"{group} at {site}", t, "workloads", Fraction(1), s, _source(members))
            for s, site in enumerate(problem.sites.ids)
        ]
        block = builder.limits(names, np.full(len(names), most))
        block.options(options.site[rows], options.option[rows], np.ones(len(rows), dtype=np.int64))

    def _spread(
        self, problem: Problem, options: Options, builder: Builder, group: str, t: int, members: Ints, least: int
    ) -> None:
        """``Σ sites with a member ≥ least``, as ``−Σ ≤ −least``; a group that is left out in part needs fewer."""
        rows = options.rows_of(members)
        facts = builder.any_of(options.site[rows], options.option[rows], len(problem.sites))
        facts = facts[facts >= 0]
        name = LimitName(self.name, f"{group} sites", t, "sites", Fraction(1), -1, _source(members), least=True)
        block = builder.limits([name], np.array([-least]))
        block.facts(np.zeros_like(facts), facts, -np.ones_like(facts))

    def faults(self, problem: Problem) -> Iterable[Fault]:
        """Groups named in the model that no workload names, and groups that cannot be apart."""
        setting, groups = _options(problem), groups_of(problem.workloads.words("apart"))
        for option, named in (("per_site", setting.per_site), ("sites", setting.sites)):
            for group in sorted(set(named) - set(groups)):
                place = problem.model.place("rules", self.name, option, group)
                hint = did_you_mean(group, groups, "name it in workloads.apart, or remove it here")
                yield Fault(place, "unknown-reference", f'no workload names the group "{group}"', hint)
        standing = int((~problem.inventory.removed_sites).sum())
        for group, least in sorted(setting.sites.items()):
            if least > min(standing, len(groups.get(group, ()))) and group in groups:
                place = problem.model.place("rules", self.name, "sites", group)
                message = f"{group} has {len(groups[group])} workloads and there are {standing} sites, not {least}"
                yield Fault(place, "contradictory-rules", message, "ask for fewer sites")


def _options(problem: Problem) -> ApartOptions:
    options = problem.rules["apart"]
    assert isinstance(options, ApartOptions)
    return options


def _source(members: Ints) -> tuple[str, int, str]:
    return ("workloads", int(members[0]), "apart")
