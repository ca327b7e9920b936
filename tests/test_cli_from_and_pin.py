"""``capplan solve --from`` and ``--pin``: what is started from, what stays, and what is told when it cannot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli_calls import CHECKOUT, Said, capplan

DUDLEY = CHECKOUT / "inventories/dudley"
FILES = {
    "inventory.yaml": "format: 1\ntitle: Pins\ncurrency: GBP\nas_of: 2016-04-01\n",
    "sites.csv": "site,power_kw,cost_power_kw,country\nA,10,100,UK\nB,5,120.50,UK\nC,5,300,FR\n",
    "workloads.csv": "workload,organisation,power_kw,value,current_site,forbidden_sites,countries\n"
    "W1,O,3.4,,A,B,\nW2,O,1.5,,B,,UK\nW3,O,3,5000,,,\nW4,O,2,,,,\n",
}


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    """Four workloads at three sites; left alone W1, W2 and W3 go to A and W4 to B."""
    folder = tmp_path / "pins"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text, "utf-8")
    return folder


@pytest.fixture
def run(inventory: Path, tmp_path: Path) -> Path:
    """The inventory solved without anything beside it."""
    assert capplan("solve", inventory, "-o", tmp_path / "run").code == 0
    return tmp_path / "run"


def write(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(["workload,site,status", *rows, ""]), "utf-8")
    return path


def sites(run: Path) -> dict[str, str]:
    rows = json.loads(capplan("show", run, "allocation", "--json").out)["rows"]
    return {row["workload"]: row["site"] for row in rows}


def facts(run: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((run / "run.json").read_text("utf-8"))
    return found


def shown(said: Said) -> str:
    """What ``solve`` printed, without the line that names the run."""
    return said.out.rsplit("\n\n", 1)[0] + "\n"


# ---------------------------------------------------------------- --from


def test_moves_are_counted_against_the_run_that_is_started_from(inventory: Path, run: Path, tmp_path: Path):
    """Solved again from its own plan nothing moves, though W2 moved from where it is today; ``show`` says the same."""
    assert (sites(run)["W2"], "1 moved" in capplan("show", run).out) == ("A", True)
    said = capplan("solve", inventory, "-o", tmp_path / "again", "--from", run)
    assert said.code == 0
    assert "4 workloads placed, 0 left out, 0 moved" in said.out
    assert "The start £1,031, plan £1,031" in said.out
    assert "Compared with today" not in said.out
    assert capplan("show", tmp_path / "again").out == shown(said)
    assert capplan("check", tmp_path / "again").out.startswith("No rule broken, nothing moved, at the cost")


def test_workloads_that_the_file_does_not_name_keep_their_own_current_site(inventory: Path, tmp_path: Path):
    """W1 stays where the inventory has it, W2 is said to be at C, W4 to be left out: so it has no current site."""
    start = write(tmp_path / "a.csv", "W2,C,placed", "W4,,left_out")
    assert capplan("solve", inventory, "-o", tmp_path / "r", "--from", start).code == 0
    rows = json.loads(capplan("show", tmp_path / "r", "allocation", "--json").out)["rows"]
    assert {row["workload"]: row["current_site"] for row in rows} == {"W1": "A", "W2": "C", "W3": "", "W4": ""}
    assert facts(tmp_path / "r")["from"] == {"name": "a.csv", "allocation": "inputs/from.csv", "purchases": None}


def test_a_run_brings_its_purchases(tmp_path: Path):
    """Dudley from its own plan: the module counts as bought at the start, so the start breaks nothing."""
    assert capplan("solve", DUDLEY, "-o", tmp_path / "one").code == 0
    said = capplan("solve", DUDLEY, "-o", tmp_path / "two", "--from", tmp_path / "one")
    assert "The start £81,878.40, plan £81,878.40" in said.out
    assert "breaks" not in said.out
    assert (tmp_path / "two/inputs/from-purchases.csv").read_bytes() == (tmp_path / "one/purchases.csv").read_bytes()
    assert capplan("show", tmp_path / "two").out == shown(said)


def test_a_purchase_that_the_model_does_not_allow_is_a_warning(tmp_path: Path):
    """Dudley's plan as the start of a scenario without purchases: the start goes without the module, as it is told."""
    assert capplan("solve", DUDLEY, "-o", tmp_path / "one").code == 0
    said = capplan("solve", DUDLEY, "-o", tmp_path / "two", "--from", tmp_path / "one", "--scenario", "as-is")
    assert said.code == 3
    assert "purchases.csv:2:1: warning[purchase-not-offered]: 1 of UPS-4" in said.err


