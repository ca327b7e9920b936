"""Resources of which all sites together have too little: a shortage that needs no search and is exact."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from capplan.problem import Problem
from capplan.problem.supply import amount
from capplan.units import UNLIMITED, Ints, percent_text, with_unit


@dataclass(frozen=True)
class Total:
    """What must be placed needs more of a resource than all sites may be used for, all purchases included.

    ``need``, ``usable`` and ``physical`` in steps, ``bought`` what of the last may yet be bought; ``policy_only`` says
    that it is there but for the headroom.
    """

    resource: int
    period: int
    need: int
    usable: Fraction
    physical: int
    bought: int = 0

    @property
    def policy_only(self) -> bool:
        """Whether it is only headroom that is short."""
        return self.need <= self.physical

    @property
    def short(self) -> Fraction:
        """Steps that are short."""
        return self.need - self.usable

    def text(self, problem: Problem) -> str:
        """``All sites, power_kw: need 15 kW, usable 12 kW (15 less 20 % headroom): short 3 kW``."""
        resource = problem.resources[self.resource]
        have = f"usable {with_unit(self.usable * resource.step, resource.unit)}"
        keep = problem.headroom(resource.name)
        if keep:
            have += f" ({resource.text(self.physical)} less {percent_text(keep)} headroom)"
        if self.bought:
            more = with_unit(resource.amount(self.bought), resource.unit)
            have += f", {more} of it still to be bought"
        when = f" in {problem.periods.text(self.period)}" if len(problem.periods) > 1 else ""
        need = with_unit(resource.amount(self.need), resource.unit)
        short = with_unit(self.short * resource.step, resource.unit)
        return f"All sites together, {resource.name}{when}: need {need}, {have}: short {short}"


def totals(problem: Problem) -> Iterator[Total]:
    """The worst period of each resource that is short in all. What the model lets be left out is not counted."""
    capacity = problem.rules.get("capacity")
    if capacity is None or capacity.broken_today == "mend":
        return
    must = [w for item, group in enumerate(problem.members) if not problem.may_leave_out[item] for w in group]
    standing, offered = ~problem.inventory.removed_sites, problem.inventory.capacity
    for r, resource in enumerate(problem.resources):
        have = offered[standing, r]
        if resource.name in getattr(capacity, "soft", {}) or (have == UNLIMITED).any():
            continue
        # Where a site has a figure of its own for a workload, that may be less: such workloads are left out of account.
        counted = np.array([w for w in must if not problem.has_own(r)[w]], dtype=np.int64)
        need = problem.demand[counted, r, :].sum(axis=0)
        bought = _bought(problem, r)
        physical = int(have.sum()) + bought
        share = 1 - problem.headroom(resource.name)
        worst = int(np.argmax(need - share.numerator * physical // share.denominator)) if len(need) else 0
        if len(need) and need[worst] > share * physical:
            yield Total(r, worst, int(need[worst]), share * physical, physical, bought)


def _bought(problem: Problem, r: int) -> int:
    """The most that purchases could add to a resource, everywhere, in steps."""
    table = problem.inventory.table("expansions")
    steps: Ints = table.counts("max")
    return sum(
        max(0, amount(problem, i, 0, durable=True)) * int(steps[i])
        for i, name in enumerate(table.text("resource"))
        if name == problem.resources[r].name and problem.may_buy(table.ids[i])
    )
