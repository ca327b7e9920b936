"""CSV files that come back from a spreadsheet: other separators, and rows whose blank ends were dropped."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Sequence
from pathlib import Path

from capplan.errors import Faults, Place
from capplan.inventory.cells import trimmed
from capplan.inventory.csvfile import COMMAS, CsvFile, Form, parse_csv, read_sheet
from capplan.inventory.decode import read_text
from capplan.inventory.raw import OWN_PREFIX
from capplan.inventory.workbook import is_workbook

SEMICOLON = ";"


def read_edited_table(
    path: Path, table: str, wanted: Sequence[str], needed: Collection[str], faults: Faults
) -> CsvFile | None:
    """Read a table that capplan wrote and a spreadsheet saved; None (with faults) where it has no usable header.

    Of a workbook, whatever its file is called, that is the sheet of the table's name.

    ``wanted`` are all columns it may have. Where the header, split at semicolons, holds nothing but these, so are the
    rows: that is how spreadsheets save under a locale with decimal commas. A row must reach the last of the ``needed``
    columns: spreadsheets drop the separators of blank cells at the end of some rows, and add some to others.
    """
    if is_workbook(path):
        return read_sheet(path, table, f"{path}[{table}]", wanted, faults)
    text = read_text(path, str(path), faults)
    if text is None:
        return None
    separator = COMMAS.separator
    if _is_split_at_semicolons(text, wanted):
        separator = SEMICOLON
        message = "cells are separated by semicolons; they are read so"
        fix = 'to be sure, save it as "CSV UTF-8 (comma separated)"'
        faults.warning(Place(str(path), 1), "wrong-delimiter", message, fix)
    return parse_csv((path, str(path), text), wanted, faults, Form(separator, frozenset(needed)))


def _is_split_at_semicolons(text: str, wanted: Sequence[str]) -> bool:
    """Whether the first row names two or more columns, all known, with semicolons between them."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=SEMICOLON)
    try:
        header = next((row for row in reader if any(map(trimmed, row))), [])
    except csv.Error:
        return False
    names = [name for name in map(trimmed, header) if name]
    return len(names) > 1 and all(name in wanted or name.startswith(OWN_PREFIX) for name in names)
