"""Tables and columns as data: what a reader accepts, a writer writes and the documentation lists.

Only columns that no single rule owns are declared in ``core``; a rule brings further columns, or whole
tables, as ``TableSchema`` values of its own, which ``merged`` adds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from capplan.units import Resource


class Kind(StrEnum):
    """How a cell is read."""

    ID = "id"
    TEXT = "text"
    REF = "reference"
    REFS = "references"
    WORDS = "words"
    CHOICE = "choice"
    FLAG = "yes/no"
    DATE = "date"
    DECIMAL = "decimal"
    COUNT = "whole number"
    QUANTITY = "quantity"
    NODE = "node"
    END = "workload or node"


NUMERIC = frozenset({Kind.DECIMAL, Kind.COUNT, Kind.QUANTITY})
UNTEXTUAL = NUMERIC | {Kind.DATE, Kind.FLAG}
"""Kinds whose cells no spreadsheet takes for a formula and which therefore are never quoted."""

RESOURCES = "resources"
"""``refers_to`` of a CHOICE column whose choices are the names of the resources."""


@dataclass(frozen=True)
class Column:
    """One column of a table.

    ``default`` is the cell a blank one stands for, ``minimum`` and ``maximum`` bound numbers (a QUANTITY
    is never negative unless ``minimum`` says so). A number column's ``choices`` are the words legal in
    place of a number. With ``per_resource`` the column stands for a family, one for each resource, named
    ``name`` followed by the resource's name. The unit ``share`` marks fractions such as 0.05. A replica's blank cell
    takes its primary's value where the column ``inherits``.
    """

    name: str
    kind: Kind
    description: str
    required: bool = False
    refers_to: str = ""
    choices: tuple[str, ...] = ()
    default: str = ""
    minimum: int | None = None
    maximum: int | None = None
    unit: str = ""
    per_resource: bool = False
    inherits: bool = True


@dataclass(frozen=True)
class TableSchema:
    """A table: its file is ``name.csv``, ``key`` names the columns that identify a row."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    description: str

    def column(self, name: str) -> Column:
        """The declared column of that name (KeyError if there is none)."""
        return next(column for column in self.columns if column.name == name)


def merged(core: Sequence[TableSchema], extra: Iterable[TableSchema]) -> dict[str, TableSchema]:
    """Core tables with the columns and tables of ``extra`` added, by name.

    The same column may be brought twice if it is the same; ValueError otherwise (a defect of the rules).
    """
    tables = {table.name: table for table in core}
    for table in extra:
        known = tables.get(table.name)
        tables[table.name] = table if known is None else _joined(known, table)
    return tables


def _joined(table: TableSchema, extra: TableSchema) -> TableSchema:
    columns = {(column.name, column.per_resource): column for column in table.columns}
    for column in extra.columns:
        known = columns.setdefault((column.name, column.per_resource), column)
        if known != column:
            raise ValueError(f"two rules declare {table.name}.{column.name} differently")
    return replace(table, columns=tuple(columns.values()))


def concrete(table: TableSchema, resources: Sequence[Resource]) -> dict[str, Column]:
    """The columns of a table by the name they have in a file: families spelled out for each resource."""
    columns: dict[str, Column] = {}
    for column in table.columns:
        if column.per_resource:
            for resource in resources:
                name = column.name + resource.name
                unit = column.unit or resource.unit
                columns[name] = replace(column, name=name, unit=unit, per_resource=False)
        elif column.refers_to == RESOURCES:
            columns[column.name] = replace(column, choices=tuple(r.name for r in resources))
        else:
            columns[column.name] = column
    return columns


def taken_names(tables: Mapping[str, TableSchema]) -> frozenset[str]:
    """Names that a declared resource may not have, because a table has a column of that name."""
    return frozenset(column.name for table in tables.values() for column in table.columns if column.name)


def family_prefixes(tables: Mapping[str, TableSchema]) -> frozenset[str]:
    """What family columns begin with (``cost_``, ``growth_`` …); no resource's name may begin so."""
    families = (c for table in tables.values() for c in table.columns if c.per_resource)
    return frozenset(column.name for column in families if column.name)
