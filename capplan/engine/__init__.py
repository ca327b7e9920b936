"""Engines: they know Programs, and nothing of kilowatts."""

from capplan.engine.choose import ENGINES, chosen, solve_program
from capplan.engine.conflict import Kept, Questions, fewest, only
from capplan.engine.exact import solve_exact
from capplan.engine.prices import prices
from capplan.engine.proof import Proof, impossible, proofs
from capplan.engine.repair import repaired
from capplan.engine.result import GoalValue, Limits, Progress, Result, Status, Stopped, Watch
from capplan.engine.shortage import Shortage, smallest_shortage
from capplan.engine.widening import Widening, least_widening

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
    "only",
    "prices",
    "proofs",
    "repaired",
    "smallest_shortage",
    "solve_exact",
    "solve_program",
]
