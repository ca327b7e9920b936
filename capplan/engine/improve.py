"""A plan made better inside a core: parts solved again exactly, walks, sites done without."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from capplan.engine.budget import Budget
from capplan.engine.core import Core
from capplan.engine.cpsat import Answer, Callback, Model
from capplan.engine.dual import cheapest
from capplan.engine.experience import AFRESH, HEATS, SHUT, WALK, Experience
from capplan.engine.narrow import options_of
from capplan.engine.neighbourhood import ARMS, neighbourhood
from capplan.engine.result import Limits, Watch
from capplan.engine.settled import worth_of
from capplan.engine.walk import MOST, VISITED, WEIGHT, Ground, walk
from capplan.program import evaluate
from capplan.units import Bools, Floats, Ints

CHUNK = 100_000
"""Moves between two looks at the clock at most."""
MOVES_AN_ITEM = 50
"""Moves that a walk takes at least to be worth beginning: the first ones break limits, which takes time to mend."""
PATIENCE = 20
"""Moves for each item after which a walk that met no plan goes back to the best one."""
LONGEST_SHARE = 0.1
"""Share of what is left that they may take, though, beyond the seconds meant for them."""
PART_S = 1.0
"""Seconds that a part may take."""
FINE = 16
"""Parts of the goal's unit in which the price of excess is counted."""
PLAN_SHARE = 0.4
"""Share of the time in which a plan is looked for where there is none to begin with."""
INSTEAD = 0.5
"""How often something is opened instead of what is shut."""
DEAREST = 1e6
"""How many times what is usual a unit beyond a limit may cost, however long it stays exceeded."""
EFFORT_A_MOVE = 1e-6
"""Effort of a move, times one more than the limits that an option uses."""


