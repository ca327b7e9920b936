"""Moves: at most so many workloads leave their current site, in all, for one organisation, or in one period.

A move happens in the first period in which the workload is active. With ``both_ends`` a workload that moves also
counts at the site it leaves, in that period and within usable capacity: it occupies both places while it moves. Where
capacity itself is not held to (switched off, soft, or mended), neither is a move. ``both_ends: [memory_gb]`` counts
only these resources twice, as where memory is copied before the processor is handed over.

``busiest_service_once`` is no limit but a price: so much, once, for each move of the service that moves most.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Annotated

import numpy as np
from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema

from capplan.errors import Fault, did_you_mean
from capplan.model import Number, Switch, Text, Whole
from capplan.model.fields import kind_of, wrong
from capplan.problem import Options, Problem
from capplan.problem.raising import site_figures
from capplan.problem.supply import supply
from capplan.problem.use import add_use, moved
from capplan.problem.ways import Figure, Way, evenly, rows_where
from capplan.program import Builder, LimitName, Program, PurchaseName
from capplan.program.statements import ROUNDING
from capplan.rules.base import Rule, RuleOptions
from capplan.units import UNLIMITED, Bools, Ints


def _switch_or_list(value: object) -> object:
    if isinstance(value, bool | list | tuple):
        return value
    said = f"{kind_of(value)} does not say what a move takes up at both ends"
    raise wrong("wrong-value", said, "write true, false or a list of resources")


def _both_ends_form(value: object) -> str:
    return "switch" if isinstance(value, bool) else "resources"


BothEnds = Annotated[
    Annotated[Switch, Tag("switch")] | Annotated[tuple[Text, ...], Tag("resources")],
    Discriminator(_both_ends_form),
    BeforeValidator(_switch_or_list),
    WithJsonSchema({"anyOf": [{"type": "boolean"}, {"type": "array", "items": {"type": "string"}}]}),
]


class MovesOptions(RuleOptions):
    """Options of the rule ``moves``."""

    at_most: Annotated[Whole, Field(ge=0)] | None = Field(default=None, description="most moves in all")
    per_organisation: Annotated[Whole, Field(ge=0)] | None = Field(
        default=None, description="most moves of each organisation"
    )
    per_period: Annotated[Whole, Field(ge=0)] | None = Field(default=None, description="most moves in each period")
    both_ends: BothEnds = Field(
        default=False, description="whether a move also occupies the site it leaves; or the resources of which it does"
    )
    busiest_service_once: Annotated[Number, Field(ge=0)] | None = Field(
        default=None, description="one-off price of each move of the service with the most moves"
    )


class Moves(Rule):
    """Limits on change; a model must ask for it."""

    summary = (
        "at most so many moves in all, per organisation, per period; moves may count at both ends, or have a price"
    )
    options = MovesOptions
    on_by_default = False

    def build(self, problem: Problem, options: Options, builder: Builder) -> None:
        """One limit for each ceiling, and for each site, resource and period where both ends count."""
        setting = _options(problem)
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
        if setting.busiest_service_once is not None:
            price = Fraction(setting.busiest_service_once) * problem.inventory.currency.pence_per_unit
            self._busiest(problem, options, builder, rows[first >= 0], price)

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

    def _busiest(self, problem: Problem, options: Options, builder: Builder, leaving: Ints, price: Fraction) -> None:
        """``moves of a service − most ≤ 0`` for each, with a price on ``most``; it is paid in the first period."""
        service, of = np.unique(np.array(problem.workloads.text("service"), dtype=np.str_), return_inverse=True)
        counts = leaving[service[of[options.workload[leaving]]] != ""]
        moving, row = np.unique(of[options.workload[counts]], return_inverse=True)
        upper = int(np.bincount(of).max(initial=0))
        most = builder.purchase(PurchaseName("busiest service", -1, 0, "1 move"), upper, derived=True)
        builder.purchase_charge(most, "purchase", 0, price, once=True)
        block = builder.limits([ROUNDING] * len(moving), np.zeros(len(moving), dtype=np.int64))
        block.options(row, options.option[counts], np.ones_like(row))
        each = np.arange(len(moving))
        block.purchases(each, np.full_like(each, most), -np.ones_like(each))

    def _both_ends(self, problem: Problem, options: Options, builder: Builder, leaving: Ints) -> None:
        """Use at a site plus what leaves it in the same period, within usable capacity, purchases included."""
        now = problem.inventory.current_site
        finite = (problem.inventory.capacity != UNLIMITED) & _held_to(problem) & _counted_twice(problem)
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

    def figures(self, problem: Problem, program: Program, name: LimitName) -> Iterable[Figure]:
        """More moves; where both ends count, more at the site that is left."""
        if name.source is not None:
            yield from site_figures(problem, program, name)
            return
        if name.subject != "all":
            option = "per_organisation"
            rows = rows_where(
                program, lambda other: other.rule == self.name and other.source is None and other.subject != "all"
            )
        else:
            option = "at_most" if name.period < 0 else "per_period"
            alike = name._replace(period=0)
            rows = rows_where(
                program, lambda other: other._replace(period=0) == alike and (other.period < 0) == (name.period < 0)
            )
        have = getattr(_options(problem), option)

        def way(number: int) -> Way:
            text = f"{have + number} moves ({option}) instead of {have}"
            changes = {"rules": {self.name: {option: have + number}}}
            return Way("moves", text, changes, share=Fraction(number, max(1, have)), figure=(self.name, option))

        yield Figure((self.name, option), evenly(rows), way)

    def faults(self, problem: Problem) -> Iterable[Fault]:
        """Resources that the inventory does not have."""
        both, known = _options(problem).both_ends, [resource.name for resource in problem.resources]
        for i, name in enumerate(both if isinstance(both, tuple) else ()):
            if name not in known:
                place = problem.model.place("rules", self.name, "both_ends", i)
                hint = did_you_mean(name, known, f"known: {', '.join(sorted(known))}")
                yield Fault(place, "unknown-reference", f'no resource of this inventory is named "{name}"', hint)

    def _name(self, problem: Problem, usable: Fraction, s: int, r: int, t: int) -> LimitName:
        resource = problem.resources[r]
        per_unit = resource.step / usable.denominator
        subject = f"{problem.sites.ids[s]} {resource.name} while moving"
        return LimitName(self.name, subject, t, resource.unit, per_unit, s, ("sites", s, resource.name), usable)


def _options(problem: Problem) -> MovesOptions:
    options = problem.rules["moves"]
    assert isinstance(options, MovesOptions)
    return options


def _counted_twice(problem: Problem) -> Bools:
    """Resources that a move takes up at both ends. bool [resource]."""
    both = _options(problem).both_ends
    named = [both if isinstance(both, bool) else resource.name in both for resource in problem.resources]
    return np.array(named, dtype=np.bool_)


def _held_to(problem: Problem) -> Bools:
    """Resources whose capacity no plan exceeds. bool [resource]."""
    capacity = problem.rules.get("capacity")
    if capacity is None or capacity.broken_today == "mend":
        return np.zeros(len(problem.resources), dtype=np.bool_)
    soft = getattr(capacity, "soft", {})
    return np.array([resource.name not in soft for resource in problem.resources], dtype=np.bool_)
