"""Explanations of a plan as rows of tables: figures as text, names as the user wrote them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from capplan.explain.placement import AtSite, Outcome, Placement, forgone, others
from capplan.explain.variants import Alternative, Variant, Worth, physical
from capplan.explain.written import FOLDER, write_table
from capplan.problem import NOWHERE, Problem
from capplan.units import decimal_text

Rows = Sequence[dict[str, object]]


def write_rows(run: Path, name: str, rows: Rows) -> None:
    """Write one table into a run's folder of explanations."""
    if rows:
        folder = run / FOLDER
        folder.mkdir(exist_ok=True)
        write_table(folder, name, list(rows[0]), rows)


def site_name(problem: Problem, site: int) -> str:
    """A site's id, or that a workload is left out."""
    return "left out" if site == NOWHERE else problem.sites.ids[site]


def move_text(problem: Problem, move: tuple[int, int, int]) -> str:
    """``W1 from A to B``."""
    workload, before, after = move
    return f"{problem.workloads.ids[workload]} from {site_name(problem, before)} to {site_name(problem, after)}"


def money(problem: Problem, pence: int | Fraction | None) -> str:
    """An amount in the inventory's currency, a plain number; blank for none."""
    return "" if pence is None else decimal_text(Fraction(pence) / problem.inventory.currency.pence_per_unit, 2)


def placement_rows(found: Placement) -> list[dict[str, object]]:
    """One row for each site."""
    return [
        {
            "workload": found.problem.workloads.ids[found.workload],
            "site": found.problem.sites.ids[one.site],
            "verdict": verdict(one),
            "rule": one.obstacles[0].rule if one.obstacles else "",
            "reason": _reason(found, one),
            "cost_as_is": money(found.problem, one.fixed.cost if one.fixed else None),
            "cost_replanned": money(found.problem, one.free.cost if one.free else None),
            "forgone_replanned": money(found.problem, one.free.forgone if one.free else None),
            "moves": _moves(found, one.free),
            "proved": "" if one.free is None else "yes" if one.free.proved else "no",
        }
        for one in found.sites
    ]


def _reason(found: Placement, one: AtSite) -> str:
    """What stands in the way, or why it is here: what the best other site comes to."""
    best = found.best_elsewhere
    if one.here and best is not None:
        where, cost = found.problem.sites.ids[best[0].site], best[1].cost
        return f"the best other site is {where}: {money(found.problem, abs(cost))} {'less' if cost < 0 else 'more'}"
    if one.here:
        return "no plan was found with it at another site"
    return "; ".join(no.reason for no in one.obstacles) or "; ".join(short.message for short in one.short)


def verdict(one: AtSite) -> str:
    """What can be said of a site in a word or two."""
    if one.here:
        return "here"
    if one.obstacles:
        return "not allowed"
    if one.fixed is not None:
        return "possible"
    if one.free is not None:
        return "possible with moves"
    return "impossible" if one.status == "infeasible" else "does not fit as is"


def _moves(found: Placement, outcome: Outcome | None) -> str:
    if outcome is None:
        return ""
    return "; ".join(move_text(found.problem, move) for move in others(outcome, [found.workload]))


def placement_json(found: Placement) -> dict[str, Any]:
    """The explanation as plain data."""
    problem = found.problem
    sites = []
    for row, one in zip(placement_rows(found), found.sites, strict=True):
        no = [{"rule": no.rule, "reason": no.reason, **_source(problem, no.source)} for no in one.obstacles]
        sites.append(row | {"obstacles": no, "short": [breach.message for breach in one.short]})
    return {
        "workload": problem.workloads.ids[found.workload],
        "site": None if found.site == NOWHERE else problem.sites.ids[found.site],
        "broken": [breach.message for breach in found.broken],
        "sites": sites,
    }


def _source(problem: Problem, source: tuple[str, int, str] | None) -> dict[str, object]:
    if source is None:
        return {}
    place = problem.inventory.table(source[0]).place(source[1], source[2])
    return {"file": Path(place.file).name, "line": place.line}


def worth_rows(problem: Problem, found: Sequence[Worth]) -> list[dict[str, object]]:
    """One row for each figure: what is free, and what one more unit changes."""
    return [
        {
            "change": one.way.text,
            "limit": one.subject,
            "free": decimal_text(one.free),
            "unit": one.unit,
            "saves": money(problem, None if one.variant.cost is None else -one.variant.cost),
            "left_out": "" if one.variant.left_out is None else one.variant.left_out,
            "estimate": money(problem, None if one.estimate is None else -one.estimate),
            "proved": "yes" if one.variant.proved else "no",
        }
        for one in found
    ]


def sensitivity_rows(found: Sequence[Variant]) -> list[dict[str, object]]:
    """One row for each rule: what is saved, and how many more or fewer are left out, without it."""
    return [
        {
            "rule": one.name,
            "kind": "physical" if physical(one.name) else "policy",
            "status": str(one.status),
            "saves": money(one.plan.problem, None if one.cost is None else -one.cost) if one.plan else "",
            "left_out": "" if one.left_out is None else one.left_out,
            "proved": "yes" if one.proved else "no",
        }
        for one in found
    ]


def alternatives_rows(plan: Alternative, found: Sequence[Alternative]) -> list[dict[str, object]]:
    """The plan, then one row for each other one."""
    return [
        {
            "plan": one.name,
            "cost": money(one.plan.problem, one.plan.cost),
            "more": decimal_text(one.share * 100, 2) + "%",
            "sites": one.sites,
            "moves": one.moves,
            "operators": one.operators,
            "elsewhere": one.changed,
            "left_out": int((one.plan.plan.site == NOWHERE).sum()),
            "forgone": money(one.plan.problem, forgone(one.plan)),
        }
        for one in (plan, *found)
    ]
