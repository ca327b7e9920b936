"""Examples of `allowed` that a reader can check on paper; the laws are in test_laws.py."""

from __future__ import annotations

import pytest

from capplan.errors import BadInput
from tests.small import measured, messages, problem, sites, solved

SITES = "site,power_kw,country,from,to\nA,10,GB,,\nB,10,IE,,2016-07-01\nC,10,,2016-03-01,\n"


def one(columns: str, cells: str) -> dict[str, str]:
    return {"sites": SITES, "workloads": f"workload,organisation,power_kw,{columns}\nW,O,1,{cells}\n"}


@pytest.mark.parametrize(
    ("columns", "cells", "site", "message"),
    [
        ("pinned_site", "A", "B", "pinned to A"),
        ("allowed_sites", "A;C", "B", "allowed only at A, C"),
        ("forbidden_sites", "B", "B", "forbidden at B"),
        ("countries", "GB;FR", "B", "B is in IE, allowed: GB, FR"),
        ("countries", "GB", "C", "C is in no stated country, allowed: GB"),
        ("to", "2016-08-01", "B", "needed 2016-01-01 to 2016-08-01, but B is open from any time to 2016-07-01"),
        ("from", "2016-02-01", "C", "needed 2016-02-01 to 2016-12-31, but C is open from 2016-03-01 to any time"),
    ],
)
def test_each_reason_is_given_in_the_users_terms(columns: str, cells: str, site: str, message: str):
    """Every way a placement is forbidden names what was written."""
    assert f"W at {site}: {message}" in messages(measured(problem(one(columns, cells)), W=site))


def test_a_site_is_open_to_what_ends_in_time():
    """B closes on 1 July; a workload that ends then may use it."""
    tables = one("to,allowed_sites", "2016-07-01,B")
    assert sites(solved(problem(tables))) == {"W": "B"}


def test_listed_placements_are_the_only_ones():
    """With `placements: listed` a pair that is not listed is closed, and `allowed = no` closes one with its reason."""
    tables = {
        "sites": SITES,
        "workloads": "workload,organisation,power_kw\nW,O,1\n",
        "placements": "workload,site,allowed,reason\nW,A,no,no fibre\nW,C,,\n",
    }
    tables["sites"] = "site,power_kw\nA,10\nB,10\nC,10\n"
    small = problem(tables, inventory="placements: listed\n")
    assert messages(measured(small, W="A")) == ["W at A: not allowed by placements.csv: no fibre"]
    assert messages(measured(small, W="B")) == ["W at B: not listed in placements.csv"]
    assert sites(solved(small)) == {"W": "C"}


def test_pin_against_its_own_lists_is_a_fault_before_any_solving():
    """A pin outside the allowed sites, or among the forbidden ones, is bad input."""
    with pytest.raises(BadInput, match=r"contradictory-rules.*not among its allowed_sites"):
        problem(one("pinned_site,allowed_sites", "A,B"))
    with pytest.raises(BadInput, match=r"contradictory-rules.*among its forbidden_sites"):
        problem(one("pinned_site,forbidden_sites", "A,A;B"))


def test_a_removed_site_takes_nothing_and_still_may_be_named():
    """A scenario that removes a site leaves pins and current sites that name it legal; nothing is placed there."""
    tables = {
        "sites": "site,power_kw\nA,10\nB,10\n",
        "workloads": "workload,organisation,power_kw,current_site\nW,O,1,A\n",
    }
    model = "extends: standard\nscenarios: {lose-a: {remove: {sites: [A]}}}\n"
    assert sites(solved(problem(tables, model))) == {"W": "A"}
    lost = problem(tables, model, scenario="lose-a")
    assert sites(solved(lost)) == {"W": "B"}
    assert messages(measured(lost, W="A")) == ["W at A: A is removed in this scenario"]
