"""A plan: where every workload is, and what was bought."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from capplan.problem.options import Options
from capplan.problem.problem import Problem
from capplan.program import Program
from capplan.units import Ints


@dataclass(frozen=True)
class Plan:
    """A choice for every workload, and decided purchases.

    ``site`` int64 [workload], NOWHERE where left out; ``bought`` steps by (purchase, site, period), sites and periods
    numbered, -1 where a purchase has none.
    """

    site: Ints
    bought: Mapping[tuple[str, int, int], int] = field(default_factory=dict)

    def options(self, problem: Problem) -> Options:
        """The plan as an option table: one option per item."""
        pairs = [[(w, int(self.site[w])) for w in group] for group in problem.members]
        return Options.of(len(problem.members), range(len(problem.members)), pairs)

    @staticmethod
    def of(problem: Problem, program: Program, options: Options, x: Ints) -> Plan:
        """The plan that ``x`` int64 [column] of a Program over ``options`` means."""
        taken = options.kept(x[: program.options] > 0)
        steps = x[program.options + program.facts :]
        bought = {
            (name.purchase, name.site, name.period): int(steps[p])
            for p, name in enumerate(program.purchases.names)
            if steps[p] and not program.purchases.derived[p]
        }
        return Plan(taken.sites_of(len(problem.workloads)), bought)
