"""A Program laid out for walking: purchases fixed, those that follow from one limit priced in it.

What all walks have in common is worked out once (``Terrain``), and left out of it is what no walk has to look at:
limits that nothing can exceed, what an item uses wherever it is, the second of two limits on the same use.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from capplan.engine.cpsat import with_others
from capplan.engine.narrow import Parts
from capplan.engine.settled import worth_of
from capplan.engine.walk import (
    AT,
    BASE,
    BOUND,
    ENTRY,
    FACT,
    FIRST,
    HOLDERS,
    IN,
    ITEM,
    JUMP,
    JUMP_THERE,
    LINK_SEAT,
    LIST,
    MIXED,
    MOST,
    NEEDS,
    OF_FACT,
    OF_OPTION,
    PRICE,
    ROOM,
    ROW,
    SEAT,
    STEP,
    TALLIES,
    THROUGH,
    USE,
    WEIGHT,
    WHOSE,
    WORTH,
    Ground,
)
from capplan.units import Bools, Floats, Ints, Numbers

CHAIN = 8
"""Items that change places in one chain at most."""
UNBOUND = 2**61
"""Bound of a limit that need not be looked at."""
UNUSED = 0.1
"""Share of its worth that what is left unused of a limit costs on the way."""
ROWS_MOST = 32
"""Limits of a place that are looked at first where items would trade places."""
MOSTLY = 0.25
"""Share of a place's options that must use a limit for the place's list to be the limit's too."""


class Softened(NamedTuple):
    """Limits that derived purchases widen: ``room``, ``step`` int64 [limit] and ``price`` float [limit] of a step.

    ``decided`` bool [purchase]: those that are fixed instead.
    """

    room: Ints
    step: Ints
    price: Floats
    decided: Bools


