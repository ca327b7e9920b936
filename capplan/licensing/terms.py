"""Figures of vendors' terms: dated, with their sources, and open to be overridden.

A figure holds from its date until a later row for the same figure. A row of the inventory wins over every shipped row
of the same figure: who has another contract says so in ``licence_terms.csv``.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cache
from pathlib import Path

FILE = Path(__file__).resolve().parent / "terms.csv"


@dataclass(frozen=True)
class Figure:
    """One row: ``value`` holds from the day ``start`` (proleptic ordinal); ``source`` is the document that says so."""

    terms: str
    figure: str
    start: int
    value: Fraction
    source: str = ""


@dataclass(frozen=True)
class Terms:
    """Figures by terms and name, each in order of date."""

    figures: Mapping[tuple[str, str], tuple[Figure, ...]]

    @staticmethod
    def of(figures: Iterable[Figure]) -> Terms:
        """Terms from rows in any order."""
        found: dict[tuple[str, str], list[Figure]] = {}
        for figure in figures:
            found.setdefault((figure.terms, figure.figure), []).append(figure)
        return Terms({key: tuple(sorted(rows, key=lambda row: row.start)) for key, rows in found.items()})

    def overridden(self, own: Iterable[Figure]) -> Terms:
        """These terms with figures of the user's own, each in place of every shipped row of that figure."""
        return Terms({**self.figures, **Terms.of(own).figures})

    def value(self, terms: str, figure: str, day: int, default: int | Fraction) -> Fraction:
        """The figure that holds on a day; ``default`` where the terms say nothing of it then."""
        held = self._held(terms, figure, day)
        return Fraction(default) if held is None else held.value

    def source(self, terms: str, figure: str, day: int) -> str:
        """The document that gives the figure that holds on a day, as far as its row says: what precedes a colon."""
        held = self._held(terms, figure, day)
        return "" if held is None else held.source.partition(":")[0].strip()

    def _held(self, terms: str, figure: str, day: int) -> Figure | None:
        held = [row for row in self.figures.get((terms, figure), ()) if row.start <= day]
        return held[-1] if held else None

    def named(self) -> set[str]:
        """The names of terms."""
        return {terms for terms, _ in self.figures}

    def factors(self, terms: str, day: int) -> dict[str, Fraction]:
        """Core factors by kind of processor."""
        known = [name for key, name in self.figures if key == terms and name.startswith("factor_")]
        return {name.removeprefix("factor_"): self.value(terms, name, day, 1) for name in known}


@cache
def shipped_terms() -> Terms:
    """The figures that come with capplan."""
    with FILE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return Terms.of(
        Figure(row["terms"], row["figure"], _day(row["from"]), Fraction(row["value"]), row["source"]) for row in rows
    )


def _day(text: str) -> int:
    """The day that a figure holds from; a figure without one always has."""
    return date.fromisoformat(text).toordinal() if text else date.min.toordinal()
