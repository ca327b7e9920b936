"""Where places are alike: what goes together into one place of a kind, whichever that is (Gilmore, Gomory 1961).

A linear problem over such patterns says what each item is worth; patterns worth more than their place costs are added
until there are none. What it then comes to is a bound that knows no half-open places, and a whole-number choice among
the patterns found is a plan.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from ortools.sat.python import cp_model
from scipy.sparse.csgraph import maximum_bipartite_matching

from capplan.engine.budget import Budget
from capplan.engine.compiled import compiled
from capplan.engine.kinds import ENDLESS, Kinds
from capplan.engine.linear import minimum
from capplan.highs import Problem, Search
from capplan.units import Bools, Floats, Ints

WEIGHTINGS, IN_A_ROW = 16, 8
"""Orders in which each kind is filled in a turn, and places filled in each."""
CALM = 0.7
"""Weight of the past in the prices that places are filled by."""
FINE = 2**20
"""Parts of the goal's unit in which worth is counted when a bound is proved."""
FIXED_SHARE = 0.08
"""Share of the places that are fixed at a time."""
DIVE_SHARE, CHOICE_SHARE = 0.5, 0.3
"""Shares of the time left for fixing them one after the other, and for choosing among them."""
FILLING_S = 1.0
"""Deterministic time for the best filling of a place."""
STEP_S = 0.02
"""Effort of a step of branch and bound among them."""


