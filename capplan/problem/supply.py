"""What expansions add to the capacity of sites, and what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from capplan.inventory import Table
from capplan.problem.periods import FIRST_DAY
from capplan.problem.problem import Problem
from capplan.program import Builder, LimitBlock, LimitName, PurchaseName
from capplan.program.statements import NO_PERIOD
from capplan.units import Ints, decimal_text, scaled


@dataclass(frozen=True)
class Supply:
    """Steps that one step of a purchase adds (negative: uses up) to a resource of a site in a period.

    All int64 [k].
    """

    purchase: Ints
    site: Ints
    resource: Ints
    period: Ints
    steps: Ints

    def widen(self, block: LimitBlock, rows: Ints, scale: Sequence[int]) -> None:
        """Add the purchases to limits ``rows`` int64 [site, resource, period] (-1: none), × ``scale`` [resource]."""
        at = rows[self.site, self.resource, self.period]
        keep = at >= 0
        factor = np.array([*scale, 0], dtype=np.int64)[self.resource]
        block.purchases(at[keep], self.purchase[keep], -(self.steps * factor)[keep])

    def bought(self, steps: Ints, shape: tuple[int, ...]) -> Ints:
        """Steps added by ``steps`` int64 [purchase] of every purchase. int64 ``shape`` = [site, resource, period]."""
        total = np.zeros(shape, dtype=np.int64)
        np.add.at(
            total.reshape(-1), np.ravel_multi_index((self.site, self.resource, self.period), shape), self.added(steps)
        )
        return total

    def added(self, steps: Ints) -> Ints:
        """Steps added by each entry. int64 [k]."""
        return np.asarray(self.steps * steps[self.purchase])


def supply(problem: Problem, builder: Builder) -> Supply:
    """Declare every expansion that the model allows to be bought, once per Builder, with its price.

    A durable expansion is one purchase for each period in which it can be bought, and counts from then on; a yearly one
    counts, and is paid, in its own period only.
    """
    return builder.shared("supply", lambda: _declare(problem, builder))


def _declare(problem: Problem, builder: Builder) -> Supply:
    table = problem.inventory.table("expansions")
    entries: list[tuple[int, int, int, int, int]] = []
    for expansion in sorted(set(table.ids)):
        rows = [i for i, name in enumerate(table.ids) if name == expansion]
        if problem.may_buy(expansion):
            entries += _expansion(problem, builder, expansion, rows)
    columns = np.array(entries, dtype=np.int64).reshape(-1, 5).T
    return Supply(*columns)


def _expansion(
    problem: Problem, builder: Builder, expansion: str, rows: list[int]
) -> list[tuple[int, int, int, int, int]]:
    """The purchases of one expansion, and what each adds."""
    table = problem.inventory.table("expansions")
    first = rows[0]
    site, most = int(table.refs("site")[first]), int(table.counts("max")[first])
    starts, durable = int(table.dates("from", FIRST_DAY)[first]), table.text("kind")[first] == "durable"
    entries: list[tuple[int, int, int, int, int]] = []
    bought = []
    for t in np.flatnonzero(problem.periods.start >= starts).tolist():
        name = PurchaseName(expansion, site, t, _gives(table, rows), ("expansions", first, ""))
        purchase = builder.purchase(name, most, derived=False)
        bought.append(purchase)
        for u in range(t, len(problem.periods) if durable else t + 1):
            _price(problem, builder, purchase, rows, u, first=u == t)
            for i in rows:
                r = problem.resource_number(table.text("resource")[i])
                entries.append((purchase, int(table.refs("site")[i]), r, u, amount(problem, i, u, durable=durable)))
    if durable and len(bought) > 1:
        source = ("expansions", first, "max")
        limit = LimitName("capacity", f"{expansion} max", NO_PERIOD, "steps", Fraction(1), site, source)
        one = np.ones(len(bought), dtype=np.int64)
        builder.limits([limit], np.array([most])).purchases(one * 0, np.array(bought), one)
    return entries


def _price(problem: Problem, builder: Builder, purchase: int, rows: list[int], t: int, *, first: bool) -> None:
    table = problem.inventory.table("expansions")
    yearly = sum((problem.exact_pence(table, "cost", i) for i in rows), Fraction(0))
    once = sum((problem.exact_pence(table, "cost_once", i) for i in rows), Fraction(0))
    if yearly:
        builder.purchase_charge(purchase, "purchase", t, yearly * problem.periods.share_of_year(t))
    if once and first:
        builder.purchase_charge(purchase, "purchase", t, once, once=True)


def amount(problem: Problem, row: int, t: int, *, durable: bool) -> int:
    """Steps that one step of an expansion adds in a period: whole, or by days for a yearly one in a short period."""
    table = problem.inventory.table("expansions")
    cells, step = table.decimals("amount"), problem.resources[problem.resource_number(table.text("resource")[row])].step
    share = Fraction(1) if durable else min(Fraction(1), problem.periods.share_of_year(t))
    return int(scaled(cells.mantissa[row : row + 1], share / (step * 10**cells.digits), "down")[0])


def _gives(table: Table, rows: list[int]) -> str:
    parts = []
    for i in rows:
        gives, name = table.decimals("amount").fraction(i), table.text("resource")[i]
        parts.append(f"{'+' if gives >= 0 else ''}{decimal_text(gives)} {name}")
    return "; ".join(parts)
