"""Allocations and purchases that come back from a run, edited by hand or not."""

from pathlib import Path

import pytest

from capplan.errors import FAULTS_KEPT_PER_CODE, Fault, Faults, Place, Severity
from capplan.inventory import (
    Allocation,
    Bought,
    Inventory,
    read_allocation,
    read_placements_to_keep,
    read_purchases,
    write_csv,
)
from tests.inventory_folders import read

FILES = {
    "workloads": "workload,organisation,power_kw\nW1,O1,3.4\nW2,O2,1.5\n=W3,O2,2\n",
    "expansions": "expansion,site,resource,amount\nups,A,power_kw,18\n",
}
# Workloads in id order: =W3, W1, W2.
WRITTEN = "workload,name,organisation,site,status,moved,from,rtt_ms,power_kw,cost,note\r\n"


@pytest.fixture
def inventory(tmp_path) -> Inventory:
    return read(tmp_path / "inventory", FILES)


def allocation(folder: Path, inventory: Inventory, text: str, **expected: list[str]) -> tuple[Allocation, list[Fault]]:
    """One allocation read, and every fault."""
    path, faults = folder / "allocation.csv", Faults()
    path.write_bytes(text.encode())
    return read_allocation(path, inventory, faults, expected or None), faults.sorted()


def told(folder: Path, faults: list[Fault]) -> list[str]:
    return [f"{str(fault.place).removeprefix(f'{folder}/')} {fault.code}" for fault in faults]


def test_an_allocation_as_a_run_writes_it_reads_without_a_word(tmp_path, inventory):
    text = (
        "\ufeff"
        + WRITTEN
        + "'=W3,,O2,,left_out,no,,,2,0.00,\r\nW1,,O1,B,placed,yes,,1.2,3.4,12.00,'-x\r\nW2,,O2,A,placed,no,,,1.5,,\r\n"
    )
    found, faults = allocation(tmp_path, inventory, text)
    assert faults == []
    assert found.site.tolist() == [-1, 1, 0]
    assert found.line.tolist() == [2, 3, 4]
    assert found.given.all()
    assert found.file == str(tmp_path / "allocation.csv")
    assert found.place(1) == Place(found.file, 3)
    assert not any(array.flags.writeable for array in (found.site, found.line, found.given))


def test_the_order_of_rows_and_columns_and_what_a_spreadsheet_does_to_line_ends_change_nothing(tmp_path, inventory):
    found, faults = allocation(tmp_path, inventory, "status,site,workload\rplaced,A,W2\r,,\rplaced,B,W1\r")
    assert faults == []
    assert found.site.tolist() == [-1, 1, 0]
    assert found.line.tolist() == [0, 4, 2]
    assert found.given.tolist() == [False, True, True]
    assert found.place(0) == Place(found.file)


def test_without_a_status_a_site_says_placed_and_a_blank_left_out(tmp_path, inventory):
    found, faults = allocation(tmp_path, inventory, "workload,site\nW1,A\nW2,\n")
    assert faults == []
    assert found.site.tolist() == [-1, 0, -1]
    assert found.given.tolist() == [False, True, True]


ERRORS = [
    ("W9,A,placed", "2:1 unknown-reference", "did you mean"),
    ("W1,Aa,placed", "2:4 unknown-reference", 'did you mean "A"?'),
    (",A,placed", "2:1 empty-mandatory-cell", "fill it in"),
    ("W1,A,placd", "2:6 unknown-choice", 'did you mean "placed"?'),
    ("W1,,placed", "2:4 empty-mandatory-cell", "name the site, or write left_out"),
    ("W1,A,left_out", "2:6 contradictory-cells", "leave the site empty"),
    ("W1,TBC,placed", "2:4 placeholder-cell", "leave the cell empty"),
    ("W1,A,placed\nW2,B,\nW1,B,placed", "4:1 duplicate-id", "delete"),
    ("W1,A", "2 row-length", "add the missing commas"),
    ('W1,"A,placed', "2:4 unbalanced-quote", "close the quote"),
]