def test_a_run_may_be_replaced_by_one_that_starts_from_it(inventory: Path, run: Path):
    """``-o`` and ``--from`` the same folder: what was read is kept in the new run."""
    before = (run / "allocation.csv").read_bytes()
    assert capplan("solve", inventory, "-o", run, "--from", run).code == 0
    assert (run / "inputs/from.csv").read_bytes() == before


# ---------------------------------------------------------------- --pin


def test_pinned_workloads_stay_and_the_rest_is_planned_around_them(inventory: Path, run: Path, tmp_path: Path):
    """W4 at C costs more and stays; W2 has a row without a site and W1 and W3 none: they are free."""
    pin = write(tmp_path / "pin.csv", "W4,C,placed", "W2,,placed")
    said = capplan("solve", inventory, "-o", tmp_path / "r", "--pin", pin)
    assert said.code == 0
    assert sites(tmp_path / "r") == {"W1": "A", "W2": "A", "W3": "A", "W4": "C"}
    assert facts(tmp_path / "r")["pin"] == {"name": "pin.csv", "allocation": "inputs/pin.csv"}
    assert "inputs/pin.csv" in json.dumps(facts(tmp_path / "r")["input_hashes"])
    assert capplan("show", tmp_path / "r").out == shown(said)
    assert capplan("check", tmp_path / "r").code == 0


def test_check_holds_an_edit_against_what_was_pinned(inventory: Path, tmp_path: Path):
    """Moving a workload that the run was told to keep breaks a rule, named with the line of the run's copy."""
    pin = write(tmp_path / "pin.csv", "W4,C,placed")
    run = tmp_path / "r"
    capplan("solve", inventory, "-o", run, "--pin", pin)
    pin.unlink()
    table = run / "allocation.csv"
    table.write_bytes(table.read_bytes().replace(b"W4,,O,,C", b"W4,,O,,B"))
    said = capplan("check", run)
    assert said.code == 1
    assert f"allowed: W4 at B: kept at C ({run}/inputs/pin.csv:2)" in said.out
    assert "demanded by" not in said.out


def test_today_is_not_held_against_what_is_pinned(inventory: Path, tmp_path: Path):
    """That W1 is elsewhere today breaks no rule of today."""
    said = capplan("solve", inventory, "-o", tmp_path / "r", "--pin", write(tmp_path / "pin.csv", "W1,C,placed"))
    assert said.code == 0
    assert "Today breaks" not in said.out


def test_both_together(inventory: Path, run: Path, tmp_path: Path):
    """Moves against the start, W4 kept where the start does not have it: one move."""
    pin = write(tmp_path / "pin.csv", "W4,C,placed")
    start = run / "allocation.csv"
    assert capplan("solve", inventory, "-o", tmp_path / "r", "--from", start, "--pin", pin).code == 0
    rows = json.loads(capplan("show", tmp_path / "r", "allocation", "--json").out)["rows"]
    found = {row["workload"]: (row["current_site"], row["site"], row["moved"]) for row in rows}
    assert found["W4"] == ("B", "C", "yes")
    assert found["W1"] == ("A", "A", "no")


