"""Figures of the inventory and the model that could be raised or lowered so that limits hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from typing import Any

import numpy as np

from capplan.explain.way import Way, set_cell
from capplan.problem import Problem
from capplan.program import Program
from capplan.program.statements import LimitName
from capplan.units import UNLIMITED, decimal_text, percent_text, with_unit

HEADROOM_STEPS = 1000
"""Headroom is lowered in tenths of a percent."""


@dataclass(frozen=True)
class Widenable:
    """Limits that one figure of the user's widens: each limit's weight, and the way for so many units of it."""

    weight: Mapping[int, int]
    key: tuple[str, ...]
    more: Any = field(compare=False)

    def way(self, amount: int) -> Way:
        """The change that widens them by ``amount``."""
        made: Way = self.more(amount)
        return made


def widenable(problem: Problem, program: Program, rows: Sequence[int]) -> Iterator[Widenable]:
    """Figures that could be raised (or lowered) so that some limits hold, each with all the limits that it widens."""
    seen: set[tuple[str, ...]] = set()
    for row in rows:
        for found in _figures(problem, program, program.limit_names[row]):
            if found.key not in seen:
                seen.add(found.key)
                yield found


def _figures(problem: Problem, program: Program, name: LimitName) -> Iterator[Widenable]:
    makers = {
        "capacity": _site_figures,
        "moves": _moves_figures,
        "survive_site_loss": _site_figures,
        "licences": _licence_figures,
        "budget": _budget_figures,
        "apart": _apart_figures,
        "fill": _fill_figures,
    }
    if name.rule in makers:
        yield from makers[name.rule](problem, program, name)


def _same(program: Program, wanted: Any) -> list[int]:
    return [row for row, name in enumerate(program.limit_names) if name.rule and wanted(name)]


def _site_figures(problem: Problem, program: Program, name: LimitName) -> Iterator[Widenable]:
    """A site's capacity: of every rule and period that asks for it; then the headroom of its resource."""
    if name.source is None or name.source[0] != "sites":
        if name.subject.endswith(" max"):
            yield from _expansion_figures(problem, program, name)
        return
    site, column = name.source[1], name.source[2]
    r = problem.resource_number(column)
    if problem.inventory.capacity[site, r] == UNLIMITED:
        return
    rows = _same(program, lambda other: other.source == name.source and not other.least)
    weight = {
        row: int(program.limit_names[row].share * problem.resources[r].step / program.limit_names[row].per_unit)
        for row in rows
    }
    weight = {row: by for row, by in weight.items() if by > 0}
    if weight:
        yield Widenable(weight, ("site", str(site), column), lambda amount: _more_at(problem, site, r, amount))
    yield from _headroom_figures(problem, program, column, r)


def _more_at(problem: Problem, s: int, r: int, steps: int) -> Way:
    resource, site = problem.resources[r], problem.sites.ids[s]
    have = int(problem.inventory.capacity[s, r])
    price = problem.sites.decimals("cost_" + resource.name)
    changes = set_cell("sites", site, resource.name, resource.text(have + steps))
    text = f"{with_unit(resource.amount(steps), resource.unit)} more {resource.name} at {site}"
    text += f" ({resource.text(have + steps)} instead of {resource.text(have)})"
    offers = problem.inventory.table("expansions")
    if s not in offers.refs("site")[np.array(offers.text("resource"), dtype=np.str_) == resource.name]:
        text += "; nothing is offered there: a row of expansions.csv would let it be bought"
    share = Fraction(steps, have) if have else Fraction(10)
    known = price.fraction(s) * resource.amount(steps) if price.given[s] else None
    pence = None if known is None else known * problem.inventory.currency.pence_per_unit
    return Way("capacity", text, changes, pence, share=share, physical=True)


def _headroom_figures(problem: Problem, program: Program, column: str, r: int) -> Iterator[Widenable]:
    """Less headroom of a resource, everywhere; bought capacity left out of account, which can only help more."""
    keep = problem.headroom(column)
    if not keep:
        return
    weight: dict[int, int] = {}
    for row, name in enumerate(program.limit_names):
        if (
            name.rule in ("capacity", "moves")
            and name.source is not None
            and name.source[2] == column
            and not name.least
        ):
            have = int(problem.inventory.capacity[name.source[1], r])
            by = int(have * problem.resources[r].step / name.per_unit / HEADROOM_STEPS) if have != UNLIMITED else 0
            if by > 0:
                weight[row] = by
    if weight:
        yield Widenable(weight, ("headroom", column), lambda amount: _less_headroom(problem, column, amount))


