"""``run.json``: what a run came to, as plain data in a fixed order.

What depends on the clock or the machine stands under ``times`` and ``versions`` alone: all else is the same wherever
the same inputs are solved. Exact figures become JSON numbers, money with the decimals of its currency.
"""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, version
from itertools import groupby
from pathlib import Path
from typing import TypeAlias

import numpy as np

import capplan
from capplan.errors import Fault
from capplan.inventory import Inventory
from capplan.measure import Measured
from capplan.model import Model
from capplan.problem import NOWHERE, Problem
from capplan.problem.periods import YEAR_DAYS
from capplan.runs.beside import PIN, START, START_PURCHASES, Beside
from capplan.solving import Explanation, Reached, Result
from capplan.tables import Output
from capplan.units import round_half_up

FORMAT_VERSION = 1
PACKAGES = ("ortools", "numpy", "pandas", "scipy")

Json: TypeAlias = dict[str, object]


def number(value: Fraction | int) -> int | float:
    """An exact value as a JSON number: whole, or the shortest decimal that is nearest to it."""
    value = Fraction(value)
    return value.numerator if value.denominator == 1 else float(value)


def run_facts(
    result: Result, inventory: Inventory, model: Model, *, title: str, warnings: Sequence[Fault], files: Beside
) -> Json:
    """The content of ``run.json`` but for ``times``, ``versions`` and the hashes of files."""
    problem, plan = result.problem, result.measured
    return {
        "format_version": FORMAT_VERSION,
        "status": str(result.status),
        "stopped_because": str(result.stopped_because),
        "gap": None if result.gap is None else number(result.gap),
        "title": title,
        "inventory": {
            "name": inventory.folder.resolve().name,
            "title": inventory.title,
            "as_of": inventory.as_of.isoformat(),
            "currency": inventory.currency.code,
        },
        "model": {"name": model.name, "title": model.title, "scenario": model.scenario},
        "from": _from(files),
        "pin": _pin(files),
        "headline": None if plan is None else _headline(plan),
        "goals": _goals(result.goals, problem),
        "tie_break": result.tie_break,
        "cost": None if plan is None else _cost(plan),
        "baseline": None if result.today is None else _baseline(result.today, plan),
        "purchases": [] if plan is None else _purchases(result, plan),
        "explanation": None if result.explanation is None else _explanation(problem, result.explanation),
        "periods": _periods(problem),
        "seed": model.solver.seed,
        "parameters": model.solver_json(),
        "engine": {"name": result.engine, **result.size},
        "warnings": [_warning(fault, (*inventory.files, *model.files), files) for fault in warnings],
    }


def _from(files: Beside) -> Json | None:
    """The plan that was started from: what the user named, and the copies."""
    if files.start is None:
        return None
    return {
        "name": files.name,
        "allocation": START,
        "purchases": None if files.purchases is None else START_PURCHASES,
    }


def _pin(files: Beside) -> Json | None:
    return None if files.pin is None else {"name": files.pin.name, "allocation": PIN}


def times(now: datetime, seconds: Mapping[str, float], command: Sequence[str]) -> Json:
    """When and how the run was started, and the seconds each stage took."""
    started = now if now.tzinfo else now.astimezone()
    return {
        "started": started.isoformat(timespec="seconds"),
        "seconds": {stage: round(spent, 3) for stage, spent in seconds.items()},
        "command": list(command),
    }


