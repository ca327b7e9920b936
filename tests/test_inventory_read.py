"""Reading good inventories: what every cell means, exactly."""

import sys
from datetime import date
from decimal import Decimal
from fractions import Fraction
from subprocess import run

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capplan.errors import BadInput, Place
from capplan.inventory import read_inventory
from capplan.inventory.cells import folded, number_fault, parse_number, quoted, trimmed, unquoted
from capplan.inventory.source import physical_lines, record_spans
from capplan.units import UNLIMITED, Currency
from tests.inventory_folders import EXTRA, GOOD, YAML, read, write_folder


def test_a_small_inventory_reads_as_written(tmp_path):
    inventory = read(tmp_path)
    assert (inventory.title, inventory.currency, inventory.as_of) == (
        "Small",
        Currency("GBP"),
        date(2016, 4, 1),
    )
    assert [resource.name for resource in inventory.resources] == ["power_kw"]
    assert inventory.demand.tolist() == [[3400], [1500]]
    assert inventory.capacity.tolist() == [[68500], [11000]]
    assert inventory.current_site.tolist() == [-1, -1]
    assert inventory.nodes == ("A", "B", "O1", "O2")
    assert inventory.table("workloads").refs("organisation").tolist() == [0, 1]
    assert inventory.table("sites").decimals("cost_power_kw").fraction(1) == Fraction("120.5")
    assert not inventory.placements_listed
    assert "2 workloads" in repr(inventory)
    assert "2 rows" in repr(inventory.table("sites"))


def test_an_absent_file_is_an_empty_table_and_an_absent_column_is_its_default(tmp_path):
    inventory = read(tmp_path)
    sites = inventory.table("sites")
    assert len(inventory.table("circuits")) == 0
    assert inventory.table("circuits").nodes("a").tolist() == []
    assert sites.decimals("pue").fraction(0) == 1
    assert not sites.has("pue")
    assert not sites.given("pue").any()
    assert sites.flags("committed").tolist() == [False, False]
    assert sites.text("region") == ["", ""]
    assert sites.dates("from", 7).tolist() == [7, 7]
    assert not sites.decimals("open_cost").given.any()
    assert inventory.table("workloads").ref_lists("allowed_sites") == [(), ()]
    assert inventory.table("workloads").words("countries") == [(), ()]


def test_a_column_no_schema_has_is_our_defect(tmp_path):
    workloads = read(tmp_path).table("workloads")
    with pytest.raises(KeyError, match="no schema declares"):
        workloads.text("colour")
    with pytest.raises(KeyError, match="is read as"):
        workloads.refs("power_kw")
    with pytest.raises(KeyError):
        workloads.row("W9")
    assert workloads.row("W2") == 1
    assert workloads.find("W9") == -1


def test_demand_is_rounded_up_and_capacity_down(tmp_path):
    files = {
        "sites": "site,power_kw,rack_units\nA,1.0009,4.9\n",
        "workloads": "workload,organisation,power_kw,rack_units\nW,O1,0.0001,4.1\n",
    }
    inventory = read(tmp_path, files)
    assert inventory.demand.tolist() == [[1, 9]]
    assert inventory.capacity.tolist() == [[1000, 9]]


def test_unlimited_capacity_and_blank_resources(tmp_path):
    files = {
        "sites": "site,power_kw,desks\nA,unlimited,\nB,5,3\n",
        "workloads": "workload,organisation,power_kw,desks\nW,O1,,2\n",
    }
    inventory = read(tmp_path, files)
    assert inventory.capacity.tolist() == [[UNLIMITED, 0], [5000, 3]]
    assert inventory.demand.tolist() == [[0, 2]]


def test_cooling_of_a_workload_defaults_to_its_power_and_of_a_site_to_unlimited(tmp_path):
    files = {
        "sites": "site,power_kw,cooling_kw\nA,10,8\nB,10,\n",
        "workloads": "workload,organisation,power_kw,cooling_kw\nW1,O1,3,\nW2,O1,3,2\n",
    }
    inventory = read(tmp_path, files)
    assert [resource.name for resource in inventory.resources] == ["power_kw", "cooling_kw"]
    assert inventory.demand.tolist() == [[3000, 3000], [3000, 2000]]
    assert inventory.capacity.tolist() == [[10000, 8000], [10000, UNLIMITED]]
    blank = {"sites": "site,power_kw,cooling_kw\nA,10,\n"}
    assert [resource.name for resource in read(tmp_path / "blank", blank).resources] == ["power_kw"]


