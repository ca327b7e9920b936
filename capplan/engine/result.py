"""What an engine is given and what it returns."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from capplan.units import Ints


class Status(StrEnum):
    """How a solve ended. Infeasible and unknown are results, not errors."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"
    INFEASIBLE = "infeasible"
    UNKNOWN = "unknown"


class Stopped(StrEnum):
    """Why a solve ended."""

    PROVED = "proved"
    GAP = "gap reached"
    TIME = "time limit"
    EFFORT = "effort limit"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Limits:
    """How long to search. ``gap`` is a share of the value; ``deterministic`` counts effort instead of seconds."""

    time_limit_s: float = 60.0
    gap: Fraction = Fraction(0)
    seed: int = 1
    workers: int = 2
    deterministic: bool = True


@dataclass(frozen=True)
class GoalValue:
    """One goal of a plan: its integer (or exact ratio) and a proven lower bound in the same unit.

    Bounds hold given the values reached by the goals before; ``proved`` says that value equals bound.
    """

    name: str
    value: int | Fraction
    bound: int | Fraction

    @property
    def proved(self) -> bool:
        """Whether no plan with equally good earlier goals is better."""
        return self.value <= self.bound


@dataclass(frozen=True)
class Progress:
    """One line of progress: the goal being met, its best value and bound so far, seconds since the start."""

    goal: str
    best: Fraction | None
    bound: Fraction | None
    seconds: float


@dataclass
class Watch:
    """Lets a caller follow a solve and stop it from another thread."""

    report: Callable[[Progress], None] = lambda progress: None
    started: float = field(default_factory=time.monotonic)
    _stop: threading.Event = field(default_factory=threading.Event)
    _stopper: Callable[[], None] | None = None

    def stop(self) -> None:
        """Ask the engine to return the best plan so far."""
        self._stop.set()
        self.end_solver()

    def end_solver(self) -> None:
        """End the solver that runs now, but not the search that it is a part of."""
        stopper = self._stopper
        if stopper:
            stopper()

    @property
    def stopped(self) -> bool:
        """Whether somebody asked to stop."""
        return self._stop.is_set()

    @property
    def seconds(self) -> float:
        """Seconds since the solve began."""
        return time.monotonic() - self.started

    def on_stop(self, stopper: Callable[[], None] | None) -> None:
        """What ``stop`` calls while a solver runs."""
        self._stopper = stopper
        if stopper and self.stopped:
            stopper()


@dataclass(frozen=True)
class Result:
    """What an engine found. ``x`` int64 [column] is None where there is no plan, never an empty plan.

    ``ties`` counts the leading digits of the tie-break that are proved smallest; ``trace`` holds (seconds, goal,
    best, bound) whenever something improved.
    """

    status: Status
    x: Ints | None
    goals: tuple[GoalValue, ...]
    stopped_because: Stopped
    ties: int = 0
    trace: tuple[Progress, ...] = ()
