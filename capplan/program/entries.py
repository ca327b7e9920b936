"""Coefficients on their way to a Program's limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse as sp

from capplan.program.coefficients import Coefficients
from capplan.program.sparse import sparse
from capplan.units import Ints, Numbers


@dataclass
class _Kind:
    """Coordinates of the coefficients of one kind of column, collected in pieces."""

    row: list[Numbers] = field(default_factory=list)
    index: list[Numbers] = field(default_factory=list)
    value: list[Ints] = field(default_factory=list)

    def add(self, row: Numbers, index: Numbers, value: Ints) -> None:
        self.row.append(row)
        self.index.append(index)
        self.value.append(value)


class Entries:
    """Coefficients of options, facts and purchases, and what options use at the place where they are."""

    def __init__(self) -> None:
        self.options, self.facts, self.purchases = _Kind(), _Kind(), _Kind()
        self._place: Numbers | None = None
        self._slot_rows: list[Ints] = []
        self._slot_needs: list[Ints] = []

    def at_places(self, place: Numbers, row: Ints, need: Ints) -> None:
        """See LimitBlock; ``row`` counts from the Program's first limit."""
        if self._place is not None and place is not self._place:
            raise ValueError("an option is at one place: all limits count it by the same array")
        self._place = place
        self._slot_rows.append(row)
        self._slot_needs.append(need)

    def assembled(self, item: Numbers, limits: int, counts: tuple[int, int, int]) -> Coefficients:
        """Everything as coefficients; ``counts`` of options, facts and purchases."""
        kinds = (self.options, self.facts, self.purchases)
        shifts = (0, counts[0], counts[0] + counts[1])
        empty = np.zeros(0, dtype=np.int64)
        row, value = (
            np.concatenate([empty, *(part for kind in kinds for part in getattr(kind, name))])
            for name in ("row", "value")
        )
        column = np.concatenate(
            [empty, *(part + shift for kind, shift in zip(kinds, shifts, strict=True) for part in kind.index)]
        )
        rest: sp.csr_array[Any, tuple[int, int]] = sparse(row, column, value, (limits, sum(counts)))
        if self._place is None:
            none = np.zeros((0, 0), dtype=np.int64)
            return Coefficients(rest, item, None, none, none)
        rows = np.concatenate(self._slot_rows, axis=1).astype(np.int32)
        return Coefficients(rest, item, self._place, rows, np.concatenate(self._slot_needs, axis=1))


class LimitBlock:
    """Rows just added to a Builder; coefficients are filled in by kind of column.

    ``row`` counts from 0 within the block; several entries for one place add up.
    """

    def __init__(self, entries: Entries, first: int) -> None:
        self._entries = entries
        self._first = first

    def options(self, row: Numbers, option: Numbers, coefficient: Ints) -> None:
        """Add coefficients of options. All [k]."""
        self._entries.options.add(row + self._first, option, coefficient)

    def at_places(self, place: Numbers, row: Ints, need: Ints) -> None:
        """Count what options use by their place: an option of item i at place p adds ``need[i, k]`` to ``row[p, k]``.

        ``place`` int32 [option], -1 none, is the same array in every call on a Builder. ``row`` int64 [place, slot],
        -1: counts in none; ``need`` int64 [item, slot], none negative.
        """
        self._entries.at_places(place, np.where(row < 0, row, row + self._first), need)

    def facts(self, row: Numbers, fact: Numbers, coefficient: Ints) -> None:
        """Add coefficients of facts. All [k]."""
        self._entries.facts.add(row + self._first, fact, coefficient)

    def purchases(self, row: Numbers, purchase: Numbers, coefficient: Ints) -> None:
        """Add coefficients of purchases (negative: the purchase widens the limit). All [k]."""
        self._entries.purchases.add(row + self._first, purchase, coefficient)
