"""Work in a thread beside the terminal, so that Ctrl-C can stop it and keep what it has."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TypeVar

from capplan.cli.terminal import Terminal

T = TypeVar("T")

ABORTED = 130
TICK_S = 0.1
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stopping(
    terminal: Terminal, stop: Callable[[], None], said: str = "Stopping; the best plan so far is kept. Again to abort."
) -> Iterator[Callable[[], None]]:
    """Within it SIGINT and SIGTERM call ``stop``; a second one ends the process at once, with nothing saved.

    Gives what must be called now and then: it asks again, because a solver that is just about to start does not hear.
    """
    asked = threading.Event()

    def again() -> None:
        if asked.is_set():
            stop()

    def handle(_number: int, _frame: FrameType | None) -> None:
        if asked.is_set():
            # Not sys.exit: a solver that does not listen would keep its thread, and so the process, alive.
            os._exit(ABORTED)
        asked.set()
        # Not through print's buffer, which the interrupted code may be in the middle of.
        if not terminal.quiet:
            with suppress(OSError):
                os.write(sys.__stderr__.fileno(), f"\n{said}\n".encode())  # type: ignore[union-attr]
        stop()

    if threading.current_thread() is not threading.main_thread():
        # Only the main thread may handle signals; whoever calls from another one stops the work itself.
        yield again
        return
    before = {number: signal.signal(number, handle) for number in _SIGNALS}
    try:
        yield again
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def beside(work: Callable[[], T], *ticks: Callable[[], None]) -> T:
    """The result of ``work``, done in another thread while all ``ticks`` are called about ten times a second."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True, name="capplan")
    thread.start()
    while thread.is_alive():
        thread.join(TICK_S)
        for tick in ticks:
            tick()
    if errors:
        raise errors[0]
    return results[0]
