"""Checking an allocation, hand-edited ones too, against every rule, without placing anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from capplan.compile import problem_of
from capplan.errors import Faults, Place, UsageError, did_you_mean
from capplan.inventory import Allocation, Bought, Inventory
from capplan.measure import Breach, Measured, measure, today_of
from capplan.model import Model
from capplan.problem import NOWHERE, Plan, Problem
from capplan.tables import Output, tables_of
from capplan.tables import allocation as allocation_table
from capplan.units import Ints

EDITABLE = frozenset(("workload", "site", "status", "note"))
"""Columns of ``allocation.csv`` that a planner may change; all others follow from these and the inventory."""


@dataclass(frozen=True)
class Finding:
    """A broken rule, with the lines of the allocation that break it and the row of the inventory that demands it."""

    breach: Breach
    lines: tuple[Place, ...]
    demanded_by: Place | None


@dataclass(frozen=True)
class Change:
    """A workload that the allocation puts elsewhere than the plan it is held against (NOWHERE: left out)."""

    workload: int
    before: int
    after: int


@dataclass(frozen=True)
class Checked:
    """An allocation measured.

    ``before`` is the plan it is held against, ``today`` the current allocation, where there is one.
    """

    problem: Problem
    measured: Measured
    findings: tuple[Finding, ...]
    before: Measured | None
    changes: tuple[Change, ...]
    today: Measured | None = None

    @property
    def cost_difference(self) -> int | None:
        """Pence more (or less, negative) than the plan it is held against."""
        return None if self.before is None else self.measured.cost - self.before.cost

    @cached_property
    def tables(self) -> Sequence[Output]:
        """The tables of the allocation as a run would have them."""
        return tables_of(self.measured, self.today)


def check(
    inventory: Inventory,
    model: Model,
    allocation: Allocation | None = None,
    purchases: Sequence[Bought] = (),
    before: Plan | None = None,
    keep: Allocation | None = None,
    start: Plan | None = None,
) -> Checked:
    """Measure ``allocation`` (default: the inventory's current one) with ``purchases`` under a model.

    ``before`` is a plan to compare with, ``keep`` says which workloads were to stay where; ``start`` is the plan that
    the current sites belong to, where they do to one. Raises UsageError where there is nothing to check, BadInput for
    purchases that the inventory does not offer.
    """
    problem = problem_of(inventory, model, keep=keep)
    site = inventory.current_site if allocation is None else allocation.site
    if allocation is None and not (site >= 0).any():
        raise UsageError("the inventory has no current allocation; name one with --allocation FILE")
    plan = Plan(site, _bought(problem, purchases))
    measured = measure(problem, plan)
    findings = tuple(
        Finding(breach, _lines(allocation, breach), measured.place(breach.source)) for breach in measured.breaches
    )
    compared = measure(problem, before) if before is not None else None
    changes = _changes(compared.plan.site, site) if compared is not None else ()
    return Checked(problem, measured, findings, compared, changes, today_of(problem, start))


def written(inventory: Inventory, model: Model, plan: Plan) -> dict[str, list[str]]:
    """What a run of this plan writes in the derived columns of ``allocation.csv``: a text per workload in id order."""
    table = allocation_table(measure(problem_of(inventory, model), plan))
    cells = dict(zip(table.columns, zip(*table.rows, strict=True), strict=False)) if table.rows else {}
    return {column: list(texts) for column, texts in cells.items() if column not in EDITABLE}


def _lines(allocation: Allocation | None, breach: Breach) -> tuple[Place, ...]:
    if allocation is None:
        return ()
    return tuple(allocation.place(w) for w in breach.workloads if allocation.line[w])


def _changes(before: Ints, after: Ints) -> tuple[Change, ...]:
    return tuple(Change(int(w), int(before[w]), int(after[w])) for w in np.flatnonzero(before != after))


def _bought(problem: Problem, purchases: Sequence[Bought]) -> dict[tuple[str, int, int], int]:
    """Decided purchases by key; those that follow from the plan (overruns, charges) are recomputed, not read."""
    faults = Faults()
    decided, derived = offered(problem)
    names = {name for name, _, _ in decided}
    bought: dict[tuple[str, int, int], int] = {}
    for row in purchases:
        key = (
            row.purchase,
            problem.sites.find(row.site) if row.site else -1,
            problem.periods.number(row.period),
        )
        if key in decided:
            bought[key] = bought.get(key, 0) + row.steps
            if bought[key] > decided[key]:
                message = f"{bought[key]} steps of {row.purchase}, at most {decided[key]} can be bought"
                faults.error(row.place, "contradictory-rules", message, "lower it")
        elif row.purchase in names:
            message = f'{row.purchase} cannot be bought at "{row.site}" in "{row.period}"'
            faults.error(row.place, "unknown-reference", message, _where(problem, decided, row.purchase))
        elif row.purchase not in derived:
            message = f'nothing named "{row.purchase}" can be bought under this model'
            faults.error(row.place, "unknown-reference", message, did_you_mean(row.purchase, names))
    faults.raise_errors()
    return bought


def _where(problem: Problem, decided: Mapping[tuple[str, int, int], int], purchase: str) -> str:
    places = [
        f'"{problem.sites.ids[site] if site >= 0 else ""}" in "{problem.periods.text(period)}"'
        for name, site, period in sorted(decided)
        if name == purchase
    ]
    return "it can be bought at " + ", ".join(places)


def offered(problem: Problem) -> tuple[dict[tuple[str, int, int], int], set[str]]:
    """The most steps of every decided purchase, and the names of derived ones."""
    bought = measure(problem, Plan(np.full(len(problem.workloads), NOWHERE))).program.purchases
    decided = {name[:3]: int(bought.upper[p]) for p, name in enumerate(bought.names) if not bought.derived[p]}
    return decided, {name.purchase for p, name in enumerate(bought.names) if bought.derived[p]}
