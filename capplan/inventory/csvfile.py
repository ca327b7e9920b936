"""CSV files as columns of text: bytes in, cells and physical line numbers out, nothing interpreted."""

from __future__ import annotations

import csv
import gc
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import numpy as np

from capplan.errors import FAULTS_KEPT_PER_CODE, Faults, Place
from capplan.inventory.decode import read_text
from capplan.inventory.source import Span, physical_lines, record_spans
from capplan.inventory.workbook import Unreadable, sheet_names, sheet_rows, without_unit
from capplan.units import Ints

LONGEST_CELL = 32_767
SPREADSHEET_ROWS = (65_536, 1_048_576)


@dataclass(frozen=True)
class Texts:
    """A column of cells, factorised: ``code`` [row] says which of the ``distinct`` texts each row holds."""

    distinct: tuple[str, ...]
    code: Ints

    @classmethod
    def of(cls, cells: Sequence[str]) -> Texts:
        """Factorise a column."""
        distinct: defaultdict[str, int] = defaultdict(count().__next__)
        code = np.fromiter(map(distinct.__getitem__, cells), dtype=np.int64, count=len(cells))
        return cls(tuple(distinct), code)

    def list(self) -> list[str]:
        """Every cell."""
        return [self.distinct[code] for code in self.code.tolist()]

    def take(self, rows: Ints) -> Texts:
        """The cells of some rows."""
        return Texts(self.distinct, self.code[rows])

    def put(self, row: int, text: str) -> Texts:
        """The column with one cell changed."""
        code = self.code.copy()
        code[row] = len(self.distinct)
        return Texts((*self.distinct, text), code)


@dataclass(frozen=True)
class Form:
    """How a file is written: what separates its cells, and how long its rows are.

    Where columns are ``needed``, a row may end after the last of these, and go on beyond the header with blank cells.
    """

    separator: str = ","
    needed: frozenset[str] = frozenset()

    def evened(self, rows: list[list[str]], header: Sequence[str]) -> list[list[str]]:
        """Rows as long as the header, as far as that takes or adds blank cells only."""
        places = [i for i, name in enumerate(header) if name.strip() in self.needed]
        if not places or all(len(row) == len(header) for row in rows):
            return rows
        width, least = len(header), places[-1] + 1
        return [
            (row + [""] * (width - len(row)))[:width] if len(row) >= least and not any(row[width:]) else row
            for row in rows
        ]


COMMAS = Form()


@dataclass(frozen=True)
class CsvFile:
    """A CSV file: header, columns in file order, and the physical line on which each row begins.

    ``whole`` is False where a fault hid rows, so that references to them are not faults too.
    """

    path: Path
    file: str
    header: tuple[str, ...]
    columns: tuple[Texts, ...]
    lines: Ints
    header_line: int = 1
    whole: bool = True
    separator: str = ","
    sheet: str = ""


def read_csv(path: Path, file: str, wanted: Sequence[str], faults: Faults) -> CsvFile | None:
    """Read one CSV file, named ``file`` in messages; None (with faults) where it has no usable header.

    ``wanted`` are column names of which a header has at least one; they tell a header from a title row.
    """
    text = read_text(path, file, faults)
    if text is None:
        return None
    return parse_csv((path, file, text), wanted, faults)


def parse_csv(
    source: tuple[Path, str, str], wanted: Sequence[str], faults: Faults, form: Form = COMMAS
) -> CsvFile | None:
    """The columns of a text, given as (path, name in messages, text); otherwise like ``read_csv``."""
    with _without_garbage_collection():
        return _parse(source, wanted, faults, form)


def read_sheet(path: Path, sheet: str, file: str, wanted: Sequence[str], faults: Faults) -> CsvFile | None:
    """Read one sheet of a workbook, named ``file`` in messages; otherwise like ``read_csv``.

    A heading may end with a unit in brackets, as capplan writes it.
    """
    try:
        cells = sheet_rows(path, sheet)
    except Unreadable as error:
        faults.error(Place(file), "unreadable-workbook", str(error), error.fix)
        return None
    except KeyError:
        names = ", ".join(sheet_names(path))
        faults.error(Place(file), "missing-file", f'there is no sheet "{sheet}"', f"its sheets are: {names}")
        return None
    rows = [list(row) for row in cells]
    filled = [i for i, row in enumerate(rows) if any(map(str.strip, row))]
    if not filled:
        faults.error(Place(file), "missing-column", "the sheet is empty", "write a header in the first row")
        return None
    head = filled[0]
    rows[head] = [without_unit(cell) for cell in rows[head]]
    lines = np.array(filled, dtype=np.int64) + 1
    found = [rows[i] for i in filled]
    if not _is_header(found, lines, wanted, file, faults):
        return None
    return replace(_columns(_Records(path, file, found, lines, True, "", COMMAS), faults), sheet=sheet)


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """A row is a list: the collector would look at 100,000 of them again and again, and free none."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _parse(source: tuple[Path, str, str], wanted: Sequence[str], faults: Faults, form: Form) -> CsvFile | None:
    path, file, text = source
    rows, lines, whole = _records(text, file, form.separator, faults)
    filled = [
        i for i, row in enumerate(rows) if row and ((row[0] and not row[0].isspace()) or any(map(str.strip, row)))
    ]
    if len(filled) < len(rows):
        rows, lines = [rows[i] for i in filled], lines[filled]
    if not rows:
        faults.error(Place(file), "missing-column", "the file is empty", "write a header in the first row")
        return None
    if not _is_header(rows, lines, wanted, file, faults):
        return None
    if len(rows) in SPREADSHEET_ROWS:
        message = f"has exactly {len(rows):,} rows, the most some spreadsheets keep; rows may be missing"
        faults.warning(Place(file), "file-truncated", message, "compare with where the file came from")
    return _columns(_Records(path, file, rows, lines, whole, text, form), faults)


def _records(text: str, file: str, separator: str, faults: Faults) -> tuple[list[list[str]], Ints, bool]:
    """Every record and the line on which it begins; whether all of the file could be read."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=separator)
    rows: list[list[str]] = []
    try:
        rows = list(reader)
        if reader.line_num == len(rows):
            return rows, np.arange(1, len(rows) + 1), True
    except csv.Error:
        pass
    # Cells with line breaks, or a fault: read again, noting where each record begins.
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=separator)
    rows, starts = [], [1]
    try:
        for row in reader:
            rows.append(row)
            starts.append(reader.line_num + 1)
    except csv.Error:
        _quote_fault(record_spans(physical_lines(text), starts[-1], separator), file, faults)
        return rows, np.array(starts[: len(rows)], dtype=np.int64), False
    return rows, np.array(starts[:-1], dtype=np.int64), True


