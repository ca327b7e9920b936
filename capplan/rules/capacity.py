"""Capacity: what is used of a resource fits what a site offers, headroom kept free, purchases included.

For every site, resource and period, with headroom h and n steps of an expansion of amount a::

    used ≤ (1 − h) × (capacity + Σ a × n)

compared exactly: the whole row is scaled by the headroom's denominator, nothing is rounded per step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Annotated

import numpy as np
from pydantic import Field

from capplan.errors import Fault
from capplan.inventory import Table
from capplan.model import Number
from capplan.problem import Options, Problem
from capplan.problem.periods import FIRST_DAY
from capplan.problem.use import used, uses
from capplan.program import Builder, LimitBlock, LimitName, Program, PurchaseName, Values
from capplan.rules.base import Row, Rule, RuleOptions
from capplan.units import UNLIMITED, Ints, decimal_text, scaled


class CapacityOptions(RuleOptions):
    """Options of the rule ``capacity``."""

    soft: Mapping[str, Annotated[Number, Field(ge=0)]] = Field(
        default_factory=dict,
        description="resources whose limit may be exceeded, and the price of one unit over it for a year",
    )


class Capacity(Rule):
    """Every resource of every site, in every period."""

    summary = "use of every resource within capacity, headroom kept free, purchases included"
    options = CapacityOptions

    def build(self, problem: Problem, options: Options, builder: Builder) -> None:
        """One limit per site, resource and period with a finite capacity; expansions widen them."""
        rows = _rows(problem)
        names, bound = self._names(problem, rows)
        block = builder.limits(names, bound)
        for r, row, period, steps in uses(problem, options):
            at = rows[options.site[row], r, period]
            keep = at >= 0
            scale = _usable(problem, r).denominator
            block.options(at[keep], options.option[row[keep]], steps[keep] * scale)
        self._expansions(problem, builder, block, rows)
        self._overruns(problem, builder, block, rows)

    def _names(self, problem: Problem, rows: Ints) -> tuple[list[LimitName], Ints]:
        names, bound = [], []
        for s, r, t in zip(*np.nonzero(rows >= 0), strict=True):
            resource, share = problem.resources[r], _usable(problem, r)
            capacity = int(problem.inventory.capacity[s, r])
            names.append(
                LimitName(
                    self.name,
                    f"{problem.sites.ids[s]} {resource.name}",
                    int(t),
                    resource.unit,
                    resource.step / share.denominator,
                    int(s),
                    ("sites", int(s), resource.name),
                    share,
                )
            )
            bound.append(capacity * share.numerator)
        return names, np.array(bound, dtype=np.int64)

    def _expansions(self, problem: Problem, builder: Builder, block: LimitBlock, rows: Ints) -> None:
        table = problem.inventory.table("expansions")
        for expansion in sorted(set(table.ids)):
            members = [i for i, name in enumerate(table.ids) if name == expansion]
            if problem.may_buy(expansion):
                self._expansion(problem, builder, block, rows, expansion, members)

    def _expansion(
        self,
        problem: Problem,
        builder: Builder,
        block: LimitBlock,
        rows: Ints,
        expansion: str,
        members: list[int],
    ) -> None:
        """The purchase of one expansion, by the period in which it is bought."""
        table = problem.inventory.table("expansions")
        site = int(table.refs("site")[members[0]])
        most = int(table.counts("max")[members[0]])
        starts = int(table.dates("from", FIRST_DAY)[members[0]])
        durable = table.text("kind")[members[0]] == "durable"
        bought = []
        for t in range(len(problem.periods)):
            if problem.periods.start[t] < starts:
                continue
            name = PurchaseName(expansion, site, t, _gives(problem, table, members), ("expansions", members[0], ""))
            purchase = builder.purchase(name, most, derived=False)
            bought.append(purchase)
            for u in range(t, len(problem.periods) if durable else t + 1):
                self._widen(problem, block, rows, purchase, members, u, durable)
                self._charge(problem, builder, purchase, members, u, first=u == t)
        if durable and len(bought) > 1:
            limit = LimitName(
                "capacity",
                f"{expansion} max",
                -1,
                "steps",
                Fraction(1),
                site,
                ("expansions", members[0], "max"),
            )
            one = np.ones(len(bought), dtype=np.int64)
            builder.limits([limit], np.array([most])).purchases(one * 0, np.array(bought), one)

    def _widen(
        self,
        problem: Problem,
        block: LimitBlock,
        rows: Ints,
        purchase: int,
        members: list[int],
        t: int,
        durable: bool,
    ) -> None:
        table = problem.inventory.table("expansions")
        one = np.ones(1, dtype=np.int64)
        for i in members:
            r = _resource(problem, table, i)
            row = rows[table.refs("site")[i], r, t]
            if row >= 0:
                steps = _amount(problem, table, i, t, durable)
                block.purchases(one * row, one * purchase, one * -steps * _usable(problem, r).numerator)

    def _charge(
        self, problem: Problem, builder: Builder, purchase: int, members: list[int], t: int, *, first: bool
    ) -> None:
        table = problem.inventory.table("expansions")
        yearly = sum((problem.exact_pence(table, "cost", i) for i in members), Fraction(0))
        once = sum((problem.exact_pence(table, "cost_once", i) for i in members), Fraction(0))
        if yearly:
            builder.purchase_charge(purchase, "purchase", t, yearly * problem.periods.share_of_year(t))
        if once and first:
            builder.purchase_charge(purchase, "purchase", t, once, once=True)

    def _overruns(self, problem: Problem, builder: Builder, block: LimitBlock, rows: Ints) -> None:
        """Soft capacity: steps over the limit, bought at a price as far as the choices need them."""
        soft = _options(problem).soft
        for r, resource in enumerate(problem.resources):
            if resource.name not in soft:
                continue
            price = Fraction(soft[resource.name]) * resource.step * problem.inventory.currency.pence_per_unit
            most = _most_over(problem, r)
            for s, t in zip(*np.nonzero(rows[:, r, :] >= 0), strict=True):
                name = PurchaseName(
                    f"overrun {resource.name}",
                    int(s),
                    int(t),
                    f"{decimal_text(resource.step)} {resource.unit} over the limit",
                )
                purchase = builder.purchase(name, most, derived=True)
                one = np.ones(1, dtype=np.int64)
                block.purchases(one * rows[s, r, t], one * purchase, one * -_usable(problem, r).denominator)
                builder.purchase_charge(purchase, "purchase", int(t), price * problem.periods.share_of_year(int(t)))

    def faults(self, problem: Problem) -> Iterable[Fault]:
        """Expansion rows of one id that disagree, and soft prices of unknown resources."""
        table = problem.inventory.table("expansions")
        first: dict[str, int] = {}
        columns: dict[str, list[object]] = {
            "max": table.counts("max").tolist(),
            "from": table.dates("from", 0).tolist(),
            "kind": list(table.text("kind")),
        }
        for i, expansion in enumerate(table.ids):
            j = first.setdefault(expansion, i)
            for column, values in columns.items():
                if values[i] != values[j]:
                    message = f"{expansion} has another {column} here than in its first row"
                    yield Fault(
                        table.place(i, column),
                        "contradictory-rules",
                        message,
                        f"write the same {column} on all its rows",
                    )
        known = {resource.name for resource in problem.resources}
        for name in sorted(set(_options(problem).soft) - known):
            place = problem.model.place("rules", "capacity", "soft", name)
            yield Fault(
                place,
                "unknown-reference",
                f'no resource of this inventory is named "{name}"',
                f"known: {', '.join(sorted(known))}",
            )

    def tables(self, problem: Problem, options: Options, program: Program, values: Values) -> Mapping[str, list[Row]]:
        """``sites.csv``: capacity, usable, used, free and utilisation of every resource."""
        bought = self._bought(problem, program, values)
        use = used(problem, options)
        shape = (len(problem.sites), len(problem.periods), len(problem.resources))
        rows = [_site_row(problem, s, r, t, int(use[s, r, t]), int(bought[s, r, t])) for s, t, r in np.ndindex(shape)]
        return {"sites": rows}

    def _bought(self, problem: Problem, program: Program, values: Values) -> Ints:
        """Steps that the plan's purchases add. int64 [site, resource, period]."""
        table = problem.inventory.table("expansions")
        total = np.zeros((len(problem.sites), len(problem.resources), len(problem.periods)), dtype=np.int64)
        steps = values.x[program.options + program.facts :]
        for p, name in enumerate(program.purchases.names):
            if name.source is None or name.source[0] != "expansions" or not steps[p]:
                continue
            durable = table.text("kind")[name.source[1]] == "durable"
            for i in (i for i, row in enumerate(table.ids) if row == name.purchase):
                for t in range(name.period, len(problem.periods) if durable else name.period + 1):
                    at = table.refs("site")[i], _resource(problem, table, i), t
                    total[at] += steps[p] * _amount(problem, table, i, t, durable)
        return total


