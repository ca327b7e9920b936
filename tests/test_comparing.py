"""Comparisons: every difference of inputs by key, every figure of results, and what each move is for."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capplan import shipped
from capplan.comparing import CellChange, compare, diff, input_differences, subject_of
from capplan.errors import UsageError
from capplan.load import read_inventory, read_model
from capplan.runs import read_run, write_run
from capplan.solving import solve
from tests.cli_calls import capplan
from tests.inventory_folders import YAML, write_folder

NOW = datetime(2026, 3, 1, tzinfo=UTC)
TABLES = {
    "inventory.yaml": YAML,
    "organisations": "organisation,name\nO1,One\nO2,Two\n",
    "sites": "site,power_kw,cost_power_kw,open_cost,latitude,longitude,carbon_g_kwh\n"
    "A,10,100,5,54.9,-2.96,200\nB,10,120.50,5,54.53,-3.56,100\n",
    "workloads": "workload,organisation,power_kw,current_site,value\nW1,O1,3.40,A,\nW2,O2,1.5,A,\nW3,O2,9,,100\n",
}


def run_of(folder: Path, files: dict[str, str], model: str = "standard", **changes: object):
    """A small inventory solved and saved."""
    inventory = read_inventory(write_folder(folder, TABLES | files))
    planning = read_model(model)
    result = solve(inventory, planning)
    saved = write_run(
        result, inventory, planning, folder / "run", title="t", command=[], warnings=[], now=NOW, explanation_text="no"
    )
    return subject_of(read_run(saved), folder.name)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory):
    """Two inventories: at the second B is cheap, W2 needs more, W3 is gone and W4 new."""
    folder = tmp_path_factory.mktemp("pair")
    other = {
        "sites": TABLES["sites"].replace("B,10,120.50", "B,10,1.0"),
        "workloads": "organisation,workload,power_kw,current_site,value,service\n"
        "O2,W4,1,,,\nO2,W2,2,A,,epr\nO1,W1,3.4,A,,\n",
        "nodes": "node\nX\n",
    }
    return run_of(folder / "one", {}), run_of(folder / "other", other)


# ---------------------------------------------------------------- inputs


def test_inputs_are_compared_by_key(pair):
    """Order of rows and columns and the notation of a number are no difference; 3.40 is 3.4."""
    tables = {table.table: table for table in input_differences(pair[0].inventory, pair[1].inventory)}
    assert set(tables) == {"sites", "workloads", "nodes"}
    assert tables["sites"].changed == (CellChange("B", "cost_power_kw", "120.50", "1.0"),)
    workloads = tables["workloads"]
    assert (workloads.added, workloads.removed) == (("W4",), ("W3",))
    assert set(workloads.changed) == {CellChange("W2", "power_kw", "1.5", "2"), CellChange("W2", "service", "", "epr")}
    assert workloads.rows_changed == 1
    assert tables["nodes"].added == ("X",)


def test_settings_and_models_are_compared_too(tmp_path):
    """What the model says otherwise stands beside what the inventory says otherwise."""
    one = read_inventory(write_folder(tmp_path / "a", TABLES))
    other = read_inventory(
        write_folder(tmp_path / "b", TABLES | {"inventory.yaml": YAML.replace("2016-04-01", "2017-01-01")})
    )
    models = read_model("standard"), read_model("consolidate")
    tables = {table.table: table.changed for table in input_differences(one, other, models)}
    assert tables["inventory.yaml"] == (CellChange("as_of", "", "2016-04-01", "2017-01-01"),)
    named = {change.key: (change.before, change.after) for change in tables["model"]}
    assert named["rules.fill"] == ("", "off")
    assert named["goals"][1].startswith("unplaced x 1; sites_used x 1")
    assert input_differences(one, one, (models[0], models[0])) == ()


CELLS = st.sampled_from(["", "1", "1.0", "2", "3"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    *[st.dictionaries(st.sampled_from(["A", "B", "C", "D"]), st.tuples(CELLS, CELLS), min_size=1)] * 2,
    st.randoms(use_true_random=False),
)
def test_what_differs_is_what_a_plain_look_at_the_cells_finds(tmp_path, one, other, chance: random.Random):
    """Against dictionaries of cells; a file that is the other one is made by the differences."""
    read = []
    for number, cells in enumerate((one, other)):
        rows = [f"{site},{power},{racks}\n" for site, (power, racks) in cells.items()]
        chance.shuffle(rows)
        files = {"sites": "site,power_kw,rack_units\n" + "".join(rows), "workloads": "", "organisations": ""}
        place = tmp_path / f"{number}-{chance.getrandbits(64)}"
        read.append(read_inventory(write_folder(place, {"inventory.yaml": YAML} | files)))
    found = input_differences(read[0], read[1])
    changes = {
        (site, column, before, after)
        for site in one.keys() & other.keys()
        for column, before, after in zip(("power_kw", "rack_units"), one[site], other[site], strict=True)
        if (Fraction(before) if before else None) != (Fraction(after) if after else None)
    }
    assert bool(found) == bool(changes or one.keys() != other.keys())
    for table in found:
        assert_is_what_differs(table, one, other, changes)


def assert_is_what_differs(table, one, other, changes) -> None:
    assert set(table.added) == other.keys() - one.keys()
    assert set(table.removed) == one.keys() - other.keys()
    assert {(change.key, change.column, change.before, change.after) for change in table.changed} == changes


# ---------------------------------------------------------------- results


def figures(subjects) -> dict[tuple[str, str], tuple]:
    return {(one.group, one.name): one.values for one in compare(subjects).measures}


def test_figures_of_two_plans_by_hand(pair):
    """First: W1 and W2 stay at A, 4.9 kW x 100 + 5 for the site = 495; W3 (worth 100) is dearer than that.

    Second: all at B for 1 a kilowatt: 6.4 + 5 = 11.40. Carbon: 4.9 kW x 8760 h x 200 g = 8,584.8 kg, and
    6.4 x 8760 x 100 = 5,606.4 kg. 20 % is kept free: 4.9 of 8 leaves 38.75 %, 6.4 of 8 leaves 20 %.
    """
    found = figures(pair)
    assert found["cost", "total"] == (495, Fraction("11.4"))
    assert found["cost", "resource"] == (490, Fraction("6.4"))
    assert found["cost", "site"] == (5, 5)
    assert found["workloads", "placed"] == (2, 3)
    assert found["workloads", "left out"] == (1, 0)
    assert found["workloads", "value left out, a year"][0] == 100
    assert found["workloads", "moved"] == (0, 2)
    assert found["carbon", "emissions"] == (Fraction("8584.8"), Fraction("5606.4"))
    assert found["use", "power_kw used"] == (Fraction("4.9"), Fraction("6.4"))
    assert found["headroom", "least power_kw free"] == (Fraction("0.3875"), Fraction("0.2"))
    assert found["resilience", "down with the worst site"] == (2, 3)
    assert found["limits", "rules broken"] == (0, 0)


def test_figures_reconcile_with_each_other(pair):
    """Kinds of cost sum to the total, organisations sum to the total, in every plan."""
    compared = compare(pair)
    for i, subject in enumerate(pair):
        costs = {m.name: m.values[i] or 0 for m in compared.measures if m.group == "cost"}
        assert sum(value for name, value in costs.items() if name not in ("total", "today")) * 100 == subject.plan.cost
        accounts = [row.accounts[i] for row in compared.organisations]
        assert sum(one.cost for one in accounts if one is not None) == subject.plan.cost
        assert sum(row.placed[i] for row in compared.organisations) == int((subject.plan.plan.site >= 0).sum())


def test_a_run_without_a_plan_has_no_figures(pair, tmp_path):
    """It stands in the comparison with its status and inputs."""
    none = run_of(tmp_path / "none", {"workloads": "workload,organisation,power_kw\nW1,O1,6\nW2,O1,6\nW3,O1,6\n"})
    assert none.info["status"] == "infeasible"
    compared = compare([pair[0], none])
    assert {one.values[1] for one in compared.measures} == {None}
    assert [one.accounts[1] for one in compared.organisations] == [None, None]


def test_what_cannot_be_compared_is_wrong_usage(pair, tmp_path):
    euros = run_of(tmp_path / "euros", {"inventory.yaml": YAML.replace("GBP", "EUR")})
    with pytest.raises(UsageError, match="money in EUR and GBP"):
        compare([pair[0], euros])
    with pytest.raises(UsageError, match="nothing to compare with"):
        compare(pair[:1])
    with pytest.raises(UsageError, match="different currencies"):
        diff(pair[0], euros)


# ---------------------------------------------------------------- diff


def test_each_move_says_what_it_changes_and_what_undoing_it_costs(pair):
    """W1 back at A: 340 + 5 for opening A, less 3.40 at B: 341.60 more."""
    found = diff(pair[0], pair[1])
    moves = {move.workload: move for move in found.moves}
    assert {name: (move.kind, move.before, move.after) for name, move in moves.items()} == {
        "W1": ("moved", "A", "B"),
        "W2": ("moved", "A", "B"),
        "W3": ("removed", "", ""),
        "W4": ("added", "", "B"),
    }
    assert moves["W1"].cost == 340 - 34_000
    assert (moves["W1"].undone, moves["W1"].broken) == (34_160, ())
    assert (moves["W3"].undone, moves["W4"].undone) == (None, None)
    assert found.cost == 1_140 - 49_500
    assert diff(pair[0], pair[1], undone=0).moves[0].undone is None
    assert diff(pair[0], pair[0]).moves == ()


def test_undoing_a_move_that_a_rule_demanded_says_which(pair, tmp_path):
    """With 4 kW at A (3.2 of it usable) W1 cannot stay."""
    small = run_of(tmp_path / "small", {"sites": TABLES["sites"].replace("A,10", "A,4")})
    [move] = [move for move in diff(pair[0], small).moves if move.workload == "W1"]
    assert (move.before, move.after) == ("A", "B")
    assert move.broken
    assert move.broken[0].startswith("capacity: A power_kw: need 4.9 kW, usable 3.2 kW")


# ---------------------------------------------------------------- the commands


def test_compare_solves_inventories_under_one_model(tmp_path):
    """The model of the first for all of them, said where another names its own; runs are saved where asked."""
    folders = []
    for name, model in (("one", "consolidate"), ("two", "standard")):
        folder = write_folder(tmp_path / name, TABLES | {"inventory.yaml": YAML + f"model: {model}\n"})
        folders.append(folder)
    said = capplan("compare", *folders, "-o", tmp_path / "runs")
    assert said.code == 0, said.err
    assert "all are planned under consolidate" in said.err
    for name in ("one", "two"):
        assert read_run(tmp_path / "runs" / name).model().name == "consolidate"
    assert "The same as those of one." in said.out
    assert "Cost by organisation" in said.out
    asked = capplan("compare", *folders, "-m", "standard", "-o", tmp_path / "more", "--json")
    found = json.loads(asked.out)
    assert [one["model"] for one in found["subjects"]] == ["standard", "standard"]
    assert {"group": "workloads", "name": "placed", "unit": "", "values": [2, 2], "notes": ["", ""]} in found[
        "measures"
    ]


def test_compare_and_diff_of_runs(pair):
    folders = [one.run.folder for one in pair]
    said = capplan("compare", *folders)
    assert said.code == 0, said.err
    assert "B.cost_power_kw: 120.50 -> 1.0" in said.out
    assert "+ W4" in said.out
    moved = capplan("diff", *folders)
    assert moved.code == 0, moved.err
    assert moved.out.startswith("1 workload added, 2 workloads moved, 1 workload removed, £483.60 less than the first")
    assert json.loads(capplan("diff", *folders, "--json").out)["cost"] == -483.6
    refused = capplan("compare", *folders, "-m", "standard")
    assert refused.code == 2
    assert "keep the model they were solved with" in refused.err


def test_faults_of_every_inventory_are_told_at_once(tmp_path):
    bad = [write_folder(tmp_path / n, TABLES | {"sites": f"site,power_kw\nA,{n} kW\nB,1\n"}) for n in ("1", "2")]
    said = capplan("compare", *bad, "-o", tmp_path / "runs")
    assert said.code == 1
    assert said.err.count("error[unit-in-cell]") == 2
    assert capplan("compare", bad[0]).code == 2


@pytest.mark.golden
def test_north_central_london_with_a_third_hub(tmp_path):
    """A hub for 40 that costs 10 takes the one organisation that may go there: 151,485 less."""
    folder = shipped.folder("inventories") / "north-central-london"
    assert capplan("solve", folder, "-o", tmp_path / "two", "-q").code == 0
    rows = ["sites: {site: H3, fte: 40, open_cost: 10, cost_fte: 100}"]
    rows.append("placements: {workload: 5A9-remote, site: H3, cost: 5}")
    adds = [word for row in rows for word in ("--add", row)]
    assert capplan("solve", folder, "-o", tmp_path / "three", *adds, "-q").code == 0
    said = capplan("diff", tmp_path / "two", tmp_path / "three")
    assert said.out.startswith("1 workload moved, £151,485 less than the first plan.")
