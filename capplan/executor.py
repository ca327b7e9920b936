"""Work for other processors: executors of ``concurrent.futures`` that outlive the processes they use.

Tasks are module-level functions with plain data (arrays, dataclasses), never solver objects. ``Here`` works in this
process, ``Processes`` in local ones; an executor of a cluster fits in the same place.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from typing import Any, ParamSpec, TypeVar

import loky

T = TypeVar("T")
P = ParamSpec("P")

TRIES = 4
"""Processes that may die of a task before it is given up."""
IDLE_S = 600
"""Seconds after which a process without work ends, so that none outlives a caller that was killed."""


def cores() -> int:
    """Processor cores that this process may use."""
    return int(loky.cpu_count(only_physical_cores=False))


class Here(Executor):
    """Does everything at once, in the caller's own process."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """A finished future."""
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as fault:  # noqa: BLE001 - the future holds it for whoever asks for the result
            future.set_exception(fault)
        return future


@dataclass
class _Task:
    outer: Future[Any]
    call: Callable[[], Any]
    tries: int = 0

    def end(self, fault: BaseException | None, value: Any) -> None:
        if not self.outer.set_running_or_notify_cancel():
            return
        if fault is None:
            self.outer.set_result(value)
        else:
            self.outer.set_exception(fault)


class Processes(Executor):
    """Local processes, started when the first task comes. A task whose process dies is done again by another.

    A process imports the task's module and not the caller's script, so a script without a guard works.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._lock = threading.RLock()
        self._pool: Any = None
        self._closed = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """The future of a task, done again up to ``TRIES`` times where processes die."""
        outer: Future[T] = Future()
        self._send(_Task(outer, partial(fn, *args, **kwargs)))
        return outer

    def _send(self, task: _Task) -> None:
        with self._lock:
            if self._closed:
                raise RuntimeError("no task may be submitted after shutdown")
            pool, inner = self._submitted(task)
        inner.add_done_callback(lambda done: self._done(task, pool, done))

    def _submitted(self, task: _Task) -> tuple[Any, Future[Any]]:
        """Give a task to the pool, or to a new one if that is broken."""
        while True:
            task.tries += 1
            if self._pool is None:
                self._pool = loky.ProcessPoolExecutor(self.workers, timeout=IDLE_S, initializer=_leave_interrupts)
            try:
                return self._pool, self._pool.submit(task.call)
            except BrokenProcessPool:
                self._pool = None
                if task.tries >= TRIES:
                    raise

    def _done(self, task: _Task, pool: Any, inner: Future[Any]) -> None:
        if inner.cancelled():
            task.outer.cancel()
            return
        fault = inner.exception()
        if isinstance(fault, BrokenProcessPool) and task.tries < TRIES and not self._closed:
            with self._lock:
                if self._pool is pool:
                    self._pool = None
            # A thread of its own: this one belongs to the pool that broke, and must be free to end.
            threading.Thread(target=self._again, args=(task,), daemon=True).start()
        else:
            task.end(fault, None if fault else inner.result())

    def _again(self, task: _Task) -> None:
        try:
            self._send(task)
        except (RuntimeError, BrokenProcessPool) as fault:
            task.end(fault, None)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes once their tasks are done; with ``cancel_futures`` at once, whatever they are doing."""
        with self._lock:
            self._closed = True
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=wait, kill_workers=cancel_futures)


def _leave_interrupts() -> None:
    """Ctrl-C reaches the caller, who ends its processes; they need not complain themselves."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def executor(workers: int) -> Executor:
    """An executor for so many workers: this process alone where there is one, else local processes."""
    return Here() if workers <= 1 else Processes(workers)
