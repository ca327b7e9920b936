"""Capacity and what belongs to it, raised: at a site, by less headroom, by more of what can be bought."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import ceil, floor

import numpy as np

from capplan.problem.problem import Problem
from capplan.problem.ways import Figure, Way, evenly, rows_where, set_cell
from capplan.program import LimitName, Program
from capplan.units import UNLIMITED, decimal_text, percent_text, with_unit

HEADROOM_STEPS = 1000
"""Headroom is lowered in tenths of a percent."""


def site_figures(problem: Problem, program: Program, name: LimitName) -> Iterator[Figure]:
    """A site's capacity, of every rule and period that asks for it; then the headroom of its resource.

    For a limit on how often an expansion is bought, more of it.
    """
    if name.source is None or name.source[0] != "sites":
        yield from _expansion(problem, program, name)
        return
    site, column = name.source[1], name.source[2]
    r = problem.resource_number(column)
    if problem.inventory.capacity[site, r] == UNLIMITED:
        return
    weight = {
        row: int(program.limit_names[row].share * problem.resources[r].step / program.limit_names[row].per_unit)
        for row in rows_where(program, lambda other: other.source == name.source and not other.least)
    }
    weight = {row: by for row, by in weight.items() if by > 0}
    if weight:
        unit = natural_unit(problem, r)
        yield Figure(("site", str(site), column), weight, lambda steps: more_at(problem, site, r, steps), unit=unit)
    yield from _headroom(problem, program, column, r)


def natural_unit(problem: Problem, r: int) -> int:
    """The steps of a resource in one of its units, at least one."""
    return max(1, floor(1 / problem.resources[r].step))


def more_at(problem: Problem, s: int, r: int, steps: int) -> Way:
    """So many steps more of a resource at a site."""
    resource, site = problem.resources[r], problem.sites.ids[s]
    have = int(problem.inventory.capacity[s, r])
    price = problem.sites.decimals("cost_" + resource.name)
    text = f"{with_unit(resource.amount(steps), resource.unit)} more {resource.name} at {site}"
    text += f" ({resource.text(have + steps)} instead of {resource.text(have)})"
    offers = problem.inventory.table("expansions")
    if s not in offers.refs("site")[np.array(offers.text("resource"), dtype=np.str_) == resource.name]:
        text += "; nothing is offered there: a row of expansions.csv would let it be bought"
    known = price.fraction(s) * resource.amount(steps) if price.given[s] else None
    return Way(
        "capacity",
        text,
        set_cell("sites", site, resource.name, resource.text(have + steps)),
        None if known is None else known * problem.inventory.currency.pence_per_unit,
        share=Fraction(steps, have) if have else Fraction(10),
        physical=True,
        figure=("site", str(s), resource.name),
    )


def more_everywhere(problem: Problem, r: int, share: Fraction) -> Way:
    """A share more of a resource at every site, in tenths of a percent."""
    resource, capacity = problem.resources[r], problem.inventory.capacity[:, r]
    counted = ceil(share * HEADROOM_STEPS)
    wide = percent_text(1 + Fraction(counted, HEADROOM_STEPS))
    price, pence = problem.sites.decimals("cost_" + resource.name), Fraction(0)
    for s in np.flatnonzero(price.given & (capacity != UNLIMITED)).tolist():
        more = Fraction(int(capacity[s]) * counted, HEADROOM_STEPS)
        pence += price.fraction(s) * more * resource.step * problem.inventory.currency.pence_per_unit
    changes = {"scale": {f"sites.*.{resource.name}": wide.replace(" ", "")}}
    text = f"{percent_text(Fraction(counted, HEADROOM_STEPS))} more {resource.name} at every site"
    figure = ("sites", resource.name)
    return Way("capacity", text, changes, pence or None, share=share, physical=True, figure=figure)


def _headroom(problem: Problem, program: Program, column: str, r: int) -> Iterator[Figure]:
    """Less headroom of a resource, everywhere; bought capacity left out of account, which can only help more."""
    if not problem.headroom(column):
        return
    exact = column not in problem.inventory.table("expansions").text("resource")
    weight: dict[int, int] = {}
    for row, name in enumerate(program.limit_names):
        if name.source is None or name.source[::2] != ("sites", column) or name.least or name.share == 1:
            continue
        have = int(problem.inventory.capacity[name.source[1], r])
        by = have * problem.resources[r].step / name.per_unit / HEADROOM_STEPS if have != UNLIMITED else Fraction(0)
        if by >= 1:
            weight[row] = int(by)
            exact = exact and by == int(by)
    if weight:
        yield Figure(("headroom", column), weight, lambda tenths: less_headroom(problem, column, tenths), exact)


def less_headroom(problem: Problem, column: str, tenths: int) -> Way:
    """So many tenths of a percent less kept free of a resource, everywhere."""
    keep = problem.headroom(column)
    left = max(Fraction(0), Fraction(keep * HEADROOM_STEPS // 1, HEADROOM_STEPS) - Fraction(tenths, HEADROOM_STEPS))
    text = f"headroom of {column}: {percent_text(left)} instead of {percent_text(keep)}"
    changes = {"headroom": {column: f"{decimal_text(left * 100)}%"}}
    return Way("headroom", text, changes, share=(keep - left) / keep, figure=("headroom", column))


def _expansion(problem: Problem, program: Program, name: LimitName) -> Iterator[Figure]:
    source = name.source
    if source is not None and source[0] == "expansions":
        rows = rows_where(program, lambda other: other.source == source)
        yield Figure(("expansion", str(source[1])), evenly(rows), lambda n: more_steps(problem, source[1], n))


def more_steps(problem: Problem, row: int, steps: int) -> Way:
    """An expansion of which more can be bought."""
    table = problem.inventory.table("expansions")
    expansion, most = table.ids[row], int(table.counts("max")[row])
    rows = [i for i, other in enumerate(table.ids) if other == expansion]
    changes = {"set": {f"expansions.{table.keys[i]}.max": str(most + steps) for i in rows}}
    yearly = sum((problem.exact_pence(table, "cost", i) for i in rows), Fraction(0)) * steps
    once = sum((problem.exact_pence(table, "cost_once", i) for i in rows), Fraction(0)) * steps
    text = f"{steps} more of {expansion} (up to {most + steps} instead of {most})"
    share = Fraction(steps, max(1, most))
    return Way("purchase", text, changes, yearly, once, share, physical=True, figure=("expansion", expansion))
