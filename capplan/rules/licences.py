"""Licences: what placed workloads need of a licence is owned or bought, in every period.

Metric ``pool``: the need is summed over placed workloads within the licence's scope (organisations, sites), and
``need ≤ owned + pack × packs``. Metric ``site``: the need is the number of sites in scope where a needing workload
runs; what exceeds ``owned`` is charged at ``pack_cost`` a site. A licence counts in the periods that its dates touch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from capplan.inventory import Column, Kind, Table, TableSchema
from capplan.problem import Options, Problem
from capplan.problem.periods import FIRST_DAY, LAST_DAY, YEAR_DAYS
from capplan.program import Builder, LimitName, Program, PurchaseName, Values
from capplan.rules.base import Row, Rule
from capplan.units import Bools, Ints, round_half_up


@dataclass(frozen=True)
class _Needs:
    """Need of one licence by placed rows in scope: ``row`` int64 [k], ``quantity`` int64 [k]."""

    row: Ints
    quantity: Ints


class Licences(Rule):
    """Every licence, in every period."""

    summary = "licences needed by placed workloads are owned or bought"
    schemas = (
        TableSchema(
            "licences",
            ("licence",),
            (
                Column("licence", Kind.ID, "its id", required=True),
                Column("name", Kind.TEXT, "what people call it"),
                Column("metric", Kind.CHOICE, "how it is counted", required=True, choices=("pool", "site")),
                Column("owned", Kind.COUNT, "how many are owned", default="0", minimum=0),
                Column("pack", Kind.COUNT, "how many one pack gives", default="1", minimum=1),
                Column(
                    "pack_cost",
                    Kind.DECIMAL,
                    "price of a pack for a year; metric site: charge per site used",
                    default="0",
                    minimum=0,
                ),
                Column("max_packs", Kind.COUNT, "most packs that can be bought (blank: any number)", minimum=0),
                Column(
                    "organisations",
                    Kind.REFS,
                    "organisations in its scope (blank: all)",
                    refers_to="organisations",
                ),
                Column("sites", Kind.REFS, "sites in its scope (blank: all)", refers_to="sites"),
                Column("from", Kind.DATE, "first day on which it counts"),
                Column("to", Kind.DATE, "day from which it no longer counts"),
            ),
            "licences that workloads need",
        ),
        TableSchema(
            "licence_needs",
            ("workload", "licence"),
            (
                Column("workload", Kind.REF, "the workload that needs it", required=True, refers_to="workloads"),
                Column("licence", Kind.REF, "the licence", required=True, refers_to="licences"),
                Column("quantity", Kind.COUNT, "how many it needs", default="1", minimum=0),
            ),
            "which workload needs how many of which licence",
        ),
    )

    def build(self, problem: Problem, options: Options, builder: Builder) -> None:
        """One limit and one purchase per licence and period in which it counts."""
        table = problem.inventory.table("licences")
        for licence in range(len(table)):
            needs = _needs(problem, options, licence)
            for t in np.flatnonzero(_counts_in(problem, table)[licence]):
                if table.text("metric")[licence] == "pool":
                    self._pool(problem, options, builder, licence, needs, int(t))
                else:
                    self._site(problem, options, builder, licence, needs, int(t))

    def _pool(self, problem: Problem, options: Options, builder: Builder, licence: int, needs: _Needs, t: int) -> None:
        table = problem.inventory.table("licences")
        active = problem.active[options.workload[needs.row], t]
        block = builder.limits([_name(table, licence, t)], table.counts("owned")[licence : licence + 1])
        row, option = needs.row[active], options.option[needs.row[active]]
        block.options(np.zeros_like(row), option, needs.quantity[active])
        if problem.may_buy(table.ids[licence]):
            purchase = self._packs(problem, builder, licence, t, _most_needed(problem, licence), derived=False)
            one = np.ones(1, dtype=np.int64)
            block.purchases(one * 0, one * purchase, -one * table.counts("pack")[licence])

    def _site(self, problem: Problem, options: Options, builder: Builder, licence: int, needs: _Needs, t: int) -> None:
        table = problem.inventory.table("licences")
        active = problem.active[options.workload[needs.row], t] & (needs.quantity > 0)
        rows = needs.row[active]
        facts = builder.any_of(options.site[rows], options.option[rows], len(problem.sites))
        facts = facts[facts >= 0]
        block = builder.limits([_name(table, licence, t)], table.counts("owned")[licence : licence + 1])
        block.facts(np.zeros_like(facts), facts, np.ones_like(facts))
        purchase = self._packs(problem, builder, licence, t, len(problem.sites), derived=True)
        one = np.ones(1, dtype=np.int64)
        block.purchases(one * 0, one * purchase, -one * table.counts("pack")[licence])

    def _packs(self, problem: Problem, builder: Builder, licence: int, t: int, most: int, *, derived: bool) -> int:
        table = problem.inventory.table("licences")
        pack = int(table.counts("pack")[licence])
        upper = -(-most // pack)
        if table.given("max_packs")[licence]:
            upper = min(upper, int(table.counts("max_packs")[licence]))
        gives = f"+{pack} {table.ids[licence]}"
        purchase = builder.purchase(
            PurchaseName(table.ids[licence], -1, t, gives, ("licences", licence, "")), upper, derived=derived
        )
        price = _pack_price(problem, table, licence, t)
        if price:
            builder.purchase_charge(purchase, "licence", t, price)
        return purchase

    def tables(self, problem: Problem, options: Options, program: Program, values: Values) -> Mapping[str, list[Row]]:
        """``licences.csv``: need, owned, bought, spare and cost of every licence in every period."""
        table = problem.inventory.table("licences")
        steps = values.x[program.options + program.facts :]
        packs = {
            (name.source[1], name.period): int(steps[p])
            for p, name in enumerate(program.purchases.names)
            if name.source and name.source[0] == "licences"
        }
        rows: list[Row] = []
        for licence in range(len(table)):
            needs = _needs(problem, options, licence)
            for t in np.flatnonzero(_counts_in(problem, table)[licence]):
                bought = packs.get((licence, int(t)), 0)
                rows.append(_row(problem, options, needs, licence, int(t), bought))
        return {"licences": rows}


def _row(problem: Problem, options: Options, needs: _Needs, licence: int, t: int, packs: int) -> Row:
    table = problem.inventory.table("licences")
    active = problem.active[options.workload[needs.row], t]
    if table.text("metric")[licence] == "pool":
        need = int(needs.quantity[active].sum())
    else:
        need = len(np.unique(options.site[needs.row[active & (needs.quantity > 0)]]))
    owned, bought = int(table.counts("owned")[licence]), packs * int(table.counts("pack")[licence])
    price = _pack_price(problem, table, licence, t)
    return {
        "licence": table.ids[licence],
        "scope": _scope(problem, table, licence),
        "period": problem.periods.text(t),
        "need": need,
        "owned": owned,
        "bought": bought,
        "spare": owned + bought - need,
        "cost": problem.inventory.currency.decimal(round_half_up(price * packs)),
    }


def _scope(problem: Problem, table: Table, licence: int) -> str:
    organisations = [problem.inventory.table("organisations").ids[o] for o in table.ref_lists("organisations")[licence]]
    sites = [problem.sites.ids[s] for s in table.ref_lists("sites")[licence]]
    parts = [f"{name} {', '.join(ids)}" for name, ids in (("organisations", organisations), ("sites", sites)) if ids]
    return "; ".join(parts) or "all"


def _name(table: Table, licence: int, t: int) -> LimitName:
    unit = "licences" if table.text("metric")[licence] == "pool" else "sites"
    return LimitName("licences", table.ids[licence], t, unit, Fraction(1), -1, ("licences", licence, "owned"))


def _pack_price(problem: Problem, table: Table, licence: int, t: int) -> Fraction:
    """Exact pence of one pack for the days of a period on which the licence counts."""
    days = problem.periods.overlap(table.dates("from", FIRST_DAY), table.dates("to", LAST_DAY))[licence, t]
    return problem.exact_pence(table, "pack_cost", licence) * Fraction(int(days), YEAR_DAYS)


def _counts_in(problem: Problem, table: Table) -> Bools:
    """Periods in which each licence counts. bool [licence, period]."""
    days = problem.periods.overlap(table.dates("from", FIRST_DAY), table.dates("to", LAST_DAY))
    return np.asarray(days > 0)


def _quantities(problem: Problem, licence: int) -> Ints:
    """Need of each workload. int64 [workload]."""
    table = problem.inventory.table("licence_needs")
    mine = table.refs("licence") == licence
    quantity = np.zeros(len(problem.workloads), dtype=np.int64)
    np.add.at(quantity, table.refs("workload")[mine], table.counts("quantity")[mine])
    return quantity


def _most_needed(problem: Problem, licence: int) -> int:
    return int(_quantities(problem, licence).sum())


def _needs(problem: Problem, options: Options, licence: int) -> _Needs:
    """What placed rows in the scope of a licence need of it."""
    table = problem.inventory.table("licences")
    quantity = _quantities(problem, licence)
    organisations, sites = table.ref_lists("organisations")[licence], table.ref_lists("sites")[licence]
    inside = quantity > 0
    if organisations:
        inside &= np.isin(problem.workloads.refs("organisation"), organisations)
    row = options.rows_of(np.flatnonzero(inside))
    if sites:
        row = row[np.isin(options.site[row], sites)]
    return _Needs(row, quantity[options.workload[row]])
