"""``licences.csv``: need, owned, bought, spare, when a pool runs out, and why the number is what it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction

import numpy as np

from capplan.licensing.scope import counts_in
from capplan.licensing.why import why
from capplan.problem import Options, Problem
from capplan.program import Program, Values
from capplan.units import round_half_up

Row = Mapping[str, object]


def overview(problem: Problem, options: Options, program: Program, values: Values) -> list[Row]:
    """One row for each licence and period in which it counts, read off a measured plan."""
    table = problem.inventory.table("licences")
    held, editions = _held(problem, program, values), _editions(program, values)
    needed = _needed(program, values, held, problem)
    rows: list[Row] = []
    for licence, t in np.argwhere(counts_in(problem)).tolist():
        owned, packs = int(table.counts("owned")[licence]), held[licence, t]
        bought, need = packs * int(table.counts("pack")[licence]), needed.get((licence, t), 0)
        rows.append(
            {
                "licence": table.ids[licence],
                "scope": _scope(problem, licence),
                "period": problem.periods.text(t),
                "need": need,
                "owned": owned,
                "bought": bought,
                "spare": owned + bought - need,
                "cost": problem.inventory.currency.decimal(_cost(program, values, licence, t)),
                "runs_out": _runs_out(problem, licence, owned, needed),
                "why": why(problem, options, licence, t, editions),
            }
        )
    return rows


def _editions(program: Program, values: Values) -> frozenset[tuple[str, int]]:
    """Decided purchases that are taken, by name and period."""
    steps = values.x[program.options + program.facts :]
    return frozenset((name.purchase, name.period) for p, name in enumerate(program.purchases.names) if steps[p])


def _held(problem: Problem, program: Program, values: Values) -> dict[tuple[int, int], int]:
    """Packs that count, by licence and period."""
    steps, table = values.x[program.options + program.facts :], problem.inventory.table("licences")
    held = {(int(licence), int(t)): 0 for licence, t in np.argwhere(counts_in(problem))}
    for p, name in enumerate(program.purchases.names):
        if name.source and name.source[0] == "licences" and steps[p]:
            licence = name.source[1]
            durable = table.text("kind")[licence] == "durable"
            for t in range(name.period, len(problem.periods) if durable else name.period + 1):
                if (licence, t) in held:
                    held[licence, t] += int(steps[p])
    return held


def _needed(
    program: Program, values: Values, held: Mapping[tuple[int, int], int], problem: Problem
) -> dict[tuple[int, int], int]:
    """The largest sum that each licence has to cover, by licence and period."""
    pack, found = problem.inventory.table("licences").counts("pack"), dict[tuple[int, int], int]()
    for row, name in enumerate(program.limit_names):
        if name.rule == "licences" and name.source and name.source[::2] == ("licences", "owned"):
            key = (name.source[1], name.period)
            need = int(values.used[row]) + held[key] * int(pack[name.source[1]])
            found[key] = max(found.get(key, 0), need)
    return found


def _cost(program: Program, values: Values, licence: int, t: int) -> int:
    """Pence of a licence's packs in a period, one-off money in the period in which it is paid."""
    steps = values.x[program.options + program.facts :]
    exact = {False: Fraction(0), True: Fraction(0)}
    for price in program.prices:
        name = program.purchases.names[price.purchase]
        if price.period == t and name.source and name.source[:2] == ("licences", licence):
            exact[price.once] += price.amount * int(steps[price.purchase])
    return sum(round_half_up(amount) for amount in exact.values())


def _runs_out(problem: Problem, licence: int, owned: int, needed: Mapping[tuple[int, int], int]) -> str:
    """The first day of the first period that needs more than is owned."""
    short = [t for (x, t), need in needed.items() if x == licence and need > owned]
    return date.fromordinal(int(problem.periods.start[min(short)])).isoformat() if short else ""


def _scope(problem: Problem, licence: int) -> str:
    table = problem.inventory.table("licences")
    organisations = [problem.inventory.table("organisations").ids[o] for o in table.ref_lists("organisations")[licence]]
    sites = [problem.sites.ids[s] for s in table.ref_lists("sites")[licence]]
    named = (("organisations", organisations), ("sites", sites), ("countries", table.words("countries")[licence]))
    return "; ".join(f"{name} {', '.join(ids)}" for name, ids in named if ids) or "all"
