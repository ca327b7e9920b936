"""Golden runs: the shipped inventories, solved by the command line, against figures worked out by hand.

The arithmetic of each figure stands beside it, so that a reader can check it on paper.
"""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
DUDLEY = "inventories/dudley"
LONDON = "inventories/north-central-london"

pytestmark = pytest.mark.golden


@dataclass(frozen=True)
class Said:
    """What one call of the command line said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


@dataclass(frozen=True)
class Run:
    """A finished ``capplan solve``: what it said and the folder it saved."""

    said: Said
    folder: Path

    @property
    def facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads((self.folder / "run.json").read_text("utf-8"))
        return facts

    def table(self, name: str) -> list[dict[str, str]]:
        with (self.folder / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    def cost(self) -> Fraction:
        return sum((Fraction(row["amount"]) for row in self.table("costs")), Fraction(0))

    def cost_by(self, column: str) -> dict[str, Fraction]:
        amounts: dict[str, Fraction] = defaultdict(Fraction)
        for row in self.table("costs"):
            amounts[row[column]] += Fraction(row["amount"])
        return {key: amount for key, amount in amounts.items() if amount}

    def sites(self) -> dict[str, str]:
        return {row["workload"]: row["site"] for row in self.table("allocation") if row["status"] == "placed"}

    def left_out(self) -> set[str]:
        return {row["workload"] for row in self.table("allocation") if row["status"] == "left_out"}

    def site_row(self, site: str, resource: str) -> dict[str, str]:
        rows = [r for r in self.table("sites") if (r["site"], r["resource"]) == (site, resource)]
        assert len(rows) == 1, "one period, so one row for each site and resource"
        return rows[0]


def capplan(*arguments: str | Path) -> Said:
    """Call the command line as a user does, at the top of the checkout."""
    command = [sys.executable, "-m", "capplan", *map(str, arguments)]
    environment = {**os.environ, "NO_COLOR": "1", "PYTHONUTF8": "1", "COLUMNS": "200"}
    done = subprocess.run(
        command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, encoding="utf-8", check=False
    )
    return Said(done.returncode, done.stdout, done.stderr)


def solve(folder: Path, inventory: str, *options: str) -> Run:
    """Solve a shipped inventory into ``folder``."""
    return Run(capplan("solve", inventory, "-o", folder, *options), folder)


def assert_proved_optimal(run: Run) -> None:
    """The status is optimal and every goal meets its bound."""
    assert run.facts["status"] == "optimal"
    for goal in run.facts["goals"]:
        assert Fraction(str(goal["value"])) == Fraction(str(goal["bound"])), goal
        assert Fraction(str(goal["gap"])) == 0, goal


def edit(table: Path, workload: str, to: Path, **cells: str) -> Path:
    """Save a copy of an allocation with some cells of one row changed, as a spreadsheet would."""
    with table.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        columns, rows = list(reader.fieldnames or []), list(reader)
    for row in rows:
        if row["workload"] == workload:
            row.update(cells)
    with to.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return to


# ---------------------------------------------------------------- Dudley

EXISTING = {
    *("RYK-epr", "RYK-email", "RYK-desktop", "RYK-file"),
    *("TAJ-epr", "TAJ-email", "TAJ-desktop", "TAJ-file"),
    *("RNA-epr", "RNA-email", "RNA-desktop", "RNA-network"),
    *("WMHCS-server", "WMHCS-email", "CSU-server"),
}
WAREHOUSE = {"PDW-data", "PDW-control"}


@pytest.fixture(scope="module")
def dudley(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return solve(tmp_path_factory.mktemp("dudley") / "run", DUDLEY)


def test_dudley_is_solved_and_proved(dudley: Run):
    """The main job ends with a proved optimum and names the folder it saved, last of all."""
    assert dudley.said.code == 0, dudley.said.text
    assert_proved_optimal(dudley)
    assert dudley.said.out.rstrip().splitlines()[-1].strip() == str(dudley.folder)


def test_dudley_admits_x_and_y_and_leaves_z(dudley: Run):
    """All three need 20 + 14 + 12 = 46 U of the 34 free; of the pairs X and Y bring the most, 205,000."""
    assert dudley.sites() == dict.fromkeys(EXISTING | WAREHOUSE | {"X-hosting", "Y-hosting"}, "DUDLEY")
    assert dudley.left_out() == {"Z-hosting"}
    [left] = dudley.table("left_out")
    assert (left["workload"], Fraction(left["value"])) == ("Z-hosting", 80_000)


def test_dudley_buys_the_fourth_module_and_nothing_else(dudley: Run):
    """24.0 + 5.6 + 2.6 = 32.2 kW do not fit into 36 x 0.8 = 28.8; a module more makes 54 x 0.8 = 43.2."""
    [bought] = dudley.table("purchases")
    assert (bought["purchase"], bought["site"], bought["steps"]) == ("UPS-4", "DUDLEY", "1")
    assert (Fraction(bought["cost"]), Fraction(bought["cost_once"])) == (1_200, 12_000)


def test_dudley_fills_the_racks_and_not_the_power(dudley: Run):
    """32.2 + 4.0 + 3.0 = 39.2 kW of 43.2; 194 + 84 + 20 + 14 = 312 U of 312: rack units bind."""
    power, racks = dudley.site_row("DUDLEY", "power_kw"), dudley.site_row("DUDLEY", "rack_units")
    columns = ("capacity", "usable", "used", "free")
    assert [Fraction(power[c]) for c in columns] == [54, Fraction("43.2"), Fraction("39.2"), 4]
    assert [Fraction(racks[c]) for c in columns] == [312, 312, 312, 0]
    assert float(power["utilisation"]) == pytest.approx(39.2 / 36, abs=1e-4), "bought capacity does not count"


def test_dudley_costs_reconcile_to_the_penny(dudley: Run):
    """A kilowatt costs 8,760 x 1.6 x 0.125 = 1,752 a year: 39.2 of them 68,678.40; the module 13,200."""
    assert dudley.cost_by("kind") == {"energy": Fraction("68678.40"), "purchase": Fraction(13_200)}
    assert dudley.cost() == Fraction("81878.40")
    energy = [row for row in dudley.table("costs") if row["kind"] == "energy" and row["organisation"] == "CSU"]
    assert sum(Fraction(row["amount"]) for row in energy) == Fraction("9.8") * 1_752


def test_dudley_as_it_stands_is_short_of_power(tmp_path: Path):
    """Without a purchase 32.2 kW stand against 28.8: proved infeasible, short 3.4 kW, no plan is saved."""
    run = solve(tmp_path / "run", DUDLEY, "--scenario", "as-is")
    assert run.said.code == 3, run.said.text
    assert "3.4 kW" in run.said.text
    assert run.facts["status"] == "infeasible"
    assert not (run.folder / "allocation.csv").exists()


def test_dudley_plan_passes_its_own_check(dudley: Run):
    """What solve saved breaks no rule when it is measured again from the files."""
    said = capplan("check", dudley.folder)
    assert said.code == 0, said.text


def test_dudley_edit_that_admits_z_is_12_units_too_many(dudley: Run, tmp_path: Path):
    """A planner who adds Z by hand is told by how much: 312 + 12 U against 312 (41.8 kW would fit)."""
    edited = edit(dudley.folder / "allocation.csv", "Z-hosting", tmp_path / "a.csv", status="placed", site="DUDLEY")
    said = capplan("check", dudley.folder, "--allocation", edited)
    assert said.code == 1, said.text
    assert re.search(r"\b12 U\b", said.text), said.text


def test_dudley_allocation_without_its_purchase_is_short_10_4_kw(dudley: Run):
    """Measured against the inventory alone, where nothing is bought, 39.2 kW stand against 28.8."""
    said = capplan("check", DUDLEY, "--allocation", dudley.folder / "allocation.csv")
    assert said.code == 1, said.text
    assert "10.4 kW" in said.text


# ---------------------------------------------------------------- North Central London

HUB = {"5A9": "H1", "5C1": "H1", "5C9": "H1", "RKE": "H1", "5K7": "H2", "5K8": "H2", "TAF": "H2"}
ON_SITE = {f"{organisation}-onsite": f"{organisation}-office" for organisation in HUB}
REMOTE = {f"{organisation}-remote": hub for organisation, hub in HUB.items()}


@pytest.fixture(scope="module")
def london(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return solve(tmp_path_factory.mktemp("london") / "run", LONDON)


def test_london_finds_the_one_best_assignment(london: Run):
    """Links alone vary; the cheapest put 15 fte into H2, which holds 14, and moving RKE costs least."""
    assert london.said.code == 0, london.said.text
    assert_proved_optimal(london)
    assert london.sites() == ON_SITE | REMOTE
    assert london.left_out() == set()
    moved = {row["workload"] for row in london.table("allocation") if row["moved"] == "yes"}
    assert moved == set(REMOTE)


def test_london_hubs_hold_14_and_13(london: Run):
    """H1 carries 5 + 4 + 3 + 2 = 14 of 20 fte, H2 carries 4 + 4 + 5 = 13 of 14."""
    used = {hub: london.site_row(hub, "fte") for hub in ("H1", "H2")}
    assert {hub: (Fraction(row["used"]), Fraction(row["capacity"])) for hub, row in used.items()} == {
        "H1": (14, 20),
        "H2": (13, 14),
    }


def test_london_costs_reconcile(london: Run):
    """Staff 7 x 50,000 + 27 x 30,000, two hubs at 57,500, links 2 + 3 + 3 + 4 + 3 + 2 + 2 = 19 thousand."""
    assert london.cost_by("kind") == {
        "resource": Fraction(7 * 50_000 + 27 * 30_000),
        "site": Fraction(2 * 57_500),
        "placement": Fraction(19_000),
    }
    assert london.cost() == 1_294_000


def test_london_saving_is_shown_against_today(london: Run):
    """Today 34 fte at 50,000 are 1,700,000; 406,000 less is 23.88 %, and 25 % is missed by 19,000."""
    baseline = Fraction(london.facts["baseline"]["cost"])
    assert baseline == 34 * 50_000
    saving = baseline - london.cost()
    assert saving == 406_000
    assert round(float(saving / baseline), 4) == 0.2388
    assert london.cost() - baseline * 3 / 4 == 19_000
    for figure in ("£1,294,000", "£1,700,000", "£406,000", "23.88 %"):
        assert figure in london.said.out, figure


def test_london_supplier_exit_lists_what_has_no_home(tmp_path: Path):
    """Without both hubs every remote service is left out, by name, and every on-site team stays."""
    run = solve(tmp_path / "run", LONDON, "--scenario", "supplier-exit")
    assert run.said.code == 0, run.said.text
    assert_proved_optimal(run)
    assert run.sites() == ON_SITE
    assert run.left_out() == set(REMOTE)
    assert {row["workload"] for row in run.table("left_out")} == set(REMOTE)
    assert run.cost() == 7 * 50_000
