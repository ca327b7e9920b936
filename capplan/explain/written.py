"""An explanation as tables, as JSON, and as a model whose scenarios are the changes that would do."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from capplan.errors import Place, printable
from capplan.explain.case import OWN, upon, written_out
from capplan.explain.infeasible import Infeasible, left_out
from capplan.explain.statements import Conflict, Member
from capplan.explain.totals import Total
from capplan.inventory import write_csv
from capplan.measure import Breach
from capplan.model import Model
from capplan.problem import Problem
from capplan.problem.ways import Changes, Way
from capplan.rules import RULES
from capplan.runs.folder import aside, partial_folder, publish_over
from capplan.units import decimal_text

FOLDER = "explain"
RELAXATIONS = "relaxations.yaml"
COMBINED = "together"

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "shortages": ("rule", "subject", "period", "short", "unit", "nature", "message", "file", "line"),
    "conflicts": ("conflict", "minimal", "kind", "rule", "workloads", "says", "file", "line"),
    "relaxations": ("rank", "scenario", "kind", "change", "least", "cost", "cost_once", "physical"),
}
"""Columns of the tables about a run without a plan."""

NUMBERS = frozenset("conflict rank short line cost cost_once".split())


def nature(breach: Breach) -> str:
    """What a shortage is one of: what physically is there, headroom that policy keeps, or a rule."""
    if breach.policy_only:
        return "headroom"
    return "physical" if breach.rule in RULES and RULES[breach.rule].physical else "rule"


def scenario_names(found: Infeasible) -> list[str]:
    """A name for each relaxation, in order: its rank and what it does."""
    return [
        f"{rank}-{re.sub(r'[^a-z0-9]+', '-', one.way.text.lower()).strip('-')[:40].strip('-')}"
        for rank, one in enumerate(found.relaxations, 1)
    ]


def relaxed_scenarios(found: Infeasible) -> dict[str, Changes]:
    """Every change that was verified, as scenarios by name."""
    named = zip(scenario_names(found), found.relaxations, strict=True)
    scenarios: dict[str, Changes] = {name: one.changes for name, one in named}
    if found.combined is not None:
        scenarios[COMBINED] = found.combined.changes
    return scenarios


def model_of(model: Model, scenarios: Mapping[str, Changes]) -> str:
    """A model file: the model that was solved, with these scenarios."""
    content = {key: value for key, value in model.to_json().items() if value is not None and key != "scenarios"}
    content["scenarios"] = all_of_them = upon(model, scenarios)
    comment = "# Each scenario below is a change with which there is a plan: "
    comment += "capplan solve INVENTORY -m THIS --scenario NAME"
    if OWN in all_of_them:
        comment += f"\n# {OWN} is what was asked for, upon which each of them is stacked."
    return f"{comment}\n{written_out(content)}"


def write_infeasible(folder: Path, found: Infeasible) -> Path:
    """Write the tables and the scenarios into a run's folder of explanations, in place of what was there."""
    target = folder / FOLDER
    with partial_folder(folder) as partial:
        for name, rows in infeasible_rows(found).items():
            write_table(partial, name, COLUMNS[name], rows)
        scenarios = relaxed_scenarios(found)
        if scenarios:
            (partial / RELAXATIONS).write_text(model_of(found.problem.model, scenarios), "utf-8")
        # What an earlier replacement left aside when it was killed would stand in the way of this one.
        shutil.rmtree(aside(target), ignore_errors=True)
        publish_over(partial, target)
    return target


