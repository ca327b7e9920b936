"""Bounds for one goal: prices by ascent, the linear relaxation, ties of items to the facts that they need."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from capplan.engine.dual import NEAR, Bound, ascend, cheapest, exact_bound, purchase_prices, refined, sifted
from capplan.engine.linear import Relaxed, relax
from capplan.engine.master import dear
from capplan.engine.memory import hand_back
from capplan.engine.narrow import options_of
from capplan.engine.search import Search
from capplan.engine.worths import Worths, climbed
from capplan.units import Bools, Floats, Ints

CORE_WIDTH = 8
"""Options of each item, cheapest at good prices first, among which plans are looked for at least."""
WORTHS_SHARE, HELD_LEAST, WORTH_MUCH = 0.1, 1e-3, 0.01
"""Share of the time left that prices and worths together may take; of a fact less than that counts as nothing; share of
the bound that worths bring from which ties are needed at once: else the few that are broken will do."""
FEW, MANY = 0.5, 20
"""Share of the facts that cost something up to which the relaxation needs few of them, and how many there must be."""
PRICES_SHARE, GUESS_SHARE = 0.25, 0.1
"""Share of the time left that an ascent may take; where there is a guess, from that and from nothing."""
SIFTED = 2
"""How many times as many options as are near the cheapest items must have to be sifted."""
LP_WIDTH = 3
LP_WHOLE = 20_000
"""Options up to which the linear relaxation starts with all of them."""
LP_EASY, LP_LEAST = 30_000, 1.5
"""Options with which it is soon solved, and options of an item, on average, without which it says too little."""
LARGEST_LP = 150_000
"""Options up to which the linear relaxation is solved."""
RELAX_SHARE, RELAX_LEAST, RELAX_MOST = 0.1, 4, 20
"""Share of the time for the relaxation's turns, turns in any case, and turns at most."""
RELAX_ONCE, RELAX_GUESSED = 0.25, 0.05
"""Share of the time left that one of these turns may take; where prices come from a guess, which is hard to better."""
RELAX_LITTLE = 3e-5
"""Share of the relaxation's value that the next of these turns must be able to gain."""
TIES_A_TURN, WANTED, WANTED_LEAST = 3_000, 0.25, 1_000
"""Ties that a turn adds at most; options, for each item on average, and in all however few items there are."""
TIE_LOOSE = 0.02
"""How much more of a fact than there is an item may take in the relaxation."""


