"""Written tables are safe in a spreadsheet and read back as they were."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capplan import load
from capplan.errors import Faults, Place
from capplan.inventory import CORE, Column, Kind, read_inventory, write_csv, write_inventory, write_table
from capplan.inventory.cells import parse_number, trimmed, unquoted
from capplan.inventory.csvfile import read_csv
from capplan.inventory.schema import concrete, merged
from capplan.overlay import Overlay, Removal
from capplan.shipped import folder as shipped
from capplan.units import BUILT_IN
from tests.inventory_folders import EXTRA, YAML, read, write_folder

MARK = b"\xef\xbb\xbf"
FORMULAS = ("=", "+", "-", "@", "\t", "\r")

# Cells as spreadsheets and people make them: formulas, guards, quotes, separators, line breaks, other scripts.
TEXT = st.text(st.sampled_from("=+-@'\"\t\r\n,;a1 é٣𝄞\u00a0|#"), max_size=6)


def test_a_table_is_written_byte_for_byte_as_spreadsheets_expect():
    columns, rows = ("name", "power_kw", "note"), [("=1+1", "-2", None), ("Ö", "3.5", 'a "b"\nc')]
    expected = 'name,power_kw,note\r\n\'=1+1,-2,\r\nÖ,3.5,"a ""b""\nc"\r\n'
    assert write_csv(None, columns, rows, {"name", "note"}) == MARK + expected.encode()


def test_a_table_goes_to_a_file_or_a_stream_as_well(tmp_path):
    stream = io.BytesIO()
    content = write_csv(stream, ("a",), [("x",)], set())
    assert stream.getvalue() == content
    assert write_csv(tmp_path / "t.csv", ("a",), [("x",)], set()) == (tmp_path / "t.csv").read_bytes() == content


def test_a_row_of_another_length_is_our_defect():
    with pytest.raises(ValueError, match="zip"):
        write_csv(None, ("a", "b"), [("x",)], set())


@given(st.lists(st.tuples(TEXT, TEXT), max_size=4))
def test_no_text_cell_begins_as_a_formula_does_and_the_csv_module_reads_each_back(rows):
    content = write_csv(None, ("a", "b"), rows, {"a", "b"})
    read_back = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))[1:]
    assert not any(cell.startswith(FORMULAS) for row in read_back for cell in row)
    assert [tuple(map(unquoted, row)) for row in read_back] == rows


@given(st.lists(st.decimals(-(10**6), 10**6, places=3), min_size=1, max_size=4))
def test_numbers_are_never_touched(numbers):
    content = write_csv(None, ("n",), [(format(n, "f"),) for n in numbers], set())
    cells = content.decode("utf-8-sig").split("\r\n")[1:-1]
    assert cells == [format(n, "f") for n in numbers]
    assert all(parse_number(cell) for cell in cells)


@given(st.lists(TEXT.map(trimmed).filter(bool), min_size=1, max_size=4))
def test_our_own_reader_reads_our_own_tables(cells):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        write_csv(path, ("a", "b"), [(cell, "x") for cell in cells], {"a"})
        faults = Faults()
        found = read_csv(path, "t.csv", ("a",), faults)
    assert found is not None
    assert faults.kept == []
    assert [unquoted(cell.strip()) for cell in found.columns[0].list()] == cells


# ---------------------------------------------------------------- whole inventories

SCHEMAS = merged(CORE, EXTRA)
COLUMNS = {name: concrete(schema, BUILT_IN) for name, schema in SCHEMAS.items()}
NUMERIC = (Kind.DECIMAL, Kind.COUNT, Kind.QUANTITY)
IDS = ("A", "B", "-W", "=C", "5E1", "001", "NA", "é", "a.b", "O'Neill", "'=x", "x y", "#1", '"q"')
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=9)
PRINTED = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")) | st.just("\n"), max_size=9)
DAYS = st.dates(date(1990, 1, 1), date(2030, 1, 1)).map(str)

Ids = Mapping[str, Sequence[str]]


def numbers(column: Column) -> st.SearchStrategy[str]:
    """Numbers within a column's bounds, or its words."""
    low = 0 if column.minimum is None and column.kind is Kind.QUANTITY else column.minimum
    places = 0 if column.kind is Kind.COUNT else 3
    number = st.decimals(-50 if low is None else low, 50, places=places).map(lambda value: format(value, "f"))
    return st.sampled_from(column.choices) | number if column.choices else number


