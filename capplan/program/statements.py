"""The kinds of statement a Program is made of.

A *column* is anything that can be counted: first every option (0 or 1), then every fact (0 or 1), then
every purchase (whole steps). All matrices below have one entry a column, in this order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import gcd, lcm
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import scipy.sparse as sp

from capplan.program.coefficients import Coefficients
from capplan.units import AT_ONCE, Bools, Ints, Numbers

Source: TypeAlias = tuple[str, int, str]
"""Where a statement comes from: table, row in it, column (``""`` for the whole row)."""

NO_PERIOD = -1
NO_SITE = -1


class LimitName(NamedTuple):
    """What a limit is called, and how its integers read: natural amount = value × ``per_unit``.

    ``share`` is the part of what physically is there that policy lets be used (1 − headroom). ``least`` marks a limit
    that asks for at least something, negated: only what is short of it means anything to people.
    """

    rule: str
    subject: str
    period: int
    unit: str
    per_unit: Fraction
    site: int = NO_SITE
    source: Source | None = None
    share: Fraction = Fraction(1)
    least: bool = False


ROUNDING = LimitName("", "", NO_PERIOD, "pence", Fraction(1))
"""The name of limits that only round money; reports leave them out."""


class PurchaseName(NamedTuple):
    """What a purchase is called: id, site and the period from which it counts, and what a step gives.

    A purchase without an id only rounds money; reports leave it out.
    """

    purchase: str
    site: int
    period: int
    gives: str
    source: Source | None = None


@dataclass(frozen=True)
class Charge:
    """Money that follows from columns.

    ``on`` says of which kind ``index`` [k] is: an option, a fact, a purchase, or ``always`` (paid in any
    case). ``amounts`` int64 [k] are pence for one unit of the column. ``site`` and ``workload`` [k], -1 where
    there is none. A charge of NO_PERIOD falls in the first period in which its site is used. ``label`` names the
    row that charges, where site and workload do not; ``once`` marks one-off money.
    """

    kind: str
    period: int
    on: Literal["option", "fact", "purchase", "always"]
    index: Numbers
    amounts: Ints
    site: Numbers
    workload: Numbers
    label: str = ""
    once: bool = False


@dataclass(frozen=True)
class Price:
    """What one step of a purchase costs in a period, in exact pence; ``once`` marks one-off money."""

    purchase: int
    kind: str
    period: int
    amount: Fraction
    once: bool = False


@dataclass(frozen=True)
class Form:
    """A linear form on its way to a goal: whole values per column, natural amount = value × ``unit``.

    ``options`` int64 [option]; ``facts`` and ``purchases`` map an index to its coefficient.
    """

    options: Ints
    facts: Mapping[int, int] = field(default_factory=dict)
    purchases: Mapping[int, int] = field(default_factory=dict)
    constant: int = 0
    unit: Fraction = Fraction(1)


@dataclass(frozen=True)
class LinearGoal:
    """Minimise ``coefficients · x + constant``; natural value = that × ``unit``, read in ``reads``.

    ``coefficients`` int64 [column].
    """

    name: str
    coefficients: Ints
    constant: int
    unit: Fraction
    reads: str = ""

    def value(self, x: Ints) -> int:
        """The goal's integer at ``x`` int64 [column]."""
        return int(self.coefficients @ x) + self.constant

    def natural(self, value: int | Fraction) -> Fraction:
        """A value in the unit people read."""
        return value * self.unit


@dataclass(frozen=True)
class WorstGoal:
    """Minimise the greatest ``use[row] / capacity[row]``, compared as exact fractions.

    ``use`` int64 sparse [row, column], ``capacity`` int64 [row], all positive.
    """

    name: str
    use: sp.csr_array
    capacity: Ints
    reads: str = "share"

    def value(self, x: Ints) -> Fraction:
        """The greatest utilisation at ``x`` (0 without rows)."""
        used = self.use @ x
        if not len(used):
            return Fraction(0)
        # Floats only shortlist; the greatest is found among near ties exactly.
        ratio = used / self.capacity
        near = np.flatnonzero(ratio >= ratio.max() - 1e-9)
        return max(Fraction(int(used[i]), int(self.capacity[i])) for i in near)

    def natural(self, value: int | Fraction) -> Fraction:
        """A value in the unit people read: a share of capacity."""
        return Fraction(value)


