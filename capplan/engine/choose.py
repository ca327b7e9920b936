"""Which engine a Program is given to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias, get_args

from capplan.engine.exact import solve_exact
from capplan.engine.result import Limits, Result, Watch
from capplan.program import Program, WorstGoal
from capplan.units import Ints

Engine: TypeAlias = Literal["auto", "exact", "large"]
ENGINES: tuple[str, ...] = get_args(Engine)

EXACT_MOST = 3_000
"""Options up to which the exact engine proves most Programs as a whole."""

Solver: TypeAlias = Callable[[Program, Limits, Watch, Ints | None], Result]


def chosen(program: Program, engine: str = "auto") -> str:
    """The engine that ``auto`` means for this Program, else the one asked for.

    Goals that are a greatest ratio are met by the exact engine alone.
    """
    if any(isinstance(goal, WorstGoal) for goal in program.goals) or not program.goals:
        return "exact"
    if engine != "auto":
        return engine
    return "exact" if program.options <= EXACT_MOST else "large"


def solve_program(
    program: Program, limits: Limits, watch: Watch, start: Ints | None = None, engine: str = "auto"
) -> Result:
    """Solve a Program by the engine that fits its size, or by the one named. ``start`` int64 [column] is a plan."""
    if chosen(program, engine) == "exact":
        return solve_exact(program, limits, watch, start)
    # Compiled loops take a moment to load, which small Programs should not pay.
    from capplan.engine.large import solve_large  # noqa: PLC0415

    return solve_large(program, limits, watch, start)
