"""Capacity: what is used of a resource fits what a site offers, headroom kept free, purchases included.

For every site, resource and period, with headroom h and n steps of an expansion of amount a::

    used ≤ (1 − h) × (capacity + Σ a × n)

compared exactly: the whole row is scaled by the headroom's denominator, nothing is rounded per step.

Below that a site may have a safety level, ``safety_``*resource*: what is used above it is paid for where the model
names a price (``safety: {memory_gb: 12}``). Purchases widen the capacity, not the level.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Annotated

import numpy as np
from pydantic import Field

from capplan.errors import Fault, Severity
from capplan.inventory import Column, Kind, TableSchema
from capplan.model import Number
from capplan.problem import Options, Problem
from capplan.problem.raising import site_figures
from capplan.problem.supply import amount, supply
from capplan.problem.use import add_use, used, uses
from capplan.problem.ways import Figure
from capplan.program import Builder, LimitBlock, LimitName, Program, PurchaseName, Values
from capplan.program.statements import ROUNDING
from capplan.rules.base import Row, Rule, RuleOptions
from capplan.units import UNLIMITED, Ints, Numbers, decimal_text


class CapacityOptions(RuleOptions):
    """Options of the rule ``capacity``."""

    soft: Mapping[str, Annotated[Number, Field(ge=0)]] = Field(
        default_factory=dict,
        description="resources whose limit may be exceeded, and the price of one unit over it for a year",
    )
    safety: Mapping[str, Annotated[Number, Field(ge=0)]] = Field(
        default_factory=dict,
        description="resources of which use above a site's safety level is paid, and the price of a unit for a year",
    )


class Capacity(Rule):
    """Every resource of every site, in every period."""

    summary = "use of every resource within capacity, headroom kept free, purchases included"
    options = CapacityOptions
    physical = True
    schemas = (
        TableSchema(
            "sites",
            ("site",),
            (Column("safety_", Kind.QUANTITY, "use above which the model may name a price", per_resource=True),),
            "",
        ),
    )

    def build(self, problem: Problem, options: Options, builder: Builder) -> None:
        """One limit per site, resource and period with a finite capacity; expansions widen them."""
        rows = _rows(problem)
        names, bound = self._names(problem, rows)
        block = builder.limits(names, bound)
        usable = [_usable(problem, r) for r in range(len(problem.resources))]
        add_use(problem, options, builder, block, rows, [share.denominator for share in usable])
        supply(problem, builder).widen(block, rows, [share.numerator for share in usable])
        self._overruns(problem, builder, block, rows)
        for r, row, period, steps in uses(problem, options) if _options(problem).safety else ():
            cell = options.site[row] * len(problem.periods) + period
            self._safety(problem, builder, r, cell, options.option[row], steps)

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

    def _safety(self, problem: Problem, builder: Builder, r: int, cell: Numbers, option: Numbers, steps: Ints) -> None:
        """``used − over ≤ level``, with a price on what is over. Uses int64 [k], ``cell`` = site × periods + period."""
        resource, periods = problem.resources[r], problem.periods
        if resource.name not in _options(problem).safety:
            return
        price = Fraction(_options(problem).safety[resource.name]) * resource.step
        price *= problem.inventory.currency.pence_per_unit
        given = problem.sites.given("safety_" + resource.name)
        level = np.repeat(problem.sites.quantities("safety_" + resource.name, "down"), len(periods))
        cells = np.flatnonzero(np.repeat(given, len(periods)))
        number = np.full(len(level), -1, dtype=np.int64)
        number[cells] = np.arange(len(cells))
        block = builder.limits([ROUNDING] * len(cells), level[cells])
        keep = number[cell] >= 0
        block.options(number[cell[keep]], option[keep], steps[keep])
        gives = f"{decimal_text(resource.step)} {resource.unit} over the safety level"
        over, most = [], _most_over(problem, r)
        for s, t in (divmod(c, len(periods)) for c in cells.tolist()):
            name = PurchaseName(f"over safety {resource.name}", s, t, gives)
            over.append(builder.purchase(name, most, derived=True))
            builder.purchase_charge(over[-1], "purchase", t, price * periods.share_of_year(t))
        block.purchases(np.arange(len(cells)), np.array(over, dtype=np.int64), -np.ones(len(cells), dtype=np.int64))

    def figures(self, problem: Problem, program: Program, name: LimitName) -> Iterable[Figure]:
        """More at the site, or less headroom."""
        return site_figures(problem, program, name)

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
        priced = [("soft", name) for name in sorted(_options(problem).soft)]
        priced += [("safety", name) for name in sorted(_options(problem).safety)]
        for option, name in (pair for pair in priced if pair[1] not in known):
            place = problem.model.place("rules", "capacity", option, name)
            yield Fault(
                place,
                "unknown-reference",
                f'no resource of this inventory is named "{name}"',
                f"known: {', '.join(sorted(known))}",
            )

        yield from self._too_large(problem)

    def _too_large(self, problem: Problem) -> Iterable[Fault]:
        """Workloads that need more of a resource than any site could ever offer, everything bought."""
        soft, optional = _options(problem).soft, problem.may_leave_out
        item = {w: i for i, group in enumerate(problem.members) for w in group}
        for r, resource in enumerate(problem.resources):
            most = _most_offered(problem, r)
            need = problem.demand[:, r, :].max(axis=1, initial=0)
            for w in np.flatnonzero((need > most) & ~problem.has_own(r)).tolist() if resource.name not in soft else ():
                needs = f"{problem.workloads.ids[w]} needs {resource.text(int(need[w]))} {resource.unit}"
                offer = f"{resource.text(most)} {resource.unit} of {resource.name}, everything bought"
                message = f"{needs}, no site offers more than {offer}"
                severity = Severity.WARNING if optional[item[w]] else Severity.ERROR
                place = problem.workloads.place(w, resource.name)
                yield Fault(place, "workload-too-large", message, "split it, or offer more at a site", severity)

    def tables(self, problem: Problem, options: Options, program: Program, values: Values) -> Mapping[str, list[Row]]:
        """``sites.csv``: capacity, usable, used, free and utilisation of every resource."""
        bought = _bought(problem, program, values)
        use = used(problem, options)
        shape = (len(problem.sites), len(problem.periods), len(problem.resources))
        rows = [_site_row(problem, s, r, t, int(use[s, r, t]), int(bought[s, r, t])) for s, t, r in np.ndindex(shape)]
        return {"sites": rows}


def _options(problem: Problem) -> CapacityOptions:
    options = problem.rules["capacity"]
    assert isinstance(options, CapacityOptions)
    return options


def _usable(problem: Problem, r: int) -> Fraction:
    return 1 - problem.headroom(problem.resources[r].name)


def _most_offered(problem: Problem, r: int) -> int:
    """The most of a resource that one site could offer if everything were bought there, in steps."""
    table, standing = problem.inventory.table("expansions"), ~problem.inventory.removed_sites
    offered = np.where(standing, problem.inventory.capacity[:, r], 0)
    if (offered == UNLIMITED).any():
        return UNLIMITED
    for i in np.flatnonzero(np.array(table.text("resource"), dtype=np.str_) == problem.resources[r].name).tolist():
        offered[table.refs("site")[i]] += max(0, amount(problem, i, 0, durable=True)) * int(table.counts("max")[i])
    return int(offered.max(initial=0))


def _most_over(problem: Problem, r: int) -> int:
    """Steps by which no use of a resource can exceed a limit: all demand, and all that purchases use up."""
    table = problem.inventory.table("expansions")
    most = int(problem.demand[:, r, :].sum(axis=0).max(initial=0)) + problem.own_demand_peak(r)
    for i in np.flatnonzero(np.array(table.text("resource"), dtype=np.str_) == problem.resources[r].name).tolist():
        most += max(0, -amount(problem, i, 0, durable=True)) * int(table.counts("max")[i])
    return most


def _rows(problem: Problem) -> Ints:
    """Number of the limit of each finite capacity, -1 where unlimited. int64 [site, resource, period]."""
    finite = np.repeat((problem.inventory.capacity != UNLIMITED)[:, :, None], len(problem.periods), axis=2)
    return np.where(finite, np.cumsum(finite).reshape(finite.shape) - 1, -1)


def _bought(problem: Problem, program: Program, values: Values) -> Ints:
    """Steps that the plan's purchases add. int64 [site, resource, period]."""
    total = np.zeros((len(problem.sites), len(problem.resources), len(problem.periods)), dtype=np.int64)
    again = Builder(np.zeros(0, dtype=np.int64), 0)
    added = supply(problem, again)
    at = {name: p for p, name in enumerate(program.purchases.names)}
    steps = values.x[program.options + program.facts :]
    number = np.array([at[name] for name in again.purchase_names], dtype=np.int64)
    return added.bought(steps[number], total.shape) if len(number) else total


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
