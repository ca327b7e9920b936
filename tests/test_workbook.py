"""Excel: inventories in sheets, runs as workbooks, and the way back of an edited one."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
import xlsxwriter

from capplan.inventory.workbook import sheet_names, sheet_rows, without_unit
from capplan.load import read_inventory
from capplan.runs import read_run
from capplan.workbook import write_workbook
from tests.cli_calls import CHECKOUT, capplan

DUDLEY = CHECKOUT / "inventories" / "dudley"
Sheets = Mapping[str, Sequence[Sequence[object]]]


def write(path: Path, sheets: Sheets) -> Path:
    """A workbook as a planner would have it: numbers are numbers, dates are dates."""
    book = xlsxwriter.Workbook(str(path))
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for r, row in enumerate(rows):
            for c, cell in enumerate(row):
                if isinstance(cell, date):
                    sheet.write_datetime(r, c, datetime(cell.year, cell.month, cell.day), day)
                elif cell != "":
                    sheet.write(r, c, cell)
    book.close()
    return path


def typed(text: str) -> object:
    """A cell as Excel would take it in when it is typed."""
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return date.fromisoformat(text)
    except ValueError:
        return text


def tables(folder: Path) -> dict[str, list[list[object]]]:
    """The CSV tables of an inventory, cells as Excel would hold them."""
    found: dict[str, list[list[object]]] = {}
    for path in sorted(folder.glob("*.csv")):
        rows = list(csv.reader(path.read_text("utf-8-sig").splitlines()))
        found[path.stem] = [list(rows[0]), *([typed(cell) for cell in row] for row in rows[1:])]
    return found


def in_sheets(folder: Path, sheets: Sheets, settings: Path = DUDLEY) -> Path:
    """An inventory whose tables are sheets."""
    folder.mkdir()
    (folder / "inventory.yaml").write_bytes((settings / "inventory.yaml").read_bytes())
    if (settings / "model.yaml").is_file():
        (folder / "model.yaml").write_bytes((settings / "model.yaml").read_bytes())
    write(folder / "inventory.xlsx", sheets)
    return folder


@pytest.fixture(scope="module")
def cumbria(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of Cumbria."""
    folder = tmp_path_factory.mktemp("workbook") / "cumbria"
    assert capplan("solve", CHECKOUT / "inventories" / "cumbria", "-o", folder).code == 0
    return folder


@pytest.mark.parametrize("name", ["dudley", "cumbria", "shared-service"])
def test_sheets_read_as_the_files_they_stand_for(tmp_path: Path, name: str):
    """Every table of a shipped inventory, in one workbook: the same inventory."""
    folder = CHECKOUT / "inventories" / name
    ours, theirs = read_inventory(in_sheets(tmp_path / "sheets", tables(folder), folder)), read_inventory(folder)
    assert np.array_equal(ours.demand, theirs.demand)
    assert np.array_equal(ours.capacity, theirs.capacity)
    for table, mine in ours.tables.items():
        other = theirs.tables[table]
        assert mine.present == other.present
        for column in mine.present:
            assert list(map(typed, mine.text(column))) == list(map(typed, other.text(column))), (table, column)


def test_an_inventory_in_sheets_is_solved_and_its_run_read_again(tmp_path: Path):
    """The copy in the run is the workbook, once."""
    folder = in_sheets(tmp_path / "sheets", tables(DUDLEY))
    assert capplan("solve", folder, "-o", tmp_path / "run").code == 0
    copies = [path.name for path in (tmp_path / "run" / "inputs" / "inventory").iterdir()]
    assert sorted(copies) == ["inventory.xlsx", "inventory.yaml"]
    assert capplan("check", tmp_path / "run").code == 0


def test_faults_are_told_with_sheet_row_and_column(tmp_path: Path):
    """All of them at once; row and column are those of the sheet."""
    found = tables(DUDLEY)
    header = list(map(str, found["workloads"][0]))
    found["workloads"][2][header.index("power_kw")] = "3,5"
    found["workloads"][4][header.index("organisation")] = "NOBODY"
    said = capplan("validate", in_sheets(tmp_path / "sheets", found))
    book = tmp_path / "sheets" / "inventory.xlsx"
    assert said.code == 1
    text = said.out + said.err
    assert f"{book}[workloads]:3:{header.index('power_kw') + 1}: error" in text
    assert f"{book}[workloads]:5:{header.index('organisation') + 1}: error" in text


