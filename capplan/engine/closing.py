"""The gap between plan and bound closed by listing: all patterns that may be in a better plan, and the best of them.

At the worths of the bound every plan costs the bound and what each of its patterns costs beyond its worth, which is
never less than nothing. So in a plan no dearer than the best one no pattern costs more beyond its worth than the best
plan is above the bound (Baldacci, Hadjiconstantinou, Maniezzo, Mingozzi 2002, for capacitated p-medians).
"""

from __future__ import annotations

import numpy as np

from capplan.engine.filling import every
from capplan.engine.patterns import Exact, Patterns
from capplan.units import Ints

ALL_MOST = 30_000
"""Patterns up to which branch and bound chooses among all that may be in a better plan."""

Choice = list[tuple[int, Ints]]
"""Kind and types of each place used."""


def closed(patterns: Patterns, seconds: float, known: Choice) -> tuple[Choice, int] | None:
    """The cheapest plan found, ``known`` if none costs less, and a bound; None where too many patterns may be in one.

    Branch and bound may take ``seconds``.
    """
    if patterns.bounded is None:
        return None
    value = sum(patterns.price(*one) for one in known)
    few = _all_below(patterns, patterns.bounded, value)
    if few is None:
        return None
    listed = list(zip(few.kind, few.types, strict=True))
    number = {(kind, types.tobytes()): n for n, (kind, types) in enumerate(listed)}
    hint = np.bincount([number[kind, types.tobytes()] for kind, types in known], minlength=len(listed))
    told = few.heard(few.problem(np.arange(len(listed)), hint.astype(np.float64), exactly=True), seconds)
    plan = np.rint(told.plans[-1]).astype(np.int64) if told.plans else hint
    chosen = [listed[n] for n in np.repeat(np.arange(len(listed)), plan).tolist()]
    # What is not among them costs more than what was known.
    return chosen, patterns.bound if told.least is None else min(told.least, value)


def _all_below(patterns: Patterns, exact: Exact, value: int) -> Patterns | None:
    """All patterns that may be in a plan of at most ``value``; None where they are too many."""
    kinds, found = patterns.kinds, Patterns(patterns.kinds, patterns.budget, 1)
    spare = value * exact.fine - exact.total
    for kind in np.flatnonzero(kinds.count).tolist():
        if patterns.budget.used_up:
            return None
        least = exact.fine * int(kinds.opening[kind]) + int(exact.rent[kind]) - spare
        types = every(kinds, kind, exact.gain(kinds, kind), least, ALL_MOST - len(found.kind), patterns.random)
        patterns.budget.spend(0.02)
        if types is None:
            return None
        for one in types:
            found.add(kind, one)
    return found
