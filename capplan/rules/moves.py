"""Moves: at most so many workloads leave their current site, in all, for one organisation, or in one period.

A move happens in the first period in which the workload is active. With ``both_ends`` a workload that moves also
counts at the site it leaves, in that period and within usable capacity: it occupies both places while it moves. Where
capacity itself is not held to (switched off, soft, or mended), neither is a move.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Annotated

import numpy as np
from pydantic import Field

from capplan.model import Switch, Whole
from capplan.problem import Options, Problem
from capplan.problem.supply import supply
from capplan.problem.use import add_use, moved
from capplan.program import Builder, LimitName
from capplan.rules.base import Rule, RuleOptions
from capplan.units import UNLIMITED, Bools, Ints


class MovesOptions(RuleOptions):
    """Options of the rule ``moves``."""

    at_most: Annotated[Whole, Field(ge=0)] | None = Field(default=None, description="most moves in all")
    per_organisation: Annotated[Whole, Field(ge=0)] | None = Field(
        default=None, description="most moves of each organisation"
    )
    per_period: Annotated[Whole, Field(ge=0)] | None = Field(default=None, description="most moves in each period")
    both_ends: Switch = Field(default=False, description="whether a move also occupies the site it leaves")


class Moves(Rule):
    """Limits on change; a model must ask for it."""

    summary = "at most so many moves in all, per organisation, per period; moves may count at both ends"
    options = MovesOptions
    on_by_default = False

    def build(self, problem: Problem, options: Options, builder: Builder) -> None:
        """One limit for each ceiling, and for each site, resource and period where both ends count."""
        setting = problem.rules[self.name]
        assert isinstance(setting, MovesOptions)
        rows = np.flatnonzero(moved(problem, options))
        organisations = problem.inventory.table("organisations").ids
        owner = problem.workloads.refs("organisation")[options.workload[rows]]
        first = problem.first_period[options.workload[rows]]
        if setting.at_most is not None:
            self._ceiling(options, builder, rows, np.zeros_like(rows), [("all", -1)], setting.at_most)
        if setting.per_organisation is not None:
            named = [(name, -1) for name in organisations]
            self._ceiling(options, builder, rows, owner, named, setting.per_organisation)
        if setting.per_period is not None:
            when = [("all", t) for t in range(len(problem.periods))]
            self._ceiling(options, builder, rows[first >= 0], first[first >= 0], when, setting.per_period)
        if setting.both_ends:
            self._both_ends(problem, options, builder, rows)

    def _ceiling(
        self,
        options: Options,
        builder: Builder,
        rows: Ints,
        group: Ints,
        names: Sequence[tuple[str, int]],
        most: int,
    ) -> None:
        limits = [LimitName(self.name, subject, t, "moves", Fraction(1)) for subject, t in names]
        block = builder.limits(limits, np.full(len(names), most))
        block.options(group, options.option[rows], np.ones(len(rows), dtype=np.int64))

    def _both_ends(self, problem: Problem, options: Options, builder: Builder, leaving: Ints) -> None:
        """Use at a site plus what leaves it in the same period, within usable capacity, purchases included."""
        now = problem.inventory.current_site
        finite = (problem.inventory.capacity != UNLIMITED) & _held_to(problem)
        number = np.full((len(problem.sites), len(problem.resources), len(problem.periods)), -1, dtype=np.int64)
        workload = options.workload[leaving]
        first = problem.first_period[workload]
        for s, t in np.unique(np.stack([now[workload], first], axis=1)[first >= 0], axis=0).tolist():
            number[s, finite[s], t] = 0
        number[number == 0] = np.arange((number == 0).sum())
        usable = [1 - problem.headroom(resource.name) for resource in problem.resources]
        cells = np.argwhere(number >= 0).tolist()
        names = [self._name(problem, usable[r], s, r, t) for s, r, t in cells]
        bound = [int(problem.inventory.capacity[s, r]) * usable[r].numerator for s, r, _ in cells]
        block = builder.limits(names, np.array(bound, dtype=np.int64))
        supply(problem, builder).widen(block, number, [share.numerator for share in usable])
        add_use(problem, options, builder, block, number, [share.denominator for share in usable])
        for r in range(len(problem.resources)):
            # What a workload takes at the site it leaves is its demand there.
            there = problem.demand_at(workload, now[workload], r)[np.arange(len(workload)), first]
            at = np.where(first >= 0, number[now[workload], r, first], -1)
            keep = at >= 0
            block.options(at[keep], options.option[leaving[keep]], there[keep] * usable[r].denominator)

    def _name(self, problem: Problem, usable: Fraction, s: int, r: int, t: int) -> LimitName:
        resource = problem.resources[r]
        per_unit = resource.step / usable.denominator
        subject = f"{problem.sites.ids[s]} {resource.name} while moving"
        return LimitName(self.name, subject, t, resource.unit, per_unit, s, ("sites", s, resource.name), usable)


def _held_to(problem: Problem) -> Bools:
    """Resources whose capacity no plan exceeds. bool [resource]."""
    capacity = problem.rules.get("capacity")
    if capacity is None or capacity.broken_today == "mend":
        return np.zeros(len(problem.resources), dtype=np.bool_)
    soft = getattr(capacity, "soft", {})
    return np.array([resource.name not in soft for resource in problem.resources], dtype=np.bool_)
