"""What the search for one goal knows, and how others help it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np

from capplan.engine.budget import SPARE_S_PER_OPTION, Budget
from capplan.engine.columns import Columns, Ties, columns_of, links_of, ties_of
from capplan.engine.core import Core, core_of
from capplan.engine.crew import Crew, joined
from capplan.engine.dual import Bound
from capplan.engine.experience import Experience
from capplan.engine.improve import Improver, Start
from capplan.engine.prover import Prover
from capplan.engine.result import Limits, Watch
from capplan.engine.settled import settled
from capplan.program import LinearGoal, Program, evaluate
from capplan.units import Bools, Floats, Ints

LISTEN_S = 0.2
"""Seconds between two looks at what branch and bound found."""
TIED_MOST = 500_000
"""Options up to which each is held against the fact that it needs, where facts cost something."""
AHEAD = 1.3
"""How far branch and bound may go before it is heard again, times what was done."""
TRIAL, TRIAL_LIKELY, OF_USE = 0.2, 0.4, 0.1
"""Share of the time after which branch and bound is judged, with all that may help and with the likeliest; the share of
the gap that it is to have closed."""
MIX_S = 0.5
"""Seconds that the best mixture of plans may take."""
CORE_MOST = 100_000
"""Options that are kept in all where items have fewer."""
EQUALLY, EQUAL_MOST = 1e-3, 600_000
"""Share of what an item costs on average by which options differ that are kept all the same, and how many of them."""
CORE_LARGEST = 900_000
"""Options of the core beyond which none are added that need not be in it: every process has one in its memory."""
CORE_LUCK = 3
"""Options of an item, on average, that are kept at random at least: those that all like best may not hold them all."""


class Search:
    """A plan and a bound for one goal, the core in which plans are looked for, and what improves them.

    ``best`` int64 [column], of ``_value``, and ``bound`` (without the goal's constant) only ever improve. ``price``
    float [row] and ``worth`` float [item], if known, are the best prices so far; ``last`` is the bound at the latest,
    without worths. ``held`` float [fact + purchase] is how much the latest relaxation has of each.
    """

    price: Floats
    worth: Floats | None = None
    last: Bound
    prover: Prover | None = None
    proof_tried = proof_done = False
    """Whether all that may be better was given to branch and bound, and whether it came to an end with what it had."""
    _listen_at = _judge_at = _proof_since = _allowed = 0.0
    _gave_plan = False

    def __init__(
        self,
        program: Program,
        goal: LinearGoal,
        limits: Limits,
        watch: Watch,
        heard: Callable[[LinearGoal, int | None, int], None],
        best: Ints | None,
        crew: Crew | None = None,
    ) -> None:
        self.whole, self.goal, self.limits, self.watch, self._heard = settled(program), goal, limits, watch, heard
        self.budget = Budget(limits, watch)
        self.budget.enough = self._proved_meanwhile
        self.budget.spare += SPARE_S_PER_OPTION * program.options
        self.crew = crew
        self.best: Ints | None = None
        self._value: float = np.inf
        self.bound = self._own_bound = -(2**62)
        self.infeasible = self.gap_reached = False
        self.random = np.random.default_rng(limits.seed)
        self.experience = Experience()
        self.links = links_of(program, goal)
        self.columns: Columns = columns_of(program, goal, self.links)
        self.ties: Ties | None = None
        if program.options <= TIED_MOST and self.links.wanted_not.any():
            self.ties = ties_of(program, goal, self.links)
        self.held: Floats = np.zeros(program.facts + len(program.purchases))
        self.enough: int | None = None
        if best is not None:
            self.offer(best)

    # -- what is known ------------------------------------------------------------------------------------

    @property
    def left(self) -> float:
        """Seconds, or effort, left."""
        return self.budget.left

    def over(self) -> bool:
        """Whether there is nothing left to look for, or to look with."""
        return self.proved or self.budget.used_up or self.infeasible

    @property
    def proved(self) -> bool:
        """Whether the plan is as good as was asked for."""
        if self.best is None:
            return False
        value = int(self._value)
        if self.enough is not None and value <= self.enough:
            return True
        bound = self.bound + self.goal.constant
        if value <= bound:
            return True
        self.gap_reached = bool(self.limits.gap) and Fraction(value - bound, max(1, abs(value))) <= self.limits.gap
        return self.gap_reached

    def offer(self, x: Ints, *, tell: bool = True) -> bool:
        """Take a plan of the whole Program if it keeps every limit and is better. ``x`` int64 [column].

        Branch and bound is told of it, unless the plan is its own.
        """
        first = self.whole.options + self.whole.facts
        return self._offered(x[: self.whole.options] > 0, x[first:], tell=tell)

    def _offer_inner(self, core: Core, x: Ints) -> bool:
        """Offer a plan of a core, int64 [column of the core]; it is not laid out in the columns of the whole before."""
        if core.parts.goal.value(x) >= self._value:
            return False
        return self._offered(core.taken(x), x[len(core.option) + self.whole.facts :])

    def _offered(self, taken: Bools, bought: Ints, *, tell: bool = True) -> bool:
        values = evaluate(self.whole, taken, bought)
        if (values.used > self.whole.bound).any() or self.goal.value(values.x) >= self._value:
            return False
        self.best, self._value = values.x, self.goal.value(values.x)
        if self.prover is not None and tell and not self.limits.deterministic:
            self.prover.tell(values.x)
        self._tell()
        return True

    def prove(self, bound: int) -> None:
        """Take a bound, without the goal's constant."""
        self._own_bound = max(self._own_bound, bound)
        self._raise(bound)

    def _raise(self, bound: int) -> None:
        if bound > self.bound:
            self.bound = bound
            self._tell()

    def _tell(self) -> None:
        best = None if self.best is None else int(self._value)
        self._heard(self.goal, best, self.bound + self.goal.constant)

    def _keep(self, keep: Bools, bound: Bound, *, only: bool = False) -> None:
        """Make ``keep`` bool [option] and what the best plan takes the core; unless ``only`` that, with more."""
        if not only:
            keep = self._widened(keep, bound)
        keep = self._with_best(keep)
        if hasattr(self, "core"):
            # Somebody else may still be at work in it, and send back a plan of it.
            self.core.forget()
        self.core: Core = core_of(self.whole, self.goal, keep, bound, self.price)
        inner = None if self.best is None else self.core.inner(self.best)
        self.improver = Improver(self.core, inner, self.budget, int(self.random.integers(2**31)), self.experience)

    def _with_best(self, keep: Bools) -> Bools:
        """``keep`` bool [option] and the options of the best plan."""
        return keep if self.best is None else keep | (self.best[: self.whole.options] > 0)

    def _widened(self, keep: Bools, bound: Bound) -> Bools:
        """``keep`` bool [option], those that cost hardly more, and others at random."""
        # In whole numbers: of tens of millions no copy in floats is made.
        equal = bound.reduced <= int(EQUALLY * bound.scale * abs(bound.value) / max(1, self.whole.items))
        room = min(EQUAL_MOST, max(0, CORE_LARGEST - int(keep.sum())))
        if (count := int(equal.sum())) > room:
            equal &= self.random.random(self.whole.options) < room / count
        keep = keep | equal
        most = max(CORE_MOST, min(CORE_LARGEST, int(keep.sum()) + CORE_LUCK * self.whole.items))
        spare = (most - int(keep.sum())) / max(1, self.whole.options)
        if spare > 0:
            keep = keep | (self.random.random(self.whole.options) < spare)
        return keep

    def _take(self) -> None:
        """Hear of the best plan of the core."""
        if self.improver.x is not None:
            self._offer_inner(self.core, self.improver.x)

    # -- improvement --------------------------------------------------------------------------------------

    @property
    def _turn(self) -> float:
        """Seconds between two exchanges with other processes."""
        return max(0.5, 0.02 * self.limits.time_limit_s, 1e-5 * len(self.core.option))

    def _cover(self) -> None:
        """Make sure that the best plan, which may come from another core, lies in the core."""
        if self.best is None:
            return
        inside = self.core.inner(self.best)[: len(self.core.option)]
        if inside.sum() < self.whole.items:
            keep = np.zeros(self.whole.options, dtype=np.bool_)
            keep[self.core.option] = True
            self._keep(keep, self.last, only=True)

    def _hand_out(self, *, cool: float | None = None) -> None:
        """Have others improve the best plan, as far as they are idle; or cool it slowly, for so many seconds."""
        self._cover()
        while self.crew is not None and self.crew.idle > 0 and self.best is not None and not self.over():
            start = Start(self.core.inner(self.best), self.experience, long=cool is not None)
            self._send(start, self._turn if cool is None else cool)

    def _send(self, start: Start, turn: float) -> None:
        assert self.crew is not None
        # By the clock they go on until they are called back, as nobody knows how long a relaxation takes.
        limits = replace(self.limits, time_limit_s=self.limits.time_limit_s - self.watch.seconds)
        self.crew.send(self.core, start, limits, min(turn, self.left), int(self.random.integers(2**31)))

    # -- proof --------------------------------------------------------------------------------------------

    def begin_proof(self, keep: Bools, elsewhere: int | None) -> None:
        """Start branch and bound over the options ``keep`` bool [option]; it takes the place of one of the others.

        ``elsewhere`` is a lower bound on every plan that takes another one.
        """
        self.prover = Prover(self.whole, self.goal, keep, self.best, int(self.random.integers(2**31)), elsewhere)
        self._proof_since = self.budget.effort
        self._judge_at = self.left * (1 - (TRIAL if self.proof_tried else TRIAL_LIKELY))
        self._gave_plan = False
        self._allowed = self._turn
        self.prover.allow(self._allowed if self.limits.deterministic else None)
        if self.crew is not None:
            self.crew.hands -= 1

    def end_proof(self) -> None:
        """Stop it."""
        if self.prover is None:
            return
        self.prover.end()
        self.prover = None
        if self.crew is not None:
            self.crew.hands += 1

    def _judge_proof(self) -> None:
        """Stop branch and bound if it found nothing for long and others could use its processor."""
        if self.prover is None or (self.left > self._judge_at and not self.prover.ended):
            return
        known = min(self._value, 2.0**62) - self.goal.constant
        of_use = self.bound - self._own_bound > OF_USE * (known - self._own_bound)
        self.proof_done = self.prover.ended
        if self.proof_done or (self.crew is not None and not of_use and not self._gave_plan):
            self.end_proof()
        else:
            self._judge_at -= TRIAL * self.left
            self._gave_plan = False

    def _hear_prover(self) -> None:
        """Take over what branch and bound found.

        In deterministic mode it is told and heard only where it has done what it was allowed, and we as much.
        """
        if self.prover is None:
            return
        done = self.budget.effort - self._proof_since
        if not self.limits.deterministic:
            self._take_over(*self.prover.hear(None, 0.0))
        elif done >= self._allowed:
            self._take_over(*self.prover.hear(self._allowed, self.budget.clock(self.left)))
            if self.best is not None:
                self.prover.tell(self.best)
            self._allowed = AHEAD * done + self._turn
            self.prover.allow(self._allowed)

    def _take_over(self, plans: list[Ints], bound: int | None) -> None:
        for x in plans:
            self._gave_plan |= self.offer(x, tell=False)
        if bound is not None:
            self._raise(bound - self.goal.constant)

    def _proved_meanwhile(self) -> bool:
        """By the clock, whether branch and bound has found enough; asked often, it listens now and then."""
        if self.prover is None or self.limits.deterministic or self.watch.seconds < self._listen_at:
            return False
        self._listen_at = self.watch.seconds + LISTEN_S
        self._hear_prover()
        return self.proved

    def _bring_back(self, *, last: bool = False) -> None:
        """Take over what others found; in deterministic mode wait for it, so that it always comes at the same point."""
        self._hear_prover()
        self._judge_proof()
        if self.crew is None:
            return
        waits = last or self.limits.deterministic
        if not self.limits.deterministic:
            self.crew.call(everybody=last)
        for core, sent, theirs in self.crew.back(self.experience, wait=waits):
            ours = None if self.best is None else core.inner(self.best)
            if sent is not None and ours is not None and ours[: len(core.option)].sum() == self.whole.items:
                self._mix(core, sent, ours, theirs)
            else:
                self._offer_inner(core, theirs)

    def _mix(self, core: Core, sent: Ints, ours: Ints, theirs: Ints) -> None:
        """Take the best plan made of the choices of three: one that was sent, what became of it, and ours."""
        plan = joined(core.parts, core.place, sent, ours, theirs)
        options = core.parts.program.options
        count = sent[:options] + ours[:options] + theirs[:options]
        items = np.unique(core.parts.program.item[(count > 0) & (count < 3)])
        if len(items) and not self.over():
            mixer = Improver(core, plan, self.budget, int(self.random.integers(2**31)), self.experience)
            plan = mixer.solve_part(plan, items.astype(np.int64), MIX_S, count > 0)
        self._offer_inner(core, plan)