def versions() -> Json:
    """Versions of capplan and of what decides its results, and the kind of machine."""
    return {
        "capplan": capplan.__version__,
        **{name: _version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}".strip(),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _money(problem: Problem, pence: int) -> int | float:
    return number(Fraction(pence, problem.inventory.currency.pence_per_unit))


def _headline(plan: Measured) -> Json:
    site, now = plan.plan.site, plan.problem.inventory.current_site
    placed = site != NOWHERE
    return {
        "placed": int(placed.sum()),
        "left_out": int((~placed).sum()),
        "moved": int((placed & (now >= 0) & (site != now)).sum()),
        "sites_used": len(np.unique(site[placed])),
    }


def _goals(goals: Sequence[Reached], problem: Problem) -> list[Json]:
    """One entry a goal; one met level by level (by priority) is summed, its levels below it."""
    found: list[Json] = []
    for (name, reads), group in groupby(goals, key=lambda goal: (goal.goal, goal.reads)):
        levels = list(group)
        values, bounds = [goal.value for goal in levels], [goal.bound for goal in levels]
        whole = Reached(name, reads, sum(values, Fraction(0)), sum(bounds, Fraction(0)))
        entry = {"goal": name, "reads": reads, **_reached(whole, problem)}
        if len(levels) > 1:
            entry["levels"] = [_reached(goal, problem) for goal in levels]
        found.append(entry)
    return found


def _reached(goal: Reached, problem: Problem) -> Json:
    """Money to the penny: a bound that is not met is rounded down, so that it remains one."""
    value, bound = goal.value, goal.bound
    if goal.reads == "money":
        pence = problem.inventory.currency.pence_per_unit
        value = Fraction(round_half_up(goal.value * pence), pence)
        bound = value if goal.bound == goal.value else Fraction(goal.bound * pence // 1, pence)
    return {
        "value": number(value),
        "bound": number(bound),
        "gap": number(goal.gap),
        "proved": goal.value == goal.bound,
    }


def _cost(plan: Measured) -> Json:
    days = plan.problem.periods.horizon_days
    return {
        "total": _money(plan.problem, plan.cost),
        "by_kind": _by_kind(plan),
        "horizon_days": days,
        "per_year": _money(plan.problem, round_half_up(Fraction(plan.cost * YEAR_DAYS, days))),
    }


def _by_kind(plan: Measured) -> Json:
    total: Counter[str] = Counter()
    for entry in plan.entries:
        total[entry.kind] += entry.pence
    return {kind: _money(plan.problem, pence) for kind, pence in sorted(total.items())}


def _baseline(today: Measured, plan: Measured | None) -> Json:
    """Today's cost beside the plan's, ``like_for_like`` where both place the same workloads.

    What has no site today breaks no rule by that: it may not exist yet.
    """
    problem = today.problem
    there = today.plan.site != NOWHERE
    placed = there if plan is None else plan.plan.site != NOWHERE
    saving = None if plan is None else today.cost - plan.cost
    broken = [breach for breach in today.breaches if breach.rule != "left_out"]
    return {
        "cost": _money(problem, today.cost),
        "by_kind": _by_kind(today),
        "saving": None if saving is None else _money(problem, saving),
        "saving_share": None if saving is None or not today.cost else number(Fraction(saving, today.cost)),
        "workloads": int(there.sum()),
        "like_for_like": bool((placed == there).all()),
        "broken_rules": [f"{breach.rule}: {breach.subject}: {breach.message}" for breach in broken],
    }


def _purchases(result: Result, plan: Measured) -> list[Json]:
    table = next(table for table in result.tables if table.name == "purchases")
    found: list[Json] = []
    for cells in table.rows:
        row = dict(zip(table.columns, cells, strict=True))
        amounts = {name: number(Fraction(row[name])) for name in ("steps", "cost", "cost_once")}
        found.append({**row, **amounts, "decided": is_decided(plan, row)})
    return found


def is_decided(plan: Measured, row: Mapping[str, str]) -> bool:
    """Whether a row of the purchases was decided, not derived from the rest of the plan."""
    problem = plan.problem
    site = problem.sites.find(row["site"]) if row["site"] else -1
    return (row["purchase"], site, problem.periods.number(row["period"])) in plan.plan.bought


def decided(table: Output, plan: Measured) -> Output:
    """The purchases less those that follow from the plan."""
    rows = [cells for cells in table.rows if is_decided(plan, dict(zip(table.columns, cells, strict=True)))]
    return Output(table.name, table.columns, table.text, rows)


def _explanation(problem: Problem, why: Explanation) -> Json:
    sites, workloads, kept = problem.sites.ids, problem.workloads.ids, problem.keep

    def reason(text: str) -> str:
        # The reason why a workload is kept names the file, whose path differs from machine to machine.
        return text if kept is None else text.replace(f"({kept.file}:", f"({PIN}:")

    return {
        "homeless": [
            {
                "workload": workloads[w],
                "kept_at": None if kept is None or kept.site[w] < 0 else sites[kept.site[w]],
                "sites": [{"site": sites[s], "rule": no.rule, "reason": reason(no.reason)} for s, no in obstacles],
            }
            for w, obstacles in why.homeless.items()
        ],
        "shortages": [
            {
                "rule": breach.rule,
                "subject": breach.subject,
                "period": problem.periods.text(breach.period),
                "unit": breach.unit,
                "short": None if breach.amount is None else number(breach.amount),
                "policy_only": breach.policy_only,
                "message": breach.message,
            }
            for breach in why.shortages
        ],
        "least": why.least,
    }


def _periods(problem: Problem) -> list[Json]:
    """Each period as tables name it, its first day, and the day after its last."""
    spans = zip(problem.periods.start.tolist(), problem.periods.end.tolist(), strict=True)
    return [
        {
            "text": problem.periods.text(t),
            "from": datetime.fromordinal(first).date().isoformat(),
            "to": datetime.fromordinal(end).date().isoformat(),
        }
        for t, (first, end) in enumerate(spans)
    ]


def _warning(fault: Fault, read: Sequence[Path], files: Beside) -> Json:
    """A warning; files are named without the folder they lie in, which differs from machine to machine."""
    known = {str(path): path.name for path in read} | {str(path): name for path, name in files.copies()}
    file = known.get(fault.place.file, fault.place.file)
    if Path(file).is_absolute():
        file = Path(file).name
    return {**fault.to_json(), "file": file}
