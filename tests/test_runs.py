"""The run folder: whole or not at all, exact, the same for the same input, and read back as it was written."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capplan import runs, shipped
from capplan.compile import problem_of
from capplan.engine import Status, Stopped
from capplan.errors import BadInput, Fault, Faults, Place, Severity, UsageError
from capplan.load import read_inventory, read_model
from capplan.measure import measure
from capplan.runs import facts, folder, read, write
from capplan.solving import Reached, solve
from tests.cli_calls import capplan
from tests.worlds import worlds

NOW = datetime(2026, 3, 1, 9, 30, 15, tzinfo=timezone(timedelta(hours=1)))
DUDLEY = shipped.folder("inventories") / "dudley"
LONDON = shipped.folder("inventories") / "north-central-london"

TABLES = {
    "sites": "site,power_kw,cost_power_kw\nA,10,100\nB,5,120.50\n",
    "organisations": "organisation\nO\n",
    "workloads": "workload,name,organisation,power_kw,value,current_site\n"
    "W1,=cmd(),O,3.4,,A\nW2,Two,O,1.5,,B\nW3,Three,O,9,5000,\n",
}
SETTINGS = "format: 1\ncurrency: GBP\nas_of: 2016-04-01\n"
NO_PLACE = {"workloads": "workload,organisation,power_kw,allowed_sites\n" + "".join(f"W{i},O,6,A\n" for i in range(5))}


def inventory_at(place, title="title: Small\n", **tables):
    """An inventory folder of a few rows."""
    place.mkdir(parents=True)
    (place / "inventory.yaml").write_text(SETTINGS + title, "utf-8")
    for name, text in (TABLES | tables).items():
        (place / f"{name}.csv").write_text(text, "utf-8")
    return place


class Solved:
    """An inventory under a model, solved; ``save`` writes a run of it."""

    def __init__(self, place, model="standard", scenario=None) -> None:
        self.model = read_model(model, scenario)
        self.inventory = read_inventory(place, self.model.overlay)
        self.result = solve(self.inventory, self.model)

    @property
    def measured(self):
        assert self.result.measured is not None
        return self.result.measured

    def save(self, target=None, title="Small", now=NOW, **more):
        told = {"title": title, "command": ["capplan", "solve"], "warnings": [], "now": now} | more
        return runs.write_run(self.result, self.inventory, self.model, target, **told)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return Solved(inventory_at(tmp_path_factory.mktemp("small") / "small"))


@pytest.fixture(scope="module")
def dudley():
    return Solved(DUDLEY)


def contents(place):
    """Every file below a folder, by its path there."""
    return {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}


def plan_of(place):
    """The plan of a run that has one."""
    plan = runs.read_run(place).plan()
    assert plan is not None
    return plan


def info(place):
    return json.loads((place / "run.json").read_text("utf-8"))


# --- what is in it --------------------------------------------------------------------------------


def test_a_run_holds_facts_tables_their_description_the_plan_and_the_inputs(small, tmp_path):
    """Tests that everything that the contract names is there, and nothing else."""
    names = set(contents(small.save(tmp_path / "run")))
    tables = {"allocation", "sites", "limits", "left_out", "lost", "purchases", "licences", "links", "costs"}
    tables |= {"organisations", "charges", "packages", "stranded"}
    inputs = {f"inputs/inventory/{name}" for name in ("inventory.yaml", *(f"{t}.csv" for t in TABLES))}
    assert names == {
        *("run.json", "datapackage.json", "inputs/model.yaml", "inputs/model-source/standard.yaml"),
        *("plan/allocation.csv", "plan/purchases.csv"),
        *(f"{name}.csv" for name in tables),
        *inputs,
    }


def test_amounts_are_json_numbers_that_read_as_the_exact_decimals(dudley, tmp_path):
    """Tests Dudley: 68,678.40 of energy, 13,200 for the module, 80,000 forgone, all of it proved."""
    text = (dudley.save(tmp_path / "run") / "run.json").read_text("utf-8")
    told = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    assert told["cost"] == {
        "total": Decimal("81878.4"),
        "by_kind": {"energy": Decimal("68678.4"), "purchase": 13200},
        "horizon_days": 365,
        "per_year": Decimal("81878.4"),
    }
    [goal] = [goal for goal in told["goals"] if goal["goal"] == "cost + forgone"]
    assert (goal["value"], goal["bound"], goal["gap"], goal["proved"]) == (Decimal("161878.4"),) * 2 + (0, True)
    assert (told["status"], told["stopped_because"], told["gap"]) == ("optimal", "proved", 0)
    assert told["headline"] == {"placed": 19, "left_out": 1, "moved": 0, "sites_used": 1}
    assert told["tie_break"] == "complete"


def test_the_yearly_cost_is_the_total_scaled_from_the_horizon(tmp_path):
    """Tests two years: 3.4 + 1.5 + 9 = 13.9 kW at 100 a year are 2,780 in all, and 1,390 a year."""
    place = inventory_at(tmp_path / "i", sites="site,power_kw,cost_power_kw\nA,100,100\n")
    for name in ("workloads", "sites"):
        text = (place / f"{name}.csv").read_text("utf-8")
        (place / f"{name}.csv").write_text(text.replace(",B\n", ",A\n").replace(",5000,", ",,"), "utf-8")
    model = tmp_path / "m.yaml"
    model.write_text(
        "format: 1\nextends: standard\nrules: {capacity: {}}\ngoals: [unplaced, cost]\n"
        "left_out: any\nperiods: {cuts: [2017-01-01, 2018-01-01, 2019-01-01]}\n",
        "utf-8",
    )
    told = info(Solved(place, model).save(tmp_path / "run"))
    assert told["headline"]["left_out"] == 0
    assert (told["cost"]["total"], told["cost"]["horizon_days"], told["cost"]["per_year"]) == (2780, 730, 1390)
    assert [period["to"] for period in told["periods"]] == ["2018-01-01", "2019-01-01"]


def test_levels_of_one_goal_are_one_entry_that_sums_them(small):
    """Tests `unplaced`, met by priority: 1 + 2 left out are 3, with both levels below."""
    levels = [Reached("unplaced", "workloads", Fraction(n), Fraction(n)) for n in (1, 2)]
    moves = Reached("moves", "workloads", Fraction(2), Fraction(1))
    entry, other = json.loads(json.dumps(facts._goals([*levels, moves], small.result.problem)))
    assert (entry["goal"], entry["value"], entry["bound"], entry["proved"]) == ("unplaced", 3, 3, True)
    assert [level["value"] for level in entry["levels"]] == [1, 2]
    assert "levels" not in other
    assert (other["gap"], other["proved"]) == (0.5, False)


@given(st.fractions(0, 10**9, max_denominator=10**5), st.fractions(0, 10**9, max_denominator=10**5))
def test_a_bound_in_money_is_never_rounded_above_what_was_proved(small, value, other):
    """Tests that rounding to the penny keeps a bound a bound, and proved goals equal to theirs."""
    bound, value = sorted((value, other))
    told = facts._reached(Reached("cost", "money", value, bound), small.result.problem)
    assert told["proved"] == (bound == value)
    if not told["proved"]:
        assert Fraction(str(told["bound"])) <= bound
    else:
        assert told["value"] == told["bound"]
    assert all(Fraction(str(told[key])) * 100 % 1 == 0 for key in ("value", "bound"))


@given(st.integers(-(10**14), 10**14))
def test_money_of_any_size_reads_back_to_the_penny(pence):
    """Tests that a JSON number holds pence exactly up to a million million pounds."""
    assert Fraction(str(facts.number(Fraction(pence, 100)))) * 100 == pence


def test_the_baseline_says_what_today_costs_and_what_is_saved(tmp_path):
    """Tests North Central London: 34 staff at 50,000 are 1,700,000; 406,000 less is 23.88 %."""
    told = info(Solved(LONDON, LONDON / "model.yaml").save(tmp_path / "run"))["baseline"]
    assert (told["cost"], told["saving"], round(told["saving_share"], 4)) == (1_700_000, 406_000, 0.2388)
    assert (told["workloads"], told["like_for_like"]) == (14, True)
    assert len(told["broken_rules"]) == 7
    assert all(rule.startswith("allowed: ") for rule in told["broken_rules"])


def test_a_baseline_is_like_for_like_only_if_both_place_the_same(tmp_path, dudley):
    """Tests that leaving out what runs today, or adding what does not, is no saving like for like."""
    fewer = info(Solved(LONDON, LONDON / "model.yaml", "supplier-exit").save(tmp_path / "fewer"))
    more = info(dudley.save(tmp_path / "more"))
    assert not fewer["baseline"]["like_for_like"]
    assert not more["baseline"]["like_for_like"]
    assert more["baseline"]["broken_rules"] == [], "what is not there yet breaks no rule"


def test_without_a_current_allocation_there_is_no_baseline(tmp_path):
    """Tests that a plan is compared with nothing where nothing is known of today."""
    workloads = "workload,organisation,power_kw\nW1,O,3.4\n"
    assert info(Solved(inventory_at(tmp_path / "i", workloads=workloads)).save(tmp_path / "r"))["baseline"] is None


def test_purchases_say_whether_they_were_decided(tmp_path):
    """Tests that a module is decided and a licence charge per site follows from the plan."""
    place = inventory_at(
        tmp_path / "i",
        workloads="workload,organisation,power_kw\nW1,O,10\n",
        expansions="expansion,site,resource,amount,cost_once\nups,A,power_kw,5,1000.50\n",
        licences="licence,metric,pack_cost\ndb,site,200\n",
        licence_needs="workload,licence\nW1,db\n",
    )
    solved = Solved(place)
    saved = solved.save(tmp_path / "run")
    bought = {row["purchase"]: row for row in info(saved)["purchases"]}
    assert {name: row["decided"] for name, row in bought.items()} == {"ups": True, "db": False}
    assert (bought["ups"]["steps"], bought["ups"]["cost_once"]) == (1, 1000.5)
    assert plan_of(saved).bought == solved.measured.plan.bought


def test_an_infeasible_run_holds_inputs_and_the_explanation_and_no_table(tmp_path):
    """Tests 5 × 6 kW against 8 usable: what is short, by how much, and the text beside it."""
    solved = Solved(inventory_at(tmp_path / "i", **NO_PLACE))
    saved = solved.save(tmp_path / "run", explanation_text="short of 22 kW\n")
    top = {path.name for path in saved.iterdir()}
    assert top == {"run.json", "explanation.txt", "inputs"}
    assert (saved / "explanation.txt").read_text("utf-8") == "short of 22 kW\n"
    told = info(saved)
    assert (told["status"], told["gap"], told["goals"], told["cost"]) == ("infeasible", None, [], None)
    [short] = told["explanation"]["shortages"]
    assert (short["rule"], short["unit"], short["short"], short["policy_only"]) == ("capacity", "kW", 22, False)
    run = runs.read_run(saved)
    assert run.plan() is None
    assert run.tables == []
    with pytest.raises(UsageError, match="because it is infeasible"):
        run.table("allocation")


def test_a_workload_without_a_home_is_explained_site_by_site(tmp_path):
    """Tests that each site that may not take it is named with the rule and the reason."""
    workloads = "workload,organisation,power_kw,forbidden_sites\nW1,O,1,A;B\n"
    told = info(Solved(inventory_at(tmp_path / "i", workloads=workloads)).save(tmp_path / "run"))
    [homeless] = told["explanation"]["homeless"]
    assert homeless["workload"] == "W1"
    assert [(at["site"], at["rule"]) for at in homeless["sites"]] == [("A", "allowed"), ("B", "allowed")]


def test_a_solve_stopped_without_a_plan_is_a_run_too(tmp_path):
    """Tests status unknown: no plan, no tables, why it stopped."""
    solved = Solved(inventory_at(tmp_path / "i"))
    solved.result = replace(
        solved.result, status=Status.UNKNOWN, stopped_because=Stopped.INTERRUPTED, measured=None, goals=()
    )
    told = info(solved.save(tmp_path / "run"))
    assert (told["status"], told["stopped_because"]) == ("unknown", "interrupted")
    assert (told["explanation"], told["cost"], told["headline"]) == (None, None, None)
    assert runs.read_run(tmp_path / "run").tables == []


def test_warnings_name_files_without_the_folder_they_lie_in(small, tmp_path):
    """Tests that what was warned about is kept, and says nothing of the machine."""
    place = Place(str(small.inventory.folder / "sites.csv"), 2, 3)
    warning = Fault(place, "implausible", "a site of 10 kW", severity=Severity.WARNING)
    [told] = info(small.save(tmp_path / "run", warnings=[warning]))["warnings"]
    assert (told["file"], told["line"], told["code"]) == ("sites.csv", 2, "implausible")


# --- the same bytes -------------------------------------------------------------------------------


def test_same_input_gives_the_same_bytes_at_any_time_and_place(tmp_path):
    """Tests that two copies solved at other times differ in `times` of run.json alone."""
    saved = []
    for n, now in enumerate((NOW, datetime(2031, 12, 1, tzinfo=UTC))):
        place = shutil.copytree(LONDON, tmp_path / str(n) / "london")
        solved = Solved(place, place / "model.yaml", "supplier-exit")
        warning = Fault(Place(str(place / "sites.csv"), 1), "w", "w", severity=Severity.WARNING)
        more = {"warnings": [warning], "command": ["capplan", str(n)]}
        saved.append(solved.save(tmp_path / f"run-{n}", "London", now, **more))
    one, other = map(contents, saved)
    told = [json.loads(files.pop("run.json")) for files in (one, other)]
    assert one == other
    times = [facts.pop("times") for facts in told]
    assert json.dumps(told[0]) == json.dumps(told[1])
    assert times[0]["started"] == "2026-03-01T09:30:15+01:00"
    assert times[0]["command"] == ["capplan", "0"]


def test_hashes_are_those_of_the_files(small, tmp_path):
    """Tests that every input and every file of the plan is listed with its SHA-256."""
    saved = small.save(tmp_path / "run")
    files = {name: sha256(content).hexdigest() for name, content in contents(saved).items()}
    told = info(saved)
    assert told["input_hashes"] == {name: files[name] for name in sorted(files) if name.startswith("inputs/")}
    assert told["plan_hashes"] == {name: files[name] for name in files if name.startswith("plan/")}


# --- what was read comes back ---------------------------------------------------------------------


def test_inputs_are_copied_byte_by_byte(small, tmp_path):
    """Tests that not even the end of a line changes."""
    saved = small.save(tmp_path / "run")
    for path in small.inventory.files:
        assert (saved / "inputs/inventory" / path.name).read_bytes() == path.read_bytes()
    for path in small.model.files:
        assert (saved / "inputs/model-source" / path.name).read_bytes() == path.read_bytes()


def test_model_files_of_one_name_are_all_kept(tmp_path):
    """Tests a `model.yaml` that extends another `model.yaml`."""
    (tmp_path / "above").mkdir()
    below = tmp_path / "model.yaml"
    below.write_text("format: 1\nextends: standard\n", "utf-8")
    above = tmp_path / "above/model.yaml"
    above.write_text("format: 1\nextends: ../model.yaml\nleft_out: any\n", "utf-8")
    saved = Solved(inventory_at(tmp_path / "i"), above).save(tmp_path / "run")
    kept = {path.name: path.read_bytes() for path in (saved / "inputs/model-source").iterdir()}
    assert kept.keys() == {"model.yaml", "model-2.yaml", "standard.yaml"}
    assert (kept["model.yaml"], kept["model-2.yaml"]) == (above.read_bytes(), below.read_bytes())


@pytest.mark.parametrize("scenario", [None, "smaller", "without"])
def test_a_run_reproduces_the_problem_that_was_solved(tmp_path, scenario):
    """Tests that model and inventory, scenario applied, read back the same; also without a title of its own."""
    model = tmp_path / "odd.yaml"
    model.write_text(
        'format: 1\ntitle: "Odd: #1"\nextends: standard\nheadroom: {power_kw: 12.5%}\n'
        "goals: [unplaced, {cost: 0.3, forgone: 1}]\npurchases: [ups]\nsolver: {seed: 7, time_limit_s: 2.5}\n"
        "periods: {from: 2016-04-01, every: quarter, count: 2}\n"
        "rules: {licences: off, latency: {route_factor: 1.5}}\n"
        "scenarios:\n  smaller: {set: {sites.B.power_kw: 4.50, workloads.W1.name: '=1'}, left_out: any}\n"
        "  without: {remove: {sites: [B]}, left_out: any}\n  other: {purchases: all}\n",
        "utf-8",
    )
    ups = "expansion,site,resource,amount\nups,A,power_kw,5\n"
    solved = Solved(inventory_at(tmp_path / "untitled", title="", expansions=ups), model, scenario)
    run = runs.read_run(solved.save(tmp_path / "run"))
    assert info(run.folder)["warnings"] == []
    assert run.inventory() == solved.inventory
    assert run.inventory().title == "untitled"
    assert run.model().to_json() == solved.model.to_json()
    assert (run.model().name, run.model().scenario) == ("odd", scenario)
    again = solve(run.inventory(), run.model())
    assert [table.rows for table in again.tables] == [table.rows for table in solved.result.tables]


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(worlds())
def test_the_plan_of_a_run_measures_as_it_did(tmp_path_factory, world):
    """Tests, over all small worlds, that the plan read back is the plan: same sites, purchases, cost and goals."""
    place = world.write(tmp_path_factory.mktemp("world") / "w")
    try:
        solved = Solved(place, place / "model.yaml")
    except BadInput:
        return
    run = runs.read_run(solved.save(place / "run"))
    assert run.info["warnings"] == []
    if solved.result.measured is None:
        assert run.plan() is None
        return
    plan, before = plan_of(run.folder), solved.measured
    assert plan.site.tolist() == before.plan.site.tolist()
    assert plan.bought == before.plan.bought
    again = measure(run.problem(), plan)
    assert (again.cost, again.goal_values()) == (before.cost, before.goal_values())
    assert_described(run.folder)


def test_an_inventory_edited_while_it_is_solved_is_told(tmp_path):
    """Tests that a plan never passes silently for that of other inputs."""
    place = inventory_at(tmp_path / "i")
    solved = Solved(place)
    (place / "sites.csv").write_text(TABLES["sites"].replace("10", "9"), "utf-8")
    [warning] = info(solved.save(tmp_path / "run"))["warnings"]
    assert (warning["code"], warning["file"]) == ("input-changed", "inputs")
    (place / "sites.csv").unlink()
    [warning] = info(solved.save(tmp_path / "gone"))["warnings"]
    assert warning["code"] == "input-changed"


class Beside:
    """The small inventory solved from a plan, with a placement to keep; ``save`` writes a run of it."""

    def __init__(self, place) -> None:
        self.inventory = read_inventory(inventory_at(place / "i", **BESIDE))
        self.model = read_model()
        for name, text in (
            ("start", "workload,site,note\nW1,B,\nW2,,\nW3,A,elsewhere\n"),
            ("pin", "workload,site\nW2,A\n"),
            ("bought", "purchase,site,period,steps\nups,A,2016-04-01..2017-03-31,1\ndb,,,3\nups,B,,1\n"),
        ):
            (place / f"{name}.csv").write_text(text, "utf-8")
        files = runs.Beside(place / "start.csv", place / "bought.csv", place / "pin.csv", "monday")
        self.warnings = Faults()
        self.given = runs.read_beside(files, self.inventory, self.warnings)
        problem = problem_of(self.given.inventory, self.model, keep=self.given.keep)
        self.start = self.given.start(problem, self.warnings)
        self.result = solve(self.given.inventory, self.model, start=self.start, keep=self.given.keep)

    def save(self, target):
        return runs.write_run(
            self.result,
            self.given.inventory,
            self.model,
            target,
            title="Small",
            command=[],
            warnings=self.warnings.sorted(),
            now=NOW,
            given=self.given,
        )


BESIDE = {
    "expansions": "expansion,site,resource,amount,cost_once\nups,A,power_kw,5,1000.50\n",
    "licences": "licence,metric,pack_cost\ndb,site,200\n",
    "licence_needs": "workload,licence\nW1,db\n",
}


def test_files_beside_the_inventory_are_kept_and_give_the_same_problem(tmp_path):
    """Tests that current sites, placements to keep and the plan started from come back from the copies alone."""
    solved = Beside(tmp_path)
    saved = solved.save(tmp_path / "run")
    told = info(saved)
    assert told["from"] == {
        "name": "monday",
        "allocation": "inputs/from.csv",
        "purchases": "inputs/from-purchases.csv",
    }
    assert told["pin"] == {"name": "pin.csv", "allocation": "inputs/pin.csv"}
    for name, copy in (("start", "from"), ("bought", "from-purchases"), ("pin", "pin")):
        content = (tmp_path / f"{name}.csv").read_bytes()
        assert (saved / f"inputs/{copy}.csv").read_bytes() == content
        assert told["input_hashes"][f"inputs/{copy}.csv"] == sha256(content).hexdigest()
        (tmp_path / f"{name}.csv").unlink()
    run = runs.read_run(saved)
    problem, before, keep, start = run.problem(), solved.result.problem, run.keep(), run.start()
    assert problem.inventory == before.inventory == run.inventory()
    assert run.inventory().current_site.tolist() == [1, -1, 0]
    assert keep is not None
    assert keep is problem.keep
    assert keep.site.tolist() == [-1, 0, -1]
    assert start is not None
    assert solved.start is not None
    assert (start.site.tolist(), start.bought) == (solved.start.site.tolist(), solved.start.bought)
    assert start.bought == {("ups", 0, 0): 1}, "the charge follows from the plan"
    again = solve(run.inventory(), run.model(), start=start, keep=keep)
    assert [table.rows for table in again.tables] == [table.rows for table in solved.result.tables]


def test_warnings_about_files_beside_the_inventory_name_the_copies(tmp_path):
    """Tests that a module at a site that offers none is told at its line of the copy, wherever the file lay."""
    [warning] = info(Beside(tmp_path).save(tmp_path / "run"))["warnings"]
    assert (warning["code"], warning["file"], warning["line"]) == (
        "purchase-not-offered",
        "inputs/from-purchases.csv",
        4,
    )


def test_the_start_is_what_the_plan_is_compared_with(tmp_path):
    """Tests that what the start bought is paid for in the baseline: 3.4 kW at B, 9 kW at A, a charge, the module."""
    baseline = info(Beside(tmp_path).save(tmp_path / "run"))["baseline"]
    assert baseline["cost"] == round(3.4 * 120.50 + 9 * 100 + 200 + 1000.50, 2)
    assert baseline["broken_rules"] == []


@pytest.mark.parametrize("name", ["start", "bought", "pin"])
def test_a_file_beside_the_inventory_edited_while_it_is_solved_is_told(tmp_path, name):
    """Tests that a plan never passes for that of another start or other placements to keep."""
    solved = Beside(tmp_path)
    path = tmp_path / f"{name}.csv"
    path.write_text(
        path.read_text("utf-8").replace("W1,B", "W1,A").replace("W2,A", "W2,B").replace(",3", ",2"), "utf-8"
    )
    codes = [warning["code"] for warning in info(solved.save(tmp_path / "run"))["warnings"]]
    assert "input-changed" in codes


@pytest.mark.parametrize("name", ["from", "from-purchases", "pin"])
def test_a_run_that_lost_a_file_it_was_solved_with_is_damaged(tmp_path, name):
    """Tests that a missing copy is not taken for none having been given."""
    saved = Beside(tmp_path).save(tmp_path / "run")
    (saved / f"inputs/{name}.csv").unlink()
    with pytest.raises(BadInput, match="damaged-run"):
        runs.read_run(saved).problem()


def test_without_files_beside_the_inventory_a_run_says_none(small, tmp_path):
    """Tests the ordinary run."""
    saved = small.save(tmp_path / "run")
    assert (info(saved)["from"], info(saved)["pin"]) == (None, None)
    assert (runs.read_run(saved).keep(), runs.read_run(saved).start()) == (None, None)


def test_edits_in_the_tables_leave_the_plan_as_it_was_found(small, tmp_path):
    """Tests that after an edit in place the run still knows what it decided, and which table was edited."""
    run = runs.read_run(small.save(tmp_path / "run"))
    table = run.folder / "allocation.csv"
    table.write_text(table.read_text("utf-8-sig").replace("placed", "left_out"), "utf-8")
    (run.folder / "costs.csv").unlink()
    assert runs.read_run(run.folder).edited() == ["allocation", "costs"]
    assert plan_of(run.folder).site.tolist() == small.measured.plan.site.tolist()


@pytest.mark.parametrize("harm", ["edit", "remove"])
def test_a_plan_that_was_changed_is_not_taken_for_the_plan(small, tmp_path, harm):
    """Tests that the kept plan is held against its hash."""
    saved = small.save(tmp_path / "run")
    path = saved / "plan/allocation.csv"
    if harm == "edit":
        path.write_bytes(path.read_bytes().replace(b"placed", b"left_out"))
    else:
        path.unlink()
    with pytest.raises(BadInput, match="damaged-run"):
        runs.read_run(saved).plan()


def test_a_table_reads_as_it_was_before_excel_was_guarded_against(small, tmp_path):
    """Tests that a name such as `=cmd()` is guarded in the file and plain when read."""
    saved = small.save(tmp_path / "run")
    assert b"'=cmd()" in (saved / "allocation.csv").read_bytes()
    rows = runs.read_run(saved).table("allocation")
    assert [row["name"] for row in rows] == ["=cmd()", "Two", "Three"]
    measured = {table.name: table for table in small.result.tables}["costs"]
    assert [list(row.values()) for row in runs.read_run(saved).table("costs")] == measured.rows


@pytest.mark.parametrize("name", ["allocations", "../run/allocation", "/etc/passwd", "", "run", "a\0b"])
def test_only_tables_of_the_run_can_be_read(small, tmp_path, name):
    """Tests that a name is looked up and never used as a path."""
    run = runs.read_run(small.save(tmp_path / "run"))
    with pytest.raises(UsageError, match="has no table"):
        run.table(name)


def test_a_table_saved_in_another_form_is_a_fault_with_a_fix(small, tmp_path):
    """Tests a table that lost its encoding, and one with a ragged row."""
    run = runs.read_run(small.save(tmp_path / "run"))
    for content in (b"\xff\xfe\x00", b"a,b\r\n1\r\n", b'a\r\n"1'):
        (run.folder / "sites.csv").write_bytes(content)
        with pytest.raises(BadInput, match="CSV UTF-8"):
            run.table("sites")


# --- datapackage.json -----------------------------------------------------------------------------


def assert_described(saved):
    """Every table is described as it is: size, hash, columns, and a type that each cell has."""
    package = json.loads((saved / "datapackage.json").read_text("utf-8"))
    assert {one["path"] for one in package["resources"]} == {path.name for path in saved.glob("*.csv")}
    parse: dict[str, Callable[[str], object]] = {
        "number": Fraction,
        "integer": int,
        "date": date.fromisoformat,
        "string": str,
    }
    for one in package["resources"]:
        content = (saved / one["path"]).read_bytes()
        assert (one["bytes"], one["hash"]) == (len(content), "sha256:" + sha256(content).hexdigest())
        header, *rows = csv.reader(content.decode("utf-8-sig").splitlines())
        fields, missing = one["schema"]["fields"], one["schema"]["missingValues"]
        assert header == [field["name"] for field in fields]
        for field, cells in zip(fields, zip(*rows, strict=True), strict=False):
            for cell in (cell for cell in cells if cell not in missing):
                if field["type"] == "boolean":
                    assert cell in field["trueValues"] + field["falseValues"]
                else:
                    parse[field["type"]](cell)
        keys = [
            tuple(dict(zip(header, row, strict=True))[k] for k in one["schema"].get("primaryKey", header))
            for row in rows
        ]
        assert len(keys) == len(set(keys))


def test_every_table_is_described_as_it_is(dudley, tmp_path):
    """Tests schema, size and hash of every table, empty ones with their header too."""
    assert_described(dudley.save(tmp_path / "run"))


def test_units_stand_with_the_columns(dudley, tmp_path):
    """Tests units of resources, money and time."""
    package = json.loads((dudley.save(tmp_path / "run") / "datapackage.json").read_text("utf-8"))
    units = {one["name"]: {f["name"]: f.get("unit") for f in one["schema"]["fields"]} for one in package["resources"]}
    assert (units["allocation"]["power_kw"], units["allocation"]["rack_units"]) == ("kW", "U")
    assert (units["allocation"]["cost"], units["left_out"]["value"], units["allocation"]["rtt_ms"]) == (
        "GBP",
        "GBP/year",
        "ms",
    )
    assert re.fullmatch("[-a-z0-9._/]+", package["name"])


# --- where it goes --------------------------------------------------------------------------------


@given(st.text())
def test_a_slug_is_a_harmless_name(text):
    """Tests that nothing in a title leads out of a folder or steers a shell."""
    assert re.fullmatch("[a-z0-9][a-z0-9-]{0,59}", folder.slug(text))
    assert not folder.slug(text).endswith("-")


@pytest.mark.parametrize("title", ["../../etc", "a\0b", "C:\\x", "x" * 500, "", "Łódź & Ülm"])
def test_any_title_names_a_run_below_runs(small, tmp_path, monkeypatch, title):
    """Tests that the default place is runs/<time>-<title> whatever the title."""
    monkeypatch.chdir(tmp_path)
    saved = small.save(title=title)
    assert saved.parent == Path("runs")
    assert re.fullmatch("2026-03-01T09-30-15-[a-z0-9-]+", saved.name)
    assert info(saved)["title"] == title


def test_runs_of_one_second_get_names_of_their_own(dudley, tmp_path, monkeypatch):
    """Tests that no run replaces another unasked."""
    monkeypatch.chdir(tmp_path)
    names = [dudley.save(title="Dudley").name for _ in range(3)]
    assert names == [f"2026-03-01T09-30-15-dudley{end}" for end in ("", "-2", "-3")]


def test_a_name_that_another_process_takes_meanwhile_is_left_to_it(small, tmp_path, monkeypatch):
    """Tests that of two runs that finish in the same moment both are kept."""
    monkeypatch.chdir(tmp_path)
    taken: list[Path] = []
    rename = Path.rename

    def late(path, target):
        if not taken:
            taken.append(target)
            (target / "theirs").mkdir(parents=True)
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", late)
    assert small.save().name.endswith("-small-2")
    assert [path.name for path in taken[0].iterdir()] == ["theirs"]


def test_the_scenario_is_in_the_name(tmp_path, monkeypatch):
    """Tests that a what-if is told apart in the list."""
    monkeypatch.chdir(tmp_path)
    assert Solved(DUDLEY, scenario="as-is").save(title="Dudley").name == "2026-03-01T09-30-15-dudley-as-is"


def test_a_folder_given_is_returned_as_given_and_replaced_whole(small, dudley, tmp_path, monkeypatch):
    """Tests a new folder, then the same again for another problem: nothing of the first is left."""
    monkeypatch.chdir(tmp_path)
    assert dudley.save(Path("out/deep")) == Path("out/deep")
    assert small.save(Path("out/deep")) == Path("out/deep")
    assert contents(Path("out/deep")).keys() == contents(small.save(Path("fresh"))).keys()
    assert [path.name for path in Path("out").iterdir()] == ["deep"], "no hidden folder is left"


def test_an_empty_folder_may_be_filled(small, tmp_path):
    """Tests a folder that was made for the run beforehand."""
    (tmp_path / "run").mkdir()
    assert runs.is_run(small.save(tmp_path / "run"))


def refused(small, target, why):
    """The run is refused with these words, before anything is solved too, and nothing there changes."""
    place = target if target.is_dir() else target.parent
    before = contents(place)
    for attempt in (lambda: runs.check_folder(target), lambda: small.save(target)):
        with pytest.raises(UsageError, match=why):
            attempt()
    assert contents(place) == before


def test_only_a_run_is_replaced(small, tmp_path):
    """Tests a folder of the user's, a file, and a run.json of somebody else."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/letter.txt").write_text("Dear", "utf-8")
    refused(small, tmp_path / "mine", "not empty and no run")
    refused(small, tmp_path / "mine/letter.txt", "is a file")
    (tmp_path / "mine/run.json").write_text('{"format_version": 1, "status": "ok"}', "utf-8")
    refused(small, tmp_path / "mine", "not empty and no run")


