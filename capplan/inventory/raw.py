"""Tables of trimmed text: columns matched with the schema, not yet typed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from capplan.errors import Fault, Faults, Place, Severity, did_you_mean
from capplan.inventory.cells import Finding, stray_space, trimmed, unquoted
from capplan.inventory.csvfile import LONGEST_CELL, CsvFile, Texts
from capplan.inventory.schema import UNTEXTUAL, Column, Kind, TableSchema
from capplan.inventory.source import Places, Source, no_rows
from capplan.units import Ints

OWN_PREFIX = "x_"
AT_NODES = ("organisations", "sites")
"""Tables whose rows stand at a network node, their own id unless the column ``node`` names another."""

_TOTALS = frozenset(("total", "totals", "grand total", "sum", "subtotal", "sub-total"))


@dataclass(frozen=True)
class RawTable:
    """One table as text. ``columns`` are all it may have, ``texts`` those it has, trimmed and unquoted.

    ``defaults`` are those of inventory.yaml, by column: the cell and where it is written.
    """

    schema: TableSchema
    columns: Mapping[str, Column]
    texts: Mapping[str, Texts]
    lines: Ints
    places: Places
    whole: bool = True
    read: tuple[Path, ...] = ()
    defaults: Mapping[str, tuple[str, Place]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def file(self) -> str:
        """The file as named in messages."""
        return self.places.source.file

    def text(self, column: str) -> list[str]:
        """The cells of a column; blank where the file lacks it."""
        found = self.texts.get(column)
        return found.list() if found else [""] * len(self)

    def keys(self) -> list[tuple[str, ...]]:
        """The key of each row, in parts."""
        return list(zip(*map(self.text, self.schema.key), strict=True))

    def joined_keys(self) -> list[str]:
        """The key of each row, its parts joined with dots."""
        return [".".join(parts) for parts in zip(*map(self.text, self.schema.key), strict=True)]

    def place(self, row: int, column: str = "") -> Place:
        """Where a cell or row was written."""
        return self.places.place(int(self.lines[row]), column)

    def take(self, rows: Ints) -> RawTable:
        """Some rows, in the order given."""
        texts = {name: cells.take(rows) for name, cells in self.texts.items()}
        return replace(self, texts=texts, lines=self.lines[rows])

    def with_texts(self, column: str, texts: Texts) -> RawTable:
        """The table with one column replaced or added."""
        return replace(self, texts={**self.texts, column: texts})

    def sorted(self) -> RawTable:
        """Rows by key, so that their order in the file changes nothing."""
        keys = self.keys() if len(self.schema.key) > 1 else self.text(self.schema.key[0])
        return self.take(np.array(sorted(range(len(self)), key=keys.__getitem__), dtype=np.int64))


def empty(schema: TableSchema, columns: Mapping[str, Column], path: Path, file: str, whole: bool = True) -> RawTable:
    """A table without rows, because its file is absent (or, if not ``whole``, could not be read)."""
    return RawTable(schema, columns, {}, no_rows(), Places(Source(path, file, {})), whole)


def report(table: RawTable, column: str, texts: Texts, findings: Mapping[int, Finding], faults: Faults) -> None:
    """Record what is wrong with distinct texts, once for each row that holds one, in file order.

    ``findings`` is by index of the distinct text. Beyond what is kept of a code, faults are only counted.
    """
    by_code: dict[tuple[str, Severity], list[int]] = {}
    for index, finding in findings.items():
        by_code.setdefault((finding.code, finding.severity), []).append(index)
    for (code, severity), indices in by_code.items():
        rows = np.flatnonzero(np.isin(texts.code, indices))
        rows = rows[np.argsort(table.lines[rows], kind="stable")]
        room = faults.room(table.file, code, severity)
        for row in rows[:room].tolist():
            index = int(texts.code[row])
            finding, text = findings[index], texts.distinct[index]
            shown = f'"{text}" ' if text else ""
            message = f"{column}: {shown}{finding.message}"
            faults.add(Fault(table.place(row, column), code, message, finding.fix, severity))
        if len(rows) > room:
            faults.count_only(table.file, code, len(rows) - room, severity)


def match(csv: CsvFile, schema: TableSchema, columns: Mapping[str, Column], faults: Faults) -> RawTable:
    """A file's columns matched with its schema: unknown, missing and repeated ones are faults."""
    header = _header(csv, columns, faults)
    fields = {name: header.index(name) for name in header if name}
    places = Places(Source(csv.path, csv.file, fields, csv.separator, csv.sheet))
    table = RawTable(schema, columns, {}, csv.lines, places, csv.whole, (csv.path,))
    texts = {}
    for name, index in fields.items():
        column = columns.get(name) or own_column(name)
        texts[name] = _clean(table, column, csv.columns[index], faults)
    for column in columns.values():
        if column.required and column.name not in texts:
            message = f'the column "{column.name}" ({column.description}) is missing'
            fix = did_you_mean(column.name, set(header) - columns.keys(), "add it to the header")
            faults.error(Place(csv.file, csv.header_line), "missing-column", message, fix)
    own = {name: own_column(name) for name in texts if name.startswith(OWN_PREFIX)}
    # Without its ids nothing can refer to the table's rows: that is one fault, not one for each reference.
    whole = table.whole and schema.key[0] in texts
    table = replace(table, texts=texts, columns={**columns, **own}, whole=whole)
    _total_rows(table, faults)
    return table


