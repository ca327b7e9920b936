"""Sparse integer matrices from coordinates."""

from __future__ import annotations

from typing import Any

import scipy.sparse as sp

from capplan.units import Ints


def sparse(row: Ints, column: Ints, value: Ints, shape: tuple[int, int]) -> sp.csr_array[Any, tuple[int, int]]:
    """An int64 matrix; entries at one place add up, zeros are dropped. ``row``, ``column``, ``value`` int64 [k]."""
    matrix: Any = sp.csr_array((value, (row, column)), shape=shape)
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    return matrix  # type: ignore[no-any-return]  # the stubs know only floats in this constructor
