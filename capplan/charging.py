"""What organisations are charged for packages, what packages earn, and what is stranded when a customer leaves.

Exact to the penny: a price × volume × days ÷ 365 is rounded half up once for each subscription and period; a fixed
price is rounded once for each period and shared by largest remainder, ties by id of the organisation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from capplan.inventory.subscriptions import FIXED, Volumes
from capplan.problem import Problem
from capplan.problem.periods import FIRST_DAY, LAST_DAY, YEAR_DAYS
from capplan.units import Ints, largest_remainder, round_half_up


@dataclass(frozen=True)
class ChargeRow:
    """What one organisation pays for a package in a period; numbers are rows of their tables."""

    organisation: int
    package: int
    period: int
    volume: Fraction
    pence: int


@dataclass(frozen=True)
class PackageResult:
    """What a package earns and costs in a period, in pence; ``cost`` is None where the inventory does not tell it.

    ``full`` is the income if every organisation bought it all the time; ``volume`` and ``full_volume`` the units.
    ``stranded`` is the cost that income does not cover because of organisations that do not buy, ``underpriced`` the
    rest of what is not covered, which no customer could mend.
    """

    package: int
    period: int
    customers: int
    volume: Fraction
    full_volume: Fraction
    income: int
    full: int
    cost: int | None
    stranded: int
    underpriced: int

    @property
    def margin(self) -> int | None:
        """Income less cost."""
        return None if self.cost is None else self.income - self.cost


@dataclass(frozen=True)
class Stranded:
    """One organisation and package in a period, in pence.

    ``pays`` now and ``would_pay`` if it bought all the time. ``stranded`` is the package's cost that nobody covers
    because this organisation does not buy; ``if_left`` the further cost that nobody would cover if it stopped, and
    ``to_others`` what the other customers would then bear, which happens with a fixed price only.
    """

    organisation: int
    package: int
    period: int
    pays: int
    would_pay: int
    stranded: int
    if_left: int
    to_others: int


class Charges:
    """Every charge of an inventory over the periods of a problem."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._volumes = Volumes(problem.inventory)
        self._subscriptions = problem.inventory.table("subscriptions")
        self._packages = problem.inventory.table("packages")
        self._organisations = problem.inventory.table("organisations")

    @cached_property
    def rows(self) -> tuple[ChargeRow, ...]:
        """What is charged, by organisation, package and period; nothing where a subscription does not run."""
        found = [row for package in range(len(self._packages)) for row in self._of_package(package)]
        return tuple(sorted(found, key=lambda row: (row.organisation, row.package, row.period)))

    @cached_property
    def packages(self) -> tuple[PackageResult, ...]:
        """What each package comes to in each period."""
        return tuple(self._result(package, period) for package, period in self._package_periods())

    @cached_property
    def stranded(self) -> tuple[Stranded, ...]:
        """What every organisation means for every package whose cost is known."""
        found = [row for package, period in self._package_periods() for row in self._stranded(package, period)]
        return tuple(sorted(found, key=lambda row: (row.organisation, row.package, row.period)))

    @cached_property
    def by_organisation(self) -> dict[int, int]:
        """Pence over the horizon that each organisation that buys something is charged."""
        total: dict[int, int] = defaultdict(int)
        for row in self.rows:
            total[row.organisation] += row.pence
        return dict(total)

    def price(self, package: int) -> Fraction:
        """Price of a unit in the currency; of a fixed package that of the whole, its cost where it has no price."""
        given = self._packages.given("price")[package]
        return self._packages.decimals("price" if given else "cost").fraction(package)

    def basis(self, package: int) -> str:
        """The package's unit_basis."""
        return self._volumes.basis(package)

    # -- one package ----------------------------------------------------------------------------------------

    @cached_property
    def _days(self) -> Ints:
        """Days that each subscription runs. int64 [subscription, period]."""
        table = self._subscriptions
        return self._problem.periods.overlap(table.dates("from", FIRST_DAY), table.dates("to", LAST_DAY))

    def _package_periods(self) -> Iterator[tuple[int, int]]:
        for package in range(len(self._packages)):
            yield from ((package, period) for period in range(len(self._problem.periods)))

    def _of_package(self, package: int) -> Iterator[ChargeRow]:
        rows = np.flatnonzero(self._subscriptions.refs("package") == package).tolist()
        for period in range(len(self._problem.periods)):
            running = [(s, int(self._days[s, period])) for s in rows if self._days[s, period]]
            pence = self._shared if self.basis(package) == FIXED else self._priced
            amounts = pence(package, period, running)
            for (s, _), amount in zip(running, amounts, strict=True):
                owner = int(self._subscriptions.refs("organisation")[s])
                yield ChargeRow(owner, package, period, self._bought(s), amount)

    def _bought(self, subscription: int) -> Fraction:
        volume = self._volumes.bought(subscription)
        assert volume is not None, "the reader refuses subscriptions without a volume"
        return volume

    def _yearly(self, amount: Fraction, days: int) -> int:
        """Pence of a yearly amount for some days."""
        return round_half_up(amount * self._problem.inventory.currency.pence_per_unit * days / YEAR_DAYS)

    def _priced(self, package: int, period: int, running: list[tuple[int, int]]) -> list[int]:
        price = self.price(package)
        return [self._yearly(price * self._bought(s), days) for s, days in running]

    def _shared(self, package: int, period: int, running: list[tuple[int, int]]) -> list[int]:
        total = self._yearly(self.price(package), int(self._problem.periods.days[period]))
        if not running:
            return []
        # In order of the organisations' ids, because the subscriptions are; so are ties broken.
        weights = [self._bought(s) * days for s, days in running]
        if not any(weights):
            return largest_remainder(total, [1] * len(weights))
        scale = int(np.lcm.reduce([weight.denominator for weight in weights], dtype=object))
        return largest_remainder(total, [int(weight * scale) for weight in weights])

    # -- what it comes to -------------------------------------------------------------------------------------

    @cached_property
    def _paid(self) -> dict[tuple[int, int], dict[int, ChargeRow]]:
        """Charges by package and period, then organisation."""
        found: dict[tuple[int, int], dict[int, ChargeRow]] = defaultdict(dict)
        for row in self.rows:
            found[row.package, row.period][row.organisation] = row
        return found

    def _cost(self, package: int, period: int) -> int | None:
        if not self._packages.given("cost")[package]:
            return None
        cost = self._packages.decimals("cost").fraction(package)
        return self._yearly(cost, int(self._problem.periods.days[period]))

    def _full_volume(self, package: int, organisation: int) -> Fraction:
        """Units if the organisation bought all the time: what it subscribes to, else what it is; 0 if unknown."""
        rows = self._by_pair.get((organisation, package))
        found = self._bought(rows) if rows is not None else self._volumes.own(organisation, self.basis(package))
        return found or Fraction(0)

    @cached_property
    def _by_pair(self) -> dict[tuple[int, int], int]:
        owners, packages = (self._subscriptions.refs(column).tolist() for column in ("organisation", "package"))
        return {pair: row for row, pair in enumerate(zip(owners, packages, strict=True))}

    def _would_pay(self, package: int, period: int) -> dict[int, int]:
        """Pence of each organisation if it bought all the time; of a fixed package what it pays."""
        paid = self._paid.get((package, period), {})
        if self.basis(package) == FIXED:
            return {owner: row.pence for owner, row in paid.items()}
        days, price = int(self._problem.periods.days[period]), self.price(package)
        everyone = range(len(self._organisations))
        return {o: self._yearly(price * self._full_volume(package, o), days) for o in everyone}

    def _missing(self, package: int, period: int) -> dict[int, int]:
        """Pence that each organisation would pay beyond what it pays."""
        paid = self._paid.get((package, period), {})
        full = self._would_pay(package, period)
        return {o: max(0, pence - (paid[o].pence if o in paid else 0)) for o, pence in full.items()}

    def _result(self, package: int, period: int) -> PackageResult:
        paid, cost = self._paid.get((package, period), {}), self._cost(package, period)
        income = sum(row.pence for row in paid.values())
        missing = self._missing(package, period)
        short = 0 if cost is None else max(0, cost - income)
        stranded = min(short, sum(missing.values()))
        everyone = range(len(self._organisations))
        return PackageResult(
            package,
            period,
            len(paid),
            sum((row.volume for row in paid.values()), Fraction(0)),
            sum((self._full_volume(package, o) for o in everyone), Fraction(0)),
            income,
            income + sum(missing.values()),
            cost,
            stranded,
            short - stranded,
        )

    def _stranded(self, package: int, period: int) -> Iterator[Stranded]:
        cost = self._cost(package, period)
        if cost is None:
            return
        paid, full = self._paid.get((package, period), {}), self._would_pay(package, period)
        missing = self._missing(package, period)
        income = sum(row.pence for row in paid.values())
        short = max(0, cost - income)
        owners = sorted(o for o, pence in missing.items() if pence)
        parts = largest_remainder(min(short, sum(missing.values())), [missing[o] for o in owners]) if owners else []
        now = dict(zip(owners, parts, strict=True))
        for owner in sorted(full):
            pays = paid[owner].pence if owner in paid else 0
            borne = self.basis(package) == FIXED and len(paid) > 1
            if_left = 0 if borne else max(0, cost - income + pays) - short
            others = pays if borne else 0
            yield Stranded(owner, package, period, pays, full[owner], now.get(owner, 0), if_left, others)
