"""What a plan opens, changed: facts that cost something done without, taken as well, or instead of others.

Where a few of many sites are needed, which ones matters more than who is placed where. What a change saves is estimated
at good prices, each item by itself; the likeliest changes are walked for a moment, and the best of them for longer.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np

from capplan.engine.core import Core
from capplan.engine.dual import cheapest
from capplan.engine.narrow import options_of
from capplan.engine.walking import Course, Walker
from capplan.units import Ints

GLANCE_S, GLANCE_STRETCH = 0.01, 0.2
"""Seconds of the first walk after a change, and how much shorter than other walks it may be."""
RANK = 0.15
"""How likely the best by estimate is chosen, the second of those left then, and so on."""
DRAWS = 20
"""Changes drawn in a row that were tried before, after which there is nothing new."""
SHUTS, INSTEAD = 0.75, 0.5
"""How often something is shut, and how often something is opened instead of it, of all changes."""
TWICE = 0.25
"""How often two such changes are made at once."""
NEAR, FINISH = 0.02, 0.3
"""How much dearer than the best plan one may be to be walked for longer; the share of the time that is kept for it."""
CHANGE_S = 5e-9
"""Effort of a change for each option."""
NOWHERE = 10.0
"""What it costs an item to have nowhere else to be, in what options typically cost more than the cheapest."""


class Change(NamedTuple):
    """Facts to shut and to open, each ascending."""

    shut: tuple[int, ...]
    open: tuple[int, ...]


class Opener(Walker):
    """Changes what the best plan opens."""

    _tried: tuple[bytes, set[Change]] | None = None
    """What was open when some changes were tried, and these."""

    def reopen(self, seconds: float) -> None:
        """Try for so long what else to open."""
        assert self.x is not None
        if not (self.core.fact_price > 0).any():
            return
        end = self.budget.left - seconds
        finish = end + FINISH * seconds
        estimates, tried = self._estimates(), self._tried_at(self.x)
        promising: tuple[int, Ints, Ints] | None = None
        while not self.budget.used_up and self.budget.left > finish:
            change = estimates.draw(self.random, tried)
            if change is None:
                tried.clear()
                break
            before = self.core.parts.goal.value(self.x)
            y, shut = self._changed(self.x, change)
            self.budget.spend(CHANGE_S * (len(shut) + len(self.core.option)))
            plan = self.walk(y, GLANCE_S, Course(0.001, stretch=GLANCE_STRETCH), shut)
            if plan is None:
                continue
            value = self.core.parts.goal.value(plan)
            if self.core.parts.goal.value(self.x) < before:
                estimates, tried, promising = self._estimates(), self._tried_at(self.x), None
            elif value <= before + NEAR * abs(before) and (promising is None or value < promising[0]):
                promising = value, plan, shut
        if promising is not None and not self.budget.used_up:
            _, plan, shut = promising
            self.walk(plan, self.budget.left - end, Course(0.005), shut)

    def _tried_at(self, x: Ints) -> set[Change]:
        """Changes that were tried of what ``x`` int64 [column] opens."""
        program = self.core.parts.program
        opened = x[program.options : program.options + program.facts].tobytes()
        if self._tried is None or self._tried[0] != opened:
            self._tried = opened, set()
        return self._tried[1]

    def _estimates(self) -> Estimates:
        assert self.x is not None
        return Estimates(self.core, self.x)

    def _changed(self, x: Ints, change: Change) -> tuple[Ints, Ints]:
        """``x`` int64 [column] after a change, which may break limits, and options that are shut then, int64 [k]."""
        program = self.core.parts.program
        first, last = program.options, program.options + program.facts
        closed = (x[first:last] == 0) & (self.core.fact_price > 0)
        closed[list(change.shut)] = True
        closed[list(change.open)] = False
        # What is opened may need others as well.
        opened = options_of(program, np.array(change.open, dtype=np.int64))
        opened &= ~options_of(program, np.array(change.shut, dtype=np.int64))
        shut = np.flatnonzero(options_of(program, np.flatnonzero(closed)) & ~opened)
        rank = self.core.reduced.copy()
        rank[x[:first] > 0] = -1.0
        rank[shut] += 1e12
        y = np.zeros_like(x)
        y[np.flatnonzero(cheapest(self.core.parts.start, rank, 1))] = 1
        y[last:] = x[last:]
        return y, shut


class Estimates:
    """What changes of what the plan ``x`` int64 [column] opens cost, at good prices and each item by itself."""

    def __init__(self, core: Core, x: Ints) -> None:
        self.core, self.owner, self.price = core, core.owner, core.fact_price
        owner = self.owner
        program, start = core.parts.program, core.parts.start
        taken = np.flatnonzero(x[: program.options])
        self.now, self.here = core.reduced[taken], owner[taken]
        held = x[program.options : program.options + program.facts] > 0
        # Where a fact only ever comes with a dearer one, that one counts.
        owning = np.bincount(owner[owner >= 0], minlength=len(self.price)) > 0
        self.held, self.closed = (np.flatnonzero(of & owning) for of in (held, ~held))
        elsewhere = ((owner < 0) | held[owner]) & (owner != self.here[program.item])
        least = np.minimum.reduceat(np.where(elsewhere, core.reduced, np.inf), start[:-1])
        self.next = np.where(np.isfinite(least), least, self.now + NOWHERE * core.typical)
        self._opening: dict[int | None, Ints] = {}

    def draw(self, random: np.random.Generator, tried: set[Change]) -> Change | None:
        """A change that was not ``tried``, likelier the more it saves, and counts as tried; None where none is met."""
        for _ in range(DRAWS):
            drawn = [self._one(random)]
            if random.random() < TWICE:
                drawn.append(self._one(random))
            shut, opened = ({fact for fact in facts if fact is not None} for facts in zip(*drawn, strict=True))
            change = Change(tuple(sorted(shut)), tuple(sorted(opened)))
            if change not in tried and any(change):
                tried.add(change)
                return change
        return None

    def _one(self, random: np.random.Generator) -> tuple[int | None, int | None]:
        """A fact to shut and one to open, None for none."""
        kind, shut, opened = random.random(), None, None
        if kind < SHUTS and len(self.held):
            shut = _one_of(self._shutting, random)
        if kind >= SHUTS - INSTEAD and len(self.closed):
            opened = _one_of(self._opened(shut), random)
        return shut, opened

    @cached_property
    def _shutting(self) -> Ints:
        """Facts that are held, those first that are done without at the least cost."""
        inside = self.here >= 0
        lost = np.bincount(self.here[inside], (self.next - self.now)[inside], minlength=len(self.price))
        return self.held[np.argsort((lost - self.price)[self.held], kind="stable")]

    def _opened(self, shut: int | None) -> Ints:
        """Facts that are not held, those first that save most where ``shut`` is done without."""
        if shut not in self._opening:
            item = self.core.parts.program.item
            now = self.now if shut is None else np.where(self.here == shut, self.next, self.now)
            gain = now[item] - self.core.reduced
            some = np.flatnonzero((self.owner >= 0) & (gain > 0))
            # Of several options of an item with the fact the best one counts.
            order = some[np.lexsort((-gain[some], self.owner[some], item[some]))]
            first = np.ones(len(order), dtype=np.bool_)
            first[1:] = (np.diff(item[order]) != 0) | (np.diff(self.owner[order]) != 0)
            best = order[first]
            saved = np.bincount(self.owner[best], gain[best], minlength=len(self.price)) - self.price
            self._opening[shut] = self.closed[np.argsort(-saved[self.closed], kind="stable")]
        return self._opening[shut]


def _one_of(ranked: Ints, random: np.random.Generator) -> int:
    """The first is likelier than the second, and so on; where that leads beyond the last, any."""
    number = int(random.geometric(RANK)) - 1
    return int(ranked[number if number < len(ranked) else random.integers(len(ranked))])