def _less_headroom(problem: Problem, column: str, amount: int) -> Way:
    keep = problem.headroom(column)
    left = max(Fraction(0), Fraction(keep * HEADROOM_STEPS // 1, HEADROOM_STEPS) - Fraction(amount, HEADROOM_STEPS))
    text = f"headroom of {column}: {percent_text(left)} instead of {percent_text(keep)}"
    changes = {"headroom": {column: f"{decimal_text(left * 100)}%"}}
    return Way("headroom", text, changes, share=(keep - left) / keep)


def _expansion_figures(problem: Problem, program: Program, name: LimitName) -> Iterator[Widenable]:
    """More steps of an expansion."""
    source = name.source
    if source is None or source[0] != "expansions":
        return
    rows = _same(program, lambda other: other.source == source)
    yield Widenable(dict.fromkeys(rows, 1), ("expansion", str(source[1])), lambda n: more_steps(problem, source[1], n))


def more_steps(problem: Problem, row: int, steps: int) -> Way:
    """An expansion of which more can be bought."""
    table = problem.inventory.table("expansions")
    expansion, most = table.ids[row], int(table.counts("max")[row])
    rows = [i for i, other in enumerate(table.ids) if other == expansion]
    changes = {"set": {f"expansions.{table.keys[i]}.max": str(most + steps) for i in rows}}
    yearly = sum((problem.exact_pence(table, "cost", i) for i in rows), Fraction(0)) * steps
    once = sum((problem.exact_pence(table, "cost_once", i) for i in rows), Fraction(0)) * steps
    text = f"{steps} more of {expansion} (up to {most + steps} instead of {most})"
    return Way("purchase", text, changes, yearly, once, Fraction(steps, max(1, most)), physical=True)


def _licence_figures(problem: Problem, program: Program, name: LimitName) -> Iterator[Widenable]:
    """Licences owned, or packs where packs are sold."""
    if name.source is None:
        return
    licence = name.source[1]
    rows = _same(program, lambda other: other.rule == "licences" and other.source == name.source)
    yield Widenable(dict.fromkeys(rows, 1), ("licence", str(licence)), lambda n: _more_licences(problem, licence, n))


def _more_licences(problem: Problem, licence: int, number: int) -> Way:
    table = problem.inventory.table("licences")
    name, pack, owned = table.ids[licence], int(table.counts("pack")[licence]), int(table.counts("owned")[licence])
    packs = ceil(Fraction(number, pack))
    price = problem.exact_pence(table, "pack_cost", licence) * packs
    if table.given("max_packs")[licence] and problem.may_buy(name):
        most = int(table.counts("max_packs")[licence])
        text = f"{packs} more pack{'s' * (packs > 1)} of {name}, {packs * pack} licences (max_packs {most + packs})"
        changes = set_cell("licences", name, "max_packs", str(most + packs))
    else:
        text = f"{number} more of licence {name} (owned {owned + number} instead of {owned})"
        changes = set_cell("licences", name, "owned", str(owned + number))
    return Way("licence", text, changes, price or None, share=Fraction(number, max(1, owned)), physical=True)


def _budget_figures(problem: Problem, program: Program, name: LimitName) -> Iterator[Widenable]:
    option = {"yearly money": "per_year", "one-off money": "once", "money": "total"}.get(name.subject)
    if option is None:
        return
    rows = _same(program, lambda other: other.rule == "budget" and other.subject == name.subject)
    yield Widenable(
        dict.fromkeys(rows, 1), ("budget", option), lambda pence: _more_money(problem, option, pence, rows, program)
    )


def _more_money(problem: Problem, option: str, pence: int, rows: Sequence[int], program: Program) -> Way:
    currency, have = problem.inventory.currency, Fraction(getattr(problem.rules["budget"], option))
    more = Fraction(pence, currency.pence_per_unit)
    if option == "per_year":
        shortest = min(problem.periods.share_of_year(program.limit_names[row].period) for row in rows)
        more = Fraction(ceil(more / shortest * currency.pence_per_unit), currency.pence_per_unit)
    text = f"a budget of {currency.text((have + more) * currency.pence_per_unit)} ({option}) instead of "
    text += currency.text(have * currency.pence_per_unit)
    changes = {"rules": {"budget": {option: decimal_text(have + more)}}}
    return Way("budget", text, changes, more * currency.pence_per_unit, share=more / max(have, Fraction(1)))


def _moves_figures(problem: Problem, program: Program, name: LimitName) -> Iterator[Widenable]:
    if name.source is not None:
        yield from _site_figures(problem, program, name)
        return
    setting = problem.rules["moves"]
    if name.subject != "all":
        option = "per_organisation"
        rows = _same(program, lambda other: other.rule == "moves" and other.source is None and other.subject != "all")
    else:
        option = "at_most" if name.period < 0 else "per_period"
        rows = _same(
            program,
            lambda other: other.rule == "moves" and other.subject == "all" and (other.period < 0) == (name.period < 0),
        )
    have = getattr(setting, option)

    def way(number: int) -> Way:
        text = f"{have + number} moves ({option}) instead of {have}"
        return Way("moves", text, {"rules": {"moves": {option: have + number}}}, share=Fraction(number, max(1, have)))

    yield Widenable(dict.fromkeys(rows, 1), ("moves", option), way)


def _apart_figures(problem: Problem, program: Program, name: LimitName) -> Iterator[Widenable]:
    group = name.subject.rpartition(" " if name.least else " at ")[0]
    setting: Any = problem.rules["apart"]
    if name.least:
        option = name.subject.rpartition(" ")[2]
        have = dict(getattr(setting, option)).get(group, 0)
        rows = _same(program, lambda other: other.rule == "apart" and other.subject == name.subject)

        def fewer(number: int) -> Way:
            text = f"the group {group} at {have - number} {option} at least instead of {have}"
            changes = {"rules": {"apart": {option: {group: max(1, have - number)}}}}
            return Way("rule option", text, changes, share=Fraction(number, max(1, have)))

        yield Widenable(dict.fromkeys(rows, 1), ("apart", option, group), fewer)
        return
    have = dict(setting.per_site).get(group, 1)
    rows = _same(program, lambda other: other.rule == "apart" and other.subject.rpartition(" at ")[0] == group)

    def more(number: int) -> Way:
        text = f"{have + number} workloads of the group {group} at one site instead of {have}"
        changes = {"rules": {"apart": {"per_site": {group: have + number}}}}
        return Way("rule option", text, changes, share=Fraction(number, max(1, have)))

    yield Widenable(dict.fromkeys(rows, 1), ("apart", group), more)


def _fill_figures(problem: Problem, program: Program, name: LimitName) -> Iterator[Widenable]:
    """A smaller least use: the limit is needed − used, so its weight is what the site's being used counts."""
    if name.source is None:
        return
    site, column = name.source[1], name.source[2]
    resource = problem.resources[problem.resource_number(column.removeprefix("fill_"))]
    have = int(problem.sites.quantities(column, "up")[site])
    rows = _same(program, lambda other: other.rule == "fill" and other.source == name.source)

    def less(steps: int) -> Way:
        left, where = max(0, have - steps), problem.sites.ids[site]
        text = f"a least use of {resource.text(left)} {resource.unit} at {where} instead of {resource.text(have)}"
        return Way(
            "least use", text, set_cell("sites", where, column, resource.text(left)), share=Fraction(have - left, have)
        )

    yield Widenable(dict.fromkeys(rows, 1), ("fill", str(site), column), less)


ROOM = (Fraction(0), Fraction(3, 100))
"""What is tried on top of a shortage of all sites together: workloads come whole and rarely fill sites to the brim."""


def in_all(problem: Problem, r: int, short: Fraction) -> Iterator[Way]:
    """What all sites together lack, given to one of the largest sites; or as much less headroom."""
    resource, capacity = problem.resources[r], problem.inventory.capacity[:, r]
    share = 1 - problem.headroom(resource.name)
    finite = np.where((capacity == UNLIMITED) | problem.inventory.removed_sites, -1, capacity)
    for room in ROOM:
        need = ceil(short / share + room * int(finite.sum()))
        for s in np.argsort(-finite, kind="stable")[:2].tolist():
            yield _more_at(problem, s, r, need)
        if share < 1:
            tenths = ceil((short / int(finite.sum()) + room) * HEADROOM_STEPS)
            if Fraction(tenths, HEADROOM_STEPS) <= 1 - share:
                yield _less_headroom(problem, resource.name, tenths)
