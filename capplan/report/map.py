"""A map without tiles: coastline, borders, and what stands where, zoomed to that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, radians

import numpy as np
from markupsafe import Markup

from capplan.report.coast import Box, borders, land
from capplan.report.markup import number, svg, tag
from capplan.units import Floats

WIDTH, MOST_HEIGHT, LEAST_HEIGHT = 760, 520, 400
MARGIN = 0.3
"""Share of the extent that is left free on each side."""
LEAST_SPAN = 1.2
"""Degrees of latitude that are shown at least: a single site needs surroundings to be recognised."""
WIDER = (2, 3, 4, 6)
"""Steps in which a view without a coast is widened."""
CORNERS = 8
"""Points of a ring that is little more than the cut-out itself."""
GRID = 0.5
"""Pixels: points of the coast that fall on the same spot of this grid are drawn once."""
LETTER = 7.4
"""Pixels that a letter takes, about."""


@dataclass(frozen=True)
class Mark:
    """Something at a place, float degrees. ``kind`` is ``site``, ``idle``, ``organisation`` or ``node``."""

    id: str
    label: str
    tip: str
    kind: str
    latitude: float
    longitude: float


@dataclass(frozen=True)
class Line:
    """A connection of two marks by id; ``state`` is ``pass``, ``warn`` or ``fail``, blank where nothing is said."""

    a: str
    b: str
    tip: str
    state: str = ""


@dataclass(frozen=True)
class _View:
    """Degrees to pixels: a plain chart whose middle latitude is true to scale."""

    box: Box
    scale: float
    shrink: float
    height: int

    @staticmethod
    def around(marks: Sequence[Mark], least: float = LEAST_SPAN) -> _View:
        """A view of all marks, with some room around them; ``least`` degrees high and wide."""
        south, north = min(m.latitude for m in marks), max(m.latitude for m in marks)
        west, east = min(m.longitude for m in marks), max(m.longitude for m in marks)
        middle = (south + north) / 2
        shrink = max(cos(radians(middle)), 0.2)
        high = max((north - south) * (1 + 2 * MARGIN), least)
        wide = max((east - west) * shrink * (1 + 2 * MARGIN), least)
        scale = min(WIDTH / wide, MOST_HEIGHT / high)
        height = round(min(max(high * scale, LEAST_HEIGHT), MOST_HEIGHT))
        half_x, half_y = WIDTH / scale / shrink / 2, height / scale / 2
        centre = (west + east) / 2
        return _View(Box(centre - half_x, middle - half_y, centre + half_x, middle + half_y), scale, shrink, height)

    @staticmethod
    def with_coast(marks: Sequence[Mark]) -> _View:
        """The nearest view in which a coast tells a reader where that is; the widest one where none does."""
        view = _View.around(marks)
        for wider in WIDER:
            if any(len(ring) > CORNERS for ring in land(view.box)) or not land(view.box):
                break
            view = _View.around(marks, LEAST_SPAN * wider)
        return view

    def points(self, degrees: Floats) -> Floats:
        """Longitude and latitude to pixels. float64 [point, 2]."""
        x = (degrees[:, 0] - self.box.west) * self.shrink * self.scale
        y = (self.box.north - degrees[:, 1]) * self.scale
        return np.stack([x, y], axis=1)

    def point(self, mark: Mark) -> tuple[float, float]:
        """Pixels of one mark."""
        x, y = self.points(np.array([[mark.longitude, mark.latitude]]))[0].tolist()
        return x, y


def map_drawing(marks: Sequence[Mark], lines: Sequence[Line] = (), *, title: str, ground: bool = True) -> Markup:
    """The map of some marks (one at least) and the lines between them.

    Without ``ground`` there is no coast: a plan of connections whose places mean little.
    """
    view = _View.with_coast(marks) if ground else _View.around(marks)
    at = {mark.id: view.point(mark) for mark in marks}
    order = ("node", "organisation", "idle", "site")
    ranked = sorted(marks, key=lambda mark: (order.index(mark.kind), mark.id))
    children = [
        tag("title", title),
        tag("rect", class_="sea", x=0, y=0, width=WIDTH, height=view.height),
        *(_ground(view) if ground else []),
        *(_line(line, at) for line in lines if line.a in at and line.b in at),
        *(_spot(mark, *at[mark.id]) for mark in ranked),
        *_labels(ranked[::-1], at, view.height),
    ]
    return svg(WIDTH, view.height, children, class_="map", role="img", aria_label=title)


def _ground(view: _View) -> list[Markup]:
    """Land and borders; a little more than is seen, so that no edge of the cut shows."""
    box = view.box
    more_x, more_y = (box.east - box.west) * 0.02, (box.north - box.south) * 0.02
    wider = Box(box.west - more_x, box.south - more_y, box.east + more_x, box.north + more_y)
    shores = "".join(_path(view.points(ring), closed=True) for ring in land(wider))
    frontiers = "".join(_path(view.points(line), closed=False) for line in borders(wider))
    return [
        *([tag("path", class_="land", d=shores, fill_rule="evenodd")] if shores else []),
        *([tag("path", class_="frontier", d=frontiers)] if frontiers else []),
    ]


def _path(points: Floats, *, closed: bool) -> str:
    """A path in steps from point to point, on a grid: short, and the same on every machine."""
    spots = np.round(points / GRID).astype(np.int64)
    moved = np.append(True, (np.diff(spots, axis=0) != 0).any(axis=1))
    spots = spots[moved]
    if len(spots) < (3 if closed else 2):
        return ""
    steps = np.diff(spots, axis=0).tolist()
    first = f"M{number(float(spots[0, 0] * GRID))} {number(float(spots[0, 1] * GRID))}"
    return f"{first}l{' '.join(f'{number(dx * GRID)} {number(dy * GRID)}' for dx, dy in steps)}{'z' if closed else ''}"


def _line(line: Line, at: dict[str, tuple[float, float]]) -> Markup:
    (x1, y1), (x2, y2) = at[line.a], at[line.b]
    classes = f"link {line.state}".strip() + " mark"
    drawn = tag("line", class_=classes, x1=x1, y1=y1, x2=x2, y2=y2, data_tip=line.tip)
    if line.state != "fail":
        return drawn
    sign = tag("text", "✕", class_="fail-sign", x=(x1 + x2) / 2, y=(y1 + y2) / 2 + 5, text_anchor="middle")
    return Markup("").join([drawn, sign])


def _spot(mark: Mark, x: float, y: float) -> Markup:
    """Squares are sites (hollow ones without anything), discs organisations, diamonds nodes of the network."""
    shared = {"class_": f"spot-{mark.kind} mark", "data_tip": mark.tip}
    if mark.kind in ("site", "idle"):
        return tag("rect", x=x - 8, y=y - 8, width=16, height=16, **shared)
    if mark.kind == "organisation":
        return tag("circle", cx=x, cy=y, r=6, **shared)
    return tag("path", d=f"M{number(x)} {number(y - 7)}l7 7-7 7-7-7z", **shared)


def _labels(marks: Sequence[Mark], at: dict[str, tuple[float, float]], height: int) -> list[Markup]:
    """Names beside the marks, most important first; one that would lie on another is left to the tip."""
    taken: list[Box] = [Box(x - 9, y - 9, x + 9, y + 9) for x, y in at.values()]
    made = []
    for mark in marks:
        x, y = at[mark.id]
        length = len(mark.label) * LETTER
        for left, anchor in ((x + 13, "start"), (x - 13 - length, "end")):
            box = Box(left, y - 9, left + length, y + 9)
            inside = box.west >= 0 and box.east <= WIDTH and box.south >= 0 and box.north <= height
            if inside and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                classes = None if mark.kind in ("site", "idle") else "minor"
                where = x + 13 if anchor == "start" else x - 13
                made.append(tag("text", mark.label, class_=classes, x=where, y=y + 5, text_anchor=anchor))
                break
    return made


def _overlap(one: Box, other: Box) -> bool:
    return one.west < other.east and other.west < one.east and one.south < other.north and other.south < one.north
