"""One goal of a large Program."""

from __future__ import annotations

import numpy as np

from capplan.engine.cpsat import Callback, Model
from capplan.engine.dual import Bound, ascend, cheapest, exact_bound
from capplan.engine.improve import Improver, Start
from capplan.engine.linear import Relaxed, relax
from capplan.engine.master import Master, dear, spread, structural
from capplan.engine.narrow import narrowed
from capplan.engine.search import Search
from capplan.units import Bools, Floats, Ints

CORE_WIDTH = 8
"""Options of each item, cheapest at good prices first, among which plans are looked for at least."""
LP_WIDTH = 3
LP_WHOLE = 20_000
"""Options up to which the linear relaxation starts with all of them."""
LARGEST_LP = 150_000
"""Options up to which the linear relaxation is solved."""
MASTER_MOST = 400
PROPOSAL_SHARE = 0.5
"""Share of the time left at their beginning that proposals leave to improvement."""
SMALL = 12_000
"""Options up to which all that is left after the first half goes to CP-SAT as a whole."""


class Stage(Search):
    """The search for one goal: prices, relaxation, proposals, plans, improvement."""

    # -- the search ---------------------------------------------------------------------------------------

    def run(self, enough: int) -> None:
        """Search until the bound is met, ``enough`` is reached (a value that needs no proof), or the limits are."""
        self.enough = enough
        if self.over():
            return
        bound = self._prices()
        self._keep(self._attractive(bound), bound)
        self._first_plan()
        self._hand_out()
        relaxed = None if self.over() else self._relax(bound)
        if relaxed is not None:
            self._round(relaxed)
            self._plan_for_rounded(relaxed)
            self._propose(relaxed)
        if self.whole.options <= SMALL:
            self._improve(0.3 * self.left)
            if not self.over():
                self._at_once()
        while not self.over():
            self._improve(max(1.0, 0.1 * self.limits.time_limit_s))
        self._bring_back(last=True)

    def _prices(self) -> Bound:
        """Prices by ascent, and the bound they prove."""
        rows = len(self.columns.bound)
        size = np.ones(rows)
        size[: len(self.whole.bound)] = np.abs(self.whole.bound)
        per_row = max(1.0, self.whole.items / max(1, rows))
        until = self.watch.seconds + self.budget.clock(0.25 * max(0.0, self.left))
        price = ascend(self.columns, size / per_row, lambda: self.watch.seconds > until)
        self.budget.spend(4e-6 * self.whole.options)
        found = exact_bound(self.columns, price)
        self.price, self.last = price, found
        self.prove(found.value)
        return found

    def _attractive(self, bound: Bound) -> Bools:
        """The cheapest options of each item, of equally cheap ones any: the first ones would all be at few places."""
        reduced = bound.reduced / bound.scale
        luck = self.random.random(len(reduced)) * max(1e-9, 1e-6 * float(reduced.max(initial=0)))
        return cheapest(self.columns.start, reduced + luck, CORE_WIDTH)

    def _first_plan(self) -> None:
        """From the cheapest options at the prices, everything bought that may be."""
        if self.best is not None:
            return
        program = self.core.parts.program
        x = np.zeros(program.columns, dtype=np.int64)
        x[np.flatnonzero(cheapest(self.core.parts.start, self.core.reduced, 1))] = 1
        x[program.options + program.facts :] = np.where(program.purchases.derived, 0, program.purchases.upper)
        self.improver.walk(x, 0.25 * self.left, heat=0.01, until_found=True)
        self._take()

    # -- relaxation ---------------------------------------------------------------------------------------

    def _relax(self, bound: Bound) -> Relaxed | None:
        """The linear relaxation by column generation; its prices prove the bound."""
        width = LP_WIDTH if self.whole.options > LP_WHOLE else self.whole.options
        self.active: Bools = cheapest(self.columns.start, bound.reduced, width)
        if self.best is not None:
            self.active |= self.best[: self.whole.options] > 0
        found = None
        for _ in range(4):
            if self.active.sum() > LARGEST_LP or self.over():
                break
            solved = self._solve_relaxation(None)
            if solved is None:
                break
            found, more = solved
            if not more:
                break
        return found

    def _solve_relaxation(self, fixed: Floats | None) -> tuple[Relaxed, bool] | None:
        """Solve over the active options, learn the bound, add options that would improve it."""
        option = np.flatnonzero(self.active)
        effort = 1.2e-8 * len(option) * (len(self.columns.bound) + len(self.columns.start)) ** 0.5 * 20
        seconds = self.budget.clock(max(1.0, self.left * 0.5))
        relaxed = relax(self.columns, option, seconds, fixed=fixed)
        self.budget.spend(effort)
        if relaxed is None:
            return None
        found = exact_bound(self.columns, relaxed.price)
        self.last = found
        if fixed is None:
            self.price = np.maximum(relaxed.price, 0)
        self.prove(found.value)
        # Cheaper than what the relaxation pays for the item, at its own prices: it wants these options.
        offset = np.zeros(len(self.columns.start) - 1)
        np.minimum.at(offset, np.searchsorted(self.columns.start, option, side="right") - 1, 0)
        here = np.full(len(offset), np.inf)
        item = self.whole.item[option]
        np.minimum.at(here, item, found.reduced[option] / found.scale)
        wanted = (found.reduced / found.scale < here[self.whole.item] - 1e-6) & ~self.active
        more = bool(wanted.any())
        self.active |= wanted & cheapest(self.columns.start, found.reduced, 2)
        return relaxed, more

    def _round(self, relaxed: Relaxed, shut: Bools | None = None) -> None:
        """Items to the option with the largest share, purchases up; then walk."""
        share = np.zeros(self.whole.options)
        share[relaxed.option] = relaxed.x
        self._keep(cheapest(self.columns.start, self.last.reduced, CORE_WIDTH) | (share > 1e-6), self.last)
        small = self.core.parts.program
        rank = self.core.reduced - 1e9 * share[self.core.option]
        closed = None
        if shut is not None:
            closed = np.flatnonzero(shut[self.core.option])
            rank[closed] += 1e12
        choice = np.flatnonzero(cheapest(self.core.parts.start, rank, 1))
        x = np.zeros(small.columns, dtype=np.int64)
        x[choice] = 1
        bought = np.ceil(relaxed.others[self.whole.facts :] - 1e-6).astype(np.int64)
        x[small.options + small.facts :] = np.where(
            small.purchases.derived, 0, np.minimum(bought, small.purchases.upper)
        )
        shut_options = np.zeros(0, dtype=np.int64) if closed is None else closed
        if self.crew is not None and self.best is not None and self.crew.idle > 0:
            self._send(Start(x, shut_options), 5 * self._turn)
            return
        found = self.improver.plan_from(x, max(1.0, 0.06 * self.limits.time_limit_s), shut_options)
        self._take()
        if found is not None and shut is not None and not self.over():
            polisher = Improver(self.core, found, self.budget, int(self.random.integers(2**31)))
            polisher.improve(min(0.1 * self.left, 2 * self._turn))
            assert polisher.x is not None
            self.offer(self.core.outer(polisher.x))

    def _propose(self, relaxed: Relaxed) -> None:
        """Bound what is opened and bought in whole numbers, and make plans of what that proposes."""
        other = structural(self.columns, self.whole.purchases.derived, MASTER_MOST)
        if not len(other):
            return
        master, centre, until = Master(self.columns, other), relaxed.others[other], PROPOSAL_SHARE * self.left
        master.learn(self.last)
        for price in self._shortage_prices():
            master.learn(exact_bound(self.columns, price))
        times: dict[bytes, int] = {}
        while not self.over() and self.left > until:
            answer = master.solve(2.0 + 0.02 * self.limits.time_limit_s)
            if answer is None:
                return
            z, bound = answer
            self.prove(bound)
            seen = times[z.tobytes()] = times.get(z.tobytes(), 0) + 1
            # Prices halfway to what was good so far make deeper cuts than those at the proposal itself.
            step = min(1.0, 0.55 + 0.15 * seen)
            solved = (
                None
                if self.over()
                else self._solve_relaxation(spread(self.columns, other, step * z + (1 - step) * centre))
            )
            if solved is None:
                return
            master.learn(self.last)
            if seen == 1:
                centre = 0.5 * (centre + z)
            self._try_proposal(other, z, solved[0], first=seen == 1, whole=step == 1.0)
            if step == 1.0 and (seen > 4 or solved[0].value - bound <= 1e-5 * abs(bound)):
                return

    def _try_proposal(self, other: Ints, z: Ints, relaxed: Relaxed, *, first: bool, whole: bool) -> None:
        """Make a plan of a proposal where its relaxation, if it is one at ``whole`` values, may be better.

        A first look costs nobody anything who is idle anyway.
        """
        self._bring_back()
        idle = self.crew is not None and self.crew.idle > 0
        if (whole and relaxed.value + self.goal.constant < self._value) or (first and idle):
            self._plan_for(other, z, relaxed)
        self._hand_out()

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

    def _plan_for(self, other: Ints, z: Ints, relaxed: Relaxed) -> None:
        """A plan that opens no other facts than ``z`` does."""
        closed = np.zeros(self.whole.facts, dtype=np.int64)
        facts = other < self.whole.facts
        closed[other[facts][z[facts] == 0]] = 1
        shut = np.asarray(self.whole.any_of.T.astype(np.int64) @ closed) > 0
        fixed = replace_others(relaxed, other, z)
        self._round(fixed, shut)

    def _plan_for_rounded(self, relaxed: Relaxed) -> None:
        """A plan without the facts that the relaxation holds for the smaller part."""
        facts = dear(self.columns, self.whole.purchases.derived)
        if len(facts):
            self._plan_for(facts, (relaxed.others[facts] >= 0.3).astype(np.int64), relaxed)

    def _improve(self, seconds: float) -> None:
        """Make the best plan better for a while, here and elsewhere."""
        if self.best is None:
            self._first_plan()
            return
        end = self.left - seconds
        while not self.over() and self.left > end:
            self._hand_out()
            assert self.best is not None
            self.improver.x = self.core.inner(self.best)
            self.improver.improve(min(seconds, self._turn), self.bound + self.goal.constant)
            self._take()
            self._bring_back()

    def _at_once(self) -> None:
        """All options that may still be in a better plan, to CP-SAT as a whole."""
        keep = np.ones(self.whole.options, dtype=np.bool_)
        if self.best is not None:
            keep = self.last_bound().least_with() < self.goal.value(self.best) - self.goal.constant
            keep |= self.best[: self.whole.options] > 0
        core = np.flatnonzero(keep)
        small, goal = narrowed(self.whole, self.goal, core)
        model = Model(small)
        used = np.flatnonzero(goal.coefficients)
        model.minimise(used.tolist(), goal.coefficients[used].tolist())
        if self.best is not None:
            model.hint(np.concatenate([self.best[: self.whole.options][core], self.best[self.whole.options :]]))
        callback = Callback(lambda *_: None)
        answer = model.solve(self.limits, max(0.1, self.left), max(0.1, self.left / 2), self.watch, callback)
        self.budget.spend(2 * answer.effort)
        if answer.x is not None:
            wide = np.zeros(self.whole.columns, dtype=np.int64)
            wide[core] = answer.x[: len(core)]
            wide[self.whole.options :] = answer.x[len(core) :]
            self.offer(wide)
            # What was left out costs at least as much as the plan it was held against.
            if self.best is not None:
                value = self.goal.value(self.best) - self.goal.constant
                self.prove(min(value, value if answer.finished and not self.limits.gap else answer.bound))
        elif answer.finished and self.best is None:
            self.infeasible = True

    def last_bound(self) -> Bound:
        """The bound at the latest prices of the relaxation."""
        return exact_bound(self.columns, self.price)


def replace_others(relaxed: Relaxed, other: Ints, z: Ints) -> Relaxed:
    """A relaxed answer with other values of some facts and purchases."""
    others = relaxed.others.copy()
    others[other] = z
    return Relaxed(relaxed.option, relaxed.x, others, relaxed.price, relaxed.item, relaxed.value)