class Patterns:
    """Patterns found so far: ``kind`` and ``items`` of each, and what ``_cost`` it is to use it."""

    def __init__(self, kinds: Kinds, budget: Budget, seed: int) -> None:
        self.kinds, self.budget = kinds, budget
        self.random = np.random.default_rng(seed)
        self.bound = -ENDLESS
        self.kind: list[int] = []
        self.items: list[Ints] = []
        self._cost: list[int] = []
        self._known: set[tuple[int, bytes]] = set()

    def add(self, kind: int, items: Ints) -> bool:
        """A pattern, unless it is known. ``items`` int64 [k] ascending fit together into a place of the kind."""
        key = kind, items.tobytes()
        if key in self._known or not len(items):
            return False
        self._known.add(key)
        self.kind.append(kind)
        self.items.append(items)
        self._cost.append(int(self.kinds.opening[kind] + self.kinds.cost[kind][items].sum()))
        return True

    def single(self) -> None:
        """Each item alone, wherever it may go and fits."""
        for kind in range(len(self.kinds.count)):
            fits = self.kinds.may[kind] & (self.kinds.need <= self.kinds.room[kind]).all(axis=1)
            for item in np.flatnonzero(fits).tolist():
                self.add(kind, np.array([item], dtype=np.int64))

    def learn(self, place: Ints) -> None:
        """The patterns of a plan: ``place`` int64 [item]."""
        order = np.argsort(place, kind="stable")
        for group in np.split(order, np.flatnonzero(np.diff(place[order])) + 1):
            self.add(int(self.kinds.of_place[place[group[0]]]), np.sort(group).astype(np.int64))

    # -- worth --------------------------------------------------------------------------------------------

    def find(self, seconds: float) -> None:
        """Add patterns until none is worth more than its place, or for ``seconds``."""
        end, items = self.budget.left - seconds, self.kinds.may.shape[1]
        guide: Floats | None = None
        while not self.budget.used_up and self.budget.left > end:
            _, worth, rent = self._worths()
            # Worths swing from turn to turn; their running mean does not, and asks for patterns that last.
            guide = worth if guide is None else CALM * guide + (1 - CALM) * worth
            self.budget.spend(0.005 + 2e-7 * len(self.kind) * items**0.5 + 1e-5 * items)
            found = False
            for prices in (guide, worth):
                for kind in range(len(self.kinds.count)):
                    found |= self._fill(kind, prices, worth, float(rent[kind]))
                if found:
                    break
            if not found and not self._exact_turn(worth, end):
                return

    def _worths(self) -> tuple[Floats, Floats, Floats]:
        """How much of each pattern to use, what each item is worth, and each place beyond its cost.

        float [pattern], [item], [kind].
        """
        items, kinds = self.kinds.may.shape[1], len(self.kinds.count)
        count = len(self.kind)
        at = np.repeat(np.arange(count), [len(one) for one in self.items])
        cover = sp.csr_array((-np.ones(len(at)), (np.concatenate(self.items), at)), shape=(items, count))
        used = sp.csr_array((np.ones(count), (self.kind, np.arange(count))), shape=(kinds, count))
        lost = sp.csr_array(sp.vstack([-sp.eye_array(items), sp.csr_array((kinds, items))]))
        matrix = sp.csr_array(sp.hstack([sp.vstack([cover, used]), lost]))
        dear = 2.0 * max(1, *self._cost)
        cost = np.concatenate([self._cost, np.full(items, dear)]).astype(np.float64)
        limit = np.concatenate([-np.ones(items), self.kinds.count])
        used_up, dual = minimum(matrix, cost, limit)
        return used_up[:count], np.maximum(0, -dual[:items]), np.maximum(0, -dual[items:])

    def _exact_turn(self, worth: Floats, end: float) -> bool:
        """The best filling of every kind, and the bound that follows. Whether any was worth more than it costs."""
        whole = np.rint(worth * FINE).astype(np.int64)
        total, better = int(whole.sum()), False
        for kind, count in enumerate(self.kinds.count.tolist()):
            if self.budget.used_up or self.budget.left <= end:
                return False
            gain = np.where(self.kinds.may[kind], whole - FINE * self.kinds.cost[kind], 0)
            most, items = self._best_filling(kind, gain)
            total += count * min(0, FINE * int(self.kinds.opening[kind]) - most)
            better |= self.add(kind, items)
        self.bound = max(self.bound, -(-total // FINE))
        return better

    def _best_filling(self, kind: int, gain: Ints) -> tuple[int, Ints]:
        """No filling gains more than the first; the second is the best found. int64 [k] ascending."""
        useful = np.flatnonzero(gain > 0)
        model = cp_model.CpModel()
        proto: Any = model.proto
        for _ in useful:
            proto.variables.add().domain.extend((0, 1))
        for slot in np.flatnonzero(self.kinds.need[useful].sum(axis=0) > self.kinds.room[kind]).tolist():
            row = proto.constraints.add().linear
            row.vars.extend(range(len(useful)))
            row.coeffs.extend(self.kinds.need[useful, slot].tolist())
            row.domain.extend((0, int(self.kinds.room[kind, slot])))
        proto.objective.vars.extend(range(len(useful)))
        proto.objective.coeffs.extend((-gain[useful]).tolist())
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.max_deterministic_time = FILLING_S
        solver.parameters.max_time_in_seconds = self.budget.clock(5 * FILLING_S)
        solver.parameters.catch_sigint_signal = False
        status = solver.solve(model)
        self.budget.spend(2 * solver.deterministic_time + 0.002)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return int(gain[useful].sum()), np.zeros(0, dtype=np.int64)
        chosen = np.array(solver.response_proto.solution, dtype=np.bool_)
        return -int(np.floor(solver.best_objective_bound + 1e-3)), useful[chosen].astype(np.int64)

    def _fill(self, kind: int, guide: Floats, worth: Floats, rent: float) -> bool:
        """Fill places of a kind in several orders by the prices ``guide``, one after the other with what is left.

        Adds those whose ``worth`` exceeds their cost; whether there were any.
        """
        gain = np.where(self.kinds.may[kind], guide - self.kinds.cost[kind], 0.0)
        useful = np.flatnonzero(gain > 0)
        if not len(useful):
            return False
        need, value = self.kinds.need[useful], (worth - self.kinds.cost[kind])[useful]
        share = need / np.maximum(1, self.kinds.room[kind])
        weight = self.random.dirichlet(np.full(share.shape[1], 0.7), WEIGHTINGS)
        luck = self.random.uniform(0.6, 1.4, (WEIGHTINGS, len(useful)))
        luck[0] = 1.0
        size = (weight @ share.T + 1e-9) ** self.random.choice([0.3, 0.7, 1.0], (WEIGHTINGS, 1))
        least, found = float(self.kinds.opening[kind]) + rent, False
        for order in np.argsort(-gain[useful] * luck / size, axis=1, kind="stable"):
            rest = order
            for _ in range(IN_A_ROW):
                taken = np.zeros(len(useful), dtype=np.bool_)
                _filled(rest, need, self.kinds.room[kind].copy(), taken)
                if value[taken].sum() > least * (1 + 1e-6) + 1e-6:
                    found |= self.add(kind, useful[taken].astype(np.int64))
                rest = rest[~taken[rest]]
                if not len(rest):
                    break
        return found

    # -- a plan -------------------------------------------------------------------------------------------

    def dive(self, seconds: float) -> list[tuple[int, Ints]]:
        """Fix what is used most, find patterns for the rest, and so on: kind and items of each place used."""
        chosen, rest, end = list[tuple[int, Ints]](), self, self.budget.left - seconds
        while rest.kinds.may.any() and not self.budget.used_up:
            use = rest._worths()[0]
            order = np.argsort(-use, kind="stable")
            most = max(1, round(FIXED_SHARE * float(use.sum())))
            free = np.asarray(rest.kinds.may.any(axis=0), dtype=np.bool_)
            spare = rest.kinds.count.copy()
            for number in order[use[order] > 1e-6].tolist():
                kind, items = rest.kind[number], rest.items[number]
                if most and spare[kind] and free[items].all():
                    chosen.append((kind, items))
                    free[items] = False
                    spare[kind] -= 1
                    most -= 1
            if (free == rest.kinds.may.any(axis=0)).all():
                return []
            rest = rest._of(free, spare)
            left = int(free.sum()) / len(free)
            rest.find(max(0.0, self.budget.left - end) * FIXED_SHARE * 2 if left else 0.0)
        return [] if rest.kinds.may.any() else chosen

    def _of(self, free: Bools, count: Ints) -> Patterns:
        """The same for the items ``free`` bool [item] and ``count`` int64 [kind] places."""
        kinds = replace(self.kinds, may=self.kinds.may & free, count=count)
        rest = Patterns(kinds, self.budget, int(self.random.integers(2**31)))
        for kind, items in zip(self.kind, self.items, strict=True):
            rest.add(kind, items[free[items]])
        return rest

    def choice(self, seconds: float) -> list[tuple[int, Ints]]:
        """The cheapest patterns that hold every item, as kind and items; none where none was found in time."""
        items, count = self.kinds.may.shape[1], len(self.kind)
        at = np.repeat(np.arange(count), [len(one) for one in self.items])
        cover = sp.csr_array((np.ones(len(at)), (np.concatenate(self.items), at)), shape=(items, count))
        used = sp.csr_array((np.ones(count), (self.kind, np.arange(count))), shape=(len(self.kinds.count), count))
        matrix = sp.csc_array(sp.vstack([cover, used]))
        search = Search(
            Problem(
                cost=np.array(self._cost, dtype=np.float64),
                upper=np.ones(count),
                low=np.concatenate([np.ones(items), np.full(len(self.kinds.count), -np.inf)]),
                high=np.concatenate([np.full(items, np.inf), self.kinds.count]),
                start=matrix.indptr.astype(np.int32),
                row=matrix.indices.astype(np.int32),
                value=matrix.data,
                hint=None,
                seed=1,
            )
        )
        best = self._heard(search, seconds)
        return self._without_repeats([] if best is None else np.flatnonzero(best > 0.5).tolist())

    def _heard(self, search: Search, seconds: float) -> Floats | None:
        """The last plan told within ``seconds``, or as much effort."""
        steps, plans = max(1, int(seconds / STEP_S)), list[Floats]()
        end = self.budget.left - seconds
        try:
            if self.budget.limits.deterministic:
                search.allow(steps)
                plans = search.hear(steps, self.budget.clock(seconds)).plans
                self.budget.spend(seconds)
            else:
                search.allow(None)
                while not (search.ended or self.budget.used_up) and self.budget.left > end:
                    plans += search.hear(2**60, 0.2).plans
        finally:
            search.end()
        return plans[-1] if plans else None

    def _without_repeats(self, chosen: list[int]) -> list[tuple[int, Ints]]:
        """Each item in the first of its patterns only."""
        free, found = np.ones(self.kinds.may.shape[1], dtype=np.bool_), []
        for number in chosen:
            items = self.items[number]
            items = items[free[items]]
            free[items] = False
            if len(items):
                found.append((self.kind[number], items))
        return found


def placed(kinds: Kinds, start: Ints, place: Ints, choice: list[tuple[int, Ints]]) -> Ints | None:
    """The option of every item where each pattern of ``choice`` gets a place of its own; None where that fails.

    ``start`` int64 [item + 1]; ``place`` int64 [option]. Returns int64 [item].
    """
    places, items = len(kinds.of_place), len(start) - 1
    item = np.repeat(np.arange(items), np.diff(start))
    key = item * places + place
    order = np.argsort(key, kind="stable")
    sorted_key = key[order]
    rows, columns = list[int](), list[int]()
    for number, (kind, members) in enumerate(choice):
        here = np.flatnonzero(kinds.of_place == kind)
        wanted = members[:, None] * places + here
        at = np.minimum(np.searchsorted(sorted_key, wanted), len(key) - 1)
        fits = (sorted_key[at] == wanted).all(axis=0)
        columns += here[fits].tolist()
        rows += [number] * int(fits.sum())
    graph = sp.csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(choice), places))
    match = maximum_bipartite_matching(graph, perm_type="column")
    if (match < 0).any() or sum(len(members) for _, members in choice) < items:
        return None
    option = np.empty(items, dtype=np.int64)
    for number, (_, members) in enumerate(choice):
        option[members] = order[np.searchsorted(sorted_key, members * places + match[number])]
    return option


@compiled
def _filled(order: Ints, need: Ints, left: Ints, taken: Bools) -> None:
    """Take what still fits, in ``order``; fills ``taken`` and uses up ``left``."""
    for i in order:
        fits = True
        for k in range(len(left)):
            if need[i, k] > left[k]:
                fits = False
                break
        if fits:
            for k in range(len(left)):
                left[k] -= need[i, k]
            taken[i] = True
