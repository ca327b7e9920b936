"""The best purchases for a given allocation, over purchases only."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given

from capplan.completing import complete
from tests.oracle import Plan as TheirPlan
from tests.small import measured, problem
from tests.test_golden_inventories import capplan
from tests.test_laws import case_of, lawful, plans
from tests.worlds import World, worlds

TABLES = {
    "sites": "site,power_kw\nA,1.25\nB,1.25\n",
    "workloads": "workload,organisation,power_kw\nW1,O,1\nW2,O,2\nW3,O,2\n",
    "expansions": "expansion,site,resource,amount,cost,max\nDEAR,A,power_kw,5,900,1\nCHEAP,A,power_kw,2.5,100,2\n",
}


def test_the_cheapest_that_is_enough_is_bought():
    """3 kW at A need 3.75 with headroom, 2.5 more than there is: one cheap step."""
    plan = measured(problem(TABLES), W1="A", W2="A").plan
    found = complete(problem(TABLES), plan)
    assert found is not None
    assert found.bought == {("CHEAP", 0, 0): 1}
    assert [breach.rule for breach in found.measured.breaches] == ["left_out"]


def test_what_no_purchase_mends_stays_short():
    """Nothing can be bought at B, and A takes what it needs all the same."""
    plan = measured(problem(TABLES), W1="A", W2="A", W3="B").plan
    found = complete(problem(TABLES), plan)
    assert found is not None
    assert found.bought == {("CHEAP", 0, 0): 1}
    assert [breach.subject for breach in found.measured.breaches] == ["B power_kw"]


@lawful
@given(worlds("expansions", "licences"))
def test_purchases_are_the_best_of_all_there_are(world: World):
    """Where some purchases make an allocation keep every rule, the completion does, and no others are better."""
    case = case_of(world)
    decisions = list(case.oracle.decisions())
    for theirs in list(plans(case))[:3]:
        tried = [case.oracle.measure(TheirPlan(theirs.sites, bought)) for bought in decisions]
        good = [case.oracle.goal_values(m) for m in tried if not m.broken]
        if good:
            found = complete(case.problem, case.plan(theirs))
            assert found is not None
            assert not found.measured.breaches
            goals = found.measured.program.goals
            ours = [goal.natural(value) for goal, value in zip(goals, found.measured.goal_values(), strict=True)]
            flat = [v for value in min(good) for v in (list(value) or [0] if isinstance(value, tuple) else [value])]
            assert ours == flat


def test_check_says_what_to_buy(tmp_path: Path):
    """The shipped contract of `skills`: nothing is bought yet, and the best purchases are named with their price."""
    allocation = tmp_path / "allocation.csv"
    allocation.write_text("workload,site\nRIO,TEAM\nNET,TEAM\nDW,TEAM\nDESK,TEAM\n", "utf-8")
    said = capplan("check", "inventories/skills", "--allocation", allocation)
    assert said.code == 1
    assert "What to buy for this allocation" in said.out
    assert "CON-NET at TEAM, 110 steps of +1 network_days: £34,210 running cost" in said.out
    assert "In all £202,772.50 more, the best there is." in said.out
    found = json.loads(capplan("check", "inventories/skills", "--allocation", allocation, "--json").out)["completion"]
    assert (found["cost"], found["proved"], found["still_short"]) == (202772.5, True, [])
