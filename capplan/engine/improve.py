"""A plan made better inside a core: by parts, by walks, by doing without a site, what pays best at the moment."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from capplan.engine.budget import Budget
from capplan.engine.core import Core
from capplan.engine.dual import cheapest
from capplan.engine.experience import AFRESH, HEATS, SHUT, WALK, Experience
from capplan.engine.mending import PART_S
from capplan.engine.narrow import options_of
from capplan.engine.neighbourhood import neighbourhood
from capplan.engine.result import Limits, Watch
from capplan.engine.settled import worth_of
from capplan.engine.walking import Course, Walker
from capplan.units import Floats, Ints

PLAN_SHARE = 0.4
"""Share of the time in which a plan is looked for where there is none to begin with."""
INSTEAD = 0.5
"""How often something is opened instead of what is shut."""
UNLIKED = 0.05
"""How likely what the relaxation has nothing of is opened, or what it has all of is shut, beside the opposite."""
LONG_SHARE = 0.9
"""Share of the time that a long walk takes, so that it has cooled when it is called back."""


class Improver(Walker):
    """Chooses what to try next by what paid lately."""

    @cached_property
    def _worth(self) -> Floats:
        """What each fact and purchase costs. float [fact + purchase]."""
        return worth_of(self.core.parts)

    def improve(self, seconds: float, enough: int | None = None) -> None:
        """Search from the best plan for ``seconds``, or until its goal is ``enough``."""
        end = self.budget.left - seconds
        while self.x is not None and not self.budget.used_up and self.budget.left > end:
            before, left = self.value, self.budget.left
            assert before is not None
            if enough is not None and before <= enough:
                return
            kind = self.experience.chooser.choose(self.random)
            self._try(kind, max(0.05, min(seconds, 0.3 + 2e-6 * self.core.parts.program.items)))
            now = self.value
            assert now is not None
            self.experience.chooser.learn(kind, before - now, left - self.budget.left)

    def _try(self, kind: int, seconds: float) -> None:
        assert self.x is not None
        if WALK <= kind < SHUT:
            self._walk_at(kind - WALK, seconds)
        elif kind == SHUT:
            self._shut_one(seconds)
        else:
            taken = np.flatnonzero(self.x[: self.core.parts.program.options])
            freed = neighbourhood(self.core, taken, kind, self.random, self._paid_for())
            self.solve_part(self.x, freed.items, PART_S, freed.allowed)

    def _paid_for(self) -> int | None:
        """Half of the time an item for which something is bought, those for which it costs most sooner than others."""
        if self.random.random() < 0.5:
            return None
        assert self.x is not None
        parts, program = self.core.parts, self.core.parts.program
        first = program.options + program.facts
        cost = self.x[first:] * self._worth[program.facts :]
        if cost.sum() <= 0:
            return None
        bought = int(self.random.choice(len(cost), p=cost / cost.sum()))
        widened = parts.by_column[:, [first + bought]]
        of_option = np.asarray(parts.by_row[widened.indices[widened.data < 0]].sum(axis=0))[: program.options]
        use = np.maximum(0, of_option * self.x[: program.options])
        return int(program.item[self.random.choice(len(use), p=use / use.sum())]) if use.any() else None

    def _walk_at(self, kind: int, seconds: float) -> None:
        """Walk from one of the temperatures, for longer the next time if nothing comes of it."""
        assert self.x is not None
        before = self.value
        stretch = self.experience.stretch
        heat, afresh = HEATS[kind % len(HEATS)], kind >= AFRESH - WALK
        self.walk(self.x, seconds, Course(heat, stretch=stretch[kind], afresh=afresh))
        if self.value == before:
            stretch[kind] *= 2

    def _shut_one(self, seconds: float) -> None:
        """Try to do without a fact that costs something, or with another instead.

        Those that few options need are done without first, those that the relaxation has most of taken instead.
        """
        assert self.x is not None
        program, x, liked = self.core.parts.program, self.x, self.core.held
        first = program.options
        price = self._worth[: program.facts]
        held = np.flatnonzero((x[first : first + program.facts] > 0) & (price > 0))
        if not len(held):
            return
        use = np.asarray(program.any_of.astype(np.int64) @ x[:first])[held]
        weight = (price[held] / np.maximum(1, use)) ** 2 * (1 + UNLIKED - liked[held])
        fact = int(self.random.choice(held, p=weight / weight.sum()))
        closed = (x[first : first + program.facts] == 0) & (price > 0)
        others = np.flatnonzero(closed)
        if len(others) and self.random.random() < INSTEAD:
            likely = (UNLIKED + liked[others]) / price[others]
            closed[self.random.choice(others, p=likely / likely.sum())] = False
        closed[fact] = True
        shut = np.flatnonzero(options_of(program, np.flatnonzero(closed)))
        rank = self.core.reduced.copy()
        rank[x[:first] > 0] = -1.0
        rank[shut] += 1e12
        y = np.zeros_like(x)
        y[np.flatnonzero(cheapest(self.core.parts.start, rank, 1))] = 1
        y[first + program.facts :] = x[first + program.facts :]
        self.walk(y, seconds, Course(0.001), shut)


@dataclass(frozen=True)
class Start:
    """Where to begin: ``x`` int64 [column of the core].

    With ``shut`` int64 [k], options that are not to be taken, ``x`` may break limits, and is walked to a plan first.
    ``long``: to be cooled slowly, and sent back then.
    """

    x: Ints
    experience: Experience
    shut: Ints | None = None
    long: bool = False


@dataclass
class Called(Watch):
    """Stops when the file ``flag`` appears: how a process is called back from another one."""

    flag: str = ""

    @property
    def stopped(self) -> bool:
        """Whether somebody asked to stop."""
        return super().stopped or Path(self.flag).exists()


def improved(
    core: Core, start: Start, limits: Limits, effort: float, seed: int, flag: str
) -> tuple[Ints | None, Experience]:
    """The best plan found within ``limits``, or until the file ``flag`` appears."""
    budget = Budget(limits, Called(flag=flag), effort)
    improver = Improver(core, start.x if start.shut is None else None, budget, seed, start.experience)
    if start.shut is not None:
        improver.x = improver.plan_from(start.x, PLAN_SHARE * min(budget.left, effort), start.shut)
    if start.long:
        improver.cool(LONG_SHARE * min(budget.left, effort))
    else:
        improver.improve(budget.left)
    return improver.x, improver.experience
