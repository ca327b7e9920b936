"""The gap between plan and bound closed by listing: all patterns that may be in a better plan, and the best of them.

At the worths of the bound every plan costs the bound and what each of its patterns costs beyond its worth, which is
never less than nothing. So in a plan no dearer than the best one no pattern costs more beyond its worth than the best
plan is above the bound (Baldacci, Hadjiconstantinou, Maniezzo, Mingozzi 2002, for capacitated p-medians).

Among all that are listed it is branched on how many places of each kind are used, most of what a linear problem over
patterns leaves open: it opens parts of places. Each such problem proves a bound in whole numbers and rules out patterns
by it; what is left where places are whole, or few patterns are, goes to branch and bound by HiGHS.
"""

from __future__ import annotations

import heapq
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from capplan.engine.filling import every
from capplan.engine.kinds import ENDLESS, Kinds
from capplan.engine.linear import minimum
from capplan.engine.patterns import Choice, Exact, Patterns
from capplan.highs import Problem
from capplan.units import Bools, Floats, Ints

LISTING_S, LISTING_S_A_TYPE, LISTED_S = 0.02, 5e-6, 3e-6
"""Effort of listing those of a kind, and more for each type of item and for each that is listed."""
ADDED = 300
"""Patterns that a turn of a linear problem takes in."""
FEW = 300
"""Patterns left with which branch and bound is sooner done than with whole places."""
NOT_WHOLE = 1e-6
"""How far from a whole number of places is open."""
GAINED = 1e-7
"""What a pattern must gain, of what an item that nothing holds is lost at, to be taken in."""
LOOK_S = 2e-9
"""Effort of pricing an item of a pattern."""


class Listing(NamedTuple):
    """Patterns: ``kind`` int64 [pattern], their ``types``, ``cost`` int64 [pattern], ``held`` int64 [pattern, type]."""

    kind: Ints
    types: list[Ints]
    cost: Ints
    held: sp.csr_array


class Box(NamedTuple):
    """How many places of each kind are used, ``low`` to ``high`` int64 [kind]; no plan in it costs less than ``bound``.

    ``number`` says which was thought of first.
    """

    bound: int
    number: int
    low: Ints
    high: Ints


class Relaxed(NamedTuple):
    """No plan of a box costs less than ``bound``; patterns that may be in a better one than is known, int64 [k].

    ``use`` float [kind]: places in the linear problem; ``exact``: the worths that prove it.
    """

    bound: int
    among: Ints
    use: Floats
    exact: Exact


def closed(patterns: Patterns, seconds: float, value: int, most: int, whole: int) -> tuple[Choice, int] | None:
    """The cheapest plan below ``value``, empty where none was found, and a bound, which is ``value`` at most.

    None where more than ``most`` patterns may be in such a plan, or more than ``whole`` where all places are whole. All
    of it may take ``seconds``.
    """
    if patterns.bounded is None:
        return None
    end, constant = patterns.budget.left - seconds, patterns.kinds.constant
    listing = _all_below(patterns, patterns.bounded, value - constant, end, most)
    if listing is None:
        return None
    branching = Branching(patterns, listing, value - constant)
    bound = branching.run(end, whole)
    return None if bound is None else (branching.best, constant + bound)


def _all_below(patterns: Patterns, exact: Exact, value: int, end: float, most: int) -> Listing | None:
    """All patterns that may be in a plan below ``value``; None where they are too many, or it takes too long."""
    kinds, found, of = patterns.kinds, list[Ints](), list[int]()
    spare = value * exact.fine - exact.total
    for kind in np.flatnonzero(kinds.count).tolist():
        if patterns.budget.used_up or patterns.budget.left < end:
            return None
        least = exact.fine * int(kinds.opening[kind]) + int(exact.rent[kind]) - spare
        types = every(kinds, kind, exact.gain(kinds, kind), least, most - len(found), patterns.random)
        patterns.budget.spend(LISTING_S + LISTING_S_A_TYPE * len(kinds.times))
        if types is None:
            return None
        patterns.budget.spend(LISTED_S * len(types))
        found += types
        of += [kind] * len(types)
    return _listing(kinds, of, found)


