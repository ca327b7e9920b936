"""What only shows when rows are seen together: repeated keys, dates out of order, odd locations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from capplan.errors import Faults, Place
from capplan.inventory.cells import folded
from capplan.inventory.raw import RawTable
from capplan.inventory.schema import Kind
from capplan.inventory.table import Inventory, Table
from capplan.units import Bools

Floats: TypeAlias = npt.NDArray[np.float64]

SUSPECT_KW = 60
"""More power than one workload plausibly draws: a rack of blade chassis."""


def check_raw(tables: Mapping[str, RawTable], faults: Faults) -> None:
    """Keys that repeat, exactly or after folding. Tables are sorted by key, ties in file order."""
    for table in tables.values():
        _repeated_keys(table, faults)
        for column in table.columns.values():
            if column.kind is Kind.ID and column.name in table.texts:
                _folding_ids(table, column.name, faults)


def _repeated_keys(table: RawTable, faults: Faults) -> None:
    if len(table.schema.key) == 1 and len(set(table.text(table.schema.key[0]))) == len(table):
        return
    keys = table.keys()
    for row in range(1, len(keys)):
        if keys[row] == keys[row - 1] and all(_parts(table, keys[row])):
            name = ", ".join(f'{c} "{part}"' for c, part in zip(table.schema.key, keys[row], strict=True))
            line = int(table.lines[row - 1])
            message = f"{name} stands here again; it is already in line {line}"
            fix = "delete one of the rows" if len(keys[row]) > 1 else "give each row an id of its own"
            faults.error(table.place(row, table.schema.key[0]), "duplicate-id", message, fix)


def _parts(table: RawTable, key: tuple[str, ...]) -> list[str]:
    """The parts of a key that may not be blank (a blank one is a fault of its own)."""
    return [part for part, name in zip(key, table.schema.key, strict=True) if table.columns[name].required]


def _folding_ids(table: RawTable, column: str, faults: Faults) -> None:
    ids = table.text(column)
    distinct = dict.fromkeys(filter(None, ids))
    joined = "\n".join(distinct)
    if joined.isascii() and len(set(joined.lower().split("\n"))) == len(distinct):
        return
    first: dict[str, str] = {}
    for text in distinct:
        other = first.setdefault(folded(text), text)
        if other != text:
            rows = sorted((int(table.lines[ids.index(name)]), ids.index(name)) for name in (other, text))
            (line, earlier), (_, row) = rows
            pair = f"{ids[row]!r} and {ids[earlier]!r} in line {line}"
            message = f"{column}: {pair} differ only in case, width or space"
            faults.error(
                table.place(row, column), "id-folds-to-duplicate", message, "write both alike, or rename one"
            )


def check_inventory(inventory: Inventory, faults: Faults) -> None:
    """What only typed tables show."""
    for table in inventory.tables.values():
        if not len(table):
            continue
        if {"from", "to"} <= table.present and table.cells["from"].column.kind is Kind.DATE:
            _date_order(table, faults)
        if {"latitude", "longitude"} <= table.present:
            _locations(table, faults)
    check_status(inventory.table("allocation"), faults)
    _workloads(inventory, faults)
    _self_links(inventory, faults)


def check_status(allocation: Table, faults: Faults) -> None:
    """Rows of an allocation whose status and site contradict each other."""
    sited, status = allocation.given("site"), np.array(allocation.text("status"), dtype=object)
    for row in _in_file_order(allocation, (status == "placed") & ~sited):
        message = "site: is empty, and the status is placed"
        faults.error(
            allocation.place(row, "site"), "empty-mandatory-cell", message, "name the site, or write left_out"
        )
    for row in _in_file_order(allocation, (status == "left_out") & sited):
        site = allocation.text("site")[row]
        message = f'status: is left_out, and the site is "{site}"'
        fix = "write placed, or leave the site empty"
        faults.error(allocation.place(row, "status"), "contradictory-cells", message, fix)


def _date_order(table: Table, faults: Faults) -> None:
    start, end = table.dates("from", -1), table.dates("to", -1)
    for row in _in_file_order(table, (start >= 0) & (end >= 0) & (end <= start)):
        before, after = table.text("from")[row], table.text("to")[row]
        message = f'to: "{after}" is not after from: "{before}"; to is the first day without it'
        faults.error(table.place(row, "to"), "impossible-date", message, "swap them, or leave one blank")


def _in_file_order(table: Table, rows: Bools) -> list[int]:
    found = np.flatnonzero(rows)
    order: list[int] = found[np.argsort(table.lines[found], kind="stable")].tolist()
    return order


def _locations(table: Table, faults: Faults) -> None:
    latitude, longitude = table.decimals("latitude"), table.decimals("longitude")
    north = latitude.mantissa / 10.0**latitude.digits
    east = longitude.mantissa / 10.0**longitude.digits
    swapped = _looks_swapped(north, east, latitude.given & longitude.given)
    for row in _in_file_order(table, latitude.given | longitude.given):
        why, fix = _location_fault(
            north[row], east[row], bool(latitude.given[row]), bool(longitude.given[row]), bool(swapped[row])
        )
        if why:
            faults.warning(table.place(row, "latitude"), "impossible-location", why, fix)


def _location_fault(
    north: float, east: float, has_north: bool, has_east: bool, swapped: bool
) -> tuple[str, str]:
    if not (has_north and has_east):
        return "latitude and longitude: only one of them is given", "give both, or neither"
    if max(abs(north), abs(east)) > 360:
        return (
            f"{north:g}, {east:g} look like eastings and northings",
            "write latitude and longitude in degrees",
        )
    if abs(north) > 90 or abs(east) > 180:
        return (
            f"{north:g}, {east:g} is nowhere on Earth",
            "latitude is from -90 to 90, longitude from -180 to 180",
        )
    if north == east == 0:
        return "0, 0 lies in the Gulf of Guinea", "write the real place, or leave both blank"
    if swapped:
        return f"{north:g}, {east:g} lies far from all others", f"did you mean {east:g}, {north:g}?"
    return "", ""


def _looks_swapped(north: Floats, east: Floats, given: Bools) -> Bools:
    """Rows that swapping would bring from far away to the middle of the others. float [row] → bool [row]."""
    if given.sum() < 4:
        return np.zeros(len(north), dtype=bool)
    middle = np.median(north[given]), np.median(east[given])

    def far(a: Floats, b: Floats) -> Floats:
        return np.maximum(np.abs(a - middle[0]), np.abs(b - middle[1]))

    return np.asarray(given & (far(north, east) > 20) & (far(east, north) < 5))


def _workloads(inventory: Inventory, faults: Faults) -> None:
    workloads = inventory.table("workloads")
    if not len(workloads):
        message = "the inventory has no workloads: there is nothing to place"
        faults.warning(Place(workloads.file), "empty-inventory", message)
        return
    for i, resource in enumerate(inventory.resources):
        if resource.name == "power_kw":
            suspect = inventory.demand[:, i] > int(SUSPECT_KW / resource.step)
            _suspect_power(workloads, suspect, faults)
        offered = bool((inventory.capacity[:, i] > 0).any()) or _widened(inventory, resource.name)
        needing = _in_file_order(workloads, inventory.demand[:, i] > 0)
        if needing and not offered:
            message = (
                f"{resource.name}: {len(needing)} workloads need it, and no site or expansion offers any"
            )
            fix = f"add the column {resource.name} to sites.csv"
            faults.error(workloads.place(needing[0], resource.name), "resource-not-offered", message, fix)


def _suspect_power(workloads: Table, suspect: Bools, faults: Faults) -> None:
    amounts = workloads.decimals("power_kw")
    texts = workloads.text("power_kw")
    for row in _in_file_order(workloads, suspect):
        in_kw = amounts.fraction(row) / 1000
        message = f'power_kw: "{texts[row]}" is more than {SUSPECT_KW} kW for one workload'
        fix = f"if it is in watts, write {_plain(in_kw)}"
        faults.warning(workloads.place(row, "power_kw"), "unit-scale-suspect", message, fix)


def _plain(value: Fraction) -> str:
    return f"{float(value):g}"


def _widened(inventory: Inventory, resource: str) -> bool:
    expansions = inventory.table("expansions")
    amounts: Sequence[int] = expansions.decimals("amount").mantissa.tolist()
    return any(
        name == resource and amount > 0
        for name, amount in zip(expansions.text("resource"), amounts, strict=True)
    )


def _self_links(inventory: Inventory, faults: Faults) -> None:
    circuits = inventory.table("circuits")
    a, b = circuits.nodes("a"), circuits.nodes("b")
    for row in _in_file_order(circuits, (a == b) & (a >= 0)):
        message = f'a and b are both "{circuits.text("a")[row]}"'
        faults.error(circuits.place(row, "b"), "self-link", message, "name the node at the other end")