def _quote_fault(spans: Sequence[Span], file: str, faults: Faults) -> None:
    span = next((s for s in spans if s.open), max(spans, key=lambda s: len(s.text)))
    if not span.open:
        message = f"the cell is longer than {LONGEST_CELL:,} characters"
        faults.error(Place(file, span.line, span.column), "too-large", message, "shorten it")
        return
    message = 'the quote that opens here is not closed, or " follows inside the cell; it swallows what comes after'
    fix = 'close the quote, and write a quote inside a cell as ""'
    faults.error(Place(file, span.line, span.column), "unbalanced-quote", message, fix)


def _is_header(rows: list[list[str]], lines: Ints, wanted: Sequence[str], file: str, faults: Faults) -> bool:
    first = [cell.strip() for cell in rows[0]]
    place = Place(file, int(lines[0]), 1)
    if len(first) == 1 and len(wanted) > 1:
        for separator, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
            if separator in first[0]:
                number = first[0].count(separator)
                message = f"the header is one cell with {number} {name} in it; cells are separated by commas"
                faults.error(place, "wrong-delimiter", message, 'save it as "CSV UTF-8 (comma separated)"')
                return False
    if set(first) & set(wanted):
        return True
    for row, line in zip(rows[1:6], lines[1:6].tolist(), strict=True):
        if set(map(str.strip, row)) & set(wanted):
            shown = " / ".join(",".join(r)[:40] for r in rows[:3])
            message = f"the header stands in line {line}; the file begins: {shown}"
            faults.error(place, "header-not-in-first-row", message, "delete the rows above the header")
            return False
    return True


@dataclass(frozen=True)
class _Records:
    path: Path
    file: str
    rows: list[list[str]]
    lines: Ints
    whole: bool
    text: str
    form: Form


def _columns(records: _Records, faults: Faults) -> CsvFile:
    header, rows, lines, whole = records.rows[0], records.rows[1:], records.lines[1:], records.whole
    rows, lines, whole = _without_trailer(records, rows, lines, whole, faults)
    rows = records.form.evened(rows, header)
    widths = set(map(len, rows))
    if widths - {len(header)}:
        good = [i for i, row in enumerate(rows) if len(row) == len(header)]
        bad = sorted(set(range(len(rows))) - set(good))
        _length_faults(records, [(rows[i], int(lines[i])) for i in bad], len(header), faults)
        rows, lines, whole = [rows[i] for i in good], lines[good], False
    cells: Iterable[Sequence[str]] = zip(*rows, strict=True) if rows else ((),) * len(header)
    columns = tuple(map(Texts.of, cells))
    first, separator = int(records.lines[0]), records.form.separator
    return CsvFile(records.path, records.file, tuple(header), columns, lines, first, whole, separator)


def _without_trailer(
    records: _Records, rows: list[list[str]], lines: Ints, whole: bool, faults: Faults
) -> tuple[list[list[str]], Ints, bool]:
    """Rows without a last row ``#rows=n``, which must state their number."""
    if not rows or not rows[-1][0].startswith("#rows="):
        return rows, lines, whole
    stated, place = rows[-1][0].removeprefix("#rows=").strip(), Place(records.file, int(lines[-1]), 1)
    if stated != str(len(rows) - 1):
        message = f"the last row promises {stated} rows; {len(rows) - 1:,} were read"
        faults.warning(place, "file-truncated", message, "compare with where the file came from")
    return rows[:-1], lines[:-1], whole


def _length_faults(records: _Records, bad: list[tuple[list[str], int]], width: int, faults: Faults) -> None:
    physical = physical_lines(records.text)
    last_line = len(physical)
    for i, (row, line) in enumerate(bad):
        spans = record_spans(physical, line, records.form.separator) if i < FAULTS_KEPT_PER_CODE else []
        swallowing = next((s for s in spans if "\n" in s.text or "\r" in s.text), None)
        if swallowing:
            message = "a quote opens here and closes on a later line, and the row then has the wrong length"
            place = Place(records.file, swallowing.line, swallowing.column)
            faults.error(place, "unbalanced-quote", message, 'close the quote; a quote inside a cell is ""')
            continue
        message = f"the row has {len(row)} cells under {width} headers"
        one = "semicolon" if records.form.separator == ";" else "comma"
        fix = f'put cells that hold a {one} in "quotes"' if len(row) > width else f"add the missing {one}s"
        faults.error(Place(records.file, line), "row-length", message, fix)
        if line == last_line and len(row) < width and not records.text.endswith(("\n", "\r")):
            faults.warning(Place(records.file, line), "file-truncated", "the file ends inside a row", "fetch it again")
