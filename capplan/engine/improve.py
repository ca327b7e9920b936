"""A plan made better inside a core: by parts, by walks, by what is opened, what pays best at the moment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from capplan.engine.budget import Budget
from capplan.engine.core import Core
from capplan.engine.experience import AFRESH, HEATS, OPEN, WALK, Experience
from capplan.engine.mending import PART_S
from capplan.engine.neighbourhood import neighbourhood
from capplan.engine.opening import Opener
from capplan.engine.result import Limits, Watch
from capplan.engine.walking import Course
from capplan.units import Ints

PLAN_SHARE = 0.4
"""Share of the time in which a plan is looked for where there is none to begin with."""
REOPEN = 3.0
"""How much longer than one walk a search for what else to open takes, which is many of them."""
LONG_SHARE = 0.9
"""Share of the time that a long walk takes, so that it has cooled when it is called back."""


class Improver(Opener):
    """Chooses what to try next by what paid lately."""

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
        if WALK <= kind < OPEN:
            self._walk_at(kind - WALK, seconds)
        elif kind == OPEN:
            self.reopen(REOPEN * seconds)
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
        cost = self.x[first:] * self.core.worth[program.facts :]
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