def test_nothing_of_the_users_goes_with_a_run_that_is_replaced(small, tmp_path):
    """Tests a note in the run, and a table edited in place."""
    saved = small.save(tmp_path / "run")
    (saved / "notes.txt").write_text("ask Ann", "utf-8")
    refused(small, saved, "notes.txt")
    (saved / "notes.txt").unlink()
    (saved / "allocation.csv").write_bytes((saved / "allocation.csv").read_bytes() + b"W9\r\n")
    refused(small, saved, "edited tables: allocation.csv")


def test_the_folder_one_is_in_is_not_replaced(small, tmp_path, monkeypatch):
    """Tests that a shell is not left in a folder that is gone."""
    (tmp_path / "here/below").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here/below")
    for target in (Path(), Path(".."), tmp_path / "here"):
        with pytest.raises(UsageError, match="the folder you are in"):
            runs.check_folder(target)


def test_a_link_is_followed_only_within_its_folder(small, dudley, tmp_path):
    """Tests that a replaced run is never somewhere else than the name says."""
    saved = dudley.save(tmp_path / "there/run")
    (tmp_path / "here").mkdir()
    (tmp_path / "here/run").symlink_to(saved)
    with pytest.raises(UsageError, match="is a link to"):
        small.save(tmp_path / "here/run")
    assert info(saved)["inventory"]["name"] == "dudley"
    (tmp_path / "there/latest").symlink_to("run")
    small.save(tmp_path / "there/latest")
    assert info(saved)["inventory"]["name"] == "small"
    assert (tmp_path / "there/latest").is_symlink()


