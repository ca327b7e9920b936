"""Examples of `share` that a reader can check on paper; the laws are in test_laws.py."""

from __future__ import annotations

from pathlib import Path

from capplan.compile import problem_of
from capplan.errors import Faults
from capplan.load import read_model
from tests.small import measured, messages, problem, solved

DAYS = """resources:
  a_days: {unit: days, step: 1}
  b_days: {unit: days, step: 0.5}
  pool_days: {unit: days, step: 1}
"""
TABLES = {
    "sites": "site,a_days,b_days,pool_days\nT,0,0,0\n",
    "workloads": "workload,organisation,a_days,b_days\nA,O,60,\nB,O,,40\n",
    "expansions": "expansion,site,resource,amount,cost,max,kind\n"
    "PA,T,a_days,50,1000,2,yearly\nCA,T,a_days,1,30,99,yearly\n"
    "PB,T,b_days,50,1000,2,yearly\nCB,T,b_days,0.5,12,200,yearly\n",
}


def model(part: str) -> str:
    cap = f"{{name: contractors, purchases: [CA, CB], of: [a_days, b_days], at_most: {part}}}"
    return f"extends: standard\nrules: {{share: {{caps: [{cap}]}}}}\n"


def bought(tables: dict[str, str], part: str) -> dict[str, int]:
    found = solved(problem(tables, model(part), DAYS))
    assert found.measured is not None
    return {name: steps for (name, _, _), steps in found.measured.plan.bought.items()}


def test_the_part_decides_how_many_posts_there_are():
    """100 days: with half of them 10 + 40 = 50 days of contractors; with less the 40 need a post of their own."""
    assert bought(TABLES, "50%") == {"PA": 1, "CA": 10, "CB": 80}
    assert bought(TABLES, "49.9%") == {"PA": 1, "CA": 10, "PB": 1}


def test_days_of_different_steps_are_added_in_one_unit():
    small = problem(TABLES, model("49.5%"), DAYS)
    assert messages(measured(small, {"PA": "1", "CA": "10", "CB": "80"}, A="T", B="T")) == [
        "contractors: short 0.5 days"
    ]


def test_a_person_with_two_skills_is_counted_once():
    """A post of 50 days serves both skills, but 100 are needed: two such posts, not one for each of the two."""
    pooled = TABLES | {
        "expansions": "expansion,site,resource,amount,cost,max,kind\nP,T,pool_days,50,1000,9,yearly\n"
        "TA,T,pool_days,-1,,99,yearly\nTA,T,a_days,1,,99,yearly\nTB,T,pool_days,-1,,99,yearly\nTB,T,b_days,1,,99,yearly\n",
    }
    found = solved(problem(pooled, "extends: standard\n", DAYS))
    assert found.measured is not None
    assert {name: n for (name, _, _), n in found.measured.plan.bought.items()} == {"P": 2, "TA": 60, "TB": 40}


def test_names_and_units_that_cannot_be(tmp_path: Path):
    wrong = model("10%").replace("CB]", "CBB]").replace("b_days]", "power_kw]")
    tables = TABLES | {"sites": "site,a_days,b_days,pool_days,power_kw\nT,0,0,0,1\n"}
    small = problem(tables, "extends: standard\n", DAYS)
    (tmp_path / "m.yaml").write_text("format: 1\n" + wrong, "utf-8")
    faults = Faults()
    problem_of(small.inventory, read_model(tmp_path / "m.yaml"), faults)
    assert [fault.code for fault in faults.sorted()] == ["unknown-reference", "unit-basis-mismatch"]
