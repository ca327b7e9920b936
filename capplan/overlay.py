"""What a scenario changes in an inventory, as plain data.

The planning model writes these down, the inventory reader applies them; neither knows the other.
"""

from __future__ import annotations

from dataclasses import dataclass

from capplan.errors import Place


@dataclass(frozen=True)
class Setting:
    """One cell to replace: ``path`` is ``table.key.column``, ``text`` the new cell exactly as written."""

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
class Overlay:
    """Everything a scenario changes in the tables, in the order it was written."""

    set: tuple[Setting, ...] = ()
    remove: tuple[Removal, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.set or self.remove)
