"""Sums of money over the columns of a Program."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from capplan.program.statements import Charge, Form
from capplan.units import Ints


class Purse:
    """Pence by column, added up as charges come in: all those for which ``counts`` holds.

    ``placed`` int64 [option], ``facts`` and ``purchases`` by index, ``constant`` paid in any case.
    """

    def __init__(self, counts: Callable[[Charge], bool], options: int) -> None:
        self._counts = counts
        self.placed: Ints = np.zeros(options, dtype=np.int64)
        self.facts: dict[int, int] = {}
        self.purchases: dict[int, int] = {}
        self.constant = 0

    def add(self, charge: Charge) -> None:
        """Take a charge in, where it counts."""
        if not self._counts(charge):
            return
        if charge.on == "option":
            np.add.at(self.placed, charge.index, charge.amounts)
        elif charge.on == "always":
            self.constant += int(charge.amounts.sum())
        else:
            target = self.facts if charge.on == "fact" else self.purchases
            for index, pence in zip(charge.index.tolist(), charge.amounts.tolist(), strict=True):
                target[index] = target.get(index, 0) + pence

    def form(self, unit: Fraction) -> Form:
        """The sum as a linear form; a penny is ``unit``."""
        return Form(self.placed, self.facts, self.purchases, self.constant, unit)
