"""A search by HiGHS in another process, as its owner sees it."""

from __future__ import annotations

import contextlib
import math
import queue
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import Any

import numpy as np

from capplan.highs.messages import Floats, Problem, receive, send


@dataclass
class Found:
    """What was heard so far: ``plans`` float [column] each, better ones later; ``bound`` of the objective.

    The bound is infinite where nothing is possible.
    """

    plans: list[Floats]
    bound: float = -np.inf

    @property
    def least(self) -> int | None:
        """The least whole value that the bound allows, with its errors forgiven; None where there is no bound."""
        if not math.isfinite(self.bound):
            return None
        return int(-((-self.bound + 1e-6 + 1e-9 * abs(self.bound)) // 1))


class Search:
    """Runs at once and for ever, until ``allow`` says how far it may go.

    Where its process dies, it has ended without an answer; a caller's own search is not disturbed.
    """

    def __init__(self, problem: Problem) -> None:
        # -P: a file called highspy.py in the current folder is none of ours.
        command = [sys.executable, "-P", "-m", "capplan.highs.child"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=-1
        )
        self._heard: queue.SimpleQueue[tuple[Any, ...] | None] = queue.SimpleQueue()
        self._paused_at = -1
        self.steps = 0
        self.ended = False
        self._say("problem", problem)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _say(self, *message: Any) -> None:
        assert self._process.stdin is not None
        # The process may have ended in the meantime, which the listener hears.
        with contextlib.suppress(BrokenPipeError):
            send(self._process.stdin, *message)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with contextlib.suppress(EOFError, OSError):
            while True:
                self._heard.put(receive(self._process.stdout))
        self._heard.put(None)

    def allow(self, steps: int | None) -> None:
        """Let it do ``steps`` in all, or as many as it takes."""
        self._say("allow", steps)

    def tell(self, x: Floats) -> None:
        """Give it a plan, float [column]."""
        self._say("plan", x)

    def hear(self, until: int | None = None, timeout_s: float = 0.0) -> Found:
        """What is new. With ``until`` waits up to ``timeout_s``, until so many steps are done or it has ended."""
        found = Found([])
        while not self.ended and (until is None or self._paused_at < until):
            try:
                message = self._heard.get(until is not None, timeout_s)
            except queue.Empty:
                break
            self._note(message, found)
        return found

    def _note(self, message: tuple[Any, ...] | None, found: Found) -> None:
        if message is None:
            self.ended = True
            return
        word, self.steps, *rest = message
        if word == "plan":
            found.plans.append(rest[0])
        elif word == "bound":
            found.bound = max(found.bound, rest[0])
        elif word == "paused":
            self._paused_at = self.steps
        else:
            found.bound = max(found.bound, rest[0])
            self.ended = True

    def end(self) -> None:
        """Stop it at once."""
        self.ended = True
        self._process.kill()
        self._listener.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._process.wait()
