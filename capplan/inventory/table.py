"""Typed, frozen tables: what the floors above read. Nothing here can be missing or malformed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np

from capplan.errors import Place
from capplan.inventory.schema import Column, Kind, TableSchema
from capplan.inventory.source import Places
from capplan.units import UNLIMITED, Bools, Currency, Decimals, Ints, Resource

_Array = TypeVar("_Array", Ints, Bools)


@dataclass(frozen=True, eq=False)
class Cells:
    """One typed column, factorised: what is distinct is held once.

    ``texts`` [distinct] with the column's default in place of blank, ``code`` [row] which of them a row
    holds, ``given`` [row] whether its cell was filled in. By kind, per distinct text: ``numbers``
    (decimals, counts, quantities), ``ints`` (rows referred to, nodes, dates as ordinals, flags; -1 blank;
    for numbers 1 where a word stands in place of the number), ``lists`` (references), ``words``.
    """

    column: Column
    texts: tuple[str, ...]
    code: Ints
    given: Bools
    numbers: Decimals
    ints: Ints
    lists: tuple[tuple[int, ...], ...] = ()
    words: tuple[tuple[str, ...], ...] = ()
    resource: Resource | None = None


@dataclass(frozen=True, eq=False)
class Table:
    """A table, rows sorted by key, so that the order of rows in a file changes nothing.

    ``lines`` int64 [row]: physical line in ``file`` on which each row begins. Asking for a column that the
    schema has and the file lacks gives its default; a column no schema has is a KeyError, our defect.
    """

    name: str
    file: str
    lines: Ints
    schema: TableSchema
    cells: Mapping[str, Cells]
    present: frozenset[str]
    places: Places
    node_rows: Ints
    """Node of each row of a table that names nodes (organisations, sites, nodes); empty otherwise."""

    def __len__(self) -> int:
        return len(self.lines)

    def __repr__(self) -> str:
        return f"<Table {self.name}: {len(self)} rows, {', '.join(sorted(self.present)) or 'no columns'}>"

    def __eq__(self, other: object) -> bool:
        """Whether both hold the same rows, wherever they were read."""
        if not isinstance(other, Table):
            return NotImplemented
        filled = [{c for c in t.present if t.cells[c].given.any()} for t in (self, other)]
        same = self.name == other.name and len(self) == len(other) and filled[0] == filled[1]
        return same and all(self._same_column(other, column) for column in filled[0])

    __hash__ = None  # type: ignore[assignment]  # equality looks at arrays; nothing needs to hash tables

    def _same_column(self, other: Table, column: str) -> bool:
        given = np.array_equal(self.given(column), other.given(column))
        return given and self.text(column) == other.text(column)

    @cached_property
    def ids(self) -> list[str]:
        """The first key column of each row."""
        return self.text(self.schema.key[0])

    @cached_property
    def keys(self) -> list[str]:
        """The whole key of each row, parts joined with a dot, as a scenario's ``set`` writes it."""
        return [".".join(parts) for parts in zip(*map(self.text, self.schema.key), strict=True)]

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.ids)}

    def row(self, name: str) -> int:
        """The row with that id (KeyError if there is none)."""
        return self._rows[name]

    def find(self, name: str) -> int:
        """The row with that id, -1 if there is none."""
        return self._rows.get(name, -1)

    def has(self, column: str) -> bool:
        """Whether the file, a default of inventory.yaml or a scenario has this column."""
        self._column(column)
        return column in self.present

    def text(self, column: str) -> list[str]:
        """The cells as text, defaults in place of blanks."""
        cells = self._column(column)
        return [cells.texts[code] for code in cells.code.tolist()]

    def given(self, column: str) -> Bools:
        """Where the cell is not blank. bool [row]."""
        return self._column(column).given

    def refs(self, column: str) -> Ints:
        """Rows of the table referred to, -1 where blank. int64 [row]."""
        return self._ints(column, Kind.REF)

    def ref_lists(self, column: str) -> list[tuple[int, ...]]:
        """Rows of the table referred to, in the order written, without repeats."""
        cells = self._column(column, Kind.REFS)
        return [cells.lists[code] for code in cells.code.tolist()]

    def words(self, column: str) -> list[tuple[str, ...]]:
        """The words of each cell, in the order written, without repeats."""
        cells = self._column(column, Kind.WORDS)
        return [cells.words[code] for code in cells.code.tolist()]

    def distinct_lists(self, column: str) -> tuple[tuple[tuple[int, ...], ...], Ints]:
        """The different lists of ``ref_lists``, and which of them each row has. int64 [row]."""
        cells = self._column(column, Kind.REFS)
        return cells.lists, cells.code

    def distinct_words(self, column: str) -> tuple[tuple[tuple[str, ...], ...], Ints]:
        """The different cells of ``words``, and which of them each row has. int64 [row]."""
        cells = self._column(column, Kind.WORDS)
        return cells.words, cells.code

    def flags(self, column: str) -> Bools:
        """Where the cell says ``yes``. bool [row]."""
        return _frozen(self._ints(column, Kind.FLAG) > 0)

    def dates(self, column: str, blank: int) -> Ints:
        """Dates as proleptic ordinals (``date.toordinal``), ``blank`` where blank. int64 [row]."""
        found = self._ints(column, Kind.DATE)
        return _frozen(np.where(found < 0, blank, found))

    def decimals(self, column: str) -> Decimals:
        """Exact decimals; not given where blank without a default."""
        cells = self._column(column, Kind.DECIMAL, Kind.COUNT, Kind.QUANTITY)
        return cells.numbers.take(cells.code)

    def counts(self, column: str) -> Ints:
        """Whole numbers, 0 where blank without a default. int64 [row]."""
        cells = self._column(column, Kind.COUNT)
        return _frozen(cells.numbers.rounded(1, "down")[cells.code])

    def quantities(self, column: str, how: str) -> Ints:
        """A resource in steps, rounded ``up`` or ``down``; blank 0, unlimited UNLIMITED. int64 [row]."""
        cells = self._column(column, Kind.QUANTITY)
        step = cells.resource.step if cells.resource else Fraction(1)
        steps = np.where(cells.ints > 0, UNLIMITED, cells.numbers.rounded(step, how))
        return _frozen(steps[cells.code])

    def nodes(self, column: str) -> Ints:
        """Index in ``Inventory.nodes``, -1 where blank; what has a node of its own is there. int64 [row]."""
        if column == "node" and len(self.node_rows):
            return self.node_rows
        return self._ints(column, Kind.NODE, Kind.ID)

    def ends(self, column: str) -> tuple[Ints, Ints]:
        """The workload (row) and the node (number) that each cell names, -1 where it names none. int64 [row] each."""
        found = self._ints(column, Kind.END)
        workload = np.where((found >= 0) & (found % 2 == 0), found // 2, -1)
        return workload, np.where((found >= 0) & (found % 2 == 1), found // 2, -1)

    def place(self, row: int, column: str = "") -> Place:
        """Where a row, or one of its cells, was written."""
        return self.places.place(int(self.lines[row]), column)

    def _column(self, name: str, *kinds: Kind) -> Cells:
        cells = self.cells.get(name)
        if cells is None:
            raise KeyError(f"no schema declares {self.name}.{name}")
        if kinds and cells.column.kind not in kinds:
            raise KeyError(f"{self.name}.{name} is read as {cells.column.kind}, not as {kinds[0]}")
        return cells

    def _ints(self, name: str, *kinds: Kind) -> Ints:
        cells = self._column(name, *kinds)
        return _frozen(cells.ints[cells.code])


@dataclass(frozen=True, eq=False)
class Inventory:
    """Everything an inventory folder says.

    ``resources`` are those that any table mentions, built-in ones first; ``declared`` those of
    inventory.yaml. ``removed_sites`` bool [site]: taken away by the scenario, though rows may still refer
    to them. ``demand`` int64 [workload, resource], rounded up; ``capacity`` int64 [site, resource],
    rounded down, UNLIMITED where the site sets no limit; ``current_site`` int64 [workload], -1 where
    unknown.
    """

    folder: Path
    title: str
    currency: Currency
    as_of: date
    description: str
    model: str
    sources: tuple[str, ...]
    assumptions: tuple[str, ...]
    placements_listed: bool
    resources: tuple[Resource, ...]
    declared: tuple[Resource, ...]
    nodes: tuple[str, ...]
    removed_sites: Bools
    files: tuple[Path, ...]
    tables: Mapping[str, Table]
    demand: Ints
    capacity: Ints
    current_site: Ints

    def table(self, name: str) -> Table:
        """A table by name, empty where its file is absent (KeyError: no schema has it)."""
        return self.tables[name]

    def __repr__(self) -> str:
        sizes = ", ".join(f"{len(table)} {name}" for name, table in self.tables.items() if len(table))
        return f"<Inventory {self.title!r} at {self.as_of}: {sizes or 'empty'}>"

    def __eq__(self, other: object) -> bool:
        """Whether both say the same, wherever they were read."""
        if not isinstance(other, Inventory):
            return NotImplemented
        names = {name for x in (self, other) for name, table in x.tables.items() if len(table)}
        if self._facts() != other._facts() or not names <= self.tables.keys() & other.tables.keys():
            return False
        return all(self.tables[name] == other.tables[name] for name in names)

    __hash__ = None  # type: ignore[assignment]  # see Table

    def _facts(self) -> tuple[object, ...]:
        text = (self.title, self.currency, self.as_of, self.description, self.model)
        lists = (self.sources, self.assumptions, self.resources, self.declared, self.nodes)
        arrays = (self.removed_sites, self.demand, self.capacity, self.current_site)
        return (*text, *lists, self.placements_listed, *(array.tolist() for array in arrays))


def _frozen(array: _Array) -> _Array:
    array.setflags(write=False)
    return array