def _listing(kinds: Kinds, of: list[int], types: list[Ints]) -> Listing:
    kind = np.array(of, dtype=np.int64)
    size = np.array([len(one) for one in types], dtype=np.int64)
    member = np.concatenate([np.zeros(0, dtype=np.int64), *types])
    owner, start = np.repeat(np.arange(len(types)), size), np.concatenate([[0], np.cumsum(size)])
    cost = kinds.opening[kind].copy()
    np.add.at(cost, owner, kinds.cost[kind[owner], member])
    shape = (len(types), len(kinds.times))
    return Listing(kind, types, cost, sp.csr_array((np.ones(len(member), np.int64), member, start), shape=shape))


class Branching:
    """The cheapest choice among listed patterns, if any costs less than ``value``: ``best`` and its value so far.

    Values are without the constant.
    """

    def __init__(self, patterns: Patterns, listing: Listing, value: int) -> None:
        self.patterns, self.listing, self.value = patterns, listing, value
        self.best = Choice()
        self.kinds, self.budget = patterns.kinds, patterns.budget
        # The linear problem begins with those that were found before.
        self.active: Bools = patterns.known(listing.kind, listing.types)

    def run(self, end: float, whole: int) -> int | None:
        """Search while there is more left than ``end``; a bound on every plan, without the constant.

        None where more than ``whole`` patterns are left though places are whole: that would take too long.
        """
        kinds = self.kinds
        boxes, number, left_open = [Box(-ENDLESS, 0, np.zeros_like(kinds.count), kinds.count)], 0, self.value
        while boxes and boxes[0].bound < self.value and not self.budget.used_up and self.budget.left > end:
            box = heapq.heappop(boxes)
            relaxed = self._relaxed(box, end)
            if relaxed.bound >= self.value:
                continue
            open_by = np.abs(relaxed.use - np.rint(relaxed.use))
            if len(relaxed.among) <= FEW or open_by.max() <= NOT_WHOLE:
                if len(relaxed.among) > whole and not self.best:
                    return None
                seconds = self.budget.left - end
                long = len(relaxed.among) > whole or seconds <= 0
                left_open = min(left_open, relaxed.bound if long else self._chosen(box, relaxed, seconds))
                continue
            kind = int(np.argmax(open_by))
            low, high = box.low.copy(), box.high.copy()
            high[kind] = np.floor(relaxed.use[kind])
            low[kind] = high[kind] + 1
            number += 2
            heapq.heappush(boxes, Box(relaxed.bound, number, box.low, high))
            heapq.heappush(boxes, Box(relaxed.bound, number + 1, low, box.high))
        return min([self.value, left_open, *(box.bound for box in boxes)])

    def _relaxed(self, box: Box, end: float) -> Relaxed:
        """The linear problem of a box, by columns, while there is more left than ``end``."""
        listing, types, count = self.listing, len(self.kinds.times), len(self.kinds.count)
        inside = box.high[listing.kind] > 0
        while True:
            among = np.flatnonzero(self.active & inside)
            use, dual = self._linear(box, among)
            worth, rent, least = -dual[:types], -dual[types : types + count], -dual[types + count :]
            reduced = listing.cost - listing.held @ worth + (rent - least)[listing.kind]
            reduced[self.active | ~inside] = 0
            new = np.flatnonzero(reduced < -GAINED * self.patterns.dear)
            if not len(new) or self.budget.used_up or self.budget.left <= end:
                break
            self.active[new[np.argsort(reduced[new], kind="stable")[:ADDED]]] = True
        places = np.bincount(listing.kind[among], use[: len(among)], minlength=count).astype(np.float64)
        return self._proved(box, places, self.patterns.in_whole_numbers(worth), inside)

    def _linear(self, box: Box, among: Ints) -> tuple[Floats, Floats]:
        """How much of ``among`` int64 [k] to use, and of items that these cannot hold; prices, all ≤ 0, float [row].

        Rows: items of each type are held, places of each kind at most, and at least.
        """
        types, count = len(self.kinds.times), len(self.kinds.count)
        look = LOOK_S * self.listing.held.nnz
        self.budget.spend(0.005 + 2e-7 * len(among) * types**0.5 + 1e-5 * types + look)
        held, kind = self._rows(among)
        lost = sp.vstack([-sp.eye_array(types), sp.csr_array((2 * count, types))])
        matrix = sp.csr_array(sp.hstack([sp.vstack([-held, kind, -kind]), lost]))
        cost = np.concatenate([self.listing.cost[among], np.full(types, self.patterns.dear)]).astype(np.float64)
        limit = np.concatenate([-self.kinds.times, box.high, -box.low]).astype(np.float64)
        return minimum(matrix, cost, limit)

    def _rows(self, among: Ints) -> tuple[sp.csr_array, sp.csr_array]:
        """What each of ``among`` int64 [k] holds, [type, k], and of which kind it is, [kind, k]."""
        at = self.listing.kind[among], np.arange(len(among))
        kind = sp.csr_array((np.ones(len(among), np.int64), at), shape=(len(self.kinds.count), len(among)))
        return sp.csr_array(self.listing.held[among].T), kind

    def _proved(self, box: Box, use: Floats, exact: Exact, inside: Bools) -> Relaxed:
        """The bound of a box in whole numbers at such worths, and what it leaves of ``inside`` bool [pattern].

        A kind of place costs what the cheapest of its patterns costs beyond its worth, as often as is best.
        """
        listing, kinds = self.listing, self.kinds
        beyond = listing.cost * exact.fine - listing.held @ exact.worth
        cheapest = np.full(len(kinds.count), ENDLESS, dtype=np.int64)
        np.minimum.at(cheapest, listing.kind[inside], beyond[inside])
        some = cheapest < ENDLESS
        none = Relaxed(self.value, np.zeros(0, dtype=np.int64), use, exact)
        if (~some & (box.low > 0)).any():
            return none
        cheapest[~some] = 0
        paid = np.where(cheapest < 0, box.high, box.low) * cheapest
        total = int(exact.worth @ kinds.times) + int(paid.sum())
        # With one of them given, the others of its kind cost the least that they may.
        others = np.where(cheapest < 0, box.high, np.maximum(box.low, 1)) - 1
        with_it = total + beyond + (others * cheapest - paid)[listing.kind]
        among = np.flatnonzero(inside & (with_it < self.value * exact.fine))
        bound = max(box.bound, -(-total // exact.fine))
        return none if bound >= self.value else Relaxed(bound, among, use, exact)

    def _chosen(self, box: Box, relaxed: Relaxed, seconds: float) -> int:
        """The best choice among what the bound of a box leaves, by branch and bound; a bound on every plan of it."""
        among, listing, before = relaxed.among, self.listing, self.value
        if not len(among):
            return before
        problem, constant, unit = self._beyond_worth(self._problem(box, among), relaxed)
        told = self.patterns.heard(problem, seconds)
        for plan in told.plans:
            chosen = np.repeat(among, np.rint(plan).astype(np.int64))
            if (value := int(listing.cost[chosen].sum())) < self.value:
                self.value = value
                self.best = [(int(listing.kind[n]), listing.types[n]) for n in chosen.tolist()]
        if told.bound == np.inf:
            return before
        # What is not among them costs no less than what was known.
        return relaxed.bound if told.least is None else min(before, max(relaxed.bound, constant + unit * told.least))

    def _problem(self, box: Box, among: Ints) -> Problem:
        """How often to use each of ``among`` int64 [k], so that every item is held exactly once."""
        listing, kinds = self.listing, self.kinds
        matrix = sp.csc_array(sp.vstack(self._rows(among)))
        matrix.sum_duplicates()
        low, high = (np.concatenate([kinds.times, many]) for many in (box.low, box.high))
        return Problem.of(matrix, listing.cost[among], box.high[listing.kind[among]], (low, high))

    def _beyond_worth(self, problem: Problem, relaxed: Relaxed) -> tuple[Problem, int, int]:
        """The problem in what patterns cost beyond the worth of what they hold; what that leaves out, and its unit.

        Small whole numbers, so that the errors of floating point that bounds are forgiven are less than one of them.
        """
        unit = max(1, int(np.gcd.reduce(problem.cost.astype(np.int64))))
        worth = np.rint(relaxed.exact.worth / (relaxed.exact.fine * unit)).astype(np.int64)
        held = self.listing.held[relaxed.among] @ worth
        return replace(problem, cost=problem.cost / unit - held), unit * int(worth @ self.kinds.times), unit
