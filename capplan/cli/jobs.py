"""Planning jobs in other processes, with progress and a quiet end on Ctrl-C."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import TypeVar

from capplan.cli.terminal import Terminal
from capplan.executor import Processes, cores

T = TypeVar("T")
R = TypeVar("R")

TICK_S = 0.5
QUIET_S = 10.0
"""Seconds without news after which progress is told again."""


def all_done(
    terminal: Terminal,
    work: Callable[[T], R],
    tasks: Sequence[T],
    at_a_time: int | None,
    news: Callable[[int, R], str],
) -> Iterator[tuple[int, R]]:
    """Each task's number and result, as they end; ``work`` is a function of a module. ``news`` is what to say of one.

    Ctrl-C ends what is still working; what has been saved stays.
    """
    pool = Processes(min(at_a_time or cores(), max(1, len(tasks))))
    try:
        futures = {pool.submit(work, task): number for number, task in enumerate(tasks)}
        yield from _results(terminal, futures, news)
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


def _results(
    terminal: Terminal, waiting: dict[Future[R], int], news: Callable[[int, R], str]
) -> Iterator[tuple[int, R]]:
    began = said = time.monotonic()
    ended, whole = 0, len(waiting)
    while waiting:
        finished, _ = wait(waiting, timeout=TICK_S, return_when=FIRST_COMPLETED)
        for future, number in _in_order(waiting, finished):
            result = future.result()
            ended += 1
            terminal.note(f"{ended} of {whole}, {time.monotonic() - began:.0f} s: {news(number, result)}")
            said = time.monotonic()
            yield number, result
        if time.monotonic() - said > QUIET_S:
            terminal.note(f"{ended} of {whole}, {time.monotonic() - began:.0f} s")
            said = time.monotonic()


def _in_order(waiting: dict[Future[R], int], finished: Iterable[Future[R]]) -> Iterator[tuple[Future[R], int]]:
    for future in sorted(finished, key=waiting.__getitem__):
        yield future, waiting.pop(future)
