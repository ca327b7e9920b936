"""Licences of a plan over the periods, as a table for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from capplan.cli.terminal import aligned

LICENCES_SHOWN = 20
_COLUMNS = ("need", "owned", "bought", "spare")


def licence_use(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Need, owned, bought and spare of every licence; periods in which they do not change are one line.

    ``rows`` as in ``licences.csv``.
    """
    cells: list[tuple[str, ...]] = []
    reasons: list[str] = []
    for licence, group in groupby(rows, key=lambda row: row["licence"]):
        mine = list(group)
        for numbers, same in groupby(mine, key=lambda row: tuple(row[column] for column in _COLUMNS)):
            cells.append((licence, next(same)["period"].partition("..")[0], *numbers))
        peak = max(mine, key=lambda row: int(row["need"]))
        reasons.append(f"  {licence}: {peak['why']}{_runs_out(peak)}")
    if not cells:
        return []
    shown = aligned(("licence", "from", *_COLUMNS), cells[:LICENCES_SHOWN], lambda column: column > 1)
    more = len(cells) - LICENCES_SHOWN
    if more > 0:
        return ["Licences", *shown, f"  and {more:,} more: see licences.csv"]
    return ["Licences", *shown, *reasons]


def _runs_out(row: Mapping[str, str]) -> str:
    owned = int(row["owned"]) > 0
    return f"; what is owned runs out on {row['runs_out']}" if owned and row["runs_out"] else ""
