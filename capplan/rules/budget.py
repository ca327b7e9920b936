"""Budget: a ceiling on what is paid, by the year or once.

``per_year`` bounds the yearly money of every period (÷ its days × 365), ``once`` the one-off money over the horizon,
``total`` both together over the horizon.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from functools import partial
from math import ceil
from typing import Annotated

import numpy as np
from pydantic import Field

from capplan.model import Number
from capplan.problem import Options, Problem
from capplan.problem.ways import Figure, Way, evenly, rows_where
from capplan.program import Builder, Charge, LimitName, Program, Purse
from capplan.program.statements import NO_PERIOD
from capplan.rules.base import Rule, RuleOptions
from capplan.units import decimal_text

OPTIONS = {"yearly money": "per_year", "one-off money": "once", "money": "total"}
"""The option behind each limit, by the limit's subject."""


class BudgetOptions(RuleOptions):
    """Options of the rule ``budget``, in the inventory's currency."""

    per_year: Annotated[Number, Field(ge=0)] | None = Field(
        default=None, description="most yearly money, in any period"
    )
    once: Annotated[Number, Field(ge=0)] | None = Field(default=None, description="most one-off money over the horizon")
    total: Annotated[Number, Field(ge=0)] | None = Field(default=None, description="most money over the horizon")


class Budget(Rule):
    """Ceilings on charges; a model must ask for it."""

    summary = "a ceiling on yearly, one-off or all money"
    options = BudgetOptions
    on_by_default = False

    def build(self, problem: Problem, options: Options, builder: Builder) -> None:
        """Nothing yet but to have money added up under each ceiling, before any is charged."""
        self._purses(problem, builder)

    def figures(self, problem: Problem, program: Program, name: LimitName) -> Iterable[Figure]:
        """A higher ceiling."""
        rows = rows_where(program, lambda other: other.rule == self.name and other.subject == name.subject)
        option, currency = OPTIONS[name.subject], problem.inventory.currency
        have = Fraction(getattr(problem.rules[self.name], option))
        # A limit of a period counts what is paid in it, the option what that would be in a year.
        periods = [program.limit_names[row].period for row in rows] if option == "per_year" else []
        part = min((problem.periods.share_of_year(t) for t in periods), default=Fraction(1))

        def way(pence: int) -> Way:
            more = Fraction(ceil(pence / part))
            text = f"a budget of {currency.text(have * currency.pence_per_unit + more)} ({option}) instead of "
            text += currency.text(have * currency.pence_per_unit)
            most = decimal_text(have + more / currency.pence_per_unit)
            share = more / max(have * currency.pence_per_unit, Fraction(1))
            changes = {"rules": {self.name: {option: most}}}
            return Way("budget", text, changes, more, share=share, figure=(self.name, option))

        yield Figure((self.name, option), evenly(rows), way)

    def limit_money(self, problem: Problem, options: Options, builder: Builder) -> None:
        """One limit for each ceiling that the model names."""
        for (what, t), (ceiling, purse) in self._purses(problem, builder).items():
            self._limit(problem, builder, what, t, ceiling, purse)

    def _purses(self, problem: Problem, builder: Builder) -> dict[tuple[str, int], tuple[Fraction, Purse]]:
        """By name and period: each ceiling, and the money under it."""
        return builder.shared("budget", lambda: self._ceilings(problem, builder))

    def _ceilings(self, problem: Problem, builder: Builder) -> dict[tuple[str, int], tuple[Fraction, Purse]]:
        setting = problem.rules[self.name]
        assert isinstance(setting, BudgetOptions)
        found = {}
        if setting.per_year is not None:
            for t in range(len(problem.periods)):
                share = Fraction(setting.per_year) * problem.periods.share_of_year(t)
                found["yearly money", t] = share, builder.purse(partial(_yearly, t))
        if setting.once is not None:
            found["one-off money", NO_PERIOD] = Fraction(setting.once), builder.purse(lambda charge: charge.once)
        if setting.total is not None:
            found["money", NO_PERIOD] = Fraction(setting.total), builder.purse(lambda charge: True)
        return found

    def _limit(self, problem: Problem, builder: Builder, what: str, t: int, ceiling: Fraction, purse: Purse) -> None:
        """Σ charges ≤ ceiling, in whole pence; what is paid in any case lowers the ceiling."""
        currency = problem.inventory.currency
        most = int(ceiling * currency.pence_per_unit // 1) - purse.constant
        name = LimitName(self.name, what, t, currency.code, Fraction(1, currency.pence_per_unit))
        block = builder.limits([name], np.array([most]))
        paid = np.flatnonzero(purse.placed)
        block.options(np.zeros_like(paid), paid, purse.placed[paid])
        for fill, pence in ((block.facts, purse.facts), (block.purchases, purse.purchases)):
            index = np.array(list(pence), dtype=np.int64)
            fill(np.zeros_like(index), index, np.array(list(pence.values()), dtype=np.int64))


def _yearly(period: int, charge: Charge) -> bool:
    return not charge.once and charge.period == period
