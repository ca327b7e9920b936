"""Groups that stay apart: workloads that name the same group are at different sites.

A model may allow more than one at a site (``per_site: {web: 2}``), or ask for a number of distinct sites instead
(``sites: {web: 3}``). It may ask for a number of distinct regions as well (``regions: {web: 2}``); a site that names no
region is in none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Annotated

import numpy as np
from pydantic import Field

from capplan.errors import Fault, did_you_mean
from capplan.inventory import Column, Kind, TableSchema
from capplan.model import Whole
from capplan.problem import Options, Problem
from capplan.problem.groups import RowsOf, active_together, groups_of
from capplan.problem.ways import Figure, Way, evenly, out_of_groups, rows_where
from capplan.program import Builder, LimitName, Program
from capplan.program.statements import Source
from capplan.rules.base import Rule, RuleOptions
from capplan.units import Ints, Numbers


class ApartOptions(RuleOptions):
    """Options of the rule ``apart``."""

    per_site: Mapping[str, Annotated[Whole, Field(ge=1)]] = Field(
        default_factory=dict, description="groups of which more than one may be at a site, and how many"
    )
    sites: Mapping[str, Annotated[Whole, Field(ge=1)]] = Field(
        default_factory=dict, description="groups that need not be all apart but use at least so many sites"
    )
    regions: Mapping[str, Annotated[Whole, Field(ge=1)]] = Field(
        default_factory=dict, description="groups that, apart or not, use at least so many regions"
    )


class Apart(Rule):
    """At most one (or so many) of a group at each site, among those active at the same time."""

    summary = "workloads of a group at different sites, at most so many at one, or at so many sites or regions at least"
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
        setting, rows_of = _options(problem), RowsOf(problem, options)
        region = _regions(problem)
        for group, members in groups_of(problem.workloads.words("apart")).items():
            for t, active in active_together(problem, members):
                rows, source = rows_of(active), _source(active)
                option, site = options.option[rows], options.site[rows]
                if group in setting.sites:
                    self._spread(builder, (group, "sites", t, source), option, site, setting.sites[group])
                if group in setting.regions:
                    here = region[site] >= 0
                    what = (group, "regions", t, source)
                    self._spread(builder, what, option[here], region[site[here]], setting.regions[group])
                if group in setting.per_site or group not in setting.sites:
                    names = [
                        LimitName(self.name, f"{group} at {name}", t, "workloads", Fraction(1), s, source)
                        for s, name in enumerate(problem.sites.ids)
                    ]
                    block = builder.limits(names, np.full(len(names), setting.per_site.get(group, 1)))
                    block.options(site, option, np.ones_like(option))

    def _spread(
        self, builder: Builder, what: tuple[str, str, int, Source], option: Numbers, place: Numbers, least: int
    ) -> None:
        """``Σ places with a member ≥ least``, as ``−Σ ≤ −least``; ``option`` and ``place`` int64 [k]."""
        group, places, t, source = what
        facts = builder.any_of(place, option, int(place.max(initial=-1)) + 1)
        facts = facts[facts >= 0]
        name = LimitName(self.name, f"{group} {places}", t, places, Fraction(1), -1, source, least=True)
        block = builder.limits([name], np.array([-least]))
        block.facts(np.zeros_like(facts), facts, -np.ones_like(facts))

    def figures(self, problem: Problem, program: Program, name: LimitName) -> Iterable[Figure]:
        """More of a group at one site; fewer sites or regions that it has to use."""
        setting = _options(problem)
        if name.least:
            group, _, option = name.subject.rpartition(" ")
            have = getattr(setting, option)[group]
            rows = rows_where(program, lambda other: other.rule == self.name and other.subject == name.subject)

            def fewer(number: int) -> Way:
                text = f"the group {group} at {have - number} {option} at least instead of {have}"
                return _way(self.name, option, group, max(1, have - number), text, Fraction(number, have))

            yield Figure((self.name, option, group), evenly(rows), fewer)
            return
        group = name.subject.rpartition(" at ")[0]
        most = setting.per_site.get(group, 1)
        rows = rows_where(
            program, lambda other: other.rule == self.name and other.subject.rpartition(" at ")[0] == group
        )

        def more(number: int) -> Way:
            text = f"{most + number} workloads of the group {group} at one site instead of {most}"
            return _way(self.name, "per_site", group, most + number, text, Fraction(number, most))

        yield Figure((self.name, "per_site", group), evenly(rows), more)

    def released(self, problem: Problem, workloads: Sequence[int]) -> Iterable[Way]:
        """One workload that need not be apart."""
        return out_of_groups(problem, workloads, "apart")

    def faults(self, problem: Problem) -> Iterable[Fault]:
        """Groups named in the model that no workload names, and groups that cannot be apart."""
        setting, groups = _options(problem), groups_of(problem.workloads.words("apart"))
        named_by = {"per_site": setting.per_site, "sites": setting.sites, "regions": setting.regions}
        for option, named in named_by.items():
            for group in sorted(set(named) - set(groups)):
                place = problem.model.place("rules", self.name, option, group)
                hint = did_you_mean(group, groups, "name it in workloads.apart, or remove it here")
                yield Fault(place, "unknown-reference", f'no workload names the group "{group}"', hint)
        standing = ~problem.inventory.removed_sites
        regions = _regions(problem)[standing]
        there = {"sites": int(standing.sum()), "regions": len(np.unique(regions[regions >= 0]))}
        for option, number in there.items():
            for group, least in sorted(named_by[option].items()):
                if group in groups and least > min(number, len(groups[group])):
                    place = problem.model.place("rules", self.name, option, group)
                    message = f"{group} has {len(groups[group])} workloads and there are {number} {option}, not {least}"
                    yield Fault(place, "contradictory-rules", message, f"ask for fewer {option}")


def _way(rule: str, option: str, group: str, value: int, text: str, share: Fraction) -> Way:
    changes = {"rules": {rule: {option: {group: value}}}}
    return Way("rule option", text, changes, share=share, figure=(rule, option, group))


def _options(problem: Problem) -> ApartOptions:
    options = problem.rules["apart"]
    assert isinstance(options, ApartOptions)
    return options


def _regions(problem: Problem) -> Ints:
    """Number of each site's region, -1 where it names none. int64 [site]."""
    names = problem.sites.text("region")
    number = {name: i for i, name in enumerate(sorted(set(names) - {""}))}
    return np.array([number.get(name, -1) for name in names], dtype=np.int64)


def _source(members: Ints) -> Source:
    return ("workloads", int(members[0]), "apart")
