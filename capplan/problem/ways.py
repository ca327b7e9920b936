"""Changes that could be tried: one scenario each, and the figures whose size is to be found out.

Rules say what could ask for less of what they ask for. Nothing here says that a change helps: each is tried, and only
what was verified is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal, TypeAlias

from capplan.problem.problem import Problem
from capplan.program import LimitName, Program

Changes = Mapping[str, Any]
"""A scenario as it stands in a model file: ``set``, ``remove`` and any key of the model."""


Kind: TypeAlias = Literal[
    "purchase",
    "licence",
    "date",
    "workload",
    "site",
    "rule option",
    "moves",
    "least use",
    "capacity",
    "headroom",
    "budget",
    "leave out",
    "rule off",
]
"""What a change is about. A rule takes what fits; ``rule option`` fits any setting in the model."""

INTRUSION: Mapping[Kind, int] = {
    "purchase": 0,
    "licence": 0,
    "date": 1,
    "workload": 1,
    "site": 1,
    "rule option": 1,
    "moves": 1,
    "least use": 1,
    "capacity": 2,
    "headroom": 2,
    "budget": 2,
    "leave out": 3,
    "rule off": 4,
}
"""How much a change intrudes: what is only bought comes first, what nobody asked for any more last."""


@dataclass(frozen=True)
class Way:
    """One change to try. ``kind`` groups ways of like weight, ``changes`` is the scenario, ``text`` says it in words.

    ``pence`` a year and ``once`` are what is known of its price. ``share`` is its size relative to what is there.
    ``figure`` names what it raises or lowers: of two ways with the same one the smaller does where both do.
    """

    kind: Kind
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

    ``weight`` maps each limit that it widens to how much a unit of it does, or at least does where it is not ``exact``.
    ``key`` tells figures apart; ``way`` is the change by so many units, of which ``unit`` are one that people count in.
    """

    key: tuple[str, ...]
    weight: Mapping[int, int]
    way: Callable[[int], Way] = field(compare=False)
    exact: bool = True
    unit: int = 1


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
