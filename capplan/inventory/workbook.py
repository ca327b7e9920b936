"""Sheets of an Excel workbook as rows of text, as if they had been saved as CSV.

A number is written with the 15 digits that Excel shows, a date as ISO 8601, a truth value as ``yes`` or ``no``.
Needs the extra ``xlsx`` (python-calamine).
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

MAGIC = b"PK\x03\x04"
"""An .xlsx is a zip archive."""

_UNIT = re.compile(r"\s*\[[^\]]*\]\s*$")


class Unreadable(Exception):
    """A workbook that cannot be read; ``fix`` says what would help."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.fix = fix


def is_workbook(path: Path) -> bool:
    """Whether the file looks like an Excel workbook, whatever its name."""
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def sheet_names(path: Path) -> list[str]:
    """Names of the sheets, in order. Raises Unreadable."""
    return list(_sheets(_state(path)))


def sheet_rows(path: Path, sheet: str) -> tuple[tuple[str, ...], ...]:
    """The cells of a sheet from its first row and column on, each row equally long. Raises Unreadable, KeyError."""
    return _sheets(_state(path))[sheet]


def without_unit(header: str) -> str:
    """A heading without the unit that capplan writes behind it: ``cost [GBP]`` is ``cost``."""
    return _UNIT.sub("", header)


def _state(path: Path) -> tuple[Path, int, int]:
    try:
        state = path.stat()
    except OSError as error:
        raise Unreadable(f"the file cannot be read: {error.strerror or error}", "check the path") from error
    return path, state.st_size, state.st_mtime_ns


@lru_cache(maxsize=4)
def _sheets(file: tuple[Path, int, int]) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Every sheet of a workbook, by its path, size and time of change."""
    workbook = _opened(file[0])
    try:
        return {name: _rows(workbook.get_sheet_by_name(name)) for name in workbook.sheet_names}
    # The library has one kind of error for each format it reads.
    except Exception as error:
        raise Unreadable(f"a sheet cannot be read: {error}", "save the workbook again, as .xlsx") from error


def _opened(path: Path) -> Any:
    try:
        calamine = import_module("python_calamine")
    except ImportError as error:
        fix = "pip install 'capplan[xlsx]', or save each sheet as CSV UTF-8"
        raise Unreadable("reading Excel workbooks needs the extra xlsx", fix) from error
    try:
        return calamine.load_workbook(str(path))
    except Exception as error:
        raise Unreadable(f"this is no Excel workbook: {error}", "save it again, as .xlsx") from error


def _rows(sheet: Any) -> tuple[tuple[str, ...], ...]:
    rows = [tuple(map(_text, row)) for row in sheet.to_python(skip_empty_area=False)]
    width = max((i + 1 for row in rows for i, cell in enumerate(row) if cell.strip()), default=0)
    return tuple(row[:width] + ("",) * (width - len(row)) for row in rows)


def _text(cell: object) -> str:
    """A cell as a person would type it into a CSV file."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float | int):
        return format(Decimal(format(cell, ".15g")), "f")
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ")
    if isinstance(cell, date | time | timedelta):
        return cell.isoformat() if not isinstance(cell, timedelta) else str(cell)
    return "" if cell is None else str(cell)
