"""A run's tables, edited by hand, read back: what counts, what is ignored, what is wrong."""

import pytest
from inventory_folders import read, told

from capplan.errors import Faults, Place, Severity
from capplan.inventory import Bought, read_allocation, read_purchases

FILES = {
    "workloads": "workload,organisation,power_kw,rack_units\nW1,O1,3.4,2\nW2,O2,1.5,\nW3,O2,1,\n001,O1,1,\n",
    "sites": "site,power_kw,rack_units\nA,68.5,20\nB,11,20\n",
    "placements": "workload,site,power_kw\nW1,B,3.9\n",
}
HEADER = (
    "workload,name,organisation,service,site,status,current_site,moved,replica_of,power_kw,rack_units,cost,note\r\n"
)


def allocation(tmp_path, text, read_as=read_allocation):
    faults = Faults()
    inventory = read(tmp_path / "inventory", FILES)
    path = tmp_path / "edited.csv"
    path.write_text(text, newline="")
    return read_as(path, inventory, faults), faults


def test_a_runs_allocation_reads_as_sites_by_workload(tmp_path):
    rows = "W1,,O1,,B,placed,A,yes,,3.9,2,10.00,'=x\r\nW2,,O2,,,left_out,,,,1.5,0,,\r\nW3,,O2,,A,placed,,,,1.0,,,\r\n"
    found, faults = allocation(tmp_path, HEADER + rows)
    assert not faults.kept
    assert found.site.tolist() == [-1, 1, -1, 0]
    assert found.line.tolist() == [0, 2, 3, 4]
    assert found.given.tolist() == [False, True, True, True]
    assert found.place(1) == Place(str(tmp_path / "edited.csv"), 2)


def test_three_columns_in_any_order_are_enough(tmp_path):
    found, faults = allocation(tmp_path, "site,workload\nA,W1\n,W2\n")
    assert not faults.kept
    assert found.site.tolist() == [-1, 0, -1, -1]
    assert found.given.tolist() == [False, True, True, False]


BAD = [
    ("edited.csv:2:1 unknown-reference", "workload,site,status\nW11,A,placed\n"),
    ("edited.csv:2:1 code-read-as-number", "workload,site,status\n1,A,placed\n"),
    ("edited.csv:2:4 unknown-reference", "workload,site,status\nW1,Q,placed\n"),
    ("edited.csv:3:1 duplicate-id", "workload,site,status\nW1,A,placed\nW1,B,placed\n"),
    ("edited.csv:2:4 empty-mandatory-cell", "workload,site,status\nW1,,placed\n"),
    ("edited.csv:2:6 contradictory-cells", "workload,site,status\nW1,A,left_out\n"),
    ("edited.csv:2:6 unknown-choice", "workload,site,status\nW1,A,place\n"),
    ("edited.csv:1:1 wrong-delimiter", "workload;site;status\nW1;A;placed\n"),
]


@pytest.mark.parametrize(("expected", "text"), BAD)
def test_an_edit_that_cannot_be_meant_is_told_with_its_place(tmp_path, expected, text):
    _, faults = allocation(tmp_path, text)
    assert [told(tmp_path, fault) for fault in faults.sorted()] == [expected]
    assert faults.has_errors


DERIVED = [
    ("edited.csv:2:6 derived-column-ignored", "workload,site,power_kw\nW1,A,9\n"),
    ("edited.csv:2:6 derived-column-ignored", "workload,site,power_kw\nW1,A,3.9\n"),
    ("edited.csv:2:6 derived-column-ignored", 'workload,site,power_kw\nW1,A,"3,4"\n'),
    ("edited.csv:2:6 derived-column-ignored", "workload,site,organisation\nW1,A,O2\n"),
]


@pytest.mark.parametrize(("expected", "text"), DERIVED)
def test_an_edit_without_effect_is_a_warning(tmp_path, expected, text):
    found, faults = allocation(tmp_path, text)
    assert [told(tmp_path, fault) for fault in faults.sorted()] == [expected]
    assert faults.kept[0].severity is Severity.WARNING
    assert found.site[1] == 0


def test_purchases_read_back(tmp_path):
    text = "purchase,site,period,steps,gives,cost,cost_once\r\nups,A,0,2,36 kW,1.00,\r\npack,,1,3,,,\r\n"
    found, faults = allocation(tmp_path, text, read_purchases)
    assert not faults.kept
    file = str(tmp_path / "edited.csv")
    assert found == [Bought("pack", "", 1, 3, Place(file, 3, 1)), Bought("ups", "A", 0, 2, Place(file, 2, 1))]


def test_faulty_purchases_are_told_with_their_place(tmp_path):
    text = "purchase,site,period,steps\nups,Q,0,2.5\nups,A,0,\nups,A,0,1\n"
    _, faults = allocation(tmp_path, text, read_purchases)
    assert [told(tmp_path, fault) for fault in faults.sorted()] == [
        "edited.csv:2:5 unknown-reference",
        "edited.csv:2:9 fractional-count",
        "edited.csv:3:9 empty-mandatory-cell",
        "edited.csv:4:1 duplicate-id",
    ]


def test_a_file_that_cannot_be_read_is_no_allocation(tmp_path):
    found, faults = allocation(tmp_path, "")
    assert faults.has_errors
    assert not found.given.any()
    assert read_purchases(tmp_path / "absent.csv", read(tmp_path / "inventory", FILES), faults) == []
    assert faults.sorted()[0].code == "unreadable-file"
