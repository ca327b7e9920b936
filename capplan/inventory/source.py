"""Where in a CSV file a cell stands: line and column, looked up only when somebody asks."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from capplan.errors import Place
from capplan.inventory.workbook import Unreadable, sheet_rows
from capplan.units import Ints


@dataclass(frozen=True)
class Span:
    """One cell of a record: its physical line and first character (both from 1), and its text as written."""

    line: int
    column: int
    text: str
    open: bool = False
    """A quote begins this cell and nothing properly ends it."""


def physical_lines(text: str) -> list[str]:
    """The lines of a text, ends kept, counted the way the csv module counts them."""
    return list(io.StringIO(text, newline=""))


def record_spans(lines: list[str], first: int, separator: str = ",") -> list[Span]:
    """The cells of the record that begins at physical line ``first`` (from 1)."""
    spans: list[Span] = []
    line, column, at = first, 1, 0
    while line <= len(lines):
        span, end_line, at = _cell(lines, (line, at), column, separator)
        spans.append(span)
        here = lines[end_line - 1] if end_line <= len(lines) else ""
        if span.open or at >= len(here) or here[at] != separator:
            break
        at += 1
        line, column = end_line, at + 1
    return spans


def _cell(lines: list[str], start: tuple[int, int], column: int, separator: str) -> tuple[Span, int, int]:
    """One cell that begins at ``start`` (line, offset); also where it ends (line, offset)."""
    line, at = start
    text = lines[line - 1]
    if text[at : at + 1] != '"':
        end = text.find(separator, at)
        if end < 0:
            end = len(text.rstrip("\r\n"))
        return Span(line, column, text[at:end]), line, end
    parts: list[str] = []
    now, i = line, at + 1
    while now <= len(lines):
        end = lines[now - 1].find('"', i)
        if end < 0:
            parts.append(lines[now - 1][i:])
            now, i = now + 1, 0
            continue
        parts.append(lines[now - 1][i:end])
        after = lines[now - 1][end + 1 : end + 2]
        if after == '"':
            parts.append('"')
            i = end + 2
            continue
        return Span(line, column, "".join(parts), open=after not in ("", separator, "\r", "\n")), now, end + 1
    return Span(line, column, "".join(parts), open=True), now, 0


@lru_cache(maxsize=16)
def _lines_of(file: tuple[Path, int, int]) -> list[str]:
    """The lines of a file, by its path, size and time of change."""
    return physical_lines(file[0].read_bytes().decode("utf-8-sig"))


@dataclass(frozen=True)
class Source:
    """A CSV file as named in messages, which field of a record each column is, and what separates the fields.

    Of a workbook, ``sheet`` names the sheet: then lines are its rows.
    """

    path: Path
    file: str
    fields: Mapping[str, int]
    separator: str = ","
    sheet: str = ""

    def span(self, line: int, column: str) -> Span | None:
        """The cell of ``column`` in the record that begins at ``line``; None where that cannot be said."""
        index = self.fields.get(column)
        if index is None or line < 1:
            return None
        if self.sheet:
            return self._cell(line, index)
        try:
            state = self.path.stat()
            spans = record_spans(_lines_of((self.path, state.st_size, state.st_mtime_ns)), line, self.separator)
        except (OSError, UnicodeDecodeError):
            return None
        return spans[index] if index < len(spans) else None

    def _cell(self, line: int, index: int) -> Span | None:
        """The cell of a sheet: its row, and its column counted from 1."""
        try:
            return Span(line, index + 1, sheet_rows(self.path, self.sheet)[line - 1][index])
        except (Unreadable, KeyError, IndexError):
            return None


@dataclass(frozen=True)
class Places:
    """Where every cell of a table was written: its file, a scenario, or the defaults of inventory.yaml.

    ``overridden`` is by (line, column), ``defaults`` by column.
    """

    source: Source
    overridden: Mapping[tuple[int, str], Place] = field(default_factory=dict)
    defaults: Mapping[str, Place] = field(default_factory=dict)

    def place(self, line: int, column: str = "") -> Place:
        """The place of one cell, or of the whole row without a ``column``."""
        if not column:
            return Place(self.source.file, line)
        if (line, column) in self.overridden:
            return self.overridden[line, column]
        span = self.source.span(line, column)
        if column in self.defaults and (span is None or not span.text.strip()):
            return self.defaults[column]
        return Place(self.source.file, span.line, span.column) if span else Place(self.source.file, line)


def no_rows() -> Ints:
    """No rows at all. int64 [0]."""
    return np.zeros(0, dtype=np.int64)
