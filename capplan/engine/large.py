"""The engine for large Programs: a bound by prices, a plan by rounding and walking, both improved until time is up.

Goals are met in order. For each: prices give a bound and say which options matter; the linear relaxation over these
sharpens both; a master problem over facts and purchases closes what fractions of them hide and proposes what to open;
each proposal is rounded and walked to a plan; parts of the best plan are then solved again exactly by CP-SAT. Every
plan is evaluated exactly on the whole Program before it counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from capplan.engine.crew import Crew
from capplan.engine.exact import least
from capplan.engine.narrow import with_ceiling
from capplan.engine.result import GoalValue, Limits, Progress, Result, Status, Stopped, Watch
from capplan.engine.stage import Stage
from capplan.executor import Processes, cores
from capplan.program import LinearGoal, Program
from capplan.units import Ints

WORTH_A_PROCESS = 5_000
"""Options from which other processes help."""
LEAST_S_FOR_PROCESSES = 5.0
LATER_SHARE = 0.1
"""Share of the time kept for each goal after the first that needs work."""


def solve_large(program: Program, limits: Limits, watch: Watch, start: Ints | None = None) -> Result:
    """Meet linear goals in order; see ``solve_exact`` for what is given and returned. Ties are not broken."""
    if (np.diff(program.item_start) == 0).any():
        return Result(Status.INFEASIBLE, None, (), Stopped.PROVED)
    goals: Sequence[LinearGoal] = [goal for goal in program.goals if isinstance(goal, LinearGoal)]
    hands = _hands(program, limits)
    crew = Crew(Processes(hands - 1), hands - 1) if hands > 1 else None
    search = _Search(program, limits, watch, crew, start)
    try:
        for number, goal in enumerate(goals):
            search.meet(goal, later=len(goals) - number - 1)
            if search.best is None and search.looked:
                break
            if number + 1 < len(goals):
                search.hold(goal)
    finally:
        if crew is not None:
            crew.end()
    return search.result()


def _hands(program: Program, limits: Limits) -> int:
    """Processes that search, this one included. Small Programs are solved before others have started."""
    if program.options < WORTH_A_PROCESS or limits.time_limit_s < LEAST_S_FOR_PROCESSES:
        return 1
    return limits.workers if limits.deterministic else min(limits.workers, cores())


@dataclass
class _Search:
    program: Program
    limits: Limits
    watch: Watch
    crew: Crew | None = None
    best: Ints | None = None
    goals: list[GoalValue] = field(default_factory=list)
    trace: list[Progress] = field(default_factory=list)
    looked: bool = False
    infeasible: bool = False
    gap_reached: bool = False

    def meet(self, goal: LinearGoal, later: int) -> None:
        """Minimise one goal under the ceilings of those before."""
        if not goal.coefficients.any():
            # Every plan meets it, so the first plan is better looked for with the goals that tell plans apart.
            self.goals.append(GoalValue(goal.name, goal.constant, goal.constant))
            return
        bound = least(self.program, goal)
        if self.best is not None and goal.value(self.best) <= bound:
            self._met(goal, bound)
            return
        left = self.limits.time_limit_s - self.watch.seconds
        # A goal whose least value a first plan already has needs no more than that plan.
        mine = replace(self.limits, time_limit_s=self.watch.seconds + left * (1 - LATER_SHARE) ** later)
        self.looked = True
        stage = Stage(self.program, goal, mine, self.watch, self._heard, self.best, self.crew)
        stage.run(enough=bound)
        self.infeasible |= stage.infeasible
        if stage.best is None:
            return
        self.best = stage.best
        self._met(goal, max(bound, stage.bound + goal.constant))
        self.gap_reached |= not self.goals[-1].proved and stage.gap_reached

    def _met(self, goal: LinearGoal, bound: int) -> None:
        """Note what the best plan reaches."""
        assert self.best is not None
        value = goal.value(self.best)
        self.goals.append(GoalValue(goal.name, value, min(value, bound)))

    def hold(self, goal: LinearGoal) -> None:
        """Have later goals not worsen one, where it tells plans apart."""
        if self.best is not None and goal.coefficients.any():
            self.program = with_ceiling(self.program, goal, goal.value(self.best))

    def _heard(self, goal: LinearGoal, best: int | None, bound: int) -> None:
        natural = None if best is None else goal.natural(best)
        found = Progress(goal.name, natural, goal.natural(bound), self.watch.seconds)
        self.trace.append(found)
        self.watch.report(found)

    def result(self) -> Result:
        trace = tuple(self.trace)
        if self.best is None:
            status = Status.INFEASIBLE if self.infeasible else Status.UNKNOWN
            return Result(status, None, (), Stopped.PROVED if self.infeasible else self._why(), trace=trace)
        proved = all(goal.proved for goal in self.goals)
        stopped = Stopped.PROVED if proved else Stopped.GAP if self.gap_reached else self._why()
        return Result(Status.OPTIMAL if proved else Status.FEASIBLE, self.best, tuple(self.goals), stopped, 0, trace)

    def _why(self) -> Stopped:
        if self.watch.stopped:
            return Stopped.INTERRUPTED
        return Stopped.TIME if self.watch.seconds >= 0.9 * self.limits.time_limit_s else Stopped.EFFORT
