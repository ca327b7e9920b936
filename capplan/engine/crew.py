"""Other processes that make a plan better while this one does something else."""

from __future__ import annotations

import pickle
import tempfile
import time
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from capplan.engine.core import Core
from capplan.engine.experience import Experience
from capplan.engine.improve import Start, improved
from capplan.engine.memory import hand_back
from capplan.engine.narrow import Parts
from capplan.engine.result import Limits
from capplan.program import evaluate
from capplan.units import Ints


@dataclass
class _Sent:
    core: Core
    file: Path
    base: Ints | None
    answer: Future[tuple[Ints | None, Experience]]
    flag: Path
    due: float


class Crew:
    """Sends plans away and brings better ones back, in the order in which they were sent.

    Nothing is lost with a process: the executor does its task again, and were all of them to die, the caller's own
    search goes on.
    """

    def __init__(self, executor: Executor, hands: int) -> None:
        self.executor, self.hands = executor, hands
        self._sent: list[_Sent] = []
        self._latest: tuple[Core, Path] | None = None
        self._files = tempfile.TemporaryDirectory(prefix="capplan-")
        self._count = 0

    @property
    def idle(self) -> int:
        """How many more plans can be worked on now."""
        return self.hands - len(self._sent)

    def send(self, core: Core, start: Start, limits: Limits, effort: float, seed: int) -> None:
        """Have a plan made from ``start`` better within ``limits`` and ``effort``."""
        base = start.x if start.shut is None else None
        self._count += 1
        flag = Path(self._files.name) / str(self._count)
        file = self._kept(core)
        answer = self.executor.submit(_improved_at, str(file), start, limits, effort, seed, str(flag))
        self._sent.append(_Sent(core, file, base, answer, flag, time.monotonic() + effort))

    def _kept(self, core: Core) -> Path:
        """A file with a core, written once for all who work on it; those that nobody works on are deleted."""
        if self._latest is None or self._latest[0] is not core:
            file = Path(self._files.name) / f"{self._count}.core"
            with file.open("wb") as written:
                pickle.dump(core, written, protocol=pickle.HIGHEST_PROTOCOL)
            self._latest = (core, file)
            used = {file} | {sent.file for sent in self._sent}
            for old in set(Path(self._files.name).glob("*.core")) - used:
                old.unlink()
        return self._latest[1]

    def call(self, *, everybody: bool = False) -> None:
        """Ask for what took as many seconds as the effort it was allowed; it will be back soon."""
        for sent in self._sent:
            if everybody or time.monotonic() >= sent.due:
                sent.flag.touch()

    def end(self) -> None:
        """Call everybody back and wait, so that no process is left in the middle of anything."""
        self.call(everybody=True)
        self.executor.shutdown(cancel_futures=False)
        self._files.cleanup()

    def back(self, experience: Experience, *, wait: bool) -> list[tuple[Core, Ints | None, Ints]]:
        """Cores, plans sent (None: what was sent was none yet) and what became of them.

        Both plans int64 [column of the core]. ``wait`` for all, else only those that are ready. What they learned goes
        to ``experience``.
        """
        found: list[tuple[Core, Ints | None, Ints]] = []
        rest: list[_Sent] = []
        for sent in self._sent:
            if not wait and not sent.answer.done():
                rest.append(sent)
                continue
            try:
                answer, learned = sent.answer.result()
                experience.hear(learned)
                if answer is not None:
                    found.append((sent.core, sent.base, answer))
            except BrokenProcessPool:
                # Every process that tried died. Its own work is all that is missing.
                self.hands -= 1
        self._sent = rest
        return found


_known: dict[str, Core] = {}
"""The core that this process worked on last, by its file."""


def _improved_at(
    file: str, start: Start, limits: Limits, effort: float, seed: int, flag: str
) -> tuple[Ints | None, Experience]:
    """A task for another process: ``improved`` on the core in a file that we wrote."""
    if file not in _known:
        _known.clear()
        hand_back()
        with Path(file).open("rb") as written:
            _known[file] = pickle.load(written)
    return improved(_known[file], start, limits, effort, seed, flag)


def joined(parts: Parts, place: Ints | None, base: Ints, ours: Ints, theirs: Ints) -> Ints:
    """``ours`` with what ``theirs`` made better of their common ``base``; all int64 [column], all keep the limits.

    Changes that touch no common ``place`` int64 [option] are independent, so each group of them is taken that keeps the
    limits and pays.
    """
    program, goal = parts.program, parts.goal
    first = program.options + program.facts
    was, now = (np.flatnonzero(x[: program.options]) for x in (base, theirs))
    changed = np.flatnonzero(was != now)
    best, value = ours, goal.value(ours)
    if goal.value(theirs) < value:
        best, value = theirs, goal.value(theirs)
    group = _groups(place, was[changed], now[changed])
    plan = ours
    for g in [None, *range(int(group.max(initial=-1)) + 1)]:
        items = changed if g is None else changed[group == g]
        taken = plan[: program.options] > 0
        taken[np.flatnonzero(taken)[items]] = False
        taken[now[items]] = True
        values = evaluate(program, taken, plan[first:])
        if (values.used <= program.bound).all() and goal.value(values.x) < goal.value(plan):
            plan = values.x
            if g is None:
                break
    return plan if goal.value(plan) < value else best


def _groups(place: Ints | None, was: Ints, now: Ints) -> Ints:
    """Which changes of options are tied by places that they leave or enter. int64 [change]."""
    if place is None or not len(was):
        return np.zeros(len(was), dtype=np.int64)
    ends = np.concatenate([place[was], place[now]]) + 1
    _, at = np.unique(ends, return_inverse=True)
    count = int(at.max()) + 1
    links = sp.csr_array((np.ones(len(was)), (at[: len(was)], at[len(was) :])), shape=(count, count))
    return np.asarray(connected_components(links, directed=False)[1][at[: len(was)]], dtype=np.int64)
