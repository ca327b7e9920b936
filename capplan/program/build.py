"""Builder: rules and goals add their statements here; the Program is assembled at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, lcm
from typing import TypeVar, cast

import numpy as np
import scipy.sparse as sp

from capplan.program.sparse import sparse
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
from capplan.units import LARGEST, Bools, Ints

T = TypeVar("T")


@dataclass
class _Entries:
    """Coordinates of a sparse matrix, collected in pieces."""

    row: list[Ints] = field(default_factory=list)
    index: list[Ints] = field(default_factory=list)
    value: list[Ints] = field(default_factory=list)

    def add(self, row: Ints, index: Ints, value: Ints) -> None:
        self.row.append(row)
        self.index.append(index)
        self.value.append(value)


class LimitBlock:
    """Rows just added to a Builder; coefficients are filled in by kind of column.

    ``row`` counts from 0 within the block; several entries for one place add up.
    """

    def __init__(self, builder: Builder, first: int) -> None:
        self._builder = builder
        self._first = first

    def options(self, row: Ints, option: Ints, coefficient: Ints) -> None:
        """Add coefficients of options. All int64 [k]."""
        self._builder._option_entries.add(row + self._first, option, coefficient)

    def facts(self, row: Ints, fact: Ints, coefficient: Ints) -> None:
        """Add coefficients of facts. All int64 [k]."""
        self._builder._fact_entries.add(row + self._first, fact, coefficient)

    def purchases(self, row: Ints, purchase: Ints, coefficient: Ints) -> None:
        """Add coefficients of purchases (negative: the purchase widens the limit). All int64 [k]."""
        self._builder._purchase_entries.add(row + self._first, purchase, coefficient)


class Builder:
    """Collects the statements of a Program over a given option table.

    ``item`` int64 [option], ascending.
    """

    def __init__(self, item: Ints, items: int) -> None:
        self.item = item
        self.items = items
        self.purchase_names: list[PurchaseName] = []
        self.charges: list[Charge] = []
        self.prices: list[Price] = []
        self._settled = 0
        self._shared: dict[str, object] = {}
        self._upper: list[int] = []
        self._derived: list[bool] = []
        self._facts: list[Ints] = []
        self._fact_index: dict[bytes, int] = {}
        self._names: list[LimitName] = []
        self._bound: list[Ints] = []
        self._option_entries = _Entries()
        self._fact_entries = _Entries()
        self._purchase_entries = _Entries()

    @property
    def options(self) -> int:
        """Number of options."""
        return len(self.item)

    @property
    def fact_count(self) -> int:
        """Number of facts so far."""
        return len(self._facts)

    def any_of(self, group: Ints, option: Ints, groups: int) -> Ints:
        """Facts "any of these options is taken", one per group; equal sets of options are one fact.

        ``group`` and ``option`` int64 [k] say which option belongs to which group. Returns int64
        [groups]: the fact's index, or -1 for a group without options (which can never hold).
        """
        order = np.lexsort((option, group))
        group, option = group[order], option[order]
        start = np.searchsorted(group, np.arange(groups + 1))
        found = np.full(groups, -1, dtype=np.int64)
        for g in np.flatnonzero(np.diff(start)):
            members = np.unique(option[start[g] : start[g + 1]])
            found[g] = self._fact(members)
        return found

    def _fact(self, members: Ints) -> int:
        key = members.tobytes()
        if key not in self._fact_index:
            self._fact_index[key] = len(self._facts)
            self._facts.append(members)
        return self._fact_index[key]

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
        return LimitBlock(self, first)

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
        self._purchase_entries.add(one * row, one * purchase, one * -steps)

    def charge(self, charge: Charge) -> None:
        """Record money that follows from columns (see Charge)."""
        self.charges.append(charge)

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

    def assemble(self, goals: Sequence[Goal], ties: sp.csr_array, tie_base: Ints) -> Program:
        """The finished Program. Raises OverflowError where a sum could leave 64-bit integers."""
        columns = self.options + len(self._facts) + len(self.purchase_names)
        limits = sparse(*self._coordinates(), (len(self._names), columns))
        upper = np.array(self._upper, dtype=np.int64)
        _check_sums(limits, self.options + len(self._facts), upper)
        return Program(
            item=self.item,
            items=self.items,
            any_of=self._any_of_matrix(),
            purchases=Purchases(tuple(self.purchase_names), upper, np.array(self._derived, dtype=np.bool_)),
            limits=limits,
            bound=np.concatenate([np.zeros(0, dtype=np.int64), *self._bound]),
            limit_names=tuple(self._names),
            goals=tuple(goals),
            ties=ties,
            tie_base=tie_base,
            charges=tuple(self.charges),
            prices=tuple(self.prices),
        )

    def _coordinates(self) -> tuple[Ints, Ints, Ints]:
        """Row, column and value of every coefficient. The pieces are given up: there are too many to hold twice."""
        shifts = (0, self.options, self.options + len(self._facts))
        every = (self._option_entries, self._fact_entries, self._purchase_entries)
        none = np.zeros(0, dtype=np.int64)
        row = np.concatenate([none, *(piece for entries in every for piece in entries.row)])
        columns = [index + shift for entries, shift in zip(every, shifts, strict=True) for index in entries.index]
        column = np.concatenate([none, *columns])
        value = np.concatenate([none, *(piece for entries in every for piece in entries.value)])
        self._option_entries, self._fact_entries, self._purchase_entries = _Entries(), _Entries(), _Entries()
        return row, column, value

    def _any_of_matrix(self) -> sp.csr_array:
        start = np.cumsum([0] + [len(members) for members in self._facts])
        option = np.concatenate([np.zeros(0, dtype=np.int64), *self._facts])
        ones: Bools = np.ones(len(option), dtype=np.bool_)
        return sp.csr_array((ones, option, start), shape=(len(self._facts), self.options))


def _check_sums(limits: sp.csr_array, binaries: int, upper: Ints) -> None:
    """Refuse a limit whose left-hand side could leave 64-bit integers whatever is chosen."""
    most = np.ones(limits.shape[1])
    most[binaries:] = upper
    if len(limits.data) and (abs(limits).astype(np.float64) @ most).max() >= LARGEST:
        raise OverflowError("a limit adds up to more than 64-bit integers hold")
