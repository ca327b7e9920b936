"""What a search and the process that does it say to each other: pickled tuples, a word first.

From the search: ``problem`` (``Problem``), ``allow`` (steps in all, None: as many as it takes), ``plan`` (float
[column]). To the search: ``plan`` (step, float [column]), ``bound`` (step, float), ``paused`` (step), ``ended`` (step,
bound).
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Small = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Problem:
    """Minimise ``cost · x`` in whole numbers 0 to ``upper``, ``low ≤ A x ≤ high``; A by columns.

    ``cost``, ``upper`` float [column]; ``low``, ``high`` float [row]; ``start`` int32 [column + 1], ``row`` int32 and
    ``value`` float [entry]. ``hint`` float [column] is a plan to begin with.
    """

    cost: Floats
    upper: Floats
    low: Floats
    high: Floats
    start: Small
    row: Small
    value: Floats
    hint: Floats | None
    seed: int


def send(pipe: IO[bytes], *message: Any) -> None:
    """Write a message."""
    pickle.dump(message, pipe, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.flush()


def receive(pipe: IO[bytes]) -> tuple[Any, ...]:
    """Read a message. Raises EOFError at the end of the pipe; what is at its other end is trusted."""
    message: tuple[Any, ...] = pickle.load(pipe)
    return message
