"""Balance: what is free of one resource is worth something only beside enough of another.

A pair ``{free: cores, needs: memory_gb, times: 4, price: 2}`` says: at every site and in every period each free core
needs 4 free GB of memory. What is short of that, in whole steps of the second resource::

    short = max(0, times × free of the first − free of the second)

has a price for a year; without a price nothing may be short. Free is capacity, bought capacity included, less use;
headroom is part of it. Sites count whether they are used or not, for the days on which they exist; where either
capacity is unlimited, nothing is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Annotated

import numpy as np
from pydantic import Field

from capplan.errors import Fault, did_you_mean
from capplan.model import Number, Text
from capplan.model import Options as Keys
from capplan.problem import Options, Problem
from capplan.problem.periods import FIRST_DAY, LAST_DAY, YEAR_DAYS
from capplan.problem.supply import supply
from capplan.problem.use import uses
from capplan.program import Builder, LimitBlock, LimitName, PurchaseName
from capplan.program.statements import ROUNDING
from capplan.rules.base import Rule, RuleOptions
from capplan.units import UNLIMITED, Ints, decimal_text


class Pair(Keys):
    """Two resources that are to be free in proportion."""

    free: Text = Field(description="a resource")
    needs: Text = Field(description="the resource that is to be free beside it")
    times: Annotated[Number, Field(gt=0)] = Field(default=Decimal(1), description="units of it per unit")
    price: Annotated[Number, Field(ge=0)] | None = Field(
        default=None, description="price of a unit short, for a year; without it none may be short"
    )

    @property
    def text(self) -> str:
        """The pair in a few words: ``4 memory_gb per cores``."""
        return f"{decimal_text(Fraction(self.times))} {self.needs} per {self.free}"


class BalanceOptions(RuleOptions):
    """Options of the rule ``balance``."""

    pairs: tuple[Pair, ...] = Field(
        default=(), description="list of {free, needs, times (1), price (none: nothing may be short)}"
    )


class Balance(Rule):
    """Every pair at every site, in every period; a model must ask for it."""

    summary = "what is free of one resource has enough of another free beside it, or what is short has a price"
    options = BalanceOptions
    on_by_default = False

    def build(self, problem: Problem, options: Options, builder: Builder) -> None:
        """``p × free₁ − q × free₂ − q × short ≤ 0`` in steps, with p/q = times × step₁ ÷ step₂."""
        for pair in _options(problem).pairs:
            days, number = _days(problem), np.full((len(problem.sites), len(problem.periods)), -1, dtype=np.int64)
            first, second = (problem.resource_number(name) for name in (pair.free, pair.needs))
            capacity = problem.inventory.capacity
            finite = (capacity[:, [first, second]] != UNLIMITED).all(axis=1) & ~problem.inventory.removed_sites
            cells = np.argwhere(finite[:, None] & (days > 0))
            number[cells[:, 0], cells[:, 1]] = np.arange(len(cells))
            scale = _scale(problem, pair)
            # Whole Python numbers: what does not fit an int64 must not wrap around.
            ends = capacity[cells[:, 0]][:, [first, second]].tolist()
            bound = np.array([scale[1] * have - scale[0] * free for free, have in ends], dtype=np.int64)
            block = builder.limits(self._names(problem, pair, cells), bound)
            self._use(problem, options, builder, block, number, {first: -scale[0], second: scale[1]})
            if pair.price is not None:
                self._prices(problem, builder, block, pair, days, cells)

    def _use(
        self,
        problem: Problem,
        options: Options,
        builder: Builder,
        block: LimitBlock,
        number: Ints,
        factor: Mapping[int, int],
    ) -> None:
        """Use of both resources, and what purchases add to them. ``number`` int64 [site, period]."""
        for r, row, period, steps in uses(problem, options):
            if r in factor:
                at = number[options.site[row], period]
                keep = at >= 0
                block.options(at[keep], options.option[row[keep]], steps[keep] * factor[r])
        one_row_each = np.repeat(number[:, None, :], len(problem.resources), axis=1)
        supply(problem, builder).widen(block, one_row_each, [factor.get(r, 0) for r in range(len(problem.resources))])

    def _prices(
        self, problem: Problem, builder: Builder, block: LimitBlock, pair: Pair, days: Ints, cells: Ints
    ) -> None:
        """What is short, in steps, as a purchase that each row needs. ``cells`` int64 [row, 2]: site and period."""
        needed = problem.resources[problem.resource_number(pair.needs)]
        rate = Fraction(pair.price or 0) * needed.step * problem.inventory.currency.pence_per_unit / YEAR_DAYS
        most = _most_short(problem, builder, pair)
        gives = f"{decimal_text(needed.step)} {needed.unit} short"
        short = []
        for s, t in cells.tolist():
            name = PurchaseName(f"short {pair.text}", s, t, gives)
            short.append(builder.purchase(name, most[s], derived=True))
            builder.purchase_charge(short[-1], "purchase", t, rate * int(days[s, t]))
        rows = np.arange(len(cells))
        block.purchases(rows, np.array(short, dtype=np.int64), np.full_like(rows, -_scale(problem, pair)[1]))

    def _names(self, problem: Problem, pair: Pair, cells: Ints) -> list[LimitName]:
        """A name for each row, int64 [row, 2] site and period; rows of a pair with a price only count what is paid."""
        if pair.price is not None:
            return [ROUNDING] * len(cells)
        needed = problem.resources[problem.resource_number(pair.needs)]
        per_unit, ids = needed.step / _scale(problem, pair)[1], problem.sites.ids
        return [
            LimitName(
                self.name, f"{ids[s]} {pair.text}", t, needed.unit, per_unit, s, ("sites", s, pair.needs), least=True
            )
            for s, t in cells.tolist()
        ]

    def faults(self, problem: Problem) -> Iterable[Fault]:
        """Resources that the inventory does not have, pairs of one resource, pairs that stand twice."""
        known = [resource.name for resource in problem.resources]
        seen: set[str] = set()
        for i, pair in enumerate(_options(problem).pairs):
            place = problem.model.place("rules", self.name, "pairs", i)
            for key, name in (("free", pair.free), ("needs", pair.needs)):
                if name not in known:
                    hint = did_you_mean(name, known, f"known: {', '.join(sorted(known))}")
                    message = f'no resource of this inventory is named "{name}"'
                    yield Fault(
                        problem.model.place("rules", self.name, "pairs", i, key), "unknown-reference", message, hint
                    )
            if pair.free == pair.needs:
                yield Fault(place, "contradictory-rules", f"{pair.free} stands beside itself", "name two resources")
            if pair.text in seen:
                yield Fault(place, "contradictory-rules", f"{pair.text} stands here again", "delete one of the two")
            seen.add(pair.text)


def _options(problem: Problem) -> BalanceOptions:
    options = problem.rules["balance"]
    assert isinstance(options, BalanceOptions)
    return options


def _days(problem: Problem) -> Ints:
    """Days on which each site exists. int64 [site, period]."""
    return problem.periods.overlap(problem.sites.dates("from", FIRST_DAY), problem.sites.dates("to", LAST_DAY))


def _scale(problem: Problem, pair: Pair) -> tuple[int, int]:
    """p and q: one free step of the first resource needs p/q steps of the second."""
    first, second = (problem.resources[problem.resource_number(name)].step for name in (pair.free, pair.needs))
    return (Fraction(pair.times) * first / second).as_integer_ratio()


def _most_short(problem: Problem, builder: Builder, pair: Pair) -> list[int]:
    """Steps of which no plan can be short at each site: nothing used of the first, everything used of the second."""
    first, second = (problem.resource_number(name) for name in (pair.free, pair.needs))
    bought = supply(problem, builder)
    most = bought.steps * np.array([builder.upper(p) for p in bought.purchase.tolist()], dtype=np.int64)
    used = int(problem.demand[:, second, :].sum(axis=0).max(initial=0)) + problem.own_demand_peak(second)
    share = Fraction(*_scale(problem, pair))
    found = []
    for s in range(len(problem.sites)):
        free = int(problem.inventory.capacity[s, first]) + int(
            most[(bought.site == s) & (bought.resource == first) & (most > 0)].sum()
        )
        gone = -int(most[(bought.site == s) & (bought.resource == second) & (most < 0)].sum())
        found.append(max(0, ceil(share * free) + used + gone - int(problem.inventory.capacity[s, second])))
    return found
