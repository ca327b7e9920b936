"""Examples of `zone`, `tenancy`, `fill`, `budget` and `moves` that a reader can check on paper; laws: test_laws.py."""

from __future__ import annotations

import pytest

from capplan.checking import offered
from capplan.errors import BadInput
from tests.small import measured, messages, problem, sites, solved


def test_zones_are_the_workloads_own_or_its_organisations():
    """A takes clinical data only; O's zone is clinical, one workload of it is research."""
    tables = {
        "organisations": "organisation,zone\nO,clinical\n",
        "sites": "site,power_kw,zones\nA,10,clinical\nB,10,\n",
        "workloads": "workload,organisation,power_kw,zone\nEPR,O,1,\nTRIAL,O,1,research\n",
    }
    small = problem(tables)
    assert sites(solved(small)) == {"EPR": "A", "TRIAL": "B"}
    assert messages(measured(small, EPR="A", TRIAL="A")) == ["TRIAL at A: its zone is research, A takes clinical"]


def test_a_dedicated_site_serves_one_organisation():
    """D shares with nobody: the two others are together elsewhere."""
    tables = {
        "organisations": "organisation,tenancy\nD,dedicated_site\nO,\nP,shared\n",
        "sites": "site,power_kw,open_cost\nA,10,100\nB,10,100\nC,10,100\n",
        "workloads": "workload,organisation,power_kw\nW1,D,1\nW2,O,1\nW3,P,1\n",
    }
    small = problem(tables)
    assert sites(solved(small)) == {"W1": "A", "W2": "B", "W3": "B"}
    assert "D at A" in messages(measured(small, W1="A", W2="A", W3="B"))[0]


def test_a_site_is_filled_or_closed():
    """B opens for 4 kW at least: one workload of 3 kW there is too little, two are enough."""
    tables = {
        "sites": "site,power_kw,fill_power_kw\nA,100,\nB,10,4\n",
        "workloads": "workload,organisation,power_kw\nW1,O,3\nW2,O,3\n",
    }
    small = problem(tables)
    assert (
        messages(measured(small, W1="A", W2="B")) == ["B power_kw: need 4 kW, used 3 kW: short 1 kW"]
        or "B power_kw" in messages(measured(small, W1="A", W2="B"))[0]
    )
    assert messages(measured(small, W1="B", W2="B")) == []


def test_ceilings_on_yearly_one_off_and_all_money():
    """A costs £100 a year and £500 once, B £200 a year: each ceiling leaves the other site."""
    tables = {
        "sites": "site,power_kw,open_cost,open_cost_once\nA,10,100,500\nB,10,200,\n",
        "workloads": "workload,organisation,power_kw\nW,O,1\n",
    }
    for ceiling, site in (("per_year: 150", "A"), ("once: 499.99", "B"), ("total: 200", "B"), ("once: 500", "B")):
        found = solved(problem(tables, f"extends: standard\nrules: {{budget: {{{ceiling}}}}}\n"))
        assert sites(found) == {"W": site}, ceiling
    short = measured(problem(tables, "extends: standard\nrules: {budget: {total: 150}}\n"), W="B")
    assert messages(short) == ["money: need 200 GBP, limit 150 GBP: short 50 GBP"]


MOVES = {
    "organisations": "organisation\nO\nP\n",
    "sites": "site,power_kw,cost_power_kw\nA,10,100\nB,10,1\n",
    "workloads": "workload,organisation,power_kw,current_site\nW1,O,2,A\nW2,O,2,A\nW3,P,2,A\n",
}


def test_moves_are_limited_in_all_for_an_organisation_and_in_a_period():
    """Everything would go to B, the cheaper site."""
    assert sorted(sites(solved(problem(MOVES))).values()) == ["B", "B", "B"]
    for limit, moved in (("at_most: 1", 1), ("per_organisation: 1", 2), ("per_period: 2", 2)):
        found = sites(solved(problem(MOVES, f"extends: standard\nrules: {{moves: {{{limit}}}}}\n")))
        assert sum(site == "B" for site in found.values()) == moved, limit


def test_a_move_may_count_at_both_ends():
    """A holds 8 kW usable, all in use. W4 can come in only when nothing that leaves in the same period still counts."""
    tables = MOVES | {
        "workloads": "workload,organisation,power_kw,current_site,pinned_site\nW1,O,4,A,B\nW2,O,4,A,A\nW4,P,4,,A\n",
    }
    tables["sites"] = "site,power_kw\nA,10\nB,10\n"
    assert solved(problem(tables)).status == "optimal"
    both = problem(tables, "extends: standard\nrules: {moves: {both_ends: true}}\n")
    assert solved(both).status == "infeasible"
    assert messages(measured(both, W1="B", W2="A", W4="A")) == [
        "A power_kw while moving: need 12 kW, usable 8 kW (10 less 20 % headroom): short 4 kW; "
        "largest: W1 4, W2 4, W4 4"
    ]


def test_only_some_resources_may_count_at_both_ends():
    """W1 keeps its 5 GB at A, which has 8 and must hold W4's 4, while it moves; its cores are free at once."""
    tables = {
        "sites": "site,cores,memory_gb\nA,8,8\nB,8,8\n",
        "workloads": "workload,organisation,cores,memory_gb,current_site\nW1,O,5,5,A\nW4,O,5,4,\n",
    }
    for both, broken in (("[memory_gb]", ["memory_gb"]), ("[]", []), ("true", ["cores", "memory_gb"])):
        small = problem(tables, f"extends: standard\nrules: {{moves: {{both_ends: {both}}}}}\n")
        found = messages(measured(small, W1="B", W4="A"))
        assert [text.split()[1] for text in found] == broken, both


