"""``capplan show`` and ``capplan runs``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

from capplan.cli.faults import complain
from capplan.cli.summary import START, TODAY, Summary, summary_text
from capplan.cli.terminal import FORMAT_VERSION, Terminal, aligned
from capplan.engine import Status, Stopped
from capplan.measure import measure, today_of
from capplan.runs import Run, RunInfo, list_runs, read_run
from capplan.solving import Reached
from capplan.tables import tables_of
from capplan.units import Currency, percent_text

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?|unlimited")
EXPLANATION = "explanation.txt"


def show(terminal: Terminal, folder: Path, table: str | None, *, as_json: bool) -> int:
    """Print a run's summary or one of its tables."""
    run = read_run(folder)
    complain(terminal, run.altered())
    if table is not None:
        _show_table(terminal, run, table, as_json=as_json)
    elif as_json:
        terminal.say_json({**run.info, "run": str(folder)})
    else:
        terminal.page(_summary(run))
    return 0


def _summary(run: Run) -> str:
    plan = run.plan()
    if plan is None:
        path = run.folder / EXPLANATION
        return path.read_text("utf-8").rstrip("\n") if path.is_file() else f"No plan: {run.info['status']}."
    problem, info, start = run.problem(), run.info, run.start()
    measured, today = measure(problem, plan), today_of(problem, start)
    return summary_text(
        Summary(
            measured,
            today,
            Status(info["status"]),
            Stopped(info["stopped_because"]),
            tuple(_goal(goal) for goal in info["goals"]),
            {table.name: table for table in tables_of(measured, today)},
            [_warning(fault) for fault in info["warnings"]],
            START if start is not None else TODAY,
        )
    )


def _goal(entry: dict[str, Any]) -> Reached:
    return Reached(entry["goal"], entry["reads"], Fraction(str(entry["value"])), Fraction(str(entry["bound"])))


def _warning(fault: dict[str, Any]) -> str:
    place = ":".join(str(fault[part]) for part in ("file", "line", "column") if fault[part])
    fix = f"; {fault['fix']}" if fault["fix"] else ""
    return f"{place}: {fault['severity']}[{fault['code']}]: {fault['message']}{fix}"


def _show_table(terminal: Terminal, run: Run, name: str, *, as_json: bool) -> None:
    rows = run.table(name)
    if as_json:
        terminal.say_json({"format_version": FORMAT_VERSION, "table": name, "rows": rows})
        return
    terminal.say(table_text(rows) if rows else f"(no rows in {name})")


def table_text(rows: Sequence[dict[str, str]]) -> str:
    """Rows as aligned text, numbers to the right; columns in which nothing is written are left out."""
    columns = [column for column in rows[0] if any(row[column] for row in rows)]
    body = [[row[column] for column in columns] for row in rows]
    numeric = [all(_NUMBER.fullmatch(row[column]) for row in rows if row[column]) for column in columns]
    return "\n".join(aligned(columns, body, lambda i: numeric[i], indent=""))


def runs(terminal: Terminal, folder: Path, *, as_json: bool) -> int:
    """Print the runs in a folder."""
    found = list_runs(folder)
    if as_json:
        terminal.say_json({"format_version": FORMAT_VERSION, "runs": [asdict(run) for run in found]})
    elif found:
        terminal.say(table_text([_run_row(run) for run in found]))
    else:
        terminal.note(f"no runs in {folder}; capplan solve writes them")
    return 0


def _run_row(run: RunInfo) -> dict[str, str]:
    currency = Currency(run.currency)
    pence = None if run.cost is None else Fraction(str(run.cost)) * currency.pence_per_unit
    return {
        "run": str(run.folder),
        "started": run.started,
        "status": f"cannot be read: {run.broken}" if run.broken else run.status,
        "gap": "" if run.gap is None else percent_text(Fraction(str(run.gap))),
        "cost": "" if pence is None else currency.text(pence),
        "title": run.title,
        "scenario": run.scenario or "",
    }
