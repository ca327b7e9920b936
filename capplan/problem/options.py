"""Option tables: ways to place items.

An item is a set of workloads that are placed together as one choice (alone, in the simplest case). An option
gives every member a site, or leaves members out. Rules read nothing but such a table: fed the options that may
be chosen they constrain, fed the options of one plan they measure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod

import numpy as np

from capplan.errors import UsageError
from capplan.units import AT_ONCE, Bools, Ints, Numbers, numbers

NOWHERE = -1
"""Site of a workload that is left out."""

LARGEST_ITEM = 2_000_000
"""Most options of one item: beyond it a group of replicas has to be narrowed by its allowed sites."""


@dataclass(frozen=True)
class Options:
    """A table of options.

    ``item`` int32 [option] ascending. Placed members in long form, ``option``, ``workload``, ``site`` int32
    [row], ordered by option; members left out likewise in ``absent_option``, ``absent_workload`` int32 [k]. Columns
    that are equal may be one array.
    """

    items: int
    item: Numbers
    option: Numbers
    workload: Numbers
    site: Numbers
    absent_option: Numbers
    absent_workload: Numbers

    def __len__(self) -> int:
        return len(self.item)

    @cached_property
    def first_row(self) -> Numbers:
        """First placed row of each option, and the end. int64 [option + 1]."""
        return np.searchsorted(self.option, np.arange(len(self.item) + 1, dtype=self.option.dtype))

    @property
    def alone(self) -> bool:
        """Whether no option places or leaves out more than one workload."""
        return len(self.option) + len(self.absent_option) <= len(self.item)

    def parts(self, rows: int = AT_ONCE) -> Iterator[slice]:
        """Consecutive placed rows, about ``rows`` at a time, no option divided."""
        first = 0
        while first < len(self.option):
            end = min(first + rows, len(self.option))
            end = int(np.searchsorted(self.option, self.option[end - 1], side="right"))
            yield slice(first, end)
            first = end

    def rows_of(self, workloads: Ints) -> Ints:
        """Placed rows of some workloads, in order. int64 [k]."""
        order, sorted_workload = self._by_workload
        wanted = np.unique(workloads).astype(sorted_workload.dtype)
        rows = spans(np.searchsorted(sorted_workload, wanted), np.searchsorted(sorted_workload, wanted, side="right"))
        return rows if order is None else np.sort(order[rows])

    @cached_property
    def _by_workload(self) -> tuple[Ints | None, Numbers]:
        """Rows ordered by workload (None: as they are), and the workload of each. int64, int32 [row]."""
        if (self.workload[1:] >= self.workload[:-1]).all():
            return None, self.workload
        order = np.argsort(self.workload, kind="stable")
        return order, self.workload[order]

    def kept(self, keep: Bools) -> Options:
        """The table without the options where ``keep`` bool [option] is False; the rest are renumbered."""
        chosen = np.flatnonzero(keep).astype(np.int32)
        rows, absent = np.flatnonzero(keep[self.option]), np.flatnonzero(keep[self.absent_option])
        return Options(
            self.items,
            self.item[chosen],
            numbers(np.searchsorted(chosen, self.option[rows])),
            self.workload[rows],
            self.site[rows],
            numbers(np.searchsorted(chosen, self.absent_option[absent])),
            self.absent_workload[absent],
        )

    def sites_of(self, workloads: int) -> Ints:
        """For a table with one option per item: the site of each workload, NOWHERE if left out. int64 [workload]."""
        site = np.full(workloads, NOWHERE, dtype=np.int64)
        site[self.workload] = self.site
        return site

    @staticmethod
    def of(items: int, item: Sequence[int] | Numbers, members: Sequence[Sequence[tuple[int, int]]]) -> Options:
        """A table from lists: for each option its item and its (workload, site) pairs."""
        flat = [(o, w, s) for o, pairs in enumerate(members) for w, s in pairs]
        table = np.array(flat, dtype=np.int32).reshape(-1, 3)
        placed = table[:, 2] != NOWHERE
        here, gone = np.ascontiguousarray(table[placed].T), np.ascontiguousarray(table[~placed].T)
        return Options(items, np.asarray(item, dtype=np.int32), *here, *gone[:2])


def spans(start: Ints, end: Ints) -> Ints:
    """Every number from each start up to its end, one span after the other. int64 [span] each; returns int64 [k]."""
    size = end - start
    first = np.cumsum(size) - size
    return np.asarray(np.repeat(start - first, size) + np.arange(size.sum()))


def elsewhere(options: Options, site: Ints) -> Bools:
    """Options that put some workload elsewhere than ``site`` int64 [workload] does. bool [option]."""
    found = np.zeros(len(options), dtype=np.bool_)
    for row in options.parts():
        away = site[options.workload[row]] != options.site[row]
        found[options.option[row][away]] = True
    found[options.absent_option[site[options.absent_workload] != NOWHERE]] = True
    return found


def one_by_one(workload: Numbers, site: Numbers, workloads: int) -> Options:
    """One option per (workload, site) pair, as if every workload were an item of its own. [k] each."""
    workload, site = numbers(workload), numbers(site)
    number = np.arange(len(workload), dtype=np.int32)
    placed = site != NOWHERE
    if placed.all():
        return Options(workloads, workload, number, workload, site, number[:0], number[:0])
    gone = ~placed
    return Options(workloads, workload, number[placed], workload[placed], site[placed], number[gone], workload[gone])


def combine(
    blocks: Sequence[Sequence[Sequence[int]]], items: Ints, sites: Mapping[int, Numbers], may_leave_out: Bools
) -> Options:
    """Every way to place some items, given in ascending order, out of the sites open to their members.

    ``blocks`` lists, for each item there is, its blocks of workloads that share one site; ``sites`` [k] the eligible
    sites of each workload. An item for which ``may_leave_out`` bool [item] holds has one more option that leaves all
    out. Raises UsageError where one item has more than LARGEST_ITEM options.
    """
    alone = np.array([len(blocks[i]) == 1 and len(blocks[i][0]) == 1 for i in items.tolist()], dtype=np.bool_)
    single = items[alone]
    workload = np.array([blocks[i][0][0] for i in single.tolist()], dtype=np.int64)
    tables = [_combine_single(len(blocks), single, workload, sites, may_leave_out[single])]
    grouped = items[~alone].tolist()
    tables += [_combine_blocks(len(blocks), i, blocks[i], sites, bool(may_leave_out[i])) for i in grouped]
    return _stacked(len(blocks), tables) if grouped else tables[0]


def _combine_single(
    items: int, item: Ints, workload: Ints, sites: Mapping[int, Numbers], may_leave_out: Bools
) -> Options:
    """Options of items of one workload each. ``item``, ``workload`` int64 [k]."""
    ends = [
        np.append(sites[w], np.int32(NOWHERE)) if leave else sites[w]
        for w, leave in zip(workload.tolist(), may_leave_out.tolist(), strict=True)
    ]
    count = np.array([len(places) for places in ends], dtype=np.int64)
    site = np.concatenate([np.zeros(0, dtype=np.int32), *ends])
    table = one_by_one(np.repeat(workload, count), site, items)
    same = np.array_equal(item, workload)
    return table if same else replace(table, item=numbers(np.repeat(item, count)))


def _combine_blocks(
    items: int, item: int, blocks: Sequence[Sequence[int]], sites: Mapping[int, Numbers], leave: bool
) -> Options:
    """Options of one item: every combination of a site for each block."""
    open_sites = [_common([sites[w] for w in block]) for block in blocks]
    number = prod(len(places) for places in open_sites)
    if number > LARGEST_ITEM:
        what = f"{len(blocks)} workloads that are placed as one have {number:,} combinations of sites"
        raise UsageError(f"{what}; narrow their allowed_sites")
    grid = np.indices([len(places) for places in open_sites]).reshape(len(blocks), number)
    width = sum(map(len, blocks))
    workload = np.array([w for block in blocks for w in block], dtype=np.int32)
    site = np.stack([open_sites[b][grid[b]] for b, block in enumerate(blocks) for _ in block], axis=1)
    gone = workload if leave else workload[:0]
    return Options(
        items,
        np.full(number + leave, item, dtype=np.int32),
        np.repeat(np.arange(number, dtype=np.int32), width),
        np.tile(workload, number),
        numbers(site.reshape(-1)),
        np.full(len(gone), number, dtype=np.int32),
        gone,
    )


def _common(lists: Sequence[Numbers]) -> Numbers:
    common = lists[0]
    for other in lists[1:]:
        common = np.intersect1d(common, other)
    return common


def _stacked(items: int, tables: Sequence[Options]) -> Options:
    """Several tables as one, options in item order."""
    item = np.concatenate([table.item for table in tables])
    order = np.argsort(item, kind="stable")
    place = np.empty(len(order), dtype=np.int32)
    place[order] = np.arange(len(order))
    first = np.cumsum([0] + [len(table) for table in tables])
    option = place[np.concatenate([table.option + first[i] for i, table in enumerate(tables)])]
    absent = place[np.concatenate([table.absent_option + first[i] for i, table in enumerate(tables)])]
    rows, gone = np.argsort(option, kind="stable"), np.argsort(absent, kind="stable")
    workload, site, absent_workload = (
        np.concatenate([getattr(table, name) for table in tables]) for name in ("workload", "site", "absent_workload")
    )
    return Options(items, item[order], option[rows], workload[rows], site[rows], absent[gone], absent_workload[gone])
