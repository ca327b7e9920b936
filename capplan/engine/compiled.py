"""Loops that are compiled to machine code, once, and kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """``function`` compiled at its first call; other threads run meanwhile.

    It may allocate no array: arrays are not counted in and out of every call, which in loops of a few nanoseconds would
    cost twenty times what the loop does.
    """
    options: dict[str, Any] = {"cache": True, "nogil": True, "_nrt": False}
    return cast("F", numba.njit(**options)(function))
