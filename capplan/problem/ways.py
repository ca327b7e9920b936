"""Changes that could be tried: one scenario each, and the figures whose size is to be found out.

Rules say what could ask for less of what they ask for. Nothing here says that a change helps: each is tried, and only
what was verified is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from capplan.problem.problem import Problem
from capplan.program import LimitName, Program

Changes = Mapping[str, Any]
"""A scenario as it stands in a model file: ``set``, ``remove`` and any key of the model."""


@dataclass(frozen=True)
class Way:
    """One change to try. ``kind`` groups ways of like weight, ``changes`` is the scenario, ``text`` says it in words.

    ``pence`` a year and ``once`` are what is known of its price. ``share`` is its size relative to what is there.
    ``figure`` names what it raises or lowers: of two ways with the same one the smaller does where both do.
    """

    kind: str
    text: str
    changes: Changes
    pence: Fraction | None = None
    once: Fraction | None = None
    share: Fraction = Fraction(0)
    physical: bool = False
    figure: tuple[str, ...] = ()


@dataclass(frozen=True)
class Figure:
    """A figure of the user's that could be raised or lowered so that limits hold.

    ``weight`` maps each limit that it widens to how much a unit of it does. ``key`` tells figures apart; ``way`` is the
    change by so many units.
    """

    key: tuple[str, ...]
    weight: Mapping[int, int]
    way: Callable[[int], Way] = field(compare=False)


def set_cell(name: str, key: str, column: str, text: str) -> Changes:
    """A scenario that sets one cell."""
    return {"set": {f"{name}.{key}.{column}": text}}


def blanked(problem: Problem, w: int, column: str, text: str = "") -> Way:
    """A cell of a workload left blank."""
    name = problem.workloads.ids[w]
    changes = set_cell("workloads", name, column, "")
    return Way("workload", text or f"no {column} for {name}", changes, share=Fraction(1, 2))


def out_of_groups(problem: Problem, workloads: Iterable[int], column: str) -> Iterator[Way]:
    """Each of some workloads taken out of the groups that a column names."""
    if not problem.workloads.has(column):
        return
    words = problem.workloads.words(column)
    for w in workloads:
        if words[w]:
            groups = f"the group{'s' * (len(words[w]) > 1)} {', '.join(words[w])}"
            yield blanked(problem, w, column, f"do not keep {problem.workloads.ids[w]} {column} with {groups}")


def rows_where(program: Program, wanted: Callable[[LimitName], bool]) -> list[int]:
    """Limits that people know and whose name is wanted."""
    return [row for row, name in enumerate(program.limit_names) if name.rule and wanted(name)]


def evenly(rows: Sequence[int]) -> dict[int, int]:
    """The same weight for each of some limits."""
    return dict.fromkeys(rows, 1)