class Improver:
    """``x`` int64 [column of the core] is the best plan so far and only ever gets better; ``value`` is its goal."""

    def __init__(self, core: Core, x: Ints | None, budget: Budget, seed: int, experience: Experience) -> None:
        self.core, self.x, self.budget, self.experience = core, x, budget, experience
        self.random = np.random.default_rng(seed)

    @property
    def value(self) -> int | None:
        """The goal of the best plan."""
        return None if self.x is None else self.core.parts.goal.value(self.x)

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

    # -- walks --------------------------------------------------------------------------------------------

    def _walk_at(self, kind: int, seconds: float) -> None:
        """Walk from one of the temperatures, for longer the next time if nothing comes of it."""
        assert self.x is not None
        before = self.value
        stretch = self.experience.stretch
        heat, afresh = HEATS[kind % len(HEATS)], kind >= AFRESH - WALK
        self.walk(self.x, seconds, heat, stretch=stretch[kind], afresh=afresh)
        if self.value == before:
            stretch[kind] *= 2

    def walk(
        self,
        x: Ints,
        seconds: float,
        heat: float,
        shut: Ints | None = None,
        *,
        until_found: bool = False,
        stretch: float = 1.0,
        afresh: bool = False,
    ) -> Ints | None:
        """Walk from ``x`` int64 [column]; the best plan that was met, better than the one known or not, else None.

        ``afresh``: from a plan, with what limits usually cost, and back to the best plan where none is met for long.
        """
        ground, found = self._walked(x, seconds, heat, shut, until_found=until_found, stretch=stretch, afresh=afresh)
        return self._chosen(x, ground.best) if found else None

    def _walked(
        self,
        x: Ints,
        seconds: float,
        heat: float,
        shut: Ints | None,
        *,
        until_found: bool = False,
        stretch: float = 1.0,
        afresh: bool = False,
    ) -> tuple[Ground, bool]:
        """The ground after a walk, and whether its best choice keeps all limits."""
        program, parts = self.core.parts.program, self.core.parts
        ground = self.core.terrain.ground(x, self.core.toll, self.core.price, shut)
        if self.x is None:
            # Where any plan is welcome, what it would cost to open something must not keep items out of it.
            ground.fact_cost[:] = 0
        else:
            self._weigh(ground, afresh=afresh)
        typical = max(1.0, float(np.abs(parts.goal.coefficients[: program.options]).mean()))
        if self.x is not None:
            # What an item costs may lie in limits and facts rather than in its options.
            typical = max(typical, abs(parts.goal.value(self.x)) / program.items)
        effort = EFFORT_A_MOVE * (1 + self.core.terrain.width)
        cost, begun = np.inf, self.budget.left
        end = begun - seconds
        latest = min(end, (1 - LONGEST_SHARE) * begun)
        moves, moved = int(np.clip(2 * program.items, CHUNK // 10, CHUNK)), 0
        least = stretch * MOVES_AN_ITEM * program.items
        weight, lost, returns = ground.tolls[:, WEIGHT].copy(), 0, 0
        while not self.budget.used_up and (self.budget.left > end or (moved < least and self.budget.left > latest)):
            gone, longest = begun - self.budget.left, max(1e-9, begun - latest)
            share = min(1.0, gone / max(1e-9, seconds), max(moved / least, gone / longest))
            moved += moves
            warm = heat * typical * 0.02**share
            cost = walk(ground, cost, moves, warm, int(self.random.integers(2**31)))
            self.budget.spend(effort * moves)
            if until_found and cost < np.inf:
                break
            lost = 0 if ground.tally[VISITED] else lost + moves
            if afresh and lost >= PATIENCE * program.items:
                # What is hard to mend has become so dear meanwhile that nothing else counts.
                ground.choice[:], ground.tolls[:, WEIGHT], lost = ground.best, weight, 0
                returns += 1
        if afresh:
            self.experience.returned(returns * PATIENCE * program.items / max(1, moved))
        else:
            self.experience.weight = ground.tolls[:, WEIGHT].copy()
        return ground, cost < np.inf

    def _weigh(self, ground: Ground, *, afresh: bool) -> None:
        """Say what a unit beyond each limit costs at first, so that a plan that keeps them is not left for good.

        What it took the last time, or else one use too many costs what an item costs on average.
        """
        value = self.value
        assert value is not None
        usual = abs(value) / self.core.parts.program.items * self.core.terrain.usual
        least, last = ground.tolls[:, WEIGHT].copy(), self.experience.weight
        ground.tolls[:, MOST] = DEAREST * np.maximum(least, usual)
        if afresh:
            last = self.experience.strictness * usual
        ground.tolls[:, WEIGHT] = np.clip(usual if last is None else last, least, ground.tolls[:, MOST])

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
        ground, found = self._walked(x, 0.5 * seconds, 0.002, shut)
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

    def _excess(self, x: Ints) -> Ints:
        """How far ``x`` exceeds each limit. int64 [limit]."""
        program = self.core.parts.program
        return np.asarray(self.core.parts.by_column @ x - program.bound)

    def _mend(self, x: Ints, seconds: float, shut: Ints) -> Ints:
        """Make ``x`` exceed limits less and less: parts around what is exceeded are solved at a price of the excess."""
        parts, program = self.core.parts, self.core.parts.program
        x = evaluate(program, x[: program.options] > 0, x[program.options + program.facts :]).x
        toll, end = self.core.toll.copy(), self.budget.left - seconds
        closed = np.zeros(program.options, dtype=np.bool_)
        closed[shut] = True
        by_row = parts.by_row
        kinds = [k for k, arm in enumerate(ARMS) if arm.places in (2, 3) and arm.items <= 30]
        while not self.budget.used_up and self.budget.left > end:
            excess = self._excess(x)
            over = np.flatnonzero(excess > 0)
            if not len(over):
                break
            row = int(self.random.choice(over))
            taken = np.flatnonzero(x[: program.options])
            there = np.intersect1d(by_row.indices[by_row.indptr[row] : by_row.indptr[row + 1]], taken)
            kind = int(self.random.choice(kinds))
            seed = program.item[self.random.choice(there)] if len(there) else None
            items = neighbourhood(self.core, taken, kind, self.random, seed).items
            x = self._mended(x, items, np.maximum(0, excess), toll, closed)
            toll[over] *= 1.05
        return x

    def _mended(self, x: Ints, items: Ints, excess: Ints, toll: Floats, closed: Bools) -> Ints:
        """``items`` int64 [k] solved again, limits exceeded no further than now and at a price."""
        parts = self.core.parts
        part = parts.part(x, items)
        model = Model(part.program, excess[part.row])
        used = np.flatnonzero(part.goal.coefficients)
        price = {v: max(1, round(FINE * toll[part.row[r]])) for r, v in model.slack_of.items()}
        model.minimise([*used.tolist(), *price], [*(FINE * part.goal.coefficients[used]).tolist(), *price.values()])
        model.forbid(np.flatnonzero(closed[part.option] & (x[part.option] == 0)))
        answer = self._solved(model, 0.3 * PART_S, 0.2 * PART_S)
        return x if answer.x is None else parts.merged(part, x, answer.x)

    def _solved(self, model: Model, seconds: float, effort: float) -> Answer:
        """One worker's answer to a part."""
        limits = self.budget.limits
        inner = Limits(seconds, seed=int(self.random.integers(2**31)), workers=1, deterministic=limits.deterministic)
        clock = self.budget.clock(seconds)
        answer = model.solve(inner, clock, effort, self.budget.watch, Callback(lambda *_: None))
        self.budget.spend(2 * answer.effort + 0.005)
        return answer

    def take(self, x: Ints) -> None:
        """Keep a plan that keeps every limit, if it is the best."""
        value = self.value
        if value is None or self.core.parts.goal.value(x) < value:
            self.x = x

    def _shut_one(self, seconds: float) -> None:
        """Try to do without a fact that costs something, those that few options need first; or with another instead."""
        assert self.x is not None
        program, x = self.core.parts.program, self.x
        first = program.options
        price = self._worth[: program.facts]
        held = np.flatnonzero((x[first : first + program.facts] > 0) & (price > 0))
        if not len(held):
            return
        use = np.asarray(program.any_of.astype(np.int64) @ x[:first])[held]
        weight = (price[held] / np.maximum(1, use)) ** 2
        fact = int(self.random.choice(held, p=weight / weight.sum()))
        closed = (x[first : first + program.facts] == 0) & (price > 0)
        others = np.flatnonzero(closed)
        if len(others) and self.random.random() < INSTEAD:
            likely = 1 / price[others]
            closed[self.random.choice(others, p=likely / likely.sum())] = False
        closed[fact] = True
        shut = np.flatnonzero(options_of(program, np.flatnonzero(closed)))
        rank = self.core.reduced.copy()
        rank[x[:first] > 0] = -1.0
        rank[shut] += 1e12
        y = np.zeros_like(x)
        y[np.flatnonzero(cheapest(self.core.parts.start, rank, 1))] = 1
        y[first + program.facts :] = x[first + program.facts :]
        self.walk(y, seconds, heat=0.001, shut=shut)

    # -- parts --------------------------------------------------------------------------------------------

    def solve_part(self, x: Ints, items: Ints, seconds: float, allowed: Bools | None = None) -> Ints:
        """``x`` int64 [column] with ``items`` int64 [k] solved again exactly, all others as they are; see ``part``."""
        parts = self.core.parts
        part = parts.part(x, items, allowed)
        model = Model(part.program, tie=False)
        used = np.flatnonzero(part.goal.coefficients)
        model.minimise(used.tolist(), part.goal.coefficients[used].tolist())
        model.hint(parts.inside(part, x))
        answer = self._solved(model, seconds, 0.5 * PART_S)
        if answer.x is None:
            return x
        merged = parts.merged(part, x, answer.x)
        self.take(merged)
        return merged


@dataclass(frozen=True)
class Start:
    """Where to begin: ``x`` int64 [column of the core].

    With ``shut`` int64 [k], options that are not to be taken, ``x`` may break limits, and is walked to a plan first.
    """

    x: Ints
    experience: Experience
    shut: Ints | None = None


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
    improver.improve(improver.budget.left)
    return improver.x, improver.experience
