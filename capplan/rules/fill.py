"""Fill: a site that is used at all is used at least so much, or stays closed."""

from __future__ import annotations

import numpy as np

from capplan.inventory import Column, Kind, TableSchema
from capplan.problem import Options, Problem
from capplan.problem.use import site_used, uses
from capplan.program import Builder, LimitName
from capplan.rules.base import Rule


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
        for r, row, period, steps in uses(problem, options):
            resource = problem.resources[r]
            least = problem.sites.quantities("fill_" + resource.name, "up")
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
            number = np.full(facts.shape, -1, dtype=np.int64)
            for i, (s, t) in enumerate(asked):
                number[s, t] = i
            block = builder.limits(names, np.zeros(len(names), dtype=np.int64))
            at = number[options.site[row], period]
            keep = at >= 0
            block.options(at[keep], options.option[row[keep]], -steps[keep])
            for i, (s, t) in enumerate(asked):
                one = np.ones(1, dtype=np.int64)
                block.facts(one * i, one * facts[s, t], one * least[s])
