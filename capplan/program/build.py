"""Builder: rules and goals add their statements here; the Program is assembled at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import ceil, lcm
from typing import TypeVar, cast

import numpy as np
import scipy.sparse as sp

from capplan.program.entries import Entries, LimitBlock
from capplan.program.facts import Facts
from capplan.program.purse import Purse
from capplan.program.statements import (
    ROUNDING,
    Charge,
    Goal,
    LimitName,
    Price,
    Program,
    PurchaseName,
    Purchases,
)
from capplan.units import LARGEST, Ints, Numbers

T = TypeVar("T")


class Builder:
    """Collects the statements of a Program over a given option table.

    ``item`` int32 [option], ascending. Without a ``ledger`` charges are only added up: enough to choose a plan by.
    """

    def __init__(self, item: Numbers, items: int, *, ledger: bool = True) -> None:
        self.item = item
        self.items = items
        self._ledger = ledger
        self.purchase_names: list[PurchaseName] = []
        self.charges: list[Charge] = []
        self.prices: list[Price] = []
        self._settled = 0
        self._shared: dict[str, object] = {}
        self._upper: list[int] = []
        self._derived: list[bool] = []
        self._facts = Facts(len(item))
        self._names: list[LimitName] = []
        self._bound: list[Ints] = []
        self._entries = Entries()
        self._purses: list[Purse] = []
        self.money = self.purse(lambda charge: True)

    @property
    def options(self) -> int:
        """Number of options."""
        return len(self.item)

    @property
    def fact_count(self) -> int:
        """Number of facts so far."""
        return len(self._facts)

    def any_of(self, group: Numbers, option: Numbers, groups: int) -> Ints:
        """Facts "any of these options is taken", one per group; equal sets of options are one fact.

        ``group`` and ``option`` int32 [k] say which option belongs to which group. Returns int64
        [groups]: the fact's index, or -1 for a group without options (which can never hold).
        """
        return self._facts.add(group, option, groups)

    def purchase(self, name: PurchaseName, upper: int, *, derived: bool) -> int:
        """A thing of which up to ``upper`` whole steps can be bought. Returns its index."""
        self.purchase_names.append(name)
        self._upper.append(upper)
        self._derived.append(derived)
        return len(self.purchase_names) - 1

    def shared(self, key: str, make: Callable[[], T]) -> T:
        """What ``make`` returns, made once: for statements that several rules stand on."""
        if key not in self._shared:
            self._shared[key] = make()
        return cast("T", self._shared[key])

    def is_derived(self, purchase: int) -> bool:
        """Whether a purchase follows from the choices."""
        return self._derived[purchase]

    def upper(self, purchase: int) -> int:
        """The most steps of a purchase."""
        return self._upper[purchase]

    def limits(self, names: Sequence[LimitName], bound: Ints) -> LimitBlock:
        """New rows: the sum of what is filled in ≤ ``bound`` int64 [row]."""
        first = len(self._names)
        self._names.extend(names)
        self._bound.append(np.asarray(bound, dtype=np.int64))
        return LimitBlock(self._entries, first)

    @property
    def limit_count(self) -> int:
        """Number of limits so far."""
        return len(self._names)

    def limit_name(self, row: int) -> LimitName:
        """What a limit is called."""
        return self._names[row]

    def widen(self, row: int, purchase: int, steps: int) -> None:
        """Let one step of a purchase widen a limit by ``steps``."""
        one = np.ones(1, dtype=np.int64)
        self._entries.purchases.add(one * row, one * purchase, one * -steps)

    def charge(self, charge: Charge) -> None:
        """Record money that follows from columns (see Charge)."""
        if self._ledger:
            self.charges.append(charge)
        for purse in self._purses:
            purse.add(charge)

    def purse(self, counts: Callable[[Charge], bool]) -> Purse:
        """The sum of all charges from now on for which ``counts`` holds."""
        self._purses.append(Purse(counts, self.options))
        return self._purses[-1]

    def purchase_charge(self, purchase: int, kind: str, period: int, amount: Fraction, *, once: bool = False) -> None:
        """Record what one step of a purchase costs in a period, in exact pence."""
        self.prices.append(Price(purchase, kind, period, amount, once))

    def settle(self) -> None:
        """Turn the prices of purchases into charges.

        Each (purchase, site, period, kind), yearly and one-off money apart, is added exactly over all its steps and
        rounded half up to the penny once. Where a step costs whole pence that is a plain charge; elsewhere pennies are
        themselves a derived purchase: the least whole A with ``A > Σ price × steps + K − ½``, where K pence, which
        are given back in any case, keep it from falling below 0 when a step saves money.
        """
        rows: dict[tuple[str, int, int, str, bool], list[Price]] = {}
        for price in self.prices[self._settled :]:
            name = self.purchase_names[price.purchase]
            rows.setdefault((name.purchase, name.site, price.period, price.kind, price.once), []).append(price)
        self._settled = len(self.prices)
        for (label, site, period, kind, once), prices in rows.items():
            index = np.array([price.purchase for price in prices], dtype=np.int64)
            amounts = [price.amount for price in prices]
            if any(amount.denominator > 1 for amount in amounts):
                index, back = self._pennies(index, amounts)
                amounts = [Fraction(1)]
                if back:
                    one = np.ones(1, dtype=np.int64)
                    given = Charge(kind, period, "always", one * 0, one * -back, one * site, -one, label, once)
                    self.charge(given)
            pence = np.array([int(amount) for amount in amounts], dtype=np.int64)
            here, nobody = np.full(len(index), site), np.full(len(index), -1)
            self.charge(Charge(kind, period, "purchase", index, pence, here, nobody, label, once))

    def _pennies(self, index: Ints, amounts: Sequence[Fraction]) -> tuple[Ints, int]:
        """A derived purchase of as many pennies as the exact total rounds to, plus what is given back. int64 [1]."""
        common = lcm(*(amount.denominator for amount in amounts))
        sums = [amount * self._upper[p] for p, amount in zip(index.tolist(), amounts, strict=True)]
        back = ceil(-sum(part for part in sums if part < 0))
        most = int(sum(part for part in sums if part > 0)) + back + 1
        pennies = self.purchase(PurchaseName("", -1, -1, ""), most, derived=True)
        block = self.limits([ROUNDING], np.array([common - 1 - 2 * common * back]))
        doubled = np.array([2 * int(amount * common) for amount in amounts], dtype=np.int64)
        one = np.ones(1, dtype=np.int64)
        block.purchases(np.zeros_like(index), index, doubled)
        block.purchases(one * 0, one * pennies, one * -2 * common)
        return one * pennies, back

    def assemble(self, goals: Sequence[Goal], make_ties: Callable[[], sp.csr_array], tie_base: Ints) -> Program:
        """The finished Program. Raises OverflowError where a sum could leave 64-bit integers."""
        upper = np.array(self._upper, dtype=np.int64)
        counts = self.options, len(self._facts), len(self.purchase_names)
        limits = self._entries.assembled(self.item, len(self._names), counts)
        if limits.magnitude(upper).max(initial=0) >= LARGEST:
            raise OverflowError("a limit adds up to more than 64-bit integers hold")
        return Program(
            item=self.item,
            items=self.items,
            any_of=self._facts.matrix(),
            purchases=Purchases(tuple(self.purchase_names), upper, np.array(self._derived, dtype=np.bool_)),
            limits=limits,
            bound=np.concatenate([np.zeros(0, dtype=np.int64), *self._bound]),
            limit_names=tuple(self._names),
            goals=tuple(goals),
            make_ties=make_ties,
            tie_base=tie_base,
            charges=tuple(self.charges),
            prices=tuple(self.prices),
        )
