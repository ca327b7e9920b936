"""Share: some purchases may supply at most a part of what is needed.

A cap ``{name: contractors, purchases: [CON-NET, CON-DESK], of: [network_days, desktop_days], at_most: 20%}`` says, in
every period::

    Σ what these purchases add ≤ at_most × Σ need of the resources ``of``

over all sites. What is bought counts, whether it is used or not; need is the demand of placed workloads. The resources
that the purchases add to, such as a pool of people with several skills, and those of ``of`` are counted in one unit.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import gcd, lcm
from typing import Annotated

import numpy as np
from pydantic import Field

from capplan.errors import Fault, did_you_mean
from capplan.model import Options as Keys
from capplan.model import Share as Part
from capplan.model import Text
from capplan.problem import Options, Problem
from capplan.problem.supply import Supply, supply
from capplan.problem.use import uses
from capplan.program import Builder, LimitName
from capplan.rules.base import Rule, RuleOptions
from capplan.units import Ints


class Cap(Keys):
    """Purchases that may supply at most a part of a need."""

    name: Text = Field(description="what people call it")
    purchases: tuple[Text, ...] = Field(description="expansions")
    of: Annotated[tuple[Text, ...], Field(min_length=1)] = Field(description="resources whose need it is a part of")
    at_most: Part = Field(description="the part, such as 20%")


class ShareOptions(RuleOptions):
    """Options of the rule ``share``."""

    caps: tuple[Cap, ...] = Field(default=(), description="list of {name, purchases, of, at_most}")


class Share(Rule):
    """Every cap, in every period; a model must ask for it."""

    summary = "some purchases supply at most a part of what is needed"
    options = ShareOptions
    on_by_default = False

    def build(self, problem: Problem, options: Options, builder: Builder) -> None:
        """``q × Σ bought − p × Σ need ≤ 0`` in the finest step, with p/q the part."""
        bought = supply(problem, builder)
        for cap in _options(problem).caps:
            step, unit = _step(problem, cap)
            names = [
                LimitName(self.name, cap.name, t, unit, step / cap.at_most.denominator, least=True)
                for t in range(len(problem.periods))
            ]
            block = builder.limits(names, np.zeros(len(names), dtype=np.int64))
            times = _times(problem, step)
            part = cap.at_most
            entry = _entries(builder, bought, cap)
            amount = bought.steps[entry] * times[bought.resource[entry]] * part.denominator
            block.purchases(bought.period[entry], bought.purchase[entry], amount)
            for r, row, period, steps in uses(problem, options):
                if problem.resources[r].name in cap.of:
                    block.options(period, options.option[row], -steps * int(times[r]) * part.numerator)

    def faults(self, problem: Problem) -> Iterable[Fault]:
        """Purchases and resources that there are none of, and units that cannot be added."""
        expansions = problem.inventory.table("expansions")
        resources = {resource.name for resource in problem.resources}
        for i, cap in enumerate(_options(problem).caps):
            for column, written, known in (
                ("purchases", cap.purchases, set(expansions.ids)),
                ("of", cap.of, resources),
            ):
                for j, name in enumerate(written):
                    if name not in known:
                        place = problem.model.place("rules", "share", "caps", i, column, j)
                        what = "expansion" if column == "purchases" else "resource"
                        hint = did_you_mean(name, sorted(known), f"known: {', '.join(sorted(known))}")
                        yield Fault(place, "unknown-reference", f'no {what} of this inventory is named "{name}"', hint)
            units = sorted({problem.resources[r].unit for r in _resources(problem, cap)})
            if len(units) > 1:
                place = problem.model.place("rules", "share", "caps", i, "of")
                message = f"{cap.name} would add up {' and '.join(units)}"
                yield Fault(place, "unit-basis-mismatch", message, "name resources and purchases of one unit")


def _options(problem: Problem) -> ShareOptions:
    options = problem.rules["share"]
    assert isinstance(options, ShareOptions)
    return options


def _resources(problem: Problem, cap: Cap) -> list[int]:
    """Resources of a cap and those that its purchases add to, as far as they are known."""
    table = problem.inventory.table("expansions")
    amounts = table.decimals("amount")
    added = {
        name
        for i, name in enumerate(table.text("resource"))
        if table.ids[i] in cap.purchases and amounts.mantissa[i] > 0
    }
    wanted = added | set(cap.of)
    return [r for r, resource in enumerate(problem.resources) if resource.name in wanted]


def _step(problem: Problem, cap: Cap) -> tuple[Fraction, str]:
    """The largest step of which the steps of all resources of a cap are multiples, and their unit."""
    resources = [problem.resources[r] for r in _resources(problem, cap)]
    common = lcm(*(resource.step.denominator for resource in resources))
    whole = gcd(*(int(resource.step * common) for resource in resources))
    return Fraction(whole, common), resources[0].unit


def _times(problem: Problem, step: Fraction) -> Ints:
    """How many times each resource's step is ``step``; 0 where it is not a multiple. int64 [resource]."""
    ratios = [resource.step / step for resource in problem.resources]
    return np.array([int(ratio) if ratio.denominator == 1 else 0 for ratio in ratios], dtype=np.int64)


def _entries(builder: Builder, bought: Supply, cap: Cap) -> Ints:
    """What the purchases of a cap add. int64 [k]."""
    mine = [name.purchase in cap.purchases for name in builder.purchase_names]
    chosen = np.array(mine, dtype=np.bool_)[bought.purchase] if len(bought.purchase) else np.zeros(0, dtype=np.bool_)
    return np.flatnonzero(chosen & (bought.steps > 0))
