"""Ways in which one statement of the inventory or the model could ask for less, as scenarios to try.

Nothing here says that a change helps: each is tried, and only what was verified is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from math import ceil
from typing import Any

import numpy as np

from capplan.explain.case import Changes
from capplan.problem import Problem
from capplan.problem.options import one_by_one
from capplan.program import Program
from capplan.program.statements import LimitName, Source
from capplan.rules import RULES
from capplan.units import UNLIMITED, decimal_text, percent_text, with_unit

HEADROOM_STEPS = 1000
"""Headroom is lowered in tenths of a percent."""

BLANKED = frozenset("pinned_site forbidden_sites countries max_rtt_ms together apart needs_nearby zone".split())
BLANKED_OF_REPLICAS = frozenset(("replica_min_km", "replica_max_rtt_ms"))


@dataclass(frozen=True)
class Way:
    """One change to try. ``kind`` groups ways of like weight, ``changes`` is the scenario, ``text`` says it in words.

    ``pence`` a year and ``once`` are what is known of its price. ``share`` is its size relative to what is there.
    """

    kind: str
    text: str
    changes: Changes
    pence: Fraction | None = None
    once: Fraction | None = None
    share: Fraction = Fraction(0)
    physical: bool = False


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


def set_cell(name: str, key: str, column: str, text: str) -> Changes:
    """A scenario that sets one cell."""
    return {"set": {f"{name}.{key}.{column}": text}}


# --- limits ---------------------------------------------------------------------------------------------


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


# --- purchases, rules, workloads ------------------------------------------------------------------------


def purchases(problem: Problem) -> Iterator[Way]:
    """Allowing what the model does not let be bought: each thing alone, then all of it."""
    table = problem.inventory.table("expansions")
    names = dict.fromkeys([*table.ids, *problem.inventory.table("licences").ids])
    closed = [name for name in names if not problem.may_buy(name)]
    allowed = [] if isinstance(problem.model.purchases, str) else list(problem.model.purchases)
    for name in closed:
        rows = [i for i, other in enumerate(table.ids) if other == name]
        yearly = sum((problem.exact_pence(table, "cost", i) for i in rows), Fraction(0))
        once = sum((problem.exact_pence(table, "cost_once", i) for i in rows), Fraction(0))
        if not rows:
            licences = problem.inventory.table("licences")
            yearly = problem.exact_pence(licences, "pack_cost", licences.row(name))
        text = f"allow the purchase of {name}{_gives(problem, rows)}"
        yield Way("purchase", text, {"purchases": [*allowed, name]}, yearly, once, physical=True)
    if len(closed) > 1:
        yield Way(
            "purchase", "allow everything that can be bought", {"purchases": "all"}, physical=True, share=Fraction(1)
        )


def _gives(problem: Problem, rows: Sequence[int]) -> str:
    """``: 18 kW more of power_kw at DUDLEY, up to 2 times`` for the rows of an expansion."""
    table = problem.inventory.table("expansions")
    units = {resource.name: resource.unit for resource in problem.resources}
    parts = [
        f"{with_unit(table.decimals('amount').fraction(i), units[table.text('resource')[i]])} more of "
        f"{table.text('resource')[i]} at {problem.sites.ids[table.refs('site')[i]]}"
        for i in rows
    ]
    most = int(table.counts("max")[rows[0]]) if rows else 1
    return f": {'; '.join(parts)}{f', up to {most} times' if most > 1 else ''}" if parts else ""


def rules_off(problem: Problem, first: Sequence[str]) -> Iterator[Way]:
    """Each rule switched off, those that take part in what stands in the way first; never what physically is there."""
    others = [name for name in problem.rules if name not in first]
    for name in [*first, *others]:
        if name in problem.rules and name not in PHYSICAL:
            yield Way("rule off", f"switch the rule {name} off", {"rules": {name: "off"}})


PHYSICAL = frozenset(("capacity",))
"""Rules that say what there is, not what somebody decided."""


def of_source(problem: Problem, source: Source | None, workloads: Sequence[int]) -> Iterator[Way]:
    """A cell that forbids sites, blank or less strict, the least change first where it is known."""
    if source is None:
        return
    table, row, column = source
    ids, sites = problem.workloads.ids, problem.sites.ids
    if table == "workloads" and column == "max_rtt_ms":
        yield from _longer_trips(problem, row)
    if table == "workloads" and column in ("allowed_sites", "forbidden_sites"):
        yield from _other_lists(problem, row, column)
    if table == "workloads" and (column in BLANKED or column in BLANKED_OF_REPLICAS):
        words = {"pinned_site": f"do not pin {ids[row]} to {problem.workloads.text(column)[row]}"}
        text = words.get(column, f"no {column} for {ids[row]}")
        yield Way("workload", text, set_cell("workloads", ids[row], column, ""), share=Fraction(1, 2))
    if table == "placements":
        cells = problem.inventory.table("placements")
        yield Way(
            "workload",
            f"allow {cells.keys[row].replace('.', ' at ')} in placements.csv",
            set_cell("placements", cells.keys[row], "allowed", "yes"),
        )
    if table == "sites" and column == "zones":
        zones = problem.workloads.text("zone"), problem.inventory.table("organisations").text("zone")
        owner = problem.workloads.refs("organisation")
        for zone in dict.fromkeys(zones[0][w] or zones[1][owner[w]] for w in workloads):
            taken = ";".join([*problem.sites.words("zones")[row], zone])
            yield Way("site", f"let {sites[row]} take the zone {zone}", set_cell("sites", sites[row], "zones", taken))
    if table == "sites" and column == "from":
        yield from _dates(problem, row, workloads)


def _longer_trips(problem: Problem, w: int) -> Iterator[Way]:
    """The limit of a round trip raised to what it is to a site, the nearest first."""
    sites = len(problem.sites)
    pairs = one_by_one(np.full(sites, w), np.arange(sites), len(problem.workloads))
    texts = RULES["latency"].placement_columns(problem, pairs)["rtt_ms"]
    have = problem.workloads.decimals("max_rtt_ms").fraction(w)
    found = sorted({Fraction(text) for text in texts if text and Fraction(text) > have})
    for trip in found[:3]:
        name, text = problem.workloads.ids[w], decimal_text(trip)
        said = f"a round trip of up to {text} ms for {name} instead of {decimal_text(have)} ms"
        yield Way("workload", said, set_cell("workloads", name, "max_rtt_ms", text), share=trip / have - 1)


def _other_lists(problem: Problem, w: int, column: str) -> Iterator[Way]:
    """One more site in a list of allowed ones, one fewer in a list of forbidden ones; then no list."""
    listed = problem.workloads.ref_lists(column)[w]
    name, sites = problem.workloads.ids[w], problem.sites.ids
    for s in range(len(sites)) if column == "allowed_sites" else listed:
        if column == "allowed_sites" and s not in listed:
            now = ";".join([*(sites[x] for x in listed), sites[s]])
            yield Way(
                "workload",
                f"allow {name} at {sites[s]} too",
                set_cell("workloads", name, column, now),
                share=Fraction(1, 10),
            )
        elif column == "forbidden_sites":
            now = ";".join(sites[x] for x in listed if x != s)
            yield Way(
                "workload",
                f"do not forbid {name} at {sites[s]}",
                set_cell("workloads", name, column, now),
                share=Fraction(1, 10),
            )
    yield Way("workload", f"no {column} for {name}", set_cell("workloads", name, column, ""), share=Fraction(1, 2))


def _dates(problem: Problem, site: int, workloads: Sequence[int]) -> Iterator[Way]:
    """A workload that begins when its site opens, or a site that is open when it is needed."""
    opens, closes = problem.sites.text("from")[site], problem.sites.text("to")[site]
    where, (first, last) = problem.sites.ids[site], problem.window
    for w in workloads:
        name = problem.workloads.ids[w]
        if opens and first[w] < date.fromisoformat(opens).toordinal():
            yield Way("date", f"{name} from {opens} on, when {where} opens", set_cell("workloads", name, "from", opens))
        if closes and last[w] > date.fromisoformat(closes).toordinal():
            yield Way("date", f"{name} until {closes}, when {where} closes", set_cell("workloads", name, "to", closes))
    need = min(int(first[w]) for w in workloads), max(int(last[w]) for w in workloads)
    if opens and date.fromisoformat(opens).toordinal() > need[0]:
        day = date.fromordinal(need[0]).isoformat()
        yield Way(
            "date", f"open {where} on {day} instead of {opens}", set_cell("sites", where, "from", day), physical=True
        )
    if closes and date.fromisoformat(closes).toordinal() < need[1]:
        day = date.fromordinal(need[1]).isoformat()
        yield Way(
            "date",
            f"keep {where} open until {day} instead of {closes}",
            set_cell("sites", where, "to", day),
            physical=True,
        )


def leave_out(problem: Problem, items: Sequence[int]) -> Iterator[Way]:
    """One of the workloads (with those placed as one with it) left out."""
    for item in items:
        members = [problem.workloads.ids[w] for w in problem.members[item]]
        primaries = [problem.workloads.ids[w] for w in problem.members[item] if problem.primary[w] < 0]
        changes = {"set": {f"workloads.{name}.value": "0" for name in primaries}}
        yield Way("leave out", f"leave out {', '.join(members)}", changes, share=Fraction(len(members)))


def leave_groups(problem: Problem, workloads: Sequence[int], columns: Sequence[str]) -> Iterator[Way]:
    """One workload taken out of the groups it must be together with, or apart from."""
    for column in columns:
        if not problem.workloads.has(column):
            continue
        for w in workloads:
            groups = problem.workloads.text(column)[w]
            if groups:
                name = problem.workloads.ids[w]
                text = f"do not keep {name} {column} with the group {groups}"
                yield Way("workload", text, set_cell("workloads", name, column, ""), share=Fraction(1, 2))
