"""The benchmark command: runs in processes of their own, peers, rows that can be resumed, what is at fault."""

from __future__ import annotations

import csv
import json
import sys
import time
from dataclasses import replace
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from benchmarks import rows, running, sets, summary
from benchmarks.__main__ import PEERS, main
from benchmarks.duels import duels
from benchmarks.estate_inventory import degrees, organisations, round_trip_ms
from benchmarks.formulation import formulate
from benchmarks.growth import growth
from benchmarks.interface import Published, Score
from benchmarks.peers import rounded_up
from benchmarks.running import Observed, observe
from benchmarks.sets.estate import named
from benchmarks.task import Task
from capplan.program import Builder, LimitName, LinearGoal, evaluate
from capplan.program.sparse import sparse
from tests.benchmark_files import write
from tests.cli_calls import capplan

TASK = Task("gap", "", "a", "capplan", "auto", 1, 2.0)


def written(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_one_command_runs_scores_and_resumes(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """A row for capplan and one for each peer, all optimal; a second call repeats nothing, a crash stops nothing."""
    instance = write(tmp_path, "sscflp")
    out, plans = tmp_path / "rows.csv", tmp_path / "plans"
    call = ["sscflp", "--data", str(tmp_path), "--time-limit", "20", "--out", str(out), "--plans", str(plans)]
    assert main([*call, "--peer", *PEERS]) == 0
    found = written(out)
    assert [row["solver"] for row in found] == ["capplan", *PEERS]
    for row in found:
        assert (row["instance"], row["status"], row["value"], row["published_value"]) == (
            instance,
            "optimal",
            "10.755",
            "10.755",
        )
        assert (row["own_bound"], row["gap_to_published"], row["gap_to_own_bound"]) == ("10.755", "0", "0")
        assert (row["feasible"], row["bound_valid"], row["note"]) == ("yes", "yes", "")
        assert 0 <= float(row["seconds_first"]) <= float(row["seconds_best"]) <= float(row["seconds_total"])
        assert float(row["peak_mb"]) > 10
        assert row["options"] == "9"
    assert "| sscflp, all | 20 | highs | 1 | 0 | 1 | 0 | 0.000 |" in capsys.readouterr().out
    plan = plans / "sscflp" / "b.capplan.csv"
    assert main(["sscflp", "--data", str(tmp_path), "--score", str(plan)]) == 0
    assert "b: feasible, value 10.755" in capsys.readouterr().out

    (tmp_path / "bad.txt").write_text("1 1 1")
    assert main(call) == 1
    said = capsys.readouterr()
    assert said.err.count("capplan …") == 1
    assert len(written(out)) == 5
    assert "it has 3 numbers, 6 are expected" in written(out)[-1]["note"]
    assert "| sscflp, all | capplan | 20 | 2 | 1 | 1 | 1 | 0.000 / 0.000 |" in said.out
    assert main(["summary", "--out", str(out)]) == 0
    assert "| sscflp, all | scip | 20 | 1 | 1 | 1 |" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gap", "--data", "nowhere"], "nowhere is no folder"),
        (["gap", "--data", "."], "has no instances of gap"),
        (["gap", "--data", "one", "--instances", "b*"], "no instance b*"),
        (["gap", "--data", "one", "--write", "x"], "--write takes the set estate"),
        (["estate", "--instances", "mild-9", "--write", "x"], "mild-9 is no estate"),
        (["estate", "--score", "x"], "--score takes one instance"),
        (["summary"], "summary needs --out"),
        (["summary", "--out", "one/best.csv"], "other columns"),
        (["gap"], "Where they come from: generalized assignment"),
    ],
)
def test_a_wrong_command_is_2_and_says_what_is_missing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
):
    (tmp_path / "one").mkdir()
    write(tmp_path / "one", "gap")
    (tmp_path / "one" / "tiny").rename(tmp_path / "one" / "deep")
    monkeypatch.chdir(tmp_path / "one" if arguments == ["gap", "--data", "."] else tmp_path)
    monkeypatch.setenv("CAPPLAN_BENCHMARK_DATA", str(tmp_path))
    if arguments == ["gap", "--data", "."]:
        (tmp_path / "one" / "deep" / "a.txt").unlink()
    assert main(arguments) == 2
    assert said in capsys.readouterr().err


