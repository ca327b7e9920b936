"""What a set of problems is: a name, a way to list and read instances, and for each a Program and an evaluator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from capplan.program import LinearGoal, Program
from capplan.units import Ints


@dataclass(frozen=True)
class Score:
    """An assignment measured without the engine. ``broken`` names the first rule that it breaks."""

    feasible: bool
    value: Fraction
    broken: str = ""


@dataclass(frozen=True)
class Compiled:
    """An instance as a Program.

    ``decode`` turns ``x`` int64 [column] into the container of every item in file order, int64 [item] from 0, -1 for
    none. The Program has one linear goal, whose natural value is a value as published. ``start`` int64 [column] is a
    plan that belongs to the problem, such as the present assignment of machine reassignment.
    """

    program: Program
    decode: Callable[[Ints], Ints]
    start: Ints | None = None

    @property
    def goal(self) -> LinearGoal:
        """What is minimised. Raises ValueError unless it is one linear goal."""
        if len(self.program.goals) != 1 or not isinstance(goal := self.program.goals[0], LinearGoal):
            raise ValueError("a benchmark's Program has one linear goal")
        return goal


@dataclass(frozen=True)
class Published:
    """What is known of an instance, if anything: the best published value and a lower bound."""

    value: Fraction | None = None
    bound: Fraction | None = None


class Instance(Protocol):
    """One problem, read."""

    def compile(self) -> Compiled:
        """The problem as a Program."""
        ...

    def evaluate(self, assignment: Ints) -> Score:
        """Measure an assignment, int64 [item], by code that shares nothing with the engine."""
        ...


class ProblemSet(Protocol):
    """A set of problems of one format. Every module of ``benchmarks.sets`` has one, called SET."""

    @property
    def name(self) -> str:
        """What the set is called on the command line."""
        ...

    @property
    def origin(self) -> str:
        """Where its instances come from, for people who have none; empty where they are drawn."""
        ...

    def instances(self, folder: Path) -> list[str]:
        """Names of the instances in a folder, sorted as people would; sets that are drawn ignore the folder."""
        ...

    def read(self, folder: Path, name: str) -> Instance:
        """Read an instance. Raises ValueError for what is not of the format."""
        ...

    def published(self, folder: Path, name: str) -> Published:
        """What the folder says about an instance."""
        ...
