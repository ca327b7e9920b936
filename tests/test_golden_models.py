"""Golden runs of the shipped models, each on an inventory for which the answer can be worked out."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import pytest

from capplan.load import read_inventory, read_model
from capplan.solving import solve as solve_in_python
from tests.small import sites
from tests.test_golden_cumbria import CUMBRIA, Tables, worked_out
from tests.test_golden_inventories import CHECKOUT, DUDLEY, LONDON, REMOTE, assert_proved_optimal, solve

pytestmark = pytest.mark.golden


def goals(facts: Mapping[str, list[dict[str, float]]]) -> dict[str, float]:
    return {str(goal["goal"]): goal["value"] for goal in facts["goals"]}


def test_consolidate_keeps_no_more_sites_than_there_must_be(tmp_path: Path):
    """Seven offices are pinned and 27 remote fte do not fit into one hub of 20: nine sites, then the least money."""
    run = solve(tmp_path / "run", LONDON, "-m", "consolidate")
    assert_proved_optimal(run)
    assert goals(run.facts)["sites_used"] == 9
    assert run.cost() == 1_294_000


def test_consolidate_switches_fill_off(tmp_path: Path):
    """The model extends standard, whose rules it keeps, and does not apply a least use of sites."""
    model, standard = read_model("consolidate"), read_model("standard")
    assert model.headroom == standard.headroom
    assert (model.rules["fill"], "fill" in standard.rules) == (None, False)
    folder = tmp_path / "dudley"
    shutil.copytree(CHECKOUT / DUDLEY, folder)
    table = (folder / "sites.csv").read_text("utf-8").splitlines()
    (folder / "sites.csv").write_text(f"{table[0]},fill_power_kw\n{table[1]},50\n", "utf-8")
    # The warehouse and all that is there now are 32.2 kW: with X, Y and Z still less than 50.
    assert solve_in_python(read_inventory(folder), standard).status == "infeasible"
    assert solve_in_python(read_inventory(folder), model).status == "optimal"


def test_resilient_keeps_what_falls_to_a_survivor_within_its_capacity():
    """In one year from October 2015 all of Cumbria's systems run: the smallest of the 104 feasible plans is taken."""
    tables = Tables.of(CHECKOUT / CUMBRIA)
    feasible = sorted(plan for plan, one in worked_out(tables).items() if one.feasible)
    model = read_model("resilient")
    assert "survive_site_loss" in model.rules
    result = solve_in_python(read_inventory(CHECKOUT / CUMBRIA), model)
    assert sites(result) == dict(zip(tables.ids, feasible[0], strict=True))


def test_low_carbon_takes_the_plan_with_the_least_carbon(tmp_path: Path):
    """Cumbria with 207.05 g at A and 55 g at B: kW x days x 24 x pue x g, worked out for every assignment."""
    folder = tmp_path / "cumbria"
    shutil.copytree(CHECKOUT / CUMBRIA, folder)
    grams = {"A": Fraction("1.2") * Fraction("207.05"), "B": Fraction("1.5") * Fraction(55)}
    head, *rows = (folder / "sites.csv").read_text("utf-8").splitlines()
    extra = {"A": "1.2,207.05", "B": "1.5,55"}
    lines = [f"{head},pue,carbon_g_kwh", *(f"{row},{extra[row[0]]}" for row in rows)]
    (folder / "sites.csv").write_text("\n".join(lines) + "\n", "utf-8")

    tables = Tables.of(folder)
    # One period of 365 days from 2015-10-01: RIO runs the last 182 of them, IPM all but the last.
    days = {"RIO": 182, "RIO-R": 182, "IPM": 364}
    whole_year = ("2015-10-01", "2016-09-30")

    def kilograms(plan: Mapping[str, str]) -> Fraction:
        each = (Fraction(row["power_kw"]) * days.get(w, 365) * grams[plan[w]] for w, row in tables.workloads.items())
        return sum(each, Fraction(0)) * 24 / 1000

    def fits(plan: Mapping[str, str]) -> bool:
        load = {site: tables.load(plan, site, whole_year, "power_kw") for site in tables.sites}
        return load["A"] <= Fraction("12.8") and load["B"] <= Fraction("11.2")

    plans = [plan for plan in tables.assignments() if fits(plan)]
    best = min(plans, key=lambda plan: (kilograms(plan), [plan[w] for w in tables.ids]))
    result = solve_in_python(read_inventory(folder), read_model("low-carbon"))
    assert sites(result) == best
    assert result.measured is not None
    named = dict(zip((goal.name for goal in result.measured.program.goals), result.measured.program.goals, strict=True))
    assert named["carbon"].natural(named["carbon"].value(result.measured.values.x)) == kilograms(best)


def test_least_moves_moves_only_what_cannot_stay(tmp_path: Path):
    """The seven remote services may not stay in their offices; nothing else moves, and the links then cost least."""
    run = solve(tmp_path / "run", LONDON, "-m", "least-moves")
    assert_proved_optimal(run)
    assert goals(run.facts)["moves"] == 7
    assert {row["workload"] for row in run.table("allocation") if row["moved"] == "yes"} == set(REMOTE)
    assert run.cost() == 1_294_000
