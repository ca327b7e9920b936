"""Option tables: ways to place items.

An item is a set of workloads that are placed together as one choice (alone, in the simplest case). An option
gives every member a site, or leaves members out. Rules read nothing but such a table: fed the options that may
be chosen they constrain, fed the options of one plan they measure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod

import numpy as np

from capplan.errors import UsageError
from capplan.units import Bools, Ints

NOWHERE = -1
"""Site of a workload that is left out."""

LARGEST_ITEM = 2_000_000
"""Most options of one item: beyond it a group of replicas has to be narrowed by its allowed sites."""


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

    def parts(self, rows: int) -> Iterator[slice]:
        """Consecutive placed rows, about ``rows`` at a time, no option divided."""
        first = 0
        while first < len(self.option):
            end = min(first + rows, len(self.option))
            end = int(np.searchsorted(self.option, self.option[end - 1], side="right"))
            yield slice(first, end)
            first = end

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


def elsewhere(options: Options, site: Ints) -> Bools:
    """Options that put some workload elsewhere than ``site`` int64 [workload] does. bool [option]."""
    found = np.zeros(len(options), dtype=np.bool_)
    found[options.option[site[options.workload] != options.site]] = True
    found[options.absent_option[site[options.absent_workload] != NOWHERE]] = True
    return found


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


def combine(blocks: Sequence[Sequence[Sequence[int]]], sites: Sequence[Ints], may_leave_out: Bools) -> Options:
    """Every way to place each item out of the sites open to its members.

    ``blocks`` lists, for each item, its blocks of workloads that share one site; ``sites`` int64 [k] the eligible sites
    of each workload. An item for which ``may_leave_out`` bool [item] holds has one more option that leaves all out.
    Raises UsageError where one item has more than LARGEST_ITEM options.
    """
    alone = np.array([len(item) == 1 and len(item[0]) == 1 for item in blocks], dtype=np.bool_)
    single = np.flatnonzero(alone)
    workload = np.array([blocks[i][0][0] for i in single.tolist()], dtype=np.int64)
    tables = [_combine_single(len(blocks), single, workload, sites, may_leave_out[single])]
    grouped = np.flatnonzero(~alone).tolist()
    tables += [_combine_blocks(len(blocks), i, blocks[i], sites, bool(may_leave_out[i])) for i in grouped]
    return _stacked(len(blocks), tables)


def _combine_single(items: int, item: Ints, workload: Ints, sites: Sequence[Ints], may_leave_out: Bools) -> Options:
    """Options of items of one workload each. ``item``, ``workload`` int64 [k]."""
    ends = [
        np.append(sites[w], NOWHERE) if leave else sites[w]
        for w, leave in zip(workload.tolist(), may_leave_out.tolist(), strict=True)
    ]
    count = np.array([len(places) for places in ends], dtype=np.int64)
    site = np.concatenate([np.zeros(0, dtype=np.int64), *ends])
    table = one_by_one(np.repeat(workload, count), site, items)
    return replace(table, item=np.repeat(item, count))


def _combine_blocks(
    items: int, item: int, blocks: Sequence[Sequence[int]], sites: Sequence[Ints], leave: bool
) -> Options:
    """Options of one item: every combination of a site for each block."""
    open_sites = [_common([sites[w] for w in block]) for block in blocks]
    number = prod(len(places) for places in open_sites)
    if number > LARGEST_ITEM:
        what = f"{len(blocks)} workloads that are placed as one have {number:,} combinations of sites"
        raise UsageError(f"{what}; narrow their allowed_sites")
    grid = np.indices([len(places) for places in open_sites]).reshape(len(blocks), number)
    width = sum(map(len, blocks))
    workload = np.array([w for block in blocks for w in block], dtype=np.int64)
    site = np.stack([open_sites[b][grid[b]] for b, block in enumerate(blocks) for _ in block], axis=1)
    none = np.zeros(0, dtype=np.int64)
    gone = workload if leave else none
    return Options(
        items,
        np.full(number + leave, item, dtype=np.int64),
        np.repeat(np.arange(number), width),
        np.tile(workload, number),
        site.reshape(-1),
        np.full(len(gone), number, dtype=np.int64),
        gone,
    )


def _common(lists: Sequence[Ints]) -> Ints:
    common = lists[0]
    for other in lists[1:]:
        common = np.intersect1d(common, other)
    return common


def _stacked(items: int, tables: Sequence[Options]) -> Options:
    """Several tables as one, options in item order."""
    item = np.concatenate([table.item for table in tables])
    order = np.argsort(item, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    first = np.cumsum([0] + [len(table) for table in tables])
    option = place[np.concatenate([table.option + first[i] for i, table in enumerate(tables)])]
    absent = place[np.concatenate([table.absent_option + first[i] for i, table in enumerate(tables)])]
    rows, gone = np.argsort(option, kind="stable"), np.argsort(absent, kind="stable")
    workload, site, absent_workload = (
        np.concatenate([getattr(table, name) for table in tables]) for name in ("workload", "site", "absent_workload")
    )
    return Options(items, item[order], option[rows], workload[rows], site[rows], absent[gone], absent_workload[gone])
