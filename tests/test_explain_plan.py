"""Explanations of plans: why here, why not there, what a unit is worth, what rules cost, other plans."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.cli_calls import Said, capplan

YAML = "format: 1\ntitle: Three sites\ncurrency: GBP\nas_of: 2016-01-01\n"
SITES = """site,power_kw,cost_power_kw,zones,operator
A,10,10,,one
B,10,20,,two
C,10,30,health,two
"""
WORKLOADS = """workload,organisation,power_kw,zone,forbidden_sites
W1,O,4,,
W2,O,4,public,
W3,O,4,,A
"""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run: W1 and W2 fill A, W3 is at B."""
    folder = tmp_path / "i"
    folder.mkdir()
    for name, text in (
        ("inventory.yaml", YAML),
        ("organisations.csv", "organisation\nO\n"),
        ("sites.csv", SITES),
        ("workloads.csv", WORKLOADS),
    ):
        (folder / name).write_text(text, "utf-8")
    assert capplan("solve", folder, "-o", tmp_path / "run").code == 0
    return tmp_path / "run"


def told(said: Said) -> str:
    """What was said, where all went well."""
    assert said.code == 0, said.err
    return said.out


def test_every_site_says_what_forbids_it_or_what_it_costs(run: Path):
    """W3 at B: forbidden at A by its list; at C £40 more (4 kW × £10), and nothing else moves."""
    text = told(capplan("explain", run, "W3"))
    assert "W3 is at B in the plan" in text
    assert "forbidden at A [allowed]  (workloads.csv:4)" in text
    assert "with all else as it is: £40 more" in text
    assert "with all else planned anew: £40 more, nothing else moved" in text


def test_why_it_is_here_is_what_the_best_other_site_comes_to(run: Path):
    """W3 at B: C costs £40 more, so the plan £200 instead of £160; asked about B itself the answer is the same."""
    for asked in ((), ("--at", "B")):
        text = told(capplan("explain", run, "W3", *asked))
        assert "the best other site is C, with all else planned anew" in text
        assert "£200 instead of £160, worse" in text
    rows = json.loads(told(capplan("explain", run, "W3", "--json")))["sites"]
    assert next(row["reason"] for row in rows if row["site"] == "B") == "the best other site is C: 40 more"


def test_a_better_place_is_called_that(run: Path, tmp_path: Path):
    """By hand W1 is at C: to move it would pay."""
    edited = tmp_path / "edited.csv"
    edited.write_text("workload,site\nW1,C\nW2,A\nW3,B\n", "utf-8")
    assert "better: to move it there would pay" in told(capplan("explain", run, "W1", "--allocation", edited))


def test_an_estimate_that_does_not_hold_says_which_figure_counts(tmp_path: Path):
    """3.5 kW at A hold one workload of 2 kW, as 2.5 do; the relaxation would put half of another there: £90."""
    folder = tmp_path / "i"
    folder.mkdir()
    (folder / "inventory.yaml").write_text(YAML, "utf-8")
    (folder / "model.yaml").write_text("format: 1\ntitle: M\nextends: standard\nheadroom: {power_kw: 0%}\n", "utf-8")
    (folder / "organisations.csv").write_text("organisation\nO\n", "utf-8")
    (folder / "sites.csv").write_text("site,power_kw,cost_power_kw\nA,2.5,10\nB,9,100\n", "utf-8")
    (folder / "workloads.csv").write_text("workload,organisation,power_kw\nW1,O,2\nW2,O,2\n", "utf-8")
    assert capplan("solve", folder, "-m", folder / "model.yaml", "-o", tmp_path / "run").code == 0
    text = told(capplan("explain", tmp_path / "run"))
    assert "A power_kw has 0.5 kW free; solved again: changes no cost" in text
    assert "saves £90; that is for a small part of a workload, and workloads come whole" in text


def test_what_must_move_is_named(run: Path):
    """W1 at B costs £40 more with all else as it is: B has room for two."""
    text = told(capplan("explain", run, "W1", "--at", "B"))
    assert "with all else as it is: £40 more" in text
    data = json.loads(told(capplan("explain", run, "W2", "--at", "C", "--json")))
    [site] = data["sites"]
    assert site["verdict"] == "not allowed"
    assert site["obstacles"][0]["rule"] == "zone"
    assert (site["obstacles"][0]["file"], site["obstacles"][0]["line"]) == ("sites.csv", 4)


