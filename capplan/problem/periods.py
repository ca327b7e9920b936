"""Periods of the horizon, and exact growth over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

import numpy as np

from capplan.units import Bools, Ints

FIRST_DAY = date.min.toordinal()
LAST_DAY = date.max.toordinal()
YEAR_DAYS = 365


@dataclass(frozen=True)
class Periods:
    """Consecutive half-open periods as day ordinals. ``start``, ``end`` int64 [period]."""

    start: Ints
    end: Ints

    @staticmethod
    def of(spans: Sequence[tuple[date, date]] | None, as_of: date) -> Periods:
        """The periods of a model, or the year from ``as_of``."""
        spans = spans or ((as_of, as_of + timedelta(days=YEAR_DAYS)),)
        ordinals = np.array([(a.toordinal(), b.toordinal()) for a, b in spans], dtype=np.int64)
        return Periods(ordinals[:, 0], ordinals[:, 1])

    def __len__(self) -> int:
        return len(self.start)

    @property
    def days(self) -> Ints:
        """Length of each period. int64 [period]."""
        return self.end - self.start

    @property
    def horizon_days(self) -> int:
        """Days from the first period's start to the last one's end."""
        return int(self.end[-1] - self.start[0])

    def overlap(self, start: Ints, end: Ints) -> Ints:
        """Days that ``[start, end)`` int64 [row] shares with each period. int64 [row, period]."""
        first = np.maximum(start[:, None], self.start[None, :])
        last = np.minimum(end[:, None], self.end[None, :])
        return np.asarray(np.maximum(0, last - first), dtype=np.int64)

    def covered(self, start: Ints, end: Ints) -> Bools:
        """Whether ``[start, end)`` spans each whole period. bool [row, period]."""
        return np.asarray((start[:, None] <= self.start[None, :]) & (end[:, None] >= self.end[None, :]))

    def text(self, period: int) -> str:
        """A period as people read it, last day included: ``2016-04-01..2016-06-30``."""
        if period < 0:
            return ""
        first, last = int(self.start[period]), int(self.end[period]) - 1
        return f"{date.fromordinal(first)}..{date.fromordinal(last)}"

    def number(self, text: str) -> int:
        """The period that ``text`` names, as written by ``text``; -1 where none does."""
        names = [self.text(t) for t in range(len(self))]
        return names.index(text) if text in names else -1

    def share_of_year(self, period: int) -> Fraction:
        """Days of the period ÷ 365."""
        return Fraction(int(self.days[period]), YEAR_DAYS)


def growth_factor(rate: Fraction, as_of: date, day: date) -> Fraction:
    """Growth from ``as_of`` to ``day``: whole years compound, remaining days pro rata; 1 before ``as_of``."""
    if day <= as_of:
        return Fraction(1)
    years = day.year - as_of.year
    if _anniversary(as_of, years) > day:
        years -= 1
    rest = (day - _anniversary(as_of, years)).days
    return (1 + rate) ** years * (1 + rate * Fraction(rest, YEAR_DAYS))


def _anniversary(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February in a common year
        return day.replace(year=day.year + years, day=28)