def test_a_resource_that_counts_at_both_ends_must_exist():
    """The place of the name in the model, and what was probably meant."""
    with pytest.raises(BadInput, match=r'model.yaml:4:\d+: .*no resource .* named "power".*power_kw'):
        problem(MOVES, "extends: standard\nrules: {moves: {both_ends: [power_kw, power]}}\n")


def test_both_ends_is_a_switch_or_a_list_and_one_fault_otherwise():
    """Neither the name of one resource nor a word that some readers of YAML take for true."""
    for wrong in ("power_kw", "yes"):
        with pytest.raises(BadInput) as caught:
            problem(MOVES, f"extends: standard\nrules: {{moves: {{both_ends: {wrong}}}}}\n")
        (fault,) = caught.value.faults
        assert fault.fix == "write true, false or a list of resources"


def test_the_service_that_moves_most_has_a_price():
    """Two of email move and one of epr: twice £30. What is of no service does not count."""
    rows = ["W1,O,email,A", "W2,O,email,A", "W3,O,epr,A", "W4,O,,A", "W5,O,,A", "W6,O,,A"]
    tables = {
        "sites": "site\nA\nB\n",
        "workloads": "workload,organisation,service,current_site\n" + "\n".join(rows) + "\n",
    }
    small = problem(tables, "extends: standard\nrules: {moves: {busiest_service_once: 30}}\n")
    plan = measured(small, W1="B", W2="B", W3="B", W4="B", W5="B", W6="B")
    assert [(entry.kind, entry.label, entry.pence) for entry in plan.entries] == [("purchase", "busiest service", 6000)]


def test_a_move_costs_what_the_way_costs_beside_the_workloads_own():
    """From A to B W1 pays £12.50 beside its own £100; from B to A is free, from A to C is not listed."""
    tables = {
        "sites": "site\nA\nB\nC\n",
        "workloads": "workload,organisation,current_site,move_cost_once\nW1,O,A,100\nW2,O,B,\nW3,O,A,7\nW4,O,,9\n",
        "move_costs": "current_site,site,cost_once\nA,B,12.50\nB,A,0\nA,A,99\n",
    }
    plan = measured(problem(tables), W1="B", W2="A", W3="C", W4="B")
    assert {entry.workload: entry.pence for entry in plan.entries} == {0: 11250, 2: 700}


BALANCE = {
    "sites": "site,cores,memory_gb,to\nA,32,128,\nB,10,unlimited,\nC,10,16,2016-07-01\n",
    "workloads": "workload,organisation,cores,memory_gb\nW,O,12,68\n",
}


def test_what_is_short_of_balance_is_paid_by_the_days_a_site_exists():
    """A lacks 4 × 20 − 60 = 20 GB, C 4 × 10 − 16 = 24 GB for 182 of 365 days; B has as much as anyone could want."""
    pairs = "{free: cores, needs: memory_gb, times: 4, price: 2}"
    small = problem(BALANCE, f"extends: standard\nrules: {{balance: {{pairs: [{pairs}]}}}}\n")
    plan = measured(small, W="A")
    assert messages(plan) == []
    assert {entry.site: entry.pence for entry in plan.entries} == {0: 4000, 2: 2393}


def test_pairs_that_make_no_sense_are_faults():
    """Each at its place in the model."""
    pairs = ["free: cores, needs: cores", "free: core, needs: memory_gb", *["free: cores, needs: memory_gb"] * 2]
    model = "extends: standard\nrules:\n  balance:\n    pairs:\n" + "".join(f"    - {{{pair}}}\n" for pair in pairs)
    with pytest.raises(BadInput) as caught:
        problem(BALANCE, model)
    assert [(fault.place.line, fault.code) for fault in caught.value.faults] == [
        (7, "contradictory-rules"),
        (8, "unknown-reference"),
        (10, "contradictory-rules"),
    ]


PRICED = """extends: standard
rules:
  capacity: {safety: {cores: 10}}
  moves: {busiest_service_once: 1}
  balance: {pairs: [{free: cores, needs: memory_gb, times: 4, price: 2}]}
goals: [cost]
"""


def test_amounts_that_follow_from_a_plan_have_names_that_a_checked_plan_may_list():
    """``purchases.csv`` of a run names them, and ``check`` reads it. 20 GB are 200 steps of 0.1."""
    tables = BALANCE | {"sites": "site,cores,memory_gb,safety_cores\nA,32,128,4\n"}
    small = problem(tables, PRICED)
    assert offered(small)[1] == {"over safety cores", "busiest service", "short 4 memory_gb per cores"}
    listed = next(table.rows for table in solved(small).tables if table.name == "purchases")
    assert [(row[0], row[3], row[5]) for row in listed] == [
        ("over safety cores", "8", "80.00"),
        ("short 4 memory_gb per cores", "200", "40.00"),
    ]


def test_what_only_has_a_price_does_not_stand_in_the_way():
    """W is worth less than what is paid above the safety level: it would fit."""
    tables = {
        "sites": "site,cores,memory_gb,safety_cores\nA,32,128,4\n",
        "workloads": "workload,organisation,cores,memory_gb,value\nW,O,12,68,1\n",
    }
    found = solved(problem(tables, PRICED.replace("[cost]", "[{cost: 1, forgone: 1}]")))
    reasons = next(table.rows for table in found.tables if table.name == "left_out")
    assert [row[-1] for row in reasons] == ["A: would fit; the goals prefer to leave it out"]
