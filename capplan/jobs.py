"""One planning job from files to a saved run, as a task that any process can do."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from capplan.engine import Status, Stopped
from capplan.errors import BadInput, Fault, Faults
from capplan.load import inventory_files
from capplan.model import Model, override
from capplan.model.adhoc import Asked
from capplan.runs import SOURCES, expected_inputs, is_run, read_run, versions, write_run
from capplan.solving import Result, solve
from capplan.tasks import Task, chosen_model, read_task

REFUSED = "refused"
"""Status of a job whose input has faults; no run is saved."""


@dataclass(frozen=True)
class Tuning:
    """How to search, where a command line says so."""

    time_limit_s: Decimal | None = None
    gap: Fraction | None = None
    seed: int | None = None
    workers: int | None = None
    engine: str = "auto"

    def of(self, model: Model) -> Model:
        """The model with these settings."""
        return override(model, self.time_limit_s, self.gap, self.seed, self.workers)


@dataclass(frozen=True)
class Job:
    """An inventory to plan under a model, a scenario and ad hoc changes, saved as a run in ``folder``.

    Without ``folder`` the run gets a name of its own under ``runs``.
    ``explain`` says in words why there is no plan; a function of a module, so that another process can call it.
    ``caller`` is the process that waits for the job.
    """

    inventory: Path
    model: str | None
    folder: Path | None
    scenario: str | None = None
    asked: Asked = field(default_factory=Asked)
    tuning: Tuning = field(default_factory=Tuning)
    command: tuple[str, ...] = ()
    explain: Callable[[Result], str] | None = None
    caller: int = field(default_factory=os.getpid)


@dataclass(frozen=True)
class Done:
    """What a job came to: its run and status, or the faults for which it was refused. ``reused`` was there before."""

    folder: Path | None
    status: str
    seconds: float = 0.0
    faults: tuple[Fault, ...] = ()
    reused: bool = False


def do(job: Job) -> Done:
    """Read, solve and save; faults of the input are a result."""
    if os.getpid() != job.caller:
        # Ctrl-C reaches every process of a terminal; the caller decides what becomes of this one.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    began = time.monotonic()
    try:
        task = read_task(job.inventory, job.model, job.scenario, asked=job.asked)
    except BadInput as error:
        return Done(job.folder, REFUSED, time.monotonic() - began, error.faults)
    model = job.tuning.of(task.model)
    result = solve(task.inventory, model, engine=job.tuning.engine)
    folder = _save(job, task, model, result)
    return Done(folder, str(result.status), time.monotonic() - began)


def _save(job: Job, task: Task, model: Model, result: Result) -> Path:
    explained = job.explain is not None and result.status in (Status.INFEASIBLE, Status.UNKNOWN)
    return write_run(
        result,
        task.inventory,
        model,
        job.folder,
        title=task.inventory.title,
        command=job.command,
        warnings=task.warnings,
        now=datetime.now().astimezone(),
        explanation_text=job.explain(result) if explained and job.explain is not None else "",
        given=task.given,
    )


def done_before(job: Job) -> Done | None:
    """The run that the job would save, if it is there already: same inputs, same model, not cut short."""
    if job.folder is None or not is_run(job.folder):
        return None
    faults, run = Faults(), read_run(job.folder)
    model = chosen_model(job.inventory, job.model, job.scenario, faults, job.asked)
    told = run.info
    if faults.has_errors or told["stopped_because"] == Stopped.INTERRUPTED or told["versions"] != versions():
        return None
    wanted = expected_inputs(inventory_files(job.inventory), job.tuning.of(model))
    if _that_count(wanted) != _that_count(told["input_hashes"]):
        return None
    return Done(job.folder, told["status"], 0.0, (), reused=True)


def _that_count(hashes: Mapping[str, str]) -> dict[str, str]:
    """Hashes without those of the model's sources: what counts of these is the model as resolved."""
    return {name: value for name, value in hashes.items() if not name.startswith(f"{SOURCES}/")}
