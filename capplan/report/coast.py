"""Coastlines and borders of countries, drawn without tiles and without a network.

Data: Natural Earth, 1:10m, public domain (https://www.naturalearthdata.com), simplified by two hundred metres.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from capplan.units import Floats, Ints

FILE = Path(__file__).with_name("coastline.npz")
UNITS_PER_DEGREE = 1000


class Box(NamedTuple):
    """A rectangle in degrees, or in any other unit."""

    west: float
    south: float
    east: float
    north: float


@cache
def _lines(name: str) -> tuple[Floats, Ints, Floats]:
    """All lines end to end: points float64 [point, 2], first point of each int64 [line], boxes float64 [line, 4]."""
    with np.load(FILE) as data:
        points = np.cumsum(data[f"{name}_steps"], axis=0) / UNITS_PER_DEGREE
        sizes = data[f"{name}_size"].astype(np.int64)
    first = np.cumsum(sizes) - sizes
    low, high = np.minimum.reduceat(points, first), np.maximum.reduceat(points, first)
    return points, np.append(first, len(points)), np.concatenate([low, high], axis=1)


def land(box: Box) -> list[Floats]:
    """Rings of land inside the box, in degrees: longitude, latitude. float64 [point, 2] each."""
    return [ring for line in _touching("land", box) if len(ring := _cut(line, box)) > 2]


def borders(box: Box) -> list[Floats]:
    """Borders between countries that touch the box, in degrees; they are not cut. float64 [point, 2] each."""
    return _touching("border", box)


def _touching(name: str, box: Box) -> list[Floats]:
    points, first, boxes = _lines(name)
    apart = (boxes[:, 2] < box.west) | (boxes[:, 0] > box.east) | (boxes[:, 3] < box.south) | (boxes[:, 1] > box.north)
    return [points[first[i] : first[i + 1]] for i in np.flatnonzero(~apart).tolist()]


def _cut(ring: Floats, box: Box) -> Floats:
    """A ring cut to the box (Sutherland and Hodgman, 1974); parts may be joined along the edge of the box."""
    for axis, limit, side in ((0, box.west, 1), (0, box.east, -1), (1, box.south, 1), (1, box.north, -1)):
        if not len(ring):
            break
        ring = _cut_side(ring, axis, limit, side)
    return ring


def _cut_side(ring: Floats, axis: int, limit: float, side: int) -> Floats:
    """What of a ring lies on one side of a line; where it crosses, a point is put on the line."""
    inside = side * (ring[:, axis] - limit) >= 0
    if inside.all():
        return ring
    following = np.roll(ring, -1, axis=0)
    crosses = inside != np.roll(inside, -1)
    step = following[:, axis] - ring[:, axis]
    share = np.divide(limit - ring[:, axis], step, out=np.zeros(len(ring)), where=crosses)
    crossing = ring + share[:, None] * (following - ring)
    # Each point is followed by the crossing of the edge that begins there, if there is one.
    both = np.stack([ring, crossing], axis=1).reshape(-1, 2)
    return np.asarray(both[np.stack([inside, crosses], axis=1).reshape(-1)])