def cells(column: Column, ids: Ids) -> st.SearchStrategy[str]:
    """Legal cells of a column, blank too where it may be."""
    # An organisation's own id is no node where its column `node` names another; what nodes.csv lists always is.
    among = st.sampled_from(ids["nodes"] if column.kind is Kind.NODE else ids.get(column.refers_to) or [""])
    strategies = {
        Kind.TEXT: WORDS,
        Kind.REF: among,
        Kind.NODE: among,
        Kind.END: st.sampled_from(sorted({*ids["nodes"]} - {*ids["workloads"]}) or [""]),
        Kind.REFS: st.lists(among, max_size=2).map(";".join),
        Kind.WORDS: st.lists(st.sampled_from(["duct 1", "=x", "GB"]), max_size=2).map("; ".join),
        Kind.CHOICE: st.sampled_from(column.choices or ("",)),
        Kind.FLAG: st.sampled_from(["yes", "no"]),
        Kind.DATE: DAYS,
    }
    filled = strategies[column.kind] if column.kind in strategies else numbers(column)
    return filled if column.required else st.just("") | filled


@st.composite
def tables(draw, name: str, ids: Ids) -> bytes:
    """One table: any of its columns, any order of rows; no bytes where it has no rows."""
    columns, key = COLUMNS[name], SCHEMAS[name].key
    # What contradicts other cells (to before from, left_out with a site) has tests of its own.
    free = [c for c in columns if not columns[c].required and c not in (*key, "to", "status")]
    some = draw(st.lists(st.sampled_from(free), max_size=4, unique=True)) if free else []
    own = columns | {"x_own": Column("x_own", Kind.CHOICE, "", choices=("-5", "=1", "'x", "a"))}
    chosen = [c for c in own if columns.get(c, own[c]).required or c in (*key, *some, "x_own")]
    if name == "sites":
        chosen += [resource.name for resource in BUILT_IN if resource.name not in chosen]
    # A price or volume that nobody gives has tests of its own; no organisation has one and a half users.
    fixed = {"packages": {"price": "0.5"}, "subscriptions": {"volume": "1.5"}}.get(name, {})
    chosen += [column for column in fixed if column not in chosen]
    rows = {}
    for row_id in ids[name]:
        row = {c: draw(cells(own[c], ids)) if own[c].kind is not Kind.ID else row_id for c in chosen}
        if name == "sites":
            row |= {resource.name: "unlimited" for resource in BUILT_IN}
        row |= fixed
        if name == "expansions":
            row["site"] = row["site"] or ids["sites"][0]
        if all(row[part] for part in key) and not (name == "circuits" and row["a"] == row["b"]):
            rows[tuple(row[part] for part in key)] = row
    texts = {c for c in chosen if own[c].kind not in NUMERIC}
    ordered = draw(st.permutations(list(rows.values())))
    return write_csv(None, chosen, [list(row.values()) for row in ordered], texts) if rows else b""


@st.composite
def documents(draw) -> str:
    """Any inventory.yaml, in the hand of another program: JSON is YAML."""
    keys: dict[str, object] = {"format": 1, "currency": "GBP", "as_of": draw(DAYS)}
    keys |= {key: draw(PRINTED) for key in ("title", "description", "model")}
    keys["sources"] = draw(st.lists(PRINTED, max_size=2))
    keys["placements"] = draw(st.sampled_from(["all", "listed"]))
    gpu = {"unit": "GPU", "step": 0.25, "description": "=x"}
    keys["resources"] = draw(st.sampled_from([{}, {"gpu": gpu}]))
    some = {"sites": {"pue": "1.5", "region": "North"}, "organisations": {"kind": "trust"}, "circuits": {"hops": 2}}
    keys["defaults"] = draw(st.sampled_from([{}, some]))
    return json.dumps(keys, indent=1, ensure_ascii=False)


