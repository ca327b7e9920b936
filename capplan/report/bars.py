"""Bars that lie in the cells of a table: they stretch with it, and the table says the same in figures."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from markupsafe import Markup

from capplan.report.markup import tag

WIDTH, HEIGHT = 1000, 20
KINDS = 8
"""Different fills of parts; there are style rules for as many (``part-0`` …)."""


def level_bar(
    used: Fraction, usable: Fraction, there_is: Fraction, mark: str = "", full: Fraction | None = None
) -> Markup:
    """What is used, beside a line at what may be used, on a track as long as what there is.

    ``full`` is the length of the whole drawing, in the same unit as the others; without it that is all there is.
    """
    scale = WIDTH / max(full or there_is, used, Fraction(1, 10**9))
    classes = "used over" if mark == "over" else "used tight" if mark else "used"
    limit = float(usable * scale)
    children = [
        tag("rect", class_="track", x=0, y=3, width=float(there_is * scale), height=14),
        tag("rect", class_=classes, x=0, y=3, width=float(used * scale), height=14),
        tag("line", class_="usable", x1=limit, x2=limit, y1=0, y2=HEIGHT),
    ]
    return _drawing(children)


def part_bar(parts: Sequence[tuple[int, Fraction]], full: Fraction) -> Markup:
    """Parts one after the other, each with the number of its fill; ``full`` is the length of the whole drawing."""
    scale, at, children = WIDTH / max(full, Fraction(1, 10**9)), Fraction(0), []
    for kind, size in parts:
        width = float(size * scale)
        children.append(tag("rect", class_=f"part-{kind % KINDS}", x=float(at * scale), y=3, width=width, height=14))
        at += size
    return _drawing(children)


def _drawing(children: Sequence[Markup]) -> Markup:
    # Hidden from screen readers: the cells beside it say it in figures.
    return tag(
        "svg",
        *children,
        class_="bar",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        preserveAspectRatio="none",
        aria_hidden="true",
    )