class Bounding(Search):
    """What is known of the least cost.

    ``proof`` is the bound at the latest prices, worths included. ``active`` bool [option]: options in the relaxation;
    ``tied`` bool [pair]: pairs of an item and a fact that have a row there.
    """

    proof: Bound
    sampled = guessed = of_all = False
    """Whether the latest prices are a sample's, come from a guess, are a sample's made those of all items."""
    active: Bools
    tied: Bools
    _tied_at_once = False
    _proved_by_price = -(2**62)
    """The bound that ``price`` and ``worth`` prove."""

    def _least_with(self) -> Ints:
        """A lower bound on every plan that takes an option, without the goal's constant. int64 [option]."""
        return self.last_bound().least_with(self.whole.any_of)

    def _may_help(self) -> Bools:
        """Options that may be in a better plan, and those of the best one. bool [option]."""
        if self.best is None:
            return np.ones(self.whole.options, dtype=np.bool_)
        return self._with_best(self._least_with() < int(self._value) - self.goal.constant)

    def _likeliest(self, least: Ints, count: int, width: int) -> Bools:
        """The ``count`` options of which plans may cost least, and ``width`` of each item at least. bool [option].

        ``least`` int64 [option]: what plans with each cost at least.
        """
        likely = cheapest(self.columns.start, least, width)
        likely[np.argsort(least, kind="stable")[:count]] = True
        return likely

    def _few_needed(self) -> bool:
        """Whether the relaxation has something of few of those facts that cost something."""
        facts = dear(self.columns, self.whole.purchases.derived)
        return len(facts) >= MANY and 0 < int((self.held[facts] > HELD_LEAST).sum()) <= FEW * len(facts)

    def _prices(self, sample: int | None = None) -> Bound:
        """Prices by ascent, and the bound they prove; those of a ``sample`` of items are soon there.

        Where purchases widen limits, what these cost may be better: a coarse ascent would leave it.
        """
        guess, best = self._guess, None
        if guess.any():
            fine = refined(self.columns, self._sizes, self._spent(GUESS_SHARE), guess)
            self.budget.spend(2e-6 * self.whole.options)
            bounds = [(exact_bound(self.columns, price), price) for price in (guess, fine)]
            best = max(bounds, key=lambda one: one[0].value)
        some = None if sample is None else np.sort(self.random.permutation(self.whole.items)[:sample])
        share = PRICES_SHARE if best is None else GUESS_SHARE
        price = ascend(self.columns, self._sizes, self._spent(share), None, some)
        self.budget.spend(4e-6 * self.whole.options * (1 if sample is None else sample / self.whole.items))
        found = exact_bound(self.columns, price)
        self.guessed = best is not None and best[0].value >= found.value
        self.sampled = sample is not None and not self.guessed
        if best is not None and self.guessed:
            found, price = best
        return self._priced(price, found)

    @cached_property
    def _guess(self) -> Floats:
        """What purchases that widen limits cost, as prices of these limits, or 0. float [row]."""
        return purchase_prices(self.columns, self.whole.facts)

    def _prices_of_all(self) -> Bound:
        """The prices of a sample made those of all items."""
        spent = self._spent(PRICES_SHARE)
        if self.whole.options > SIFTED * NEAR * self.whole.items:
            price, seen = sifted(self.columns, self._sizes, spent, self.price, self.last)
            self.budget.spend(6e-6 * seen + 1.2e-7 * self.whole.options)
        else:
            price = ascend(self.columns, self._sizes, spent, self.price)
            self.budget.spend(4e-6 * self.whole.options)
        self.sampled, self.of_all = False, True
        return self._priced(price, exact_bound(self.columns, price))

    def _priced(self, price: Floats, bound: Bound) -> Bound:
        self.price, self.last, self.proof = price, bound, bound
        self._proved_by_price = bound.value
        self.prove(bound.value)
        return bound

    @cached_property
    def _sizes(self) -> Floats:
        """What a price of each row counts for: what an item could use of it. float [row]."""
        rows = len(self.columns.bound)
        size = np.ones(rows)
        size[: len(self.whole.bound)] = np.abs(self.whole.bound)
        return size / max(1.0, self.whole.items / max(1, rows))

    def _spent(self, share: float) -> Callable[[], bool]:
        """Whether that share of what is left now has passed by the clock."""
        until = self.watch.seconds + self.budget.clock(share * max(0.0, self.left))
        return lambda: self.watch.seconds > until

    def _attractive(self, bound: Bound) -> Bools:
        """The cheapest options of each item, of equally cheap ones any: the first ones would all be at few places."""
        reduced = bound.reduced / bound.scale
        luck = self.random.random(len(reduced))
        # In place: there may be tens of millions.
        luck *= max(1e-9, 1e-6 * float(reduced.max(initial=0)))
        reduced += luck
        return cheapest(self.columns.start, reduced, CORE_WIDTH)

    def _relax(self, bound: Bound) -> Relaxed | None:
        """The linear relaxation by column generation; its prices prove the bound."""
        self.active = self._likely(bound)
        self.tied = np.zeros(0 if self.ties is None else len(self.ties.fact), dtype=np.bool_)
        self._price_worths(bound)
        self._worths_known()
        self.active = self._with_best(self.active)
        found, until, before = None, self.left - RELAX_SHARE * self.left, -np.inf
        for turn in range(RELAX_MOST):
            if self.active.sum() > LARGEST_LP or self.over() or (turn >= RELAX_LEAST and self.left < until):
                break
            solved = self._solve_relaxation(None)
            if solved is None:
                break
            found, more = solved
            little = RELAX_LITTLE * abs(found.value)
            # Neither more options nor more ties are worth a turn.
            proved = max(self.proof.value, self._proved_by_price)
            if not more or max(found.value - proved, found.value - before) <= little:
                break
            before = found.value
        if max(self.last.value, self.proof.value) < self._proved_by_price:
            # It ended before its prices said more than those it began with.
            self._bounds_at(self.price, self.worth)
        return found

    def _worths_known(self) -> None:
        """Do what may be done before the relaxation, now that it is known about how much of each fact it has."""

    def _price_worths(self, bound: Bound) -> None:
        """Prices and worths together, from those of ``bound``; the relaxation begins with what they save most by."""
        if self.ties is None or not len(self.ties.fact):
            return
        found = climbed(self.columns, self.ties, self._sizes, self._spent(WORTHS_SHARE), bound)
        self.budget.spend(found.effort)
        if found.bound is bound:
            return
        self.last, self.proof = exact_bound(self.columns, found.price), found.bound
        proved = max(self.last.value, self.proof.value)
        self.price, self.worth, self._proved_by_price = found.price, found.worth, proved
        self.held = found.held
        self.prove(proved)
        if self.whole.options > LP_WHOLE:
            self._begin_with(found, found.bound.value - bound.value > WORTH_MUCH * abs(found.bound.value))

    def _begin_with(self, found: Worths, much: bool) -> None:
        """Begin the relaxation with options that cost less than their item is worth, of facts that are to be had.

        ``much``: whether worths brought so much that ties are needed at once, with every option that comes.
        """
        assert self.ties is not None
        held = np.where(self.ties.pair >= 0, found.held[self.ties.fact[self.ties.pair]], 1.0)
        gain = (found.worth - self.last.least / self.last.scale)[self.whole.item]
        spare = np.where(held > HELD_LEAST, self.last.reduced / self.last.scale - gain, np.inf)
        few = min(len(spare), max(LP_EASY, round(LP_LEAST * self.whole.items))) - 1
        most = min(0.0, float(np.partition(spare, few)[few]))
        self.active = cheapest(self.columns.start, spare, LP_WIDTH) | (spare <= most)
        self._tied_at_once = much
        if much:
            partly = self.active & (self.ties.pair >= 0) & (held < 1 - HELD_LEAST)
            self.tied[self.ties.pair[partly]] = True

    def _likely(self, bound: Bound) -> Bools:
        """Options that the relaxation begins with: some of each item; where that makes many, the cheapest ones of all.

        bool [option].
        """
        few = min(self.whole.options, max(LP_EASY, round(LP_LEAST * self.whole.items)))
        if not self.of_all or LP_WIDTH * self.whole.items <= few:
            width = LP_WIDTH if self.whole.options > LP_WHOLE else self.whole.options
            return cheapest(self.columns.start, bound.reduced, width)
        most = np.partition(bound.reduced, few - 1)[few - 1]
        return np.asarray(cheapest(self.columns.start, bound.reduced, 1) | (bound.reduced <= most))

    def _solve_relaxation(self, fixed: Floats | None) -> tuple[Relaxed, bool] | None:
        """Solve over the active options, learn the bound, add options and ties that would improve it."""
        shut = self._shut_by(fixed)
        option = np.flatnonzero(self.active if shut is None else self.active & ~shut)
        once = max(1.0, (RELAX_GUESSED if self.guessed else RELAX_ONCE) * self.left)
        most = once if self.limits.deterministic else np.inf
        relaxed, took = relax(self.columns, option, self.budget.clock(once), fixed, self._tied_rows(option), most)
        self.budget.spend(took)
        hand_back()
        if relaxed is None:
            return None
        if fixed is None:
            self.held = relaxed.others
        price = self._usual_where_shut(relaxed.price, fixed)
        proved = self._bounds_at(price, relaxed.item)
        if fixed is None and proved >= self._proved_by_price:
            self.price, self.worth, self._proved_by_price = np.maximum(relaxed.price, 0), relaxed.item, proved
        self.prove(proved)
        more = self._tie_more(relaxed)
        wanted = self._wanted(relaxed, fixed, shut)
        self.active[wanted] = True
        if self.ties is not None and self._tied_at_once:
            # Without a tie it would take what the fact costs to pieces again.
            new = self.ties.pair[wanted]
            partly = relaxed.others[self.ties.fact[new]] < 1 - HELD_LEAST
            self.tied[new[(new >= 0) & partly]] = True
        return relaxed, more or len(wanted) > 0

    def _wanted(self, relaxed: Relaxed, fixed: Floats | None, shut: Bools | None) -> Ints:
        """Options that it lacks most: cheaper than what it pays for the item, at its own prices. int64 [k]."""
        spare = relaxed.item - self.last.least / self.last.scale
        gain = spare[self.whole.item] - self.last.reduced / self.last.scale
        gain[self.active] = 0
        if shut is not None:
            gain[shut] = 0
        if fixed is None:
            gain[~self._paying()] = 0
        most = max(WANTED_LEAST, round(WANTED * self.whole.items))
        wanted = np.flatnonzero(gain > 1e-6)
        if len(wanted) > most:
            wanted = np.sort(wanted[np.argpartition(-gain[wanted], most)[:most]])
        return wanted

    def _paying(self) -> Bools:
        """Options without a fact, and those whose fact saves more than it costs at the latest proof. bool [option]."""
        if self.ties is None or not len(self.ties.fact):
            return np.ones(self.whole.options, dtype=np.bool_)
        saves = np.array([v < 0 for v in self.proof.others], dtype=np.bool_)
        return np.asarray((self.ties.pair < 0) | saves[self.ties.fact[self.ties.pair]])

    def _bounds_at(self, price: Floats, worth: Floats | None) -> int:
        """Make the bounds at ``price`` float [row], without ``worth`` float [item] and with, the latest; the better."""
        self.last = self.proof = exact_bound(self.columns, price)
        if self.ties is not None and worth is not None:
            self.proof = exact_bound(self.columns, price, self.ties, worth)
        return max(self.last.value, self.proof.value)

    def _shut_by(self, fixed: Floats | None) -> Bools | None:
        """Options of facts that are fixed at 0. bool [option]."""
        if fixed is None or self.ties is None:
            return None
        return options_of(self.whole, np.flatnonzero(fixed[: self.whole.facts] == 0))

    def _usual_where_shut(self, price: Floats, fixed: Floats | None) -> Floats:
        """Limits of what is shut cost what they cost otherwise: nobody asks for them now. float [row]."""
        if fixed is None or self.ties is None:
            return price
        covers = self.links.covers
        idle = np.zeros(len(price), dtype=np.bool_)
        idle[: len(covers)] = (covers >= 0) & (fixed[covers] == 0)
        return np.where(idle, self.price, price)

    def _tied_rows(self, option: Ints) -> sp.csr_array | None:
        """``an item's options of a fact ≤ the fact`` for pairs where this was broken before. [pair, column]."""
        if self.ties is None or not self.tied.any():
            return None
        pair = self.ties.pair[option]
        inside = np.flatnonzero(pair >= 0)
        inside = inside[self.tied[pair[inside]]]
        used, row = np.unique(pair[inside], return_inverse=True)
        ones = np.ones(len(inside) + len(used))
        ones[len(inside) :] = -1.0
        at = (
            np.concatenate([row, np.arange(len(used))]),
            np.concatenate([inside, len(option) + self.ties.fact[used]]),
        )
        return sp.csr_array((ones, at), shape=(len(used), len(option) + len(self.columns.upper)))

    def _tie_more(self, relaxed: Relaxed) -> bool:
        """Find pairs of an item and a fact where the item takes more of the fact than there is."""
        if self.ties is None:
            return False
        pair = self.ties.pair[relaxed.option]
        inside = pair >= 0
        taken = np.bincount(pair[inside], relaxed.x[inside], minlength=len(self.ties.fact))
        excess = taken - relaxed.others[self.ties.fact]
        excess[self.tied] = 0
        worst = np.argsort(-excess, kind="stable")[:TIES_A_TURN]
        worst = worst[excess[worst] > TIE_LOOSE]
        self.tied[worst] = True
        return len(worst) > 0

    def _shortage_prices(self) -> list[Floats]:
        """Prices so high, one kind of limit at a time, that opening too little of it costs more than any plan."""
        found = []
        for k in range(self.columns.row.shape[1]):
            rows = self.columns.row[:, k]
            price = np.zeros(len(self.columns.bound))
            need = max(1.0, float(self.columns.need[:, k].mean()))
            price[rows[rows >= 0]] = 1000.0 * max(1.0, float(np.abs(self.columns.cost).mean())) / need
            found.append(price)
        return found

    def last_bound(self) -> Bound:
        """The bound at the latest prices of the relaxation."""
        return exact_bound(self.columns, self.price, self.ties, self.worth)
