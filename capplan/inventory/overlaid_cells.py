"""The cells and rows that a scenario names: found, scaled, added."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import ceil
from typing import TypeAlias

import numpy as np

from capplan.errors import Faults, Place, did_you_mean
from capplan.inventory.cells import MOST_DIGITS, parse_number
from capplan.inventory.columns import unknown_name
from capplan.inventory.csvfile import Texts
from capplan.inventory.raw import RawTable, own_column
from capplan.inventory.schema import NUMERIC, Column, Kind
from capplan.overlay import Addition, Scaling
from capplan.units import Ints, decimal_text

Tables: TypeAlias = dict[str, RawTable]
Found: TypeAlias = tuple[RawTable, Ints, str]

EVERY = "*"


def cells_named(tables: Tables, path: str, place: Place, faults: Faults) -> Found | None:
    """Table, rows and column of ``table.key.column``; None, with a fault, where there are none."""
    name, _, rest = path.partition(".")
    key, _, column = rest.rpartition(".")
    if not (name and key and column):
        message = f'"{path}" does not name a cell'
        faults.error(place, "bad-path", message, "write table.row.column, such as sites.B.power_kw")
        return None
    table = table_named(tables, name, place, faults)
    if table is None:
        return None
    rows = np.arange(len(table)) if key == EVERY else _row(table, key, place, faults)
    if column not in table.columns or column in table.schema.key:
        settable = [c for c in table.columns if c not in table.schema.key]
        fix = did_you_mean(column, settable, f"columns of {name}: " + ", ".join(sorted(settable)))
        faults.error(place, "unknown-column", f'{name} has no column "{column}" that can be set', fix)
        return None
    return None if rows is None else (table, rows, column)


def table_named(tables: Tables, name: str, place: Place, faults: Faults) -> RawTable | None:
    """The table of that name; None, with a fault, where there is none."""
    if name not in tables:
        fix = did_you_mean(name, tables, "tables: " + ", ".join(sorted(tables)))
        faults.error(place, "unknown-table", f'no table is called "{name}"', fix)
    return tables.get(name)


def rows_named(table: RawTable, names: set[str]) -> Ints:
    """Rows whose first key column, or whole key joined with dots, is among ``names``."""
    found = [row for row, key in enumerate(table.keys()) if key[0] in names or ".".join(key) in names]
    return np.array(found, dtype=np.int64)


def _row(table: RawTable, key: str, place: Place, faults: Faults) -> Ints | None:
    keys = table.joined_keys()
    if key in keys:
        return np.array([keys.index(key)], dtype=np.int64)
    rows = rows_named(table, {key})
    if len(rows) == 1:
        return rows
    name = table.schema.name
    if len(rows):
        message = f'"{key}" names {len(rows)} rows of {name}'
        fix = "write the whole key: " + " or ".join(keys[row] for row in rows[:3])
        faults.error(place, "unknown-reference", message, fix)
    elif table.whole:
        finding = unknown_name(key, keys, name)
        faults.error(place, finding.code, f'"{key}" {finding.message}', finding.fix)
    return None


def with_cells(table: RawTable, rows: Ints, column: str, texts: Texts, place: Place) -> RawTable:
    """The table with a column replaced, its ``rows`` told to be written at ``place``."""
    written = {(line, column): place for line in table.lines[rows].tolist()}
    places = replace(table.places, overridden={**table.places.overridden, **written})
    return replace(table.with_texts(column, texts), places=places)


def scale_cells(tables: Tables, found: Found, scaling: Scaling, faults: Faults) -> None:
    """Change numbers; blank cells and words such as unlimited stay where every row is meant."""
    table, rows, name = found
    column = table.columns[name]
    if column.kind not in NUMERIC:
        message = f"{table.schema.name}.{name} holds no numbers"
        faults.error(scaling.place, "wrong-value", message, "set it to another value instead")
        return
    texts = table.texts.get(name) or Texts(("",), np.zeros(len(table), dtype=np.int64))
    distinct = [_scaled(text or column.default, column, scaling) for text in texts.distinct]
    changes = np.array([text is not None for text in distinct])[texts.code[rows]]
    if f".{EVERY}." not in scaling.path and not changes.all():
        text = texts.distinct[int(texts.code[rows[0]])]
        message = f'"{text}" of {scaling.path} is no number to change' if text else f"{scaling.path} is blank"
        faults.error(scaling.place, "wrong-value", message, "set it to a number first")
        return
    code = texts.code.copy()
    code[rows[changes]] += len(texts.distinct)
    both = Texts((*texts.distinct, *(text or "" for text in distinct)), code)
    tables[table.schema.name] = with_cells(table, rows[changes], name, both, scaling.place)


def _scaled(text: str, column: Column, scaling: Scaling) -> str | None:
    pair = parse_number(text)
    if pair is None:
        return None
    value = Fraction(pair[0], 10 ** pair[1]) * scaling.times + scaling.plus
    # Half a user is a user more: what is counted is rounded up, as demand is.
    return str(ceil(value)) if column.kind is Kind.COUNT else decimal_text(value, MOST_DIGITS)


def add_row(tables: Tables, addition: Addition, faults: Faults) -> None:
    """Append a row; columns that no schema has are faults, what it lacks is blank."""
    table = table_named(tables, addition.table, addition.place, faults)
    if table is None:
        return
    cells = {name: text for name, (text, _) in table.defaults.items()} | dict(addition.cells)
    unknown = [name for name in cells if name not in table.columns and not name.startswith("x_")]
    for name in unknown:
        fix = did_you_mean(name, table.columns, f"columns of {addition.table}: " + ", ".join(sorted(table.columns)))
        faults.error(addition.place, "unknown-column", f'{addition.table} has no column "{name}"', fix)
    missing = [c.name for c in table.columns.values() if c.required and not cells.get(c.name)]
    if missing:
        message = f"the row to add to {addition.table} has no {' and no '.join(missing)}"
        faults.error(addition.place, "empty-mandatory-cell", message, "write every column in bold of the documentation")
    if not unknown and not missing:
        tables[addition.table] = _appended(table, cells, addition.place)


def _appended(table: RawTable, cells: dict[str, str], place: Place) -> RawTable:
    # Beyond the file's end, so that no cell of it is taken for the new row's.
    line = int(max(table.lines, default=1)) + 1
    names = [*table.texts, *(name for name in cells if name not in table.texts)]
    texts = {}
    for name in names:
        known = table.texts.get(name) or Texts(("",), np.zeros(len(table), dtype=np.int64))
        code = np.append(known.code, len(known.distinct)).astype(np.int64)
        texts[name] = Texts((*known.distinct, cells.get(name, "").strip()), code)
    columns = {**table.columns, **{name: own_column(name) for name in names if name not in table.columns}}
    written = {(line, name): place for name in columns}
    places = replace(table.places, overridden={**table.places.overridden, **written})
    return replace(table, texts=texts, lines=np.append(table.lines, line), columns=columns, places=places)