def _options(problem: Problem) -> CapacityOptions:
    options = problem.rules["capacity"]
    assert isinstance(options, CapacityOptions)
    return options


def _usable(problem: Problem, r: int) -> Fraction:
    return 1 - problem.headroom(problem.resources[r].name)


def _most_over(problem: Problem, r: int) -> int:
    """Steps by which no use of a resource can exceed a limit: all demand, and all that purchases use up."""
    table = problem.inventory.table("expansions")
    most = int(problem.demand[:, r, :].sum(axis=0).max(initial=0)) + problem.own_demand_peak(r)
    for i in range(len(table)):
        if _resource(problem, table, i) == r:
            most += max(0, -_amount(problem, table, i, 0, durable=True)) * int(table.counts("max")[i])
    return most


def _rows(problem: Problem) -> Ints:
    """Number of the limit of each finite capacity, -1 where unlimited. int64 [site, resource, period]."""
    finite = np.repeat((problem.inventory.capacity != UNLIMITED)[:, :, None], len(problem.periods), axis=2)
    return np.where(finite, np.cumsum(finite).reshape(finite.shape) - 1, -1)


def _resource(problem: Problem, table: Table, row: int) -> int:
    name = table.text("resource")[row]
    return next(r for r, resource in enumerate(problem.resources) if resource.name == name)


