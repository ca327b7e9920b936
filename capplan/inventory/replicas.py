"""Replicas take what they leave blank from their primary."""

from __future__ import annotations

import numpy as np

from capplan.inventory.csvfile import Texts
from capplan.inventory.raw import RawTable
from capplan.units import Ints


def with_inherited(workloads: RawTable) -> RawTable:
    """The table with the blank cells of replicas filled from their primaries, in columns that ``inherits`` says."""
    if "replica_of" not in workloads.texts:
        return workloads
    row_of = {name: row for row, name in enumerate(workloads.text(workloads.schema.key[0]))}
    primary = np.array([row_of.get(name, -1) for name in workloads.text("replica_of")], dtype=np.int64)
    texts = {name: _filled(workloads, name, cells, primary) for name, cells in workloads.texts.items()}
    table = workloads
    for name, cells in texts.items():
        table = table.with_texts(name, cells)
    return table


def _filled(workloads: RawTable, name: str, cells: Texts, primary: Ints) -> Texts:
    """One column; ``primary`` int64 [row] is the row to inherit from, -1 for none."""
    column = workloads.columns.get(name)
    if column is None or not column.inherits or name in workloads.schema.key:
        return cells
    blank = np.array([text == "" for text in cells.distinct], dtype=np.bool_)
    code = cells.code
    # A replica of a replica is refused later, by who knows more of it; until then it takes what its primary took.
    for _ in range(len(code)):
        taken = np.where(blank[code] & (primary >= 0), code[primary], code)
        if (taken == code).all():
            break
        code = taken
    return Texts(cells.distinct, code)
