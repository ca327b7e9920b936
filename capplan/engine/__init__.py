"""Engines: they know Programs, and nothing of kilowatts."""

from capplan.engine.choose import ENGINES, chosen, solve_program
from capplan.engine.conflict import Kept, Questions, Widening, fewest, least_widening
from capplan.engine.exact import solve_exact
from capplan.engine.prices import prices
from capplan.engine.proof import Proof, impossible, proofs
from capplan.engine.result import GoalValue, Limits, Progress, Result, Status, Stopped, Watch
from capplan.engine.shortage import Shortage, smallest_shortage

__all__ = [
    "ENGINES",
    "GoalValue",
    "Kept",
    "Limits",
    "Progress",
    "Proof",
    "Questions",
    "Result",
    "Shortage",
    "Status",
    "Stopped",
    "Watch",
    "Widening",
    "chosen",
    "fewest",
    "impossible",
    "least_widening",
    "prices",
    "proofs",
    "smallest_shortage",
    "solve_exact",
    "solve_program",
]
