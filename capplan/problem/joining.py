"""Many small option tables as one, without holding everything twice."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from capplan.problem.options import Options
from capplan.units import Numbers

LARGEST_CHUNK = 16_000_000
"""Entries of a chunk. 64 MB: given back to the system as soon as it is let go, unlike small pieces of memory."""


class _Column:
    """An int32 array that grows: chunks, each twice the one before, up to LARGEST_CHUNK."""

    def __init__(self) -> None:
        self._full: list[Numbers] = []
        self._chunk: Numbers = np.empty(0, dtype=np.int32)
        self._used = 0

    def add(self, part: Numbers) -> None:
        """Append a copy of ``part`` [k]."""
        if self._used + len(part) > len(self._chunk):
            self._full.append(self._chunk[: self._used])
            size = max(len(part), min(2 * len(self._chunk), LARGEST_CHUNK))
            self._chunk, self._used = np.empty(size, dtype=np.int32), 0
        self._chunk[self._used : self._used + len(part)] = part
        self._used += len(part)

    def add_all(self, other: _Column) -> None:
        """Append a copy of another column."""
        for part in (*other._full, other._chunk[: other._used]):
            self.add(part)

    def whole(self) -> Numbers:
        """Everything added, once: the column is empty afterwards."""
        self._full.append(self._chunk[: self._used])
        self._chunk, self._used = self._chunk[:0], 0
        found, first = np.empty(sum(map(len, self._full)), dtype=np.int32), 0
        for i, part in enumerate(self._full):
            found[first : first + len(part)] = part
            first += len(part)
            self._full[i] = part[:0].copy()
        return found


def joined(items: int, tables: Iterable[Options]) -> Options:
    """Tables of consecutive items as one. Where every item is the one workload it places, they are one column."""
    item, option, workload, site, absent_option, absent_workload = (_Column() for _ in range(6))
    count, same = 0, True
    for table in tables:
        if same and table.item is not table.workload:
            same = False
            item.add_all(workload)
        if not same:
            item.add(table.item)
        option.add(table.option + np.int32(count))
        workload.add(table.workload)
        site.add(table.site)
        absent_option.add(table.absent_option + np.int32(count))
        absent_workload.add(table.absent_workload)
        count += len(table)
    placed = workload.whole()
    return Options(
        items,
        placed if same else item.whole(),
        option.whole(),
        placed,
        site.whole(),
        absent_option.whole(),
        absent_workload.whole(),
    )
