"""Engines: they know Programs, and nothing of kilowatts."""

from capplan.engine.choose import ENGINES, chosen, solve_program
from capplan.engine.exact import solve_exact
from capplan.engine.result import GoalValue, Limits, Progress, Result, Status, Stopped, Watch
from capplan.engine.shortage import Shortage, smallest_shortage

__all__ = [
    "ENGINES",
    "GoalValue",
    "Limits",
    "Progress",
    "Result",
    "Shortage",
    "Status",
    "Stopped",
    "Watch",
    "chosen",
    "smallest_shortage",
    "solve_exact",
    "solve_program",
]