def test_declared_resources_follow_the_built_in_ones_and_keep_their_step(tmp_path):
    files = {
        "inventory.yaml": YAML + "resources:\n  gpu: {unit: GPU}\n  acres: {unit: acre, step: 0.25}\n",
        "sites": "site,acres,gpu,power_kw,fill_gpu\nA,1.6,4,5,2\n",
        "workloads": "workload,organisation,gpu,acres,failover_gpu,growth_gpu\nW,O1,1,0.3,1,0.05\n",
    }
    inventory = read(tmp_path, files)
    assert [resource.name for resource in inventory.resources] == ["power_kw", "gpu", "acres"]
    assert inventory.demand.tolist() == [[0, 1, 2]]
    assert inventory.capacity.tolist() == [[5000, 4, 6]]
    assert inventory.table("sites").quantities("fill_gpu", "up").tolist() == [2]
    assert inventory.table("workloads").quantities("failover_gpu", "up").tolist() == [1]
    assert inventory.table("workloads").decimals("growth_gpu").fraction(0) == Fraction("0.05")


def test_defaults_fill_blank_cells_and_point_to_where_they_are_written(tmp_path):
    files = {
        "inventory.yaml": YAML + "defaults:\n  workloads:\n    priority: 3\n    service: no\n",
        "workloads": "workload,organisation,priority\nW1,O1,\nW2,O1,1\n",
    }
    inventory = read(tmp_path, files)
    workloads = inventory.table("workloads")
    assert workloads.counts("priority").tolist() == [3, 1]
    assert workloads.text("service") == ["no", "no"]
    assert workloads.has("service")
    assert workloads.given("priority").tolist() == [True, True]
    yaml, csv = str(tmp_path / "inventory.yaml"), str(tmp_path / "workloads.csv")
    assert workloads.place(0, "priority") == Place(yaml, 7, 15)
    assert workloads.place(1, "priority") == Place(csv, 3, 7)
    assert workloads.place(0, "service") == Place(yaml, 8, 14)
    assert workloads.place(1) == Place(csv, 3)


def test_codes_survive_as_written(tmp_path):
    codes = ["5E1", "001", "1", "NA", "1e3", "TRUE", "05", "MAR1"]
    rows = "".join(f"{code},{code}\n" for code in codes)
    inventory = read(tmp_path, {"organisations": "organisation,code\nO1,\nO2,\n" + rows})
    table = inventory.table("organisations")
    assert set(codes) <= set(table.ids)
    assert set(codes) <= set(table.text("code"))


def test_rows_are_sorted_by_key_so_their_order_in_the_file_changes_nothing(tmp_path):
    forward = read(tmp_path / "a")
    lines = GOOD["workloads"].splitlines(keepends=True)
    backward = read(tmp_path / "b", {"workloads": "".join([lines[0], *reversed(lines[1:])])})
    assert forward == backward
    assert backward.table("workloads").lines.tolist() == [3, 2]
    assert forward != read(tmp_path / "c", {"inventory.yaml": YAML.replace("Small", "Other")})
    assert forward.table("sites") != backward.table("workloads")
    assert forward != "forward"


def test_the_order_of_columns_changes_nothing(tmp_path):
    other = read(tmp_path / "b", {"workloads": "power_kw,workload,organisation\n3.4,W1,O1\n1.5,W2,O2\n"})
    assert other == read(tmp_path / "a")


def test_a_byte_order_mark_crlf_blank_lines_and_quotes_change_nothing(tmp_path):
    text = '\ufeffworkload,"organisation",power_kw\r\n\r\n"W1",O1,"3.4"\r\n,,\r\nW2,O2,1.5\r\n'
    marked = read(tmp_path / "b", {"workloads": text})
    assert marked == read(tmp_path / "a")
    assert marked.table("workloads").lines.tolist() == [3, 5]


def test_cells_with_line_breaks_keep_places_right(tmp_path):
    text = 'workload,name,organisation\nW1,"first\nsecond, ""quoted""",O1\nW2,plain,O2\n'
    workloads = read(tmp_path, {"workloads": text}).table("workloads")
    assert workloads.text("name") == ['first\nsecond, "quoted"', "plain"]
    file = str(tmp_path / "workloads.csv")
    assert workloads.place(0, "name") == Place(file, 2, 4)
    assert workloads.place(0, "organisation") == Place(file, 3, 21)
    assert workloads.place(1, "organisation") == Place(file, 4, 10)


