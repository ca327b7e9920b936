"""Option tables: ways to place items.

An item is a set of workloads that are placed together as one choice (alone, in the simplest case). An option
gives every member a site, or leaves members out. Rules read nothing but such a table: fed the options that may
be chosen they constrain, fed the options of one plan they measure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np

from capplan.units import Bools, Ints

NOWHERE = -1
"""Site of a workload that is left out."""


@dataclass(frozen=True)
class Options:
    """A table of options.

    ``item`` int64 [option] ascending. Placed members in long form, ``option``, ``workload``, ``site`` int64
    [row], ordered by option; members left out likewise in ``absent_option``, ``absent_workload`` int64 [k].
    """

    items: int
    item: Ints
    option: Ints
    workload: Ints
    site: Ints
    absent_option: Ints
    absent_workload: Ints

    def __len__(self) -> int:
        return len(self.item)

    @cached_property
    def first_row(self) -> Ints:
        """First placed row of each option, and the end. int64 [option + 1]."""
        return np.searchsorted(self.option, np.arange(len(self.item) + 1)).astype(np.int64)

    def kept(self, keep: Bools) -> Options:
        """The table without the options where ``keep`` bool [option] is False; the rest are renumbered."""
        number = np.cumsum(keep) - 1
        rows, absent = keep[self.option], keep[self.absent_option]
        return Options(
            self.items,
            self.item[keep],
            number[self.option[rows]],
            self.workload[rows],
            self.site[rows],
            number[self.absent_option[absent]],
            self.absent_workload[absent],
        )

    def sites_of(self, workloads: int) -> Ints:
        """For a table with one option per item: the site of each workload, NOWHERE if left out. int64 [workload]."""
        site = np.full(workloads, NOWHERE, dtype=np.int64)
        site[self.workload] = self.site
        return site

    @staticmethod
    def of(items: int, item: Sequence[int] | Ints, members: Sequence[Sequence[tuple[int, int]]]) -> Options:
        """A table from lists: for each option its item and its (workload, site) pairs."""
        flat = [(o, w, s) for o, pairs in enumerate(members) for w, s in pairs]
        table = np.array(flat, dtype=np.int64).reshape(-1, 3)
        placed = table[:, 2] != NOWHERE
        here, gone = table[placed], table[~placed]
        item_column = np.asarray(item, dtype=np.int64)
        return Options(items, item_column, here[:, 0], here[:, 1], here[:, 2], gone[:, 0], gone[:, 1])


def one_by_one(workload: Ints, site: Ints, workloads: int) -> Options:
    """One option per (workload, site) pair, as if every workload were an item of its own. int64 [k]."""
    number = np.arange(len(workload), dtype=np.int64)
    placed = site != NOWHERE
    return Options(
        workloads,
        workload,
        number[placed],
        workload[placed],
        site[placed],
        number[~placed],
        workload[~placed],
    )


def combine(members: Sequence[Sequence[int]], sites: Sequence[Iterable[int]], may_leave_out: Bools) -> Options:
    """Every way to place each item out of the sites open to its members.

    ``members`` lists the workloads of each item, ``sites`` the eligible sites of each workload; an item for
    which ``may_leave_out`` bool [item] holds has one more option that leaves all its members out.
    """
    if all(len(group) == 1 for group in members):
        return _combine_single(np.array([g[0] for g in members], dtype=np.int64), sites, may_leave_out)
    item: list[int] = []
    pairs: list[list[tuple[int, int]]] = []
    for i, group in enumerate(members):
        for places in product(*(sites[w] for w in group)):
            item.append(i)
            pairs.append(list(zip(group, places, strict=True)))
        if may_leave_out[i]:
            item.append(i)
            pairs.append([(w, NOWHERE) for w in group])
    return Options.of(len(members), item, pairs)


def _combine_single(workload: Ints, sites: Sequence[Iterable[int]], may_leave_out: Bools) -> Options:
    open_sites = [np.fromiter(sites[w], dtype=np.int64) for w in workload]
    with_exit = [
        np.append(places, NOWHERE) if leave else places for places, leave in zip(open_sites, may_leave_out, strict=True)
    ]
    count = np.array([len(places) for places in with_exit], dtype=np.int64)
    site = np.concatenate([np.zeros(0, dtype=np.int64), *with_exit])
    item = np.repeat(np.arange(len(workload)), count)
    table = one_by_one(workload[item], site, len(workload))
    return Options(
        len(workload),
        item,
        table.option,
        table.workload,
        table.site,
        table.absent_option,
        table.absent_workload,
    )
