"""Coefficients of a Program's limits: what follows from item and place alone is held per item, not per option."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from capplan.program.sparse import sparse
from capplan.units import AT_ONCE, Floats, Ints, Numbers


@dataclass(frozen=True)
class Coefficients:
    """The coefficient of every column in every limit.

    ``rest`` int64 sparse [limit, column] holds the explicit ones. Factored ones are added to them where ``place`` int32
    [option] is not None: an option of item i with place p ≥ 0 uses ``need[i, k]`` of every slot k, which counts in
    limit ``row[p, k]`` (-1: in none). ``row`` int32 [place, slot]; ``need`` int64 [item, slot], none negative; ``item``
    [option] is that of the Program. Facts and purchases have explicit coefficients only.
    """

    rest: sp.csr_array
    item: Numbers
    place: Numbers | None
    row: Numbers
    need: Ints

    @property
    def shape(self) -> tuple[int, int]:
        """Number of limits, and of columns."""
        limits, columns = self.rest.shape
        return int(limits), int(columns)

    def __matmul__(self, x: Ints) -> Ints:
        """The left-hand side of every limit at ``x`` int64 [column]. int64 [limit]."""
        used = np.array(self.rest @ x, dtype=np.int64)
        if self.place is None:
            return used
        at_places = np.zeros(self.row.shape, dtype=np.int64)
        for part in self._parts():
            taken = np.flatnonzero((x[part] != 0) & (self.place[part] >= 0)) + part.start
            if len(taken):
                ends = self.place[taken], self.item[taken]
                times: Any = sp.csr_array((x[taken], ends), shape=(len(self.row), len(self.need)))
                at_places += times @ self.need
        counts = self.row >= 0
        np.add.at(used, self.row[counts], at_places[counts])
        return used

    def of_rows(self, rows: Ints) -> sp.csr_array:
        """Some limits written out. ``rows`` int64 [k]; returns int64 sparse [k, column]."""
        explicit: Any = self.rest
        if self.place is None or not len(rows):
            return explicit[rows]  # type: ignore[no-any-return]  # stubs do not know what an index gives
        different, at = np.unique(rows, return_inverse=True)
        number = np.full(self.shape[0] + 1, -1, dtype=np.int64)
        number[different] = np.arange(len(different))
        # A row or place of -1 finds the last entry of a table: one more that stands for none.
        chosen = number[self.row]
        touched = np.append((chosen >= 0).any(axis=1), np.False_)
        pieces = []
        for part in self._parts():
            options = np.flatnonzero(touched[self.place[part]]) + part.start
            row, which, value = self._factored(options, chosen)
            pieces.append((row, options[which], value))
        return _sum(explicit[different], pieces)[at]

    def of_columns(self, columns: Ints) -> sp.csr_array:
        """Some columns written out. ``columns`` int64 [k]; returns int64 sparse [limit, k]."""
        explicit: Any = self.rest[:, columns]
        which = np.flatnonzero(columns < len(self.item))
        if self.place is None or not len(which):
            return explicit  # type: ignore[no-any-return]  # as above
        row, at, value = self._factored(columns[which], self.row)
        return _sum(explicit, [(row, which[at], value)])

    def tocsr(self) -> sp.csr_array:
        """Every coefficient written out, int64 sparse [limit, column]: for small Programs."""
        if self.place is None:
            return self.rest
        return _sum(self.rest, [self._factored(np.arange(len(self.item)), self.row)])

    def magnitude(self, upper: Ints) -> Floats:
        """No left-hand side is further from 0 than this. float64 [limit].

        ``upper`` int64 [k]: the most of each of the last k columns; all others are at most 1. The factored part counts
        every item at every place.
        """
        entries = self.rest.tocoo()
        purchase = entries.col - (self.shape[1] - len(upper))
        most = np.append(upper.astype(np.float64), 1.0)[np.where(purchase >= 0, purchase, -1)]
        total: Any = np.bincount(entries.row, np.abs(entries.data.astype(np.float64)) * most, self.shape[0])
        counts = self.row >= 0
        every = np.broadcast_to(self.need.astype(np.float64).sum(axis=0), self.row.shape)
        np.add.at(total, self.row[counts], every[counts])
        return total  # type: ignore[no-any-return]  # as above

    def _parts(self) -> Iterator[slice]:
        for first in range(0, len(self.item), AT_ONCE):
            yield slice(first, min(first + AT_ONCE, len(self.item)))

    def _factored(self, options: Ints, row: Numbers) -> tuple[Ints, Ints, Ints]:
        """Factored coefficients of ``options`` int64 [k] in the limits that ``row`` [place, slot] numbers.

        Returns limit, position in ``options`` and coefficient, int64 [n] each.
        """
        assert self.place is not None
        here = np.flatnonzero(self.place[options] >= 0)
        limit = row[self.place[options[here]]]
        value = self.need[self.item[options[here]]]
        which, slot = np.nonzero((limit >= 0) & (value != 0))
        return limit[which, slot].astype(np.int64), here[which], value[which, slot]


def _sum(explicit: sp.csr_array, pieces: list[tuple[Ints, Ints, Ints]]) -> sp.csr_array:
    """A matrix plus (row, column, value) entries, in canonical form."""
    first = explicit.tocoo()
    row, column, value = (
        np.concatenate(parts) for parts in zip((first.row, first.col, first.data), *pieces, strict=True)
    )
    return sparse(row, column, value, explicit.shape)
