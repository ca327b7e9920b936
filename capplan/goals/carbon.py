"""Carbon from the electricity that placed workloads draw."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from capplan.goals.base import Goal
from capplan.problem import Options, Problem
from capplan.program import Builder, Form
from capplan.units import LARGEST, Ints, Numbers, scaled

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
        rates = _grams_per_step_hour(problem, problem.resources[power].step)
        common = int(np.lcm.reduce([rate.denominator for rate in rates], dtype=object))
        top = np.array([int(rate * common) for rate in rates], dtype=np.float64)
        energies = [(row, _energy(problem, options, row, power)) for row in options.parts()]
        fits = sum(float((energy * top[options.site[row]]).sum()) for row, energy in energies) < LARGEST
        total = np.zeros(len(options), dtype=np.int64)
        for row, energy in energies:
            if fits:
                grams = energy * np.array([int(rate * common) for rate in rates], dtype=np.int64)[options.site[row]]
            else:
                grams = _whole_grams(energy, rates, options.site[row])
            np.add.at(total, options.option[row], grams)
        return [Form(total, unit=Fraction(1, (common if fits else 1) * GRAMS_PER_KG))]


def _energy(problem: Problem, options: Options, row: slice, power: int) -> Ints:
    """Steps of power × active hours of some placed rows. int64 [k]."""
    workload = options.workload[row]
    steps = problem.demand_at(workload, options.site[row], power)
    return np.asarray((steps * problem.active_days[workload]).sum(axis=1) * HOURS_PER_DAY)


def _grams_per_step_hour(problem: Problem, step: Fraction) -> list[Fraction]:
    pue, carbon = problem.sites.decimals("pue"), problem.sites.decimals("carbon_g_kwh")
    return [step * pue.fraction(s) * carbon.fraction(s) for s in range(len(problem.sites))]


def _whole_grams(energy: Ints, rates: Sequence[Fraction], site: Numbers) -> Ints:
    grams = np.zeros(len(energy), dtype=np.int64)
    for s, rate in enumerate(rates):
        here = site == s
        grams[here] = scaled(energy[here], rate)
    return grams
