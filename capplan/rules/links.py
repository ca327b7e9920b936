"""Links: what must talk to each other can, over circuits that carry it, within the round trip and the zones allowed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from capplan.errors import Fault
from capplan.links.faults import link_faults
from capplan.links.report import Report
from capplan.links.schema import SCHEMAS
from capplan.problem import Options, Problem
from capplan.program import Program, Values
from capplan.rules.base import Row, Rule


class Links(Rule):
    """Interfaces between placed workloads and outside systems, and what circuits carry."""

    summary = "interfaces keep their round trips, zones and diversity, and circuits carry what is sent"
    schemas = SCHEMAS

    def faults(self, problem: Problem) -> Iterable[Fault]:
        """Mistakes in interfaces and circuits."""
        return link_faults(problem)

    def tables(self, problem: Problem, options: Options, program: Program, values: Values) -> Mapping[str, list[Row]]:
        """``links.csv``: every check of every link."""
        report = Report(problem, options.sites_of(len(problem.workloads)))
        return {"links": [check.row() for check in report.rows]}