@pytest.mark.parametrize(("rows", "place", "fix"), ERRORS)
def test_a_mistake_is_told_where_it_stands(tmp_path, inventory, rows, place, fix):
    _, faults = allocation(tmp_path, inventory, f"workload,site,status\n{rows}\n")
    errors = [fault for fault in faults if fault.severity is Severity.ERROR]
    assert told(tmp_path, errors) == [f"allocation.csv:{place}"]
    assert fix in errors[0].fix or errors[0].code == "unknown-reference"


def test_a_column_nobody_knows_or_a_missing_one_is_told(tmp_path, inventory):
    _, faults = allocation(tmp_path, inventory, "workload,syte,x_mine\nW1,A,1\n")
    assert told(tmp_path, faults) == ["allocation.csv:1:10 unknown-column"]
    _, faults = allocation(tmp_path, inventory, "site,status\nA,placed\n")
    assert told(tmp_path, faults) == ["allocation.csv:1 missing-column"]


def test_a_file_that_is_not_there_or_no_table_leaves_every_workload_unmentioned(tmp_path, inventory):
    faults = Faults()
    found = read_allocation(tmp_path / "none.csv", inventory, faults)
    assert [fault.code for fault in faults.kept] == ["unreadable-file"]
    assert not found.given.any()
    found, faults_ = allocation(tmp_path, inventory, "workload|site\nW1|A\n")
    assert told(tmp_path, faults_) == ["allocation.csv:1:1 wrong-delimiter"]
    assert found.site.tolist() == [-1, -1, -1]


def test_a_changed_organisation_is_said_to_have_no_effect(tmp_path, inventory):
    found, faults = allocation(tmp_path, inventory, "workload,site,organisation\nW1,A,O1\nW2,A,O1\n")
    assert told(tmp_path, faults) == ["allocation.csv:3:6 derived-column-ignored"]
    assert faults[0].severity is Severity.WARNING
    assert '"O1" has no effect' in faults[0].message
    assert '"O2"' in faults[0].message
    assert found.site.tolist() == [-1, 0, 0]


def test_demand_is_not_held_against_the_inventory_because_growth_may_have_changed_it(tmp_path, inventory):
    assert allocation(tmp_path, inventory, "workload,site,power_kw\nW1,A,3.91\n")[1] == []


def test_whoever_knows_what_a_run_writes_is_told_every_change_of_it(tmp_path, inventory):
    text = "workload,site,power_kw,name,cost\nW1,A,3.910,One,7\nW2,B,9,two,\n'=W3,B,2.2,,0.00\n"
    power, name, cost = ["2.2", "3.91", "1.725"], ["", "One", ""], ["0.00", "6.50", "1.00"]
    _, faults = allocation(tmp_path, inventory, text, power_kw=power, name=name, cost=cost)
    assert told(tmp_path, faults) == [
        "allocation.csv:2:16 derived-column-ignored",
        "allocation.csv:3:6 derived-column-ignored",
        "allocation.csv:3:8 derived-column-ignored",
    ]
    assert [fault.message.split(" has")[0] for fault in faults] == ['cost: "7"', 'power_kw: "9"', 'name: "two"']
    assert '"1.725"' in faults[1].message
    assert "the inventory gives none" in faults[2].message


def test_expected_texts_win_over_what_the_inventory_itself_would_say(tmp_path, inventory):
    _, faults = allocation(
        tmp_path, inventory, "workload,site,organisation\nW1,A,O7\n", organisation=["O2", "O7", "O2"]
    )
    assert faults == []


def test_expected_texts_of_another_length_or_column_are_our_defect(tmp_path, inventory):
    with pytest.raises(ValueError, match="1 expected texts of name for 3 workloads"):
        allocation(tmp_path, inventory, "workload,name\nW1,x\n", name=["x"])
    with pytest.raises(KeyError, match="colour"):
        allocation(tmp_path, inventory, "workload,name\nW1,x\n", colour=["x"] * 3)


