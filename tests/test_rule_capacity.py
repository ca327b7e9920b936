"""Examples of `capacity` that a reader can check on paper; the laws are in test_laws.py."""

from __future__ import annotations

import pytest

from capplan.errors import BadInput
from tests.small import measured, messages, problem, sites, solved

CARLISLE = {
    "sites": "site,power_kw\nCarlisle,16\n",
    "workloads": "workload,organisation,power_kw\nRIO,O,9.3\nVDI,O,4.6\n",
}


def test_shortage_is_said_in_kilowatts_after_headroom():
    """16 kW less 20 % is 12.8; 9.3 + 4.6 = 13.9 is 1.1 too much, yet physically it would fit."""
    plan = measured(problem(CARLISLE), RIO="Carlisle", VDI="Carlisle")
    assert messages(plan) == [
        "Carlisle power_kw: need 13.9 kW, usable 12.8 kW (16 less 20 % headroom): short 1.1 kW; "
        "largest: RIO 9.3, VDI 4.6"
    ]
    assert plan.breaches[0].policy_only
    assert str(plan.place(plan.breaches[0].source)).endswith("sites.csv:2")


def test_headroom_scales_the_whole_row_not_each_step():
    """80 % of 68 + 3 × 11 cores is 80.8: 80 fit. Floored per step it would be 54 + 3 × 8 = 78."""
    tables = {
        "sites": "site,cores\nA,68\n",
        "workloads": "workload,organisation,cores\nW,O,80\n",
        "expansions": "expansion,site,resource,amount,cost,max\nhosts,A,cores,11,1000,3\n",
    }
    found = solved(problem(tables, "extends: standard\nheadroom: {cores: 20%}\n"))
    assert sites(found) == {"W": "A"}
    assert found.measured is not None
    assert found.measured.plan.bought == {("hosts", 0, 0): 3}
    rows = next(table.rows for table in found.tables if table.name == "sites")
    assert rows == [["A", "2016-01-01..2016-12-30", "cores", "cores", "101", "80", "80", "0", "1.176471", ""]]


def test_a_purchase_may_use_up_what_another_resource_offers():
    """A rack gives 42 U and takes 2 m² of 5: two racks can be bought, not three."""
    tables = {
        "sites": "site,rack_units,floor_m2\nA,,5\n",
        "workloads": "workload,organisation,rack_units,value\nW1,O,42,9000\nW2,O,42,9000\nW3,O,42,9000\n",
        "expansions": "expansion,site,resource,amount,cost,max\nrack,A,rack_units,42,100,5\nrack,A,floor_m2,-2,,5\n",
    }
    declared = "resources: {floor_m2: {unit: m2, step: 1, description: floor}}\n"
    found = solved(problem(tables, inventory=declared))
    assert sorted(sites(found).values()) == ["", "A", "A"]
    assert found.measured is not None
    assert found.measured.plan.bought == {("rack", 0, 0): 2}


def test_soft_capacity_is_exceeded_at_its_price_only_as_far_as_needed():
    """12.8 kW usable, 13.9 needed: 1.1 kW at £900 a year is £990."""
    found = solved(problem(CARLISLE, "extends: standard\nrules: {capacity: {soft: {power_kw: 900}}}\n"))
    assert found.measured is not None
    assert [(e.kind, e.pence) for e in found.measured.entries] == [("purchase", 99000)]


def test_lesser_of_power_and_cooling_binds():
    """A blank demand for cooling is the power: 9 kW of heat do not fit 10 kW of cooling less 20 %."""
    tables = {
        "sites": "site,power_kw,cooling_kw\nA,100,10\nB,100,\n",
        "workloads": "workload,organisation,power_kw\nW,O,9\n",
    }
    assert sites(solved(problem(tables))) == {"W": "B"}


def test_growth_is_exact_and_rounded_up_to_the_step():
    """10 servers at 8 % a year are 12.597… after three years: 13; in floating point 100 × 1.1 would be 111."""
    tables = {
        "sites": "site,servers\nA,110\n",
        "workloads": "workload,organisation,servers,growth\nW1,O,10,0.08\nW2,O,100,0.1\n",
    }
    declared = "resources: {servers: {unit: servers, step: 1, description: hosts}}\n"
    model = "extends: standard\nleft_out: any\nperiods: {cuts: [2017-01-01, 2017-01-02, 2019-01-01, 2019-01-02]}\n"
    small = problem(tables, model, declared)
    assert small.demand[:, 0, :].tolist() == [[11, 13, 13], [110, 134, 134]]


def test_a_workload_larger_than_any_site_is_named_before_solving():
    """12 kW fit no site of 10, even with the 1 kW that can be bought: bad input, unless it may be left out."""
    tables = {
        "sites": "site,power_kw\nA,10\nB,8\n",
        "workloads": "workload,organisation,power_kw,value\nW1,O,12,\nW2,O,12,500\n",
        "expansions": "expansion,site,resource,amount\nups,A,power_kw,1\n",
    }
    with pytest.raises(BadInput) as caught:
        problem(tables)
    assert [(fault.code, str(fault.severity)) for fault in caught.value.faults] == [
        ("workload-too-large", "error"),
        ("workload-too-large", "warning"),
    ]
    assert "W1 needs 12 kW, no site offers more than 11 kW of power_kw, everything bought" in str(caught.value)


def test_a_purchase_may_save_money_and_is_rounded_like_any_other():
    """Giving back 1 kW saves £1 a year: for 91 of 365 days two of them save 49.86 p, which is 50 p."""
    tables = {
        "sites": "site,power_kw\nA,10\n",
        "workloads": "workload,organisation,power_kw\nW,O,2\n",
        "expansions": "expansion,site,resource,amount,cost,max\nless,A,power_kw,-1,-1,2\n",
    }
    found = solved(problem(tables, "extends: standard\nperiods: {cuts: [2016-01-01, 2016-04-01]}\n"))
    assert found.measured is not None
    assert found.measured.plan.bought == {("less", 0, 0): 2}
    assert [(entry.kind, entry.pence) for entry in found.measured.entries] == [("purchase", -50)]


def test_use_above_the_safety_level_is_paid_and_capacity_still_holds():
    """12.8 kW usable and a level of 8: 9.3 kW are 1.3 over it, £130; 13.9 are too many at any price."""
    tables = CARLISLE | {"sites": "site,power_kw,safety_power_kw\nCarlisle,16,8\n"}
    small = problem(tables, "extends: standard\nrules: {capacity: {safety: {power_kw: 100}}}\n")
    alone = measured(small, RIO="Carlisle")
    assert [(entry.kind, entry.label, entry.pence) for entry in alone.entries] == [
        ("purchase", "over safety power_kw", 13000)
    ]
    assert "short 1.1 kW" in messages(measured(small, RIO="Carlisle", VDI="Carlisle"))[0]
    assert measured(problem(tables), RIO="Carlisle").entries == []


def test_a_price_above_safety_levels_names_a_resource():
    """A misspelt one would silently change the plan."""
    with pytest.raises(BadInput, match=r'model.yaml:4:\d+: .*no resource .* named "power"'):
        problem(CARLISLE, "extends: standard\nrules: {capacity: {safety: {power: 100}}}\n")
