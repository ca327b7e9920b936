"""What stands in the cells of a world, and the days of its plan."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from math import floor
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tests.worlds import World

Row = Mapping[str, str]

YEAR = 365


class Period(NamedTuple):
    """A half-open stretch of days."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """Number of days, never negative."""
        return max(0, (self.end - self.start).days)

    def both(self, other: Period) -> Period:
        """The part that two stretches have in common; it may be empty."""
        return Period(max(self.start, other.start), min(self.end, other.end))


# --- cells ----------------------------------------------------------------------------------------


def cell(row: Row, column: str, default: str = "") -> str:
    """The text of a cell, or the default where it is blank."""
    return row.get(column, "").strip() or default


def number(row: Row, column: str, default: str = "0") -> Fraction:
    """The exact number in a cell."""
    return Fraction(cell(row, column, default))


def names(row: Row, column: str) -> list[str]:
    """The members of a list in a cell."""
    return [part.strip() for part in cell(row, column).split(";") if part.strip()]


def lifetime(row: Row) -> Period:
    """The days from ``from`` up to, and not including, ``to``."""
    return Period(
        date.fromisoformat(cell(row, "from", "0001-01-01")), date.fromisoformat(cell(row, "to", "9999-12-31"))
    )


def share(text: str) -> Fraction:
    """The fraction in ``20%`` or ``0.2``."""
    return Fraction(text[:-1]) / 100 if text.endswith("%") else Fraction(text)


def half_up(value: Fraction) -> int:
    """The nearest whole number, halves upwards."""
    return floor(value + Fraction(1, 2))


# --- time -----------------------------------------------------------------------------------------


def periods(world: World) -> list[Period]:
    """The planning periods; one of 365 days from the inventory's date where the model names none."""
    given = world.model.get("periods")
    if given is None:
        start = date.fromisoformat(world.inventory["as_of"])
        return [Period(start, start + timedelta(YEAR))]
    if "cuts" in given:
        cuts = [date.fromisoformat(cut) for cut in given["cuts"]]
    else:
        start = date.fromisoformat(given["from"])
        months = {"month": 1, "quarter": 3, "year": 12}[given["every"]]
        cuts = [_months_after(start, months * n) for n in range(int(given["count"]) + 1)]
    return [Period(*pair) for pair in pairwise(cuts)]


def _months_after(start: date, months: int) -> date:
    years, month = divmod(start.month - 1 + months, 12)
    return date(start.year + years, month + 1, start.day)


def growth_factor(rate: Fraction, as_of: date, day: date) -> Fraction:
    """Whole years since `as_of` compound, the remaining days count pro rata; nothing has grown before it."""
    if day <= as_of:
        return Fraction(1)
    years = day.year - as_of.year - ((day.month, day.day) < (as_of.month, as_of.day))
    rest = (day - as_of.replace(year=as_of.year + years)).days
    return (1 + rate) ** years * (1 + rate * Fraction(rest, YEAR))


def largest_growth(rate: Fraction, as_of: date, period: Period) -> Fraction:
    """The larger of the factors on the first and on the last day of a period."""
    return max(growth_factor(rate, as_of, day) for day in (period.start, period.end - timedelta(1)))