def test_instances_are_chosen_by_name_pattern_and_last_part(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    write(tmp_path / "gap", "gap")
    for pattern in ("tiny/a", "a", "t*", "a,tiny/?"):
        assert main(["gap", "--data", str(tmp_path), "--instances", pattern, "--list"]) == 0
        assert capsys.readouterr().out == "tiny/a\t11\t11\n"


def test_every_set_is_found():
    """Sets are modules; each knows its own name."""
    assert {"gap", "sscflp", "pmedcap", "vbp", "cloudbalancing", "estate", "roadef2012"} == set(sets.names())
    assert all(sets.find(name).name == name for name in sets.names())
    assert len(sets.find("estate").instances(Path())) == 27


CHILD = """
import sys, time, json, numpy, pathlib
folder = pathlib.Path(sys.argv[1])
def tell(**event): (folder / "events.jsonl").open("a").write(json.dumps(event) + chr(10))
tell(event="start", seconds=0.0, clock=time.monotonic())
"""


def child(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Let runs be of this text."""
    monkeypatch.setattr(running, "command", lambda task, folder: [sys.executable, "-c", CHILD + text, str(folder)])


def test_a_run_over_its_limit_is_killed_and_its_last_plan_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Killed at the limit and what it may overshoot, with everything that it started."""
    monkeypatch.setattr(running, "LEAST_OVERSHOOT_S", 0.1)
    child(
        monkeypatch,
        """
import subprocess
other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
tell(event="better", seconds=0.1, at=0.1)
numpy.save(folder / "plan.npy", numpy.array([1, 0]))
(folder / "other").write_text(str(other.pid))
time.sleep(600)
""",
    )
    seen = observe(replace(TASK, time_limit=1.0), tmp_path)
    assert (seen.status, seen.killed, seen.note) == ("killed", True, "over its limit of 1 s")
    assert seen.assignment is not None
    assert seen.assignment.tolist() == [1, 0]
    assert seen.better_at == [0.1]
    assert 1.0 <= seen.seconds < 20
    state = Path("/proc") / (tmp_path / "other").read_text() / "stat"
    # The system takes a moment to bury a process that was killed.
    for _ in range(100):
        if not state.exists() or state.read_text().split()[2] in "ZX":
            break
        time.sleep(0.1)
    else:
        pytest.fail("a process that the run started is still there")


def test_a_crash_is_told_in_its_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    child(monkeypatch, 'raise MemoryError("all gone")')
    row = rows.row_of(TASK, observe(TASK, tmp_path), None, Published())
    assert (row.status, row.note, row.value, row.feasible) == ("crashed", "MemoryError: all gone", "", "")
    assert summary.is_fault(row)


def row_of(value: int, bound: int | None, published: int | None, *, feasible: bool = True, task: Task = TASK):
    seen = Observed("feasible", None if bound is None else Fraction(bound), Fraction(value))
    given = None if published is None else Fraction(published)
    return rows.row_of(task, seen, Score(feasible, Fraction(value), "" if feasible else "too full"), Published(given))


def test_gaps_and_bounds_of_a_row():
    """Gaps are shares of the published value and of the plan's; a bound above either value cannot be true."""
    row = row_of(110, 99, 100)
    assert (row.gap_to_published, row.gap_to_own_bound, row.bound_valid) == ("0.100000", "0.100000", "yes")
    assert row_of(110, 105, 100).bound_valid == "no"
    assert row_of(90, 95, 100).bound_valid == "no"
    assert row_of(90, 90, 100).gap_to_published == "-0.100000"
    assert row_of(0, 0, 0).gap_to_published == "0"
    assert row_of(5, 0, 0).gap_to_published == ""
    assert (row_of(5, None, None).bound_valid, row_of(5, None, None).gap_to_own_bound) == ("", "")
    peer = replace(TASK, solver="highs")
    assert row_of(10_000_000, 10_000_001, None, task=peer).bound_valid == "yes"
    assert row_of(10_000_000, 10_000_001, None).bound_valid == "no"


def test_a_plan_that_breaks_a_rule_has_no_gap_and_is_a_fault():
    row = row_of(90, 80, 100, feasible=False)
    assert (row.feasible, row.gap_to_published, row.note) == ("no", "", "too full")
    assert summary.is_fault(row)


def test_a_wrong_claim_is_told():
    """What the solver says of its plan and what the evaluator says must agree."""
    seen = Observed("optimal", Fraction(7), Fraction(7))
    row = rows.row_of(TASK, seen, Score(True, Fraction(8)), Published())
    assert row.note == "the solver claims 7"
    assert summary.is_fault(row)


def test_bounds_in_floats_are_rounded_to_whole_values_with_care():
    """260.2 proves 261; 261.0000001 is an error of floats and proves 261 only."""
    assert [rounded_up(bound) for bound in (260.2, 261.0, 261.0000001, -0.5)] == [261, 261, 261, 0]


def test_summary_has_parts_and_seeds_apart():
    """A line for the set and one for every folder or size; medians and maxima."""
    one = row_of(110, 99, 100)
    lines = [replace(one, instance=name) for name in ("x/a", "x/b", "mild-9x3-s1", "mild-9x3-s2")]
    text = summary.table(lines)
    assert [line.split("|")[1].strip() for line in text.splitlines()[2:]] == ["gap, all", "gap/mild-9x3", "gap/x"]
    assert "| 4 | 4 | 0 | 0 | 10.000 / 10.000 |" in text


def test_duels_pair_instances_limits_and_seeds():
    """A better, an equal and a worse plan, and one that the peer did not find; other limits are other duels."""
    ours = [replace(row_of(v, None, None), instance=n) for n, v in (("x/a", 100), ("x/b", 100), ("x/c", 100))]
    theirs = [replace(row_of(v, None, None), instance=n, solver="highs") for n, v in (("x/a", 110), ("x/b", 100))]
    worse = replace(theirs[0], instance="x/c", value="98")
    assert duels(ours) == ""
    text = duels([*ours, *theirs, worse, replace(worse, time_limit="5")]).splitlines()
    assert text[2:] == [f"| {name} | 2 | highs | 3 | 1 | 1 | 1 | 0.000 |" for name in ("gap, all", "gap/x")]
    none = replace(worse, value="", feasible="")
    assert "| 3 | 2 | 1 | 0 | 10.000 |" in duels([*ours, *theirs, none])
    assert "| 1 | 1 | 0 | 0 | no plan |" in duels([ours[2], none])
    assert "| 1 | 0 | 0 | 1 | we have no plan |" in duels([replace(none, solver="capplan"), worse])
    assert "| 1 | 1 | 0 | 0 | – |" in duels([replace(ours[2], value="0"), worse])
    both = [replace(none, solver="capplan", instance="x/a"), theirs[0], ours[2], none]
    assert "| 2 | 1 | 0 | 1 | we have no plan |" in duels(both)
    seeds = [replace(ours[0], value=str(90 + n), seed=str(n)) for n in (1, 2)]
    assert "| 1 | 0 | 1 | 0 | 0.000 |" in duels([*seeds, replace(theirs[0], value="92", seed="2")])
    assert "| 2 | 0 | 1 | 1 |" in duels([*seeds, replace(theirs[0], value="91", seed="7")])


def test_growth_is_the_exponent_between_medians():
    """A hundred times the options, ten times the seconds and a hundred times the memory: exponents 1/2 and 1."""
    one = replace(row_of(9, None, None), seconds_first="1", peak_mb="2", options="100")
    small = [replace(one, instance=f"mild-9x3-s{n}", seconds_first=str(n)) for n in (0.5, 1, 7)]
    small = [replace(row, instance=f"mild-9x3-s{n}") for n, row in enumerate(small)]
    large = replace(one, instance="mild-90x30-s1", seconds_first="10", peak_mb="200", options="10000")
    assert growth(small) == growth([one]) == ""
    lines = growth([*small, large]).splitlines()[2:]
    assert lines == [
        "| gap/mild | capplan | 9x3 | 90x30 | 100 → 10,000 | 1.00 → 10.00 | 0.50 | 2 → 200 | 1.00 |",
    ]
    assert growth([*small, large, replace(large, time_limit="1", seconds_first="99")]).splitlines()[2:] == lines
    largest = replace(large, instance="mild-900x300-s1", options="1000000", seconds_first="1000")
    lines = growth([*small, large, largest]).splitlines()[2:]
    assert [line.split(" | ")[6] for line in lines] == ["0.50", "1.00", "0.75"]


def program_with_facts():
    """Two items, two places with room 3 for demand 2; using place 0 costs 5, and at least one place of both is used."""
    builder = Builder(np.array([0, 0, 1, 1]), 2)
    place = np.array([0, 1, 0, 1])
    used = builder.any_of(place, np.arange(4), 2)
    names = [LimitName("capacity", f"place {p}", -1, "", Fraction(1)) for p in range(2)]
    builder.limits(names, np.array([3, 3])).options(place, np.arange(4), np.full(4, 2))
    one = np.ones(1, dtype=np.int64)
    builder.limits([LimitName("least", "places", -1, "", Fraction(1))], -one).facts(one * 0, used[1:], -one)
    goal = LinearGoal("cost", np.array([1, 2, 3, 4, 5, 0]), 0, Fraction(1))
    none = np.zeros(0, dtype=np.int64)
    return builder.assemble([goal], lambda: sparse(none, none, none, (0, 6)), none), goal


def test_peers_get_tied_limits_and_links_both_ways():
    """2 x + 2 x ≤ 3 y for each place; y0, which costs, has x ≤ y; y1, which is asked for, has y ≤ Σ x."""
    program, goal = program_with_facts()
    form = formulate(program, goal)
    table = form.rows.toarray()
    assert [2, 0, 2, 0, -3, 0] in table.tolist()
    assert [0, 2, 0, 2, 0, -3] in table.tolist()
    assert [1, 0, 0, 0, -1, 0] in table.tolist()
    assert [0, 0, 1, 0, -1, 0] in table.tolist()
    assert [0, 1, 0, 1, 0, -1] in table.tolist()
    assert len(table) == 2 + 2 + 1 + 2 + 1


@pytest.mark.parametrize("name", ["gap", "sscflp", "pmedcap", "vbp", "cloudbalancing"])
def test_the_formulation_has_the_programs_plans(tmp_path: Path, name: str):
    """Over every choice with its facts: what keeps the Program's limits keeps the rows, at the same cost."""
    compiled = sets.find(name).read(tmp_path, write(tmp_path, name)).compile()
    program, form = compiled.program, formulate(compiled.program, compiled.goal)
    start = program.item_start
    for choice in product(*(range(start[i], start[i + 1]) for i in range(program.items))):
        taken = np.zeros(program.options, dtype=np.bool_)
        taken[list(choice)] = True
        values = evaluate(program, taken, np.zeros(0, dtype=np.int64))
        x = values.x[form.kept]
        use = form.rows @ x
        kept = ((use >= form.lower) & (use <= form.upper)).all()
        assert kept == (values.slack(program) >= 0).all()
        assert form.cost @ x + form.constant == compiled.goal.value(values.x)


def test_an_estate_becomes_an_inventory_that_has_a_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert main(["estate", "--instances", "tight-20x5-s1", "--write", "small"]) == 0
    found = capplan("solve", "small")
    assert found.code == 0, found.err
    assert "20 workloads placed, 0 left out" in found.out


def test_an_estate_becomes_an_inventory(tmp_path: Path):
    """It is valid, a workload's own sites are open to it, and not many more, and amounts are as drawn."""
    folder = tmp_path / "estate"
    assert main(["estate", "--instances", "mild-120x20-s1", "--write", str(folder)]) == 0
    found = capplan("validate", folder)
    assert found.code == 0, found.err
    assert "no mistakes" in found.out
    estate = named("mild-120x20-s1")
    cell, at = organisations(estate.workload_at)
    trips = round_trip_ms(degrees(at), degrees(estate.site_at))[cell]
    limit = np.array([float(row["max_rtt_ms"]) for row in written(folder / "workloads.csv")])
    assert (np.take_along_axis(trips, estate.nearest.astype(np.int64), axis=1) <= limit[:, None]).all()
    assert 0.3 <= (trips <= limit[:, None]).mean() <= 0.5
    power = [Fraction(row["power_kw"]) * 1000 for row in written(folder / "workloads.csv")]
    assert power == estate.demand[:, 0].tolist()
    assert main(["estate", "--instances", "mild-120x20-s1", "--write", str(folder)]) == 2


def test_an_estate_with_licences_opens_the_same_sites_and_counts_twelve_products(tmp_path: Path):
    """Licences forbid nothing and cost something; the same name gives the same bytes."""
    for folder, more in (("plain", []), ("one", ["--licences"]), ("two", ["--licences"])):
        call = ["estate", "--write", str(tmp_path / folder), "--instances", "mild-60x6-s1", *more]
        assert main(call) == 0
    written_twice = [{file.name: file.read_bytes() for file in (tmp_path / name).iterdir()} for name in ("one", "two")]
    assert written_twice[0] == written_twice[1]
    assert capplan("validate", str(tmp_path / "one")).code == 0
    runs = {}
    for name in ("plain", "one"):
        said = capplan(
            "solve", str(tmp_path / name), "-o", str(tmp_path / f"{name}-run"), "--time-limit", "30", "--gap", "20"
        )
        assert said.code == 0, said.err
        runs[name] = json.loads((tmp_path / f"{name}-run" / "run.json").read_text("utf-8"))
    assert runs["plain"]["engine"]["options"] == runs["one"]["engine"]["options"]
    assert runs["one"]["cost"]["by_kind"]["licence"] > 0
    assert len(written(tmp_path / "one" / "licences.csv")) == 12
