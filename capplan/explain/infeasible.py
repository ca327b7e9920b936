"""Why there is no plan, and what would end that: shortages, conflicts, relaxations, the best plan without something.

In layers, each within a share of the time, so that something useful is there early and the rest says what it is not.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import numpy as np

from capplan.engine import Status
from capplan.explain.case import Case
from capplan.explain.changes import Relaxation, Tried, relaxations
from capplan.explain.conflicts import conflicts
from capplan.explain.statements import Conflict
from capplan.explain.together import Combined, combined
from capplan.explain.totals import Total, totals
from capplan.measure import Measured
from capplan.problem import NOWHERE, Problem
from capplan.rules import RULES
from capplan.solving import Explanation, explained

CONFLICTS, SHORTAGES, CHANGES = 0.4, 0.15, 0.7
"""Shares of the time that is left when each layer begins."""


@dataclass(frozen=True)
class Infeasible:
    """Everything found out about a problem without a plan.

    ``policy_only``: with no headroom and without the rules that the model asked for there would be one (None: not
    known). ``seconds`` by layer since the start; ``first`` until there was something to tell.
    """

    problem: Problem
    why: Explanation
    conflicts: tuple[Conflict, ...]
    tried: Tried
    combined: Combined | None
    without: Measured | None
    without_status: Status
    policy_only: bool | None
    seconds: dict[str, float] = field(default_factory=dict)
    proved: bool = True
    totals: tuple[Total, ...] = ()

    @property
    def relaxations(self) -> tuple[Relaxation, ...]:
        """Changes that make a plan possible, the best first."""
        return self.tried.relaxations

    @property
    def exact(self) -> bool:
        """Whether a shortage is known exactly: of all sites together, or the least that any plan exceeds limits by."""
        return bool(self.totals) or (self.why.least and bool(self.why.shortages or self.why.homeless))


def explain_infeasible(case: Case, why: Explanation | None = None, *, proved: bool = True) -> Infeasible:
    """Explain a problem that has no plan, or for which none was found; ``why`` is what its solve has found already."""
    clock = _Clock()
    problem = case.problem
    case.say("adding up what all sites together lack")
    short = tuple(totals(problem))
    clock.told("totals", something=bool(short))
    case.say("looking for what cannot all be kept")
    found = []
    for conflict in conflicts(case.part(CONFLICTS)):
        found.append(conflict)
        clock.told("conflicts", something=True)
    clock.told("conflicts", something=False)
    if why is None:
        case.say("looking for the smallest shortage")
        why = explained(problem, replace(case.limits, time_limit_s=SHORTAGES * case.left), case.watch, share=1.0)
    if (short or found) and not why.least:
        # What is known exactly is not to be drowned in what may be less.
        why = replace(why, shortages=())
    clock.told("shortages", something=True)
    tried = relaxations(case.part(CHANGES), found, why.shortages, short)
    blunt = all(one.way.kind == "rule off" for one in tried.relaxations)
    together = combined(case.part(CHANGES)) if found and blunt else None
    clock.told("relaxations", something=True)
    case.say("looking whether only policy stands in the way")
    policy = _policy_only(case.part(0.5))
    case.say("looking for the best plan that leaves something out")
    status, without = _without(case)
    clock.told("all", something=True)
    known = proved or bool(found) or bool(short) or (why.least and bool(why.shortages or why.homeless))
    return Infeasible(problem, why, tuple(found), tried, together, without, status, policy, clock.seconds, known, short)


class _Clock:
    """Seconds since the start, by layer, and until there was something to tell."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.seconds: dict[str, float] = {}

    def told(self, layer: str, *, something: bool) -> None:
        """A layer has come so far."""
        self.seconds[layer] = time.monotonic() - self.started
        if something:
            self.seconds.setdefault("first", self.seconds[layer])


def _policy_only(case: Case) -> bool | None:
    """Whether headroom and the rules that a model has to ask for are all that stands in the way."""
    problem = case.problem
    asked = [name for name in problem.rules if not RULES[name].on_by_default]
    kept = [name for name, share in problem.model.headroom.items() if share]
    if not asked and not kept:
        return False
    changes = {"headroom": dict.fromkeys(kept, "0%"), "rules": dict.fromkeys(asked, "off")}
    free = case.changed(changes)
    if free is None:
        return None
    if any(True for _ in totals(free)):
        return False
    answer = case.decided(free, case.left)
    return True if isinstance(answer, Measured) else answer


def _without(case: Case) -> tuple[Status, Measured | None]:
    """The best plan that may leave any workload out."""
    problem = case.changed({"left_out": "any"})
    return (Status.UNKNOWN, None) if problem is None else case.best_plan(problem, case.left)


def left_out(plan: Measured) -> list[int]:
    """Workloads that a plan leaves out."""
    return [int(w) for w in np.flatnonzero(plan.plan.site == NOWHERE)]
