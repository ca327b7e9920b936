"""Named groups of workloads, and when their members are active together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from capplan.problem.options import Options
from capplan.problem.problem import Problem
from capplan.program.statements import NO_PERIOD
from capplan.units import Ints


def groups_of(words: Sequence[Sequence[str]]) -> dict[str, Ints]:
    """Members of each named group, names in order. ``words`` holds the names for each workload."""
    members: dict[str, list[int]] = {}
    for w, names in enumerate(words):
        for name in names:
            members.setdefault(name, []).append(w)
    return {name: np.array(members[name], dtype=np.int64) for name in sorted(members)}


def active_together(problem: Problem, members: Ints) -> list[tuple[int, Ints]]:
    """The different sets of members that are active in one period, each with its first period.

    A set that is the only one there is has NO_PERIOD: its limits hold throughout. Periods without any active member
    are left out. ``members`` int64 [k].
    """
    found: dict[bytes, tuple[int, Ints]] = {}
    for t in range(len(problem.periods)):
        active = members[problem.active[members, t]]
        if len(active):
            found.setdefault(active.tobytes(), (t, active))
    sets = list(found.values())
    return [(NO_PERIOD, sets[0][1])] if len(sets) == 1 else sets


class RowsOf:
    """Finds the placed rows of some workloads without looking through all of them each time."""

    def __init__(self, problem: Problem, options: Options) -> None:
        self._order = np.argsort(options.workload, kind="stable")
        workloads = np.arange(len(problem.workloads) + 1)
        self._start = np.searchsorted(options.workload[self._order], workloads)

    def __call__(self, workloads: Ints) -> Ints:
        """Placed rows of the ``workloads`` int64 [k], in their order. int64 [row]."""
        spans = [self._order[self._start[w] : self._start[w + 1]] for w in workloads.tolist()]
        return np.concatenate([np.zeros(0, dtype=np.int64), *spans])