def test_a_pin_that_another_rule_forbids_shows_both_reasons(inventory: Path, tmp_path: Path):
    """W1 may not be at B and is kept there: what keeps it and what forbids it are told, and the line to change."""
    pin = write(tmp_path / "pin.csv", "W1,B,placed")
    said = capplan("solve", inventory, "-o", tmp_path / "r", "--pin", pin)
    assert said.code == 3
    for words in (
        f"W1, kept at B ({pin}:2)",
        f"A, C: kept at B ({pin}:2)",
        "B: forbidden at B",
        f"do not keep W1 at B ({pin}:2): delete the row, or its site",
    ):
        assert words in said.out, words
    [homeless] = facts(tmp_path / "r")["explanation"]["homeless"]  # type: ignore[index]  # JSON
    assert homeless["kept_at"] == "B"
    assert homeless["sites"][0]["reason"] == "kept at B (inputs/pin.csv:2)", "no path of this machine"
    assert capplan("show", tmp_path / "r").out == shown(said)


def test_pins_that_leave_too_little_room_are_among_what_to_try(inventory: Path, tmp_path: Path):
    """8.4 kW kept where 4 may be used: the shortage, and each placement that takes part in it."""
    pin = write(tmp_path / "pin.csv", "W1,C,placed", "W3,C,placed", "W4,C,placed")
    said = capplan("solve", inventory, "-o", tmp_path / "r", "--pin", pin)
    assert said.code == 3
    assert "need 8.4 kW, usable 4 kW" in said.out
    assert all(f"do not keep {w} at C ({pin}:{line})" in said.out for w, line in (("W1", 2), ("W3", 3), ("W4", 4)))


# ---------------------------------------------------------------- faults


def test_mistakes_in_every_file_are_told_together(inventory: Path, tmp_path: Path):
    """One pass: the inventory's, the start's and the pin's, each with its place."""
    table = inventory / "workloads.csv"
    table.write_text(table.read_text("utf-8").replace("3.4", "3.4 kW"), "utf-8")
    start, pin = write(tmp_path / "a.csv", "W1,D,placed"), write(tmp_path / "pin.csv", "W2,BB,placed", "W3,A,left_out")
    said = capplan("solve", inventory, "-o", tmp_path / "r", "--from", start, "--pin", pin)
    assert (said.code, said.out) == (1, "")
    for words in (
        "workloads.csv:2:6: error[unit-in-cell]",
        "a.csv:2:4: error[unknown-reference]",
        "pin.csv:2:4: error[unknown-reference]",
        "pin.csv:3:6: error[contradictory-cells]",
    ):
        assert words in said.err, words


def test_an_inventory_that_is_not_there_is_one_mistake(run: Path, tmp_path: Path):
    """Nothing is said of the files beside it: nobody knows what they should name."""
    said = capplan("solve", tmp_path / "nowhere", "--from", run)
    assert said.code == 2
    assert "there is no folder" in said.err
    assert "from" not in said.err


@pytest.mark.parametrize(
    ("option", "path", "words"),
    [
        ("--pin", "pinn.csv", 'did you mean "pin.csv"'),
        ("--pin", "run", "is a folder"),
        ("--from", "nothing", "name a run's folder or an allocation.csv"),
        ("--from", "pins", "is no run"),
        ("--from", "impossible", "has no plan to start from (infeasible)"),
    ],
)
def test_paths_that_cannot_be_meant_are_wrong_usage(
    option: str, path: str, words: str, inventory: Path, run: Path, tmp_path: Path
):
    """Exit 2 before anything is read or solved."""
    pin = write(tmp_path / "pin.csv", "W1,B,placed")
    capplan("solve", inventory, "-o", tmp_path / "impossible", "--pin", pin)
    said = capplan("solve", inventory, "-o", tmp_path / "r", option, tmp_path / path)
    assert (said.code, said.out) == (2, "")
    assert words in said.err
    assert not (tmp_path / "r").exists()


def test_a_workload_that_fits_nowhere_is_named_before_solving(inventory: Path, tmp_path: Path):
    """``validate`` and ``solve`` say ``workload-too-large`` with its place; that is no infeasible plan."""
    table = inventory / "workloads.csv"
    table.write_text(table.read_text("utf-8").replace("W1,O,3.4", "W1,O,34"), "utf-8")
    for said in (capplan("validate", inventory), capplan("solve", inventory, "-o", tmp_path / "r")):
        assert said.code == 1
        assert "workloads.csv:2:6: error[workload-too-large]: W1 needs 34 kW" in said.err
