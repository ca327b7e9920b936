"""Figures, dates and lists in words that people read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from fractions import Fraction

from capplan.units import decimal_text, percent_text

MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def grouped(text: str) -> str:
    """A plain decimal with separators of thousands: ``1234.5`` becomes ``1,234.5``."""
    whole, point, rest = text.partition(".")
    sign = "-" if whole.startswith("-") else ""
    digits = whole.removeprefix("-")
    return f"{sign}{int(digits):,}{point}{rest}" if digits.isascii() and digits.isdigit() else text


def figure(value: Fraction | int, places: int = 3) -> str:
    """An amount for people."""
    return grouped(decimal_text(value, places))


def percent(share: Fraction | None) -> str:
    """A share as a percentage with one decimal; blank where there is none."""
    return "" if share is None else percent_text(share, 1)


def counted(number: int, noun: str, plural: str = "") -> str:
    """``1 workload``, ``1,200 workloads``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def joined(words: Sequence[str], most: int = 0, more: str = "more") -> str:
    """``a``, ``a and b``, ``a, b and c``; after ``most`` of them the rest is counted."""
    if most and len(words) > most:
        return f"{', '.join(words[:most])} and {len(words) - most:,} {more}"
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def day(when: date) -> str:
    """``1 Apr 2016``."""
    return f"{when.day} {MONTHS[when.month - 1]} {when.year}"


def span(first: date, last: date) -> str:
    """``1 Apr – 30 Jun 2016``; the year is said once where it is the same."""
    begin = f"{first.day} {MONTHS[first.month - 1]}" if first.year == last.year else day(first)
    return f"{begin} – {day(last)}"


def dates(period: str) -> tuple[date, date] | None:
    """First and last day of a period as tables write it; None where it is none."""
    first, _, last = period.partition("..")
    try:
        return date.fromisoformat(first), date.fromisoformat(last)
    except ValueError:
        return None


def period_text(period: str) -> str:
    """A period of a table in words."""
    found = dates(period)
    return span(*found) if found else period


def periods_text(periods: Iterable[str]) -> str:
    """Several periods: those that follow each other are one span."""
    known = sorted(found for period in set(periods) if (found := dates(period)))
    spans: list[list[date]] = []
    for first, last in known:
        if spans and spans[-1][1] + timedelta(days=1) == first:
            spans[-1][1] = last
        else:
            spans.append([first, last])
    return joined([span(first, last) for first, last in spans])
