"""What is broken today may be declared "mend if you can, never worsen"."""

from __future__ import annotations

from tests.small import measured, messages, problem, sites, solved

# A holds 12 kW of workloads and may hold 8 (10 less 20 %); B has room for one of 3 kW.
OVERFULL = {
    "sites": "site,power_kw\nA,10\nB,4\n",
    "workloads": "workload,organisation,power_kw,current_site,pinned_site\n"
    "W1,O,3,A,A\nW2,O,3,A,\nW3,O,3,A,A\nW4,O,3,A,A\n",
}
MEND = "extends: standard\nrules: {capacity: {broken_today: mend}}\n"


def test_without_it_what_is_broken_today_is_infeasible():
    """Three pinned workloads of 3 kW do not fit 8 kW."""
    assert solved(problem(OVERFULL)).status == "infeasible"


def test_the_excess_is_mended_as_far_as_it_can_be():
    """W2 moves to B, the rest stays: 9 kW are left of 12, an excess of 1 kW of 4."""
    found = solved(problem(OVERFULL, MEND))
    assert sites(found) == {"W1": "A", "W2": "B", "W3": "A", "W4": "A"}
    assert found.goals[0].goal == "broken today"
    assert abs(found.goals[0].value - 1 / 4) < 1e-4


def test_it_never_gets_worse():
    """Today's plan is tolerated; one that adds to the excess is not."""
    tables = OVERFULL | {"workloads": OVERFULL["workloads"] + "W5,O,1,,\n"}
    small = problem(tables, MEND + "left_out: any\n")
    today = dict.fromkeys(("W1", "W2", "W3", "W4"), "A")
    assert messages(measured(small, **today)) == []
    assert "short 1 kW" in messages(measured(small, **today, W5="A"))[0]


def test_a_forbidden_current_site_is_left_if_possible():
    """W1 may not be at A. It moves when there is room, else it stays; it never goes to another forbidden site."""
    tables = {
        "sites": "site,power_kw\nA,10\nB,4\nC,10\n",
        "workloads": "workload,organisation,power_kw,current_site,forbidden_sites\nW1,O,3,A,A;C\nW2,O,3,,A;C\n",
    }
    mend = "extends: standard\nrules: {allowed: {broken_today: mend}}\n"
    assert solved(problem(tables)).status == "infeasible"
    assert sites(solved(problem(tables, mend))) == {"W1": "A", "W2": "B"}
    roomy = tables | {"sites": "site,power_kw\nA,10\nB,10\nC,10\n"}
    assert sites(solved(problem(roomy, mend))) == {"W1": "B", "W2": "B"}
