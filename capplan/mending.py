"""What is broken today may stay as it is, is mended where it can be, and never gets worse.

A rule whose option ``broken_today`` is ``mend`` lets a workload stay at a current site that the rule would forbid, and
lets a limit be exceeded by as much as the current allocation exceeds it. What remains broken is the first goal: a
placement counts 1, a limit the share of today's excess that is left.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from capplan.problem import Options, Plan, Problem, elsewhere
from capplan.program import Builder, Form, Program, PurchaseName, evaluate
from capplan.program.statements import NO_PERIOD
from capplan.rules import RULES
from capplan.units import Bools, Ints

WHOLE = 10**6
"""Units in which a remaining excess is counted: millionths of today's."""


def mended(problem: Problem) -> list[str]:
    """Rules in force that tolerate what is broken today."""
    return [name for name, options in problem.rules.items() if options.broken_today == "mend"]


def stays(problem: Problem, options: Options) -> Bools:
    """Options that leave every workload they place where it is today. bool [option]."""
    placed = np.diff(options.first_row) > 0
    return placed & ~elsewhere(options, problem.inventory.current_site)


def tolerated(problem: Problem, options: Options) -> Ints:
    """How many exclusions each option is spared because it leaves things as they are. int64 [option]."""
    count = np.zeros(len(options), dtype=np.int64)
    for name in mended(problem):
        for exclusion in RULES[name].exclusions(problem, options):
            np.add.at(count, exclusion.option, 1)
    return np.where(stays(problem, options), count, 0)


def tolerate(
    problem: Problem, builder: Builder, rows: dict[str, range], compiled: Callable[[Options], Program]
) -> None:
    """Let limits of mended rules be exceeded as far as today, the excess a derived amount that the first goal counts.

    ``rows`` are the limits of each rule; ``compiled`` builds the Program of a plan without any tolerance.
    """
    excess = _excess_today(problem, compiled)
    for name in mended(problem):
        for row in rows.get(name, range(0)):
            today = excess.get(builder.limit_name(row)[:3], 0)
            if today:
                purchase = builder.purchase(PurchaseName("", -1, NO_PERIOD, ""), today, derived=True)
                builder.widen(row, purchase, 1)
                builder.shared("excess", dict[int, int])[purchase] = today


def _excess_today(problem: Problem, compiled: Callable[[Options], Program]) -> dict[tuple[str, str, int], int]:
    """By how much the current allocation exceeds each limit, by rule, subject and period."""
    options = Plan(problem.inventory.current_site).options(problem)
    program = compiled(options)
    nothing = np.zeros(len(program.purchases), dtype=np.int64)
    used = evaluate(program, np.ones(len(options), dtype=np.bool_), nothing).used
    over = np.flatnonzero(used > program.bound).tolist()
    return {program.limit_names[row][:3]: int(used[row] - program.bound[row]) for row in over}


def what_remains(problem: Problem, options: Options, builder: Builder) -> Form:
    """The first goal: what is broken today and stays broken."""
    excess = builder.shared("excess", dict[int, int])
    weights = {purchase: max(1, WHOLE // today) for purchase, today in excess.items()}
    return Form(tolerated(problem, options) * WHOLE, purchases=weights, unit=Fraction(1, WHOLE))
