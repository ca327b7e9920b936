"""Examples of `survive_site_loss` that a reader can check on paper; the laws are in test_laws.py."""

from __future__ import annotations

from tests.small import measured, messages, problem, solved

ON = "extends: standard\nrules: {survive_site_loss: {}}\n"


def tables(capacity_b: str, failover: str = "") -> dict[str, str]:
    """A runs 6 kW with a copy at B (1 kW standing by); B runs 4 kW of its own."""
    return {
        "sites": f"site,power_kw\nA,20\nB,{capacity_b}\n",
        "workloads": "workload,organisation,power_kw,replica_of,failover_power_kw,pinned_site\n"
        f"EPR,O,6,,,A\nEPR-R,,1,EPR,{failover},B\nLAB,O,4,,,B\n",
    }


def test_the_survivor_carries_its_own_load_and_what_falls_to_it():
    """After the loss of A, B carries 1 + 4 + (6 − 1) = 10 kW: physical 10 is enough, headroom is waived."""
    assert solved(problem(tables("10"), ON)).status == "optimal"
    plan = measured(problem(tables("9.9"), ON), EPR="A", **{"EPR-R": "B"}, LAB="B")
    assert messages(plan) == ["B power_kw: need 10 kW, limit 9.9 kW: short 0.1 kW; largest: LAB 4, EPR-R 1"]


def test_a_replica_may_need_less_than_its_primary_after_failover():
    """With a failover demand of 3 kW, B needs 1 + 4 + (3 − 1) = 7 kW."""
    found = solved(problem(tables("8.75", "3"), ON))
    assert found.status == "optimal"
    row = next(
        r for t in found.tables if t.name == "limits" for r in t.rows if r[:2] == ["survive_site_loss", "B power_kw"]
    )
    assert row[1:] == ["B power_kw", "2016-01-01..2016-12-30", "kW", "8.75", "7", "1.75", "no", "loss of A", ""]


def test_the_worst_loss_counts_not_their_sum():
    """C stands by for A (4 more) and for B (3 more): it needs 2 + 4 = 6 kW, not 2 + 7."""
    three = {
        "sites": "site,power_kw\nA,20\nB,20\nC,7.5\n",
        "workloads": "workload,organisation,power_kw,replica_of,pinned_site\n"
        "X,O,5,,A\nX-R,,1,X,C\nY,O,4,,B\nY-R,,1,Y,C\n",
    }
    found = solved(problem(three, ON))
    row = next(
        r for t in found.tables if t.name == "limits" for r in t.rows if r[:2] == ["survive_site_loss", "C power_kw"]
    )
    assert (row[1], row[5], row[8]) == ("C power_kw", "6", "loss of A")


def test_it_is_off_unless_a_model_asks_for_it():
    """The standard model does not ask."""
    assert solved(problem(tables("6.25"))).status == "optimal"
    assert solved(problem(tables("6.25"), ON)).status == "infeasible"
