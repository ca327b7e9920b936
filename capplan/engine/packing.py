"""Plans and bounds by what goes together into one place, where places are alike or hold little."""

from __future__ import annotations

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
SOON_MOST, ALL_MOST = 3_000, 30_000
"""Patterns up to which branch and bound chooses among all that may be in a better plan: at once, and after dives."""
CLOSER = 0.7
"""Share of the gap at the last time, below which all patterns that may be in a better plan are looked for again."""
VAIN_MOST = 3
"""Times in a row that filling places again may bring nothing where they are not alike."""


class Packing(Bounding):
    """``patterns`` are those found so far, where there are any."""

    patterns: Patterns | None = None
    _closed_at: float = np.inf
    """The gap at which branch and bound chose among all patterns that may be in a better plan."""
    _not_closed: tuple[int, int] | None = None
    """The gap at which there were too many of them, and how many would not have been."""
    _vain = 0

    def _pack(self, kinds: Kinds) -> None:
        """Where places are alike, or little fits into one, think of what goes together into one."""
        self.patterns = patterns = Patterns(kinds, self.budget, int(self.random.integers(2**31)))
        if self.best is not None:
            patterns.learn(self._places())
        patterns.find(PACK_SHARE * self.left)
        self.prove(patterns.bound)
        self._close_patterns(SOON_MOST)
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
        self._close_patterns()
        self._cover()

    def _close_patterns(self, most: int = ALL_MOST) -> None:
        """Choose among all patterns that may be in a better plan where these are few; again where the gap is closer."""
        if self.patterns is None or self.best is None or self.over():
            return
        gap = int(self._value) - self.goal.constant - self.patterns.bound
        if gap > CLOSER * self._closed_at or (gap, most) == self._not_closed:
            return
        found = closed(self.patterns, CHOICE_SHARE * self.left, self.patterns.learn(self._places()), most)
        if found is None:
            self._not_closed = gap, most
            return
        self._closed_at = gap
        self._lay_out(found[0])
        self.prove(found[1])

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
