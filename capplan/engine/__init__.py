"""Engines: they know Programs, and nothing of kilowatts."""

from capplan.engine.exact import solve_exact
from capplan.engine.result import GoalValue, Limits, Progress, Result, Status, Stopped, Watch
from capplan.engine.shortage import Shortage, smallest_shortage

__all__ = [
    "GoalValue",
    "Limits",
    "Progress",
    "Result",
    "Shortage",
    "Status",
    "Stopped",
    "Watch",
    "smallest_shortage",
    "solve_exact",
]
