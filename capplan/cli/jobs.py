"""Planning jobs in other processes, with progress and a quiet end on Ctrl-C."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait

from capplan.cli.terminal import Terminal
from capplan.executor import Processes, cores
from capplan.jobs import Done, Job, do

TICK_S = 0.5
QUIET_S = 10.0
"""Seconds without news after which progress is told again."""


def all_done(
    terminal: Terminal,
    jobs: Sequence[Job],
    at_a_time: int | None,
    news: Callable[[int, Done], str],
) -> Iterator[tuple[int, Done]]:
    """Each job's number and what it came to, as they end. ``news`` is what to say of one.

    Ctrl-C ends what is still working; what has been saved stays.
    """
    workers = min(at_a_time or cores(), max(1, len(jobs)))
    pool = Processes(workers)
    try:
        yield from _results(terminal, jobs, pool, news)
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


def _results(
    terminal: Terminal, jobs: Sequence[Job], pool: Executor, news: Callable[[int, Done], str]
) -> Iterator[tuple[int, Done]]:
    began = said = time.monotonic()
    waiting: dict[Future[Done], int] = {pool.submit(do, job): number for number, job in enumerate(jobs)}
    ended = 0
    while waiting:
        finished, _ = wait(waiting, timeout=TICK_S, return_when=FIRST_COMPLETED)
        for future, number in _in_order(waiting, finished):
            done = future.result()
            ended += 1
            terminal.note(f"{ended} of {len(jobs)}, {time.monotonic() - began:.0f} s: {news(number, done)}")
            said = time.monotonic()
            yield number, done
        if time.monotonic() - said > QUIET_S:
            terminal.note(f"{ended} of {len(jobs)}, {time.monotonic() - began:.0f} s")
            said = time.monotonic()


def _in_order(waiting: dict[Future[Done], int], finished: Iterable[Future[Done]]) -> Iterator[tuple[Future[Done], int]]:
    for future in sorted(finished, key=waiting.__getitem__):
        yield future, waiting.pop(future)
