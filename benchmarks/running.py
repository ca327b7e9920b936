"""Run a task in a fresh process, watch its clock and memory, score its plan here."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.interface import Instance, Published, Score
from benchmarks.memory import Meter
from benchmarks.plans import write_plan
from benchmarks.rows import Row, row_of, solver_label
from benchmarks.task import Task

OVERSHOOT = 0.2
"""A run is killed when it is over its limit by this share, or by LEAST_OVERSHOOT_S."""
LEAST_OVERSHOOT_S = 2.0
LOOK_S = 0.05
READING_S = 900.0
"""Reading an instance, which is not timed, may take this long."""


@dataclass
class Observed:
    """What was seen of a run. Seconds count from the moment at which its instance was read."""

    status: str = "crashed"
    bound: Fraction | None = None
    claimed: Fraction | None = None
    note: str = ""
    unit: Fraction = Fraction(1)
    options: int = 0
    better_at: list[float] = field(default_factory=list)
    seconds: float = 0.0
    peak_mb: float = 0.0
    assignment: np.ndarray[Any, np.dtype[np.int64]] | None = None
    killed: bool = False


def run(task: Task, instance: Instance | None, published: Published, plans: Path | None = None) -> Row:
    """The row of a task. ``instance`` scores its plan, None where it cannot be read; ``plans`` is where it is kept."""
    with tempfile.TemporaryDirectory(prefix="capplan-benchmark-") as name:
        seen = observe(task, Path(name))
    score: Score | None = None
    if seen.assignment is not None and instance is not None:
        score = instance.evaluate(seen.assignment)
        if plans is not None:
            write_plan(plans / task.set / f"{task.instance}.{solver_label(task)}.csv", seen.assignment)
    return row_of(task, seen, score, published)


def command(task: Task, folder: Path) -> list[str]:
    """What is run."""
    return [sys.executable, "-m", "benchmarks.child", task.text(), str(folder)]


def observe(task: Task, folder: Path) -> Observed:
    """Start the run, wait for its end or kill it, and collect what it told."""
    paths = [str(Path(__file__).parents[1]), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    surroundings = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path)}
    with (folder / "output.txt").open("wb") as output:
        process = subprocess.Popen(
            command(task, folder), stdout=output, stderr=subprocess.STDOUT, env=surroundings, start_new_session=True
        )
        try:
            meter, killed = _wait(process, task, folder)
        finally:
            _kill(process)
    seen = Observed(peak_mb=meter.peak_mb, killed=killed)
    _collect(seen, folder)
    if seen.status == "crashed":
        started = _clock(folder)
        seen.seconds = time.monotonic() - started if started else 0.0
        seen.status = "killed" if killed else "crashed"
        seen.note = f"over its limit of {task.time_limit:g} s" if killed else _last_line(folder / "output.txt")
    return seen


def _wait(process: subprocess.Popen[bytes], task: Task, folder: Path) -> tuple[Meter, bool]:
    """Until the process ends or is over its limit; returns whether it was."""
    meter, begun, start, looks = Meter(process.pid), time.monotonic(), None, 0
    allowed = task.time_limit + max(LEAST_OVERSHOOT_S, OVERSHOOT * task.time_limit)
    while _runs(process):
        if looks % 10 == 0:
            meter.look()
        looks += 1
        start = start or _clock(folder)
        now = time.monotonic()
        if now > (start + allowed if start else begun + READING_S) and not _ended(folder):
            return meter, True
        time.sleep(LOOK_S)
    return meter, False


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the process and whatever it started: they have a session, and so a group, of their own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _runs(process: subprocess.Popen[bytes]) -> bool:
    """Whether the process has not ended. It is left to be waited for, so that its group's number stays its own."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


def _events(folder: Path) -> list[dict[str, Any]]:
    try:
        lines = (folder / "events.jsonl").read_text("utf-8").splitlines(keepends=True)
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def _clock(folder: Path) -> float | None:
    """When the run's clock was started, by the clock that all processes share."""
    return next((float(event["clock"]) for event in _events(folder) if event["event"] == "start"), None)


def _ended(folder: Path) -> bool:
    return any(event["event"] == "end" for event in _events(folder))


def _collect(seen: Observed, folder: Path) -> None:
    """Fill in what the run told, as far as it came."""
    for event in _events(folder):
        seen.seconds = event["seconds"]
        if event["event"] == "start":
            seen.options = event.get("size", {}).get("options", 0)
        if event["event"] == "better":
            seen.better_at.append(event["at"])
        if event["event"] == "end":
            seen.status, seen.note, seen.unit = event["status"], event["note"], Fraction(event["unit"])
            seen.bound, seen.claimed = (_exact(event[key], seen.unit) for key in ("bound", "claimed"))
            seen.peak_mb = max(seen.peak_mb, event["peak_mb"])
    if (folder / "plan.npy").exists():
        seen.assignment = np.load(folder / "plan.npy")


def _exact(text: str, unit: Fraction) -> Fraction | None:
    return Fraction(text) * unit if text else None


def _last_line(file: Path) -> str:
    lines = [line.strip() for line in file.read_text("utf-8", errors="replace").splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it said nothing"
