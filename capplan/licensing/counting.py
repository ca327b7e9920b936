"""One licence in one period: the rows that need it, and the sums that it must cover."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil

import numpy as np

from capplan.licensing.groups import Groups
from capplan.licensing.scope import Rows, figure, rows_of
from capplan.problem import Options, Problem
from capplan.program import Builder, LimitBlock, PurchaseName
from capplan.program.statements import NO_PERIOD, ROUNDING
from capplan.units import Ints

NAMELESS = PurchaseName("", -1, NO_PERIOD, "")


@dataclass
class Need:
    """One sum that a licence must cover. ``most``: no plan needs more of it."""

    label: str = ""
    most: int = 0
    options: list[tuple[Ints, Ints]] = field(default_factory=list)
    facts: list[tuple[Ints, Ints]] = field(default_factory=list)
    derived: list[tuple[int, int]] = field(default_factory=list)

    def fill(self, block: LimitBlock) -> None:
        """Enter the sum into a block of one limit."""
        for entries, add in ((self.options, block.options), (self.facts, block.facts)):
            for index, number in entries:
                add(np.zeros(len(index), dtype=np.int64), index, number)
        if self.derived:
            index, number = np.array(self.derived, dtype=np.int64).T
            block.purchases(np.zeros_like(index), index, number)


@dataclass(frozen=True)
class Counting:
    """One licence in one period. ``rows`` are the placed rows that need it."""

    problem: Problem
    options: Options
    builder: Builder
    licence: int
    t: int
    rows: Rows

    @staticmethod
    def of(problem: Problem, options: Options, builder: Builder, licence: int, t: int) -> Counting:
        """With the rows that are active then."""
        rows = rows_of(problem, options, licence).active(problem, options, t)
        return Counting(problem, options, builder, licence, t, rows)

    @property
    def metric(self) -> str:
        """How the licence is counted."""
        return self.problem.inventory.table("licences").text("metric")[self.licence]

    def figure(self, name: str, default: int | Fraction = 0) -> Fraction:
        """A figure of the licence's terms."""
        return figure(self.problem, self.licence, name, self.t, default)

    def whole(self, name: str, default: int = 0) -> int:
        """A figure that is a whole number."""
        return ceil(self.figure(name, default))

    @property
    def option(self) -> Ints:
        """The option of each row. int64 [k]."""
        return np.asarray(self.options.option[self.rows.row], dtype=np.int64)

    @property
    def workload(self) -> Ints:
        """The workload of each row. int64 [k]."""
        return np.asarray(self.options.workload[self.rows.row], dtype=np.int64)

    @property
    def group(self) -> Ints:
        """The host group of each row. int64 [k]."""
        row = self.rows.row
        return Groups.of(self.problem).of_rows(self.options.workload[row], self.options.site[row])

    def derived(self, most: int) -> int:
        """A whole amount of at most ``most`` that its limits make as small as they allow."""
        return self.builder.purchase(NAMELESS, most, derived=True)

    def at_least(self, derived: int, times: int, parts: list[tuple[str, Ints, Ints]], bound: int = 0) -> None:
        """``Σ parts − times × derived ≤ bound``. Each part is a kind of column, its index and its number."""
        block = self.builder.limits([ROUNDING], np.array([bound], dtype=np.int64))
        for kind, index, number in parts:
            getattr(block, kind)(np.zeros(len(index), dtype=np.int64), index, number)
        one = np.ones(1, dtype=np.int64)
        block.purchases(one * 0, one * derived, one * -times)
