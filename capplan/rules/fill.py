"""Fill: a site that is used at all is used at least so much, or stays closed."""

from __future__ import annotations

import numpy as np

from capplan.inventory import Column, Kind, TableSchema
from capplan.problem import Options, Problem
from capplan.problem.use import site_used
from capplan.program import Builder, LimitName
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
