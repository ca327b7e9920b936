"""Every mistake in a file is told with its code, line and column, and what would be right."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capplan.errors import FAULTS_KEPT_PER_CODE, Faults, Severity
from capplan.inventory import read_inventory
from tests.inventory_folders import GOOD, YAML, faults_of, told, write_folder


def cell(text: str, column: str = "power_kw") -> dict[str, str | bytes]:
    """An inventory whose first workload has one bad cell, in line 2 from column 7 on."""
    return {"workloads": f"workload,organisation,{column}\nW1,O1,{text}\nW2,O2,\n"}


def quoted_cell(text: str, column: str = "power_kw") -> dict[str, str | bytes]:
    return cell(f'"{text}"', column)


def workloads(text: str) -> dict[str, str | bytes]:
    return {"workloads": "workload,organisation,name\n" + text}


def sites(text: str) -> dict[str, str | bytes]:
    return {"sites": "site,power_kw,latitude,longitude\n" + text}


def expansions(text: str, key: str = "expansion,site,resource") -> dict[str, str | bytes]:
    return {"expansions": f"{key},amount\n{text}"}


HERE = "workloads.csv:2:7"
NUMBERS = [
    ("unit-in-cell", cell("3.5 kW"), "write 3.5"),
    ("unit-in-cell", cell("350W"), "write 350"),
    ("unit-in-cell", cell("5 l"), "write 5"),
    ("not-a-number", cell("31O2"), "write 3102 if that is meant"),
    ("not-a-number", cell("1l.5"), "write 11.5 if that is meant"),
    ("non-finite-number", cell("NaN"), "write a number"),
    ("non-finite-number", cell("-inf"), "write a number"),
    ("non-finite-number", cell("1e400"), "write a number"),
    ("number-with-separator", quoted_cell("1,200"), "write 1200"),
    ("number-with-separator", cell("1 200"), "write 1200"),
    ("number-with-separator", cell("1\u00a0200.5"), "write 1200.5"),
    ("decimal-comma", quoted_cell("5,5"), "write 5.5"),
    ("decimal-comma", quoted_cell("1.234,5"), "write 1234.5"),
    ("decimal-comma", quoted_cell("0,500"), "write 0.500"),
    ("non-ascii-number", cell("\u22125"), "write -5"),
    ("non-ascii-number", cell("٣"), "write 3"),
    ("non-ascii-number", cell("１２"), "write 12"),
    ("number-with-underscore", cell("1_000"), "write 1000"),
    ("currency-in-cell", cell("£1.2m", "value"), "write the plain number"),
    ("currency-in-cell", cell("(250)", "value"), "write -250"),
    ("percent-form", cell("20%", "growth"), "write the share, 0.2"),
    ("non-positive-quantity", cell("-2"), "write 0 or more"),
    ("non-positive-quantity", cell("-0.01", "value"), "write 0 or more"),
    ("fractional-count", cell("2.5", "users"), "write a whole number"),
    ("out-of-range", cell("0", "priority"), "write 1 or more"),
    ("excel-date", cell("3-Apr"), "write the number"),
    ("excel-date", cell("MAR1"), "write the number"),
    ("currency-in-cell", cell("GBP 12"), "write the plain number"),
    ("unit-in-cell", cell("12 GBP"), "write 12"),
    ("not-a-number", cell("ABC123"), "write a plain number"),
    ("not-a-number", cell("1e-99999999"), "write it out"),
    ("too-large", cell("1" * 5000), "round it"),
    ("not-a-number", cell("x" * 5000), "write a plain number"),
    ("non-ascii-number", cell("1٣\u2013"), "use the digits"),
    ("placeholder-cell", cell("n/a", "countries"), "leave the cell empty"),
    ("not-a-number", cell("1e3"), "write 1000"),
    ("not-a-number", cell("1.5E-2"), "write 0.015"),
    ("not-a-number", cell(".5"), "write 0.5"),
    ("not-a-number", cell("+5"), "write 5"),
    ("not-a-number", cell("about five"), "write a plain number"),
    ("placeholder-cell", cell("TBC"), "write the value, or leave the cell empty"),
    ("placeholder-cell", cell("#REF!"), "write the value, or leave the cell empty"),
    ("too-large", cell("9" * 25), "round it"),
    ("too-large", cell("999999999999999"), "check the unit"),
    ("excel-date", cell("42552", "from"), "2016-07-01"),
    ("excel-date", cell("3-Apr", "from"), "YYYY-MM-DD"),
    ("ambiguous-date", cell("06/07/2016", "from"), "2016-07-06 or 2016-06-07"),
    ("ambiguous-date", cell("25/12/2016", "from"), "write 2016-12-25"),
    ("ambiguous-date", cell("06/07/16", "from"), "YYYY-MM-DD"),
    ("impossible-date", cell("2016-02-30", "from"), "a real date"),
    ("impossible-date", cell("2016-07-01T00:00:00Z", "from"), "write 2016-07-01"),
    ("impossible-date", cell("soon", "from"), "YYYY-MM-DD"),
    ("impossible-date", cell("0016-07-01", "from"), "check the year"),
    ("impossible-date", cell("31/31/2016", "from"), "a real date"),
    ("placeholder-cell", cell("n/a", "from"), "leave the cell empty"),
    ("unknown-reference", cell("Aa", "current_site"), 'did you mean "A"?'),
    ("placeholder-cell", cell("?", "current_site"), "leave the cell empty"),
    ("unknown-reference", cell("A;Q", "allowed_sites"), "add it to sites"),
    ("code-read-as-number", {**cell("1", "current_site"), "sites": "site,power_kw\n001,5\n"}, "write 001"),
    ("code-read-as-number", {**cell("50", "current_site"), "sites": "site,power_kw\n5E1,5\n"}, "write 5E1"),
]


@pytest.mark.parametrize(("code", "files", "fix"), NUMBERS)
def test_a_bad_cell_is_told_where_it_stands_and_what_would_be_right(tmp_path, code, files, fix):
    faults = faults_of(tmp_path, files)
    assert [told(tmp_path, fault) for fault in faults] == [f"{HERE} {code}"]
    assert fix in faults[0].fix
    assert faults[0].severity is Severity.ERROR


ONE_SITE: dict[str, str | bytes] = {"sites": "site,power_kw\nA,5\n"}
NO_SITE: dict[str, str | bytes] = {"sites": "site,power_kw\n", "workloads": ""}
LICENCES = {"licences": "licence,metric\nL,pool\n"}
FAULTS = [
    ("sites.csv missing-file", {"sites": ""}),
    ("inventory.yaml missing-file", {"inventory.yaml": ""}),
    ("workload.csv unknown-table", {"workloads": "", "workload": GOOD["workloads"]}),
    ("Workloads.csv unknown-table", {"workloads": "", "Workloads": GOOD["workloads"]}),
    ("workloads.csv:1:1 wrong-delimiter", {"workloads": "workload;organisation\nW1;O1\n"}),
    ("workloads.csv:1:1 wrong-delimiter", {"workloads": "workload\torganisation\nW1\tO1\n"}),
    ("workloads.csv:3:7 unbalanced-quote", workloads('W1,O1,a\nW2,O1,"Leigh\nW3,O1,c\nW4,O2,d\n')),
    ("workloads.csv:2:7 unbalanced-quote", workloads('W1,O1,"Leigh\nW2,O1,"Bolton\nW3,O1,c\n')),
    ("workloads.csv:2:7 unbalanced-quote", workloads('W1,O1,"Leigh\nW2,O1,x",b\nW3,O1,c\n')),
    ("workloads.csv:3 row-length", workloads("W1,O1,\nW2,O1\nW3,O1,\n")),
    ("workloads.csv:2 row-length", workloads("W1,O1,a,b\nW3,O1,\n")),
    ("workloads.csv:1:23 duplicate-header", {"workloads": "workload,organisation,organisation\nW1,O1,O1\n"}),
    ("workloads.csv:1:1 header-not-in-first-row", {"workloads": "Our list,\n,\nworkload,organisation\nW1,O1\n"}),
    ("workloads.csv:1 missing-column", {"workloads": "workload,power_kw\nW1,1\n"}),
    ("workloads.csv missing-column", {"workloads": "\n\n"}),
    ("workloads.csv:1:23 unknown-column", {"workloads": "workload,organisation,planing_kw\nW1,O1,1\n"}),
    ("workloads.csv:1:23 unknown-column", {"workloads": "workload,organisation,\nW1,O1,1\n"}),
    ("workloads.csv:2:4 empty-mandatory-cell", workloads("W1,,\n")),
    ("workloads.csv:3:1 empty-mandatory-cell", workloads("W1,O1,\n,O1,\n")),
    ("workloads.csv:2:1 placeholder-cell", workloads("N/A,O1,\n")),
    ("workloads.csv:2:4 placeholder-cell", workloads("W1,TBC,\n")),
    ("workloads.csv:3:1 bad-id", workloads("W1,O1,\nW;2,O1,\n")),
    ("workloads.csv:2:1 bad-id", workloads("W\x07,O1,\n")),
    ("workloads.csv:2:1 bad-id", workloads("W" * 201 + ",O1,\n")),
    ("workloads.csv:4:1 duplicate-id", workloads("W1,O1,\nW2,O1,\nW1,O1,\n")),
    ("workloads.csv:3:1 id-folds-to-duplicate", workloads("W1,O1,\nw1,O1,\n")),
    ("workloads.csv:3:1 id-folds-to-duplicate", workloads("A,O1,\nＡ,O1,\n")),
    ("placements.csv:3:1 duplicate-id", {"placements": "workload,site\nW1,A\nW1,A\n"}),
    ("expansions.csv:3:1 duplicate-id", {"expansions": "expansion,site,resource,amount\n" + "u,A,power_kw,1\n" * 2}),
    ("licence_needs.csv:3:1 duplicate-id", LICENCES | {"licence_needs": "workload,licence\nW1,L\nW1,L\n"}),
    ("licences.csv:2:3 unknown-choice", {"licences": "licence,metric\nL,pol\n"}),
    ("placements.csv:2:6 unknown-choice", {"placements": "workload,site,allowed\nW1,A,Yes\n"}),
    ("placements.csv:2:6 placeholder-cell", {"placements": "workload,site,allowed\nW1,A,?\n"}),
    ("placements.csv:2:4 unknown-reference", {"placements": "workload,site\nW1,Carlise\n"}),
    ("expansions.csv:3:1 duplicate-id", ONE_SITE | expansions("u,,power_kw,1\nu,A,power_kw,1\n")),
    ("expansions.csv:3:3 empty-mandatory-cell", expansions("u,A,power_kw,1\nv,,power_kw,1\n")),
    ("expansions.csv:2 empty-mandatory-cell", expansions("u,power_kw,1\n", "expansion,resource")),
    ("expansions.csv:2:3 empty-mandatory-cell", NO_SITE | expansions("u,,power_kw,1\n")),
    ("expansions.csv:2:5 unknown-choice", {"expansions": "expansion,site,resource,amount\nu,A,power,1\n"}),
    ("circuits.csv:2:6 unknown-reference", {"circuits": "circuit,a,b\nc1,A,O11\n"}),
    ("move_costs.csv:2:3 unknown-reference", {"move_costs": "current_site,site,cost_once\nA,C,5\n"}),
    ("move_costs.csv:2:5 non-positive-quantity", {"move_costs": "current_site,site,cost_once\nA,A,-5\n"}),
    ("circuits.csv:2:6 self-link", {"circuits": "circuit,a,b\nc1,A,A\n"}),
    ("sites.csv:2:14 impossible-date", {"sites": "site,from,to\nA,2016-01-01,2016-01-01\nB,,\n", "workloads": ""}),
    ("workloads.csv:2:7 resource-not-offered", {"workloads": "workload,organisation,desks\nW1,O1,4\n"}),
    ("allocation.csv:2:6 contradictory-cells", {"allocation": "workload,site,status\nW1,A,left_out\n"}),
]  # fmt: skip


@pytest.mark.parametrize(("expected", "files"), FAULTS)
def test_a_fault_of_structure_is_told_with_its_place(tmp_path, expected, files):
    errors = [fault for fault in faults_of(tmp_path, files) if fault.severity is Severity.ERROR]
    assert [told(tmp_path, fault) for fault in errors] == [expected]
    assert errors[0].fix


WARNINGS = [
    ("workloads.csv:3:1 total-row", workloads("W1,O1,\nTotal,O1,\n")),
    ("workloads.csv:2:1 stray-whitespace", workloads(" W1,O1,\n")),
    ("workloads.csv:2:1 stray-whitespace", workloads("W\u20601,O1,\n")),
    ("workloads.csv:1:10 stray-whitespace", {"workloads": "workload, organisation\nW1,O1\n"}),
    (f"{HERE} unit-scale-suspect", cell("3600")),
    (f"{HERE} percent-form", cell("20", "growth")),
    ("sites.csv:2:5 impossible-location", sites("A,9,0,0\n")),
    ("sites.csv:2:5 impossible-location", sites("A,9,95,0\n")),
    ("sites.csv:2:5 impossible-location", sites("A,9,394200,806500\n")),
    ("sites.csv:2:5 impossible-location", sites("A,9,54,\n")),
    ("sites.csv:5:5 impossible-location", sites("A,9,54,-2\nB,9,53,-2\nC,9,53,-1\nD,9,-2,54\nE,1,52,-3\n")),
    ("workloads.csv empty-inventory", {"workloads": ""}),
    ("workloads.csv empty-inventory", {"workloads": "workload,organisation\n"}),
    ("notes.csv unknown-table", {"notes": "a,b\n"}),
    ("workloads.csv:4:1 file-truncated", workloads("W1,O1,\nW2,O1,\n#rows=5,,\n")),
]


@pytest.mark.parametrize(("expected", "files"), WARNINGS)
def test_what_is_only_suspicious_is_a_warning(tmp_path, expected, files):
    faults = faults_of(tmp_path, files)
    assert [told(tmp_path, fault) for fault in faults] == [expected]
    assert faults[0].severity is Severity.WARNING


def test_zero_is_a_legal_quantity_and_a_stated_number_of_rows_is_believed(tmp_path):
    assert faults_of(tmp_path / "a", cell("0")) == []
    assert faults_of(tmp_path / "b", workloads("W1,O1,\nW2,O1,\n#rows=2,,\n")) == []


BYTES = [
    ("workloads.csv utf-16-file", GOOD["workloads"].encode("utf-16")),
    ("workloads.csv:1 utf-16-file", GOOD["workloads"].encode("utf-16-le")),
    ("workloads.csv:2:5 encoding-not-utf8", b"workload,organisation\nW1,O\xa31\n"),
    ("workloads.csv:2:5 encoding-not-utf8", b"\xef\xbb\xbfworkload,organisation\r\nW1,O\xa31\r\n"),
    ("workloads.csv:2:5 mixed-encodings", "\ufeffworkload,organisation\ré1,O".encode() + b"\xa31\r"),
    ("workloads.csv:1:11 mixed-encodings", "\ufeffworkload,ö".encode() + b"\xa3\nW1,O1\n"),
    ("workloads.csv utf-16-file", "workload,organisation\nÖ\udcff,O1\n".encode("utf-16-le", "surrogatepass")),
    ("workloads.csv:3:5 mixed-encodings", "workload,organisation\né,O1\nW1,O".encode() + b"\xa31\n"),
    ("workloads.csv:2 nul-byte", b"workload,organisation\nW\x001,O1\n"),
]


@pytest.mark.parametrize(("expected", "content"), BYTES)
def test_a_file_in_another_encoding_is_named_as_such(tmp_path, expected, content):
    """And nothing that the file could have said is a fault as well."""
    faults = faults_of(tmp_path, {"workloads": content, "placements": "workload,site\nW1,A\n"})
    assert [told(tmp_path, fault) for fault in faults] == [expected]


def test_a_last_line_cut_inside_a_row_is_told_as_such(tmp_path):
    faults = faults_of(tmp_path, {"workloads": "workload,organisation,name\nW1,O1,\nW2"})
    assert [fault.code for fault in faults] == ["file-truncated", "row-length"]


def test_as_many_rows_as_a_spreadsheet_holds_is_suspicious(tmp_path):
    rows = "".join(f"W{i},O1\n" for i in range(65_535))
    faults = faults_of(tmp_path, {"workloads": "workload,organisation\n" + rows})
    assert [fault.code for fault in faults] == ["file-truncated"]


@pytest.mark.parametrize("size", [40_000, 140_000])
def test_a_cell_too_long_for_a_spreadsheet_is_refused(tmp_path, size):
    faults = faults_of(tmp_path, workloads(f"W1,O1,{'x' * size}\n"))
    assert [told(tmp_path, fault) for fault in faults] == ["workloads.csv:2:7 too-large"]


def test_a_file_too_large_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("capplan.inventory.decode.LARGEST_FILE", 10)
    assert {fault.code for fault in faults_of(tmp_path, {})} == {"too-large"}


def test_a_folder_that_is_not_there_is_one_fault(tmp_path):
    faults = Faults()
    read_inventory(tmp_path / "nowhere", faults=faults)
    errors = [fault for fault in faults.sorted() if fault.severity is Severity.ERROR]
    assert [fault.code for fault in errors] == ["missing-file"]


def test_both_ends_of_a_contradiction_are_named(tmp_path):
    text = "workload,organisation,from,to\nW1,O1,2017-01-01,2016-01-01\n"
    fault = faults_of(tmp_path, {"workloads": text})[0]
    assert told(tmp_path, fault) == "workloads.csv:2:18 impossible-date"
    assert "2017-01-01" in fault.message
    assert "2016-01-01" in fault.message
    twice = faults_of(tmp_path / "b", workloads("W1,O1,\nW2,O1,\nW1,O1,\n"))[0]
    assert "line 2" in twice.message


def test_faults_in_many_rows_are_counted_and_all_of_them_told_in_one_pass(tmp_path):
    rows = "".join(f'W{i},O{i},"{i},5"\n' for i in range(200))
    faults = Faults()
    read_inventory(write_folder(tmp_path, {"workloads": "workload,organisation,power_kw\n" + rows}), faults=faults)
    told_codes = [fault.code for fault in faults.kept]
    assert told_codes.count("decimal-comma") == FAULTS_KEPT_PER_CODE
    assert told_codes.count("unknown-reference") == FAULTS_KEPT_PER_CODE
    last = [str(fault) for fault in faults.sorted()[-2:]]
    assert "and 150 more of the same" in last[0]
    assert "and 148 more of the same" in last[1]


def test_a_whole_row_of_faults_is_told_column_by_column(tmp_path):
    text = 'workload,organisation,power_kw,from,users\nW1,O3,"3,5",1/2/2016,1.5\n'
    assert [told(tmp_path, fault) for fault in faults_of(tmp_path, {"workloads": text})] == [
        "workloads.csv:2:4 unknown-reference",
        "workloads.csv:2:7 decimal-comma",
        "workloads.csv:2:13 ambiguous-date",
        "workloads.csv:2:22 fractional-count",
    ]


SETTINGS = [
    ("inventory.yaml:1 missing-key", YAML.replace("currency: GBP\n", "")),
    ("inventory.yaml:1 missing-key", YAML.replace("as_of: 2016-04-01\n", "")),
    ("inventory.yaml:1 missing-key", YAML.replace("format: 1\n", "")),
    ("inventory.yaml:3:10 missing-key", YAML.replace("GBP", "")),
    ("inventory.yaml:4:8 missing-key", YAML.replace("2016-04-01", "~")),
    ("inventory.yaml:1:9 missing-key", YAML.replace("format: 1", "format: null")),
    ("inventory.yaml:4:8 wrong-type", YAML.replace("2016-04-01", "[2016]")),
    ("inventory.yaml:5:18 wrong-type", YAML + "resources: {gpu: [a]}\n"),
    ("inventory.yaml:5:34 wrong-type", YAML + "resources: {gpu: {unit: x, step: [1]}}\n"),
    ("inventory.yaml:5:34 out-of-range", YAML + "resources: {gpu: {unit: x, step: 0.00000000001}}\n"),
    ("inventory.yaml:5:34 out-of-range", YAML + "resources: {gpu: {unit: x, step: 10000000000}}\n"),
    ("inventory.yaml:5:19 wrong-type", YAML + "defaults: {sites: [pue]}\n"),
    ("inventory.yaml:1:9 unknown-format", YAML.replace("format: 1", "format: 2")),
    ("inventory.yaml:3:11 unknown-choice", YAML.replace("GBP", "gbp")),
    ("inventory.yaml:4:8 ambiguous-date", YAML.replace("2016-04-01", "01/04/2016")),
    ("inventory.yaml:4:8 impossible-date", YAML.replace("2016-04-01", "2016-04-31")),
    ("inventory.yaml:5:1 unknown-key", YAML + "titel: x\n"),
    ("inventory.yaml:2:8 yaml-retyped-scalar", YAML.replace("Small", "NO")),
    ("inventory.yaml:2:8 yaml-retyped-scalar", YAML.replace("Small", "2016")),
    ("inventory.yaml:2:8 yaml-retyped-scalar", YAML.replace("Small", "true")),
    ("inventory.yaml:5:14 yaml-retyped-scalar", YAML + "sources: [a, 12:30]\n"),
    ("inventory.yaml:5:8 wrong-type", YAML + "model: [a]\n"),
    ("inventory.yaml:5:12 wrong-type", YAML + "resources: gpu\n"),
    ("inventory.yaml:5:13 unknown-choice", YAML + "placements: lsted\n"),
    ("inventory.yaml:5:13 bad-name", YAML + "resources: {GPU: {unit: x}}\n"),
    ("inventory.yaml:5:13 name-taken", YAML + "resources: {users: {unit: x}}\n"),
    ("inventory.yaml:5:13 name-taken", YAML + "resources: {power_kw: {unit: x}}\n"),
    ("inventory.yaml:5:13 name-taken", YAML + "resources: {cost_gpu: {unit: x}}\n"),
    ("inventory.yaml:5:18 missing-key", YAML + "resources: {gpu: {step: 1}}\n"),
    ("inventory.yaml:5:34 non-positive-quantity", YAML + "resources: {gpu: {unit: x, step: 0}}\n"),
    ("inventory.yaml:5:28 unknown-key", YAML + "resources: {gpu: {unit: x, steps: 1}}\n"),
    ("inventory.yaml:5:12 unknown-key", YAML + "defaults: {site: {pue: 1.5}}\n"),
    ("inventory.yaml:5:20 unknown-key", YAML + "defaults: {sites: {pui: 1.5}}\n"),
    ("inventory.yaml:5:20 unknown-key", YAML + "defaults: {sites: {site: A}}\n"),
    ("inventory.yaml:5:25 wrong-type", YAML + "defaults: {sites: {pue: [1]}}\n"),
    ("inventory.yaml:5:25 decimal-comma", YAML + "defaults: {sites: {pue: '1,5'}}\n"),
    ("inventory.yaml:1 yaml-syntax", "just text\n"),
    ("inventory.yaml:5:1 duplicate-yaml-key", YAML + "title: x\n"),
]


@pytest.mark.parametrize(("expected", "yaml"), SETTINGS)
def test_a_fault_in_inventory_yaml_is_told_with_its_place(tmp_path, expected, yaml):
    faults = faults_of(tmp_path, {"inventory.yaml": yaml})
    assert {told(tmp_path, fault) for fault in faults} == {expected}
    assert faults[0].fix


def test_a_faulty_default_is_told_once_where_it_is_written_and_a_good_cell_is_not_told(tmp_path):
    """Not for each of the cells it fills; and also where it fills none."""
    yaml = YAML + "defaults: {workloads: {power_kw: '1,5', users: x}, circuits: {hops: 1.5}}\n"
    text = 'workload,organisation,power_kw,users\nW1,O1,,3\nW2,O2,,4\nW3,O2,"2,5",5\n'
    faults = faults_of(tmp_path, {"inventory.yaml": yaml, "workloads": text})
    assert [told(tmp_path, fault) for fault in faults] == [
        "inventory.yaml:5:34 decimal-comma",
        "inventory.yaml:5:48 not-a-number",
        "inventory.yaml:5:69 fractional-count",
        "workloads.csv:4:7 decimal-comma",
    ]


FOLLOWING = [
    ("sites.csv:2:3 decimal-comma", {"sites": 'site,power_kw\nA,"3,5"\n'}),
    ("expansions.csv:2:14 unit-in-cell", {"sites": "site\nA\n"} | expansions("u,A,power_kw,18 kW\n")),
    ("sites.csv:1 missing-column", {"sites": "name,power_kw\nA,5\n", "placements": "workload,site\nW1,A\n"}),
    ("workloads.csv:1 missing-column", {"workloads": "organisation\nO1\n", "placements": "workload,site\nW1,A\n"}),
]  # fmt: skip


@pytest.mark.parametrize(("expected", "files"), FOLLOWING)
def test_a_fault_is_told_without_what_merely_follows_from_it(tmp_path, expected, files):
    faults = faults_of(tmp_path, files)
    assert [told(tmp_path, fault) for fault in faults if fault.severity is Severity.ERROR] == [expected]


def test_a_table_that_cannot_be_read_hides_no_fault_of_another(tmp_path):
    files = {
        "workloads": "workload;organisation\n",
        "circuits": "circuit,a,b\nc1,A,A\n",
        "sites": "site,from,to\nA,2017-01-01,2016-01-01\n",
    }
    assert [told(tmp_path, fault) for fault in faults_of(tmp_path, files)] == [
        "circuits.csv:2:6 self-link",
        "sites.csv:2:14 impossible-date",
        "workloads.csv:1:1 wrong-delimiter",
    ]


def test_warnings_and_errors_of_one_code_are_counted_apart(tmp_path):
    rows = "".join(f"W{i},O1,{'5%' if i % 2 else 5}\n" for i in range(2 * FAULTS_KEPT_PER_CODE))
    faults = faults_of(tmp_path, {"workloads": "workload,organisation,growth\n" + rows})
    assert [fault.severity for fault in faults].count(Severity.WARNING) == FAULTS_KEPT_PER_CODE
    assert len(faults) == 2 * FAULTS_KEPT_PER_CODE


MANY = [
    ("duplicate-id", 999, "workload,organisation\n" + "W,O1\n" * 1000),
    ("id-folds-to-duplicate", 1000, "workload,organisation\n" + "".join(f"w{i},O1\nW{i},O1\n" for i in range(1000))),
    ("unit-scale-suspect", 1000, "workload,organisation,power_kw\n" + "".join(f"W{i},O1,61\n" for i in range(1000))),
    ("unknown-column", 1000, "workload,organisation" + "".join(f",c{i}" for i in range(1000)) + "\n"),
]


@pytest.mark.parametrize(("code", "number", "text"), MANY)
def test_very_many_faults_are_counted_and_not_looked_up_one_by_one(tmp_path, code, number, text):
    faults = [
        fault
        for fault in faults_of(tmp_path, {"workloads": text, "sites": "site,power_kw\nA,unlimited\n"})
        if fault.code == code
    ]
    assert len(faults) == FAULTS_KEPT_PER_CODE + 1
    assert f"and {number - FAULTS_KEPT_PER_CODE:,} more" in faults[-1].message


def test_an_unreadable_inventory_yaml_hides_no_fault_and_invents_none(tmp_path):
    text = "workload,organisation,gpu,power_kw\nW1,O1,2,x\n"
    faults = faults_of(tmp_path, {"inventory.yaml": "a: [", "workloads": text})
    assert [told(tmp_path, fault) for fault in faults] == [
        "inventory.yaml:2:1 yaml-syntax",
        "workloads.csv:2:9 not-a-number",
    ]


@given(st.binary(max_size=300))
def test_no_file_whatever_crashes_the_reader(tmp_path_factory, content):
    folder = write_folder(tmp_path_factory.mktemp("any"), {"workloads": content})
    read_inventory(folder, faults=Faults())


PIECES = st.sampled_from(
    [
        "workload",
        "organisation",
        "power_kw",
        ",",
        ",",
        ",",
        "\n",
        "\n",
        '"',
        "W1",
        "O1",
        "3",
        "-",
        "1e5",
        "2016-01-01",
        "é",
        ";",
    ]
)


@given(st.lists(PIECES, max_size=60).map("".join))
def test_no_table_whatever_crashes_the_reader(tmp_path_factory, text):
    """Every fault has a place in a file of the folder, and a fix."""
    folder = write_folder(tmp_path_factory.mktemp("any"), {"workloads": "workload,organisation\n" + text})
    faults = Faults()
    read_inventory(folder, faults=faults)
    lines = len(text.split("\n")) + 1
    for fault in faults.kept:
        assert fault.place.line <= lines
        assert fault.fix or fault.severity is Severity.WARNING
