"""Sweeps: what is tried, each a run of its own, and the table, list and chart of what became of it."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from capplan import shipped
from capplan.errors import UsageError
from capplan.load import read_inventory, read_model
from capplan.runs import read_run
from capplan.sweeping import Variant, Wishes, read_sweep, variants
from capplan.sweeping.variants import values_of
from tests.cli_calls import CHECKOUT, capplan
from tests.inventory_folders import YAML, write_folder

LONDON = shipped.folder("inventories") / "north-central-london"
MODEL = """\
format: 1
extends: standard
scenarios:
  small-b: {set: {sites.B.power_kw: 3}}
  dear: {scale: {sites.*.cost_power_kw: 200%}}
  broken: {set: {sites.Z.power_kw: 3}}
"""
FILES = {
    "inventory.yaml": YAML + "model: model.yaml\n",
    "sites": "site,operator,power_kw,cost_power_kw\nA,Acme,10,100\nB,Acme,11,120\nC,Byte,10,150\n",
    "workloads": "workload,organisation,power_kw,pinned_site,replica_of\nW1,O1,3.4,,\nW1r,O1,1,,W1\nW2,O2,7.5,,\n"
    "W3,O2,1,C,\n",
    "circuits": "circuit,a,b,operator\nc1,A,B,Byte\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = write_folder(tmp_path / "small", FILES)
    (place / "model.yaml").write_text(MODEL.replace("  broken: {set: {sites.Z.power_kw: 3}}\n", ""))
    return place


def rows(sweep: Path, name: str = "scenarios") -> list[dict[str, str]]:
    with (sweep / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def tried(wishes: Wishes, folder: Path) -> list[Variant]:
    return variants(wishes, read_inventory(folder), read_model(folder / "model.yaml"))


# ---------------------------------------------------------------- what is tried


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0..30/4", ["0", "10", "20", "30"]),
        ("0..30", ["0", "10", "20", "30"]),
        ("80% .. 120% / 3", ["80%", "100%", "120%"]),
        ("0.1..0.2/4", ["0.1", "0.133333", "0.166667", "0.2"]),
        ("-5..5/3", ["-5", "0", "5"]),
        ("all, none", ["all", "none"]),
    ],
)
def test_values_of_a_range(text, values):
    assert values_of(text) == values


@pytest.mark.parametrize("text", ["", "5..1", "1..1", "1..5/1", "a..b", "1...5", ","])
def test_what_is_no_range(text):
    with pytest.raises(UsageError, match="no range"):
        values_of(text)


def test_every_site_is_lost_in_turn_as_an_emergency(folder):
    """Nothing needs a replica meanwhile, and headroom is what it is for."""
    base, *lost = tried(Wishes(each_site_lost=True), folder)
    assert (base.name, base.kind, bool(base.asked)) == ("base", "base", False)
    assert [(one.kind, one.subject) for one in lost] == [("site lost", site) for site in "ABC"]
    assert lost[0].asked.remove == ("sites.A", "workloads.W1r")
    assert set(lost[0].asked.set) == {
        *("left_out=any", "rules.survive_site_loss=off"),
        *("headroom.power_kw=0%", "headroom.cooling_kw=0%"),
    }


def test_every_operator_is_lost_in_turn_with_sites_and_circuits(folder):
    _, *lost = tried(Wishes(each_operator_lost=True), folder)
    assert {one.subject: set(one.asked.remove) for one in lost} == {
        "Acme": {"sites.A", "sites.B", "workloads.W1r"},  # one site is left: no replica has a place
        "Byte": {"sites.C", "circuits.c1"},
    }


def test_one_thing_at_a_time_or_every_combination(folder):
    """Two scenarios, three values of growth, two prices: 7 alone, 3 x 4 x 3 - 1 crossed, and the base."""
    wishes = Wishes(("small-b", "dear"), growth="0..20/3", ranges=("sites.*.cost_power_kw*=1,2",))
    assert len(tried(wishes, folder)) == 8
    crossed = tried(Wishes(wishes.scenarios, growth=wishes.growth, ranges=wishes.ranges, crossed=True), folder)
    assert len(crossed) == 36
    assert len({one.name for one in crossed}) == 36
    last = crossed[-1]
    assert (last.scenario, last.value) == ("dear", "20% x 2")
    assert last.asked.set == ("workloads.*.power_kw*=120%", "sites.*.cost_power_kw*=2")


# ---------------------------------------------------------------- the folder


def test_each_scenario_is_a_run_of_its_own_and_one_row(folder, tmp_path):
    """Base: W1 and W1r must be apart, 3.4 at A with 100 a kW, W1r and W2 at B, W3 at C: 340 + 120 + 900 + 150 = 1,510.

    Or W2 (7.5 of 8 usable kW) at A and W1 at B: 750 + 408 + 150 and W1r at C or A: 0.5 kW are left at A, so C: 150.
    That is 1,458, and W1 at B with W1r at C is the best there is.
    """
    said = capplan("sweep", folder, "-o", tmp_path / "sweep", "-q")
    assert said.code == 0, said.err
    assert said.out.splitlines()[-1] == str(tmp_path / "sweep")
    found = {row["scenario"]: row for row in rows(tmp_path / "sweep")}
    assert list(found) == ["base", "as-is", "small-b", "dear"]
    assert Fraction(found["base"]["cost"]) == 1458
    assert Fraction(found["dear"]["cost"]) == 2916
    assert Fraction(found["dear"]["cost_difference"]) == 1458
    runs = {name: read_run(tmp_path / "sweep" / row["run"]).info for name, row in found.items()}
    for name, row in found.items():
        assert runs[name]["status"] == row["status"]
        assert (runs[name]["cost"] or {"total": None})["total"] == (float(row["cost"]) if row["cost"] else None)
    assert runs["dear"]["model"]["scenario"] == "dear"
    costs = rows(tmp_path / "sweep", "organisations")
    assert sum(Fraction(row["cost"]) for row in costs if row["scenario"] == "dear") == 2916


def test_a_run_of_a_sweep_is_what_solve_would_save(folder, tmp_path):
    """Table by table, byte by byte, whatever process solved it."""
    assert capplan("sweep", folder, "-o", tmp_path / "sweep", "-q").code == 0
    assert capplan("solve", folder, "--scenario", "dear", "-o", tmp_path / "alone", "-q").code == 0
    for path in (tmp_path / "alone").glob("*.csv"):
        assert path.read_bytes() == (tmp_path / "sweep/runs/dear" / path.name).read_bytes(), path.name


def test_what_has_no_home_is_listed_with_its_reason(folder, tmp_path):
    """Without C what is pinned there has none; without A and B, 10 kW of C take W1 and W3 but not W2 as well."""
    said = capplan("sweep", folder, "--each-site-lost", "--each-operator-lost", "-o", tmp_path / "sweep", "-q")
    assert said.code == 0, said.err
    gone: dict[str, list[str]] = {}
    for row in rows(tmp_path / "sweep", "homeless"):
        gone.setdefault(row["scenario"], []).append(row["workload"])
        assert row["reason"]
    assert gone["without site C"] == ["W3"]
    assert set(gone) == {"without site C", "without operator Byte", "without operator Acme"}, "A and B carry each other"
    assert gone["without operator Acme"] == ["W2"], "of 10 kW 8 are usable: 3.4 + 1, and not 7.5 as well"
    assert {row["scenario"]: row["homeless"] for row in rows(tmp_path / "sweep")}["without site C"] == "1"
    assert "without site C: 1 workload of 1 organisation without a home" in said.out


def test_a_sweep_goes_on_where_it_was(folder, tmp_path):
    """Runs that are there are taken over; where inventory or model changed since, or if asked, all is solved again."""
    command = ("sweep", folder, "-o", tmp_path / "sweep")
    first = capplan(*command)
    assert first.err.count("known from before") == 0
    before = (tmp_path / "sweep/scenarios.csv").read_bytes()
    again = capplan(*command)
    assert again.err.count("known from before") == 4
    assert (again.out, (tmp_path / "sweep/scenarios.csv").read_bytes()) == (first.out, before)
    (folder / "model.yaml").write_text((folder / "model.yaml").read_text().replace("200%", "300%"))
    changed = capplan(*command)
    assert changed.err.count("known from before") == 3, "only the scenario that changed is solved again"
    assert capplan(*command, "--growth", "0..10/2", "--scenario", "all").err.count("known from before") == 4
    assert capplan(*command, "--fresh").err.count("known from before") == 0
    (folder / "sites.csv").write_text((folder / "sites.csv").read_text().replace("A,Acme,10,100", "A,Acme,10,101"))
    assert capplan(*command).err.count("known from before") == 0


def test_ctrl_c_keeps_what_was_saved(tmp_path):
    """Ctrl-C ends the command with 130 and tells how to go on; the same command then takes over what is there."""
    target = tmp_path / "sweep"
    command = [sys.executable, "-m", "capplan", "sweep", str(shipped.folder("inventories") / "shared-service")]
    command += ["--range", "solver.seed=1..8/8", "--time-limit", "2", "-o", str(target), "-j", "2"]
    # A shell's background jobs ignore Ctrl-C, and so would this one if the tests are such a job.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        running = subprocess.Popen(
            command, cwd=CHECKOUT, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
    finally:
        signal.signal(signal.SIGINT, before)
    waited = time.monotonic()
    while (
        len(list(target.glob("runs/[!.]*/run.json"))) < 2 and time.monotonic() - waited < 300 and running.poll() is None
    ):
        time.sleep(0.1)
    os.killpg(running.pid, signal.SIGINT)
    out, err = running.communicate(timeout=180)
    assert running.returncode == 130, (out, err)
    assert f"the same command with -o {target} goes on from here" in err
    saved = len(list(target.glob("runs/[!.]*/run.json")))
    assert 2 <= saved < 9
    assert (target / "scenarios.csv").is_file()
    again = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=900)
    assert again.returncode == 0, again.stderr
    assert again.stderr.count("known from before") >= saved
    assert len(rows(target)) == 9


def test_a_scenario_with_faults_is_refused_and_the_others_are_not(folder, tmp_path):
    (folder / "model.yaml").write_text(MODEL)
    said = capplan("sweep", folder, "-o", tmp_path / "sweep")
    assert said.code == 1
    assert "broken: refused" in said.err
    assert '"Z" is no site' in said.err
    assert {row["scenario"]: row["status"] for row in rows(tmp_path / "sweep")}["broken"] == "refused"
    assert {row["scenario"]: row["run"] for row in rows(tmp_path / "sweep")}["broken"] == ""


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--scenario", "small-c"], "the model has no scenario small-c; scenarios of this model: as-is, small-b, dear"),
        (["--growth", "5..1"], "no range"),
        (["--range", "sites.A.power_kw"], "is no range"),
    ],
)
def test_wishes_that_mean_nothing(folder, tmp_path, options, words):
    said = capplan("sweep", folder, "-o", tmp_path / "sweep", *options)
    assert said.code == 2
    assert words in said.err
    assert not (tmp_path / "sweep").exists()


def test_a_run_of_a_sweep_is_called_what_the_sweep_calls_it(folder, tmp_path):
    """Not by the list of cells that growth changes; what holds in all of them is named too."""
    command = ("--growth", "10", "--set", "purchases=none", "--scenario", "dear", "-o", tmp_path / "sweep", "-q")
    assert capplan("sweep", folder, *command).code == 0
    names = {path.name: read_run(path).info["model"]["scenario"] for path in (tmp_path / "sweep/runs").iterdir()}
    assert names == {
        "base": "purchases=none",
        "dear": "dear, purchases=none",
        "growth-10": "purchases=none, growth 10 %",
    }
    assert capplan("check", tmp_path / "sweep/runs/growth-10").code == 0


@pytest.mark.golden
def test_a_scenario_without_a_plan_says_what_is_short(tmp_path):
    """Dudley without a fourth module: 24.0 + 5.6 + 2.6 = 32.2 kW, and 36 x 0.8 = 28.8 are usable: short 3.4."""
    said = capplan("sweep", shipped.folder("inventories") / "dudley", "-o", tmp_path / "sweep", "-q")
    assert said.code == 0, said.err
    found = {row["scenario"]: row for row in rows(tmp_path / "sweep")}
    assert (found["as-is"]["status"], found["as-is"]["cost"], found["as-is"]["homeless"]) == ("infeasible", "", "")
    assert "need 32.2 kW, usable 28.8 kW (36 less 20 % headroom): short 3.4 kW" in found["as-is"]["short"]
    assert found["base"]["short"] == ""
    assert "No plan, because\n  as-is: DUDLEY power_kw" in said.out


def test_a_folder_with_something_else_in_it_is_left_alone(folder, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("x")
    said = capplan("sweep", folder, "-o", tmp_path / "mine")
    assert said.code == 2
    assert "no sweep of capplan" in said.err
    with pytest.raises(UsageError, match="is no sweep"):
        read_sweep(tmp_path / "mine")


def test_the_json_and_the_folder_say_the_same(folder, tmp_path):
    said = capplan("sweep", folder, "--scenario", "dear,dear+small-b", "-o", tmp_path / "sweep", "--json", "-q")
    told = json.loads(said.out)
    info, tables = read_sweep(tmp_path / "sweep")
    assert [one["scenario"] for one in told["scenarios"]] == ["base", "dear", "dear+small-b"]
    assert [one["scenario"] for one in tables["scenarios"]] == [one["scenario"] for one in info["scenarios"]]
    assert [one["cost"] for one in told["scenarios"]] == [float(row["cost"]) for row in tables["scenarios"]]


def test_the_chart_is_an_image_that_also_reads_as_text(folder, tmp_path):
    """Well-formed, with a title and a description that has every figure; names are escaped."""
    text = (folder / "model.yaml").read_text().replace("dear:", "'<dear> & more':")
    (folder / "model.yaml").write_text(text)
    assert capplan("sweep", folder, "-o", tmp_path / "sweep", "-q").code == 0
    image = ET.fromstring((tmp_path / "sweep/chart.svg").read_text("utf-8"))
    space = "{http://www.w3.org/2000/svg}"
    assert image.attrib["role"] == "img"
    words = image.findtext(f"{space}desc") or ""
    assert "<dear> & more: £2,916" in words
    assert len(image.findall(f"{space}rect")) == 4


# ---------------------------------------------------------------- the question of the supplier


@pytest.mark.golden
def test_what_if_the_supplier_of_both_hubs_fails(tmp_path):
    """The seven remote services have no home; the seven teams on site, one post of 50,000 each, remain: 350,000."""
    said = capplan("sweep", LONDON, "--scenario", "supplier-exit", "--each-operator-lost", "-o", tmp_path / "s", "-q")
    assert said.code == 0, said.err
    found = {row["scenario"]: row for row in rows(tmp_path / "s")}
    assert Fraction(found["base"]["cost"]) == 1_294_000
    gone: dict[str, set[str]] = {}
    for row in rows(tmp_path / "s", "homeless"):
        gone.setdefault(row["scenario"], set()).add(row["workload"])
    remote = {f"{name}-remote" for name in ("5A9", "5K7", "5C1", "5C9", "5K8", "TAF", "RKE")}
    assert gone["without operator 2e2"] == gone["supplier-exit"] == remote
    assert Fraction(found["without operator 2e2"]["cost"]) == 350_000
    assert gone["without operator Barnet PCT"] == {"5A9-onsite"}
    assert len(found) == 1 + 1 + 8


@pytest.mark.golden
def test_the_loss_of_either_data_centre_of_cumbria(tmp_path):
    """What is pinned to a site goes with it; the other site carries all the rest within its physical power."""
    cumbria = shipped.folder("inventories") / "cumbria"
    said = capplan("sweep", cumbria, "--each-site-lost", "-o", tmp_path / "s", "-q")
    assert said.code == 0, said.err
    gone: dict[str, set[str]] = {row["scenario"]: set() for row in rows(tmp_path / "s")}
    for row in rows(tmp_path / "s", "homeless"):
        gone[row["scenario"]].add(row["workload"])
    assert gone["base"] == set()
    assert gone["without site A"] == {"NET-A"}
    assert gone["without site B"] == {"NET-B"}
