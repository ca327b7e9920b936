"""Progress of a solve on stderr: a live line on a terminal, otherwise a plain line now and then."""

# ruff: noqa: PLC0415 - rich is loaded for terminals only

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import TYPE_CHECKING

from capplan.cli.terminal import Terminal
from capplan.units import decimal_text

if TYPE_CHECKING:
    from capplan.engine import Progress, Watch

FIRST_LINE_S = 2.0
NEXT_LINE_S = 5.0


class Latest:
    """The latest progress, written by the solver's thread and read by the terminal's."""

    def __init__(self) -> None:
        self.progress: Progress | None = None
        self.doing = ""

    def __call__(self, progress: Progress) -> None:
        """Take note of progress."""
        self.progress = progress

    def say(self, doing: str) -> None:
        """Take note of what is being done once no plan is looked for."""
        self.doing = doing

    def text(self, seconds: float) -> str:
        """One line: goal, best, bound, gap, elapsed; or what is being done."""
        now = self.progress
        if self.doing:
            return f"{seconds:.0f} s, {self.doing}"
        parts = [f"{seconds:.0f} s"]
        if now is None:
            return ", ".join([*parts, "no plan yet"])
        parts.append(f"goal {now.goal}")
        if now.best is not None:
            parts.append(f"best {_number(now.best)}")
        if now.bound is not None:
            parts.append(f"bound {_number(now.bound)}")
        if now.best is not None and now.bound is not None and now.best:
            parts.append(f"gap {decimal_text(abs(now.best - now.bound) / abs(now.best) * 100, 2)} %")
        return ", ".join(parts)


def _number(value: Fraction) -> str:
    return f"{float(value):,.2f}".removesuffix(".00")


@contextmanager
def shown(terminal: Terminal, watch: Watch, latest: Latest) -> Iterator[Callable[[], None]]:
    """Gives what must be called now and then to show progress."""
    if terminal.quiet:
        yield lambda: None
    elif sys.stderr.isatty():
        with _live(terminal, watch, latest) as tick:
            yield tick
    else:
        yield _Lines(terminal, watch, latest).tick


@contextmanager
def _live(terminal: Terminal, watch: Watch, latest: Latest) -> Iterator[Callable[[], None]]:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(stderr=True, no_color=not terminal.colored(sys.stderr))
    with Live(Text(""), console=console, transient=True, auto_refresh=False) as live:
        yield lambda: live.update(Text(latest.text(watch.seconds), overflow="ellipsis", no_wrap=True), refresh=True)


class _Lines:
    def __init__(self, terminal: Terminal, watch: Watch, latest: Latest) -> None:
        self.terminal, self.watch, self.latest = terminal, watch, latest
        self.due = FIRST_LINE_S

    def tick(self) -> None:
        if self.watch.seconds >= self.due:
            self.due = self.watch.seconds + NEXT_LINE_S
            self.terminal.note(self.latest.text(self.watch.seconds))
