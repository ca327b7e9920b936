"""Frames of a plan: typed columns, and what a notebook shows."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import pandas as pd

from tests.small import problem, solved

EVIL = "<img src=x onerror=alert(1)>"
TABLES = {
    "sites": "site,power_kw,rack_units\nA,10,unlimited\n",
    "workloads": "workload,name,organisation,from,to,power_kw,rack_units,current_site,value\n"
    f"W1,{EVIL},O,2016-02-01,2299-01-01,1.5,8,A,\nW2,007,O,,,7,1,,5\n",
}


def test_columns_have_their_types():
    """Text stays text, 007 too; amounts are numbers, days are days, blanks are missing."""
    plan: Any = solved(problem(TABLES)).plan
    allocation = plan.allocation.set_index("workload")
    assert allocation.loc["W2", "name"] == "007"
    assert allocation["power_kw"].dtype == "float64"
    assert allocation["power_kw"].sum() == 8.5
    assert allocation["from"].dtype == "datetime64[s]"
    assert allocation.loc["W1", "from"] == datetime(2016, 2, 1)
    assert allocation.loc["W1", "to"].year == 2299
    assert pd.isna(allocation.loc["W2", "from"])
    assert allocation["moved"].dtype == "boolean"
    assert not allocation.loc["W1", "moved"]
    assert pd.isna(allocation.loc["W1", "max_rtt_ms"])
    sites = plan.sites.set_index(["site", "resource"])
    assert math.isinf(sites.loc[("A", "rack_units"), "capacity"])
    assert sites.loc[("A", "power_kw"), "used"] == 1.5
    assert plan.limits["binding"].dtype == "boolean"
    assert plan.purchases.empty


def test_counts_are_whole_numbers():
    """Steps of what is bought."""
    tables = TABLES | {"expansions": "expansion,site,resource,amount,cost\nX,A,power_kw,20,1\n"}
    plan: Any = solved(problem(tables)).plan
    assert plan.purchases["steps"].dtype == "Int64"
    assert list(plan.purchases["steps"]) == [1]


def test_a_notebook_shows_result_and_plan():
    """In words and tables, with whatever users wrote as the text it is."""
    result = solved(problem(TABLES))
    assert result.plan is not None
    shown = result._repr_html_()
    assert "optimal: 1 workloads placed, 1 left out, £0" in shown
    assert "<th>utilisation</th>" in shown
    plan = result.plan._repr_html_()
    assert "<code>allocation</code> 2" in plan
    assert "&lt;img src=x" in plan
    assert "<img" not in plan + shown
    assert repr(result) == "<Result: optimal: 1 workloads placed, 1 left out, £0>"
    assert repr(result.plan).startswith("<Plan: 2 allocation,")


def test_a_notebook_shows_that_there_is_no_plan():
    """No tables, no fault."""
    result = solved(problem(TABLES | {"workloads": "workload,organisation,power_kw\nW,O,6\nV,O,6\n"}))
    assert result.plan is None
    assert "infeasible, no plan" in result._repr_html_()
