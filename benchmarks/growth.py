"""How the time to a first plan and memory grow with eligible options, from one size of a family to a larger one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import log
from statistics import median
from typing import NamedTuple

from benchmarks.markdown import markdown
from benchmarks.rows import Row
from benchmarks.summary import part

HEADS = ("family", "solver", "from", "to", "options", "first plan s", "exponent", "peak MiB", "exponent")


class Size(NamedTuple):
    """Medians of the runs of one size."""

    name: str
    options: float
    first: float
    peak: float


def growth(rows: Sequence[Row]) -> str:
    """A Markdown table of exponents b in ``options^b``; empty where no family was run at two sizes.

    A line for each step between neighbouring sizes, and one from the smallest to the largest where there are more. A
    family is what comes before the first dash of a part that is named by size and seed. Limits may differ: larger sizes
    are given more time; of one size only the runs with the longest count.
    """
    runs: dict[tuple[str, str], dict[str, list[Row]]] = {}
    for row in rows:
        size = part(row)
        if size != row.instance and "-" in size and "/" not in size and row.options and row.seconds_first:
            key = (f"{row.set}/{size.split('-')[0]}", row.solver)
            runs.setdefault(key, {}).setdefault(size, []).append(row)
    lines = []
    for (family, solver), by_size in sorted(runs.items()):
        sizes = sorted((_size(name, _longest(found)) for name, found in by_size.items()), key=lambda size: size.options)
        steps = list(pairwise(sizes))
        for small, large in steps + ([(sizes[0], sizes[-1])] if len(steps) > 1 else []):
            lines.append([family, solver, *_line(small, large)])
    return markdown(HEADS, lines)


def _longest(rows: Sequence[Row]) -> list[Row]:
    """The runs with the longest limit."""
    most = max(float(row.time_limit) for row in rows)
    return [row for row in rows if float(row.time_limit) == most]


def _size(name: str, rows: Sequence[Row]) -> Size:
    options, first, peak = (
        median(float(getattr(row, column)) for row in rows) for column in ("options", "seconds_first", "peak_mb")
    )
    return Size(name.split("-", 1)[1], options, first, peak)


def _line(small: Size, large: Size) -> list[str]:
    return [
        small.name,
        large.name,
        f"{small.options:,.0f} → {large.options:,.0f}",
        f"{small.first:.2f} → {large.first:.2f}",
        _exponent(small.first, large.first, small, large),
        f"{small.peak:,.0f} → {large.peak:,.0f}",
        _exponent(small.peak, large.peak, small, large),
    ]


def _exponent(before: float, after: float, small: Size, large: Size) -> str:
    if min(before, after) <= 0 or small.options >= large.options:
        return "–"
    return f"{log(after / before) / log(large.options / small.options):.2f}"