def _amount(problem: Problem, table: Table, row: int, t: int, durable: bool) -> int:
    """Steps that one step of an expansion adds in a period: whole, or by days for a yearly one."""
    cells, resource = table.decimals("amount"), problem.resources[_resource(problem, table, row)]
    share = Fraction(1) if durable else min(Fraction(1), problem.periods.share_of_year(t))
    factor = share / (resource.step * 10**cells.digits)
    return int(scaled(cells.mantissa[row : row + 1], factor, "down")[0])


def _gives(problem: Problem, table: Table, members: list[int]) -> str:
    parts = []
    for i in members:
        amount, resource = (
            table.decimals("amount").fraction(i),
            problem.resources[_resource(problem, table, i)],
        )
        parts.append(f"{'+' if amount >= 0 else ''}{decimal_text(amount)} {resource.name}")
    return "; ".join(parts)


def _site_row(problem: Problem, s: int, r: int, t: int, use: int, bought: int) -> Row:
    resource, site = problem.resources[r], problem.sites.ids[s]
    physical = int(problem.inventory.capacity[s, r])
    row: dict[str, object] = {
        "site": site,
        "period": problem.periods.text(t),
        "resource": resource.name,
        "unit": resource.unit,
    }
    row["used"] = resource.text(use)
    if physical == UNLIMITED:
        return row | {"capacity": "unlimited", "usable": "unlimited", "free": "unlimited", "utilisation": ""}
    capacity = physical + bought
    usable = int(_usable(problem, r) * capacity // 1)
    share = decimal_text(Fraction(use, physical)) if physical else ""
    free = resource.text(usable - use)
    return row | {
        "capacity": resource.text(capacity),
        "usable": resource.text(usable),
        "free": free,
        "utilisation": share,
    }
