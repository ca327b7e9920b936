"""One change to try: a scenario, what it says in words, and what is known of its size and price."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from capplan.explain.case import Changes


@dataclass(frozen=True)
class Way:
    """One change to try. ``kind`` groups ways of like weight, ``changes`` is the scenario, ``text`` says it in words.

    ``pence`` a year and ``once`` are what is known of its price. ``share`` is its size relative to what is there.
    """

    kind: str
    text: str
    changes: Changes
    pence: Fraction | None = None
    once: Fraction | None = None
    share: Fraction = Fraction(0)
    physical: bool = False


def set_cell(name: str, key: str, column: str, text: str) -> Changes:
    """A scenario that sets one cell."""
    return {"set": {f"{name}.{key}.{column}": text}}
