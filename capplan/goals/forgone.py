"""Value of optional workloads that are left out."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from capplan.goals.base import Goal, counted
from capplan.problem import Options, Problem
from capplan.program import Builder, Form


class Forgone(Goal):
    """Yearly value by active days, rounded to the penny per workload and period."""

    summary = "value of optional workloads left out"
    unit = "money"

    def forms(self, problem: Problem, options: Options, builder: Builder) -> Sequence[Form]:
        """Pence forgone."""
        value = problem.pence(problem.workloads, "value", problem.active_days).sum(axis=1)
        amount = value[options.absent_workload]
        unit = Fraction(1, problem.inventory.currency.pence_per_unit)
        return [Form(counted(options, options.absent_option, amount), unit=unit)]
