"""What a scenario changes in an inventory, as plain data.

The planning model writes these down, the inventory reader applies them; neither knows the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from capplan.errors import Place


@dataclass(frozen=True)
class Setting:
    """Cells to replace: ``path`` is ``table.key.column``, ``text`` the new cell exactly as written."""

    path: str
    text: str
    place: Place


@dataclass(frozen=True)
class Removal:
    """One row to leave out: the row of ``table`` whose key is ``id``."""

    table: str
    id: str
    place: Place


@dataclass(frozen=True)
class Scaling:
    """Cells to change by an amount: each number under ``path`` becomes number × ``times`` + ``plus``."""

    path: str
    times: Fraction
    plus: Fraction
    place: Place


@dataclass(frozen=True)
class Addition:
    """One row to add to ``table``: (column, cell) in the order written."""

    table: str
    cells: tuple[tuple[str, str], ...]
    place: Place


@dataclass(frozen=True)
class Overlay:
    """Everything a scenario changes in the tables, each kind in the order it was written.

    Kinds are applied in this order: rows added, cells set, cells scaled, rows removed. ``before`` are the overlays of
    scenarios that this one is stacked upon; they are applied first, one after the other. A ``*`` in place of a row's
    key means every row.
    """

    set: tuple[Setting, ...] = ()
    remove: tuple[Removal, ...] = ()
    scale: tuple[Scaling, ...] = ()
    add: tuple[Addition, ...] = ()
    before: tuple[Overlay, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.set or self.remove or self.scale or self.add or any(self.before))