def test_formula_guards_are_taken_off_text_and_only_once(tmp_path):
    text = "workload,name,organisation,service\n'-W,'=1+1,O1,''=x\nW2,O'Neill,O2,'plain\n"
    workloads = read(tmp_path, {"workloads": text}).table("workloads")
    assert workloads.ids == ["-W", "W2"]
    assert workloads.text("name") == ["=1+1", "O'Neill"]
    assert workloads.text("service") == ["'=x", "'plain"]


def test_own_columns_are_carried_along_as_text(tmp_path):
    sites = read(tmp_path, {"sites": "site,power_kw,x_room\nA,5,012\n"}).table("sites")
    assert sites.text("x_room") == ["012"]
    assert sites.has("x_room")


def test_without_a_file_organisations_are_those_that_workloads_name(tmp_path):
    inventory = read(tmp_path, {"organisations": "", "workloads": "workload,organisation\nW1,Z\nW2,Y\nW3,Z\n"})
    organisations = inventory.table("organisations")
    assert organisations.ids == ["Y", "Z"]
    assert organisations.place(1, "organisation") == Place(str(tmp_path / "workloads.csv"), 2, 4)
    assert inventory.nodes == ("A", "B", "Y", "Z")


def test_nodes_are_those_of_organisations_sites_and_nodes(tmp_path):
    files = {
        "organisations": "organisation,node\nO1,N1\nO2,\n",
        "nodes": "node,kind\nX,exchange\n",
        "circuits": "circuit,a,b,shared_risks\nc1,N1,X,duct 1;  duct 2;duct 1\nc2,A,O2,\n",
    }
    inventory = read(tmp_path, files)
    assert inventory.nodes == ("A", "B", "N1", "O2", "X")
    assert inventory.table("organisations").nodes("node").tolist() == [2, 3]
    assert inventory.table("sites").nodes("node").tolist() == [0, 1]
    assert inventory.table("nodes").nodes("node").tolist() == [4]
    assert inventory.table("circuits").nodes("a").tolist() == [2, 0]
    assert inventory.table("circuits").nodes("b").tolist() == [4, 3]
    assert inventory.table("circuits").words("shared_risks") == [("duct 1", "duct 2"), ()]


def test_lists_of_references_are_rows(tmp_path):
    text = "workload,organisation,allowed_sites,pinned_site\nW1,O1,B; A;B,\nW2,O1,,A\n"
    workloads = read(tmp_path, {"workloads": text}).table("workloads")
    assert workloads.ref_lists("allowed_sites") == [(1, 0), ()]
    assert workloads.refs("pinned_site").tolist() == [-1, 0]


def test_the_current_site_is_the_workloads_own_or_else_the_allocations(tmp_path):
    files = {
        "workloads": "workload,organisation,current_site\nW1,O1,A\nW2,O1,\nW3,O1,\nW4,O1,\n",
        "allocation": "workload,site,status,power_kw,note\nW1,B,placed,9,\nW2,B,,,x\nW3,,left_out,,\n",
    }
    assert read(tmp_path, files).current_site.tolist() == [0, 1, -1, -1]


def test_expansions_may_use_up_and_mention_resources(tmp_path):
    text = "expansion,site,resource,amount\nups,A,power_kw,18\nups,A,rack_units,-2.5\npack,B,cores,8\n"
    inventory = read(tmp_path, {"expansions": text})
    expansions = inventory.table("expansions")
    assert expansions.keys == ["pack.B.cores", "ups.A.power_kw", "ups.A.rack_units"]
    assert expansions.decimals("amount").fraction(2) == Fraction("-2.5")
    assert expansions.counts("max").tolist() == [1, 1, 1]
    assert expansions.text("kind") == ["durable"] * 3
    assert [resource.name for resource in inventory.resources] == ["power_kw", "rack_units", "cores"]


@pytest.mark.parametrize(
    "text",
    ["expansion,site,resource,amount\nups,,power_kw,18\n", "expansion,resource,amount\nups,power_kw,18\n"],
)
def test_an_expansion_without_a_site_is_at_the_only_one(tmp_path, text):
    inventory = read(tmp_path, {"sites": "site,power_kw\nA,5\n", "expansions": text})
    assert inventory.table("expansions").refs("site").tolist() == [0]
    assert inventory.table("expansions").keys == ["ups.A.power_kw"]


def test_defaults_fill_before_organisations_are_read_off_the_workloads(tmp_path):
    files = {
        "inventory.yaml": YAML + "defaults: {workloads: {organisation: O9}}\n",
        "organisations": "",
        "workloads": "workload,organisation\nW1,\nW2,O1\n",
    }
    assert read(tmp_path, files).table("organisations").ids == ["O1", "O9"]


