"""The tables of a run, as INTERFACE names them: columns in fixed order, rows sorted, cells as text.

Nothing here decides anything: every figure is read off a measured plan.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

import numpy as np

from capplan.account_tables import COLUMNS as ACCOUNT_COLUMNS
from capplan.account_tables import NUMBERS as ACCOUNT_NUMBERS
from capplan.account_tables import account_rows
from capplan.accounts import shares
from capplan.measure import Measured
from capplan.obstacles import why_not
from capplan.problem import NOWHERE, Problem
from capplan.problem.periods import FIRST_DAY, LAST_DAY
from capplan.program.statements import LimitName
from capplan.rules import RULES
from capplan.units import Ints, decimal_text, round_half_up, texts_of


@dataclass(frozen=True)
class Output:
    """One table of a run: its columns, which of them hold text, and its rows as cells."""

    name: str
    columns: tuple[str, ...]
    text: frozenset[str]
    rows: list[list[str]]


COLUMNS: Mapping[str, tuple[str, ...]] = {
    "sites": ("site", "period", "resource", "unit", "capacity", "usable", "used", "free", "utilisation", "used_today"),
    "limits": ("rule", "subject", "period", "unit", "limit", "used", "slack", "binding", "state", "used_today"),
    "left_out": ("workload", "value", "reason"),
    "lost": ("site", "period", "workload", "carried_by"),
    "purchases": ("purchase", "site", "period", "steps", "gives", "cost", "cost_once"),
    "licences": ("licence", "scope", "period", "need", "owned", "bought", "spare", "cost", "runs_out", "why"),
    "links": ("link", "check", "status", "measured", "limit", "unit", "path", "note"),
    "costs": ("organisation", "site", "period", "kind", "amount"),
    **ACCOUNT_COLUMNS,
}
"""Columns of the tables that are the same for every inventory."""

INTEGERS = frozenset("steps need owned bought spare users population customers".split())
BOOLEANS = frozenset({"moved", "binding"})
DATES = frozenset({"from", "to"})
"""Columns that hold whole numbers, yes or no, days."""

NEARLY_FULL = Fraction(95, 100)
"""Share of what is usable from which a site is called nearly full."""

NUMBERS = frozenset(
    "capacity usable used free utilisation limit slack value steps cost cost_once need owned bought spare amount "
    "rtt_ms max_rtt_ms used_today measured".split()
).union(ACCOUNT_NUMBERS)
"""Columns that hold numbers; every other one is text and written so that Excel takes it for nothing else."""


def tables_of(measured: Measured, today: Measured | None = None) -> list[Output]:
    """Every table of a plan's run, with what was used and paid ``today`` where that is known."""
    from_rules = _from_rules(measured)
    if today is not None:
        _beside(from_rules.get("sites", []), _from_rules(today).get("sites", []))
    return [
        allocation(measured),
        _table("sites", sorted(from_rules.get("sites", []), key=_site_order(measured.problem))),
        _table("limits", _limits(measured, today)),
        _table("left_out", _left_out(measured)),
        _table("lost", from_rules.get("lost", [])),
        _table("purchases", _purchases(measured)),
        _table("licences", from_rules.get("licences", [])),
        _table("links", from_rules.get("links", [])),
        _table("costs", _costs(measured)),
        *(_table(name, rows) for name, rows in account_rows(measured, today).items()),
    ]


def _from_rules(measured: Measured) -> dict[str, list[Mapping[str, object]]]:
    """What the rules tell of a plan, by table."""
    found: dict[str, list[Mapping[str, object]]] = {}
    for name in measured.problem.rules:
        made = RULES[name].tables(measured.problem, measured.options, measured.program, measured.values)
        for table, rows in made.items():
            found.setdefault(table, []).extend(rows)
    return found


def _beside(rows: list[Mapping[str, object]], today: Sequence[Mapping[str, object]]) -> None:
    """Put what is used today beside what the plan uses."""
    used = {(row["site"], row["period"], row["resource"]): row["used"] for row in today}
    rows[:] = [{**row, "used_today": used.get((row["site"], row["period"], row["resource"]), "")} for row in rows]


