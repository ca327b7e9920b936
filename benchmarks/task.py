"""What one run is asked to do, and how it tells what happens: lines of JSON in a file, plans beside it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from benchmarks.interface import Compiled
from capplan.units import Ints

THREADS = 2


@dataclass(frozen=True)
class Task:
    """One instance for one solver. ``solver`` is ``capplan`` or the name of a peer, ``engine`` that of our engine."""

    set: str
    folder: str
    instance: str
    solver: str
    engine: str
    seed: int
    time_limit: float

    def text(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))


@dataclass(frozen=True)
class Outcome:
    """How a solver ended; ``bound`` and ``claimed`` value are numbers as text, in units of the Program's goal."""

    status: str
    bound: str = ""
    claimed: str = ""
    note: str = ""


class Reporter:
    """Tells the process that watches: events in ``events.jsonl``, the best plan in ``plan.npy``, both of a folder."""

    def __init__(self, folder: Path, compiled: Compiled | None = None) -> None:
        self.folder = folder
        self.compiled = compiled
        self.started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the clock of the run was started."""
        return time.monotonic() - self.started

    def tell(self, event: str, **facts: object) -> None:
        """Write an event."""
        with (self.folder / "events.jsonl").open("a", encoding="utf-8") as lines:
            lines.write(json.dumps({"event": event, "seconds": self.seconds, **facts}) + "\n")

    def better(self, seconds: float | None = None) -> None:
        """A better plan is known, since now or since a moment of the run."""
        self.tell("better", at=self.seconds if seconds is None else seconds)

    def plan(self, x: Ints) -> None:
        """Leave a plan, ``x`` int64 [column], to be scored even if the run is killed later."""
        assert self.compiled is not None
        fresh = self.folder / "fresh.npy"
        np.save(fresh, self.compiled.decode(x))
        fresh.replace(self.folder / "plan.npy")


Solve: TypeAlias = Callable[[Compiled, Task, Reporter], Outcome]