def test_arrays_are_frozen(tmp_path):
    inventory = read(tmp_path)
    workloads = inventory.table("workloads")
    arrays = (inventory.demand, inventory.capacity, inventory.current_site, inventory.removed_sites)
    more = (workloads.lines, workloads.refs("organisation"), workloads.quantities("power_kw", "up"))
    assert not any(array.flags.writeable for array in (*arrays, *more))


def test_all_of_inventory_yaml_is_read(tmp_path):
    yaml = YAML + "description: |\n  Two lines\n  of text\nmodel: standard\nsources: one\n"
    yaml += "assumptions: [first, second]\nplacements: listed\n"
    inventory = read(tmp_path, {"inventory.yaml": yaml})
    assert inventory.description == "Two lines\nof text"
    assert (inventory.model, inventory.sources) == ("standard", ("one",))
    assert inventory.assumptions == ("first", "second")
    assert inventory.placements_listed
    assert inventory.files[0].name == "inventory.yaml"
    assert {path.name for path in inventory.files[1:]} == {"organisations.csv", "sites.csv", "workloads.csv"}


def test_faults_are_raised_together_when_nobody_collects_them(tmp_path):
    folder = write_folder(tmp_path, {"workloads": "workload,organisation,power_kw\nW1,O9,3\nW2,O1,x\n"})
    with pytest.raises(BadInput) as caught:
        read_inventory(str(folder), EXTRA)
    assert [fault.code for fault in caught.value.faults] == ["unknown-reference", "not-a-number"]


def test_reading_imports_neither_pandas_nor_pydantic():
    code = "import capplan.inventory, sys; print(sorted({'pandas', 'pydantic', 'ortools'} & set(sys.modules)))"
    found = run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9))
def test_a_plain_decimal_is_read_exactly(value: Decimal):
    read_back = parse_number(format(value, "f"))
    assert read_back is not None
    assert Fraction(read_back[0], 10 ** read_back[1]) == Fraction(value)


@given(st.text(max_size=12))
def test_what_is_no_number_is_told_why_and_how(text: str):
    if parse_number(text) is None:
        finding = number_fault(text)
        assert finding.code
        assert finding.fix


@given(st.from_regex(r"[£$]?[-+]?\d{1,4}[.,' _]?\d{0,3}([eE]\d{1,3})?\s?(kW|%|W)?", fullmatch=True))
def test_a_fix_that_names_a_number_names_one_that_reads(text: str):
    if parse_number(text) is None:
        fix = number_fault(text).fix
        word = fix.removeprefix("write ").split(" ")[0]
        assert not word[:1].isdigit() or parse_number(word) is not None


@given(st.text(alphabet="'=+-@\t\rab", max_size=6))
def test_guarding_text_against_formulas_can_be_undone(text: str):
    assert unquoted(quoted(text)) == text
    assert not quoted(text).startswith(("=", "+", "-", "@", "\t", "\r"))


@given(st.text(max_size=8))
def test_trimming_and_folding_twice_is_doing_it_once(text: str):
    assert trimmed(trimmed(text)) == trimmed(text)
    assert folded(folded(text)) == folded(text)


CELLS = st.text(alphabet='ab,"\n é', max_size=5)


@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=4))
def test_every_cell_of_a_csv_file_is_found_where_it_stands(rows):
    """The scanner that places cells agrees with the csv module about what they hold."""
    import csv
    import io

    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    lines, line = physical_lines(buffer.getvalue()), 1
    reader = csv.reader(io.StringIO(buffer.getvalue(), newline=""))
    for row in reader:
        spans = record_spans(lines, line)
        assert [span.text for span in spans] == row
        for span in spans:
            here = lines[span.line - 1][span.column - 1 :]
            assert here.startswith(('"', span.text.split("\n")[0]))
        line = reader.line_num + 1


def test_counts_and_dates_by_hand(tmp_path):
    text = "workload,organisation,users,from,to\nW1,O1,12,2016-02-29,2017-01-01\nW2,O1,,,\n"
    workloads = read(tmp_path, {"workloads": text}).table("workloads")
    assert workloads.counts("users").tolist() == [12, 0]
    assert workloads.dates("from", 0).tolist() == [date(2016, 2, 29).toordinal(), 0]
    assert np.array_equal(workloads.given("to"), [True, False])
