"""A run as an Excel workbook: a sheet for each table, and one that tells what they are.

Needs the extra ``xlsx`` (XlsxWriter).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import Any

from capplan.errors import UsageError
from capplan.runs import Run
from capplan.tables import NEARLY_FULL

WIDEST, NARROWEST = 48, 9
ROWS_MEASURED = 500
"""Rows that decide how wide a column is."""
LISTS = "lists"
"""A hidden sheet with what may be chosen in others."""

MONEY, NUMBER, SHARE, DAY = "#,##0.00;[Red]-#,##0.00", "#,##0.###", "0.0%", "yyyy-mm-dd"
STATUSES = ("placed", "left_out")


def write_workbook(run: Run, target: Path) -> None:
    """Write the tables of a run, as they are now, into a new workbook; equal tables give equal bytes.

    Raises UsageError where the run has no tables or the extra ``xlsx`` is not installed, BadInput where it is damaged.
    """
    if not run.tables:
        raise UsageError(f"the run {run.folder} has no tables: it is {run.info['status']}")
    try:
        xlsxwriter = import_module("xlsxwriter")
    except ImportError as error:
        raise UsageError("writing Excel workbooks needs the extra xlsx: pip install 'capplan[xlsx]'") from error
    # Nothing that users write is a formula or a link, whatever it looks like.
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(str(target), options)
    try:
        _Writer(run, book).write()
    finally:
        book.close()


@dataclass(frozen=True)
class _Field:
    """A column: its name, what it holds and in which unit, as ``datapackage.json`` says."""

    name: str
    type: str
    unit: str
    about: str

    @property
    def heading(self) -> str:
        """The name, and the unit where the name does not end with it; reading takes the unit off again."""
        named = not self.unit or self.unit == "share" or self.name.endswith(f"_{self.unit.lower()}")
        return self.name if named else f"{self.name} [{self.unit}]"


class _Writer:
    """One workbook being written."""

    def __init__(self, run: Run, book: Any) -> None:
        self.run, self.book = run, book
        as_of = date.fromisoformat(run.info["inventory"]["as_of"])
        book.set_properties({"title": run.info["title"], "created": datetime(as_of.year, as_of.month, as_of.day)})
        self.head = book.add_format(
            {"bold": True, "bottom": 1, "text_wrap": True, "valign": "top", "bg_color": "#E8EDF2"}
        )
        self.bold = book.add_format({"bold": True})
        self.formats = {text: book.add_format({"num_format": text}) for text in (MONEY, NUMBER, SHARE, DAY)}
        self.text = book.add_format({"num_format": "@"})
        self.tight = book.add_format({"bg_color": "#FCE8B2", "font_color": "#5C3B00"})
        self.over = book.add_format({"bg_color": "#F8C9B4", "font_color": "#7A1F00", "bold": True})

    def write(self) -> None:
        """Every sheet."""
        described = self._described()
        self._about(described)
        for name in self.run.tables:
            rows = self.run.table(name)
            fields = described.get(name, ("", []))[1] or [
                _Field(c, "string", "", "") for c in (rows[0] if rows else ())
            ]
            if fields:
                self._sheet(name, fields, rows)

    def _described(self) -> dict[str, tuple[str, list[_Field]]]:
        """By table, what it is and its columns."""
        content = json.loads((self.run.folder / "datapackage.json").read_bytes())
        return {
            one["name"]: (
                one["description"],
                [_Field(f["name"], f["type"], f.get("unit", ""), f["description"]) for f in one["schema"]["fields"]],
            )
            for one in content["resources"]
        }

    def _about(self, described: Mapping[str, tuple[str, Sequence[_Field]]]) -> None:
        """What was planned, how it stands, and what the sheets hold."""
        info, sheet = self.run.info, self.book.add_worksheet("about")
        sheet.set_column(0, 0, 22)
        sheet.set_column(1, 1, 100)
        cost = info["cost"]
        lines: list[tuple[str, object]] = [
            ("Plan", info["title"]),
            ("Scenario", info["model"]["scenario"] or ""),
            ("Status", info["status"]),
            ("Gap", info["gap"]),
            (f"Cost, {info['inventory']['currency']}", cost["total"] if cost else ""),
            ("Days", cost["horizon_days"] if cost else ""),
            (
                "To change the plan",
                "Edit site or status in the sheet allocation, save, then: capplan check RUN --allocation FILE",
            ),
        ]
        for row, (label, value) in enumerate(lines):
            sheet.write_string(row, 0, label, self.bold)
            _write_any(sheet, row, 1, value)
        for row, name in enumerate(self.run.tables, len(lines) + 1):
            sheet.write_string(row, 0, name, self.bold)
            sheet.write_string(row, 1, described.get(name, ("", []))[0])

    def _sheet(self, name: str, fields: Sequence[_Field], rows: Sequence[Mapping[str, str]]) -> None:
        sheet = self.book.add_worksheet(name)
        sheet.freeze_panes(1, 1)
        for column, field in enumerate(fields):
            cells = [row.get(field.name, "") for row in rows]
            widest = max([len(field.heading), *map(len, cells[:ROWS_MEASURED])])
            style = self._style(field)
            sheet.set_column(column, column, min(max(widest + 2, NARROWEST), WIDEST), style)
            sheet.write_string(0, column, field.heading, self.head)
            if field.about and field.about != field.name:
                sheet.write_comment(0, column, field.about)
            for row, cell in enumerate(cells, 1):
                _write(sheet, (row, column), cell, field, style)
        if rows:
            sheet.autofilter(0, 0, len(rows), len(fields) - 1)
            self._marks(sheet, {field.name: column for column, field in enumerate(fields)}, len(rows))
        if name == "allocation":
            self._choices(sheet, [field.name for field in fields], len(rows))

    def _style(self, field: _Field) -> Any:
        """The number format of a column."""
        if field.type == "date":
            return self.formats[DAY]
        if field.unit == "share":
            return self.formats[SHARE]
        if field.unit.partition("/")[0] == self.run.info["inventory"]["currency"]:
            return self.formats[MONEY]
        return self.formats[NUMBER] if field.type in ("number", "integer") else self.text

    def _marks(self, sheet: Any, at: Mapping[str, int], last: int) -> None:
        """Colours where something is nearly full or over, by the figures of the row: they follow an edit."""
        for used, limit in (("used", "usable"), ("used", "limit"), ("need", "owned")):
            if used not in at or limit not in at:
                continue
            use, most = (f"${_letters(at[name])}2" for name in (used, limit))
            bought = f"+${_letters(at['bought'])}2" if limit == "owned" and "bought" in at else ""
            numbers = f"ISNUMBER({use}),ISNUMBER({most}),{use}>0"
            for test, style in (
                (f"{use}>{most}{bought}", self.over),
                (f"{use}>={float(NEARLY_FULL)}*({most}{bought})", self.tight),
            ):
                formula = f"=AND({numbers},{test})"
                rule = {"type": "formula", "criteria": formula, "format": style, "stop_if_true": True}
                sheet.conditional_format(1, 0, last, max(at.values()), rule)
            return

    def _choices(self, sheet: Any, names: Sequence[str], last: int) -> None:
        """Lists to choose the site and the status from."""
        if not last:
            return
        sites = self.run.inventory().table("sites").ids
        hidden = self.book.add_worksheet(LISTS)
        hidden.hide()
        for row, site in enumerate(sites):
            hidden.write_string(row, 0, site)
        at, status = names.index("site"), names.index("status")
        source = f"={LISTS}!$A$1:$A${len(sites)}"
        sheet.data_validation(1, at, last, at, {"validate": "list", "source": source, "ignore_blank": True})
        sheet.data_validation(1, status, last, status, {"validate": "list", "source": list(STATUSES)})


def _write(sheet: Any, place: tuple[int, int], cell: str, field: _Field, style: Any) -> None:
    """A cell as what it is; what does not read as that stays text."""
    if not cell:
        return
    if field.type in ("number", "integer"):
        try:
            sheet.write_number(*place, float(Fraction(cell)), style)
        except (ValueError, OverflowError):
            sheet.write_string(*place, cell, style)
    elif field.type == "date" and _is_day(cell):
        sheet.write_datetime(*place, datetime.fromisoformat(cell), style)
    else:
        sheet.write_string(*place, cell, style)


def _write_any(sheet: Any, row: int, column: int, value: object) -> None:
    if isinstance(value, int | float):
        sheet.write_number(row, column, value)
    else:
        sheet.write_string(row, column, "" if value is None else str(value))


def _is_day(cell: str) -> bool:
    """Whether Excel knows the day: it counts from 1900 on, and wrongly until March of that year."""
    try:
        return date.fromisoformat(cell).year > 1900
    except ValueError:
        return False


def _letters(column: int) -> str:
    """The name of a column, counted from 0: A, B … AA."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
