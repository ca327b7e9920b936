"""From one plan to another: what moves, and what each move changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from capplan.comparing.measures import Measure, measures_of
from capplan.comparing.subject import Subject
from capplan.errors import UsageError
from capplan.measure import measure
from capplan.problem import NOWHERE, Plan

UNDONE = 50
"""Moves that are undone one by one to see what each is good for; measuring a large plan takes its time."""


@dataclass(frozen=True)
class Move:
    """A workload that the second plan puts elsewhere (blank site: left out, or not in that inventory).

    ``kind`` is ``moved``, ``placed``, ``left out``, ``added`` or ``removed``. ``cost`` is how many pence more its own
    entries cost, shared cost apart; ``rtt_ms`` how much longer its round trip is. ``undone`` is what the second plan
    would cost more if this move alone were undone, and ``broken`` the rules that would then be broken; None where that
    was not asked or cannot be said.
    """

    workload: str
    organisation: str
    kind: str
    before: str
    after: str
    cost: int
    rtt_ms: Fraction | None
    undone: int | None
    broken: tuple[str, ...] | None


@dataclass(frozen=True)
class Difference:
    """What changes from ``one`` plan to the ``other``: moves in order of id, and steps bought more or less."""

    one: Subject
    other: Subject
    moves: tuple[Move, ...]
    purchases: Mapping[tuple[str, str, str], tuple[int, int]]
    measures: tuple[Measure, ...]

    @property
    def cost(self) -> int:
        """Pence more than the first plan."""
        return self.other.plan.cost - self.one.plan.cost


def diff(one: Subject, other: Subject, undone: int = UNDONE) -> Difference:
    """What moves from one plan to the other; the first ``undone`` moves are undone one by one.

    Raises UsageError where either run has no plan.
    """
    for subject in (one, other):
        if subject.measured is None:
            raise UsageError(f"{subject.run.folder} has no plan ({subject.info['status']})")
    if one.inventory.currency != other.inventory.currency:
        raise UsageError("the two runs count money in different currencies")
    moves = tuple(_moves(one, other, undone))
    return Difference(one, other, moves, _purchases(one, other), measures_of((one, other)))


def _moves(one: Subject, other: Subject, undone: int) -> Iterator[Move]:
    rows = [{row["workload"]: row for row in subject.rows("allocation")} for subject in (one, other)]
    pence, left = one.inventory.currency.pence_per_unit, undone
    for workload in sorted({*rows[0], *rows[1]}):
        before, after = (found.get(workload) for found in rows)
        sites = [row["site"] if row else "" for row in (before, after)]
        if sites[0] == sites[1] and before and after:
            continue
        costs = [Fraction(row["cost"] or 0) if row else Fraction(0) for row in (before, after)]
        trips = [Fraction(row["rtt_ms"]) if row and row["rtt_ms"] else None for row in (before, after)]
        back, broken = _undone(other, workload, sites[0]) if left > 0 and before and after else (None, None)
        left -= 1
        yield Move(
            workload,
            (after or before or {})["organisation"],
            _kind(before is not None, after is not None, *sites),
            sites[0],
            sites[1],
            int((costs[1] - costs[0]) * pence),
            None if trips[0] is None or trips[1] is None else trips[1] - trips[0],
            back,
            broken,
        )


def _kind(in_one: bool, in_other: bool, before: str, after: str) -> str:
    if not in_one or not in_other:
        return "removed" if in_one else "added"
    return "placed" if not before else "left out" if not after else "moved"


def _undone(other: Subject, workload: str, site: str) -> tuple[int | None, tuple[str, ...] | None]:
    """What the second plan would cost more, and break, with one workload where the first plan has it."""
    plan, problem = other.plan, other.problem
    there = problem.sites.find(site) if site else NOWHERE
    if site and (there < 0 or problem.inventory.removed_sites[there]):
        return None, (f"{site} is not there",)
    sites = np.array(plan.plan.site)
    sites[problem.workloads.row(workload)] = there
    tried = measure(problem, Plan(sites, plan.plan.bought))
    known = {(breach.rule, breach.subject, breach.period) for breach in plan.breaches}
    new = [breach for breach in tried.breaches if (breach.rule, breach.subject, breach.period) not in known]
    return tried.cost - plan.cost, tuple(f"{breach.rule}: {breach.subject}: {breach.message}" for breach in new)


def _purchases(one: Subject, other: Subject) -> dict[tuple[str, str, str], tuple[int, int]]:
    """Steps of each purchase in both plans, by purchase, site and period, where they differ."""
    found: dict[tuple[str, str, str], list[int]] = {}
    for number, subject in enumerate((one, other)):
        for row in subject.rows("purchases"):
            found.setdefault((row["purchase"], row["site"], row["period"]), [0, 0])[number] += int(row["steps"])
    return {key: (steps[0], steps[1]) for key, steps in sorted(found.items()) if steps[0] != steps[1]}
