"""Examples of `together`, `apart` and `same_neighbourhood` that a reader can check on paper; laws: test_laws.py."""

from __future__ import annotations

import pytest

from capplan.errors import BadInput
from tests.small import measured, messages, problem, sites, solved

THREE = "site,power_kw,region\nA,10,north\nB,10,north\nC,10,south\n"


def workloads(columns: str, *rows: str) -> dict[str, str]:
    return {"sites": THREE, "workloads": f"workload,organisation,power_kw,{columns}\n" + "\n".join(rows) + "\n"}


def test_a_group_stays_together_and_is_left_out_whole():
    """5 + 2 kW fit no site with 8 usable beside 4 kW pinned at each: both are left out, though 2 kW alone would fit."""
    rows = ["P1,O,4,A,,", "P2,O,4,B,,", "P3,O,4,C,,", "X,O,5,,pair,100", "Y,O,2,,pair,900"]
    found = solved(problem(workloads("pinned_site,together,value", *rows)))
    assert sites(found)["X"] == sites(found)["Y"] == ""
    small = problem(workloads("together", "X,O,1,pair", "Y,O,1,pair"))
    assert "the group pair is together" in messages(measured(small, X="A", Y="B"))[0]
    assert messages(measured(small, X="A", Y="A")) == []


def test_a_group_stays_apart():
    """Two domain controllers are at two sites."""
    small = problem(workloads("apart", "DC1,O,1,dc", "DC2,O,1,dc"))
    assert sites(solved(small)) == {"DC1": "A", "DC2": "B"}
    assert messages(measured(small, DC1="A", DC2="A")) == [
        "dc at A: need 2 workloads, limit 1 workload: short 1 workload; largest: DC1 1, DC2 1"
    ]


def test_so_many_at_one_site_and_so_many_sites_at_least():
    """Of four web servers at most two are at one site, or they are spread over three sites at least."""
    rows = [f"W{i},O,1,web" for i in range(1, 5)]
    pairs = problem(workloads("apart", *rows), "extends: standard\nrules: {apart: {per_site: {web: 2}}}\n")
    assert sites(solved(pairs)) == {"W1": "A", "W2": "A", "W3": "B", "W4": "B"}
    spread = problem(workloads("apart", *rows), "extends: standard\nrules: {apart: {sites: {web: 3}}}\n")
    assert sites(solved(spread)) == {"W1": "A", "W2": "A", "W3": "B", "W4": "C"}


def test_more_sites_than_there_are_is_a_contradiction():
    """Four sites are asked where three stand; a group that nobody names is unknown."""
    rows = [f"W{i},O,1,web" for i in range(1, 5)]
    with pytest.raises(BadInput, match=r"contradictory-rules.*there are 3 sites, not 4"):
        problem(workloads("apart", *rows), "extends: standard\nrules: {apart: {sites: {web: 4}}}\n")
    with pytest.raises(BadInput, match=r'no workload names the group "wbe".*did you mean "web"'):
        problem(workloads("apart", *rows), "extends: standard\nrules: {apart: {per_site: {wbe: 2}}}\n")


def test_workloads_that_never_meet_need_not_be_apart():
    """The old one ends when the new one begins."""
    rows = ["NEW,O,1,pas,2016-07-01,,A", "OLD,O,1,pas,,2016-07-01,A"]
    model = "extends: standard\nperiods: {from: 2016-01-01, every: half_year, count: 2}\n"
    assert sites(solved(problem(workloads("apart,from,to,pinned_site", *rows), model))) == {"NEW": "A", "OLD": "A"}


def test_a_workload_needs_another_of_a_group_in_its_region():
    """The application is pinned in the south; the database it needs follows it there."""
    small = problem(workloads("pinned_site,groups,needs_nearby", "APP,O,1,C,,db", "DB,O,1,,db,"))
    assert sites(solved(small)) == {"APP": "C", "DB": "C"}
    assert "APP needs db in south" in messages(measured(small, APP="C", DB="A"))[0]
    assert (
        messages(measured(problem(workloads("groups,needs_nearby", "APP,O,1,,db", "DB,O,1,db,")), APP="A", DB="B"))
        == []
    )


def test_a_group_that_is_needed_and_has_no_members_is_unknown():
    """Nobody belongs to "dbs"."""
    with pytest.raises(BadInput, match='no workload belongs to the group "dbs"'):
        problem(workloads("groups,needs_nearby", "APP,O,1,,dbs", "DB,O,1,db,"))


def test_a_group_may_have_to_use_so_many_regions():
    """A and B are both in the north: two servers apart there are in one region, and one of them goes to C."""
    regions = "extends: standard\nrules: {apart: {regions: {dc: 2}}}\n"
    small = problem(workloads("apart", "DC1,O,1,dc", "DC2,O,1,dc"), regions)
    assert sites(solved(small)) == {"DC1": "A", "DC2": "C"}
    assert messages(measured(small, DC1="A", DC2="B")) == ["dc regions: short 1 region"]


def test_a_site_without_a_region_is_in_none():
    """Only one region has a name: two cannot be asked for."""
    tables = workloads("apart", "DC1,O,1,dc", "DC2,O,1,dc") | {"sites": "site,power_kw,region\nA,10,north\nB,10,\n"}
    with pytest.raises(BadInput, match=r"model.yaml:.*contradictory-rules.*there are 1 regions, not 2"):
        problem(tables, "extends: standard\nrules: {apart: {regions: {dc: 2}}}\n")


def test_neighbourhoods_need_not_be_regions():
    """B and C share a ring across regions; A names no neighbourhood and is near its own region only."""
    ring = "site,power_kw,region,neighbourhood\nA,10,north,\nB,10,north,ring\nC,10,south,ring\n"
    small = problem(workloads("groups,needs_nearby", "APP,O,1,,db", "DB,O,1,db,") | {"sites": ring})
    assert messages(measured(small, APP="B", DB="C")) == []
    assert messages(measured(small, APP="A", DB="B")) == [
        "APP needs db in north: short 1 workload of the group; largest: APP 1"
    ]
