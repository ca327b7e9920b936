"""capplan's own engine on a Program."""

from __future__ import annotations

from fractions import Fraction

from benchmarks.interface import Compiled
from benchmarks.task import THREADS, Outcome, Reporter, Task
from capplan.engine import Limits, Progress, Watch, solve_program


def solve(compiled: Compiled, task: Task, report: Reporter) -> Outcome:
    """Let the engine search by the clock."""
    best: list[Fraction] = []

    def follow(progress: Progress) -> None:
        if progress.best is not None and (not best or progress.best < best[-1]):
            best.append(progress.best)
            report.better()

    limits = Limits(task.time_limit, seed=task.seed, workers=THREADS, deterministic=False)
    watch = Watch(report=follow)
    found = solve_program(compiled.program, limits, watch, start=compiled.start, engine=task.engine)
    if found.x is not None:
        if not best:
            report.better()
        report.plan(found.x)
    goal = found.goals[0] if found.goals else None
    bound, value = ("", "") if goal is None else (str(goal.bound), str(goal.value))
    note = str(found.stopped_because) if str(found.status) == "unknown" else ""
    return Outcome(str(found.status), bound, value if found.x is not None else "", note)
