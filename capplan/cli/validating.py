"""``capplan validate``."""

from __future__ import annotations

from pathlib import Path

from capplan.cli.command import Exit
from capplan.cli.faults import FaultFormat, complain, count_text, faults_text
from capplan.cli.terminal import Terminal, counted
from capplan.errors import Faults, printable
from capplan.model.adhoc import Asked
from capplan.tasks import Task, read_faulty


def validate(
    terminal: Terminal,
    folder: Path,
    names: tuple[str | None, str | None],
    *,
    strict: bool,
    how: FaultFormat,
    asked: Asked | None = None,
) -> int:
    """Tell every fault of an inventory and its model; with ``strict`` warnings are errors.

    ``names`` are those of model and scenario; where neither a scenario nor changes are ``asked`` for, all are tried.
    """
    faults, (model, scenario) = Faults(), names
    task = read_faulty(folder, model, scenario, faults, asked=asked)
    if scenario is None and not asked:
        for name in task.model.scenarios:
            _validate_scenario(folder, model, name, faults)
    if strict:
        faults.promote_warnings()
    found = faults.sorted()
    if how is not FaultFormat.TEXT:
        text = faults_text(found, how)
        if text:
            terminal.say(text)
    else:
        complain(terminal, found)
        if not faults.has_errors:
            terminal.say(printable(f"{folder}: {_summary(task)}; {count_text(found) or 'no mistakes'}"))
    return Exit.FINDINGS if faults.has_errors else Exit.DONE


def _validate_scenario(folder: Path, model: str | None, scenario: str, faults: Faults) -> None:
    """Faults that only show when a scenario of the model is chosen."""
    known, further = set(faults.kept), Faults()
    read_faulty(folder, model, scenario, further)
    faults.extend(fault for fault in further.kept if fault not in known)


def _summary(task: Task) -> str:
    tables = task.inventory.tables.values()
    sizes = ", ".join(counted(len(table), _noun(table.name), _plural(table.name)) for table in tables if len(table))
    scenario = f", scenario {task.model.scenario}" if task.model.scenario else ""
    return f"{task.inventory.title}, model {task.model.title or task.model.name}{scenario}: {sizes}"


def _plural(table: str) -> str:
    return {"allocation": "rows of allocation"}.get(table, table.replace("_", " "))


def _noun(table: str) -> str:
    return {"allocation": "row of allocation"}.get(table, _plural(table).removesuffix("s"))
