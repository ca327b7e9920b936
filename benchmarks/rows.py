"""Rows of results: computed from what was seen and scored, appended to a CSV file, read again."""

from __future__ import annotations

import csv
from dataclasses import dataclass, fields
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from benchmarks.interface import Published, Score
from benchmarks.task import Task

if TYPE_CHECKING:
    from benchmarks.running import Observed

FLOAT_TOLERANCE = Fraction(1, 10**6)
"""Relative error that is forgiven in bounds computed in floats, those of peers."""
HALF_CENT = Fraction(1, 200)
"""Published decimals are rounded to two places."""

Key: TypeAlias = tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """One run. All text, blank where there is nothing to say; gaps are shares, seconds count after reading.

    ``value`` and ``feasible`` are the evaluator's, never the solver's; ``bound_valid`` says that the run's own bound
    exceeds neither its feasible plan's value nor the published one. ``options``: those of the Program that every solver
    is given.
    """

    set: str
    instance: str
    solver: str
    status: str
    value: str
    published_value: str
    published_bound: str
    own_bound: str
    gap_to_published: str
    gap_to_own_bound: str
    seconds_first: str
    seconds_best: str
    seconds_total: str
    peak_mb: str
    feasible: str
    bound_valid: str
    seed: str
    time_limit: str
    options: str
    note: str

    @property
    def key(self) -> Key:
        """What a run is not repeated for."""
        return (self.set, self.instance, self.solver, self.seed, self.time_limit)


COLUMNS = tuple(field.name for field in fields(Row))


def solver_label(task: Task) -> str:
    """What the solver is called in a row."""
    return task.solver if task.solver != "capplan" or task.engine == "auto" else f"capplan {task.engine}"


def key_of(task: Task) -> Key:
    """The key of a task's row."""
    return (task.set, task.instance, solver_label(task), str(task.seed), f"{task.time_limit:g}")


def row_of(task: Task, seen: Observed, score: Score | None, published: Published) -> Row:
    """The row of a run."""
    value = score.value if score and score.feasible else None
    first, best = (f"{seen.better_at[k]:.2f}" if seen.better_at and score else "" for k in (0, -1))
    return Row(
        set=task.set,
        instance=task.instance,
        solver=solver_label(task),
        status=seen.status,
        value=number(score.value if score and score.value else value),
        published_value=number(published.value),
        published_bound=number(published.bound),
        own_bound=number(seen.bound),
        gap_to_published=_share(value, published.value, published.value),
        gap_to_own_bound=_share(value, seen.bound, value),
        seconds_first=first,
        seconds_best=best,
        seconds_total=f"{seen.seconds:.2f}",
        peak_mb=f"{seen.peak_mb:.0f}",
        feasible=_yes_no(score.feasible) if score else "",
        bound_valid=_valid(task, seen, value, published),
        seed=str(task.seed),
        time_limit=f"{task.time_limit:g}",
        options=str(seen.options or ""),
        note=_note(task, seen, score),
    )


def _valid(task: Task, seen: Observed, value: Fraction | None, published: Published) -> str:
    """Whether the bound may be true."""
    if seen.bound is None:
        return ""
    given = None if published.value is None else published.value + (HALF_CENT if seen.unit < 1 else 0)
    known = [v for v in (value, given) if v is not None]
    spare = 0 if task.solver == "capplan" else FLOAT_TOLERANCE * max(Fraction(1), abs(seen.bound))
    return _yes_no(seen.bound - spare <= min(known)) if known else ""


def _note(task: Task, seen: Observed, score: Score | None) -> str:
    """What a reader should know."""
    notes = [seen.note, score.broken if score else ""]
    if score and score.feasible and seen.claimed is not None:
        spare = 0 if task.solver == "capplan" else FLOAT_TOLERANCE * max(Fraction(1), abs(score.value))
        if abs(seen.claimed - score.value) > spare:
            notes.append(f"the solver claims {number(seen.claimed)}")
    return "; ".join(note for note in notes if note)


def _share(value: Fraction | None, other: Fraction | None, of: Fraction | None) -> str:
    """(value − other) ÷ of; 0 where they are equal, blank where there is nothing to divide by."""
    if value is None or other is None:
        return ""
    if value == other:
        return "0"
    return f"{float((value - other) / of):.6f}" if of else ""


def _yes_no(found: bool) -> str:
    return "yes" if found else "no"


def number(value: Fraction | None) -> str:
    """A value as the shortest decimal, at most six places."""
    if value is None:
        return ""
    text = f"{Decimal(value.numerator) / Decimal(value.denominator):.6f}"
    return text.rstrip("0").rstrip(".")


def append(file: Path, row: Row) -> None:
    """Add a row; a new file begins with the names of the columns."""
    fresh = not file.exists() or not file.stat().st_size
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines, lineterminator="\n")
        if fresh:
            writer.writerow(COLUMNS)
        writer.writerow([getattr(row, name) for name in COLUMNS])


def read(file: Path) -> list[Row]:
    """The rows of a file, the last of each key; none if there is no file. Raises ValueError for another's file."""
    if not file.exists():
        return []
    with file.open(encoding="utf-8", newline="") as lines:
        table = csv.DictReader(lines)
        if tuple(table.fieldnames or COLUMNS) != COLUMNS:
            raise ValueError(f"{file} has other columns than rows of results")
        rows = [Row(**line) for line in table]
    return list({row.key: row for row in rows}.values())