def test_a_full_site_is_possible_only_with_moves(run: Path, tmp_path: Path):
    """A new workload that needs A: one that is there moves, and the sums are those of the plans."""
    sites = "site,power_kw,cost_power_kw\nA,10,10\nB,10,20\n"
    folder = tmp_path / "i"
    (folder / "sites.csv").write_text(sites, "utf-8")
    (folder / "workloads.csv").write_text("workload,organisation,power_kw\nW1,O,4\nW2,O,4\nW3,O,4\n", "utf-8")
    assert capplan("solve", folder, "-o", tmp_path / "full").code == 0
    data = json.loads(told(capplan("explain", tmp_path / "full", "W3", "--at", "A", "--json")))
    [site] = data["sites"]
    assert site["verdict"] == "possible with moves"
    assert "short 3.2 kW" not in site["reason"]
    assert "short 4 kW" in site["reason"]
    assert site["cost_replanned"] == "0"
    assert site["moves"].endswith("from A to B")


def test_one_more_unit_is_worth_what_solving_again_saves(run: Path):
    """A has no room for a third; W3 may not go there: one more kW at A changes nothing, and that is said."""
    rows = json.loads(told(capplan("explain", run, "--json")))["worth"]
    first = rows[0]
    assert (first["limit"], first["free"], first["unit"]) == ("A power_kw", "0", "kW")
    assert first["saves"] == "0"
    assert first["proved"] == "yes"


def test_a_unit_that_lets_a_workload_come_nearer_is_worth_the_difference(tmp_path: Path):
    """1 kW at A is short of letting W2 (1 kW) be there: worth £100 less £10 less what the kW costs, by hand £90."""
    folder = tmp_path / "i"
    folder.mkdir()
    (folder / "inventory.yaml").write_text(YAML, "utf-8")
    (folder / "model.yaml").write_text("format: 1\ntitle: M\nextends: standard\nheadroom: {power_kw: 0%}\n", "utf-8")
    (folder / "organisations.csv").write_text("organisation\nO\n", "utf-8")
    (folder / "sites.csv").write_text("site,power_kw,cost_power_kw\nA,1,10\nB,9,100\n", "utf-8")
    (folder / "workloads.csv").write_text("workload,organisation,power_kw\nW1,O,1\nW2,O,1\n", "utf-8")
    assert capplan("solve", folder, "-m", folder / "model.yaml", "-o", tmp_path / "run").code == 0
    rows = json.loads(told(capplan("explain", tmp_path / "run", "--json")))["worth"]
    at_a = next(row for row in rows if row["limit"] == "A power_kw")
    assert at_a["saves"] == "90"
    assert at_a["estimate"] == "90"


def test_rules_cost_what_solving_without_them_saves(run: Path):
    """Without its list W3 would still not fit at A; without headroom it does not either: 12 kW > 10."""
    rows = json.loads(told(capplan("explain", run, "--rules", "--json")))["sensitivity"]
    saves = {row["rule"]: row["saves"] for row in rows}
    assert saves["allowed"] == "0"
    # Without capacity and with W3 kept from A nothing changes; zone matters to nobody where it is.
    assert saves["zone"] == "0"
    assert {row["rule"] for row in rows if row["kind"] == "physical"} == {"capacity"}


def test_alternatives_stay_within_the_cost_and_differ(run: Path):
    """At most 60 % more than £160: 4 × 10 + 4 × 10 + 4 × 20."""
    rows = json.loads(told(capplan("explain", run, "--alternatives", "60%", "--json")))["alternatives"]
    assert rows[0]["cost"] == "160"
    others = rows[1:]
    assert others
    assert all(float(row["cost"]) <= 256 and row["elsewhere"] > 0 for row in others)
    assert any(row["plan"] == "without the site B" for row in others)


def test_tables_are_kept_in_the_run(run: Path):
    """Each question leaves its table, written as a run's tables are."""
    told(capplan("explain", run, "W3"))
    told(capplan("explain", run, "--rules"))
    with (run / "explain" / "placement.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row["site"]: row for row in csv.DictReader(file)}
    assert {site: row["verdict"] for site, row in rows.items()} == {"A": "not allowed", "B": "here", "C": "possible"}
    assert (run / "explain" / "sensitivity.csv").is_file()


def test_an_allocation_made_by_hand_is_explained_the_same_way(run: Path, tmp_path: Path):
    """W3 put where it is forbidden: the broken rule is told, and what other sites come to."""
    edited = tmp_path / "edited.csv"
    edited.write_text("workload,site\nW1,A\nW2,B\nW3,A\n", "utf-8")
    text = told(capplan("explain", run, "W3", "--allocation", edited))
    assert "The plan breaks a rule" in text
    assert "B: possible" in text
    text = told(capplan("explain", tmp_path / "i", "W3", "--allocation", edited))
    assert "W3 is at A" in text


def test_names_that_do_not_exist_are_wrong_usage(run: Path):
    """With the nearest name."""
    said = capplan("explain", run, "W33")
    assert (said.code, 'no workload is named "W33"' in said.err) == (2, True)
    said = capplan("explain", run, "W3", "--at", "Z")
    assert (said.code, 'no site is named "Z"' in said.err) == (2, True)
    assert capplan("explain", run, "--at", "A").code == 2
