"""``capplan explain``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from capplan.checking import check as check_allocation
from capplan.cli.command import Exit
from capplan.cli.explained_text import alternatives_text, placement_text, sensitivity_text, worth_text
from capplan.cli.faults import complain
from capplan.cli.infeasible_text import infeasible_text
from capplan.cli.interruption import beside, stopping
from capplan.cli.progress import Latest, shown
from capplan.cli.terminal import FORMAT_VERSION, Terminal
from capplan.compile import problem_of
from capplan.engine import Status, Watch
from capplan.errors import Faults, UsageError, did_you_mean
from capplan.explain.case import Case
from capplan.explain.infeasible import explain_infeasible
from capplan.explain.placement import explain_placement
from capplan.explain.tables import (
    alternatives_rows,
    placement_json,
    placement_rows,
    sensitivity_rows,
    worth_rows,
    write_rows,
)
from capplan.explain.variants import alternatives, described, sensitivity, worth
from capplan.explain.written import infeasible_json, write_infeasible
from capplan.inventory import Table, read_allocation, read_purchases
from capplan.measure import Measured, measure
from capplan.problem import Problem
from capplan.runs import is_run, read_run
from capplan.runs.read import TABLES_COPIED
from capplan.tasks import read_task


@dataclass(frozen=True)
class Asked:
    """What the command line asked for."""

    subject: Path
    workload: str | None
    at: str | None
    allocation: Path | None
    purchases: Path | None
    model: str | None
    scenario: str | None
    rules: bool
    within: Fraction | None
    seconds: float


@dataclass(frozen=True)
class _Subject:
    """What is explained: a plan, where there is one; ``run`` is a run's folder, ``proved`` that no plan is better."""

    problem: Problem
    tables: Path
    plan: Measured | None
    run: Path | None
    status: str
    proved: bool


def explain(terminal: Terminal, asked: Asked, *, as_json: bool) -> int:
    """Explain a run, or an allocation of an inventory."""
    faults = Faults()
    subject = _run(asked, faults) if is_run(asked.subject) else _inventory(asked, faults)
    faults.raise_errors()
    complain(terminal, faults.sorted())
    watch, latest = Watch(), Latest()
    case = Case.of(subject.problem, subject.tables, asked.seconds, watch, latest.say)
    said = "Stopping; what is known so far is kept. Again to abort."
    with stopping(terminal, watch.stop, said) as stop_again, shown(terminal, watch, latest) as tick:
        text, data = beside(lambda: _explained(case, subject, asked), tick, stop_again)
    if watch.stopped:
        terminal.note("Interrupted: this is what was known until then.")
    if as_json:
        terminal.say_json({"format_version": FORMAT_VERSION, **data})
    else:
        terminal.page(text)
    return Exit.INTERRUPTED if watch.stopped else Exit.DONE


def _explained(case: Case, subject: _Subject, asked: Asked) -> tuple[str, dict[str, Any]]:
    if asked.workload is None and asked.at is not None:
        raise UsageError("--at asks about a workload; name one: capplan explain RUN WORKLOAD --at SITE")
    if subject.plan is None:
        return _without_plan(case, subject)
    if asked.workload is not None:
        return _placement(case, subject, subject.plan, asked)
    if asked.rules:
        found = list(sensitivity(case, subject.plan, proved=subject.proved))
        rows = sensitivity_rows(found)
        _save(subject, "sensitivity", rows)
        return sensitivity_text(subject.plan, found), {"sensitivity": rows}
    if asked.within is not None:
        others = list(alternatives(case, subject.plan, asked.within))
        rows = alternatives_rows(described(subject.plan), others)
        _save(subject, "alternatives", rows)
        return alternatives_text(described(subject.plan), others, asked.within), {"alternatives": rows}
    values = list(worth(case, subject.plan, proved=subject.proved))
    rows = worth_rows(subject.problem, values)
    _save(subject, "worth", rows)
    return worth_text(subject.plan, values), {"worth": rows}


def _without_plan(case: Case, subject: _Subject) -> tuple[str, dict[str, Any]]:
    found = explain_infeasible(case, proved=subject.status == Status.INFEASIBLE)
    if subject.run is not None:
        write_infeasible(subject.run, found)
    return infeasible_text(found), infeasible_json(found)


def _placement(case: Case, subject: _Subject, plan: Measured, asked: Asked) -> tuple[str, dict[str, Any]]:
    workload = _named(subject.problem.workloads, asked.workload or "", "workload")
    at = None if asked.at is None else _named(subject.problem.sites, asked.at, "site")
    found = explain_placement(case, plan, workload, at)
    _save(subject, "placement", placement_rows(found))
    return placement_text(found), placement_json(found)


def _named(table: Table, name: str, what: str) -> int:
    row = table.find(name)
    if row < 0:
        raise UsageError(f'no {what} is named "{name}"; {did_you_mean(name, table.ids, f"see {table.name}.csv")}')
    return row


def _save(subject: _Subject, name: str, rows: Sequence[dict[str, object]]) -> None:
    if subject.run is not None:
        write_rows(subject.run, name, rows)


def _run(asked: Asked, faults: Faults) -> _Subject:
    run = read_run(asked.subject)
    if asked.model is not None or asked.scenario is not None:
        raise UsageError("a run is explained under its own model; explain the inventory with -m or --scenario instead")
    faults.extend(run.altered())
    problem, tables = run.problem(), run.folder / TABLES_COPIED
    if asked.allocation is not None:
        bought = run.folder / "purchases.csv" if "purchases" in run.tables else None
        return _Subject(problem, tables, _by_hand(asked, problem, faults, bought), run.folder, "", False)
    found = run.plan()
    plan = None if found is None else measure(problem, found)
    status = str(run.info["status"])
    return _Subject(problem, tables, plan, run.folder, status, status == Status.OPTIMAL)


def _inventory(asked: Asked, faults: Faults) -> _Subject:
    task = read_task(asked.subject, asked.model, asked.scenario)
    faults.extend(task.warnings)
    if asked.allocation is None:
        checked = check_allocation(task.inventory, task.model)
        return _Subject(checked.problem, asked.subject, checked.measured, None, "", False)
    problem = problem_of(task.inventory, task.model)
    return _Subject(problem, asked.subject, _by_hand(asked, problem, faults, None), None, "", False)


def _by_hand(asked: Asked, problem: Problem, faults: Faults, bought: Path | None) -> Measured:
    """An allocation made by hand, measured with the purchases beside it."""
    allocation = read_allocation(asked.allocation or Path(), problem.inventory, faults)
    path = asked.purchases or bought
    purchases = () if path is None else read_purchases(path, problem.inventory, faults)
    faults.raise_errors()
    return check_allocation(problem.inventory, problem.model, allocation, purchases, keep=problem.keep).measured
