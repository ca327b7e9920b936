"""Golden runs of Cumbria: two sites, four periods, 128 assignments, each of them worked out here a second time.

``worked_out`` below reads the same tables with nothing but the csv module, so that what it finds does not depend on the
package; the shipped inventory and variants of it are held against it.
"""

from __future__ import annotations

import csv
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest

from capplan.compile import problem_of
from capplan.load import read_inventory, read_model
from capplan.measure import measure
from capplan.problem import Plan, Problem
from capplan.solving import solve as solve_in_python
from tests.small import sites
from tests.test_golden_inventories import CHECKOUT, Run, assert_proved_optimal, capplan, edit, solve

CUMBRIA = "inventories/cumbria"
CUTS = ("2015-10-01", "2016-04-01", "2016-07-01", "2016-09-29", "2017-04-01")
PERIODS = ("2015-10-01..2016-03-31", "2016-04-01..2016-06-30", "2016-07-01..2016-09-28", "2016-09-29..2017-03-31")
KEPT_FREE = Fraction(1, 5)

pytestmark = pytest.mark.golden


# ---------------------------------------------------------------- the same, worked out without the package

Assignment = tuple[str, ...]


@dataclass(frozen=True)
class Tables:
    """The two tables as text."""

    sites: dict[str, dict[str, str]]
    workloads: dict[str, dict[str, str]]

    @staticmethod
    def of(folder: Path) -> Tables:
        def rows(table: str) -> dict[str, dict[str, str]]:
            with (folder / f"{table}s.csv").open(encoding="utf-8", newline="") as file:
                return {row[table]: row for row in csv.DictReader(file)}

        return Tables(rows("site"), rows("workload"))

    @property
    def ids(self) -> list[str]:
        return sorted(self.workloads)

    def assignments(self) -> list[dict[str, str]]:
        """Every choice of sites for what is neither pinned nor a replica; each replica is at the other site."""
        free = [w for w in self.ids if not self.workloads[w]["pinned_site"] and not self.workloads[w]["replica_of"]]
        return [self.whole(dict(zip(free, choice, strict=True))) for choice in product("AB", repeat=len(free))]

    def whole(self, free: Mapping[str, str]) -> dict[str, str]:
        other = {"A": "B", "B": "A"}
        placed = {w: row["pinned_site"] for w, row in self.workloads.items() if row["pinned_site"]} | dict(free)
        copies = {w: other[placed[row["replica_of"]]] for w, row in self.workloads.items() if row["replica_of"]}
        return placed | copies

    def active(self, workload: str, start: str, end: str) -> bool:
        row = self.workloads[self.workloads[workload]["replica_of"] or workload]
        return (row["from"] or start) < end and (row["to"] or end) > start

    def load(self, plan: Mapping[str, str], site: str, period: tuple[str, str], resource: str) -> Fraction:
        here = [w for w in plan if plan[w] == site and self.active(w, *period)]
        return sum((Fraction(self.workloads[w][resource]) for w in here), Fraction(0))

    def after_loss(self, plan: Mapping[str, str], site: str, period: tuple[str, str]) -> Fraction:
        """Power at a site once the other is lost: standby power becomes failover power for each replica here."""
        standby = [w for w in plan if plan[w] == site and self.workloads[w]["replica_of"] and self.active(w, *period)]
        rows = [self.workloads[w] for w in standby]
        more = sum((Fraction(row["failover_power_kw"]) - Fraction(row["power_kw"]) for row in rows), Fraction(0))
        return self.load(plan, site, period, "power_kw") + more


@dataclass(frozen=True)
class Found:
    """What one assignment comes to."""

    feasible: bool
    worst: Fraction
    worst_after_loss: Fraction


def worked_out(tables: Tables) -> dict[Assignment, Found]:
    """Every assignment (sites in id order of the workloads) with its worst use of any site and period."""
    found = {}
    for plan in tables.assignments():
        normal, after = [], []
        feasible = True
        for name, period in product("AB", pairwise(CUTS)):
            power, space = Fraction(tables.sites[name]["power_kw"]), Fraction(tables.sites[name]["rack_units"])
            kw, units = (tables.load(plan, name, period, resource) for resource in ("power_kw", "rack_units"))
            lost = tables.after_loss(plan, name, period)
            feasible &= kw <= (1 - KEPT_FREE) * power and units <= space and lost <= power
            normal += [kw / power, units / space]
            after.append(lost / power)
        found[tuple(plan[w] for w in tables.ids)] = Found(feasible, max(normal), max(after))
    return found


def best_of(found: Mapping[Assignment, Found]) -> list[Assignment]:
    """The feasible assignments with the least worst use, the smallest in id order first."""
    feasible = [plan for plan, one in found.items() if one.feasible]
    least = min((found[plan].worst for plan in feasible), default=Fraction(0))
    return sorted(plan for plan in feasible if found[plan].worst == least)


def problem_in(folder: Path) -> Problem:
    model = read_model(folder / "model.yaml")
    return problem_of(read_inventory(folder, model.overlay), model)


# ---------------------------------------------------------------- the shipped inventory

