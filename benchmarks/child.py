"""One run in a process of its own: ``python -m benchmarks.child TASK FOLDER``. The watching process is ``running``."""

from __future__ import annotations

import importlib
import json
import sys
from dataclasses import asdict
from pathlib import Path

from benchmarks import sets
from benchmarks.memory import own_peak_mb
from benchmarks.task import Reporter, Solve, Task


def solver(name: str) -> Solve:
    """The function behind a solver's name; only what runs is imported, so that memory is its own."""
    found: Solve = importlib.import_module("benchmarks.ours" if name == "capplan" else "benchmarks.peers").solve
    return found


def run(task: Task, folder: Path) -> None:
    """Read, start the clock, solve, tell."""
    solve = solver(task.solver)
    compiled = sets.find(task.set).read(Path(task.folder), task.instance).compile()
    report = Reporter(folder, compiled)
    report.tell("start", clock=report.started, size=compiled.program.size)
    outcome = solve(compiled, task, report)
    report.tell("end", unit=str(compiled.goal.unit), peak_mb=own_peak_mb(), **asdict(outcome))


if __name__ == "__main__":
    run(Task(**json.loads(sys.argv[1])), Path(sys.argv[2]))