def test_a_table_may_not_be_both(tmp_path: Path):
    """A sheet and a file of one name contradict each other sooner or later."""
    folder = in_sheets(tmp_path / "sheets", tables(DUDLEY))
    (folder / "sites.csv").write_bytes((DUDLEY / "sites.csv").read_bytes())
    said = capplan("validate", folder)
    assert said.code == 1
    assert "sites is a file and a sheet of inventory.xlsx" in said.out + said.err


@pytest.mark.parametrize(
    ("sheet", "code", "message"),
    [("workload", 1, 'did you mean "workloads"?'), ("my notes", 0, "this sheet is not read")],
)
def test_sheets_that_are_no_tables_are_told(tmp_path: Path, sheet: str, code: int, message: str):
    """One that is called almost like a table is a mistake, any other is only said."""
    found: dict[str, list[list[object]]] = tables(DUDLEY)
    if code:
        found[sheet] = found.pop("workloads")
    else:
        found[sheet] = [["whatever"]]
    said = capplan("validate", in_sheets(tmp_path / "sheets", found))
    assert said.code == code
    assert message in said.out + said.err


def test_what_is_no_workbook_is_an_error(tmp_path: Path):
    """Located, with what would help."""
    folder = in_sheets(tmp_path / "sheets", {})
    (folder / "inventory.xlsx").write_bytes(b"PK\x03\x04 but then nothing")
    said = capplan("validate", folder)
    assert said.code == 1
    assert "inventory.xlsx: error[unreadable-workbook]: this is no Excel workbook" in said.out + said.err


def test_without_the_extra_it_says_how_to_get_it(tmp_path: Path, cumbria: Path, monkeypatch: pytest.MonkeyPatch):
    """Reading and writing."""
    folder = in_sheets(tmp_path / "sheets", tables(DUDLEY))
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    said = capplan("validate", folder)
    assert said.code == 1
    assert "pip install 'capplan[xlsx]'" in said.out + said.err
    refused = capplan("export", cumbria, "-o", tmp_path / "out.xlsx")
    assert (refused.code, (tmp_path / "out.xlsx").exists()) == (2, False)
    assert "pip install 'capplan[xlsx]'" in refused.err


def test_cells_are_read_as_they_would_be_typed(tmp_path: Path):
    """Whole numbers without a point, sums with the digits that Excel shows, dates as ISO, codes as they are."""
    cells = [["001", 12.0, 0.1 + 0.2, 1e-7, 1e15, date(2016, 4, 1), True, "5E1"]]
    path = write(tmp_path / "book.xlsx", {"s": cells})
    assert sheet_rows(path, "s") == (("001", "12", "0.3", "0.0000001", "1000000000000000", "2016-04-01", "yes", "5E1"),)
    assert sheet_names(path) == ["s"]


@pytest.mark.parametrize(
    ("heading", "name"), [("cost [GBP]", "cost"), ("value [GBP/year] ", "value"), ("site", "site")]
)
def test_units_in_headings_are_taken_off(heading: str, name: str):
    """Only at the end."""
    assert without_unit(heading) == name


def test_a_run_exported_measures_as_the_run(cumbria: Path, tmp_path: Path):
    """Nothing is lost on the way to Excel and back: no warning, the same figures."""
    book = tmp_path / "plan.xlsx"
    assert capplan("export", cumbria, "-o", book).out == f"{book}\n"
    by_csv = capplan("check", cumbria)
    by_book = capplan("check", cumbria, "--allocation", book, "--purchases", book)
    assert (by_book.code, by_book.err) == (0, "")
    assert by_book.out == by_csv.out