@st.composite
def folders(draw) -> dict[str, str | bytes]:
    """Files of any legal inventory."""
    few = st.lists(st.sampled_from(IDS), max_size=4, unique=True)
    ids: dict[str, list[str]] = {name: draw(few) for name in SCHEMAS}
    ids |= {name: ids[name] or ["A"] for name in ("organisations", "sites", "nodes")}
    if not {*ids["nodes"]} - {*ids["workloads"]}:
        ids["interfaces"] = []  # what is a workload and a node can be no end
    files = {name: draw(tables(name, ids)) for name in SCHEMAS}
    for name, needed in (
        ("workloads", ("placements", "licence_needs", "allocation")),
        ("licences", ("licence_needs",)),
        ("packages", ("subscriptions",)),
    ):
        files |= dict.fromkeys(needed, b"") if not files[name] else {}
    return {"inventory.yaml": draw(documents()), **files}


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], max_examples=100)
@given(folders())
def test_what_is_written_reads_back_as_it_was_and_writing_it_again_gives_the_same_bytes(files):
    with TemporaryDirectory() as name:
        folder = Path(name)
        first = read_inventory(write_folder(folder / "a", files), EXTRA)
        write_inventory(first, folder / "b")
        second = read_inventory(folder / "b", EXTRA)
        write_inventory(second, folder / "c")
        assert second == first
        written, again = ({p.name: p.read_bytes() for p in (folder / x).iterdir()} for x in "bc")
        assert written == again


@pytest.mark.parametrize("name", ["dudley", "north-central-london"])
def test_a_shipped_inventory_survives_being_written(tmp_path, name):
    first = load.read_inventory(shipped("inventories") / name)
    write_inventory(first, tmp_path)
    assert load.read_inventory(tmp_path) == first


def test_defaults_are_written_into_the_cells_they_filled_and_numbers_stay_bare(tmp_path):
    files = {
        "inventory.yaml": YAML + "defaults: {workloads: {service: epr, growth: 0.05}}\n",
        "workloads": "workload,organisation,service\nW2,O1,\nW1,O1,'=mail\n",
    }
    inventory = read(tmp_path / "a", files)
    expected = "workload,organisation,service,growth\r\nW1,O1,'=mail,0.05\r\nW2,O1,epr,0.05\r\n"
    assert write_table(inventory.table("workloads"), None) == MARK + expected.encode()
    write_inventory(inventory, tmp_path / "b")
    assert "defaults" not in (tmp_path / "b" / "inventory.yaml").read_text()
    assert read_inventory(tmp_path / "b", EXTRA) == inventory


def test_a_default_for_a_table_without_rows_leaves_no_table_behind(tmp_path):
    inventory = read(tmp_path / "a", {"inventory.yaml": YAML + "defaults: {placements: {desks: 3}}\n"})
    write_inventory(inventory, tmp_path / "b")
    assert not (tmp_path / "b" / "placements.csv").exists()
    assert read_inventory(tmp_path / "b", EXTRA) == inventory


def test_defaults_of_organisations_that_only_workloads_name_are_kept(tmp_path):
    files = {"inventory.yaml": YAML + "defaults: {organisations: {kind: trust}}\n", "organisations": ""}
    inventory = read(tmp_path / "a", files)
    write_inventory(inventory, tmp_path / "b")
    assert read_inventory(tmp_path / "b", EXTRA).table("organisations").text("kind") == ["trust", "trust"]


def test_an_inventory_with_lost_sites_cannot_be_written_as_a_folder(tmp_path):
    overlay = Overlay(remove=(Removal("sites", "B", Place("m.yaml", 1)),))
    with pytest.raises(ValueError, match="removed sites"):
        write_inventory(read(tmp_path / "a", overlay=overlay), tmp_path / "b")


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_a_replica_of_a_replica_reads_back_whatever_the_order_of_the_rows(tmp_path, order):
    """It will be refused by the rules; until then it has what its primary took, and keeps it when written."""
    lines = ["first,A,,99", "second,A,first,", "third,A,second,"]
    files: dict[str, str | bytes] = {
        "inventory.yaml": '{"format": 1, "currency": "GBP", "as_of": "2000-01-01"}',
        "organisations": b"organisation\nA\n",
        "sites": f"site,{','.join(resource.name for resource in BUILT_IN)}\nS{',unlimited' * len(BUILT_IN)}\n".encode(),
        "workloads": "\n".join(
            ["workload,organisation,replica_of,max_rtt_ms", *(lines[n] for n in order), ""]
        ).encode(),
    }
    first = read_inventory(write_folder(tmp_path / "a", files), EXTRA)
    write_inventory(first, tmp_path / "b")
    assert read_inventory(tmp_path / "b", EXTRA) == first
    assert (tmp_path / "b" / "workloads.csv").read_text(encoding="utf-8-sig").count("99") == 3
