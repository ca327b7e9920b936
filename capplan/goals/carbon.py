"""Carbon from the electricity that placed workloads draw."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from capplan.goals.base import Goal, counted
from capplan.problem import Options, Problem
from capplan.program import Builder, Form
from capplan.units import LARGEST, Ints, scaled

HOURS_PER_DAY = 24
GRAMS_PER_KG = 1000


class Carbon(Goal):
    """kg CO2e = Σ kW × PUE × active hours × g/kWh ÷ 1000, exact."""

    summary = "emissions from electricity, kg CO2e"
    unit = "kg CO2e"

    def forms(self, problem: Problem, options: Options, builder: Builder) -> Sequence[Form]:
        """Emissions; exact where they fit 64-bit integers, else in whole grams per option."""
        power = next((r for r, x in enumerate(problem.resources) if x.name == "power_kw"), None)
        if power is None:
            return [Form(np.zeros(len(options), dtype=np.int64))]
        steps = problem.demand_at(options.workload, options.site, power)
        energy = (steps * problem.active_days[options.workload]).sum(axis=1) * HOURS_PER_DAY
        rates = _grams_per_step_hour(problem, problem.resources[power].step)
        common = int(np.lcm.reduce([rate.denominator for rate in rates], dtype=object))
        top = np.array([int(rate * common) for rate in rates], dtype=np.float64)
        if float((energy * top[options.site]).sum()) < LARGEST:
            exact = energy * np.array([int(rate * common) for rate in rates], dtype=np.int64)[options.site]
            return [Form(counted(options, options.option, exact), unit=Fraction(1, common * GRAMS_PER_KG))]
        grams = _whole_grams(energy, rates, options.site)
        return [Form(counted(options, options.option, grams), unit=Fraction(1, GRAMS_PER_KG))]


def _grams_per_step_hour(problem: Problem, step: Fraction) -> list[Fraction]:
    pue, carbon = problem.sites.decimals("pue"), problem.sites.decimals("carbon_g_kwh")
    return [step * pue.fraction(s) * carbon.fraction(s) for s in range(len(problem.sites))]


def _whole_grams(energy: Ints, rates: Sequence[Fraction], site: Ints) -> Ints:
    grams = np.zeros(len(energy), dtype=np.int64)
    for s, rate in enumerate(rates):
        here = site == s
        grams[here] = scaled(energy[here], rate)
    return grams