def test_replacing_a_run_does_not_follow_links_inside_it(small, tmp_path):
    """Tests that a link in a run is removed and what it leads to is kept."""
    (tmp_path / "treasure").mkdir()
    (tmp_path / "treasure/gold").write_text("gold", "utf-8")
    saved = small.save(tmp_path / "run")
    shutil.rmtree(saved / "plan")
    (saved / "plan").symlink_to(tmp_path / "treasure")
    small.save(saved)
    assert (tmp_path / "treasure/gold").read_text("utf-8") == "gold"
    assert not (saved / "plan").is_symlink()


def test_a_place_that_cannot_be_written_is_said(small, tmp_path):
    """Tests that a run that cannot be saved is a message and not a traceback."""
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(UsageError, match="cannot be saved"):
        small.save(tmp_path / "file/run")


# --- all of it or nothing -------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["_copy_inputs", "run_facts", "_write_plan", "data_package", "publish_over"])
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_midway_leaves_nothing(small, tmp_path, monkeypatch, step, error):
    """Tests that wherever writing breaks off, the folder is as it was, with an old run in it or none."""

    def fail(*_, **__):
        raise error("midway")

    old = small.save(tmp_path / "old")
    before = contents(tmp_path)
    monkeypatch.setattr(write, step, fail)
    for target in (tmp_path / "new", old):
        with pytest.raises(error, match="midway"):
            small.save(target)
    assert contents(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


def test_a_full_disk_keeps_the_old_run(small, tmp_path, monkeypatch):
    """Tests that a rename that fails brings the old run back."""
    saved = small.save(tmp_path / "run")
    before = contents(saved)
    rename = Path.rename

    def fail(path, target):
        if path.name.endswith(folder.SUFFIX):
            raise OSError(28, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(UsageError, match="No space left"):
        small.save(saved)
    assert contents(saved) == before
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


KILLED = """
    import sys, time
    from datetime import datetime
    from pathlib import Path
    from capplan.load import read_inventory, read_model
    from capplan.runs import write, write_run
    from capplan.runs import folder
    from capplan.solving import solve

    def wait(*_, **__):
        print("writing", flush=True)
        time.sleep(60)

    where, source, target = sys.argv[1:]
    if where == "discarding":
        folder.shutil.rmtree = lambda path, **_: ((path / "run.json").unlink(), wait())
    elif where == "between":
        rename = Path.rename
        Path.rename = lambda path, to: wait() if path.name.endswith(".partial") else rename(path, to)
    else:
        write.data_package = wait
    model = read_model()
    inventory = read_inventory(source)
    write_run(
        solve(inventory, model), inventory, model, Path(target), title="T", command=[], warnings=[], now=datetime.now()
    )
"""


def start_writer(where, source, target):
    """A process that stops while it writes a run."""
    command = [sys.executable, "-c", textwrap.dedent(KILLED), where, source, target]
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    return process


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.communicate()


@pytest.mark.skipif(sys.platform == "win32", reason="no lock ends with a process there")
def test_a_killed_process_leaves_no_run_and_what_it_left_is_cleaned_up(small, tmp_path):
    """Tests that a run is never half there; what a dead writer left goes, what a living one writes stays."""
    process = start_writer("midway", small.inventory.folder, tmp_path / "run")
    [partial] = tmp_path.iterdir()
    assert partial.name.startswith(".capplan-")
    assert runs.list_runs(tmp_path) == []
    os.utime(partial, (0, 0))
    small.save(tmp_path / "other")
    assert partial.is_dir(), "its writer lives"
    kill(process)
    assert not (tmp_path / "run").exists()
    os.utime(partial, (0, 0))
    small.save(tmp_path / "third")
    assert {path.name for path in tmp_path.iterdir()} == {"other", "third"}


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_process_killed_while_it_clears_the_old_run_away_blocks_no_later_one(small, dudley, tmp_path):
    """Tests that a half removed old run is in nobody's way, and goes in time."""
    saved = dudley.save(tmp_path / "run")
    kill(start_writer("discarding", small.inventory.folder, saved))
    assert info(saved)["inventory"]["name"] == "small"
    assert info(dudley.save(saved))["inventory"]["name"] == "dudley"
    for left in tmp_path.glob(".*"):
        os.utime(left, (0, 0))
    small.save(saved)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("place", ["file/run", "x" * 300])
def test_a_folder_that_cannot_be_made_is_refused_before_solving(tmp_path, place):
    """Tests that what will fail when the run is saved fails before an hour of solving."""
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(UsageError, match="cannot be saved"):
        runs.check_folder(tmp_path / place)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("verb", ["read", "write"])
def test_a_process_killed_while_it_replaces_a_run_loses_neither(small, dudley, tmp_path, verb):
    """Tests that a run that had stepped aside comes back, when it is read or replaced again."""
    saved = dudley.save(tmp_path / "run")
    before = contents(saved)
    kill(start_writer("between", small.inventory.folder, saved))
    assert not saved.exists()
    if verb == "read":
        assert runs.read_run(saved).info["inventory"]["name"] == "dudley"
        assert contents(saved) == before
    else:
        small.save(saved)
        assert info(saved)["inventory"]["name"] == "small"
    assert not folder.aside(saved).exists()


# --- reading and listing --------------------------------------------------------------------------


def test_what_is_no_run_is_said_with_a_hint(small, tmp_path):
    """Tests a slip in the name, a folder of something else, the name of the file inside."""
    saved = small.save(tmp_path / "monday")
    with pytest.raises(UsageError, match='did you mean "monday"'):
        runs.read_run(tmp_path / "mondya")
    with pytest.raises(UsageError, match=r"has no run\.json"):
        runs.read_run(tmp_path)
    with pytest.raises(UsageError, match="name its folder"):
        runs.read_run(saved / "run.json")
    assert runs.is_run(saved)
    assert not runs.is_run(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"status": "optimal"}', "\x00", "[" * 100_000])
def test_a_damaged_run_json_is_a_fault_at_its_place(small, tmp_path, text):
    """Tests that no content of the file ends in anything but a located fault."""
    saved = small.save(tmp_path / "run")
    (saved / "run.json").write_text(text, "utf-8")
    with pytest.raises(BadInput) as found:
        runs.read_run(saved)
    [fault] = found.value.faults
    assert (fault.place.file, fault.code) == (str(saved / "run.json"), "damaged-run")


@pytest.mark.parametrize("key", ["inventory", "model", "plan_hashes", "times"])
def test_a_run_json_without_what_readers_need_is_damaged(small, tmp_path, key):
    """Tests that a missing part is found when the run is read, not later."""
    saved = small.save(tmp_path / "run")
    told = info(saved)
    del told[key]
    (saved / "run.json").write_text(json.dumps(told), "utf-8")
    with pytest.raises(BadInput, match="damaged-run"):
        runs.read_run(saved)


def test_a_run_of_a_later_format_is_refused(small, tmp_path):
    """Tests that what is not understood is not guessed at."""
    saved = small.save(tmp_path / "run")
    (saved / "run.json").write_text(json.dumps(info(saved) | {"format_version": 2}), "utf-8")
    with pytest.raises(BadInput, match="unknown-format"):
        runs.read_run(saved)


def test_inputs_that_no_longer_hold_the_plan_are_damage(small, tmp_path):
    """Tests a run whose copy of the inventory lost a workload, and one that lost its model."""
    saved = small.save(tmp_path / "run")
    path = saved / "inputs/inventory/workloads.csv"
    path.write_text(path.read_text("utf-8").replace("W1", "W7"), "utf-8")
    with pytest.raises(BadInput, match="'W1'"):
        runs.read_run(saved).plan()
    (saved / "inputs/model.yaml").unlink()
    with pytest.raises(BadInput, match="model of this run is missing"):
        runs.read_run(saved).model()


def test_runs_are_listed_by_time_and_broken_ones_are_named(small, dudley, tmp_path):
    """Tests order by the moment, not by the clock on the wall; a broken run comes last and says why."""
    later = datetime(2026, 3, 1, 9, 0, 0, tzinfo=UTC)  # NOW is 08:30 in UTC
    small.save(tmp_path / "a", now=later)
    dudley.save(tmp_path / "b", title="Dudley")
    small.save(tmp_path / "broken")
    (tmp_path / "broken/run.json").write_text("{", "utf-8")
    (tmp_path / "no-run").mkdir()
    listed = runs.list_runs(tmp_path)
    assert [run.folder.name for run in listed] == ["b", "a", "broken"]
    assert [bool(run.broken) for run in listed] == [False, False, True]
    first = listed[0]
    assert (first.title, first.status, first.cost, first.currency) == ("Dudley", "optimal", 81878.4, "GBP")
    assert runs.list_runs(tmp_path / "nothing") == []


def test_the_resolved_model_is_a_model_file_like_any_other(small, tmp_path):
    """Tests that it is plain YAML with a comment on top, without reference to other files."""
    text = (small.save(tmp_path / "run") / "inputs/model.yaml").read_text("utf-8")
    assert text.startswith("# The model standard as resolved")
    assert "extends" not in yaml.safe_load(text)
    assert read.MODEL == "inputs/model.yaml"


def test_inputs_changed_in_a_run_are_told(tmp_path):
    """A run whose copy of an input was changed is measured as it is now, and says that this is not what was solved."""
    run = tmp_path / "run"
    assert capplan("solve", DUDLEY, "-o", run, "-q").code == 0
    sites = run / "inputs" / "inventory" / "sites.csv"
    sites.write_bytes(sites.read_bytes().replace(b",36,", b",3600,"))
    for command in ("check", "show"):
        said = capplan(command, run)
        assert "sites.csv: warning[altered-input]: changed since the run was solved" in said.err