def _table(name: str, rows: list[Mapping[str, object]]) -> Output:
    columns = COLUMNS[name]
    cells = [[str(row.get(column, "")) for column in columns] for row in rows]
    return Output(name, columns, frozenset(columns) - NUMBERS, cells)


def _site_order(problem: Problem) -> Callable[[Mapping[str, object]], tuple[str, str, int]]:
    resources = {resource.name: r for r, resource in enumerate(problem.resources)}
    return lambda row: (str(row["site"]), str(row["period"]), resources[str(row["resource"])])


def allocation(measured: Measured) -> Output:
    """``allocation.csv``: one row per workload in id order."""
    problem, options = measured.problem, measured.options
    resources = [resource.name for resource in problem.resources]
    columns = (
        *"workload name organisation service site status current_site moved replica_of".split(),
        *"from to rtt_ms max_rtt_ms".split(),
        *resources,
        "cost",
        "note",
    )
    table, sites, count = problem.workloads, problem.sites.ids, len(problem.workloads)
    organisations = problem.inventory.table("organisations").ids
    site, now = measured.plan.site.tolist(), problem.inventory.current_site.tolist()
    cost, demand = _cost_by_workload(measured), _placed_demand(measured)
    cells: dict[str, list[str]] = {
        "workload": table.ids,
        "organisation": [organisations[o] for o in table.refs("organisation").tolist()],
        "site": [sites[s] if s != NOWHERE else "" for s in site],
        "status": ["placed" if s != NOWHERE else "left_out" for s in site],
        "current_site": [sites[n] if n >= 0 else "" for n in now],
        "replica_of": [table.ids[p] if p >= 0 else "" for p in problem.primary.tolist()],
        "moved": ["yes" if n >= 0 and s not in (NOWHERE, n) else "no" for s, n in zip(site, now, strict=True)],
        "cost": [problem.inventory.currency.decimal(pence) for pence in cost],
    }
    for r, resource in enumerate(problem.resources):
        cells[resource.name] = texts_of(demand[:, r], resource.step)
    for column, texts in _placement_columns(measured).items():
        cells[column] = [""] * count
        for w, text in zip(options.workload.tolist(), texts, strict=True):
            cells[column][w] = text
    cells |= _written(problem)
    blank = [""] * count
    rows = [list(row) for row in zip(*(cells.get(column, blank) for column in columns), strict=True)]
    return Output("allocation", columns, frozenset(columns) - NUMBERS - set(resources), rows)


def _written(problem: Problem) -> dict[str, list[str]]:
    """Columns of workloads.csv that are carried over as written."""
    table = problem.workloads
    columns = {column: table.text(column) for column in ("name", "service")}
    for column, blank in (("from", FIRST_DAY), ("to", LAST_DAY)):
        days = table.dates(column, blank).tolist()
        columns[column] = ["" if day == blank else date.fromordinal(day).isoformat() for day in days]
    return columns


def _placement_columns(measured: Measured) -> dict[str, list[str]]:
    """What rules say of each placed row; notes of several rules are joined."""
    found: dict[str, list[str]] = {}
    for name in measured.problem.rules:
        columns = RULES[name].placement_columns(measured.problem, measured.options)
        for column, texts in columns.items():
            known = found.get(column, [""] * len(texts))
            found[column] = ["; ".join(filter(None, pair)) for pair in zip(known, texts, strict=True)]
    return found


def _placed_demand(measured: Measured) -> Ints:
    """Largest demand of each workload over the periods, where it is placed. int64 [workload, resource]."""
    problem, options = measured.problem, measured.options
    demand = problem.demand.max(axis=2, initial=0)
    for r in range(len(problem.resources)):
        demand[options.workload, r] = problem.demand_at(options.workload, options.site, r).max(axis=1, initial=0)
    return np.asarray(demand)


def _cost_by_workload(measured: Measured) -> list[int]:
    """Pence that each workload costs by itself, shared cost apart."""
    total = [0] * len(measured.problem.workloads)
    for entry in measured.entries:
        if entry.workload >= 0:
            total[entry.workload] += entry.pence
    return total