def test_many_changes_are_counted_and_told_in_file_order(tmp_path):
    rows = [(f"W{i:04}", "O1") for i in range(3000)]
    files = {"workloads": write_csv(None, ("workload", "organisation"), rows, set())}
    many = read(tmp_path / "inventory", files)
    cells = [(name, "A", "5") for name, _ in reversed(rows)]
    path, faults = tmp_path / "allocation.csv", Faults()
    write_csv(path, ("workload", "site", "power_kw"), cells, set())
    read_allocation(path, many, faults, {"power_kw": ["4"] * 3000})
    assert [fault.place.line for fault in faults.kept] == list(range(2, 2 + FAULTS_KEPT_PER_CODE))
    assert "2,950 more" in faults.sorted()[-1].message


# ---------------------------------------------------------------- what spreadsheets do


def test_semicolons_are_read_with_a_warning_where_the_header_leaves_no_doubt(tmp_path, inventory):
    """A spreadsheet of a locale with decimal commas: every cell arrives, every place counts in its file."""
    text = '\ufeffworkload;site;status;power_kw;note;;\r\n"W1";"A";placed;3,4;"a; b";;\r\n'
    text += "W2;Bx;placed;1,5;;;\r\n;;;;;;\r\n"
    found, faults = allocation(tmp_path, inventory, text)
    assert told(tmp_path, faults) == ["allocation.csv:1 wrong-delimiter", "allocation.csv:3:4 unknown-reference"]
    assert faults[0].severity is Severity.WARNING
    assert "semicolons" in faults[0].message
    assert found.site.tolist() == [-1, 0, -1]
    assert found.line.tolist() == [0, 2, 3]


@pytest.mark.parametrize("header", ["workload;syte", "workload;site,status", "workload|site", "workload\tsite"])
def test_other_separators_and_doubtful_headers_stay_errors(tmp_path, inventory, header):
    """Nothing is guessed: one unknown name, or two kinds of separator, and the file is refused."""
    _, faults = allocation(tmp_path, inventory, f"{header}\n")
    assert "workload" in faults[0].message or faults[0].code == "wrong-delimiter"
    assert all(fault.severity is Severity.ERROR for fault in faults)


def test_a_decimal_comma_is_an_error_only_where_the_number_is_read(tmp_path, inventory):
    """``steps`` is read, ``cost`` is not."""
    _, faults = purchases(tmp_path, inventory, "purchase;site;period;steps;cost\nups;A;;1,5;12,50\n")
    assert told(tmp_path, faults) == ["purchases.csv:1 wrong-delimiter", "purchases.csv:2:8 decimal-comma"]


def test_cells_rewritten_by_a_locale_are_told_once_a_column(tmp_path, inventory):
    """Dates and decimals in another notation lose nothing, since nobody reads them; one warning says so."""
    text = 'workload,site,from,power_kw\nW1,A,01/04/2016,"3,4"\nW2,A,1.4.16,1.5\n=W3,B,02/04/2016,2\n'
    right = {"from": ["2016-04-01"] * 3, "power_kw": ["2", "3.4", "1.50"]}
    _, faults = allocation(tmp_path, inventory, text, **right)
    assert told(tmp_path, faults) == [
        "allocation.csv:2:6 derived-column-ignored",
        "allocation.csv:2:17 derived-column-ignored",
        "allocation.csv:4:7 derived-column-ignored",
    ]
    assert 'from: "01/04/2016" and 1 more are written in another way' in faults[0].message
    assert 'power_kw: "3,4" is written in another way' in faults[1].message
    assert "has no effect" in faults[2].message, "another day is an edit"
    assert all(fault.severity is Severity.WARNING for fault in faults)


def test_a_point_is_not_taken_for_a_thousands_separator(tmp_path, inventory):
    """3.4 where 34 stood is an edit, not another notation."""
    _, faults = allocation(tmp_path, inventory, "workload,site,power_kw\nW1,A,3.4\n", power_kw=["", "34", ""])
    assert "has no effect" in faults[0].message


def test_rows_may_end_before_or_after_the_header_where_only_blank_cells_are_concerned(tmp_path, inventory):
    """Spreadsheets drop and add separators of blank cells at the end of rows."""
    text = "workload,site,status,cost,note\nW1,A,placed,1\nW2,B,placed,,,,\n=W3,,left_out\n"
    found, faults = allocation(tmp_path, inventory, text)
    assert faults == []
    assert found.site.tolist() == [-1, 0, 1]
    _, faults = allocation(tmp_path, inventory, "workload,site,status,note\nW1,A\nW2,A,placed,,x\n")
    assert told(tmp_path, faults) == ["allocation.csv:2 row-length", "allocation.csv:3 row-length"]


