"""What capplan writes it reads, byte for byte; and what spreadsheets do to a file between the two changes nothing."""

from __future__ import annotations

import csv
import io
import random
import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capplan import runs, shipped
from capplan.checking import check, written
from capplan.errors import BadInput, Faults, Severity
from capplan.inventory import read_allocation, read_purchases, write_csv, write_inventory, write_table
from capplan.load import read_inventory, read_model
from capplan.solving import Result, solve
from capplan.tables import Output
from tests.worlds import worlds

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SHIPPED = shipped.folder("inventories")
ODD = {
    "inventory.yaml": "format: 1\ntitle: Odd\ncurrency: GBP\nas_of: 2016-04-01\n",
    "sites.csv": "site,power_kw,cost_power_kw\n=A,10,100\n5E1,5,120.50\nCafé,9,110\n",
    "workloads.csv": "workload,name,organisation,power_kw,value,current_site,from,to\n"
    'W1,"=cmd(), ""x""",O,3.4,,=A,2016-04-01,2016-12-31\n-W2,+Two;more,O,1.50,,5E1,,2017-02-03\n'
    "001,@Drei,O,9,5000,,,\nWä,'=x,O,0.25,,,2016-05-06,\n",
    "expansions.csv": "expansion,site,resource,amount,cost\nups,=A,power_kw,5,1\n",
}


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of an inventory full of what spreadsheets trip over."""
    folder = tmp_path_factory.mktemp("odd")
    for name, text in ODD.items():
        (folder / name).write_text(text, "utf-8")
    saved, _ = run_of(folder, "standard")
    return saved


def run_of(folder: Path, model: str | Path) -> tuple[Path, Result]:
    """An inventory solved and saved."""
    planning = read_model(model)
    inventory = read_inventory(folder, planning.overlay)
    result = solve(inventory, planning)
    folder = folder / "run"
    saved = runs.write_run(result, inventory, planning, folder, title="t", command=[], warnings=[], now=NOW)
    return saved, result


def written_again(saved: Path, allocation: Path | None = None, purchases: Path | None = None) -> dict[str, bytes]:
    """The tables of a run as its allocation and purchases, read from files, would be written; no fault on the way."""
    run, faults = runs.read_run(saved), Faults()
    plan = run.plan()
    assert plan is not None
    expected = written(run.inventory(), run.model(), plan)
    placed = read_allocation(allocation or saved / "allocation.csv", run.inventory(), faults, expected)
    bought = read_purchases(purchases or saved / "purchases.csv", run.inventory(), faults)
    assert [str(fault) for fault in faults.sorted() if fault.severity is Severity.ERROR or not allocation] == []
    found = check(run.inventory(), run.model(), placed, bought, plan)
    assert (found.changes, found.cost_difference, found.findings) == ((), 0, ())
    return {table.name: bytes_of(table) for table in found.tables}


def bytes_of(table: Output) -> bytes:
    return write_csv(None, table.columns, table.rows, table.text)


def files(folder: Path) -> dict[str, bytes]:
    return {path.stem: path.read_bytes() for path in folder.glob("*.csv")}


# ---------------------------------------------------------------- what capplan writes


def test_a_run_read_and_written_again_is_the_same_bytes(odd: Path):
    """Every table, from the allocation and the purchases alone."""
    assert written_again(odd) == files(odd)


@pytest.mark.parametrize("name", ["dudley", "north-central-london"])
def test_shipped_inventories_come_back_byte_for_byte(name: str, tmp_path: Path):
    """Their runs, and the inventories themselves once written."""
    folder = shutil.copytree(SHIPPED / name, tmp_path / name)
    own = folder / "model.yaml"
    saved, _ = run_of(folder, own if own.is_file() else "standard")
    assert written_again(saved) == files(saved)
    write_inventory(read_inventory(folder), tmp_path / "once")
    write_inventory(read_inventory(tmp_path / "once"), tmp_path / "twice")
    assert files(tmp_path / "once") == files(tmp_path / "twice")


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(worlds())
def test_runs_of_all_small_worlds_come_back_byte_for_byte(tmp_path_factory: pytest.TempPathFactory, world):
    """Solve, write, read, check, write: the same bytes."""
    folder = world.write(tmp_path_factory.mktemp("world") / "w")
    try:
        saved, result = run_of(folder, folder / "model.yaml")
    except BadInput:
        return
    if result.measured is not None:
        assert written_again(saved) == files(saved)


def test_every_table_of_a_run_reads_as_cells_that_write_the_same(odd: Path):
    """Apostrophes that guard formulas go and come back, whatever the table."""
    run = runs.read_run(odd)
    result = solve(run.inventory(), run.model())
    for table in result.tables:
        rows = [list(row.values()) for row in run.table(table.name)]
        assert rows == table.rows
        assert bytes_of(Output(table.name, table.columns, table.text, rows)) == files(odd)[table.name]


def test_inventory_tables_read_and_written_again_are_the_same_bytes(odd: Path):
    """One table at a time, ids such as =A, 5E1 and 001 among them."""
    write_inventory(read_inventory(odd.parent), odd.parent / "again")
    inventory = read_inventory(odd.parent / "again")
    for name, content in files(odd.parent / "again").items():
        assert write_table(inventory.table(name), None) == content


# ---------------------------------------------------------------- what spreadsheets save


@dataclass(frozen=True)
class Saved:
    """How a program saves a table."""

    mark: bool
    end: str
    separator: str
    quoting: int
    blank_columns: int
    blank_rows: int
    shuffle: int
    drops_ends: bool
    """The last cells of a row are dropped if they are blank, and all that is read stands before them."""

    def text(self, content: bytes) -> bytes:
        """A table saved so."""
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
        order, draw = list(range(len(rows[0]))), random.Random(self.shuffle)
        draw.shuffle(order)
        body = rows[1:]
        draw.shuffle(body)
        if self.drops_ends:
            order.sort(key=lambda i: rows[0][i] not in ("workload", "site", "status", "purchase", "period", "steps"))
        cells = [[row[i] for i in order] + [""] * self.blank_columns for row in [rows[0], *body]]
        cells += [[""] * len(cells[0])] * self.blank_rows
        if self.drops_ends:
            cells = [cells[0], *(self._cut(row) for row in cells[1:])]
        text = io.StringIO(newline="")
        form = {"delimiter": self.separator, "lineterminator": self.end}
        csv.writer(text, quoting=self.quoting, **form).writerows(cells)  # type: ignore[arg-type]  # int for its literal
        return (b"\xef\xbb\xbf" if self.mark else b"") + text.getvalue().encode()

    @staticmethod
    def _cut(row: list[str]) -> list[str]:
        while len(row) > 4 and not row[-1]:
            row = row[:-1]
        return row


SAVES = st.builds(
    Saved,
    st.booleans(),
    st.sampled_from(("\r\n", "\n", "\r")),
    st.sampled_from((",", ";")),
    st.sampled_from((csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC)),
    st.integers(0, 3),
    st.integers(0, 3),
    st.integers(0, 10**6),
    st.booleans(),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SAVES, SAVES)
def test_however_a_spreadsheet_saves_the_plan_is_the_same(odd: Path, one: Saved, other: Saved):
    """Mark, line ends, separators, quotes, blank columns and rows, order of rows and columns."""
    allocation, purchases = odd.parent / "edited-allocation", odd.parent / "edited-purchases"
    allocation.write_bytes(one.text((odd / "allocation.csv").read_bytes()))
    purchases.write_bytes(other.text((odd / "purchases.csv").read_bytes()))
    assert written_again(odd, allocation, purchases) == files(odd)


def test_locale_dates_and_decimals_are_warnings_only(odd: Path, tmp_path: Path):
    """What a spreadsheet makes of 2016-04-01 and 3.4 elsewhere is told, once a column, and changes nothing."""
    elsewhere = {"2016-04-01": "01/04/2016", "2016-12-31": "31/12/2016", "2016-05-06": "5/6/16", "3.4": "3,4"}
    text = (odd / "allocation.csv").read_text("utf-8-sig")
    path, run, faults = tmp_path / "a.csv", runs.read_run(odd), Faults()
    with path.open("w", encoding="utf-8", newline="") as file:
        for row in csv.reader(io.StringIO(text, newline="")):
            csv.writer(file, delimiter=";").writerow([elsewhere.get(cell, cell) for cell in row])
    plan = run.plan()
    assert plan is not None
    found = read_allocation(path, run.inventory(), faults, written(run.inventory(), run.model(), plan))
    assert found.site.tolist() == plan.site.tolist()
    assert {fault.severity for fault in faults.kept} == {Severity.WARNING}
    columns = [fault.message.split(":")[0] for fault in faults.kept if "another way" in fault.message]
    assert sorted(columns) == ["from", "power_kw", "to"]


@pytest.mark.skipif(not shutil.which("soffice"), reason="LibreOffice is not installed")
@pytest.mark.parametrize(
    "options",
    ["44,34,76,1,,0,false,true", "44,34,76,1,,0,true,true", "59,34,76,1,,0,true,false"],
    ids=["commas", "all text quoted", "semicolons"],
)
def test_through_libreoffice_and_back(odd: Path, tmp_path: Path, options: str):
    """CSV to ODS to CSV by LibreOffice itself: the same plan. ``options`` are those of its CSV filter."""
    for name in ("allocation", "purchases"):
        shutil.copy(odd / f"{name}.csv", tmp_path)
    # The first column as text: the office would read 001 as a number.
    by_office(tmp_path, "--convert-to", "ods", "--infilter=CSV:44,34,76,1,1/2", "allocation.csv", "purchases.csv")
    form = f"csv:Text - txt - csv (StarCalc):{options}"
    by_office(tmp_path, "--convert-to", form, "--outdir", "out", "allocation.ods", "purchases.ods")
    paths = [tmp_path / "out" / f"{name}.csv" for name in ("allocation", "purchases")]
    assert paths[0].read_bytes() != (odd / "allocation.csv").read_bytes()
    assert written_again(odd, *paths) == files(odd)


@pytest.mark.skipif(not shutil.which("soffice"), reason="LibreOffice is not installed")
@pytest.mark.parametrize(
    ("options", "code", "word"),
    [("CSV:44,34,76,1", "code-read-as-number", "001"), ("CSV:44,34,1,1", "encoding-not-utf8", "Windows-1252")],
    ids=["codes as numbers", "wrong encoding"],
)
def test_what_libreoffice_breaks_is_named(odd: Path, tmp_path: Path, options: str, code: str, word: str):
    """Opened carelessly, a file loses leading zeros, or its letters; both are told for what they are."""
    shutil.copy(odd / "allocation.csv", tmp_path)
    by_office(tmp_path, "--convert-to", "ods", f"--infilter={options}", "allocation.csv")
    form = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true"
    by_office(tmp_path, "--convert-to", form, "--outdir", "out", "allocation.ods")
    faults = Faults()
    read_allocation(tmp_path / "out/allocation.csv", runs.read_run(odd).inventory(), faults)
    errors = [fault for fault in faults.sorted() if fault.severity is Severity.ERROR]
    assert [fault.code for fault in errors] == [code]
    assert word in str(errors[0])


def by_office(folder: Path, *arguments: str) -> None:
    """LibreOffice called in a folder, with a profile of its own."""
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    subprocess.run(
        ["soffice", profile, "--headless", *arguments], cwd=folder, capture_output=True, check=True, timeout=120
    )
