"""What comes back from a run: ``allocation.csv`` and ``purchases.csv``, edited by hand or not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from capplan.errors import Faults, Place
from capplan.inventory.assemble import type_table
from capplan.inventory.cells import parse_number
from capplan.inventory.checks import check_raw, check_status
from capplan.inventory.columns import Names
from capplan.inventory.csvfile import read_csv
from capplan.inventory.raw import match
from capplan.inventory.schema import Column, Kind, TableSchema, concrete
from capplan.inventory.table import Inventory, Table
from capplan.units import BUILT_IN, Bools, Ints, Resource

PURCHASES = TableSchema(
    "purchases",
    ("purchase", "site", "period"),
    (
        Column("purchase", Kind.ID, "the expansion, pack or charge bought", required=True),
        Column("site", Kind.REF, "where", refers_to="sites"),
        Column("period", Kind.COUNT, "from which period it counts", default="0", minimum=0),
        Column("steps", Kind.COUNT, "how many steps", required=True, minimum=0),
        *(Column(name, Kind.TEXT, "ignored") for name in ("name", "gives", "cost", "cost_once", "note")),
    ),
    "What a plan buys.",
)


@dataclass(frozen=True, eq=False)
class Allocation:
    """Where each workload is, as one file says.

    ``site`` int64 [workload]: row of its site, -1 = left out or not in the file. ``line`` int64 [workload]:
    its line in ``file``, 0 = not there. ``given`` bool [workload]: the file has a row for it.
    """

    file: str
    site: Ints
    line: Ints
    given: Bools

    def place(self, workload: int) -> Place:
        """Where the file speaks of a workload."""
        return Place(self.file, int(self.line[workload]))


@dataclass(frozen=True)
class Bought:
    """One row of ``purchases.csv``; ``site`` is an id, blank where the purchase has none."""

    purchase: str
    site: str
    period: int
    steps: int
    place: Place


def read_allocation(path: Path | str, inventory: Inventory, faults: Faults) -> Allocation:
    """Read a run's allocation of this inventory, hand-edited or not; every fault goes to ``faults``.

    Only ``workload``, ``site`` and ``status`` are taken. The columns beside them repeat the inventory;
    where one was changed that is said, because the change has no effect.
    """
    table = _read(Path(path), inventory.table("allocation").schema, inventory, faults)
    size = len(inventory.table("workloads"))
    site, line = np.full(size, -1, dtype=np.int64), np.zeros(size, dtype=np.int64)
    if table is not None:
        check_status(table, faults)
        _changed_columns(table, inventory, faults)
        known = np.flatnonzero(table.refs("workload") >= 0)
        rows, left_out = table.refs("workload")[known], _left_out(table)[known]
        site[rows] = np.where(left_out, -1, table.refs("site")[known])
        line[rows] = table.lines[known]
    given = line > 0
    for array in (site, line, given):
        array.setflags(write=False)
    return Allocation(str(path), site, line, given)


def read_purchases(path: Path | str, inventory: Inventory, faults: Faults) -> list[Bought]:
    """Read a run's purchases; whether each can be bought is for the plan to say."""
    table = _read(Path(path), PURCHASES, inventory, faults)
    if table is None:
        return []
    columns = (table.ids, table.text("site"), table.counts("period").tolist(), table.counts("steps").tolist())
    rows = enumerate(zip(*columns, strict=True))
    return [Bought(*row, table.place(i, "purchase")) for i, row in rows]


def _read(path: Path, schema: TableSchema, inventory: Inventory, faults: Faults) -> Table | None:
    """A single table whose references are rows of ``inventory``; None where it cannot be read at all."""
    resources = BUILT_IN + inventory.declared
    columns = concrete(schema, resources)
    csv = read_csv(path, str(path), tuple(columns), faults)
    if csv is None:
        return None
    raw = match(csv, schema, columns, faults).sorted()
    check_raw({schema.name: raw}, faults)
    rows = {name: {text: i for i, text in enumerate(table.ids)} for name, table in inventory.tables.items()}
    names = Names(rows, {node: i for i, node in enumerate(inventory.nodes)})
    return type_table(raw, resources, names, faults)


def _left_out(table: Table) -> Bools:
    return np.array([text == "left_out" for text in table.text("status")], dtype=bool)


def _changed_columns(table: Table, inventory: Inventory, faults: Faults) -> None:
    """Say where a cell that repeats the inventory differs from it."""
    workloads = inventory.table("workloads")
    if table.has("organisation"):
        owners = workloads.text("organisation")
        for row, workload in _known(table, "organisation"):
            if table.text("organisation")[row] != owners[workload]:
                _ignored(table, row, "organisation", owners[workload], faults)
    for i, resource in enumerate(inventory.resources):
        if table.has(resource.name):
            _changed_demand(table, inventory, i, resource, faults)


def _known(table: Table, column: str) -> Iterator[tuple[int, int]]:
    """Rows, in file order, whose workload is known and whose cell is given; with the workload's row."""
    workloads = table.refs("workload")
    rows = np.flatnonzero((workloads >= 0) & table.given(column))
    for row in rows[np.argsort(table.lines[rows], kind="stable")].tolist():
        yield row, int(workloads[row])


def _changed_demand(table: Table, inventory: Inventory, i: int, resource: Resource, faults: Faults) -> None:
    particular = _particular(inventory, resource)
    cells, sites = table.text(resource.name), table.refs("site")
    for row, workload in _known(table, resource.name):
        demand = int(inventory.demand[workload, i])
        legal = {demand, particular.get((workload, int(sites[row])), demand)}
        number = parse_number(cells[row])
        if number is None or Fraction(number[0], 10 ** number[1]) / resource.step not in legal:
            _ignored(table, row, resource.name, resource.text(demand), faults)


def _particular(inventory: Inventory, resource: Resource) -> dict[tuple[int, int], int]:
    """Demand where ``placements.csv`` gives one, by workload and site."""
    placements = inventory.table("placements")
    given = np.flatnonzero(placements.given(resource.name))
    columns = (
        placements.refs("workload"),
        placements.refs("site"),
        placements.quantities(resource.name, "up"),
    )
    pairs = zip(*(column[given].tolist() for column in columns), strict=True)
    return {(workload, site): steps for workload, site, steps in pairs}


def _ignored(table: Table, row: int, column: str, right: str, faults: Faults) -> None:
    read = table.text(column)[row]
    message = f'{column}: "{read}" has no effect; the inventory says {right}, and that counts'
    fix = "change it in workloads.csv instead"
    faults.warning(table.place(row, column), "derived-column-ignored", message, fix)