BEST = {"BIW": "A", "EML": "A", "FIL": "B", "IPM": "B", "RIO": "B", "TIE": "A", "VDI": "A"}
REST = {"NET-A": "A", "NET-B": "B", "EML-R": "B", "RIO-R": "A", "TIE-R": "B", "VDI-R": "B"}


@pytest.fixture(scope="module")
def cumbria(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return solve(tmp_path_factory.mktemp("cumbria") / "run", CUMBRIA)


def test_cumbria_takes_the_smallest_of_four_best_plans(cumbria: Run):
    """EML and TIE may be at either site; with both at A the plan is the smallest in id order."""
    assert cumbria.said.code == 0, cumbria.said.text
    assert_proved_optimal(cumbria)
    assert cumbria.sites() == BEST | REST
    assert cumbria.left_out() == set()
    assert cumbria.facts["tie_break"] == "complete"


def test_cumbria_worst_use_is_8_9_of_14(cumbria: Run):
    """RIO 3.6 + IPM 1.2 + FIL 1.2 + NET 0.6 + copies 1.6 + 0.4 + 0.3 = 8.9 kW of the 14 at B: 63.57 %."""
    [goal] = [goal for goal in cumbria.facts["goals"] if goal["goal"] == "worst_utilisation"]
    assert goal["value"] == pytest.approx(89 / 140, abs=1e-12)
    worst = max(cumbria.table("sites"), key=lambda row: Fraction(row["utilisation"]))
    assert (worst["site"], worst["resource"], worst["period"]) == ("B", "power_kw", PERIODS[1])
    assert "63.57 %" in cumbria.said.out


@pytest.mark.parametrize(
    ("period", "kw_a", "kw_b", "units_a", "units_b"),
    [
        (PERIODS[0], "7.6", "5.3", 36, 34),
        (PERIODS[1], "10.0", "8.9", 48, 50),
        (PERIODS[2], "10.0", "8.9", 48, 50),
        (PERIODS[3], "10.0", "7.7", 48, 44),
    ],
)
def test_cumbria_use_in_each_period(cumbria: Run, period: str, kw_a: str, kw_b: str, units_a: int, units_b: int):
    """RIO and its standby come in period 2 (3.6 kW, 16 U; 2.4 kW, 12 U), IPM goes after period 3 (1.2 kW, 6 U)."""
    rows = [row for row in cumbria.table("sites") if row["period"] == period]
    used = {(row["site"], row["resource"]): Fraction(row["used"]) for row in rows}
    assert used == {
        ("A", "power_kw"): Fraction(kw_a),
        ("B", "power_kw"): Fraction(kw_b),
        ("A", "rack_units"): units_a,
        ("B", "rack_units"): units_b,
    }
    usable = {(row["site"], row["resource"]): Fraction(row["usable"]) for row in rows}
    assert (usable["A", "power_kw"], usable["B", "power_kw"]) == (Fraction("12.8"), Fraction("11.2"))


def test_cumbria_carries_what_falls_to_a_survivor(cumbria: Run):
    """B carries 8.9 + (1.5 - 0.3) = 10.1 of 14 kW without A, 72.1 %; A 10.0 + (3.6 - 2.4) = 11.2 of 16 without B."""
    rows = [row for row in cumbria.table("limits") if row["rule"] == "survive_site_loss"]
    share = {(row["subject"], row["period"]): Fraction(row["used"]) / Fraction(row["limit"]) for row in rows}
    assert share["B power_kw", PERIODS[1]] == Fraction(101, 140) == max(share.values())
    assert round(float(max(share.values())), 3) == 0.721
    assert share["A power_kw", PERIODS[1]] == Fraction(112, 160)
    states = {row["subject"]: row["state"] for row in rows if row["unit"] == "kW"}
    assert states == {"A power_kw": "loss of B", "B power_kw": "loss of A"}


def test_cumbria_lists_what_is_lost_with_each_site(cumbria: Run):
    """Without a replica BIW goes down with A, FIL and (until the end of September 2016) IPM with B."""
    lost = {p: {(r["site"], r["workload"]) for r in cumbria.table("lost") if r["period"] == p and not r["carried_by"]}
            for p in PERIODS}  # fmt: skip
    network = {("A", "NET-A"), ("B", "NET-B")}
    always = network | {("A", "BIW"), ("B", "FIL")}
    assert [lost[period] for period in PERIODS] == [always | {("B", "IPM")}] * 3 + [always]
    carried = {(r["workload"], r["carried_by"]) for r in cumbria.table("lost") if r["carried_by"]}
    assert carried == {("EML", "B"), ("TIE", "B"), ("VDI", "B"), ("RIO", "A")}


def test_cumbria_sites_are_56_30_km_apart():
    """The great-circle distance of the two hospitals, by the rule that measures it: 56.30 km is less than 57."""
    with_limit = edit_tables(CHECKOUT / CUMBRIA, {})
    header, _, rest = with_limit["workloads.csv"].partition("\n")
    lines = [f"{line},{'57' if line.startswith('RIO-R,') else ''}" for line in rest.splitlines()]
    with_limit["workloads.csv"] = "\n".join([f"{header},replica_min_km", *lines]) + "\n"
    problem = problem_from(with_limit)
    found = measure(problem, plan_of(problem, BEST | REST))
    assert [breach.rule for breach in found.breaches] == ["replicas"]
    assert "56.30 km" in found.breaches[0].message


def test_cumbria_plan_passes_its_own_check_and_a_shared_site_does_not(cumbria: Run, tmp_path: Path):
    """What solve saved breaks no rule; with RIO's standby at RIO's own site the check says so."""
    assert capplan("check", cumbria.folder).code == 0
    edited = edit(cumbria.folder / "allocation.csv", "RIO-R", tmp_path / "a.csv", site="B")
    said = capplan("check", cumbria.folder, "--allocation", edited)
    assert said.code == 1, said.text
    assert "one loss would take both" in said.text


# ---------------------------------------------------------------- every assignment, and other numbers


def plan_of(problem: Problem, placed: Mapping[str, str]) -> Plan:
    return Plan(np.array([problem.sites.row(placed[w]) for w in problem.workloads.ids], dtype=np.int64))


def edit_tables(folder: Path, changes: Mapping[tuple[str, str, str], str]) -> dict[str, str]:
    """The files of an inventory as text, with cells replaced: (table, id, column) → value."""
    files = {path.name: path.read_text("utf-8") for path in sorted(folder.iterdir())}
    for (table, key, column), value in changes.items():
        lines = [line.split(",") for line in files[f"{table}.csv"].splitlines()]
        [row] = [line for line in lines if line[0] == key]
        row[lines[0].index(column)] = value
        files[f"{table}.csv"] = "\n".join(",".join(line) for line in lines) + "\n"
    return files


def problem_from(files: Mapping[str, str]) -> Problem:
    with tempfile.TemporaryDirectory() as name:
        for file, text in files.items():
            (Path(name) / file).write_text(text, "utf-8")
        return problem_in(Path(name))


def test_cumbria_104_of_128_assignments_are_feasible():
    """Measured one by one: the same 104 are without a breach, and each has the same worst use."""
    problem, found = problem_in(CHECKOUT / CUMBRIA), worked_out(Tables.of(CHECKOUT / CUMBRIA))
    assert len(found) == 128
    assert sum(one.feasible for one in found.values()) == 104
    for plan, expected in found.items():
        measured = measure(problem, plan_of(problem, dict(zip(problem.workloads.ids, plan, strict=True))))
        assert (not measured.breaches) == expected.feasible, plan
        assert measured.goal_values()[-1] == expected.worst, plan
    assert len(best_of(found)) == 4
    assert found[best_of(found)[0]] == Found(True, Fraction(89, 140), Fraction(101, 140))


OTHER_NUMBERS: dict[str, dict[tuple[str, str, str], str]] = {
    "RiO draws more": {
        ("workloads", "RIO", "power_kw"): "4.4",
        ("workloads", "RIO-R", "failover_power_kw"): "4.4",
        ("workloads", "BIW", "power_kw"): "1.1",
    },
    "less cooling at B": {("sites", "B", "power_kw"): "12"},
    "A and B exchanged": {("sites", "A", "power_kw"): "14", ("sites", "B", "power_kw"): "16"},
    "no dual run": {("workloads", "IPM", "to"): "2016-04-01"},
    "archive of i.PM stays, email comes last": {
        ("workloads", "IPM", "to"): "",
        ("workloads", "EML", "from"): "2016-09-29",
    },
    "few racks": {("sites", "A", "rack_units"): "46", ("sites", "B", "rack_units"): "54"},
    "a failover that only A can carry": {("workloads", "VDI-R", "failover_power_kw"): "6"},
    "too little at B": {("sites", "B", "power_kw"): "6"},
}


@pytest.mark.parametrize("changes", OTHER_NUMBERS.values(), ids=OTHER_NUMBERS)
def test_cumbria_with_other_numbers(changes: dict[tuple[str, str, str], str], tmp_path: Path):
    """Loads, sites and dates changed: the plan is the smallest of the best ones that were worked out, or none is."""
    folder = tmp_path / "cumbria"
    shutil.copytree(CHECKOUT / CUMBRIA, folder)
    for name, text in edit_tables(folder, changes).items():
        (folder / name).write_text(text, "utf-8")
    tables = Tables.of(folder)
    found = worked_out(tables)
    problem = problem_in(folder)
    result = solve_in_python(problem.inventory, problem.model)
    best = best_of(found)
    if not best:
        assert result.status == "infeasible"
        return
    assert result.status == "optimal"
    assert sites(result) == dict(zip(tables.ids, best[0], strict=True))
    assert result.measured is not None
    assert result.measured.goal_values()[-1] == found[best[0]].worst


def test_cumbria_says_what_the_loss_of_each_site_means(cumbria: Run):
    """10.1 of 14 kW at Whitehaven after the loss of Carlisle, 11.2 of 16 kW the other way round."""
    assert "A: BIW, NET-A down with it; 3 carried by B, B power_kw then 72.1 % full" in cumbria.said.text
    assert "B: FIL, IPM, NET-B down with it; 1 carried by A, A power_kw then 70 % full" in cumbria.said.text
