"""Walks inside a core: from a plan, or from what is to become one, while they cool."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from capplan.engine.mending import PART_S, Mender
from capplan.engine.walk import BRISK, JUMP, MOST, VISITED, WEIGHT, Ground, Pace, walk
from capplan.program import evaluate
from capplan.units import Ints

CHUNK = 100_000
"""Moves between two looks at the clock at most."""
MOVES_AN_ITEM = 50
"""Moves that a walk takes at least to be worth beginning: the first ones break limits, which takes time to mend."""
PATIENCE = 20
"""Moves for each item after which a walk that met no plan goes back to the best one."""
LONGEST_SHARE = 0.1
"""Share of what is left that they may take, though, beyond the seconds meant for them."""
DEAREST = 1e6
"""How many times what is usual a unit beyond a limit may cost, however long it stays exceeded."""
EFFORT_A_MOVE = 1e-6
"""Effort of a move, times one more than the limits that an option uses."""
MANNER_SHARE = 0.1
"""Share of the time of a long walk that trying each manner takes."""


class Course(NamedTuple):
    """How a walk goes.

    ``heat``: the temperature at which it begins, in what an item costs; ``cooled``: what share of it is left at the
    end. ``stretch``: how many times the least moves it takes at least. ``until_found``: it ends with the first plan.
    ``afresh``: from a plan, with what limits usually cost, and back to the best plan where none is met for long.
    ``long``: it begins with what limits usually cost and is forced back to what they allow towards the end only;
    ``raises`` and ``eases``: after how many moves an item limits get dearer, and cheaper again. ``jumps``: a limit once
    broken costs what it would if one option more had broken it.
    """

    heat: float
    cooled: float = 0.02
    stretch: float = 1.0
    until_found: bool = False
    afresh: bool = False
    long: bool = False
    raises: float = 0.0
    eases: float = 0.0
    jumps: bool = False

    def pace(self, items: int, moved: int, share: float) -> Pace:
        """Among so many items, after ``moved`` moves, and ``share`` of the walk."""
        pace = Pace(max(BRISK.raises, int(self.raises * items)), max(BRISK.eases, int(self.eases * items)), begun=moved)
        return pace.eased_less(share) if self.long else pace


MANNERS = (
    Course(0.05, 0.1, long=True, raises=0.25, eases=100),
    Course(0.05, 0.1, long=True, raises=0.25, eases=10, jumps=True),
)
"""Of long walks. The first arrives lower where what is too much can be taken back in small steps, the second where what
breaks limits is worth a lot."""


class Walker(Mender):
    """Walks from plans, and to them."""

    def cool(self, seconds: float) -> None:
        """Make a plan that is far from its bound better by a long walk, in the manner that suits: each is tried."""
        assert self.x is not None
        x, end = self.x, self.budget.left - seconds
        values = [self._reached(self.walk(x, MANNER_SHARE * seconds, manner)) for manner in MANNERS]
        suits = MANNERS[int(np.argmin(values))]
        self.walk(self.x, self.budget.left - end, suits)
        self.experience.cooled(suits.heat * suits.cooled)

    def _reached(self, x: Ints | None) -> float:
        return np.inf if x is None else self.core.parts.goal.value(x)

    def walk(self, x: Ints, seconds: float, course: Course, shut: Ints | None = None) -> Ints | None:
        """Walk from ``x`` int64 [column]; the best plan that was met, better than the one known or not, else None.

        ``shut`` int64 [k]: options not to be taken.
        """
        ground, found = self._walked(x, seconds, course, shut)
        return self._chosen(x, ground.best) if found else None

    def _walked(self, x: Ints, seconds: float, course: Course, shut: Ints | None) -> tuple[Ground, bool]:
        """The ground after a walk, and whether its best choice keeps all limits."""
        # So that long walks from one plan can be compared, whatever the one before found.
        value = self._reached(x) if course.long else self.value
        program, terrain = self.core.parts.program, self.core.terrain
        ground = terrain.ground(x, self.core.toll, self.core.price, shut)
        if value is None:
            # Where any plan is welcome, what it would cost to open something must not keep items out of it.
            ground.fact_cost[:] = 0
        else:
            self._weigh(ground, course, abs(value))
        if course.jumps:
            used = terrain.usual > 0
            ground.rows[:-1, JUMP][used] = 1 / terrain.usual[used]
        heat, effort = course.heat * self._typical(value), EFFORT_A_MOVE * (1 + terrain.width)
        cost, begun = np.inf, self.budget.left
        end = begun - seconds
        latest = min(end, (1 - LONGEST_SHARE) * begun)
        moves, moved = int(np.clip(2 * program.items, CHUNK // 10, CHUNK)), 0
        least = course.stretch * MOVES_AN_ITEM * program.items
        weight, lost, returns = ground.tolls[:, WEIGHT].copy(), 0, 0
        while not self.budget.used_up and (self.budget.left > end or (moved < least and self.budget.left > latest)):
            gone, longest = begun - self.budget.left, max(1e-9, begun - latest)
            share = min(1.0, gone / max(1e-9, seconds), max(moved / least, gone / longest))
            warm, pace = heat * course.cooled**share, course.pace(program.items, moved, share)
            cost = walk(ground, cost, moves, warm, int(self.random.integers(2**31)), pace)
            moved += moves
            self.budget.spend(effort * moves)
            if course.until_found and cost < np.inf:
                break
            lost = 0 if ground.tally[VISITED] else lost + moves
            if course.afresh and lost >= PATIENCE * program.items:
                # What is hard to mend has become so dear meanwhile that nothing else counts.
                ground.choice[:], ground.tolls[:, WEIGHT], lost = ground.best, weight, 0
                returns += 1
        if course.afresh:
            self.experience.returned(returns * PATIENCE * program.items / max(1, moved))
        elif not course.long:
            self.experience.weight = ground.tolls[:, WEIGHT].copy()
        return ground, cost < np.inf

    def _typical(self, value: float | None) -> float:
        """What an item costs in a plan of ``value``: that may lie in limits and facts rather than in its options."""
        parts = self.core.parts
        typical = max(1.0, float(np.abs(parts.goal.coefficients[: parts.program.options]).mean()))
        return typical if value is None else max(typical, abs(value) / parts.program.items)

    def _weigh(self, ground: Ground, course: Course, value: float) -> None:
        """Say what a unit beyond each limit costs at first, so that a plan that keeps them is not left for good.

        What it took the last time, or else one use too many costs what an item costs on average.
        """
        usual = value / self.core.parts.program.items * self.core.terrain.usual
        least, last = ground.tolls[:, WEIGHT].copy(), self.experience.weight
        ground.tolls[:, MOST] = DEAREST * np.maximum(least, usual)
        if course.afresh:
            last = self.experience.strictness * usual
        elif course.long or last is None:
            last = usual
        ground.tolls[:, WEIGHT] = np.clip(last, least, ground.tolls[:, MOST])

    def _chosen(self, x: Ints, choice: Ints) -> Ints | None:
        """The plan of a choice with what ``x`` buys, less what of it is not needed; kept if it is the best."""
        program = self.core.parts.program
        first = program.options + program.facts
        taken = np.zeros(program.options, dtype=np.bool_)
        taken[choice] = True
        values = evaluate(program, taken, x[first:])
        if (values.used > program.bound).any():
            return None
        self.take(values.x)
        if (~program.purchases.derived).any():
            return self.solve_part(values.x, np.zeros(0, dtype=np.int64), 2 * PART_S)
        return values.x

    def plan_from(self, x: Ints, seconds: float, shut: Ints) -> Ints | None:
        """A plan near ``x`` int64 [column], which may break limits, without the options ``shut`` int64 [k]."""
        end = self.budget.left - seconds
        ground, found = self._walked(x, 0.5 * seconds, Course(0.002), shut)
        if found:
            return self._chosen(x, ground.best)
        y = x.copy()
        y[: self.core.parts.program.options] = 0
        y[ground.choice] = 1
        y = self._mend(y, self.budget.left - end, shut)
        if (self._excess(y) > 0).any():
            return None
        self.take(y)
        return y