Goal: TypeAlias = LinearGoal | WorstGoal


@dataclass(frozen=True)
class Purchases:
    """Whole steps of things that can be bought. All int64 or bool [purchase].

    ``upper`` is the most that can be bought; ``derived`` marks those that follow from the choices.
    """

    names: tuple[PurchaseName, ...]
    upper: Ints
    derived: Bools

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class Program:
    """Choices, facts, purchases, limits and goals as arrays.

    ``item`` int32 [option] ascending: the item that an option places. ``any_of`` bool sparse [fact, option]: a fact
    holds when any of its options is taken. ``limits @ x`` ≤ ``bound`` int64 [limit]. ``ties`` int64 sparse [digit,
    column] with ``tie_base`` int64 [digit]: among equally good plans the one with the smallest digits, read in order,
    is taken.
    """

    item: Numbers
    items: int
    any_of: sp.csr_array
    purchases: Purchases
    limits: Coefficients
    bound: Ints
    limit_names: tuple[LimitName, ...]
    goals: tuple[Goal, ...]
    make_ties: Callable[[], sp.csr_array]
    tie_base: Ints
    charges: tuple[Charge, ...] = ()
    prices: tuple[Price, ...] = ()

    @cached_property
    def ties(self) -> sp.csr_array:
        """The digits that break ties: made when first asked for, since large programs never break them."""
        return self.make_ties()

    @property
    def options(self) -> int:
        """Number of options."""
        return len(self.item)

    @property
    def facts(self) -> int:
        """Number of facts."""
        return int(self.any_of.shape[0])

    @property
    def columns(self) -> int:
        """Number of columns: options, facts and purchases."""
        return self.options + self.facts + len(self.purchases)

    @property
    def size(self) -> dict[str, int]:
        """How much there is of each kind of statement."""
        purchases, limits = len(self.purchases), len(self.bound)
        return {"options": self.options, "facts": self.facts, "purchases": purchases, "limits": limits}

    @property
    def item_start(self) -> Ints:
        """First option of each item, and the end. int64 [item + 1]."""
        numbers = np.arange(self.items + 1, dtype=self.item.dtype)
        return np.searchsorted(self.item, numbers).astype(np.int64)


def weighted(
    name: str, reads: str, parts: Sequence[tuple[Form, Fraction]], options: int, facts: int, purchases: int
) -> LinearGoal:
    """One goal out of weighted forms, in the smallest common integer unit.

    A single form of weight 1 keeps its unit; a sum is measured in natural units × weight.
    """
    factors = [weight * form.unit for form, weight in parts]
    scale = lcm(*(factor.denominator for factor in factors))
    total = np.zeros(options + facts + purchases, dtype=np.int64)
    constant = 0
    for (form, _), factor in zip(parts, factors, strict=True):
        times = int(factor * scale)
        _add(total, form.options, times)
        for fact, value in form.facts.items():
            total[options + fact] += value * times
        for purchase, value in form.purchases.items():
            total[options + facts + purchase] += value * times
        constant += form.constant * times
    divisor = _divide(total, constant)
    return LinearGoal(name, total, constant // divisor, Fraction(divisor, scale), reads)


def _add(total: Ints, values: Ints, times: int) -> None:
    """Add ``values`` × ``times`` to the front of ``total``. Zeros are only read, so that they take no memory."""
    for first in range(0, len(values), AT_ONCE):
        part = values[first : first + AT_ONCE]
        if part.any():
            total[first : first + len(part)] += part * times


def _divide(total: Ints, constant: int) -> int:
    """Divide ``total``, in place, by the greatest common divisor of its entries and ``constant``; returns it."""
    parts = [total[first : first + AT_ONCE] for first in range(0, len(total), AT_ONCE)]
    divisor = abs(constant)
    for part in parts:
        if divisor != 1:
            divisor = gcd(divisor, int(np.gcd.reduce(part)))
    divisor = divisor or 1
    for part in parts if divisor > 1 else ():
        if part.any():
            np.floor_divide(part, divisor, out=part)
    return divisor