class _Uses(NamedTuple):
    """What options use, limit by limit: ``start`` int64 [limit + 1], ``option`` and ``use`` int64 [entry]."""

    start: Ints
    option: Ints
    use: Ints

    @property
    def limit(self) -> Ints:
        """The limit of each entry."""
        return np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))

    def only(self, keep: Bools) -> _Uses:
        """Some of the entries."""
        start = np.concatenate([[0], np.cumsum(keep, dtype=np.int64)])[self.start]
        return _Uses(start, self.option[keep], self.use[keep])

    def sums(self, weight: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
        """Of each limit, modulo 2⁶⁴. ``weight`` [entry]."""
        total = np.concatenate([np.zeros(1, np.uint64), np.cumsum(weight, dtype=np.uint64)])
        sums: npt.NDArray[np.uint64] = total[self.start[1:]] - total[self.start[:-1]]
        return sums


class Terrain:
    """What all walks over an explicit Program have in common. ``place`` int64 [option]: where options are.

    ``width``: limits that an option takes part in, on average. ``usual`` float [limit]: one over what an option or a
    fact uses of it on average, 0 where none does.
    """

    def __init__(self, parts: Parts, place: Ints) -> None:
        program = parts.program
        first, self._parts = program.options, parts
        by_row = parts.by_column[:, :first].tocsr()
        uses = _Uses(by_row.indptr.astype(np.int64), by_row.indices.astype(np.int64), by_row.data)
        uses, self._less, greatest = _varying(parts, uses)
        self._softened = softened(parts, greatest)
        # The limit that holds beyond the room of each.
        self._beyond = np.arange(len(program.bound))
        self._room, spare = self._softened.room.copy(), np.zeros(len(program.bound), dtype=np.bool_)
        spare[self._unreachable(greatest)] = True
        uses = uses.only((uses.use != 0) & ~spare[uses.limit])
        spare[self._doubled(uses)] = True
        self._spare = np.flatnonzero(spare)
        uses = uses.only(~spare[uses.limit])
        self._lists(uses, place)
        # What costs most first: a move that costs too much is soon seen through.
        priced = self._softened.price[uses.limit] * uses.use
        order = np.lexsort((-priced, uses.option))
        self._entry_row, self._entry_use = uses.limit[order].astype(np.int32), uses.use[order]
        self._options = np.zeros((first + 1, 4), dtype=np.int64)
        self._options[:, ENTRY], self._options[:, SEAT] = _ends(uses.option, first), self._seat_at
        self._options[:, FACT], self._options[:first, ITEM] = parts.of_option.indptr, program.item
        self.width = len(uses.use) / first
        self._facts()
        # Limits that facts alone have a part in are not cheaper to exceed than others.
        row = np.concatenate([uses.limit, self._through[:, ROW]])
        use = np.abs(np.concatenate([uses.use, self._through[:, USE]]))
        members, total = (np.bincount(row, w, minlength=len(program.bound)) for w in (None, use))
        self.usual = members / np.maximum(1.0, total)

    # -- what need not be looked at -------------------------------------------------------------------------

    def _unreachable(self, greatest: Ints) -> Ints:
        """Limits that cannot be exceeded at a price. ``greatest`` int64 [limit]: the most that options use."""
        program = self._parts.program
        upper = np.where(self._softened.decided, program.purchases.upper, 0)
        worst = with_others(greatest, self._parts.by_column[:, program.options :], upper)
        free = np.where(self._softened.price == 0, self._softened.room, 0)
        return np.flatnonzero(worst <= program.bound + free)

    def _doubled(self, uses: _Uses) -> Ints:
        """Limits that another one on the same use replaces; what that leaves of the other's room is noted."""
        program, soft = self._parts.program, self._softened
        others = self._parts.by_column[:, program.options :].tocoo()
        alone = np.diff(uses.start) > 0
        fixed = np.concatenate([np.ones(program.facts, np.bool_), soft.decided])
        alone[others.row[fixed[others.col]]] = False
        mark = np.random.default_rng(0).integers(2**63, size=program.options).astype(np.uint64)
        signature = uses.sums(uses.use.astype(np.uint64) * mark[uses.option])
        bound, gone = program.bound - self._less, []
        known: dict[int, int] = {}
        # Those with room first: of two without, the narrower one stays.
        order = np.lexsort((bound, soft.room == 0))
        for r in order[alone[order]].tolist():
            s = known.setdefault(int(signature[r]), r)
            here, there = slice(uses.start[r], uses.start[r + 1]), slice(uses.start[s], uses.start[s + 1])
            if s == r or soft.room[r] > 0 or bound[r] < bound[s] or not _same(uses, here, there):
                continue
            if bound[r] - bound[s] <= self._room[s]:
                self._room[s], self._beyond[s] = bound[r] - bound[s], r
            gone.append(r)
        return np.array(gone, dtype=np.int64)

    # -- tables ---------------------------------------------------------------------------------------------

    def _lists(self, uses: _Uses, place: Ints) -> None:
        """Lists of options: of each place that limits are of, and of every other set of options that limits have."""
        options, limits = self._parts.program.options, len(uses.start) - 1
        size, used = np.diff(uses.start), np.flatnonzero(np.diff(uses.start))
        at = np.bincount(place, minlength=1)
        least, most = np.full(limits, -1, dtype=np.int64), np.full(limits, -2, dtype=np.int64)
        if len(used):
            least[used] = np.minimum.reduceat(place[uses.option], uses.start[used])
            most[used] = np.maximum.reduceat(place[uses.option], uses.start[used])
        whole = used[(least[used] == most[used]) & (size[used] >= MOSTLY * at[least[used]])]
        mark = np.random.default_rng(1).integers(2**63, size=options).astype(np.uint64)
        signature = uses.sums(mark[uses.option])
        own = np.setdiff1d(used, whole)
        places, of_whole = np.unique(least[whole], return_inverse=True)
        _, kind, of_own = np.unique(signature[own], return_index=True, return_inverse=True)
        self._row_list = np.full(limits, len(places) + len(kind), dtype=np.int64)
        self._row_list[whole], self._row_list[own] = of_whole, len(places) + of_own
        number = np.full(len(at), -1, dtype=np.int64)
        number[places] = np.arange(len(places))
        self._spots_of(uses, whole, number, place)
        there = np.flatnonzero(number[place] >= 0)
        its = [number[place[there]]], [there]
        for k, r in enumerate(own[kind].tolist()):
            members = uses.option[uses.start[r] : uses.start[r + 1]]
            its[0].append(np.full(len(members), len(places) + k))
            its[1].append(members)
        of, whose = np.concatenate(its[0]), np.concatenate(its[1])
        order = np.argsort(whose, kind="stable")
        self._seats = np.zeros((len(of), 3), dtype=np.int32)
        self._seats[:, IN], self._seats[:, WHOSE] = of[order], whose[order]
        self._seat_at = _ends(whose, options)
        lists = np.zeros((len(places) + len(kind) + 2, 3), dtype=np.int64)
        members, lists[:, FIRST], self._seats[:, AT] = _by(self._seats[:, IN], len(lists) - 1)
        self._members = members.astype(np.int32)
        lists[self._row_list[np.unique(uses.limit[uses.use < 0])], MIXED] = 1
        self._list_table = lists

    def _spots_of(self, uses: _Uses, whole: Ints, number: Ints, place: Ints) -> None:
        """Rows of each spot, and what options use of these. ``whole`` int64 [k]: limits that most of a place use.

        ``number`` int64 [place]: the list of each, -1: none.
        """
        options, item = self._parts.program.options, self._parts.program.item
        self._by_place = np.lexsort((place, item)).astype(np.int32)
        order, first, column = _by(self._row_list[whole], int(number.max(initial=-1)) + 1)
        narrow = column[order] < ROWS_MOST
        rows = whole[order][narrow]
        self._spots = _ends(self._row_list[rows], len(first) - 1)
        self._spot_rows = rows.astype(np.int32)
        at = np.full(len(uses.start) - 1, -1, dtype=np.int64)
        at[rows] = column[order][narrow]
        k = at[uses.limit]
        dense = np.flatnonzero(k >= 0)
        table = np.zeros((options, int(k.max(initial=0)) + 1), dtype=np.int64)
        table[uses.option[dense], k[dense]] = uses.use[dense]
        mark = np.random.default_rng(2).integers(2**63, size=table.shape[1]).astype(np.uint64)
        _, known, profile = np.unique(table.astype(np.uint64) @ mark, return_index=True, return_inverse=True)
        if not np.array_equal(table[known[profile]], table):
            known = profile = np.arange(options)
        self._uses, self._where = table[known], np.stack([place, number[place], profile], axis=1).astype(np.int32)
        start = self._parts.start[:-1]
        alike = np.logical_and.reduceat(profile == profile[start][item], start)
        self._standing = np.stack([profile[start], alike], axis=1)

    def _facts(self) -> None:
        """Facts with the options that make them true and what they use, and the limits that they are needed in."""
        parts, program = self._parts, self._parts.program
        first, facts = program.options, program.facts
        self._links = np.zeros((parts.of_option.nnz, 3), dtype=np.int64)
        self._links[:, OF_FACT] = parts.of_option.indices
        self._links[:, OF_OPTION] = np.repeat(np.arange(first), np.diff(parts.of_option.indptr))
        through = parts.by_column[:, first : first + facts]
        self._fact_table = np.zeros((facts + 1, 4), dtype=np.int64)
        self._fact_table[:, THROUGH] = through.indptr
        self._holders, self._fact_table[:, HOLDERS], self._links[:, LINK_SEAT] = _by(self._links[:, OF_FACT], facts)
        self._through = np.stack([through.indices.astype(np.int64), through.data.astype(np.int64)], axis=1)
        of_fact = np.repeat(np.arange(facts), np.diff(through.indptr))
        by_row, self._row_needs, _ = _by(self._through[:, ROW], len(program.bound))
        self._needs = np.stack([of_fact[by_row], self._through[by_row, USE]], axis=1)

    def ground(self, x: Ints, base: Floats, price: Floats, shut: Ints | None = None) -> Ground:
        """Where a walk begins: at ``x`` int64 [column], with what that buys.

        ``base`` float [limit]: the least price of a unit beyond a limit; ``price`` float [limit]: what a unit of it is
        worth. ``shut`` int64 [k]: options not to be taken.
        """
        program, goal, soft = self._parts.program, self._parts.goal, self._softened
        first, facts, limits = program.options, program.facts, len(program.bound)
        charge = (1 - UNUSED) * np.asarray(self._parts.by_column.T @ price)[:first]
        cost = goal.coefficients[:first] + charge
        if shut is not None:
            cost[shut] += 10.0 * max(1.0, float(np.abs(goal.coefficients).max()))
        rows, tolls = np.zeros((limits + 1, JUMP + 1), dtype=np.int64), np.zeros((limits, WORTH + 1))
        bought = np.where(soft.decided, x[first + facts :], 0)
        rows[:-1, BOUND] = program.bound - self._parts.by_column[:, first + facts :] @ bought - self._less
        rows[self._spare, BOUND] = UNBOUND
        rows[:-1, ROOM], rows[:-1, STEP], rows[:-1, LIST] = self._room, soft.step, self._row_list
        rows[:, NEEDS] = self._row_needs
        tolls[:, PRICE], tolls[:, MOST] = soft.price, np.inf
        tolls[:, WEIGHT] = tolls[:, BASE] = base[self._beyond]
        tolls[:, WORTH] = price
        choice = np.flatnonzero(x[:first]).astype(np.int64)
        return Ground(
            start=self._parts.start,
            options=self._options,
            cost=cost,
            least=np.minimum.reduceat(cost, self._parts.start[:-1]),
            entry_row=self._entry_row,
            entry_use=self._entry_use,
            rows=rows,
            lists=self._list_table.copy(),
            members=self._members.copy(),
            seats=self._seats.copy(),
            tolls=tolls,
            scarce=np.flatnonzero((price > 0) & (self._row_list < len(self._list_table) - 2)),
            links=self._links.copy(),
            facts=self._fact_table.copy(),
            holders=self._holders.copy(),
            fact_cost=goal.coefficients[first : first + facts].astype(np.float64),
            through=self._through,
            needs=self._needs,
            over=np.zeros((3, limits), dtype=np.int64),
            tally=np.zeros(TALLIES, dtype=np.int64),
            changed=np.zeros(program.items, dtype=np.int64),
            dirty=np.zeros(program.items, dtype=np.bool_),
            chain=np.zeros((CHAIN, 2), dtype=np.int64),
            choice=choice,
            best=choice.copy(),
            charge=charge,
            charged=np.zeros(1),
            order=np.lexsort((cost, program.item)).astype(np.int32),
            by_place=self._by_place,
            where=self._where,
            spots=self._spots,
            spot_rows=self._spot_rows,
            uses=self._uses,
            who=np.zeros(len(self._members), dtype=np.int32),
            standing=self._standing.copy(),
            now=np.zeros((program.items, 2)),
            over_at=np.zeros((2, self._uses.shape[1], JUMP_THERE + 1), dtype=np.int64),
            toll_at=np.zeros((2, self._uses.shape[1], 2)),
        )


def softened(parts: Parts, greatest: Ints) -> Softened:
    """What derived purchases make of the limits that they widen. ``greatest`` int64 [limit]: the most that options use.

    A purchase that widens several limits is paid for in the one that may need most of it; the others are let go: how
    much is really needed is worked out when the walk ends.
    """
    program = parts.program
    first, limits = program.options + program.facts, len(program.bound)
    matrix = parts.by_column[:, first:]
    worth = worth_of(parts)[program.facts :]
    others = parts.by_column[:, program.options :]
    over = with_others(greatest, others, program.purchases.upper) - program.bound
    room, step, price = np.zeros(limits, dtype=np.int64), np.ones(limits, dtype=np.int64), np.zeros(limits)
    decided = np.ones(len(program.purchases), dtype=np.bool_)
    for p in np.flatnonzero(program.purchases.derived).tolist():
        at = slice(matrix.indptr[p], matrix.indptr[p + 1])
        widened, by = matrix.indices[at][matrix.data[at] < 0], -matrix.data[at][matrix.data[at] < 0]
        if not len(widened) or room[widened].any():
            continue
        dearest = 0
        if len(widened) > 1:
            dearest = int(np.argmax(over[widened] / by))
        step[widened], room[widened] = by, by * int(program.purchases.upper[p])
        price[widened[dearest]] = worth[p]
        decided[p] = False
    return Softened(room, step, price, decided)


def _varying(parts: Parts, uses: _Uses) -> tuple[_Uses, Ints, Ints]:
    """Uses less what an item uses of a limit whatever its option; that, and the most of all, int64 [limit]."""
    limits = len(uses.start) - 1
    less = np.zeros(limits, dtype=np.int64)
    if not len(uses.use):
        return uses, less, less.copy()
    item, limit = parts.program.item[uses.option], uses.limit
    begin = np.flatnonzero(np.append(True, (limit[1:] != limit[:-1]) | (item[1:] != item[:-1])))
    count = np.diff(np.append(begin, len(item)))
    always = count == np.diff(parts.start)[item[begin]]
    least = np.where(always, np.minimum.reduceat(uses.use, begin), 0)
    np.add.at(less, limit[begin], least)
    most = np.maximum.reduceat(uses.use, begin) - least
    greatest = less.copy()
    np.add.at(greatest, limit[begin], np.maximum(0, most))
    return uses._replace(use=uses.use - np.repeat(least, count)), less, greatest


def _same(uses: _Uses, one: slice, other: slice) -> bool:
    return np.array_equal(uses.option[one], uses.option[other]) and np.array_equal(uses.use[one], uses.use[other])


def _ends(group: Numbers, groups: int) -> Ints:
    """Where each group begins and the last one ends, things in order of their group. int64 [group + 1]."""
    return np.concatenate([[0], np.cumsum(np.bincount(group, minlength=groups), dtype=np.int64)])


def _by(group: Numbers, groups: int) -> tuple[Ints, Ints, Ints]:
    """Things group by group, where each group begins [group + 1], and where each thing stands in its own."""
    order, first = np.argsort(group, kind="stable").astype(np.int64), _ends(group, groups)
    seat = np.empty(len(group), dtype=np.int64)
    seat[order] = np.arange(len(group)) - first[group[order]]
    return order, first, seat
