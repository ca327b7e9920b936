"""Small planning problems for tests, written as the files a user would write."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from capplan.compile import problem_of
from capplan.load import read_inventory, read_model
from capplan.measure import Measured, measure
from capplan.problem import NOWHERE, Plan, Problem
from capplan.solving import Result, solve

INVENTORY = "format: 1\ntitle: Small\ncurrency: GBP\nas_of: 2016-01-01\n"


def problem(
    tables: dict[str, str], model: str = "extends: standard\n", inventory: str = "", scenario: str | None = None
) -> Problem:
    """A problem from table name → CSV text; organisation O is there unless the tables say otherwise."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "inventory.yaml").write_text(INVENTORY + inventory, "utf-8")
        (folder / "model.yaml").write_text("format: 1\ntitle: Small\n" + model, "utf-8")
        for table, text in ({"organisations": "organisation\nO\n"} | tables).items():
            (folder / f"{table}.csv").write_text(text, "utf-8")
        planning = read_model(folder / "model.yaml", scenario)
        return problem_of(read_inventory(folder, planning.overlay), planning)


def solved(small: Problem) -> Result:
    """The problem solved."""
    return solve(small.inventory, small.model)


def sites(result: Result) -> dict[str, str]:
    """Site of each workload, blank where left out."""
    assert result.measured is not None
    names = result.problem.sites.ids
    found = zip(result.problem.workloads.ids, result.measured.plan.site, strict=True)
    return {workload: names[site] if site != NOWHERE else "" for workload, site in found}


def measured(small: Problem, buys: Mapping[str, str] | None = None, /, **placed: str) -> Measured:
    """A plan measured: ``W1="A"``; workloads that are not named are left out. ``buys``: steps in the first period."""
    site = [small.sites.row(placed[w]) if w in placed else NOWHERE for w in small.workloads.ids]
    table = small.inventory.table("expansions")
    at = dict(zip(table.ids, table.refs("site").tolist(), strict=True))
    bought = {(name, at.get(name, -1), 0): int(steps) for name, steps in (buys or {}).items()}
    return measure(small, Plan(np.array(site, dtype=np.int64), bought))


def messages(plan: Measured) -> list[str]:
    """What the plan breaks, in words."""
    return [f"{breach.subject}: {breach.message}" for breach in plan.breaches]
