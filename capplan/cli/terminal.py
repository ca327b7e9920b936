"""Talking to the terminal: data goes to stdout, messages to stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TextIO

from capplan.errors import printable

FORMAT_VERSION = 1

_BOLD, _RED, _YELLOW, _PLAIN = "\x1b[1m", "\x1b[31m", "\x1b[33m", "\x1b[0m"


class Color(StrEnum):
    """When to use colour."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True)
class Terminal:
    """What a command was told about how to talk. ``verbose`` shows the traceback of a defect."""

    color: Color = Color.AUTO
    quiet: bool = False
    verbose: bool = False

    def say(self, text: str) -> None:
        """Print data."""
        write(sys.stdout, text + "\n")

    def say_json(self, data: object) -> None:
        """Print data for programs."""
        self.say(json_text(data))

    def page(self, text: str) -> None:
        """Print a text in which lines that are not indented are headings."""
        if self.colored(sys.stdout):
            lines = (line if line.startswith(" ") or not line else _BOLD + line + _PLAIN for line in text.splitlines())
            text = "\n".join(lines)
        self.say(text)

    def note(self, text: str) -> None:
        """Say something beside the data, unless asked to be quiet."""
        if not self.quiet:
            write(sys.stderr, text + "\n")

    def complain(self, text: str, *, warning: bool = False) -> None:
        """Say what is wrong, whatever was asked."""
        if self.colored(sys.stderr):
            text = (_YELLOW if warning else _RED) + text + _PLAIN
        write(sys.stderr, text + "\n")

    def colored(self, stream: TextIO) -> bool:
        """Whether to use colour on a stream (https://no-color.org)."""
        if self.color is Color.AUTO:
            return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        return self.color is Color.ALWAYS


def write(stream: TextIO, text: str) -> None:
    """Write to a stream whose reader may have left: then nothing more is said, and the command goes on."""
    try:
        stream.write(text)
        stream.flush()
    except UnicodeEncodeError:
        stream.write(text.encode(stream.encoding, "backslashreplace").decode(stream.encoding))
        stream.flush()
    except BrokenPipeError:
        # Python flushes at exit once more, which would complain; the advice of its documentation (signal, SIGPIPE).
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def json_text(data: object) -> str:
    """JSON as every command and schema file writes it."""
    return json.dumps(data, indent=2, ensure_ascii=False, default=str)


def aligned(
    header: Sequence[str], rows: Sequence[Sequence[str]], numbers: Callable[[int], bool], indent: str = "  "
) -> list[str]:
    """Rows as columns of text; columns for which ``numbers`` holds are aligned to the right."""
    shown = [[printable(cell) for cell in row] for row in [header, *rows]]
    widths = [max(len(row[i]) for row in shown) for i in range(len(header))]
    lines = []
    for row in shown:
        cells = (
            cell.rjust(width) if numbers(i) else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        lines.append((indent + "  ".join(cells)).rstrip())
    return lines


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: ``1 site``, ``2 sites``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
