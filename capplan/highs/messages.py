"""What a search and the process that does it say to each other: pickled tuples, a word first.

From the search: ``problem`` (``Problem``), ``allow`` (steps in all, None: as many as it takes), ``plan`` (float
[column]). To the search: ``plan`` (step, float [column]), ``bound`` (step, float), ``paused`` (step), ``ended`` (step,
bound).
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    # The process that runs HiGHS starts sooner without it.
    from scipy.sparse import csc_array

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

    @classmethod
    def of(
        cls,
        matrix: csc_array,
        cost: npt.ArrayLike,
        upper: npt.ArrayLike,
        between: tuple[npt.ArrayLike, npt.ArrayLike],
        hint: Floats | None = None,
        seed: int = 1,
    ) -> Problem:
        """A problem whose A is ``matrix`` [row, column], each entry once; ``between`` are ``low`` and ``high``."""
        low, high = (np.asarray(one, dtype=np.float64) for one in between)
        return cls(
            cost=np.asarray(cost, dtype=np.float64),
            upper=np.asarray(upper, dtype=np.float64),
            low=low,
            high=high,
            start=matrix.indptr.astype(np.int32),
            row=matrix.indices.astype(np.int32),
            value=matrix.data.astype(np.float64),
            hint=hint,
            seed=seed,
        )


def send(pipe: IO[bytes], *message: Any) -> None:
    """Write a message."""
    pickle.dump(message, pipe, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.flush()


def receive(pipe: IO[bytes]) -> tuple[Any, ...]:
    """Read a message. Raises EOFError at the end of the pipe; what is at its other end is trusted."""
    message: tuple[Any, ...] = pickle.load(pipe)
    return message
