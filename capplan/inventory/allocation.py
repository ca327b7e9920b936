"""What comes back from a run: ``allocation.csv`` and ``purchases.csv``, edited by hand or not."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from capplan.errors import Faults, Place, Severity
from capplan.inventory.assemble import type_table
from capplan.inventory.cells import parse_number, trimmed
from capplan.inventory.checks import check_left_out, check_raw, check_status
from capplan.inventory.columns import Names
from capplan.inventory.edited import read_edited_table
from capplan.inventory.raw import match
from capplan.inventory.schema import Column, Kind, TableSchema, concrete
from capplan.inventory.table import Inventory, Table
from capplan.units import BUILT_IN, Bools, Ints

PURCHASES = TableSchema(
    "purchases",
    ("purchase", "site", "period"),
    (
        # No ID: an expansion and a licence may well differ only in case.
        Column("purchase", Kind.TEXT, "the expansion, pack or charge bought", required=True),
        Column("site", Kind.REF, "where", refers_to="sites"),
        Column("period", Kind.TEXT, "from which period it counts, as the run writes it"),
        Column("steps", Kind.COUNT, "how many steps", required=True, minimum=0),
        *(Column(name, Kind.TEXT, "ignored") for name in ("name", "gives", "cost", "cost_once", "note")),
    ),
    "What a plan buys.",
)


IGNORED = "derived-column-ignored"
CARRIED = ("organisation", "name", "service", "from", "to")
"""Columns of an allocation that a run carries over from workloads as they are."""

READ = {"allocation": ("workload", "site", "status"), "purchases": ("purchase", "site", "period", "steps")}
"""Columns that are read; a spreadsheet may do to the others what it likes."""


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
    """One row of ``purchases.csv``: ``steps`` of a purchase.

    ``site`` is an id, blank where the purchase has none; ``period`` the period's text, such as
    ``2014-04-01..2015-03-31``.
    """

    purchase: str
    site: str
    period: str
    steps: int
    place: Place


def read_allocation(
    path: Path | str,
    inventory: Inventory,
    faults: Faults,
    expected: Mapping[str, Sequence[str]] | None = None,
) -> Allocation:
    """Read a run's allocation of this inventory, hand-edited or not; every fault goes to ``faults``.

    Only ``workload``, ``site`` and ``status`` are taken. What stands beside them follows from the inventory
    and the model; where it was changed that is said, because the change has no effect. ``expected`` has the
    texts that a run would write, by column, one for each workload in id order; a column that it lacks is
    not looked at, save those that a run carries over from the inventory. Raises ValueError for an expected
    column of another length, KeyError for one that no allocation has.
    """
    return _allocation(Path(path), inventory, expected or {}, check_status, faults)


def read_placements_to_keep(path: Path | str, inventory: Inventory, faults: Faults) -> Allocation:
    """Read an allocation whose workloads are to stay; one without a site may go anywhere, whatever its status."""
    return _allocation(Path(path), inventory, {}, check_left_out, faults)


def _allocation(
    path: Path,
    inventory: Inventory,
    expected: Mapping[str, Sequence[str]],
    check: Callable[[Table, Faults], None],
    faults: Faults,
) -> Allocation:
    table = _read(path, inventory.table("allocation").schema, inventory, faults)
    workloads = inventory.table("workloads")
    site, line = np.full(len(workloads), -1, dtype=np.int64), np.zeros(len(workloads), dtype=np.int64)
    if table is not None:
        check(table, faults)
        carried = {column: workloads.text(column) for column in CARRIED}
        _changed_columns(table, {**carried, **expected}, len(workloads), faults)
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
    columns = (table.ids, table.text("site"), table.text("period"), table.counts("steps").tolist())
    rows = enumerate(zip(*columns, strict=True))
    return [Bought(*row, table.place(i, "purchase")) for i, row in rows]


def _read(path: Path, schema: TableSchema, inventory: Inventory, faults: Faults) -> Table | None:
    """A single table whose references are rows of ``inventory``; None where it cannot be read at all."""
    resources = BUILT_IN + inventory.declared
    columns = concrete(schema, resources)
    csv = read_edited_table(path, schema.name, tuple(columns), READ[schema.name], faults)
    if csv is None:
        return None
    raw = match(csv, schema, columns, faults).sorted()
    check_raw({schema.name: raw}, faults)
    rows = {name: {text: i for i, text in enumerate(table.ids)} for name, table in inventory.tables.items()}
    names = Names(rows, {node: i for i, node in enumerate(inventory.nodes)}, _partial(inventory, faults))
    return type_table(raw, resources, names, faults)


def _partial(inventory: Inventory, faults: Faults) -> frozenset[str]:
    """Tables that a fault may have hidden rows of: a name that they lack is not a fault too."""
    faulty = {fault.place.file for fault in faults.kept if fault.severity is Severity.ERROR}
    return frozenset(name for name, table in inventory.tables.items() if table.file in faulty)


def _left_out(table: Table) -> Bools:
    return np.array([text == "left_out" for text in table.text("status")], dtype=bool)


def _changed_columns(table: Table, right: Mapping[str, Sequence[str]], size: int, faults: Faults) -> None:
    """Say where a cell that only repeats what follows from the inventory was changed, or only written differently."""
    for column, texts in right.items():
        if len(texts) != size:
            raise ValueError(f"{len(texts)} expected texts of {column} for {size} workloads")
        if not table.has(column):
            continue
        cells, workloads = table.text(column), table.refs("workload")
        known = np.flatnonzero((workloads >= 0) & table.given(column))
        rows = known[np.argsort(table.lines[known], kind="stable")].tolist()
        changed = [row for row in rows if not _same(cells[row], texts[workloads[row]])]
        rewritten = [row for row in changed if _rewritten(cells[row], texts[workloads[row]])]
        if rewritten:
            _tell_rewritten(table, column, rewritten, texts[workloads[rewritten[0]]], faults)
            changed = sorted(set(changed) - set(rewritten), key=table.lines.__getitem__)
        room = faults.room(table.file, IGNORED, Severity.WARNING)
        for row in changed[:room]:
            _ignored(table.place(row, column), column, cells[row], texts[workloads[row]], faults)
        faults.count_only(table.file, IGNORED, len(changed[room:]), Severity.WARNING)


def _same(read: str, right: str) -> bool:
    """Whether a cell still says what was written: spreadsheets drop the zeros of 3.40."""
    if read == right or read == trimmed(right):
        return True
    number = parse_number(read)
    return number is not None and number == parse_number(right)


def _rewritten(read: str, right: str) -> bool:
    """Whether a cell says the same in the notation of some locale: 01/04/2016 for 2016-04-01, 3,4 for 3.4."""
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", right):
        parts = list(map(int, re.findall(r"\d+", read))) if re.fullmatch(r"[\d/. -]+", read, re.ASCII) else []
        year, month, day = map(int, right.split("-"))
        return any(sorted(parts) == sorted((one, month, day)) for one in (year, year % 100))
    # Without a comma a point is one: 3.4 is not 34 in another notation.
    number = parse_number(right) if "," in read else None
    return number is not None and number == parse_number(read.replace(".", "").replace(",", "."))


def _tell_rewritten(table: Table, column: str, rows: Sequence[int], right: str, faults: Faults) -> None:
    """One warning for a whole column: the spreadsheet did it, not a person."""
    more = f" and {len(rows) - 1:,} more are" if len(rows) > 1 else " is"
    message = f'{column}: "{table.text(column)[rows[0]]}"{more} written in another way than "{right}"'
    fix = "this column is not read, so nothing is lost"
    faults.warning(table.place(rows[0], column), IGNORED, message, fix)


def _ignored(place: Place, column: str, read: str, right: str, faults: Faults) -> None:
    says = f'it follows from the inventory, which makes it "{right}"' if right else "the inventory gives none"
    fix = "change the inventory's own tables instead; only site and status are read here"
    faults.warning(place, IGNORED, f'{column}: "{read}" has no effect; {says}', fix)
