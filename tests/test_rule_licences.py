"""Examples of `licences` that a reader can check on paper; the laws are in test_laws.py."""

from __future__ import annotations

from tests.small import measured, messages, problem, sites, solved

BASE = {
    "sites": "site,power_kw,open_cost\nA,10,0\nB,10,0\n",
    "workloads": "workload,organisation,power_kw\nW1,O,1\nW2,O,1\nW3,O,1\n",
    "licence_needs": "workload,licence,quantity\nW1,L,8\nW2,L,8\nW3,L,4\n",
}


def licences(metric: str, owned: int, pack: int, cost: int, more: str = "") -> dict[str, str]:
    header = "licence,metric,owned,pack,pack_cost,max_packs,sites"
    return BASE | {"licences": f"{header}\nL,{metric},{owned},{pack},{cost},{more or ','}\n"}


def row(result, name: str) -> list[list[str]]:
    return next(table.rows for table in result.tables if table.name == name)


def test_a_pool_is_bought_in_whole_packs():
    """20 are needed, 10 owned: packs of 4 must be 3, at £100 each; 2 are spare."""
    found = solved(problem(licences("pool", 10, 4, 100)))
    assert row(found, "licences") == [["L", "all", "2016-01-01..2016-12-30", "20", "10", "12", "2", "300.00"]]


def test_what_is_short_is_said_in_licences():
    """Nothing may be bought: 10 of 20 are missing."""
    small = problem(licences("pool", 10, 4, 100), "extends: standard\npurchases: none\n")
    assert messages(measured(small, W1="A", W2="A", W3="A")) == [
        "L: need 20 licences, limit 10 licences: short 10 licences; largest: W1 8, W2 8, W3 4"
    ]
    assert solved(small).status == "infeasible"


def test_only_what_is_in_scope_counts():
    """The pool covers site A only: two workloads go to B rather than buy."""
    found = solved(problem(licences("pool", 8, 1, 100, ",A")))
    assert sorted(sites(found).values()) == ["A", "B", "B"]


def test_a_site_charge_is_paid_once_for_each_site_used():
    """£1,000 a site: everything goes to one site."""
    found = solved(problem(licences("site", 0, 1, 1000)))
    assert found.measured is not None
    assert found.measured.cost == 100000
    assert len(set(sites(found).values())) == 1


def test_a_licence_is_paid_for_the_days_on_which_it_counts():
    """A £365 licence that ends after 100 days costs £100."""
    tables = licences("site", 0, 1, 365)
    tables["licences"] = "licence,metric,pack_cost,to\nL,site,365,2016-04-10\n"
    found = solved(problem(tables))
    assert found.measured is not None
    assert found.measured.cost == 10000
