"""Two or more runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from capplan.accounts import NOBODY, Account
from capplan.comparing.inputs import TableDifference, input_differences
from capplan.comparing.measures import Measure, measures_of
from capplan.comparing.subject import Subject
from capplan.errors import UsageError
from capplan.problem import NOWHERE


@dataclass(frozen=True)
class Organisation:
    """One organisation (blank: what nobody uses) in every plan.

    ``accounts`` [subject] are None where the subject does not know it or has no plan; ``placed`` and ``left_out``
    [subject] count its workloads.
    """

    name: str
    accounts: tuple[Account | None, ...]
    placed: tuple[int, ...]
    left_out: tuple[int, ...]


@dataclass(frozen=True)
class Comparison:
    """Runs side by side: ``inputs`` [subject] are what each has otherwise than the first one, nothing for that."""

    subjects: tuple[Subject, ...]
    inputs: tuple[tuple[TableDifference, ...], ...]
    measures: tuple[Measure, ...]
    organisations: tuple[Organisation, ...]


def compare(subjects: Sequence[Subject]) -> Comparison:
    """Hold runs against the first of them. Raises UsageError for fewer than two, and for several currencies."""
    if len(subjects) < 2:
        raise UsageError("there is nothing to compare with; name two or more inventories or runs")
    codes = {subject.inventory.currency.code for subject in subjects}
    if len(codes) > 1:
        raise UsageError(f"money in {' and '.join(sorted(codes))} cannot be compared")
    first = subjects[0]
    inputs = tuple(
        input_differences(first.inventory, one.inventory, (first.model, one.model)) if one is not first else ()
        for one in subjects
    )
    return Comparison(tuple(subjects), inputs, measures_of(subjects), _organisations(subjects))


def _organisations(subjects: Sequence[Subject]) -> tuple[Organisation, ...]:
    accounts = [_accounts(subject) for subject in subjects]
    counts = [_counts(subject) for subject in subjects]
    names = sorted({name for one in accounts for name in one}, key=lambda name: (not name, name))
    none = (0, 0)
    return tuple(
        Organisation(
            name,
            tuple(one.get(name) for one in accounts),
            tuple(one.get(name, none)[0] for one in counts),
            tuple(one.get(name, none)[1] for one in counts),
        )
        for name in names
    )


def _accounts(subject: Subject) -> dict[str, Account]:
    ids = subject.inventory.table("organisations").ids
    return {ids[one.organisation] if one.organisation != NOBODY else "": one for one in subject.accounts}


def _counts(subject: Subject) -> dict[str, tuple[int, int]]:
    """Workloads placed and left out, by organisation."""
    if subject.measured is None:
        return {}
    ids = subject.inventory.table("organisations").ids
    owner, placed = subject.problem.workloads.refs("organisation"), subject.measured.plan.site != NOWHERE
    whole = np.bincount(owner, minlength=len(ids)).tolist()
    there = np.bincount(owner[placed], minlength=len(ids)).tolist()
    return {name: (there[i], whole[i] - there[i]) for i, name in enumerate(ids)}
