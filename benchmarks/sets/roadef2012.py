"""Machine reassignment, the ROADEF/EURO challenge 2012 (Google): read and compiled by ``benchmarks.roadef``.

Files ``model_X.txt`` and ``assignment_X.sol``; the instance is called X.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from benchmarks.files import best_values, natural
from benchmarks.interface import Compiled, Published, Score
from capplan.units import Ints

PREFIX = "model_"


@dataclass(frozen=True)
class Reassignment:
    """An instance with the module that knows it."""

    roadef: Any
    instance: Any

    def compile(self) -> Compiled:
        """The initial assignment belongs to the problem and is every solver's start."""
        program, decode = self.roadef.program(self.instance)
        return Compiled(program, decode, start=self.roadef.start(self.instance, program))

    def evaluate(self, assignment: Ints) -> Score:
        """By the challenge's rules."""
        feasible, cost, broken = self.roadef.evaluate(self.instance, assignment)
        return Score(bool(feasible), Fraction(int(cost)), "; ".join(broken))


class Reassignments:
    """The set."""

    name = "roadef2012"
    origin = (
        "machine reassignment of the ROADEF/EURO challenge 2012 (apache/incubator-kie-optaplanner, machinereassignment)"
    )

    def instances(self, folder: Path) -> list[str]:
        """Every X of a ``model_X.txt`` or ``model_X.txt.gz``, with its path below the folder."""
        found = set()
        for file in folder.rglob(PREFIX + "*"):
            plain = file.name.removesuffix(".gz")
            if plain.endswith(".txt"):
                below = file.relative_to(folder).with_name(plain.removeprefix(PREFIX).removesuffix(".txt"))
                found.add(below.as_posix())
        return sorted(found, key=natural)

    def read(self, folder: Path, name: str) -> Reassignment:
        """Read an instance and its initial assignment."""
        try:
            roadef = importlib.import_module("benchmarks.roadef")
        except ModuleNotFoundError as missing:
            raise ValueError("this version has no reader of roadef2012") from missing
        place = folder / name
        return Reassignment(roadef, roadef.read(place.parent, place.name))

    def published(self, folder: Path, name: str) -> Published:
        """From ``best.csv`` in the folder."""
        file = folder / "best.csv"
        return best_values(file).get(name, Published()) if file.is_file() else Published()


SET = Reassignments()
