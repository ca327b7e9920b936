"""What rows say together: a line for each solver and part of a set, as a Markdown table."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from statistics import median

from benchmarks.files import natural
from benchmarks.markdown import markdown
from benchmarks.rows import Row

Cell = Callable[[Sequence[Row]], str]


def part(row: Row) -> str:
    """The part of a set that an instance belongs to: its folder, or its name without the seed."""
    name = row.instance.rsplit("/", 1)[0] if "/" in row.instance else ""
    return re.sub(r"-s\d+$", "", row.instance) if re.search(r"-s\d+$", row.instance) else name


def table(rows: Sequence[Row]) -> str:
    """A Markdown table."""
    groups: dict[tuple[str, str, str, str], list[Row]] = {}
    for row in rows:
        whole = (row.set, "", row.solver, row.time_limit)
        groups.setdefault(whole, []).append(row)
        if part(row):
            groups.setdefault((row.set, part(row), row.solver, row.time_limit), []).append(row)
    ordered = sorted(groups, key=lambda key: (key[0], natural(key[1]), key[2:]))
    lines = [[label(*key[:2]), *key[2:], *(cell(groups[key]) for _, cell in CELLS)] for key in ordered]
    heads = ["instances", "solver", "limit s", *(head for head, _ in CELLS)]
    return markdown(heads, lines)


def label(name: str, piece: str) -> str:
    """What a set, or a part of it, is called in a table."""
    return f"{name}/{piece}" if piece else f"{name}, all"


def _numbers(rows: Sequence[Row], column: str) -> list[float]:
    return [float(getattr(row, column)) for row in rows if getattr(row, column)]


def _middle_and_most(column: str, unit: float, digits: int) -> Cell:
    """Median and maximum of a column."""

    def cell(rows: Sequence[Row]) -> str:
        found = [number * unit for number in _numbers(rows, column)]
        return f"{median(found):.{digits}f} / {max(found):.{digits}f}" if found else "–"

    return cell


def _count(holds: Callable[[Row], bool]) -> Cell:
    return lambda rows: str(sum(holds(row) for row in rows))


def reached(row: Row) -> bool:
    """Whether a plan is as good as the published one."""
    return bool(row.gap_to_published) and float(row.gap_to_published) <= 0


def is_fault(row: Row) -> bool:
    """Whether a row tells of something that must not be: a crash, a bad plan, a bound that cannot be true."""
    return row.status in ("crashed", "killed") or "no" in (row.feasible, row.bound_valid) or "claims" in row.note


CELLS: tuple[tuple[str, Cell], ...] = (
    ("runs", lambda rows: str(len(rows))),
    ("with plan", _count(lambda row: row.feasible == "yes")),
    ("proved", _count(lambda row: row.status == "optimal" and row.feasible == "yes")),
    ("as published or better", _count(reached)),
    ("over published %, median / max", _middle_and_most("gap_to_published", 100, 3)),
    ("proven gap %, median / max", _middle_and_most("gap_to_own_bound", 100, 3)),
    ("first plan s", _middle_and_most("seconds_first", 1, 1)),
    ("best plan s", _middle_and_most("seconds_best", 1, 1)),
    ("end s", _middle_and_most("seconds_total", 1, 1)),
    ("peak MiB", _middle_and_most("peak_mb", 1, 0)),
    ("faults", _count(is_fault)),
)
