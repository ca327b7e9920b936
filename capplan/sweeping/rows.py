"""One scenario of a sweep, solved or taken over from an earlier sweep, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from capplan.comparing import Measure, Subject, measures_of, subject_of
from capplan.jobs import REFUSED, Done, Job, do, done_before
from capplan.obstacles import why_not
from capplan.problem import NOWHERE
from capplan.runs import read_run
from capplan.sweeping.variants import Variant


@dataclass(frozen=True)
class Homeless:
    """A workload without a value for which no place is left, and why."""

    workload: str
    name: str
    organisation: str
    service: str
    reason: str


@dataclass(frozen=True)
class Row:
    """What a run came to: ``measures`` of it alone; pence and workloads left out by organisation ("" nobody).

    Without a plan ``short`` says what stands in its way, where that is known.
    """

    status: str
    gap: float | None
    cost: int | None
    measures: tuple[Measure, ...] = ()
    organisations: tuple[tuple[str, int, int], ...] = ()
    homeless: tuple[Homeless, ...] = ()
    short: tuple[str, ...] = ()


@dataclass(frozen=True)
class Task:
    """A variant and the job that tries it; ``fresh`` solves again whatever is there."""

    variant: Variant
    job: Job
    fresh: bool = False


@dataclass(frozen=True)
class Tried:
    """A variant, what its job came to, and its row (status ``refused`` where its input has faults)."""

    variant: Variant
    done: Done
    row: Row


def tried(task: Task) -> Tried:
    """Solve a variant, unless an earlier sweep has, and read off what it came to. A task for any process."""
    done = None if task.fresh else done_before(task.job)
    if done is None:
        done = do(task.job)
    if done.status == REFUSED or done.folder is None:
        return Tried(task.variant, done, Row(done.status, None, None))
    return Tried(task.variant, done, row_of(subject_of(read_run(done.folder))))


def row_of(subject: Subject) -> Row:
    """What a run came to."""
    info: Any = subject.info
    if subject.measured is None:
        return Row(info["status"], None, None, short=tuple(_short(info["explanation"] or {})))
    ids = subject.inventory.table("organisations").ids
    left = _left_out(subject)
    costs = tuple(
        (ids[one.organisation], one.cost, left.get(one.organisation, 0)) if one.organisation >= 0 else ("", one.cost, 0)
        for one in subject.accounts
    )
    return Row(info["status"], info["gap"], subject.plan.cost, measures_of([subject]), costs, _homeless(subject))


def _short(explanation: Mapping[str, Any]) -> Iterator[str]:
    """What stands in the way of a plan: workloads that no site may take, limits that fall short."""
    for one in explanation.get("homeless", ()):
        yield f"{one['workload']}: no site may take it"
    for one in explanation.get("shortages", ()):
        yield f"{one['subject']} {one['period']}: {one['message']}".replace(" : ", ": ")


def _left_out(subject: Subject) -> dict[int, int]:
    """Workloads left out by organisation."""
    owner = subject.problem.workloads.refs("organisation")[subject.plan.plan.site == NOWHERE]
    numbers, counts = np.unique(owner, return_counts=True)
    return dict(zip(numbers.tolist(), counts.tolist(), strict=True))


def _homeless(subject: Subject) -> tuple[Homeless, ...]:
    problem, table = subject.problem, subject.problem.workloads
    gone = np.flatnonzero((subject.plan.plan.site == NOWHERE) & ~table.given("value")).tolist()
    reasons = why_not(subject.plan, gone)
    names, services = table.text("name"), table.text("service")
    owner, organisations = table.refs("organisation").tolist(), problem.inventory.table("organisations").ids
    return tuple(
        Homeless(table.ids[w], names[w], organisations[owner[w]], services[w], "; ".join(reasons[w])) for w in gone
    )
