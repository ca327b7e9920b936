"""One goal of a large Program."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np

from capplan.engine.bounding import CORE_WIDTH, LP_EASY, LP_WIDTH
from capplan.engine.cpsat import Answer, Callback, Model
from capplan.engine.dual import cheapest, exact_bound, held
from capplan.engine.improve import Improver, Start
from capplan.engine.kinds import kinds_of
from capplan.engine.linear import Relaxed
from capplan.engine.master import Master, dear, spread, structural
from capplan.engine.narrow import narrowed, options_of
from capplan.engine.packing import Packing
from capplan.engine.proposals import Proposal, Proposals
from capplan.engine.prover import Prover
from capplan.engine.result import Limits
from capplan.engine.search import LISTEN_S
from capplan.engine.walking import Course
from capplan.units import Bools, Floats, Ints

SAMPLED_FROM, SAMPLED = 4_000, 10
"""Items from which one in so many gives the prices of the first plan."""
FAR, COOL_SHARE = 0.1, 0.6
"""Gap, as a share of the value, from which a plan is cooled slowly; share of the time left for that."""
WARMTH, LITTLE = 1e-4, 0.3
"""Temperature, in mean costs, at which prices say how much of a fact is to be had; below how much it is left out."""
MASTER_MOST = 400
TRIAL_SHARE, TRIAL_LEAST_S, TRIAL_S_AN_ITEM = 0.06, 0.3, 1e-3
"""Share of the time limit that a plan of a proposal may take, and seconds where there are few items."""
PROPOSAL_SHARE, PLACING_SHARE = 0.5, 0.5
"""Share of the time left at their beginning that proposals leave to improvement, and the part of theirs for it."""
VAIN_MOST, VAIN_GAIN = 6, 0.01
"""Proposals in a row after which there are no more where they made the gap smaller by no more than that share."""
PROVED_MOST = 40_000
"""Options of possibly better plans up to which branch and bound is worth a processor."""
LIKELY, LIKELY_WIDTH, LIKELY_MORE = 4_000, 2, 4
"""Options, and those of an item at least, that branch and bound is given first where few facts are needed; how many
times more the next time."""
SMALL, AT_ONCE_MOST = 12_000, 3_000
"""Options up to which the bound is wanted before the plan; those of possibly better plans up to which, after the first
half, they go to CP-SAT all at once: with more of them parts and walks find more in that time."""


class Stage(Packing):
    """The search for one goal: prices, relaxation, proposals, plans, improvement."""

    _likely_most = LIKELY
    """Options that branch and bound is given next where few facts are needed."""
    _priced_at: bytes | None = None
    """What is opened and bought at the prices of the core, where these were worked out for that."""
    _reachable = -np.inf
    """The value of the relaxation then."""

    # -- the search ---------------------------------------------------------------------------------------

    def run(self, enough: int) -> None:
        """Search until the bound is met, ``enough`` is reached (a value that needs no proof), or the limits are."""
        self.enough = enough
        try:
            self._run()
        finally:
            self.end_proof()

    def _run(self) -> None:
        if self.over():
            return
        large = self.whole.items >= SAMPLED_FROM
        self._cool_beside()
        bound = self._prices(sample=self.whole.items // SAMPLED if large else None)
        self._keep(self._attractive(bound), bound)
        self._first_plan()
        packed = self._think_of_patterns()
        self._hand_out()
        if large and self.sampled and not self.over():
            bound = self._prices_of_all()
            self._keep(self._attractive(bound), bound)
            self._bring_back()
            self._plan_at_prices()
            self._hand_out()
        relaxed = None if packed or self.over() else self._relax(bound)
        if relaxed is not None:
            other = self._proposable()
            if self.crew is None or not len(other):
                # Where proposals are to come, the others are better used to make plans of them.
                self._prove_beside()
            self._round(relaxed)
            self._plan_for_rounded(relaxed)
            self._propose(relaxed, other)
            if len(other) and self.best is not None and not self.over():
                self._price_at_best(other)
        self._prove_beside()
        self._cool()
        if self.whole.options <= SMALL and self._may_help().sum() <= AT_ONCE_MOST:
            self._improve(0.3 * self.left)
            if not self.over():
                self._at_once(0.4 * self.left)
        while not self.over():
            self._improve(max(1.0, 0.1 * self.limits.time_limit_s))
        self._bring_back(last=True)

    def _think_of_patterns(self) -> bool:
        """Where places are alike or hold little, think of what goes together; whether a relaxation says less than that.

        It does not tell places that are alike from each other.
        """
        kinds = kinds_of(self.whole, self.goal)
        if kinds is None or self.over():
            return False
        if not kinds.alike:
            # Branch and bound does well there too, and needs all the time it can get.
            self._prove_beside()
        self._pack(kinds)
        return kinds.alike and self.best is not None

    def _prove_beside(self) -> None:
        """Give all that may be in a better plan to branch and bound, in a process of its own, once.

        Where few of many facts are needed, it is given the likeliest of it before, which says best which these are, and
        more whenever it has done with that.
        """
        if self.prover is not None or self.proof_tried or self.over():
            return
        if self.limits.workers < 2 or self.whole.items > PROVED_MOST or not Prover.can(self.goal):
            return
        least, most = self._least_with(), self._likely_most
        keep = self._with_best(least < self._value - self.goal.constant)
        fits = LIKELY_WIDTH * self.whole.items <= most <= PROVED_MOST
        if fits and most < keep.sum() and self._few_needed():
            keep = self._with_best(keep & self._likeliest(least, most, LIKELY_WIDTH))
            self._likely_most *= LIKELY_MORE
        elif keep.sum() <= PROVED_MOST:
            self.proof_tried = True
        else:
            return
        elsewhere = None if keep.all() else int(least[~keep].min()) + self.goal.constant
        self.begin_proof(keep, elsewhere)

    def _likely_core(self) -> Bools:
        """The options among which plans are looked for where few facts are needed. bool [option]."""
        return self._likeliest(self._least_with(), CORE_WIDTH * self.whole.items, CORE_WIDTH)

    def _worths_known(self) -> None:
        """Where few facts are needed, branch and bound and plans begin at once with the likeliest options."""
        if self._few_needed() and not self.over():
            self._keep(self._likely_core(), self.last, only=True)
            self._prove_beside()
            facts = dear(self.columns, self.whole.purchases.derived)
            shut = options_of(self.whole, facts[self.held[facts] < LITTLE])
            self._plan_without(shut, self.core.reduced, self.core.parts.program.purchases.upper)

    def _bring_back(self, *, last: bool = False) -> None:
        super()._bring_back(last=last)
        if self.proof_done and not last:
            self.proof_done = False
            self._prove_beside()

    @property
    def _gap(self) -> float:
        """How far the best plan is from the bound."""
        return self._value - self.goal.constant - self.bound

    def _far(self) -> bool:
        """Whether the best plan is so far from the bound that cooling it slowly is better than going on bit by bit."""
        return self.best is not None and self._gap > FAR * abs(self._value)

    def _cool_beside(self) -> None:
        """Where a plan was given that is far from a bound known at once, let somebody else begin to cool it."""
        if self.crew is None or self.limits.deterministic or self.best is None or not self._guess.any():
            return
        bound = self._priced(self._guess, exact_bound(self.columns, self._guess))
        if self._far():
            self._keep(self._attractive(bound), bound)
            self._hand_out(cool=COOL_SHARE * self.left)

    def _cool(self) -> None:
        """Cool a plan that is still far from the bound, here and elsewhere; else call back who may be at that."""
        if self.over() or self.whole.options <= SMALL or not self._far():
            if self.crew is not None and not self.limits.deterministic:
                self.crew.call(everybody=True)
            return
        seconds = COOL_SHARE * self.left
        self._hand_out(cool=seconds)
        assert self.best is not None
        self.improver.x = self.core.inner(self.best)
        self.improver.cool(seconds)
        self._take()
        self._bring_back()

    def _first_plan(self) -> None:
        """From the cheapest options at the prices, everything bought that may be."""
        if self.best is not None:
            return
        program = self.core.parts.program
        x = np.zeros(program.columns, dtype=np.int64)
        x[np.flatnonzero(cheapest(self.core.parts.start, self.core.reduced, 1))] = 1
        x[program.options + program.facts :] = np.where(program.purchases.derived, 0, program.purchases.upper)
        # Where walking is not the way, branch and bound is soon at work too.
        share = 0.25 if program.options > PROVED_MOST else 0.05
        self.improver.walk(x, share * self.left, Course(0.01, until_found=True))
        self._take()

    def _plan_at_prices(self) -> None:
        """A plan without the facts that do not pay at the prices of all items, everything bought that may be.

        Where the relaxation is soon solved, it says better which these are.
        """
        facts = dear(self.columns, self.whole.purchases.derived)
        if not len(facts) or self.over() or LP_WIDTH * self.whole.items <= LP_EASY:
            return
        shut = options_of(self.whole, facts[held(self.columns, self.last, WARMTH)[facts] < LITTLE])
        self._plan_without(shut, self.core.reduced, self.core.parts.program.purchases.upper)

    # -- relaxation ---------------------------------------------------------------------------------------

    def _round(self, relaxed: Relaxed, shut: Bools | None = None) -> None:
        """Items to the option with the largest share, purchases up; then walk."""
        share = self._keep_near(relaxed)
        bought = np.ceil(relaxed.others[self.whole.facts :] - 1e-6).astype(np.int64)
        bought = np.minimum(bought, self.core.parts.program.purchases.upper)
        self._plan_without(shut, self.core.reduced - 1e9 * share[self.core.option], bought)

    def _plan_without(self, shut: Bools | None, rank: Floats, bought: Ints) -> None:
        """Walk from the options of least ``rank`` float [option of the core], none of them ``shut`` bool [option].

        ``bought`` int64 [purchase].
        """
        small = self.core.parts.program
        closed = np.zeros(0, dtype=np.int64)
        if shut is not None:
            closed = np.flatnonzero(shut[self.core.option])
            rank = rank.copy()
            rank[closed] += 1e12
        x = np.zeros(small.columns, dtype=np.int64)
        x[np.flatnonzero(cheapest(self.core.parts.start, rank, 1))] = 1
        x[small.options + small.facts :] = np.where(small.purchases.derived, 0, bought)
        if self.crew is not None and self.best is not None and self.crew.idle > 0:
            self._send(Start(x, self.experience, closed), 5 * self._turn)
            return
        few = TRIAL_LEAST_S + TRIAL_S_AN_ITEM * self.whole.items
        trial = min(few, max(1.0, TRIAL_SHARE * self.limits.time_limit_s))
        found = self.improver.plan_from(x, trial, closed)
        self._take()
        if found is not None and shut is not None and not self.over():
            seed = int(self.random.integers(2**31))
            polisher = Improver(self.core, found, self.budget, seed, self.experience)
            polisher.improve(min(0.1 * self.left, 2 * self._turn, trial))
            assert polisher.x is not None
            self._offer_inner(self.core, polisher.x)

    def _keep_near(self, relaxed: Relaxed) -> Floats:
        """The core of what the relaxation takes or nearly takes. Its shares, float [option]."""
        share = np.zeros(self.whole.options)
        share[relaxed.option] = relaxed.x
        self._priced_at = None
        few = self._few_needed()
        near = self._likely_core() if few else cheapest(self.columns.start, self.last.reduced, CORE_WIDTH)
        self._keep(near | (share > 1e-6), self.last, only=few)
        return share

    def _price_at_best(self, other: Ints) -> float:
        """Look for plans at the prices of what the best one opens and buys: fractions of these have others.

        Returns the relaxation's value with that given, which is what placing alone could reach, so far as is known.
        """
        assert self.best is not None
        z = self.best[self.whole.options :][other]
        if self._priced_at != z.tobytes():
            solved = self._solve_relaxation(spread(self.columns, other, z))
            if solved is not None:
                self._keep_near(solved[0])
            self._priced_at, self._reachable = z.tobytes(), self.bound if solved is None else solved[0].value
        return self._reachable

    def _proposable(self) -> Ints:
        """Facts and purchases that the master decides, none where they are too many. int64 [k]."""
        return structural(self.columns, self.whole.purchases.derived, MASTER_MOST)

    def _propose(self, relaxed: Relaxed, other: Ints) -> None:
        """Bound what is opened and bought in whole numbers, and make plans of what that proposes.

        ``other`` int64 [k]: the facts and purchases that are decided so.
        """
        if not len(other):
            return
        master, until = Master(self.columns, other), PROPOSAL_SHARE * self.left
        master.learn(self.last)
        master.learn(self.proof)
        for price in self._shortage_prices():
            master.learn(exact_bound(self.columns, price))
        proposals = Proposals(master, relaxed.others[other])
        self._least_tried = np.inf
        begun, placing = self.left, 0.0
        gap, vain = self._gap, 0
        while not self.over() and self.left > until and vain < VAIN_MOST:
            before = self.left
            if self.best is None or self.whole.options <= SMALL or self._gap <= (1 - VAIN_GAIN) * gap:
                gap, vain = self._gap, 0
            if placing <= PLACING_SHARE * (begun - before) and self._placed_better(other, master):
                placing += before - self.left
                continue
            proposal = proposals.next(2.0 + 0.02 * self.limits.time_limit_s, self._value - self.goal.constant)
            if proposal is None:
                return
            if proposal.proves:
                self.prove(proposal.bound)
            vain += 1
            solved = None if self.over() else self._solve_relaxation(spread(self.columns, other, proposal.at))
            if solved is None:
                return
            master.learn(self.proof)
            self._try_proposal(other, proposal, solved[0])
            if not proposals.go_on(proposal, solved[0].value):
                return

    def _placed_better(self, other: Ints, master: Master) -> bool:
        """Improve the best plan for a turn where that is what it lacks; whether it is better now."""
        # Small problems are soon solved as a whole, for which the bound is wanted first.
        if self.whole.options <= SMALL or self._opens_amiss(other, master):
            return False
        before = self._value
        self._improve(self._turn)
        return self._value < before

    def _opens_amiss(self, other: Ints, master: Master) -> bool:
        """Whether more of the gap may lie in what the best plan opens and buys than in who is placed where."""
        if self.best is None:
            return True
        before = self._priced_at
        reachable = self._price_at_best(other)
        if self._priced_at != before:
            master.learn(self.proof)
        return reachable - self.bound >= self._value - self.goal.constant - reachable

    def _try_proposal(self, other: Ints, proposal: Proposal, relaxed: Relaxed) -> None:
        """Make a plan of a proposal where its relaxation, if it is one at whole values, may be better.

        A first look costs nobody anything who is idle anyway; else it is worth it where the relaxation, though not at
        whole values, is better than that of all proposals tried before.
        """
        self._bring_back()
        idle = self.crew is not None and self.crew.idle > 0
        may_be_better = relaxed.value + self.goal.constant < self._value
        record = proposal.first and relaxed.value < self._least_tried
        if (proposal.whole and may_be_better) or (proposal.first and idle) or (record and may_be_better):
            self._least_tried = min(self._least_tried, relaxed.value)
            self._plan_for(other, proposal.z, relaxed)
        self._hand_out()

    def _plan_for(self, other: Ints, z: Ints, relaxed: Relaxed) -> None:
        """A plan that opens no other facts than ``z`` does."""
        facts = other < self.whole.facts
        shut = options_of(self.whole, other[facts][z[facts] == 0])
        fixed = replace_others(relaxed, other, z)
        self._round(fixed, shut)

    def _plan_for_rounded(self, relaxed: Relaxed) -> None:
        """A plan without the facts that the relaxation holds for the smaller part."""
        facts = dear(self.columns, self.whole.purchases.derived)
        if len(facts):
            self._plan_for(facts, (relaxed.others[facts] >= LITTLE).astype(np.int64), relaxed)

    def _improve(self, seconds: float) -> None:
        """Make the best plan better for a while, here and elsewhere."""
        if self.best is None:
            self._first_plan()
            return
        end = self.left - seconds
        while not self.over() and self.left > end:
            self._hand_out()
            assert self.best is not None
            self._pack_again()
            self.improver.x = self.core.inner(self.best)
            self.improver.improve(min(seconds, self._turn), self.bound + self.goal.constant)
            self._take()
            self._bring_back()

    def _at_once(self, seconds: float) -> None:
        """All options that may still be in a better plan, to CP-SAT as a whole."""
        core = np.flatnonzero(self._may_help())
        small, goal = narrowed(self.whole, self.goal, core)
        model = Model(small)
        used = np.flatnonzero(goal.coefficients)
        model.minimise(used.tolist(), goal.coefficients[used].tolist())
        if self.best is not None:
            model.hint(np.concatenate([self.best[: self.whole.options][core], self.best[self.whole.options :]]))
        hands = self.limits.workers - (self.prover is not None)
        answer = self._heard_meanwhile(model, replace(self.limits, workers=hands), seconds)
        self.budget.spend(2 * answer.effort)
        if answer.x is not None:
            wide = np.zeros(self.whole.columns, dtype=np.int64)
            wide[core] = answer.x[: len(core)]
            wide[self.whole.options :] = answer.x[len(core) :]
            self.offer(wide)
            # What was left out costs at least as much as the plan it was held against.
            if self.best is not None:
                value = int(self._value) - self.goal.constant
                self.prove(min(value, value if answer.finished and not self.limits.gap else answer.bound))
        elif answer.finished and self.best is None:
            self.infeasible = True

    def _heard_meanwhile(self, model: Model, limits: Limits, seconds: float) -> Answer:
        """Solve; by the clock what branch and bound finds meanwhile is taken over, and ends it if it is enough."""
        done = threading.Event()

        def listen() -> None:
            while not done.wait(LISTEN_S):
                self._hear_prover()
                if self.over():
                    self.watch.end_solver()

        # This thread does nothing meanwhile, so that the search is never in two hands.
        listener = threading.Thread(target=listen, daemon=True)
        if self.prover is not None and not limits.deterministic:
            listener.start()
        callback = Callback(lambda *_: None)
        answer = model.solve(limits, self.budget.clock(seconds), max(0.1, seconds / 2), self.watch, callback)
        done.set()
        if listener.ident is not None:
            listener.join()
        return answer


def replace_others(relaxed: Relaxed, other: Ints, z: Ints) -> Relaxed:
    """A relaxed answer with other values of some facts and purchases."""
    others = relaxed.others.copy()
    others[other] = z
    return Relaxed(relaxed.option, relaxed.x, others, relaxed.price, relaxed.item, relaxed.value)
