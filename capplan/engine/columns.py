"""A Program's entries by column, with one goal, ready for relaxation and search.

An item's options can be many, so what can be said per item and per place is not repeated for each option: an option at
place p of item i uses ``need[i, k]`` of row ``row[p, k]`` for every slot k, plus its own explicit entries.

Rows tied to a fact. Where every option of a row belongs to one fact (a site's capacity, the site being used) and
nothing else uses the row, ``entries ≤ bound`` holds as ``entries ≤ bound × fact`` too: without the fact none of the
options is taken. It says the same of whole choices and much more of fractions. Facts that cost something and that no
row is tied to get rows of their own (``linking``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from capplan.engine.linking import linking
from capplan.engine.narrow import dearest
from capplan.engine.releases import by_release, tightened
from capplan.program import LinearGoal, Program
from capplan.units import Bools, Ints, Numbers

Small = npt.NDArray[np.int32]

AT_A_TIME = 2_000_000
"""Options of facts that are counted together."""


class Columns(NamedTuple):
    """Entries of all columns; compiled loops read it.

    ``start`` int64 [item + 1]; ``cost`` int64 [option]. ``place`` int32 [option] (empty without slots), ``row`` int32
    [place, slot] (-1: none), ``need`` int64 [item, slot]; explicit entries of option o stand from ``at[o]`` to
    ``at[o + 1]`` (int64; empty where no option has any) in ``entry_row`` int32 and ``entry`` int64. Facts, then
    purchases, have ``other_at`` int64 [other + 1], ``other_row`` int32, ``other`` int64, ``other_cost`` int64 and
    ``upper`` int64 [other]. Every row reads: the sum of its entries ≤ ``bound`` int64 [row].
    """

    start: Ints
    cost: Ints
    place: Small
    row: Small
    need: Ints
    at: Ints
    entry_row: Small
    entry: Ints
    other_at: Ints
    other_row: Small
    other: Ints
    other_cost: Ints
    upper: Ints
    bound: Ints

    def explicit(self, option: Ints) -> tuple[Ints, Ints]:
        """Where in ``option`` int64 [k] each of their explicit entries belongs, and its number. int64 [entry] each."""
        count = self.at[option + 1] - self.at[option]
        which = np.repeat(np.arange(len(option)), count)
        return which, np.arange(len(which)) + (self.at[option] - np.cumsum(count) + count)[which]

    def among(self, option: Ints) -> Columns:
        """The same with some options only, int64 [k] ascending, of every item one at least."""
        item = np.searchsorted(self.start, option, side="right") - 1
        start = np.searchsorted(item, np.arange(len(self.start)))
        found = self._replace(start=start.astype(np.int64), cost=self.cost[option])
        if len(self.place):
            found = found._replace(place=self.place[option])
        if len(self.entry):
            which, e = self.explicit(option)
            at = np.searchsorted(which, np.arange(len(option) + 1)).astype(np.int64)
            found = found._replace(at=at, entry_row=self.entry_row[e], entry=self.entry[e])
        return found


@dataclass(frozen=True)
class Links:
    """How rows are tied to facts.

    ``covers`` int64 [limit]: the fact that every option of the limit belongs to, -1 where there is none.
    ``needs_cause`` bool [fact]: facts that something gains from, so that ``fact ≤ Σ its options`` has to be said.
    ``wanted_not`` bool [fact]: facts that cost or use something, so that each option has to say that it brings its
    fact. ``loose`` bool [fact]: those of them that no limit is tied to.
    """

    covers: Ints
    needs_cause: Bools
    wanted_not: Bools
    loose: Bools


@dataclass(frozen=True)
class Ties:
    """Which options need which fact that costs something: the dearest that they belong to.

    ``pair`` int64 [option]: the number of its item and fact together, -1 where there is none; ``fact`` int64 [pair].
    """

    pair: Ints
    fact: Ints


def ties_of(program: Program, goal: LinearGoal, links: Links) -> Ties:
    """Pairs of items and facts, in the order of the items."""
    options = program.options
    price = goal.coefficients[options : options + program.facts]
    owner = dearest(program, np.flatnonzero(links.wanted_not), price)
    some = np.flatnonzero(owner >= 0)
    key = program.item[some].astype(np.int64) * max(1, program.facts) + owner[some]
    keys, number = np.unique(key, return_inverse=True)
    pair = np.full(options, -1, dtype=np.int64)
    pair[some] = number
    return Ties(pair, keys % max(1, program.facts))


def links_of(program: Program, goal: LinearGoal) -> Links:
    """Find the facts that limits can be tied to."""
    first, end = program.options, program.options + program.facts
    price = goal.coefficients[first:end]
    covers = covering(program, price)
    others = program.limits.rest[:, first:].tocoo()
    negative, positive = np.zeros(program.facts, np.bool_), np.zeros(program.facts, np.bool_)
    of_fact = others.col < program.facts
    negative[others.col[of_fact & (others.data < 0)]] = True
    positive[others.col[of_fact & (others.data > 0)]] = True
    tied = np.zeros(program.facts, dtype=np.bool_)
    tied[covers[covers >= 0]] = True
    wanted_not = positive | (price > 0)
    return Links(covers, negative | (price < 0), wanted_not, wanted_not & ~tied)


def covering(program: Program, price: Ints) -> Ints:
    """The dearest fact that each limit can be tied to, -1 where there is none. int64 [limit].

    ``price`` int64 [fact]. With its fact F, ``entries ≤ bound × F`` holds of every plan.
    """
    if not program.facts:
        return np.full(len(program.bound), -1, dtype=np.int64)
    rest, first = program.limits.rest, program.options
    by_option, others = rest[:, :first], rest[:, first:].tocoo()
    fits = (program.bound >= 0) & _only_options(program, by_option, others)
    return np.where(fits, _covering(program, by_option, price), -1)


def tied(program: Program) -> Ints:
    """The smallest fact that each limit can be tied to, -1 where there is none. int64 [limit]."""
    smallest = -np.diff(program.any_of.indptr).astype(np.int64)
    return covering(program, smallest)


def _pure(program: Program) -> Ints:
    """Limits that options use and nothing else does or widens. int64 [k]."""
    others = program.limits.rest[:, program.options :].tocsr()
    fits = (program.bound >= 0) & (np.diff(others.indptr) == 0)
    by_option = program.limits.rest[:, : program.options]
    return np.flatnonzero(fits & _only_options(program, by_option, others.tocoo()))


def _only_options(program: Program, by_option: sp.csr_array, others: sp.coo_array) -> Bools:
    """Limits that options use and nothing else does, purchases that widen apart. bool [limit]."""
    fits = np.zeros(len(program.bound), dtype=np.bool_)
    fits[program.limits.row[program.limits.row >= 0]] = True
    fits[np.diff(by_option.indptr) > 0] = True
    fits[others.row[(others.data > 0) | (others.col < program.facts)]] = False
    explicit = by_option.tocoo()
    fits[explicit.row[explicit.data < 0]] = False
    return fits


def _covering(program: Program, by_option: sp.csr_array, price: Ints) -> Ints:
    """The dearest fact that holds all options of each limit, -1 where there is none. int64 [limit]."""
    found = np.full(len(program.bound), -1, dtype=np.int64)
    facts = _ones(program.any_of, np.int32)
    row, fact, shared = _pairs(_ones(by_option, np.int32) @ facts.T)
    size = np.diff(by_option.indptr).astype(np.int64)
    place = program.limits.place
    if place is not None:
        used = program.limits.row
        limit, at = used[used >= 0].astype(np.int64), np.nonzero(used >= 0)[0]
        there = sp.csr_array((np.ones(len(at), np.int32), (limit, at)), shape=(len(found), len(used)))
        more_row, more_fact, more = _pairs(there @ _members(program, place, len(used)))
        row, fact, shared = (np.concatenate(pair) for pair in ((row, more_row), (fact, more_fact), (shared, more)))
        np.add.at(size, limit, np.bincount(place[place >= 0], minlength=len(used))[at])
    sums = sp.csr_array((shared, (row, fact)), shape=(len(found), program.facts)).tocoo()
    full = sums.data == size[sums.row]
    row, fact = sums.row[full], sums.col[full]
    order = np.lexsort((-fact, price[fact], row))
    found[row[order]] = fact[order]
    return found


def _members(program: Program, place: Numbers, places: int) -> sp.csr_array:
    """How many of each fact's options are at each place. int32 [place, fact].

    Some facts at a time, because options can be many.
    """
    start, option = program.any_of.indptr, program.any_of.indices
    parts: list[tuple[Ints, Ints, Ints]] = []
    first = 0
    while first < program.facts:
        end = max(first + 1, int(np.searchsorted(start, start[first] + AT_A_TIME, side="right")) - 1)
        at = place[option[start[first] : start[end]]].astype(np.int64)
        fact = np.repeat(np.arange(first, end), np.diff(start[first : end + 1]))[at >= 0]
        key, count = np.unique(fact * places + at[at >= 0], return_counts=True)
        parts.append((key % places, key // places, count))
        first = end
    row, column, count = (np.concatenate([part[k] for part in parts]) for k in range(3))
    return sp.csr_array((count.astype(np.int32), (row, column)), shape=(places, program.facts))


def _pairs(matrix: sp.csr_array) -> tuple[Ints, Ints, Ints]:
    entries = matrix.tocoo()
    return entries.row.astype(np.int64), entries.col.astype(np.int64), entries.data.astype(np.int64)


def columns_of(program: Program, goal: LinearGoal, links: Links) -> Columns:
    """Entries by column: the limits, tied to facts where that is possible, then what ties the other facts."""
    first, count = program.options, program.facts + len(program.purchases)
    rest = program.limits.rest
    tied = np.flatnonzero(links.covers >= 0)
    caused, pure = np.flatnonzero(links.needs_cause), _pure(program)
    by_other = rest[:, first:].tocsr()
    by_fact, freed = linking(program, np.flatnonzero(links.loose), pure), by_release(program, by_other, pure)
    parts = [rest[:, :first], -_ones(program.any_of[caused], np.int64), by_fact[0], freed[0]]
    others = [
        _tie(tightened(program, by_other, pure), tied, links.covers[tied], program.bound[tied]),
        _diagonal(caused, np.ones_like(caused), count),
        by_fact[1],
        freed[1],
    ]
    none = np.zeros(len(caused) + by_fact[0].shape[0], dtype=np.int64)
    bound = np.concatenate([program.bound, none, freed[2]])
    bound[tied] = 0
    by_option, all_others = sp.vstack(parts).tocsc(), sp.vstack(others).tocsc()
    for matrix in (by_option, all_others):
        matrix.sort_indices()
    place, factored = program.limits.place, program.limits.place is not None
    return Columns(
        start=program.item_start,
        cost=np.ascontiguousarray(goal.coefficients[:first]),
        place=np.ascontiguousarray(place, dtype=np.int32) if place is not None else np.zeros(0, np.int32),
        row=np.ascontiguousarray(program.limits.row, dtype=np.int32) if factored else np.zeros((0, 0), np.int32),
        need=np.ascontiguousarray(program.limits.need) if factored else np.zeros((program.items, 0), np.int64),
        at=by_option.indptr.astype(np.int64) if by_option.nnz else np.zeros(0, np.int64),
        entry_row=by_option.indices.astype(np.int32),
        entry=by_option.data.astype(np.int64),
        other_at=all_others.indptr.astype(np.int64),
        other_row=all_others.indices.astype(np.int32),
        other=all_others.data.astype(np.int64),
        other_cost=np.ascontiguousarray(goal.coefficients[first:]),
        upper=np.concatenate([np.ones(program.facts, np.int64), program.purchases.upper]),
        bound=bound,
    )


def _ones(matrix: sp.csr_array, kind: type) -> sp.csr_array:
    return sp.csr_array((np.ones(matrix.nnz, kind), matrix.indices, matrix.indptr), shape=matrix.shape)


def _tie(others: sp.csr_array, row: Ints, fact: Ints, bound: Ints) -> sp.csr_array:
    """Entries of facts and purchases, with ``-bound`` of its fact in every tied row."""
    added = sp.csr_array((-bound, (row, fact)), shape=others.shape)
    return (others + added).tocsr()


def _diagonal(column: Ints, value: Ints, columns: int) -> sp.csr_array:
    """One entry a row."""
    return sp.csr_array((value, (np.arange(len(column)), column)), shape=(len(column), columns))
