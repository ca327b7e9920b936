"""Memory that is free goes back to the system."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache


@cache
def _trim() -> Callable[[int], object] | None:
    """What the C library calls it; None where it needs no telling."""
    try:
        found: Callable[[int], object] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)
    except (OSError, TypeError):
        return None
    return found


def hand_back() -> None:
    """Give back what was freed: solvers free much in small pieces, which the C library would keep for this process."""
    trim = _trim()
    if trim is not None:
        trim(0)
