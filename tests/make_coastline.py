"""Make ``capplan/report/coastline.npz`` anew.

    python -m tests.make_coastline countries-10m.json

The file is a TopoJSON of Natural Earth's country boundaries at 1:10m, such as the npm package ``world-atlas`` (2.0.2)
has. Natural Earth is in the public domain.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from capplan.report.coast import FILE, UNITS_PER_DEGREE

TOLERANCE = 0.002
"""Degrees by which a simplified line may be off: about two hundred metres."""

SMALLEST = 0.0004
"""Square degrees: islands smaller than that are left out."""


def main(source: str) -> None:
    """Simplify and write."""
    topology = json.loads(Path(source).read_bytes())
    arcs = [_degrees(arc, topology["transform"]) for arc in topology["arcs"]]
    land = [_ring(ring, arcs) for polygon in _polygons(topology["objects"]["land"]) for ring in polygon]
    rings = [_simplified(ring) for ring in land if _area(ring) >= SMALLEST]
    shared = Counter(abs(a) if a >= 0 else ~a for a in _arcs_of(topology["objects"]["countries"]))
    borders = [_simplified(arcs[a]) for a, times in sorted(shared.items()) if times > 1]
    arrays: dict[str, Any] = {}
    for name, lines in (("land", [r for r in rings if len(r) > 3]), ("border", borders)):
        whole = [np.round(line * UNITS_PER_DEGREE).astype(np.int32) for line in lines]
        arrays[f"{name}_size"] = np.array([len(line) for line in whole], dtype=np.int32)
        arrays[f"{name}_steps"] = np.diff(np.concatenate(whole), axis=0, prepend=0).astype(np.int32)
    np.savez_compressed(FILE, **arrays)
    print({name: array.shape for name, array in arrays.items()}, FILE.stat().st_size)


def _degrees(arc: list[list[int]], transform: dict[str, list[float]]) -> np.ndarray:
    return np.cumsum(np.array(arc), axis=0) * transform["scale"] + transform["translate"]


def _polygons(shape: dict[str, Any]) -> list[list[list[int]]]:
    if shape["type"] == "GeometryCollection":
        return [polygon for part in shape["geometries"] for polygon in _polygons(part)]
    if shape["type"] == "Polygon":
        return [shape["arcs"]]
    return list(shape.get("arcs", []))


def _arcs_of(shape: dict[str, Any]) -> list[int]:
    return [arc for polygon in _polygons(shape) for ring in polygon for arc in ring]


def _ring(numbers: list[int], arcs: list[np.ndarray]) -> np.ndarray:
    parts = [arcs[n] if n >= 0 else arcs[~n][::-1] for n in numbers]
    return np.concatenate([parts[0], *(part[1:] for part in parts[1:])])


def _area(ring: np.ndarray) -> float:
    x, y = ring[:, 0], ring[:, 1]
    return abs(float(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))) / 2


def _simplified(line: np.ndarray) -> np.ndarray:
    """Douglas and Peucker (1973), without recursion."""
    keep = np.zeros(len(line), dtype=bool)
    keep[[0, -1]] = True
    # A ring begins where it ends: cut it in two at its farthest point.
    stack = [(0, len(line) - 1)]
    while stack:
        first, last = stack.pop()
        if last - first < 2:
            continue
        between = line[first + 1 : last] - line[first]
        along = line[last] - line[first]
        length = float(np.hypot(*along))
        if length < 1e-12:
            off = np.hypot(between[:, 0], between[:, 1])
        else:
            off = np.abs(between[:, 0] * along[1] - between[:, 1] * along[0]) / length
        worst = int(off.argmax())
        if off[worst] > TOLERANCE:
            middle = first + 1 + worst
            keep[middle] = True
            stack += [(first, middle), (middle, last)]
    return line[keep]


if __name__ == "__main__":
    main(sys.argv[1])
