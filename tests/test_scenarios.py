"""Scenarios and ad hoc changes: cells set, rows added and removed, the model changed, one upon the other."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capplan.errors import BadInput, Faults
from capplan.load import read_inventory, read_model
from capplan.model.adhoc import Asked, changes_of
from capplan.runs import read_run
from capplan.units import UNLIMITED, decimal_text
from tests.cli_calls import capplan
from tests.inventory_folders import YAML, write_folder

MODEL = """\
format: 1
extends: standard
scenarios:
  more:
    scale: {workloads.*.power_kw: 110%, organisations.O1.users: 1.05}
    increase: {sites: {B: {power_kw: -2.5}}}
  third:
    add: {sites: [{site: C, power_kw: 7.5, x_note: "=new"}]}
    headroom: {power_kw: 10%}
  lose-b: {remove: {sites: [B]}, left_out: any}
  all: {stack: [third, more, lose-b], set: {workloads.W2.power_kw: 1}}
  dudley: {scale: {workloads.W1.power_kw: 2}}
  again: {stack: [dudley, dudley]}
"""
FILES = {
    "organisations": "organisation,name,users\nO1,One,21\nO2,Two,\n",
    "workloads": "workload,organisation,power_kw,current_site\nW1,O1,3.4,B\nW2,O2,1.5,\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = write_folder(tmp_path / "small", FILES)
    (place / "inventory.yaml").write_text(YAML + "model: model.yaml\n")
    (place / "model.yaml").write_text(MODEL)
    return place


def under(folder: Path, scenario: str | None = None, asked: Asked | None = None):
    """Model and inventory as a scenario and changes make them; BadInput with every fault."""
    faults = Faults()
    changes = changes_of(asked, faults) if asked else None
    model = read_model(folder / "model.yaml", scenario, faults=faults, changes=changes)
    inventory = read_inventory(folder, model.overlay, faults)
    faults.raise_errors()
    return model, inventory


def demand(inventory) -> dict[str, int]:
    """Watts by workload."""
    return dict(zip(inventory.table("workloads").ids, inventory.demand[:, 0].tolist(), strict=True))


def test_numbers_are_scaled_exactly_and_what_is_counted_is_rounded_up(folder):
    """3.4 x 1.1 = 3.74, 1.5 x 1.1 = 1.65; 21 x 1.05 = 22.05 users are 23; 11 - 2.5 = 8.5 kW."""
    _, inventory = under(folder, "more")
    assert demand(inventory) == {"W1": 3740, "W2": 1650}
    assert inventory.table("organisations").counts("users").tolist() == [23, 0], "a blank stays blank"
    assert inventory.capacity[1, 0] == 8500


def test_a_row_that_is_added_is_read_like_any_other(folder):
    model, inventory = under(folder, "third")
    assert inventory.table("sites").ids == ["A", "B", "C"]
    assert inventory.capacity[:, 0].tolist() == [68500, 11000, 7500]
    assert inventory.table("sites").text("x_note") == ["", "", "=new"]
    assert model.headroom["power_kw"] == Fraction(1, 10)


def test_scenarios_are_stacked_in_order_and_the_last_word_counts(folder):
    """third, then more, then lose-b, then W2 set to 1 whatever was scaled before."""
    model, inventory = under(folder, "all")
    assert demand(inventory) == {"W1": 3740, "W2": 1000}
    assert inventory.removed_sites.tolist() == [False, True, False]
    assert (model.left_out, model.headroom["power_kw"], model.scenario) == ("any", Fraction(1, 10), "all")


def test_plus_signs_stack_what_the_model_does_not(folder):
    """The same as a scenario that stacks them; order counts, and twice is twice."""
    assert demand(under(folder, "more+dudley")[1])["W1"] == 7480
    assert demand(under(folder, "dudley+dudley")[1])["W1"] == 13600
    assert demand(under(folder, "again")[1])["W1"] == 13600
    stacked = under(folder, "third+more+lose-b", Asked.of(["workloads.W2.power_kw=1"]))
    assert stacked[1] == under(folder, "all")[1]


@pytest.mark.parametrize(
    ("text", "watts"),
    [
        ("workloads.W1.power_kw=2", 2000),
        ("workloads.W1.power_kw *= 150%", 5100),
        ("workloads.W1.power_kw*=0.5", 1700),
        ("workloads.W1.power_kw+=0.6", 4000),
        ("workloads.W1.power_kw-=0.4", 3000),
        ("workloads.W1.power_kw-=-0.6", 4000),
        ("workloads.*.power_kw=2.25", 2250),
    ],
)
def test_changes_of_one_cell(folder, text, watts):
    assert demand(under(folder, None, Asked.of([text]))[1])["W1"] == watts


def test_the_model_is_changed_by_the_path_of_a_key(folder):
    asked = Asked.of(["rules.zone=off", "headroom.power_kw=5%", "purchases=none", "goals=[cost]"])
    model, _ = under(folder, None, asked)
    assert "zone" in model.rules
    assert model.rules["zone"] is None
    assert (model.headroom["power_kw"], model.purchases) == (Fraction(1, 20), "none")
    assert [list(goal) for goal in model.goals] == [["cost"]]


def test_rows_are_added_and_removed(folder):
    asked = Asked.of((), ["workloads.W2", "sites.B"], ["sites: {site: 5E1, power_kw: 007}"])
    _, inventory = under(folder, None, asked)
    assert inventory.table("workloads").ids == ["W1"]
    assert inventory.table("sites").ids == ["5E1", "A", "B"], "cells as written, no numbers made of them"
    assert inventory.removed_sites.tolist() == [False, False, True]


FAULTS = [
    (Asked.of(["sites.C.power_kw=1"]), r'--set sites.C.power_kw=1: error\[unknown-reference\]: "C" is no site'),
    (Asked.of(["siets.A.power_kw=1"]), r'\[unknown-table\].*did you mean "sites"'),
    (Asked.of(["sites.A.powr_kw*=2"]), r'\[unknown-column\].*did you mean "power_kw"'),
    (Asked.of(["sites.A.name*=2"]), r"\[wrong-value\]: sites.name holds no numbers"),
    (Asked.of(["sites.A.rack_units*=2"]), r"\[wrong-value\]: sites.A.rack_units is blank; set it to a number first"),
    (Asked.of(["sites.A.power_kw*=x"]), r'--set sites.A.power_kw\*=x: error\[wrong-value\]: "x" is no factor'),
    (Asked.of(["sites.A.power_kw+=1%"]), r'"1%" is no amount'),
    (Asked.of(["sites.A.power_kw=5 kW"]), r"--set sites.A.power_kw=5 kW: error\[unit-in-cell\]"),
    (Asked.of(["sites.A.power_kw-=100"]), r"--set sites.A.power_kw-=100: error\[non-positive-quantity\]"),
    (Asked.of(["power_kw=5"]), r"names neither a cell nor a key of the model"),
    (Asked.of(["sites.A.power_kw"]), r"this sets nothing"),
    (Asked.of(["rules.latncy=off"]), r'\[unknown-rule\].*did you mean "latency"'),
    (Asked.of(["rules.latency={"]), r"--set rules.latency=\{:2:1: error\[yaml-syntax\]"),
    (Asked.of((), ["sites"]), r'--remove sites: error\[wrong-value\]: "sites" names no row'),
    (Asked.of((), ["sites.D"]), r"--remove sites.D: error\[unknown-reference\]"),
    (Asked.of((), (), ["sites: {name: X}"]), r"--add sites.*\[empty-mandatory-cell\].*has no site"),
    (Asked.of((), (), ["sites: {site: D, colour: red}"]), r'\[unknown-column\]: sites has no column "colour"'),
    (Asked.of((), (), ["sites: {site: A}"]), r"--add .*error\[duplicate-id\]"),
    (Asked.of((), (), ["sites: [1]"]), r'"sites: \[1\]" is no row'),
]


@pytest.mark.parametrize(("asked", "message"), FAULTS, ids=[asked.name for asked, _ in FAULTS])
def test_what_a_change_names_wrongly_is_told_where_it_was_written(folder, asked, message):
    with pytest.raises(BadInput, match=message):
        under(folder, None, asked)


@pytest.mark.parametrize(
    ("scenario", "message"),
    [
        ("a: {stack: [b]}\n  b: {stack: [a]}", r"circular-reference\]: this scenario stands upon itself: a -> b -> a"),
        (
            "a: {stack: [mroe]}\n  more: {}",
            r'unknown-reference\]: the model has no scenario "mroe"; did you mean "more"',
        ),
        ("a: {scale: {workloads.*.power_kw: big}}", r'model.yaml:4:\d+: error\[wrong-value\]: "big" is no factor'),
        ("a: {add: {sites: {site: C}}}", r"model.yaml:4:\d+: error\[wrong-value\]"),
        ("a: {add: {sites: [{site: {C: 1}}]}}", r"model.yaml:4:\d+: error\[wrong-value\]: site is no cell"),
    ],
)
def test_a_scenario_that_says_nothing_is_told_where_it_stands(folder, scenario, message):
    (folder / "model.yaml").write_text(f"format: 1\nextends: standard\nscenarios:\n  {scenario}\n")
    with pytest.raises(BadInput, match=message):
        under(folder, "a")


def test_a_run_under_stacked_changes_is_read_back_as_it_was_solved(folder, tmp_path):
    """What was asked for stands in the run's model, and the run is checked, shown and measured under it."""
    said = capplan(
        *("solve", folder, "-o", tmp_path / "run", "--scenario", "third+more", "--set", "workloads.W2.power_kw+=1"),
        *("--remove", "sites.A", "--set", "left_out=any", "--add", "organisations: {organisation: '=O9'}"),
    )
    assert said.code == 0, said.err
    run = read_run(tmp_path / "run")
    name = (
        "third+more, workloads.W2.power_kw+=1, left_out=any, without sites.A, with organisations: {organisation: '=O9'}"
    )
    assert run.info["model"]["scenario"] == name
    inventory = run.inventory()
    assert demand(inventory) == {"W1": 3740, "W2": 2650}
    assert inventory.table("organisations").ids == ["=O9", "O1", "O2"]
    assert capplan("check", tmp_path / "run").out.startswith("No rule broken, nothing moved")
    written = yaml.safe_load((tmp_path / "run/inputs/model.yaml").read_text("utf-8"))["scenarios"]
    assert written[name]["stack"] == [f"{name} / 1", f"{name} / 2"]


