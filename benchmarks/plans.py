"""Plans as files: ``item,container``, both from 0 in the order of the instance's file."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from capplan.units import Ints

HEAD = ["item", "container"]


def write_plan(file: Path, assignment: Ints) -> None:
    """Write an assignment, int64 [item]."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(HEAD)
        writer.writerows(enumerate(assignment.tolist()))


def read_plan(file: Path) -> Ints:
    """An assignment, int64 [item], from such a file or from containers alone in order. Raises ValueError for others."""
    words = file.read_text("utf-8-sig").replace(",", " ").split()
    try:
        if words[:2] != HEAD:
            return np.array(words, dtype=np.int64)
        table = np.array(words[2:], dtype=np.int64).reshape(-1, 2)
    except ValueError as fault:
        raise ValueError(f"{file} is no assignment: {fault}") from fault
    if not np.array_equal(np.sort(table[:, 0]), np.arange(len(table))):
        raise ValueError(f"{file} does not have every item from 0 to {len(table) - 1} once")
    return np.asarray(table[np.argsort(table[:, 0]), 1])