def write_table(folder: Path, name: str, columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> None:
    """Write one table as a run's tables are written: whole or not at all."""
    cells = [[str(row.get(column, "")) for column in columns] for row in rows]
    target = folder / f"{name}.csv"
    partial = folder / f".{target.name}.partial"
    try:
        write_csv(partial, columns, cells, frozenset(columns) - NUMBERS)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def infeasible_rows(found: Infeasible) -> dict[str, list[dict[str, object]]]:
    """The rows of the tables, figures as text."""
    return {
        "shortages": [
            *(_total(found.problem, total) for total in found.totals),
            *(_shortage(found.problem, breach) for breach in found.why.shortages),
        ],
        "conflicts": [
            _member(found.problem, number, conflict, member)
            for number, conflict in enumerate(found.conflicts, 1)
            for member in conflict.members
        ],
        "relaxations": list(_relaxations(found)),
    }


def _total(problem: Problem, total: Total) -> dict[str, object]:
    resource = problem.resources[total.resource]
    return {
        "rule": "capacity",
        "subject": f"all sites {resource.name}",
        "period": problem.periods.text(total.period),
        "short": decimal_text(total.short * resource.step),
        "unit": resource.unit,
        "nature": "headroom" if total.policy_only else "physical",
        "message": total.text(problem),
        **_at(None),
    }


def _shortage(problem: Problem, breach: Breach) -> dict[str, object]:
    place = None
    if breach.source is not None:
        table, row, column = breach.source
        place = problem.inventory.table(table).place(row, column)
    return {
        "rule": breach.rule,
        "subject": breach.subject,
        "period": problem.periods.text(breach.period),
        "short": "" if breach.amount is None else decimal_text(breach.amount),
        "unit": breach.unit,
        "nature": nature(breach),
        "message": breach.message,
        **_at(place),
    }


def _at(place: Place | None) -> dict[str, object]:
    return {"file": "", "line": ""} if place is None else {"file": Path(place.file).name, "line": place.line or ""}


def _member(problem: Problem, number: int, conflict: Conflict, member: Member) -> dict[str, object]:
    return {
        "conflict": number,
        "minimal": "yes" if conflict.minimal else "not proved",
        "kind": member.kind,
        "rule": member.rule,
        "workloads": ";".join(problem.workloads.ids[w] for w in member.workloads),
        "says": member.text,
        **_at(member.place),
    }


def _relaxations(found: Infeasible) -> Iterator[dict[str, object]]:
    names = scenario_names(found)
    for rank, (name, one) in enumerate(zip(names, found.relaxations, strict=True), 1):
        least = "" if one.least is None else "yes" if one.least else "not proved"
        yield {"rank": rank, "scenario": name, "least": least, **_way(found.problem, one.way)}


def _way(problem: Problem, way: Way) -> dict[str, object]:
    return {
        "kind": way.kind,
        "change": way.text,
        "cost": _money(problem, way.pence),
        "cost_once": _money(problem, way.once),
        "physical": "yes" if way.physical else "no",
    }


def _money(problem: Problem, pence: Fraction | None) -> str:
    return "" if pence is None else decimal_text(pence / problem.inventory.currency.pence_per_unit, 2)


def infeasible_json(found: Infeasible) -> dict[str, Any]:
    """The explanation as plain data."""
    problem, rows = found.problem, infeasible_rows(found)
    scenarios = relaxed_scenarios(found)
    relaxations = [row | {"changes": scenarios[str(row["scenario"])]} for row in rows["relaxations"]]
    together = None
    if found.combined is not None:
        texts = [way.text for way in found.combined.ways]
        together = {"scenario": COMBINED, "says": texts, "changes": scenarios[COMBINED]}
    gone = None if found.without is None else [problem.workloads.ids[w] for w in left_out(found.without)]
    ids = problem.workloads.ids
    homeless = {
        ids[w]: [{"site": problem.sites.ids[s], "rule": no.rule, "reason": printable(no.reason)} for s, no in obstacles]
        for w, obstacles in found.why.homeless.items()
    }
    return {
        "homeless": homeless,
        "shortages": rows["shortages"],
        "shortage_is_least": found.why.least,
        "conflicts": rows["conflicts"],
        "relaxations": relaxations,
        "together": together,
        "policy_only": found.policy_only,
        "best_plan_leaves_out": gone,
        "best_plan_status": str(found.without_status),
        "not_decided": found.tried.undecided,
        "not_tried": found.tried.untried,
        "seconds": {name: round(value, 2) for name, value in found.seconds.items()},
    }
