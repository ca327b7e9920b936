"""Plans and bounds by what goes together into one place, where places are alike or hold little."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capplan.engine.bounding import Bounding
from capplan.engine.closing import closed
from capplan.engine.kinds import Kinds
from capplan.engine.patterns import Choice, Patterns, placed
from capplan.units import Ints

PACK_SHARE = 0.4
"""Share of the time for finding out what may go together."""
DIVE_SHARE, CHOICE_SHARE = 0.15, 0.2
"""Shares of the time then left for plans of it, and for the best choice among all that was found."""
CLOSE_SHARE, CLOSE_SHARE_ALIKE = 0.7, 0.2
"""Shares of the time then left for closing the gap by listing, where places are not alike and where they are."""
LISTED_MOST, LISTED_ALIKE, SOON = 400_000, 30_000, 0.1
"""Patterns that are listed at most, where places are not alike and where they are, and the share of that at first."""
WHOLE_MOST = 5_000
"""Patterns from which branch and bound takes too long, where places are not alike and all of them are whole."""
NEARER, FURTHER, CLOSE = 0.7, 1.25, 0.03
"""How far above the bound plans are looked for next where patterns are too many, and where there is none so cheap; by
what share more is no use."""
VAIN_MOST = 3
"""Times in a row that filling places again may bring nothing where they are not alike."""


@dataclass
class Reach:
    """How far above the bound of patterns plans are looked for by listing.

    ``too_far``: where patterns were too many, or took too long; ``most``: how many would not have been too many then.
    ``empty``: as far there is no plan.
    """

    too_far: int = 2**62
    most: float = 0.0
    empty: int = 0

    def begin(self, known: int, most: float) -> int:
        """Where to look first, with up to ``most`` patterns; the best plan is ``known`` so far above."""
        gap = min(known, int(NEARER * self.too_far)) if most <= self.most else known
        return gap if gap > self.empty else min(known, self.further(self.empty, most))

    def nearer(self, gap: int, most: float) -> int:
        """Where to look next when that was too far."""
        self.too_far, self.most = gap, most
        return max(int(NEARER * gap), (self.empty + gap) // 2)

    def further(self, gap: int, most: float) -> int:
        """Where to look next when there was nothing; there again where that is nearly too far."""
        self.empty = gap
        next_one = max(gap + 1, int(FURTHER * gap))
        if most > self.most:
            return next_one
        return gap if self.too_far - gap <= CLOSE * gap else min(next_one, (gap + self.too_far) // 2)


class Packing(Bounding):
    """``patterns`` are those found so far, where there are any."""

    patterns: Patterns | None = None
    _vain = 0
    _closed_from: float = np.inf
    """The value of the best plan when it was last looked for one by listing."""

    def _pack(self, kinds: Kinds) -> None:
        """Where places are alike, or little fits into one, think of what goes together into one."""
        self.patterns = patterns = Patterns(kinds, self.budget, int(self.random.integers(2**31)))
        self._reach = Reach()
        if self.best is not None:
            patterns.learn(self._places())
        patterns.find(PACK_SHARE * self.left)
        self.prove(patterns.bound)
        self._close_patterns(SOON if kinds.alike else 1.0)
        known, end = Choice(), (1 - DIVE_SHARE) * self.left
        while not self.over() and self.left > end:
            found = patterns.dive(self.left - end)
            if self._lay_out(found):
                known = found
        if not self.over():
            self._lay_out(patterns.choice(CHOICE_SHARE * self.left, known))
        self._close_patterns()
        if self.best is not None:
            self._keep(self._attractive(self.last), self.last)

    def _pack_again(self) -> None:
        """Fill some places of the best plan again, where there are patterns and that was worth while lately."""
        assert self.best is not None
        if self.patterns is None or self._vain >= VAIN_MOST:
            return
        better = self._lay_out(self.patterns.again(self.patterns.learn(self._places()), self._turn))
        if not self.patterns.kinds.alike:
            # Walks and parts find much there, too; where places are alike, they do not.
            self._vain = 0 if better else self._vain + 1
        if self._value < self._closed_from:
            self._close_patterns()
        self._cover()

    def _close_patterns(self, part: float = 1.0) -> None:
        """Look for the best among all patterns that may be in a better plan, or in one so cheap that these are few.

        ``part``: of the patterns that may be listed.
        """
        if self.patterns is None or self.best is None or self.patterns.bounded is None:
            return
        patterns, alike = self.patterns, self.patterns.kinds.alike
        most = part * (LISTED_ALIKE if alike else LISTED_MOST)
        end = (1 - (CLOSE_SHARE_ALIKE if alike else CLOSE_SHARE)) * self.left
        patterns.learn(self._places())
        self._closed_from = self._value
        self._reach.empty = max(self._reach.empty, self.bound - patterns.bound)
        gap = self._reach.begin(self._beyond_patterns, most)
        while not self.over() and self.left > end and patterns.bound + gap > self.bound:
            value = patterns.bound + gap
            found = closed(patterns, self.left - end, value, int(most), int(most) if alike else WHOLE_MOST)
            if found is None:
                gap = self._reach.nearer(gap, most)
                continue
            better, bound = found
            self.prove(bound)
            if bound == value:
                gap = self._reach.further(gap, most)
            elif not better or not self._lay_out(better):
                self._reach.nearer(gap, most)
                return
            gap = min(gap, self._beyond_patterns)

    @property
    def _beyond_patterns(self) -> int:
        """How far the best plan is above the bound of patterns."""
        assert self.patterns is not None
        return int(self._value) - self.goal.constant - self.patterns.bound

    def _places(self) -> Ints:
        """Where the best plan has each item. int64 [item]."""
        assert self.best is not None
        return np.asarray(self.whole.limits.place, dtype=np.int64)[np.flatnonzero(self.best[: self.whole.options])]

    def _lay_out(self, found: Choice) -> bool:
        """Give every pattern a place; whether that made a better plan."""
        assert self.patterns is not None
        place = np.asarray(self.whole.limits.place, dtype=np.int64)
        option = placed(self.patterns.kinds, self.whole.item_start, place, found)
        if option is None:
            return False
        x = np.zeros(self.whole.columns, dtype=np.int64)
        x[option] = 1
        return self.offer(x)
