"""Measuring a plan: the rules' own text evaluated on the plan's own options, whoever made the plan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

import numpy as np

from capplan.compile import program_of
from capplan.errors import Place
from capplan.ledger import Entry, entries_of
from capplan.mending import mended, stays
from capplan.problem import Options, Plan, Problem
from capplan.program import Program, Values, evaluate
from capplan.program.statements import LimitName, Source
from capplan.rules import RULES
from capplan.units import Ints, Numbers, decimal_text, percent_text, with_unit

CONTRIBUTORS_NAMED = 3


@dataclass(frozen=True)
class Breach:
    """A rule that a plan breaks.

    ``message`` says it in full; ``workloads`` are those concerned, ``amount`` by how much (natural units, None for
    rules without an amount), ``source`` the row of the inventory that demands it.
    """

    rule: str
    subject: str
    period: int
    message: str
    workloads: tuple[int, ...]
    source: Source | None = None
    unit: str = ""
    amount: Fraction | None = None
    policy_only: bool = False


@dataclass(frozen=True)
class Measured:
    """A plan measured. ``program`` is compiled over ``options``, one option per item, and ``values`` evaluate it."""

    problem: Problem
    plan: Plan
    options: Options
    program: Program
    values: Values

    @cached_property
    def breaches(self) -> tuple[Breach, ...]:
        """Every broken rule, placements first."""
        return (*self._left_out(), *self._excluded(), *self._exceeded())

    @cached_property
    def entries(self) -> list[Entry]:
        """Every amount the plan costs."""
        return entries_of(self.problem, self.options, self.program, self.values)

    @property
    def cost(self) -> int:
        """Money over the horizon in pence."""
        return sum(entry.pence for entry in self.entries)

    def goal_values(self) -> list[int | Fraction]:
        """The integer (or exact ratio) of every goal of the model, in order."""
        return [goal.value(self.values.x) for goal in self.program.goals]

    @cached_property
    def used(self) -> Ints:
        """What choices and facts use of each limit, purchases apart. int64 [limit].

        Purchases without an id are no purchases but amounts that follow from the choices; where they do not widen a
        limit they count as use.
        """
        x, first = self.values.x, self.program.options + self.program.facts
        nameless = np.array([not name.purchase for name in self.program.purchases.names], dtype=np.bool_)
        own = self.program.limits @ np.concatenate([x[:first], np.zeros_like(x[first:])])
        amounts = first + np.flatnonzero(nameless)
        return np.asarray(own + self.program.limits.of_columns(amounts).maximum(0) @ x[amounts])

    @cached_property
    def available(self) -> Ints:
        """Each limit widened by what the plan buys. int64 [limit]."""
        return self.program.bound - (self.values.used - self.used)

    def _left_out(self) -> list[Breach]:
        optional, problem = self.problem.optional, self.problem
        if problem.model.left_out == "any":
            return []
        missing = [int(w) for w in self.options.absent_workload if not optional[w]]
        return [
            Breach(
                "left_out",
                problem.workloads.ids[w],
                -1,
                "is not placed, and has no value for which it may be left out",
                (w,),
                ("workloads", w, "value"),
            )
            for w in missing
        ]

    def _excluded(self) -> list[Breach]:
        found = []
        mending, spared = mended(self.problem), stays(self.problem, self.options)
        for name in self.problem.rules:
            for exclusion in RULES[name].exclusions(self.problem, self.options):
                for i, option in enumerate(exclusion.option.tolist()):
                    if name in mending and spared[option]:
                        continue
                    rows = np.arange(self.options.first_row[option], self.options.first_row[option + 1])
                    blamed = rows if exclusion.row is None else exclusion.row[i : i + 1]
                    workloads = tuple(self.options.workload[blamed].tolist())
                    subject = self._where(blamed)
                    found.append(Breach(name, subject, -1, exclusion.reason(i), workloads, exclusion.source(i)))
        return found

    def _where(self, rows: Numbers) -> str:
        """Placed rows in words: ``RIO, VDI at A``, sites named once where they are the same."""
        ids = ", ".join(self.problem.workloads.ids[w] for w in self.options.workload[rows].tolist())
        sites = dict.fromkeys(self.problem.sites.ids[s] for s in self.options.site[rows].tolist())
        return f"{ids} at {', '.join(sites)}"

    def _exceeded(self) -> list[Breach]:
        rows = np.flatnonzero(self.values.used > self.program.bound)
        return [exceeded(self, int(row)) for row in rows]

    def place(self, source: Source | None) -> Place | None:
        """Where a statement of the inventory stands."""
        if source is None:
            return None
        table, row, column = source
        return self.problem.inventory.table(table).place(row, column)


def measure(problem: Problem, plan: Plan) -> Measured:
    """Measure any plan, also one that breaks rules: facts, least derived purchases, use of every limit."""
    options = plan.options(problem)
    program = program_of(problem, options)
    bought = [
        0 if program.purchases.derived[p] else plan.bought.get(name[:3], 0)
        for p, name in enumerate(program.purchases.names)
    ]
    taken = np.ones(len(options), dtype=np.bool_)
    values = evaluate(program, taken, np.array(bought, dtype=np.int64))
    return Measured(problem, plan, options, program, values)


def today_of(problem: Problem, start: Plan | None = None) -> Measured | None:
    """The current allocation measured; None where there is none.

    It has what ``start`` buys where that is the same allocation, else nothing is bought.
    """
    now = problem.inventory.current_site
    if not (now >= 0).any():
        return None
    same = start is not None and np.array_equal(start.site, now)
    # Placements to keep are wanted of the new plan; today does not break them.
    free = problem if problem.keep is None else replace(problem, keep=None)
    return measure(free, start if start is not None and same else Plan(now))


def exceeded(measured: Measured, row: int) -> Breach:
    """A limit that is exceeded, with need, what may be used, what is short and who uses most."""
    name = measured.program.limit_names[row]
    need, have = int(measured.used[row]), int(measured.available[row])
    largest = contributors(measured, row)
    policy = name.share < 1 and need * name.share <= have
    message = shortage_text(name, need, have)
    if largest:
        ids = measured.problem.workloads.ids
        shown = (f"{' + '.join(ids[w] for w in ws)} {decimal_text(x)}" for ws, x in largest[:CONTRIBUTORS_NAMED])
        message += f"; largest: {', '.join(shown)}"
    workloads = tuple(w for ws, _ in largest for w in ws)
    short = (need - have) * name.per_unit
    return Breach(name.rule, name.subject, name.period, message, workloads, name.source, name.unit, short, policy)


def shortage_text(name: LimitName, need: int, have: int) -> str:
    """Need, what may be used and what is short, in natural units."""
    short = f"short {_amount((need - have) * name.per_unit, name)}"
    if name.least:
        return short
    usable, physical = have * name.per_unit, have * name.per_unit / name.share
    text = f"need {_amount(need * name.per_unit, name)}, "
    if name.share < 1:
        text += (
            f"usable {_amount(usable, name)} ({decimal_text(physical)} less {percent_text(1 - name.share)} headroom)"
        )
    else:
        text += f"limit {_amount(usable, name)}"
    return f"{text}: {short}"


def _amount(value: Fraction, name: LimitName) -> str:
    return with_unit(value, name.unit)


def contributors(measured: Measured, row: int) -> list[tuple[tuple[int, ...], Fraction]]:
    """Workloads whose placement uses a limit, and how much, largest first, ties by id.

    Workloads that are placed as one and use the limit's site together stand in one entry.
    """
    program, options, name = measured.program, measured.options, measured.program.limit_names[row]
    entries = program.limits.of_rows(np.array([row])).tocoo()
    found = []
    for column, value in zip(entries.col.tolist(), entries.data.tolist(), strict=True):
        if column < program.options and value > 0:
            rows = slice(options.first_row[column], options.first_row[column + 1])
            members = list(zip(options.workload[rows].tolist(), options.site[rows].tolist(), strict=True))
            here = tuple(w for w, s in members if s == name.site) or tuple(w for w, _ in members)
            if here:
                found.append((here, value * name.per_unit))
    return sorted(found, key=lambda pair: (-pair[1], pair[0]))