def test_a_byte_order_mark_read_in_another_encoding_is_told(tmp_path, inventory):
    """A file of UTF-8 that was opened as Windows-1252 and saved: its text is broken."""
    for mark in ("ï»¿", '"ï»¿'):
        _, faults = allocation(tmp_path, inventory, f"{mark}workload,site\nW1,A\n")
        assert told(tmp_path, faults) == ["allocation.csv:1:1 encoding-not-utf8"]


# ---------------------------------------------------------------- placements to keep


def test_placements_to_keep_are_those_with_a_site(tmp_path, inventory):
    """A blank site is free, whatever its status; a workload that is not named is free as well."""
    path, faults = tmp_path / "pin.csv", Faults()
    path.write_text("workload,site,status\nW1,B,placed\nW2,,placed\n=W3,,left_out\n", "utf-8")
    assert read_placements_to_keep(path, inventory, faults).site.tolist() == [-1, 1, -1]
    assert faults.kept == []
    path.write_text("workload,site,status\nW1,B,left_out\n", "utf-8")
    read_placements_to_keep(path, inventory, faults)
    assert [fault.code for fault in faults.kept] == ["contradictory-cells"]


def test_a_name_that_a_faulty_table_may_have_is_no_fault(tmp_path, inventory):
    """Where workloads.csv has errors, nobody knows which workloads there are."""
    path, faults = tmp_path / "a.csv", Faults()
    path.write_text("workload,site\nW9,A\nW1,Q\n", "utf-8")
    faults.error(Place(inventory.table("workloads").file, 7), "row-length", "the row has 8 cells under 7 headers")
    read_allocation(path, inventory, faults)
    assert [fault.code for fault in faults.kept] == ["row-length", "unknown-reference"]
    assert '"Q"' in faults.kept[1].message


# ---------------------------------------------------------------- purchases


def purchases(folder: Path, inventory: Inventory, text: str) -> tuple[list[Bought], list[Fault]]:
    path, faults = folder / "purchases.csv", Faults()
    path.write_bytes(text.encode())
    return read_purchases(path, inventory, faults), faults.sorted()


def test_purchases_keep_the_text_of_their_period(tmp_path, inventory):
    text = (
        "purchase,site,period,steps,gives,cost,cost_once\n"
        "ups,A,2014-04-01..2015-03-31,2,36 kW,0,1.5\nUPS,,,1,,,\nups,A,2015-04-01..2016-03-31,1,,,\n"
    )
    found, faults = purchases(tmp_path, inventory, text)
    file = str(tmp_path / "purchases.csv")
    assert faults == []
    assert found == [
        Bought("UPS", "", "", 1, Place(file, 3, 1)),
        Bought("ups", "A", "2014-04-01..2015-03-31", 2, Place(file, 2, 1)),
        Bought("ups", "A", "2015-04-01..2016-03-31", 1, Place(file, 4, 1)),
    ]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("ups,Aa,,1", "2:5 unknown-reference"),
        ("ups,A,,1.5", "2:8 fractional-count"),
        ("ups,A,,-1", "2:8 non-positive-quantity"),
        ("ups,A,,", "2:8 empty-mandatory-cell"),
        (",A,,1", "2:1 empty-mandatory-cell"),
        ("ups,A,p,1\nups,A,p,1", "3:1 duplicate-id"),
    ],
)
def test_a_mistake_in_purchases_is_told_where_it_stands(tmp_path, inventory, row, expected):
    _, faults = purchases(tmp_path, inventory, f"purchase,site,period,steps\n{row}\n")
    assert told(tmp_path, faults) == [f"purchases.csv:{expected}"]
    assert faults[0].fix


def test_purchases_that_cannot_be_read_are_none(tmp_path, inventory):
    faults = Faults()
    assert read_purchases(tmp_path / "none.csv", inventory, faults) == []
    assert faults.has_errors
