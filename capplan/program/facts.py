"""Facts on their way to a Program."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import numpy as np
import scipy.sparse as sp

from capplan.units import Ints, Numbers


class Facts:
    """Sets of options, each held once: a fact holds when any option of its set is taken."""

    def __init__(self, options: int) -> None:
        self._options = options
        self._members: list[Numbers] = []
        self._size: list[int] = []
        self._index: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self._size)

    def add(self, group: Numbers, option: Numbers, groups: int) -> Ints:
        """See Builder.any_of."""
        ones = np.ones(len(option), dtype=np.bool_)
        table: Any = sp.csr_array((ones, (group, option)), shape=(groups, max(1, self._options)))
        table.sum_duplicates()  # sorts, too
        members, start = table.indices, table.indptr.tolist()
        found, new = np.full(groups, -1, dtype=np.int64), []
        for g in np.flatnonzero(np.diff(table.indptr)).tolist():
            mine = members[start[g] : start[g + 1]]
            # A set may have millions of options: a digest stands for it.
            key = blake2b(mine.astype(np.int32, copy=False)).digest()
            if key not in self._index:
                self._index[key] = len(self._size)
                self._size.append(len(mine))
                new.append(mine)
            found[g] = self._index[key]
        if new:
            whole = sum(map(len, new)) == len(members)
            self._members.append(members if whole else np.concatenate(new))
        return found

    def matrix(self) -> sp.csr_array:
        """Every fact. bool sparse [fact, option]."""
        start = np.cumsum([0, *self._size])
        one = self._members[0] if len(self._members) == 1 else None
        option = one if one is not None else np.concatenate([np.zeros(0, dtype=np.int32), *self._members])
        ones = np.ones(len(option), dtype=np.bool_)
        return sp.csr_array((ones, option, start.astype(option.dtype)), shape=(len(self), self._options))