def test_an_edited_allocation_comes_back(cumbria: Path, tmp_path: Path):
    """A workload moved in Excel breaks what it breaks, named with its row; pinned, the rest is planned around it."""
    write_workbook(read_run(cumbria), tmp_path / "plan.xlsx")
    rows = [list(row) for row in sheet_rows(tmp_path / "plan.xlsx", "allocation")]
    at = [row[0] for row in rows].index("EML-R")
    rows[at][rows[0].index("site")] = "A"
    edited = write(tmp_path / "edited.xlsx", {"allocation": rows})
    said = capplan("check", cumbria, "--allocation", edited)
    assert said.code == 1
    assert f"written at {edited}:{at + 1}" in said.out
    rows[at][rows[0].index("site")] = "B"
    rows = [row for row in rows if row[0] in ("workload", "EML-R", "EML")]
    kept = write(tmp_path / "kept.xlsx", {"allocation": rows})
    solved = capplan("solve", CHECKOUT / "inventories" / "cumbria", "--pin", kept, "-o", tmp_path / "again")
    assert solved.code == 0
    assert capplan("check", tmp_path / "again").code == 0


def test_a_workbook_without_an_allocation_is_an_error(cumbria: Path, tmp_path: Path):
    """It says which sheets there are."""
    book = write(tmp_path / "other.xlsx", {"budget": [["a"]]})
    said = capplan("check", cumbria, "--allocation", book)
    assert said.code == 1
    assert "its sheets are: budget" in said.out + said.err


def test_equal_runs_give_equal_workbooks(cumbria: Path, tmp_path: Path):
    """Byte for byte."""
    for name in ("one.xlsx", "two.xlsx"):
        write_workbook(read_run(cumbria), tmp_path / name)
    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "two.xlsx").read_bytes()


def test_what_looks_like_a_formula_is_text(tmp_path: Path):
    """Names from users are neither run nor followed."""
    evil = ["=1+1", "@SUM(1)", "http://example.org", "-2+3"]
    folder = tmp_path / "inventory"
    folder.mkdir()
    (folder / "inventory.yaml").write_text("format: 1\ncurrency: GBP\nas_of: 2016-01-01\n", "utf-8")
    (folder / "sites.csv").write_text("site,power_kw\nA,10\n", "utf-8")
    (folder / "organisations.csv").write_text("organisation\nO\n", "utf-8")
    lines = [f"W{i},{name if name[0] == 'h' else chr(39) + name},O,1" for i, name in enumerate(evil)]
    (folder / "workloads.csv").write_text("\n".join(["workload,name,organisation,power_kw", *lines, ""]), "utf-8")
    assert capplan("solve", folder, "-o", tmp_path / "run").code == 0
    assert capplan("export", tmp_path / "run").code == 0
    book = tmp_path / "run.xlsx"
    assert [row[1] for row in sheet_rows(book, "allocation")[1:]] == evil
    with ZipFile(book) as parts:
        sheets = [parts.read(name).decode() for name in parts.namelist() if name.startswith("xl/worksheets/sheet")]
        assert not any("<f>" in sheet or "<hyperlink" in sheet for sheet in sheets)


def test_what_a_planner_expects_of_a_workbook(cumbria: Path, tmp_path: Path):
    """Headings stay in sight and have filters, columns their units, sites a list to choose from, limits colours."""
    write_workbook(read_run(cumbria), tmp_path / "plan.xlsx")
    assert sheet_names(tmp_path / "plan.xlsx")[:3] == ["about", "allocation", "lists"]
    with ZipFile(tmp_path / "plan.xlsx") as parts:
        allocation = parts.read("xl/worksheets/sheet2.xml").decode()
        everything = "".join(parts.read(n).decode() for n in parts.namelist() if n.startswith("xl/worksheets/sheet"))
    assert 'state="frozen"' in allocation
    assert "<autoFilter" in allocation
    assert "lists!$A$1:$A$2" in allocation
    assert "<conditionalFormatting" in everything
    assert "cost [GBP]" in sheet_rows(tmp_path / "plan.xlsx", "allocation")[0]


def test_an_infeasible_run_has_nothing_to_export(tmp_path: Path):
    """Said, with the status; no file is left behind."""
    assert capplan("solve", DUDLEY, "--scenario", "as-is", "-o", tmp_path / "run").code == 3
    said = capplan("export", tmp_path / "run")
    assert said.code == 2
    assert "infeasible" in said.err
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
