"""What a rule is.

A rule is one file in this folder whose module name is its YAML name. It declares the columns it reads, says which
options may not be taken (exclusions), and adds limits to a Program; nothing else in the house is edited to
add one. Fed the options that may be chosen, the text restricts the engine; fed the options of one plan, the
same text measures it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from capplan.errors import Fault
from capplan.inventory import TableSchema
from capplan.model import RuleOptions
from capplan.problem import Options, Problem
from capplan.problem.ways import Figure, Way, blanked
from capplan.program import Builder, LimitName, Program, Values
from capplan.program.statements import Source
from capplan.units import Numbers

__all__ = ["Exclusion", "Row", "Rule", "RuleOptions"]

Row = Mapping[str, object]


@dataclass(frozen=True)
class Exclusion:
    """Options that may not be taken, for one reason.

    ``option`` [k]. ``reason(i)`` says in the user's terms why the i-th of them is excluded, with what was
    measured and the limit; ``source(i)`` names the row and column that say so. ``row`` [k], where given, is the
    one placed row of the option table that is to blame; otherwise the option as a whole is.
    """

    rule: str
    option: Numbers
    reason: Callable[[int], str]
    source: Callable[[int], Source | None]
    row: Numbers | None = None


class Rule:
    """One rule of planning. Subclasses override what applies to them.

    ``physical`` marks a rule that says what there is, not what somebody decided: explanations never switch it off.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    options: ClassVar[type[RuleOptions]] = RuleOptions
    on_by_default: ClassVar[bool] = True
    physical: ClassVar[bool] = False
    schemas: ClassVar[tuple[TableSchema, ...]] = ()

    def joined(self, problem: Problem) -> Iterable[tuple[int, int]]:
        """Pairs of workloads that are placed as one item, each at a site of its own."""
        return ()

    def colocated(self, problem: Problem) -> Iterable[tuple[int, int]]:
        """Pairs of workloads that are placed as one item at one site."""
        return ()

    def exclusions(self, problem: Problem, options: Options) -> Iterable[Exclusion]:
        """Options that this rule forbids."""
        return ()

    def build(self, problem: Problem, options: Options, builder: Builder) -> None:
        """Add this rule's limits, facts, purchases and charges."""

    def limit_money(self, problem: Problem, options: Options, builder: Builder) -> None:
        """Add limits on charges, once all of them are known."""

    def figures(self, problem: Problem, program: Program, name: LimitName) -> Iterable[Figure]:
        """Figures of the inventory or the model that could be raised or lowered so that a limit of this rule holds."""
        return ()

    def eased(self, problem: Problem, source: Source, workloads: Sequence[int]) -> Iterable[Way]:
        """Changes of the row behind an exclusion of this rule that would forbid less to some workloads, least first.

        Unless a rule says otherwise: its own cell of a workload left blank.
        """
        table, row, column = source
        own = [column.name for schema in self.schemas if schema.name == "workloads" for column in schema.columns]
        if table == "workloads" and column in own:
            yield blanked(problem, row, column)

    def released(self, problem: Problem, workloads: Sequence[int]) -> Iterable[Way]:
        """Changes that release one of some workloads from others to which this rule binds it."""
        return ()

    def faults(self, problem: Problem) -> Iterable[Fault]:
        """Contradictions in the input that need no solving to see."""
        return ()

    def placement_columns(self, problem: Problem, options: Options) -> Mapping[str, list[str]]:
        """Columns of ``allocation.csv`` that this rule fills: a text for each placed row of ``options``."""
        return {}

    def limit_states(self, problem: Problem, options: Options) -> Mapping[tuple[str, int], str]:
        """For limits of this rule that hold in a failure: the worst one, by (subject, period)."""
        return {}

    def tables(self, problem: Problem, options: Options, program: Program, values: Values) -> Mapping[str, list[Row]]:
        """Tables of the run that this rule fills: name to rows."""
        return {}
