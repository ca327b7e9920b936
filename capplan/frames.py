"""Tables of a plan as pandas frames, typed, and as notebooks show them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from capplan.tables import BOOLEANS, DATES, INTEGERS, Output

if TYPE_CHECKING:
    import pandas as pd

ROWS_SHOWN = 12


class Frames:
    """Tables of a plan as pandas frames, by name: ``plan.allocation``, ``plan.sites`` and so on.

    Text is ``str``, amounts are ``float64`` (``unlimited`` is infinity), counts ``Int64``, yes and no ``boolean``, days
    ``datetime64``; a blank is missing, of text the empty text. The exact decimals are those of the run's CSV files.
    """

    def __init__(self, tables: Sequence[Output]) -> None:
        self._tables = {table.name: table for table in tables}

    def __getattr__(self, name: str) -> pd.DataFrame:
        table = self.__dict__.get("_tables", {}).get(name)
        if table is None:
            raise AttributeError(f"a plan has no table {name!r}; it has {', '.join(self.__dict__.get('_tables', ()))}")
        return frame(table)

    def __dir__(self) -> list[str]:
        return sorted(self._tables)

    def __repr__(self) -> str:
        return f"<Plan: {', '.join(f'{len(table.rows)} {name}' for name, table in self._tables.items())}>"

    def _repr_html_(self) -> str:
        """As a notebook shows it: every table by name, and the first rows of the allocation."""
        names = ", ".join(f"<code>{escape(name)}</code> {len(t.rows):,}" for name, t in self._tables.items())
        return f"<p>Rows by table: {names}</p>{shown(self._tables['allocation'])}"


def frame(table: Output) -> pd.DataFrame:
    """One table as a frame."""
    import pandas as pd  # noqa: PLC0415  # half a second that only readers of frames pay

    cells = pd.DataFrame(table.rows, columns=list(table.columns), dtype="str")
    return cells.assign(**{column: _typed(cells[column], column, table) for column in table.columns})


def _typed(cells: pd.Series[str], column: str, table: Output) -> pd.Series:
    import pandas as pd  # noqa: PLC0415  # as above

    if column in BOOLEANS:
        return cells.map({"yes": True, "no": False}).astype("boolean")
    if column in DATES:
        # Seconds reach any year that an inventory may name; nanoseconds end in 2262.
        return pd.to_datetime(cells.where(cells != ""), format="%Y-%m-%d").astype("datetime64[s]")
    if column in table.text:
        return cells
    numbers = pd.to_numeric(cells.mask(cells == "").replace("unlimited", "inf"))
    whole = column in INTEGERS and not (numbers % 1).any()
    return numbers.astype("Int64" if whole else "float64")


def shown(table: Output, rows: int = ROWS_SHOWN) -> str:
    """The first rows of a table as HTML, escaped; columns in which nothing is written are left out."""
    filled = [i for i in range(len(table.columns)) if any(row[i] for row in table.rows)]
    head = "".join(f"<th>{escape(table.columns[i])}</th>" for i in filled)
    body = "".join(f"<tr>{''.join(f'<td>{escape(row[i])}</td>' for i in filled)}</tr>" for row in table.rows[:rows])
    more = len(table.rows) - rows
    rest = f"<p>and {more:,} more rows</p>" if more > 0 else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{rest}"
