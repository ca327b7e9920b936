"""What only shows when rows are seen together: repeated keys, dates out of order, odd locations."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from capplan.errors import Faults, Place, Severity
from capplan.inventory.cells import MOST_DIGITS, folded
from capplan.inventory.raw import RawTable
from capplan.inventory.schema import Kind
from capplan.inventory.subscriptions import check_subscriptions
from capplan.inventory.table import Inventory, Table
from capplan.units import Bools, decimal_text

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
    keys, known = table.keys(), table.schema.key
    again = [i for i in range(1, len(keys)) if keys[i] == keys[i - 1] and all(_parts(table, keys[i]))]
    room = faults.room(table.file, "duplicate-id")
    for row in again[:room]:
        name = ", ".join(f'{c} "{part}"' for c, part in zip(known, keys[row], strict=True) if part)
        message = f"{name} stands here again; it is already in line {table.lines[row - 1]}"
        named_here = len(known) == 1 and table.columns[known[0]].kind is Kind.ID
        fix = "give each row an id of its own" if named_here else "delete one of the rows"
        faults.error(table.place(row, known[0]), "duplicate-id", message, fix)
    if again[room:]:
        faults.count_only(table.file, "duplicate-id", len(again[room:]), Severity.ERROR)


def _parts(table: RawTable, key: tuple[str, ...]) -> list[str]:
    """The parts of a key that may not be blank (a blank one is a fault of its own)."""
    return [part for part, name in zip(key, table.schema.key, strict=True) if table.columns[name].required]


def _folding_ids(table: RawTable, column: str, faults: Faults) -> None:
    ids = table.text(column)
    joined = "\n".join(ids)
    if joined.isascii() and len(set(joined.lower().split("\n"))) == len(set(ids)):
        return
    # Backwards, so that the first row of each id is what stays.
    distinct = {text: row for row, text in reversed(list(enumerate(ids))) if text}
    first: dict[str, int] = {}
    for line, row in sorted((int(table.lines[row]), row) for row in distinct.values()):
        earlier = first.setdefault(folded(ids[row]), row)
        if earlier == row:
            continue
        if not faults.room(table.file, "id-folds-to-duplicate"):
            faults.count_only(table.file, "id-folds-to-duplicate", 1, Severity.ERROR)
            continue
        pair = f"{ids[row]!r} in line {line} and {ids[earlier]!r} in line {table.lines[earlier]}"
        message = f"{column}: {pair} differ only in case, width or space"
        fix = "write both alike, or rename one"
        faults.error(table.place(row, column), "id-folds-to-duplicate", message, fix)


def check_inventory(inventory: Inventory, partial: Collection[str], faults: Faults) -> None:
    """What only typed tables show. ``partial`` tables could not be read whole: nobody knows what they lack."""
    for table in inventory.tables.values():
        if not len(table):
            continue
        if {"from", "to"} <= table.present and table.cells["from"].column.kind is Kind.DATE:
            _date_order(table, faults)
        if {"latitude", "longitude"} <= table.present:
            _locations(table, faults)
    check_status(inventory.table("allocation"), faults)
    _suspect_power(inventory, faults)
    _self_links(inventory, faults)
    if not {"organisations", "packages", "subscriptions"} & set(partial):
        check_subscriptions(inventory, faults)
    if "workloads" in partial:
        return
    if not len(inventory.table("workloads")):
        if len(inventory.table("subscriptions")):
            return  # charges alone are a purpose of their own
        message = "the inventory has no workloads: there is nothing to place"
        faults.warning(Place(inventory.table("workloads").file), "empty-inventory", message)
    elif not {"sites", "expansions"} & set(partial):
        _not_offered(inventory, faults)


def _kept(table: Table, rows: Sequence[int], code: str, severity: Severity, faults: Faults) -> Iterator[int]:
    """Those of ``rows`` whose fault will be kept; the others are counted, without looking for their cells."""
    room = faults.room(table.file, code, severity)
    yield from rows[:room]
    # Only now: what is counted takes the room of what is kept.
    faults.count_only(table.file, code, len(rows[room:]), severity)


def check_status(allocation: Table, faults: Faults) -> None:
    """Rows of an allocation whose status and site contradict each other."""
    sited, status = allocation.given("site"), np.array(allocation.text("status"), dtype=object)
    unsited = _in_file_order(allocation, (status == "placed") & ~sited)
    for row in _kept(allocation, unsited, "empty-mandatory-cell", Severity.ERROR, faults):
        message = "site: is empty, and the status is placed"
        faults.error(allocation.place(row, "site"), "empty-mandatory-cell", message, "name the site, or write left_out")
    check_left_out(allocation, faults)


def check_left_out(allocation: Table, faults: Faults) -> None:
    """Rows of an allocation that are left out and name a site all the same."""
    sited, status = allocation.given("site"), np.array(allocation.text("status"), dtype=object)
    sited_rows = _in_file_order(allocation, (status == "left_out") & sited)
    for row in _kept(allocation, sited_rows, "contradictory-cells", Severity.ERROR, faults):
        site = allocation.text("site")[row]
        message = f'status: is left_out, and the site is "{site}"'
        fix = "write placed, or leave the site empty"
        faults.error(allocation.place(row, "status"), "contradictory-cells", message, fix)


def _date_order(table: Table, faults: Faults) -> None:
    start, end = table.dates("from", -1), table.dates("to", -1)
    rows = _in_file_order(table, (start >= 0) & (end >= 0) & (end <= start))
    for row in _kept(table, rows, "impossible-date", Severity.ERROR, faults):
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


def _location_fault(north: float, east: float, has_north: bool, has_east: bool, swapped: bool) -> tuple[str, str]:
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


def _not_offered(inventory: Inventory, faults: Faults) -> None:
    """Resources that workloads need and nobody offers."""
    workloads = inventory.table("workloads")
    for i, resource in enumerate(inventory.resources):
        needing = _in_file_order(workloads, inventory.demand[:, i] > 0)
        if needing and not _offered(inventory, i):
            number = f"{len(needing):,} workloads need" if len(needing) > 1 else "a workload needs"
            message = f"{resource.name}: {number} it, and no site or expansion offers any"
            fix = f"fill in the column {resource.name} of sites.csv"
            faults.error(workloads.place(needing[0], resource.name), "resource-not-offered", message, fix)


def _offered(inventory: Inventory, i: int) -> bool:
    """Whether a site or an expansion offers a resource; a faulty cell, told already, may have said so."""
    sites, resource = inventory.table("sites"), inventory.resources[i].name
    unread = sites.given(resource) & ~sites.decimals(resource).given
    return bool((inventory.capacity[:, i] > 0).any() or unread.any()) or _widened(inventory, resource)


def _widened(inventory: Inventory, resource: str) -> bool:
    expansions = inventory.table("expansions")
    widens = np.array([name == resource for name in expansions.text("resource")], dtype=bool)
    amounts = expansions.decimals("amount")
    return bool((widens & ((amounts.mantissa > 0) | ~amounts.given)).any())


def _suspect_power(inventory: Inventory, faults: Faults) -> None:
    workloads = inventory.table("workloads")
    amounts = workloads.decimals("power_kw")
    texts = workloads.text("power_kw")
    rows = _in_file_order(workloads, amounts.mantissa > SUSPECT_KW * 10**amounts.digits)
    for row in _kept(workloads, rows, "unit-scale-suspect", Severity.WARNING, faults):
        message = f'power_kw: "{texts[row]}" is more than {SUSPECT_KW} kW for one workload'
        fix = f"if it is in watts, write {decimal_text(amounts.fraction(row) / 1000, MOST_DIGITS)}"
        faults.warning(workloads.place(row, "power_kw"), "unit-scale-suspect", message, fix)


def _self_links(inventory: Inventory, faults: Faults) -> None:
    circuits = inventory.table("circuits")
    a, b = circuits.nodes("a"), circuits.nodes("b")
    for row in _in_file_order(circuits, (a == b) & (a >= 0)):
        message = f'a and b are both "{circuits.text("a")[row]}"'
        faults.error(circuits.place(row, "b"), "self-link", message, "name the node at the other end")
