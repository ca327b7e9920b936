"""One of the things that are compared: a run with its plan measured again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from capplan.accounts import Account, accounts
from capplan.inventory import Inventory
from capplan.measure import Measured, measure, today_of
from capplan.model import Model
from capplan.problem import Problem
from capplan.runs import Run
from capplan.tables import Output, tables_of


@dataclass(frozen=True)
class Subject:
    """A run under a name of its own. ``measured`` is None where it has no plan, ``info`` is its ``run.json``."""

    name: str
    run: Run
    inventory: Inventory
    model: Model
    problem: Problem
    measured: Measured | None
    info: Mapping[str, Any]

    @property
    def plan(self) -> Measured:
        """The plan; only for subjects that have one."""
        assert self.measured is not None, "asked for the plan of a run without one"
        return self.measured

    @cached_property
    def today(self) -> Measured | None:
        """The current allocation measured, where there is one."""
        return today_of(self.problem, self.run.start())

    @cached_property
    def tables(self) -> Mapping[str, Output]:
        """The plan's tables, as they were before anybody edited them; none without a plan."""
        if self.measured is None:
            return {}
        return {table.name: table for table in tables_of(self.measured, self.today)}

    def rows(self, table: str) -> list[dict[str, str]]:
        """A table as rows by column, none without a plan."""
        found = self.tables.get(table)
        return [dict(zip(found.columns, cells, strict=True)) for cells in found.rows] if found else []

    @cached_property
    def accounts(self) -> tuple[Account, ...]:
        """What each organisation costs and is charged; none without a plan."""
        return accounts(self.measured, self.today) if self.measured is not None else ()


def subject_of(run: Run, name: str = "") -> Subject:
    """A run ready to be compared. Raises BadInput where it is damaged."""
    plan, problem = run.plan(), run.problem()
    measured = measure(problem, plan) if plan is not None else None
    return Subject(name or run.folder.name, run, run.inventory(), run.model(), problem, measured, run.info)
