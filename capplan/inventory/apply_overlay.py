"""A scenario's changes applied to raw tables: cells set, rows taken away with whatever refers to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from capplan.errors import Faults, did_you_mean
from capplan.inventory.columns import unknown_name
from capplan.inventory.csvfile import Texts
from capplan.inventory.overlaid_cells import Tables, add_row, cells_named, rows_named, scale_cells, with_cells
from capplan.inventory.raw import AT_NODES, RawTable, node_names, rows_where
from capplan.inventory.schema import Kind
from capplan.overlay import Overlay, Removal, Scaling, Setting
from capplan.units import Ints

KEEPING = "sites"
"""Rows of this table stay, flagged: what refers to a lost site must still say where it stood."""


@dataclass(frozen=True)
class Changed:
    """Tables after a scenario's changes, and the ids of the sites it takes away."""

    tables: Tables
    removed_sites: frozenset[str]


def apply_overlay(tables: Mapping[str, RawTable], overlay: Overlay, faults: Faults) -> Changed:
    """Apply what an overlay is stacked upon, then add rows, set and scale cells, and remove rows.

    What names no table, row or column is a fault at its place.
    """
    changed, removed = dict(tables), set[str]()
    for below in overlay.before:
        under = apply_overlay(changed, below, faults)
        changed, removed = under.tables, removed | under.removed_sites
    for addition in overlay.add:
        add_row(changed, addition, faults)
    for setting in overlay.set:
        _set(changed, setting, faults)
    for scaling in overlay.scale:
        _scale(changed, scaling, faults)
    nodes = node_names(changed)
    gone: dict[str, set[str]] = {}
    for removal in overlay.remove:
        _mark(changed, removal, gone, faults)
    removed_sites = frozenset(gone.pop(KEEPING, ()))
    for name, ids in gone.items():
        _remove(changed, name, rows_named(changed[name], ids))
    _cut_off(changed, (nodes - node_names(changed)) | gone.get("nodes", set()))
    return Changed(changed, removed_sites | removed)


def _set(tables: Tables, setting: Setting, faults: Faults) -> None:
    found = cells_named(tables, setting.path, setting.place, faults)
    if found is None:
        return
    table, rows, column = found
    texts = table.texts.get(column) or Texts(("",), np.zeros(len(table), dtype=np.int64))
    code = texts.code.copy()
    code[rows] = len(texts.distinct)
    changed = Texts((*texts.distinct, setting.text.strip()), code)
    tables[table.schema.name] = with_cells(table, rows, column, changed, setting.place)


def _scale(tables: Tables, scaling: Scaling, faults: Faults) -> None:
    found = cells_named(tables, scaling.path, scaling.place, faults)
    if found is not None:
        scale_cells(tables, found, scaling, faults)


def _mark(tables: Tables, removal: Removal, gone: dict[str, set[str]], faults: Faults) -> None:
    table = tables.get(removal.table)
    if table is None:
        fix = did_you_mean(removal.table, tables, "tables: " + ", ".join(sorted(tables)))
        faults.error(removal.place, "unknown-table", f'no table is called "{removal.table}"', fix)
    elif len(rows_named(table, {removal.id})):
        gone.setdefault(removal.table, set()).add(removal.id)
    elif table.whole:
        names = table.text(table.schema.key[0])
        finding = unknown_name(removal.id, names, removal.table)
        faults.error(removal.place, finding.code, f'"{removal.id}" {finding.message}', finding.fix)


def _remove(tables: Tables, name: str, rows: Ints) -> None:
    """Take rows away, then the rows of every table that refer to them, and so on."""
    if not len(rows):
        return
    table = tables[name]
    ids = {table.text(table.schema.key[0])[row] for row in rows.tolist()}
    tables[name] = table.take(np.setdiff1d(np.arange(len(table)), rows))
    ids -= set(tables[name].text(table.schema.key[0]))
    for other in list(tables):
        for column in tables[other].columns.values():
            to_workload = column.kind is Kind.END and name == "workloads"
            if (column.kind is Kind.REF and column.refers_to == name) or to_workload:
                _remove(tables, other, rows_where(tables[other], column.name, ids))
            elif column.kind is Kind.REFS and column.refers_to == name:
                _forget(tables, other, column.name, ids)


def _cut_off(tables: Tables, nodes: set[str]) -> None:
    """Take away what ends at nodes that are gone."""
    for name in list(tables):
        for column in tables[name].columns.values():
            if column.kind in (Kind.NODE, Kind.END) and name not in AT_NODES:
                _remove(tables, name, rows_where(tables[name], column.name, nodes))


def _forget(tables: Tables, name: str, column: str, ids: set[str]) -> None:
    """Take ids out of lists. A list that is left empty takes its row along: blank would mean all."""
    texts = tables[name].texts.get(column)
    if texts is None:
        return
    members = [[part.strip() for part in text.split(";") if part.strip()] for text in texts.distinct]
    left = tuple(";".join(m for m in parts if m not in ids) for parts in members)
    emptied = [i for i, parts in enumerate(members) if parts and not left[i]]
    tables[name] = tables[name].with_texts(column, Texts(left, texts.code))
    _remove(tables, name, np.flatnonzero(np.isin(texts.code, emptied)))
