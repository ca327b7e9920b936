"""From raw tables to the typed inventory: ids and nodes first, then every column, then what sums them up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from capplan.errors import Faults
from capplan.inventory.columns import Names, typed
from capplan.inventory.csvfile import Texts
from capplan.inventory.raw import AT_NODES, RawTable, own_nodes
from capplan.inventory.schema import NUMERIC, RESOURCES, Column, Kind
from capplan.inventory.settings import Settings
from capplan.inventory.source import Places, Source, no_rows
from capplan.inventory.table import Inventory, Table
from capplan.units import BUILT_IN, UNLIMITED, Ints, Resource

COOLING, POWER = "cooling_kw", "power_kw"


def type_tables(
    raw: Mapping[str, RawTable], resources: Sequence[Resource], nodes: Sequence[str], faults: Faults
) -> dict[str, Table]:
    """Every table typed, its faults recorded. Tables must already be sorted by key."""
    names = reference_names(raw, nodes)
    return {name: type_table(table, resources, names, faults) for name, table in raw.items()}


def reference_names(raw: Mapping[str, RawTable], nodes: Sequence[str]) -> Names:
    """What references may name, given every raw table."""
    rows = {}
    for name, table in raw.items():
        ids = table.text(table.schema.key[0])
        rows[name] = dict(zip(ids, range(len(ids)), strict=True))
    partial = {name for name, table in raw.items() if not table.whole}
    if partial & {*AT_NODES, "nodes"}:
        partial.add("nodes")
    return Names(rows, {node: i for i, node in enumerate(nodes)}, frozenset(partial))


def type_table(raw: RawTable, resources: Sequence[Resource], names: Names, faults: Faults) -> Table:
    """One table typed."""
    told = _faulty_defaults(raw, resources, names, faults)
    cells = {
        name: typed(raw, column, _resource_of(column, resources), names, faults, told.get(name, ""))
        for name, column in raw.columns.items()
    }
    name, present = raw.schema.name, frozenset(raw.texts)
    node_rows = no_rows()
    if name in (*AT_NODES, "nodes"):
        node_rows = np.array([names.nodes.get(node, -1) for node in own_nodes(raw)], dtype=np.int64)
    for array in (raw.lines, node_rows):
        array.setflags(write=False)
    return Table(name, raw.file, raw.lines, raw.schema, cells, present, raw.places, node_rows)


def _faulty_defaults(raw: RawTable, resources: Sequence[Resource], names: Names, faults: Faults) -> dict[str, str]:
    """Defaults with something wrong, by column; told once where they are written, not for every blank cell."""
    told = {}
    for name, (text, place) in raw.defaults.items():
        one = np.zeros(1, dtype=np.int64)
        source = Source(raw.places.source.path, place.file, {})
        places = Places(source, overridden={(0, name): place})
        cell = replace(raw, texts={name: Texts((text,), one)}, lines=one.copy(), places=places)
        found = Faults()
        typed(cell, raw.columns[name], _resource_of(raw.columns[name], resources), names, found)
        if found.kept:
            faults.extend(found.kept)
            told[name] = text
    return told


def _resource_of(column: Column, resources: Sequence[Resource]) -> Resource | None:
    """The resource a quantity counts: the longest name that its column is, or ends with."""
    if column.kind is not Kind.QUANTITY:
        return None
    fits = [r for r in resources if column.name == r.name or column.name.endswith("_" + r.name)]
    return max(fits, key=lambda resource: len(resource.name), default=None)


def assemble(
    folder: Path,
    settings: Settings,
    tables: Mapping[str, Table],
    nodes: tuple[str, ...],
    removed_sites: frozenset[str],
    files: tuple[Path, ...],
) -> Inventory:
    """The inventory of typed tables, with demand, capacity and current sites worked out."""
    resources = mentioned(tables, settings.resources)
    removed = np.array([site in removed_sites for site in tables["sites"].ids], dtype=bool)
    demand, capacity = _demand(tables["workloads"], resources), _capacity(tables["sites"], resources)
    current = current_sites(tables["workloads"], tables["allocation"])
    for array in (removed, demand, capacity, current):
        array.setflags(write=False)
    return Inventory(
        folder=folder,
        title=settings.title,
        currency=settings.currency,
        as_of=settings.as_of,
        description=settings.description,
        model=settings.model,
        sources=settings.sources,
        assumptions=settings.assumptions,
        placements_listed=settings.placements_listed,
        resources=resources,
        declared=tuple(r for r in settings.resources if r not in BUILT_IN),
        nodes=nodes,
        removed_sites=removed,
        files=files,
        tables=tables,
        demand=demand,
        capacity=capacity,
        current_site=current,
    )


def mentioned(tables: Mapping[str, Table], resources: Sequence[Resource]) -> tuple[Resource, ...]:
    """Resources that any table mentions: a column of theirs is in a file, or an expansion widens them.

    Cooling counts only where some cell gives it: a column left blank means that it never binds.
    """
    names: set[str] = set()
    for table in tables.values():
        families = {c.name for c in table.schema.columns if c.per_resource and c.kind in NUMERIC}
        for resource in resources:
            columns = {family + resource.name for family in families} & table.present
            if resource.name == COOLING:
                columns = {column for column in columns if table.given(column).any()}
            if columns:
                names.add(resource.name)
        for column in table.schema.columns:
            if column.refers_to == RESOURCES:
                names.update(table.text(column.name))
    return tuple(resource for resource in resources if resource.name in names)


def _demand(workloads: Table, resources: Sequence[Resource]) -> Ints:
    demand = np.zeros((len(workloads), len(resources)), dtype=np.int64)
    for i, resource in enumerate(resources):
        demand[:, i] = workloads.quantities(resource.name, "up")
        if resource.name == COOLING:
            # Heat is power, in the same steps.
            blank = ~workloads.given(COOLING)
            demand[blank, i] = workloads.quantities(POWER, "up")[blank]
    return demand


def _capacity(sites: Table, resources: Sequence[Resource]) -> Ints:
    capacity = np.zeros((len(sites), len(resources)), dtype=np.int64)
    for i, resource in enumerate(resources):
        capacity[:, i] = sites.quantities(resource.name, "down")
        if resource.name == COOLING:
            capacity[~sites.given(COOLING), i] = UNLIMITED
    return capacity


def current_sites(workloads: Table, allocation: Table) -> Ints:
    """Where each workload is today, -1 where unknown; its own cell wins over the allocation table."""
    current = workloads.refs("current_site").copy()
    rows, sites = allocation.refs("workload"), allocation.refs("site")
    status = np.array([text != "left_out" for text in allocation.text("status")], dtype=bool)
    known = status & (rows >= 0) & (sites >= 0)
    rows, sites = rows[known], sites[known]
    free = ~workloads.given("current_site")[rows]
    current[rows[free]] = sites[free]
    return current
