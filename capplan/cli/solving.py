"""``capplan solve``."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from capplan.cli.command import Exit
from capplan.cli.faults import complain
from capplan.cli.infeasible_text import infeasible_text
from capplan.cli.interruption import beside, stopping
from capplan.cli.progress import Latest, shown
from capplan.cli.summary import Summary, summary_text
from capplan.cli.terminal import Terminal
from capplan.cli.without_plan import unknown_text
from capplan.engine import Status, Stopped, Watch
from capplan.explain.case import Case
from capplan.explain.infeasible import Infeasible, explain_infeasible
from capplan.explain.written import write_infeasible
from capplan.model import override
from capplan.model.adhoc import Asked
from capplan.runs import check_folder, read_run, write_run
from capplan.solving import Result
from capplan.solving import solve as solve_task
from capplan.tasks import Task, files_named, read_task


@dataclass(frozen=True)
class Wanted:
    """What the command line asked for."""

    inventory: Path
    model: str | None
    scenario: str | None
    output: Path | None
    time_limit_s: Decimal | None
    gap: Fraction | None
    seed: int | None
    workers: int | None
    start: Path | None
    pin: Path | None
    engine: str
    asked: Asked = field(default_factory=Asked)


def solve(terminal: Terminal, wanted: Wanted, *, as_json: bool) -> int:
    """Read, solve, save, print. Returns the exit code."""
    check_folder(wanted.output)
    files = files_named(wanted.start, wanted.pin)
    task = read_task(wanted.inventory, wanted.model, wanted.scenario, files, wanted.asked)
    model = override(task.model, wanted.time_limit_s, wanted.gap, wanted.seed, wanted.workers)
    task = replace(task, model=model)
    complain(terminal, task.warnings)
    latest = Latest()
    watch = Watch(latest)
    with stopping(terminal, watch.stop) as stop_again:
        with shown(terminal, watch, latest) as tick:
            result, why = beside(lambda: _explained(task, watch, wanted, latest), tick, stop_again)
        text = result_text(result, task) if why is None else infeasible_text(why)
        folder = _save(wanted, task, result, text)
        if why is not None:
            write_infeasible(folder, why)
    if as_json:
        terminal.say_json({**read_run(folder).info, "run": str(folder)})
    else:
        terminal.page(f"{text}\n")
        terminal.say(str(folder))
    return _exit_code(result)


def _explained(task: Task, watch: Watch, wanted: Wanted, latest: Latest) -> tuple[Result, Infeasible | None]:
    """What a solve came to, and where there is no plan, why: as long again as half the time limit."""
    result = _solved(task, watch, wanted.engine)
    if result.explanation is None:
        return result, None
    seconds = float(task.model.solver.time_limit_s) / 2
    case = Case.of(result.problem, wanted.inventory, seconds, watch, latest.say)
    return result, explain_infeasible(case, result.explanation)


def _solved(task: Task, watch: Watch, engine: str) -> Result:
    given = task.given.keep
    return solve_task(task.inventory, task.model, watch, start=task.start, keep=given, engine=engine)


def result_text(result: Result, task: Task) -> str:
    """What a solve came to, in words."""
    if result.measured is None:
        return unknown_text(result)
    return summary_text(Summary.of(result, task.warnings, task.start))


def _save(wanted: Wanted, task: Task, result: Result, text: str) -> Path:
    return write_run(
        result,
        task.inventory,
        task.model,
        wanted.output,
        title=task.inventory.title,
        command=sys.argv[1:],
        warnings=task.warnings,
        now=datetime.now().astimezone(),
        explanation_text=text if result.measured is None else "",
        given=task.given,
    )


def _exit_code(result: Result) -> Exit:
    if result.stopped_because is Stopped.INTERRUPTED:
        return Exit.INTERRUPTED
    ends = {Status.INFEASIBLE: Exit.INFEASIBLE, Status.UNKNOWN: Exit.NO_PLAN}
    return ends.get(result.status, Exit.DONE)
