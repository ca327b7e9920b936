"""Examples of `zone`, `tenancy`, `fill`, `budget` and `moves` that a reader can check on paper; laws: test_laws.py."""

from __future__ import annotations

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