def _limits(measured: Measured, today: Measured | None) -> list[Mapping[str, object]]:
    """``limits.csv``: every limit, most important rule and subject first in name order."""
    problem, before = measured.problem, _used_today(today)
    states = {
        (rule, *key): state
        for rule in problem.rules
        for key, state in RULES[rule].limit_states(problem, measured.options).items()
    }
    rows = []
    for row, name in enumerate(measured.program.limit_names):
        if not name.rule:
            continue
        have, used = int(measured.available[row]), int(measured.used[row])
        slack = have - used
        rows.append(
            {
                "rule": name.rule,
                "subject": name.subject,
                "period": problem.periods.text(name.period),
                "unit": name.unit,
                "limit": _natural(have, name),
                "used": _natural(used, name),
                "slack": _natural(slack, name),
                "binding": "yes" if slack <= 0 else "no",
                "state": states.get((name.rule, name.subject, name.period), "normal"),
                "used_today": before.get((name.rule, name.subject, name.period), ""),
            }
        )
    return sorted(rows, key=lambda row: (row["rule"], row["subject"], row["period"]))


def _used_today(today: Measured | None) -> dict[tuple[str, str, int], str]:
    """What is used today of each limit, by rule, subject and period."""
    if today is None:
        return {}
    names = today.program.limit_names
    return {(n.rule, n.subject, n.period): _natural(int(today.used[i]), n) for i, n in enumerate(names) if n.rule}


def _natural(value: int, name: LimitName) -> str:
    return decimal_text(value * name.per_unit)


def _left_out(measured: Measured) -> list[Mapping[str, object]]:
    problem = measured.problem
    values = problem.workloads.decimals("value")
    gone = np.flatnonzero(measured.plan.site == NOWHERE).tolist()
    reasons = why_not(measured, gone)
    return [
        {
            "workload": problem.workloads.ids[w],
            "value": decimal_text(values.fraction(w)) if values.given[w] else "",
            "reason": "; ".join(reasons[w]),
        }
        for w in gone
    ]


def _purchases(measured: Measured) -> list[Mapping[str, object]]:
    """``purchases.csv``: what is bought, decided or derived, with its money over the horizon."""
    problem, program = measured.problem, measured.program
    steps = measured.values.x[program.options + program.facts :].tolist()
    money = _money_by_purchase(measured, steps)
    currency = problem.inventory.currency
    rows = [
        {
            "purchase": name.purchase,
            "site": problem.sites.ids[name.site] if name.site >= 0 else "",
            "period": problem.periods.text(name.period),
            "steps": steps[p],
            "gives": name.gives,
            "cost": currency.decimal(money[p, False]),
            "cost_once": currency.decimal(money[p, True]),
        }
        for p, name in enumerate(program.purchases.names)
        if steps[p] and name.purchase
    ]
    return sorted(rows, key=lambda row: (row["purchase"], row["site"], row["period"]))


def _money_by_purchase(measured: Measured, steps: Sequence[int]) -> dict[tuple[int, bool], int]:
    """Pence that each purchase costs over the horizon, yearly and one-off money apart, rounded per period."""
    total: dict[tuple[int, bool], int] = defaultdict(int)
    for price in measured.program.prices:
        total[price.purchase, price.once] += round_half_up(price.amount * steps[price.purchase])
    return total


def _costs(measured: Measured) -> list[Mapping[str, object]]:
    problem = measured.problem
    organisations, currency = problem.inventory.table("organisations").ids, problem.inventory.currency
    rows = [
        {
            "organisation": organisations[share.organisation] if share.organisation >= 0 else "",
            "site": problem.sites.ids[share.site] if share.site >= 0 else "",
            "period": problem.periods.text(share.period),
            "kind": share.kind,
            "amount": currency.decimal(share.pence),
        }
        for share in shares(measured)
    ]
    return sorted(rows, key=lambda row: (row["organisation"], row["site"], row["period"], row["kind"]))
