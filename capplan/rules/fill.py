"""Fill: a site that is used at all is used at least so much, or stays closed."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import numpy as np

from capplan.inventory import Column, Kind, TableSchema
from capplan.problem import Options, Problem
from capplan.problem.raising import natural_unit
from capplan.problem.use import site_used
from capplan.problem.ways import Figure, Way, evenly, rows_where, set_cell
from capplan.program import Builder, LimitName, Program
from capplan.rules.base import Rule
from capplan.units import Bools, Ints


class Fill(Rule):
    """``used ≥ least`` in every period in which the site is used."""

    summary = "a site that is used at all is used at least so much"
    schemas = (
        TableSchema(
            "sites",
            ("site",),
            (Column("fill_", Kind.QUANTITY, "least use if the site is used at all", per_resource=True),),
            "",
        ),
    )

    def build(self, problem: Problem, options: Options, builder: Builder) -> None:
        """``least × used at all − used ≤ 0`` for each site, resource and period with a least use."""
        facts = site_used(problem, options, builder)
        for r, resource in enumerate(problem.resources):
            least = problem.sites.quantities("fill_" + resource.name, "up")
            if not least.any():
                continue
            asked = [(s, t) for s, t in np.argwhere(facts >= 0).tolist() if least[s]]
            names = [
                LimitName(
                    self.name,
                    f"{problem.sites.ids[s]} {resource.name}",
                    t,
                    f"{resource.unit} of the least use",
                    resource.step,
                    s,
                    ("sites", s, "fill_" + resource.name),
                    least=True,
                )
                for s, t in asked
            ]
            number: Ints = np.full(facts.shape, -1, dtype=np.int64)
            for i, (s, t) in enumerate(asked):
                number[s, t] = i
            block = builder.limits(names, np.zeros(len(names), dtype=np.int64))
            counted: Bools = np.any(number >= 0, axis=1)
            for part in options.parts():
                # Written out, and for the sites that ask only: what is held by place never counts below 0.
                row = np.flatnonzero(counted[options.site[part]]) + part.start
                steps = problem.demand_at(options.workload[row], options.site[row], r)
                at = np.where(steps > 0, number[options.site[row]], -1)
                which, period = np.nonzero(at >= 0)
                block.options(at[which, period], options.option[row[which]], -steps[which, period])
            for i, (s, t) in enumerate(asked):
                one = np.ones(1, dtype=np.int64)
                block.facts(one * i, one * facts[s, t], one * least[s])

    def figures(self, problem: Problem, program: Program, name: LimitName) -> Iterable[Figure]:
        """A smaller least use: the limit is needed − used, so a step less is one that counts if the site is used."""
        if name.source is None:
            return
        site, column = name.source[1], name.source[2]
        r = problem.resource_number(column.removeprefix("fill_"))
        resource = problem.resources[r]
        have = int(problem.sites.quantities(column, "up")[site])
        rows = rows_where(program, lambda other: other.rule == self.name and other.source == name.source)

        def less(steps: int) -> Way:
            left, where = max(0, have - steps), problem.sites.ids[site]
            text = f"a least use of {resource.text(left)} {resource.unit} at {where} instead of {resource.text(have)}"
            changes = set_cell("sites", where, column, resource.text(left))
            share = Fraction(have - left, have)
            return Way("least use", text, changes, share=share, figure=(self.name, where, column))

        yield Figure((self.name, str(site), column), evenly(rows), less, unit=natural_unit(problem, r))
