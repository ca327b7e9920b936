"""What a search learned on the way: which kinds of search pay, how long walks take, what limits cost.

What pays best at the moment is chosen by gain per second.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from capplan.engine.neighbourhood import ARMS
from capplan.units import Floats

HEATS = (0.005, 0.0005, 0.5, 0.05)
"""Temperatures at which walks begin, in what an item costs. Which is right depends on how rugged the costs are."""
WALK, AFRESH, OPEN, KINDS = (len(ARMS) + n for n in (0, len(HEATS), 2 * len(HEATS), 2 * len(HEATS) + 1))
"""Kinds of search: first parts of each arm, then walks from each temperature, with what limits were found to cost and
afresh, then what else to open; how many."""
STRICTEST, LOST_SHARE = 64.0, 0.4
"""The most that limits are made dearer, and the share of moves in vain from which they are."""
CURIOSITY = 0.05
"""Share of the best kind's rate that every kind is credited with, so that none is given up for good."""
MEMORY, MOMENT_S = 0.8, 0.3
"""Weight of the past in a kind's rate after one trial, or for every so many seconds that it took."""


@dataclass
class Chooser:
    """Chooses among kinds by what they gained per second lately."""

    kinds: int
    rate: list[float | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rate = [None] * self.kinds

    def choose(self, random: np.random.Generator) -> int:
        """Kinds not tried yet, the last one first, then by rate: walks gain most at the beginning."""
        rates = [rate for rate in self.rate if rate is not None]
        if len(rates) < self.kinds:
            return max(kind for kind, rate in enumerate(self.rate) if rate is None)
        weight = np.array(rates) + CURIOSITY * max(*rates, 1e-12)
        return int(random.choice(self.kinds, p=weight / weight.sum()))

    def learn(self, kind: int, gain: float, seconds: float) -> None:
        """What a kind brought."""
        rate = gain / max(1e-3, seconds)
        before = self.rate[kind]
        past = MEMORY ** max(1.0, seconds / MOMENT_S)
        self.rate[kind] = rate if before is None else past * before + (1 - past) * rate

    def hear(self, other: Chooser) -> None:
        """What somebody else learned of kinds that were not tried here."""
        self.rate = [theirs if mine is None else mine for mine, theirs in zip(self.rate, other.rate, strict=True)]


@dataclass
class Experience:
    """What was learned on the way, for whoever goes on.

    ``chooser``: which kinds of search pay. ``stretch`` [kind of walk]: how many times as long as at first walks take,
    twice as long after each that brought nothing. ``weight`` float [limit]: what a unit beyond each limit cost at the
    end of the last walk, if any. ``strictness``: how many times what is usual it costs at first for walks that begin
    afresh; where they get lost beyond the limits it rises.
    """

    chooser: Chooser = field(default_factory=lambda: Chooser(KINDS))
    stretch: list[float] = field(default_factory=lambda: [1.0] * 2 * len(HEATS))
    weight: Floats | None = None
    strictness: float = 4.0

    def returned(self, share: float) -> None:
        """A walk went back to its best plan, because it met none for long, after so great a share of its moves."""
        lost = share > LOST_SHARE
        self.strictness = min(STRICTEST, 2 * self.strictness) if lost else max(1.0, 0.8 * self.strictness)

    def cooled(self, heat: float) -> None:
        """A plan was cooled slowly to a temperature: walks that begin hotter, or afresh, are not what comes next."""
        for kind in range(WALK, OPEN):
            if kind >= AFRESH or HEATS[kind - WALK] > heat:
                self.chooser.rate[kind] = self.chooser.rate[kind] or 0.0

    def hear(self, other: Experience) -> None:
        """Take over what somebody else tried and we did not."""
        self.chooser.hear(other.chooser)
        self.stretch = [max(mine, theirs) for mine, theirs in zip(self.stretch, other.stretch, strict=True)]