def own_column(name: str) -> Column:
    """The declaration of a column that is the user's own."""
    return Column(name, Kind.TEXT, "your own column, carried along")


def _header(csv: CsvFile, columns: Mapping[str, Column], faults: Faults) -> list[str]:
    """Column names by field, blank for those that are not read."""
    names = [trimmed(name) for name in csv.header]
    place = Source(csv.path, csv.file, {str(i): i for i in range(len(names))}, csv.separator, csv.sheet)
    line = csv.header_line

    def where(index: int) -> Place:
        span = place.span(line, str(index))
        return Place(csv.file, span.line, span.column) if span else Place(csv.file, line)

    seen: set[str] = set()
    for index, name in enumerate(names):
        if name and name in seen:
            message = f'the column "{name}" stands twice in the header'
            faults.error(where(index), "duplicate-header", message, "keep one, or rename the other")
        elif not name:
            if any(csv.columns[index].distinct):
                faults.error(where(index), "unknown-column", "a column with cells has no name", "name it in the header")
        elif name not in columns and not name.startswith(OWN_PREFIX):
            names[index] = ""
            if not faults.room(csv.file, "unknown-column"):
                # Looking for near names takes its time, and a broken header may hold thousands.
                faults.count_only(csv.file, "unknown-column", 1, Severity.ERROR)
                continue
            otherwise = "remove it, or begin its name with x_ if it is your own"
            fix = did_you_mean(name, columns, otherwise)
            faults.error(where(index), "unknown-column", f'no column is called "{name}"', fix)
        elif name != csv.header[index].strip("\ufeff"):
            message = f'the column name "{csv.header[index]}" has white space around it'
            faults.warning(where(index), "stray-whitespace", message, "remove it")
        seen.add(name)
    return names


def _clean(table: RawTable, column: Column, texts: Texts, faults: Faults) -> Texts:
    """A column trimmed and, where it holds text, without the apostrophes that guard formulas."""
    joined = "".join(texts.distinct)
    cells = tuple(map(str.strip, texts.distinct))
    if not joined.isascii() or cells != texts.distinct or max(map(len, cells), default=0) > LONGEST_CELL:
        _report_unclean(table, column, texts, faults)
        cells = tuple(map(trimmed, texts.distinct))
    if column.kind not in UNTEXTUAL and "'" in joined:
        cells = tuple(map(unquoted, cells))
    return Texts(cells, texts.code)


def _report_unclean(table: RawTable, column: Column, texts: Texts, faults: Faults) -> None:
    is_id = column.kind not in UNTEXTUAL and column.kind is not Kind.TEXT
    findings: dict[int, Finding] = {}
    for index, text in enumerate(texts.distinct):
        if len(text) > LONGEST_CELL:
            message = f"is {len(text):,} characters long; {LONGEST_CELL:,} fit in a spreadsheet's cell"
            findings[index] = Finding("too-large", message, "shorten it")
        elif text and (text[0] <= " " or text[-1] <= " " or not text.isascii()):
            found = stray_space(text, is_id)
            if found:
                findings[index] = found
    shown = Texts(tuple(text[:40] for text in texts.distinct), texts.code)
    report(table, column.name, shown, findings, faults)


def _total_rows(table: RawTable, faults: Faults) -> None:
    first = table.texts.get(table.schema.key[0])
    if first is None:
        return
    message = "looks like a row of totals; it would be read as one more row"
    finding = Finding("total-row", message, "delete the row", Severity.WARNING)
    totals = {i: finding for i, text in enumerate(first.distinct) if text.casefold() in _TOTALS}
    report(table, table.schema.key[0], first, totals, faults)


def fill_defaults(table: RawTable, defaults: Mapping[str, tuple[str, Place]]) -> RawTable:
    """Blank cells filled from the defaults of inventory.yaml; a column that is missing is added."""
    table = replace(table, defaults=defaults)
    if not len(table):
        return table
    for column, (text, _) in defaults.items():
        found = table.texts.get(column) or Texts(("",), np.zeros(len(table), dtype=np.int64))
        filled = tuple(cell or text for cell in found.distinct)
        table = table.with_texts(column, Texts(filled, found.code))
    places = {column: place for column, (_, place) in defaults.items()}
    return replace(table, places=replace(table.places, defaults=places))


def rows_where(table: RawTable, column: str, ids: Iterable[str]) -> Ints:
    """Rows whose cell in ``column`` is one of ``ids``."""
    texts, wanted = table.texts.get(column), frozenset(ids)
    if texts is None:
        return no_rows()
    indices = [i for i, text in enumerate(texts.distinct) if text in wanted]
    found: Ints = np.flatnonzero(np.isin(texts.code, indices))
    return found


def own_nodes(table: RawTable) -> list[str]:
    """The node each row of organisations, sites or nodes stands at."""
    ids = table.text(table.schema.key[0])
    if table.schema.name not in AT_NODES:
        return ids
    return [node or own for node, own in zip(table.text("node"), ids, strict=True)]


def node_names(tables: Mapping[str, RawTable]) -> set[str]:
    """Every name in the namespace of network nodes."""
    return {name for table in (*AT_NODES, "nodes") for name in own_nodes(tables[table]) if name}