def test_validate_and_check_take_changes_too(folder, tmp_path):
    """W1 is at B today; with 3 kW there it is not."""
    assert capplan("validate", folder, "--set", "sites.B.power_kw=3").code == 0
    said = capplan("check", folder, "--set", "sites.B.power_kw=3", "--set", "workloads.W2.current_site=A")
    assert said.code == 1
    assert "B power_kw" in said.out
    assert "short 1 kW" in said.out
    refused = capplan("solve", folder, "-o", tmp_path / "run", "--set", "sites.B.power=3")
    assert refused.code == 1
    assert 'did you mean "power_kw"' in refused.err


CELLS = st.sampled_from(["", "1", "2.5", "10", "unlimited"])
FACTORS = st.sampled_from(["0.5", "110%", "2", "1"])
AMOUNTS = st.sampled_from(["1", "2.25", "0"])
STEPS = st.lists(
    st.tuples(st.sampled_from("ABC*"), st.sampled_from(["=", "*=", "+="]), FACTORS | AMOUNTS, AMOUNTS), max_size=4
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(CELLS, min_size=3, max_size=3), STEPS, st.sampled_from(["A", "B", ""]))
def test_changes_are_what_an_editor_of_the_file_would_have_done(tmp_path, cells, steps, removed):
    """One change upon the other, each a scenario of its own, against plain arithmetic on the cells."""
    now = dict(zip("ABC", cells, strict=True))
    overlays, wrong = [], False
    for row, sign, factor, amount in steps:
        text = factor if sign == "*=" else amount
        overlays.append(f"sites.{row}.rack_units{sign}{text}")
        for name in "ABC" if row == "*" else row:
            number = None if now[name] in ("", "unlimited") else Fraction(now[name])
            wrong = wrong or (number is None and row != "*" and sign != "=")
            share = Fraction(text.rstrip("%")) / (100 if "%" in text else 1)
            changed = {"=": share, "*=": None if number is None else number * share}.get(sign)
            changed = number + share if sign == "+=" and number is not None else changed
            now[name] = now[name] if changed is None else decimal_text(changed, 12)
    place = tmp_path / f"{len(list(tmp_path.iterdir()))}"
    edited = {name: cell for name, cell in now.items() if name != removed}
    files = dict.fromkeys(("organisations", "workloads"), "") | {
        "sites": "site,rack_units\n" + "".join(f"{name},{cell}\n" for name, cell in zip("ABC", cells, strict=True))
    }
    write_folder(place, files)
    layers = "".join(f"  s{i}: {{{_yaml(text)}}}\n" for i, text in enumerate(overlays))
    names = [f"s{i}" for i in range(len(overlays))]
    last = f"  all: {{stack: [{', '.join(names)}], remove: {{sites: [{removed}]}}}}\n"
    (place / "model.yaml").write_text(f"format: 1\nextends: standard\nscenarios:\n{layers}{last}")
    if wrong:
        with pytest.raises(BadInput, match="set it to a number first"):
            under(place, "all")
        return
    _, inventory = under(place, "all")
    capacity = dict(zip(inventory.table("sites").ids, inventory.capacity[:, 0].tolist(), strict=True))
    assert {name: capacity[name] for name in edited} == {name: _steps(cell) for name, cell in edited.items()}
    assert inventory.removed_sites.tolist() == [name == removed for name in "ABC"]


def _yaml(text: str) -> str:
    """A change of the command line as a scenario writes it."""
    for sign, key in (("*=", "scale"), ("+=", "increase"), ("=", "set")):
        if sign in text:
            path, _, value = text.partition(sign)
            return f"{key}: {{'{path}': {value}}}"
    raise AssertionError(text)


def _steps(cell: str) -> int:
    """Half rack units, rounded down as capacity is."""
    return UNLIMITED if cell == "unlimited" else int(Fraction(cell or 0) * 2 // 1)
