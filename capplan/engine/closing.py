"""The gap between plan and bound closed by listing: all patterns that may be in a better plan, and the best of them.

At the worths of the bound every plan costs the bound and what each of its patterns costs beyond its worth, which is
never less than nothing. So in a plan no dearer than the best one no pattern costs more beyond its worth than the best
plan is above the bound (Baldacci, Hadjiconstantinou, Maniezzo, Mingozzi 2002, for capacitated p-medians).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from capplan.engine.filling import every
from capplan.engine.patterns import Choice, Exact, Patterns
from capplan.highs import Problem

LISTING_S, LISTING_S_A_TYPE = 0.02, 5e-6
"""Effort of listing those of a kind, and more for each type of item."""


def closed(patterns: Patterns, seconds: float, known: Choice, most: int) -> tuple[Choice, int] | None:
    """The cheapest plan found and a bound; None where more than ``most`` patterns may be in one as cheap as ``known``.

    Listing them and branch and bound may take ``seconds`` each.
    """
    if patterns.bounded is None:
        return None
    value = sum(patterns.price(*one) for one in known)
    few = _all_below(patterns, patterns.bounded, value, seconds, most)
    if few is None:
        return None
    listed = list(zip(few.kind, few.types, strict=True))
    number = {(kind, types.tobytes()): n for n, (kind, types) in enumerate(listed)}
    hint = np.bincount([number[kind, types.tobytes()] for kind, types in known], minlength=len(listed))
    problem = few.problem(np.arange(len(listed)), hint.astype(np.float64), exactly=True)
    problem, constant, unit = _beyond_worth(problem, few, patterns.bounded)
    told = few.heard(problem, seconds)
    plan = np.rint(told.plans[-1]).astype(np.int64) if told.plans else hint
    chosen = [listed[n] for n in np.repeat(np.arange(len(listed)), plan).tolist()]
    if told.least is None:
        return chosen, patterns.bound
    # What is not among them costs more than what was known.
    return chosen, patterns.kinds.constant + min(constant + unit * told.least, value)


def _beyond_worth(problem: Problem, patterns: Patterns, exact: Exact) -> tuple[Problem, int, int]:
    """The problem in what patterns cost beyond the worth of what they hold; what that leaves out, and its unit.

    Small whole numbers, so that the errors of floating point that bounds are forgiven are less than one of them.
    """
    unit = max(1, int(np.gcd.reduce(problem.cost.astype(np.int64))))
    worth = np.rint(exact.worth / (exact.fine * unit)).astype(np.int64)
    held = np.array([worth[types].sum() for types in patterns.types], dtype=np.float64)
    return replace(problem, cost=problem.cost / unit - held), unit * int(worth @ patterns.kinds.times), unit


def _all_below(patterns: Patterns, exact: Exact, value: int, seconds: float, most: int) -> Patterns | None:
    """All patterns that may be in a plan of at most ``value``; None where they are too many, or it takes too long."""
    kinds, found = patterns.kinds, Patterns(patterns.kinds, patterns.budget, 1)
    spare, end = value * exact.fine - exact.total, patterns.budget.left - seconds
    for kind in np.flatnonzero(kinds.count).tolist():
        if patterns.budget.used_up or patterns.budget.left < end:
            return None
        least = exact.fine * int(kinds.opening[kind]) + int(exact.rent[kind]) - spare
        types = every(kinds, kind, exact.gain(kinds, kind), least, most - len(found.kind), patterns.random)
        patterns.budget.spend(LISTING_S + LISTING_S_A_TYPE * len(kinds.times))
        if types is None:
            return None
        for one in types:
            found.add(kind, one)
    return found
