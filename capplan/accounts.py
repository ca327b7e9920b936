"""What each organisation costs, what it is charged, and what that is for a user, a head and a kilowatt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from capplan.charging import Charges
from capplan.ledger import Share, shares_of
from capplan.measure import Measured
from capplan.problem import NOWHERE
from capplan.problem.periods import YEAR_DAYS
from capplan.units import round_half_up

NOBODY = -1


@dataclass(frozen=True)
class Account:
    """One organisation (NOBODY: what nobody uses) over the horizon; money in pence.

    ``users`` and ``population`` are None where unknown; ``kw_days`` is its placed power times the days it draws it.
    ``cost_today`` is None where there is no current allocation, ``charged`` None where nobody is charged.
    """

    organisation: int
    users: int | None
    population: int | None
    kw_days: Fraction
    cost: int
    cost_today: int | None
    charged: int | None
    days: int

    @property
    def mean_kw(self) -> Fraction:
        """Power over the horizon, on average."""
        return self.kw_days / self.days

    @property
    def cost_per_user(self) -> int | None:
        """Pence a user and year; None without users."""
        return self._per_year(self.users)

    @property
    def cost_per_head(self) -> int | None:
        """Pence a head of population and year; None without population."""
        return self._per_year(self.population)

    @property
    def cost_per_kw(self) -> int | None:
        """Pence a kilowatt and year; None without power."""
        return self._per_year(self.mean_kw)

    @property
    def charged_per_head(self) -> int | None:
        """Pence a head of population and year that it is charged; None without population or charges."""
        return None if self.charged is None else self._per_year(self.population, self.charged)

    def _per_year(self, number: int | Fraction | None, pence: int | None = None) -> int | None:
        amount = self.cost if pence is None else pence
        return round_half_up(Fraction(amount * YEAR_DAYS, self.days) / number) if number else None


def accounts(measured: Measured, today: Measured | None = None) -> tuple[Account, ...]:
    """Every organisation in id order, then what nobody uses, if that costs anything."""
    problem = measured.problem
    table = problem.inventory.table("organisations")
    cost, before = _by_organisation(shares(measured)), _by_organisation(shares(today)) if today is not None else {}
    charged, kw_days = Charges(problem).by_organisation, _kw_days(measured)
    users, population = ([*map(int, table.counts(name))] for name in ("users", "population"))
    rows = [*range(len(table)), *([NOBODY] if cost.get(NOBODY) or before.get(NOBODY) else [])]
    return tuple(
        Account(
            o,
            users[o] if o != NOBODY and table.given("users")[o] else None,
            population[o] if o != NOBODY and table.given("population")[o] else None,
            kw_days[o] if o != NOBODY else Fraction(0),
            cost.get(o, 0),
            None if today is None else before.get(o, 0),
            charged.get(o, 0) if charged and o != NOBODY else None,
            problem.periods.horizon_days,
        )
        for o in rows
    )


def shares(measured: Measured) -> list[Share]:
    """The plan's cost by organisation, site, period and kind."""
    return shares_of(measured.problem, measured.options, measured.entries)


def _by_organisation(found: Iterable[Share]) -> dict[int, int]:
    total: dict[int, int] = defaultdict(int)
    for share in found:
        total[share.organisation] += share.pence
    return dict(total)


def _kw_days(measured: Measured) -> list[Fraction]:
    """Kilowatt-days of each organisation's placed workloads."""
    problem, options = measured.problem, measured.options
    steps = np.zeros(len(problem.inventory.table("organisations")), dtype=np.int64)
    power = next((r for r, resource in enumerate(problem.resources) if resource.name == "power_kw"), None)
    if power is None:
        return [Fraction(0)] * len(steps)
    placed = np.flatnonzero(measured.plan.site[options.workload] != NOWHERE)
    workload, site = options.workload[placed], options.site[placed]
    drawn = (problem.demand_at(workload, site, power) * problem.active_days[workload]).sum(axis=1)
    np.add.at(steps, problem.workloads.refs("organisation")[workload], drawn)
    return [problem.resources[power].step * total for total in steps.tolist()]
