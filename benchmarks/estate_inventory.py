"""An estate as an inventory folder for ``capplan validate`` and ``capplan solve``.

Same demands, capacities and opening costs as the drawn estate. Users are gathered into organisations by a grid, and
each workload's round trip limit reaches the farthest of its sites from there: at least its own sites are open to it, so
a plan exists, and about 30 % of all are. Cost is what the site charges for power; distance has no price of its own.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.estate import RESOURCES, Estate, Floats, Ints
from benchmarks.estate_licences import LICENCES, PLATFORMS, hosts, needs, platforms

COLUMNS = {"power_kw": 3, "memory_gb": 1, "storage_tb": 3, "weight_kg": 1, "traffic_gbps": 3}
"""Resources and the decimals in which a unit of the estate is written: 1000 units are 1.000 kW."""
SOUTH, WEST = 51.2, -2.8
DEGREES_NORTH, DEGREES_EAST = 2.698, 4.417
"""The unit square is about 300 km wide and high."""
EARTH_RADIUS_KM = 6371.0088
MS_PER_KM = 2 * 1.4 * 0.005
"""Round trip over the straight distance: 5 µs per km each way, routes 1.4 times as long."""
MARGIN_MS = 0.002


def write_inventory(estate: Estate, name: str, folder: Path, *, licences: bool = False) -> None:
    """Write the folder, with twelve licensed products if asked. Raises FileExistsError where there are files in it."""
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "inventory.yaml").write_text(_YAML.format(name=name), encoding="utf-8")
    (folder / "model.yaml").write_text(_MODEL.format(name=name), encoding="utf-8")
    cell, organisation_at = organisations(estate.workload_at)
    _table(folder / "organisations.csv", ["organisation", "latitude", "longitude"], _places("o", organisation_at))
    _table(folder / "sites.csv", _SITES, _sites(estate))
    rows = list(_workloads(estate, cell, organisation_at))
    if not licences:
        _table(folder / "workloads.csv", _WORKLOADS, rows)
        return
    on = [PLATFORMS[p] for p in platforms(estate).tolist()]
    _table(folder / "workloads.csv", [*_WORKLOADS, "platform"], [(*row, p) for row, p in zip(rows, on, strict=True)])
    site_ids = [row[0] for row in _sites(estate)]
    tables = {
        "licences": LICENCES,
        "hosts": hosts(estate, site_ids),
        "licence_needs": needs(estate, [r[0] for r in rows]),
    }
    for table, lines in tables.items():
        heads, *rest = lines
        _table(folder / f"{table}.csv", heads, rest)


_SITES = ["site", "latitude", "longitude", "open_cost", "cost_power_kw", *COLUMNS]
_WORKLOADS = ["workload", "organisation", "users", "max_rtt_ms", *COLUMNS]


def organisations(workload_at: Floats) -> tuple[Ints, Floats]:
    """Organisation of each workload, int64 [workload], and positions float [organisation, 2]: cells of a grid."""
    side = int(np.clip(np.sqrt(len(workload_at) / 20), 3, 20))
    square = np.minimum((workload_at * side).astype(np.int64), side - 1)
    cells, cell = np.unique(square[:, 0] * side + square[:, 1], return_inverse=True)
    return cell, np.stack([cells // side + 0.5, cells % side + 0.5], axis=1) / side


def degrees(at: Floats) -> Floats:
    """Latitude and longitude, rounded as written. float [.., 2]."""
    return np.asarray(np.round(np.array([SOUTH, WEST]) + at * np.array([DEGREES_NORTH, DEGREES_EAST]), 5))


def round_trip_ms(a: Floats, b: Floats) -> Floats:
    """Estimated round trips between positions in degrees. float [a, b]."""
    a, b = np.radians(a)[:, None], np.radians(b)[None]
    turn = np.cos(a[..., 0]) * np.cos(b[..., 0]) * np.sin((b[..., 1] - a[..., 1]) / 2) ** 2
    part = np.sin((b[..., 0] - a[..., 0]) / 2) ** 2 + turn
    return np.asarray(2 * EARTH_RADIUS_KM * MS_PER_KM * np.arcsin(np.sqrt(part)))


def _places(letter: str, at: Floats) -> list[tuple[str, ...]]:
    """Id, latitude and longitude of each place."""
    ids = (f"{letter}{i:0{len(str(len(at)))}d}" for i in range(1, len(at) + 1))
    where = ((f"{latitude:.5f}", f"{longitude:.5f}") for latitude, longitude in degrees(at).tolist())
    return [(name, *place) for name, place in zip(ids, where, strict=True)]


def _sites(estate: Estate) -> Iterable[tuple[str, ...]]:
    """A unit of power costs what a unit of the first resource does, its opening cost is in whole pounds."""
    price = (f"{1000 * unit:.2f}" for unit in estate.price.tolist())
    opening = map(str, estate.opening.tolist())
    for place, cost, unit, room in zip(
        _places("s", estate.site_at), opening, price, _amounts(estate.capacity), strict=True
    ):
        yield (*place, cost, unit, *room)


def _workloads(estate: Estate, cell: Ints, organisation_at: Floats) -> Iterable[tuple[str, ...]]:
    trips = round_trip_ms(degrees(organisation_at), degrees(estate.site_at))
    limit = np.ceil(1000 * (trips[cell[:, None], estate.nearest].max(axis=1) + MARGIN_MS)) / 1000
    owner = [place[0] for place in _places("o", organisation_at)]
    width = len(str(len(cell)))
    rows = zip(cell.tolist(), estate.users.tolist(), limit.tolist(), _amounts(estate.demand), strict=True)
    for i, (mine, users, longest, need) in enumerate(rows, start=1):
        yield (f"w{i:0{width}d}", owner[mine], str(users), f"{longest:.3f}", *need)


def _amounts(table: Ints) -> list[tuple[str, ...]]:
    """Rows of amounts as exact decimals. ``table`` int64 [row, resource]."""
    columns = []
    for r, digits in zip(range(RESOURCES), COLUMNS.values(), strict=True):
        whole, rest = np.divmod(table[:, r], 10**digits)
        columns.append([f"{a}.{b:0{digits}d}" for a, b in zip(whole.tolist(), rest.tolist(), strict=True)])
    return list(zip(*columns, strict=True))


def _table(file: Path, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(heads)
        writer.writerows(rows)


_YAML = """\
format: 1
title: Estate {name}
currency: GBP
as_of: 2026-01-01
model: model.yaml
description: An invented estate to try capplan on, drawn by the benchmarks' generator as {name}.
resources:
  traffic_gbps: {{unit: Gbit/s, step: 0.001, description: traffic to users}}
assumptions:
  - All of it is invented. Sites are 85 to 95 % full under some plan, which is not told.
"""

_MODEL = """\
format: 1
title: Estate {name}
extends: standard
headroom: {{power_kw: 0%, cooling_kw: 0%}}    # capacities are what may be used
goals: [unplaced, cost]
"""
