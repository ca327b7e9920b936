"""What a goal is: something to make as small as possible, one file each, found by discovery like the rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from capplan.problem import Options, Problem
from capplan.program import Builder, Form, WorstGoal
from capplan.units import Ints, Numbers


class Goal:
    """One goal. ``unit`` is what its value is read in (``""`` for a count, ``money`` for the currency)."""

    name: ClassVar[str]
    summary: ClassVar[str]
    unit: ClassVar[str] = ""
    linear: ClassVar[bool] = True

    def forms(self, problem: Problem, options: Options, builder: Builder) -> Sequence[Form]:
        """The goal as linear forms; several are met in this order (most important first)."""
        raise NotImplementedError

    def worst(self, problem: Problem, options: Options, builder: Builder) -> WorstGoal:
        """The goal as a greatest ratio, for goals that are not linear."""
        raise NotImplementedError


def counted(options: Options, option: Numbers, amount: Ints | int = 1) -> Ints:
    """Amounts summed per option. ``option`` [k]; returns int64 [option]."""
    total = np.zeros(len(options), dtype=np.int64)
    np.add.at(total, option, amount)
    return total
