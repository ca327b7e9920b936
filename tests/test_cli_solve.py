"""``capplan solve``, ``check``, ``show`` and ``runs`` as people use them, Ctrl-C included."""

from __future__ import annotations

import csv
import json
import os
import random
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import pytest

from capplan.cli.progress import Latest
from capplan.engine import Progress
from tests.cli_calls import CHECKOUT, Said, call, capplan
from tests.inventory_folders import write_folder

DUDLEY = CHECKOUT / "inventories/dudley"
PATIENCE_S = 120


def facts(run: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((run / "run.json").read_text("utf-8"))
    return found


def edited(run: Path, to: Path, workload: str, **cells: str) -> Path:
    """A copy of a run's allocation with some cells of one row changed."""
    with (run / "allocation.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row.update(cells if row["workload"] == workload else {})
    with to.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return to


@pytest.fixture(scope="module")
def dudley(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Said]:
    """Dudley solved, with what was said."""
    run = tmp_path_factory.mktemp("dudley") / "run"
    return run, capplan("solve", DUDLEY, "-o", run)


@pytest.fixture(scope="module")
def as_is(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Said]:
    """Dudley without purchases: infeasible."""
    run = tmp_path_factory.mktemp("as-is") / "run"
    return run, capplan("solve", DUDLEY, "-o", run, "--scenario", "as-is")


def hard(folder: Path) -> Path:
    """Many workloads, three tight resources that go together: proving the best plan takes hours."""
    draw = random.Random(7)
    demand = []
    for _ in range(400):
        size = draw.randint(20, 100)
        demand.append([size + draw.randint(-10, 10) for _ in range(3)])
    total = [sum(row[r] for row in demand) for r in range(3)]
    rows = [f"W{i:03d},O1,{','.join(map(str, row))}" for i, row in enumerate(demand)]
    sites = []
    for s in range(12):
        room = [int(amount / 12 * draw.uniform(0.95, 1.15)) for amount in total]
        prices = [draw.randint(1000, 3000), *(draw.randint(5, 20) for _ in range(3))]
        sites.append(f"S{s:02d},{','.join(map(str, [*room, *prices]))}")
    head = "site,cores,ports,memory_gb,open_cost,cost_cores,cost_ports,cost_memory_gb"
    return write_folder(
        folder,
        {
            "workloads": "\n".join(["workload,organisation,cores,ports,memory_gb", *rows, ""]),
            "sites": "\n".join([head, *sites, ""]),
        },
    )


# ---------------------------------------------------------------- solve


def test_a_plan_is_told_so_that_a_manager_can_read_it(dudley: tuple[Path, Said]):
    """Headline, money, what is bought and why, how full sites are, who is left out and why, where it was saved."""
    run, said = dudley
    assert said.code == 0
    for words in (
        "Optimal plan for Dudley data centre, 2014-04-01..2015-03-31, proved: no better plan exists.",
        "Cost £81,878.40 over 365 days: energy £68,678.40, purchase £13,200",
        "19 workloads placed, 1 left out, 0 moved; 1 of 1 site used",
        "UPS-4 at DUDLEY, +18 power_kw: £1,200 running cost and £12,000 once",
        "short 10.4 kW",
        "Z-hosting, worth £80,000 a year",
        "DUDLEY rack_units has 0 U free, 12 U needed",
        "4 placed workloads without a current site",
    ):
        assert words in said.out, words
    assert re.search(r"DUDLEY +rack_units +194 +312 +312 +312 +100 % +full", said.out)
    assert said.out.splitlines()[-1] == str(run)


def test_what_is_not_like_for_like_gets_no_percentage(dudley: tuple[Path, Said]):
    """Four new workloads cost something: no share of today's cost is printed for them."""
    assert re.search(r"Today £42,048, plan £81,878\.40: £39,830\.40 more\.", dudley[1].out)


def test_json_replaces_the_text(tmp_path: Path):
    """``--json``: stdout is run.json with the folder added, and nothing else."""
    said = capplan("solve", DUDLEY, "-o", tmp_path / "run", "--json")
    assert json.loads(said.out) == {**facts(tmp_path / "run"), "run": str(tmp_path / "run")}


def test_runs_go_to_a_folder_named_by_time_and_title(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Without ``-o`` each run gets a folder of its own under ``runs``, and ``capplan runs`` lists them."""
    monkeypatch.chdir(tmp_path)
    paths = [capplan("solve", DUDLEY).out.splitlines()[-1] for _ in range(2)]
    assert len(set(paths)) == 2
    assert all(re.match(r"runs/\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-dudley-data-centre", path) for path in paths)
    listed = capplan("runs")
    assert [line.split()[0] for line in listed.out.splitlines()[1:]] == sorted(paths)
    assert [run["status"] for run in json.loads(capplan("runs", "--json").out)["runs"]] == ["optimal"] * 2


def test_no_runs_is_no_mistake(tmp_path: Path):
    """Where nothing was solved yet the list is empty, with a hint on stderr."""
    said = capplan("runs", tmp_path)
    assert (said.code, said.out) == (0, "")
    assert "no runs" in said.err


def test_the_command_line_overrides_the_models_solver(tmp_path: Path):
    """Seed, workers, gap and time limit of the run are those that were asked for."""
    run = tmp_path / "run"
    options = ["--seed", "5", "--workers", "1", "--gap", "0.5", "--time-limit", "12.5"]
    assert capplan("solve", DUDLEY, "-o", run, *options).code == 0
    parameters = facts(run)["parameters"]
    assert isinstance(parameters, dict)
    assert parameters["seed"] == 5
    assert parameters["workers"] == 1
    assert parameters["gap"] == "0.5%"
    assert parameters["time_limit_s"] == "12.5"


def test_a_percent_sign_changes_nothing(tmp_path: Path):
    """``--gap 0.5`` and ``--gap 0.5%`` are the same half percent."""
    run = tmp_path / "run"
    assert capplan("solve", DUDLEY, "-o", run, "--gap", "0.5%").code == 0
    parameters = facts(run)["parameters"]
    assert isinstance(parameters, dict)
    assert parameters["gap"] == "0.5%"


def test_a_folder_that_is_no_run_is_refused_before_solving(tmp_path: Path):
    """``-o`` never replaces somebody's files."""
    (tmp_path / "mine.txt").write_text("keep", "utf-8")
    said = capplan("solve", DUDLEY, "-o", tmp_path)
    assert (said.code, said.out) == (2, "")
    assert (tmp_path / "mine.txt").is_file()


def test_infeasible_says_what_is_short_and_what_to_try(as_is: tuple[Path, Said]):
    """Exit 3; the limit, the amount, that only headroom is in the way, and what buying would cost."""
    run, said = as_is
    assert said.code == 3
    for words in (
        "No plan is possible for Dudley data centre (scenario as-is), 2014-04-01..2015-03-31: proved infeasible.",
        "need 32.2 kW, usable 28.8 kW (36 less 20 % headroom): short 3.4 kW",
        "only the headroom",
        "10.5 % instead of 20 %",
        "UPS-4: 18 kW more of power_kw at DUDLEY for £1,200 a year and £12,000 once",
    ):
        assert words in said.out, words
    assert said.out.splitlines()[-1] == str(run)
    assert facts(run)["status"] == "infeasible"


def test_what_no_site_may_take_is_told_with_the_reason_at_each(tmp_path: Path):
    """A workload forbidden everywhere is named, with one line for each site."""
    rows = "workload,organisation,power_kw,allowed_sites,forbidden_sites\nW1,O1,3.4,A,A\nW2,O2,1.5,,\n"
    said = capplan("solve", write_folder(tmp_path / "i", {"workloads": rows}), "-o", tmp_path / "run")
    assert said.code in (1, 3)
    assert "W1" in said.out + said.err


def test_an_offer_that_is_missing_is_suggested(tmp_path: Path):
    """Where nothing can be bought, the advice is to offer something."""
    rows = "workload,organisation,power_kw\nW1,O1,50\nW2,O1,50\n"
    said = capplan("solve", write_folder(tmp_path / "i", {"workloads": rows}), "-o", tmp_path / "run")
    assert said.code == 3
    assert "a row of expansions.csv" in said.out


def test_no_plan_in_time_is_4(tmp_path: Path):
    """A limit too short for any plan ends with 4: neither a plan nor a proof, and says what to try."""
    said = capplan("solve", hard(tmp_path / "i"), "-o", tmp_path / "run", "--time-limit", "0.001")
    assert said.code == 4
    assert "whether there is one is not known" in said.out
    assert facts(tmp_path / "run")["status"] == "unknown"
    assert capplan("show", tmp_path / "run").out.strip() in said.out


def test_warnings_are_said_and_kept(tmp_path: Path):
    """A warning is on stderr while solving and in the text of the plan; it changes no exit code."""
    model = tmp_path / "m.yaml"
    model.write_text("format: 1\nextends: standard\nheadroom: {power_kw: 60%}\n", "utf-8")
    said = capplan("solve", write_folder(tmp_path / "i", {}), "-m", model, "-o", tmp_path / "run")
    assert said.code == 0
    assert "warning[headroom-inverted]" in said.err
    assert "headroom-inverted" in said.out.partition("Please note")[2]


def test_an_inventory_without_workloads_is_said_to_be_empty(tmp_path: Path):
    """Nothing to place is no failure."""
    folder = write_folder(tmp_path / "i", {"workloads": ""})
    said = capplan("solve", folder, "-o", tmp_path / "run")
    assert said.code == 0
    assert "no workloads" in said.out


# ---------------------------------------------------------------- Ctrl-C and progress


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_an_interrupt_keeps_the_best_plan(number: signal.Signals, tmp_path: Path):
    """Exit 130, a whole run whose status is feasible and which says it was interrupted, its path last of all."""
    run = tmp_path / "run"
    with started(hard(tmp_path / "i"), run) as solving:
        err = read_until(error_pipe(solving), rb"best [\d,]+, bound")
        solving.send_signal(number)
        out, rest = solving.communicate(timeout=PATIENCE_S)
    assert solving.returncode == 130, rest
    assert b"best plan so far" in rest
    assert out.decode().splitlines()[-1] == str(run)
    found = facts(run)
    assert (found["status"], found["stopped_because"]) == ("feasible", "interrupted")
    assert err.count(b"\n") <= 20, "progress is a plain line now and then"
    checked = capplan("check", run)
    assert checked.code == 0, checked.out
    assert "interrupted" in capplan("show", run).out.splitlines()[0]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_an_interrupt_before_any_plan_still_saves_a_run(tmp_path: Path):
    """Stopped before anything was found: 130, and the run says that nothing is known."""
    run = tmp_path / "run"
    with started(hard(tmp_path / "i"), run) as solving:
        read_until(error_pipe(solving), rb"\d s, ")
        solving.send_signal(signal.SIGINT)
        solving.communicate(timeout=PATIENCE_S)
    assert solving.returncode == 130
    assert facts(run)["stopped_because"] == "interrupted"


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_a_second_interrupt_ends_at_once_and_leaves_nothing(tmp_path: Path):
    """Whoever cannot wait asks twice: 130, and no half-written run."""
    with started(hard(tmp_path / "i"), tmp_path / "run") as solving:
        read_until(error_pipe(solving), rb"\d s, ")
        solving.send_signal(signal.SIGSTOP)
        solving.send_signal(signal.SIGINT)
        solving.send_signal(signal.SIGTERM)  # two of a kind would count once while it is stopped
        solving.send_signal(signal.SIGCONT)
        solving.communicate(timeout=PATIENCE_S)
    assert solving.returncode == 130
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no terminals of this kind")
def test_progress_is_a_live_line_on_a_terminal(tmp_path: Path):
    """On a terminal the line is redrawn in place and says goal, best, bound, gap and elapsed."""
    import pty

    ours, theirs = pty.openpty()
    with started(hard(tmp_path / "i"), tmp_path / "run", stderr=theirs) as solving:
        os.close(theirs)
        shown = read_until(ours, rb"\d s, goal .*best [\d,]+, bound [\d,]+")
        solving.send_signal(signal.SIGINT)
        while drained(ours):
            pass
        assert solving.wait(PATIENCE_S) == 130
    os.close(ours)
    assert b"\r" in shown


def test_a_line_of_progress_says_goal_best_bound_gap_and_elapsed():
    """Everything a waiting planner wants to know stands on one line; what is not known yet is left out."""
    latest = Latest()
    assert latest.text(3.2) == "3 s, no plan yet"
    latest(Progress("cost", Fraction(2_000_000), Fraction(1_950_000), 7.0))
    assert latest.text(8) == "8 s, goal cost, best 2,000,000, bound 1,950,000, gap 2.5 %"
    latest(Progress("worst_utilisation", None, None, 9.0))
    assert latest.text(9) == "9 s, goal worst_utilisation"


def test_quiet_solves_say_nothing_but_the_result(tmp_path: Path):
    """``-q``: no progress on stderr."""
    said = call("solve", hard(tmp_path / "i"), "-o", tmp_path / "run", "--time-limit", "4", "-q")
    assert said.err == ""
    assert said.code in (0, 4)


@contextmanager
def started(inventory: Path, run: Path, stderr: int = subprocess.PIPE) -> Iterator[subprocess.Popen[bytes]]:
    """A solve that would take very long; ended in any case."""
    solving = subprocess.Popen(
        [sys.executable, "-m", "capplan", "solve", inventory, "-o", run, "--time-limit", "3600"],
        cwd=CHECKOUT,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
        stdout=subprocess.PIPE,
        stderr=stderr,
    )
    try:
        yield solving
    finally:
        solving.kill()
        solving.communicate()


def error_pipe(solving: subprocess.Popen[bytes]) -> int:
    assert solving.stderr is not None
    return solving.stderr.fileno()


def read_until(handle: int, wanted: bytes) -> bytes:
    """What it says until that matches the pattern."""
    said, until = b"", time.monotonic() + PATIENCE_S
    while not re.search(wanted, said):
        assert time.monotonic() < until, said
        assert select.select([handle], [], [], PATIENCE_S)[0], said
        part = os.read(handle, 4096)
        assert part, said
        said += part
    return said


def drained(handle: int) -> bytes:
    """What comes next out of a terminal; nothing once its other end is closed."""
    try:
        return os.read(handle, 4096)
    except OSError:  # Linux says so when the last writer has left
        return b""


# ---------------------------------------------------------------- show


def test_show_repeats_what_solve_said(dudley: tuple[Path, Said], as_is: tuple[Path, Said]):
    """The summary of a run is the text that solve printed, with a plan and without one."""
    for run, said in (dudley, as_is):
        assert said.out == f"{capplan('show', run).out}\n{run}\n"


def test_tables_are_shown_aligned(dudley: tuple[Path, Said]):
    """A table has one line a row, numbers to the right, and no column in which nothing is written."""
    said = capplan("show", dudley[0], "allocation")
    lines = said.out.splitlines()
    assert len(lines) == 21
    assert "replica_of" not in lines[0]
    end = lines[0].index("power_kw") + len("power_kw")
    assert {line[end - 1].isdigit() for line in lines[1:]} == {True}


def test_tables_as_json(dudley: tuple[Path, Said]):
    """``--json`` gives rows by column."""
    found = json.loads(capplan("show", dudley[0], "purchases", "--json").out)
    assert [(row["purchase"], row["steps"]) for row in found["rows"]] == [("UPS-4", "1")]
    assert json.loads(capplan("show", dudley[0], "--json").out)["run"] == str(dudley[0])


def test_empty_tables_say_so(dudley: tuple[Path, Said]):
    """A table without rows is not an empty screen."""
    assert capplan("show", dudley[0], "licences").out == "(no rows in licences)\n"


def test_unknown_tables_get_a_suggestion(dudley: tuple[Path, Said], as_is: tuple[Path, Said]):
    """A misspelt table is answered with the one that is meant; an infeasible run says that it has none."""
    said = capplan("show", dudley[0], "site")
    assert (said.code, said.out) == (2, "")
    assert 'did you mean "sites"?' in said.err
    assert "infeasible" in capplan("show", as_is[0], "sites").err


# ---------------------------------------------------------------- check


def test_an_untouched_run_breaks_nothing(dudley: tuple[Path, Said]):
    """The plan measured from its own files: nothing broken, nothing moved, the same cost."""
    said = capplan("check", dudley[0])
    assert said.code == 0
    assert said.out.startswith("No rule broken, nothing moved, at the cost of the plan.")


def test_an_edit_is_told_with_amount_line_and_row(dudley: tuple[Path, Said], tmp_path: Path):
    """What was changed, what it breaks and by how much, the line edited, and the row that demands it."""
    run = dudley[0]
    file = edited(run, tmp_path / "a.csv", "Z-hosting", site="DUDLEY", status="placed")
    said = capplan("check", run, "--allocation", file)
    assert said.code == 1
    assert said.out.startswith("1 rule broken, 1 workload added, £4,555.20 more than the plan.")
    assert "Z-hosting: left out -> DUDLEY" in said.out
    assert "need 324 U, limit 312 U: short 12 U" in said.out
    [line] = [i for i, text in enumerate(file.read_text("utf-8").splitlines(), 1) if text.startswith("Z-hosting")]
    assert f"written at {file}:{line}," in said.out, "the edited line comes first"
    assert re.search(r"demanded by .*sites\.csv:2:\d+", said.out)


def test_check_as_json(dudley: tuple[Path, Said], tmp_path: Path):
    """``--json``: every finding with its rule, amount, lines and row."""
    file = edited(dudley[0], tmp_path / "a.csv", "PDW-data", site="", status="left_out")
    said = capplan("check", dudley[0], "--allocation", file, "--json")
    found = json.loads(said.out)
    assert (said.code, found["broken"], found["difference"]) == (1, 1, -9811.2)
    [finding] = found["findings"]
    assert (finding["rule"], finding["workloads"]) == ("left_out", ["PDW-data"])
    assert len(finding["allocation"]) == 1
    assert found["changes"] == [{"workload": "PDW-data", "before": "DUDLEY", "after": None}]


def test_an_allocation_without_the_purchase_is_short_of_it(dudley: tuple[Path, Said]):
    """Against the inventory nothing is bought; with the run's purchases named it fits again."""
    run = dudley[0]
    alone = capplan("check", DUDLEY, "--allocation", run / "allocation.csv")
    assert (alone.code, "short 10.4 kW" in alone.out) == (1, True)
    bought = capplan("check", DUDLEY, "--allocation", run / "allocation.csv", "--purchases", run / "purchases.csv")
    assert bought.code == 0, bought.out


def test_another_model_may_be_held_against_a_run(dudley: tuple[Path, Said], tmp_path: Path):
    """``-m``: the plan keeps the standard's headroom and breaks a stricter one."""
    model = tmp_path / "strict.yaml"
    model.write_text("format: 1\nextends: standard\nheadroom: {power_kw: 30%}\n", "utf-8")
    said = capplan("check", dudley[0], "-m", model)
    assert said.code == 1
    assert "usable 37.8 kW (54 less 30 % headroom): short 1.4 kW" in said.out
    assert "only the headroom" in said.out


def test_mistakes_in_an_edited_file_are_told_with_their_place(dudley: tuple[Path, Said], tmp_path: Path):
    """A site that does not exist is a fault of the file, not a broken rule."""
    file = edited(dudley[0], tmp_path / "a.csv", "Z-hosting", site="DUDELY", status="placed")
    said = capplan("check", dudley[0], "--allocation", file)
    assert (said.code, said.out) == (1, "")
    assert f"{file}:21:" in said.err
    assert 'did you mean "DUDLEY"?' in said.err


@pytest.mark.parametrize("options", [[], ["--scenario", "as-is"]], ids=["no plan", "scenario of a run"])
def test_what_cannot_be_checked_is_wrong_usage(options: list[str], dudley: tuple[Path, Said], as_is: tuple[Path, Said]):
    """A run without a plan has nothing to check, and a run's scenario cannot be changed afterwards."""
    said = capplan("check", dudley[0] if options else as_is[0], *options)
    assert (said.code, said.out) == (2, "")


def test_an_inventory_without_allocation_has_nothing_to_check(tmp_path: Path):
    """Neither a current site nor a file: wrong usage, with the option to use."""
    said = capplan("check", write_folder(tmp_path / "i", {}))
    assert said.code == 2
    assert "--allocation" in said.err


def test_today_can_be_checked(tmp_path: Path):
    """Where an inventory says where everything is, ``check`` measures just that."""
    folder = write_folder(tmp_path / "i", {"allocation": "workload,site\nW1,B\nW2,B\n"})
    said = capplan("check", folder)
    assert said.code == 0
    assert said.out.startswith("No rule broken.")
