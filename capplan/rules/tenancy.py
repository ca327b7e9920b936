"""Tenancy: a site that serves an organisation of tenancy ``dedicated_site`` serves no other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

import numpy as np

from capplan.inventory import Column, Kind, TableSchema
from capplan.problem import Options, Problem
from capplan.problem.ways import Way, set_cell
from capplan.program import Builder, LimitName
from capplan.program.statements import Source
from capplan.rules.base import Rule

CHOICES = ("shared", "dedicated_site")


class Tenancy(Rule):
    """For every dedicated organisation, site and period: it is there, or others are, not both."""

    summary = "a site that serves a dedicated organisation serves no other"
    schemas = (
        TableSchema(
            "organisations",
            ("organisation",),
            (Column("tenancy", Kind.CHOICE, "whether it shares sites with others", choices=CHOICES, default="shared"),),
            "",
        ),
    )

    def eased(self, problem: Problem, source: Source, workloads: Sequence[int]) -> Iterable[Way]:
        """An organisation that shares sites with others."""
        name = problem.inventory.table("organisations").ids[source[1]]
        changes = set_cell("organisations", name, "tenancy", "shared")
        yield Way("rule option", f"let {name} share sites with others", changes)

    def build(self, problem: Problem, options: Options, builder: Builder) -> None:
        """``here + others ≤ 1`` over two facts."""
        organisations = problem.inventory.table("organisations")
        owner = problem.workloads.refs("organisation")[options.workload]
        dedicated = [o for o, kind in enumerate(organisations.text("tenancy")) if kind == "dedicated_site"]
        for o in dedicated:
            for t in range(len(problem.periods)):
                rows = np.flatnonzero(problem.active[options.workload, t])
                # Group 2s: this organisation at site s; 2s + 1: any other.
                group = 2 * options.site[rows] + (owner[rows] != o)
                facts = builder.any_of(group, options.option[rows], 2 * len(problem.sites)).reshape(-1, 2)
                both = np.flatnonzero((facts >= 0).all(axis=1))
                names = [
                    LimitName(
                        self.name,
                        f"{organisations.ids[o]} at {problem.sites.ids[s]}",
                        t,
                        "tenants",
                        Fraction(1),
                        int(s),
                        ("organisations", o, "tenancy"),
                    )
                    for s in both
                ]
                block = builder.limits(names, np.ones(len(both), dtype=np.int64))
                number = np.repeat(np.arange(len(both)), 2)
                block.facts(number, facts[both].reshape(-1), np.ones_like(number))
