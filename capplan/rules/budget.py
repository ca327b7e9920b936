"""Budget: a ceiling on what is paid, by the year or once.

``per_year`` bounds the yearly money of every period (÷ its days × 365), ``once`` the one-off money over the horizon,
``total`` both together over the horizon.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated

import numpy as np
from pydantic import Field

from capplan.model import Number
from capplan.problem import Options, Problem
from capplan.program import Builder, Charge, LimitName
from capplan.program.statements import NO_PERIOD
from capplan.rules.base import Rule, RuleOptions


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

    def limit_money(self, problem: Problem, options: Options, builder: Builder) -> None:
        """One limit for each ceiling that the model names."""
        setting = problem.rules[self.name]
        assert isinstance(setting, BudgetOptions)
        charges = builder.charges
        if setting.per_year is not None:
            for t in range(len(problem.periods)):
                share = Fraction(setting.per_year) * problem.periods.share_of_year(t)
                here = [charge for charge in charges if not charge.once and charge.period == t]
                self._limit(problem, builder, "yearly money", t, share, here)
        if setting.once is not None:
            once = [charge for charge in charges if charge.once]
            self._limit(problem, builder, "one-off money", NO_PERIOD, Fraction(setting.once), once)
        if setting.total is not None:
            self._limit(problem, builder, "money", NO_PERIOD, Fraction(setting.total), charges)

    def _limit(
        self, problem: Problem, builder: Builder, what: str, t: int, ceiling: Fraction, charges: list[Charge]
    ) -> None:
        """Σ charges ≤ ceiling, in whole pence; what is paid in any case lowers the ceiling."""
        currency = problem.inventory.currency
        always = sum(int(charge.amounts.sum()) for charge in charges if charge.on == "always")
        most = int(ceiling * currency.pence_per_unit // 1) - always
        name = LimitName(self.name, what, t, currency.code, Fraction(1, currency.pence_per_unit))
        block = builder.limits([name], np.array([most]))
        fill = {"option": block.options, "fact": block.facts, "purchase": block.purchases}
        for charge in charges:
            if charge.on in fill:
                fill[charge.on](np.zeros_like(charge.index), charge.index, charge.amounts)
