"""Where places are alike, or hold little: what goes together into one place of a kind (Gilmore, Gomory 1961).

A linear problem over such patterns says what each item is worth; patterns worth more than their place costs are added
until there are none. What it then comes to is a bound that knows no half-open places, and a whole-number choice among
the patterns found is a plan.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple, TypeAlias

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import maximum_bipartite_matching

from capplan.engine.budget import Budget
from capplan.engine.filling import best, by_orders, disjoint
from capplan.engine.kinds import ENDLESS, LARGEST, Kinds
from capplan.engine.linear import minimum
from capplan.highs import Found, Problem, Search
from capplan.units import Bools, Floats, Ints

ORDERS, IN_A_ROW = 16, 8
"""Orders in which each kind is filled in a turn, and places filled in each."""
A_TURN, A_KIND = 128, 3
"""Patterns added in a turn, over all kinds, but at least of each kind."""
LEAST_TURNS = 3
"""Turns that are taken even without time for them: what is left needs patterns of its own."""
CALM = 0.7
"""Weight of the past in the prices that places are filled by."""
FINE = 2**20
"""Parts of the goal's unit in which worth is counted when a bound is proved, at most."""
FIXED_SHARE, FIXED_MOST = 0.08, 0.4
"""Share of the places that are fixed at a time, and where time is short."""
LUCK = 0.3
"""How far chance may change what a dive fixes first."""
AGAIN_LEAST, AGAIN_MOST, AGAIN_S = 20, 100, 2.0
"""Items whose places are filled again at a time, and seconds for finding patterns for them and for choosing."""
CHOICE_MOST, DIVE_MOST = 20_000, 5
"""Patterns to choose among, and those for every row of the linear problem that a dive begins with."""
STEP_S, START_S = 0.02, 0.3
"""Effort of a step of branch and bound among them, and of starting it."""


Choice: TypeAlias = list[tuple[int, Ints]]
"""Kind and types of each place used."""


class Exact(NamedTuple):
    """Whole numbers of which ``fine`` are one of the goal's unit: what an item of a type is ``worth``, int64 [type].

    What a place is worth beyond its cost at most is its ``rent`` int64 [kind]; ``total`` is the bound that follows,
    without what all items cost at least.
    """

    fine: int
    worth: Ints
    rent: Ints = np.zeros(0, dtype=np.int64)
    total: int = 0

    def gain(self, kinds: Kinds, kind: int) -> Ints:
        """What an item of each type gains where it costs what it does at a kind. int64 [type]."""
        return np.asarray(self.worth - self.fine * kinds.cost[kind])


class Patterns:
    """Patterns found so far: ``kind`` and ``types`` of each, ascending with repeats, and what ``_cost`` it is.

    ``bound`` is what they prove, if anything, and ``bounded`` the worths by which the best bound was found. ``dear``
    is what an item that they cannot hold is lost at.
    """

    def __init__(self, kinds: Kinds, budget: Budget, seed: int) -> None:
        self.kinds, self.budget = kinds, budget
        self.random = np.random.default_rng(seed)
        self.bound = -ENDLESS
        self.bounded: Exact | None = None
        self.kind: list[int] = []
        self.types: list[Ints] = []
        self._cost: list[int] = []
        self._known: set[tuple[int, bytes]] = set()
        self.dear = 2.0 * max(1, int(kinds.opening.max(initial=0)) + int(kinds.cost.max(initial=0)))

    def add(self, kind: int, types: Ints) -> bool:
        """A pattern, unless it is known. ``types`` int64 [k] ascending fit together into a place of the kind."""
        key = kind, types.tobytes()
        if key in self._known or not len(types):
            return False
        self._known.add(key)
        self.kind.append(kind)
        self.types.append(types)
        self._cost.append(self.price(kind, types))
        return True

    def known(self, kind: Ints, types: list[Ints]) -> Bools:
        """Which of some patterns are known. bool [pattern]."""
        pairs = zip(kind.tolist(), types, strict=True)
        return np.array([(k, one.tobytes()) in self._known for k, one in pairs], dtype=np.bool_)

    def price(self, kind: int, types: Ints) -> int:
        """What a place of a kind costs with such items."""
        return int(self.kinds.opening[kind] + self.kinds.cost[kind][types].sum())

    def value(self, choice: Choice) -> int:
        """What a choice of patterns costs, the constant included."""
        return self.kinds.constant + sum(self.price(*one) for one in choice)

    def learn(self, place: Ints) -> Choice:
        """Add the patterns of a plan, and return them as kind and types: ``place`` int64 [item]."""
        order, found = np.argsort(place, kind="stable"), Choice()
        for group in np.split(order, np.flatnonzero(np.diff(place[order])) + 1):
            found.append((int(self.kinds.of_place[place[group[0]]]), np.sort(self.kinds.of_item[group])))
            self.add(*found[-1])
        return found

    # -- worth --------------------------------------------------------------------------------------------

    def find(self, seconds: float, *, prove: bool = True) -> None:
        """Add patterns until none is worth more than its place, or for ``seconds``; then ``prove`` a bound."""
        end, proved, turns = self.budget.left - seconds, False, 0
        guide: Floats | None = None
        while not self.budget.used_up and (self.budget.left > end or turns < LEAST_TURNS):
            turns += 1
            _, worth, rent = self._worths()
            # Worths swing from turn to turn; their running mean does not, and asks for patterns that last.
            guide = worth if guide is None else CALM * guide + (1 - CALM) * worth
            if self._turn(guide, worth, rent) or self._turn(worth, worth, rent):
                continue
            proved = True
            if not prove or not self._exact_turn(worth, end - seconds):
                return
        if prove and not proved and guide is not None and not self.budget.used_up:
            self._exact_turn(guide, end - seconds)

    def _worths(self) -> tuple[Floats, Floats, Floats]:
        """How much of each pattern to use, what an item of a type is worth, and a place beyond its cost.

        float [pattern], [type], [kind]. Items that the patterns cannot hold are lost at a high price.
        """
        types, kinds, count = len(self.kinds.times), len(self.kinds.count), len(self.kind)
        self.budget.spend(0.005 + 2e-7 * count * types**0.5 + 1e-5 * types)
        cover = self._matrix(np.arange(count))
        lost = sp.csr_array((np.ones(types), (np.arange(types), np.arange(types))), shape=(types + kinds, types))
        side = np.concatenate([-np.ones(types), np.ones(kinds)])
        matrix = sp.csr_array(sp.diags_array(side) @ sp.hstack([cover, lost]))
        cost = np.concatenate([self._cost, np.full(types, self.dear)]).astype(np.float64)
        use, dual = minimum(matrix, cost, side * np.concatenate([self.kinds.times, self.kinds.count]))
        return use[:count], np.maximum(0, -dual[:types]), np.maximum(0, -dual[types:])

    def _matrix(self, among: Ints) -> sp.csr_array:
        """How many items of each type the patterns ``among`` int64 [k] hold, and which kind each is of. [row, k]."""
        types, kind = [self.types[n] for n in among.tolist()], np.array(self.kind, dtype=np.int64)[among]
        count, rows = len(among), len(self.kinds.times)
        at = np.repeat(np.arange(count), [len(one) for one in types])
        row = np.concatenate([*types, rows + kind])
        column = np.concatenate([at, np.arange(count)]).astype(np.int64)
        return sp.csr_array((np.ones(len(row)), (row, column)), shape=(rows + len(self.kinds.count), count))

    def _turn(self, guide: Floats, worth: Floats, rent: Floats) -> bool:
        """Fill places of each kind by the prices ``guide``; whether any filling was ``worth`` more than it costs."""
        found, most = False, max(A_KIND, A_TURN // len(self.kinds.count))
        for kind in np.flatnonzero(self.kinds.count).tolist():
            cost = self.kinds.cost[kind]
            filled = by_orders(self.kinds, kind, guide - cost, self.random, ORDERS, IN_A_ROW)
            filled += disjoint(self.kinds, kind, guide - cost, self.random, most)
            self.budget.spend(1e-6 * len(self.kinds.times) + 2e-3)
            value = np.array([(worth - cost)[types].sum() for types in filled])
            least = float(self.kinds.opening[kind]) + float(rent[kind])
            for number in np.argsort(-value, kind="stable")[:most].tolist():
                if value[number] > least * (1 + 1e-6) + 1e-6:
                    found |= self.add(kind, filled[number])
        return found

    def _exact_turn(self, worth: Floats, end: float) -> bool:
        """The best filling of every kind, and the bound that follows. Whether any was worth more than it costs.

        Where kinds are as many as places, no longer than there is more left than ``end``.
        """
        kinds, exact = self.kinds, self.in_whole_numbers(worth)
        most, better = np.zeros(len(kinds.count), dtype=np.int64), False
        for kind in range(len(kinds.count)):
            if self.budget.used_up or (not kinds.alike and self.budget.left < end):
                return False
            most[kind], types = best(kinds, kind, exact.gain(kinds, kind), self.budget, self.random)
            better |= self.add(kind, types)
        value, opening = int(exact.worth @ kinds.times), exact.fine * kinds.opening
        total = value + int(np.minimum(0, opening - most) @ kinds.count)
        if self.bounded is None or total * self.bounded.fine > self.bounded.total * exact.fine:
            self.bounded = exact._replace(rent=np.maximum(0, most - opening), total=total)
        if not kinds.cost.any():
            total = max(total, _shrunk(value, opening, most, kinds.count))
        self.bound = max(self.bound, kinds.constant - (-total // exact.fine))
        return better

    def in_whole_numbers(self, worth: Floats) -> Exact:
        """Worths in the finest parts of the goal's unit of which sums are exact."""
        largest = max(self.dear, float(worth @ self.kinds.times))
        fine = 2.0 ** np.clip(np.floor(np.log2(LARGEST / (1 + largest))), 0, np.log2(FINE))
        return Exact(int(fine), np.rint(worth * fine).astype(np.int64))

    # -- a plan -------------------------------------------------------------------------------------------

    def dive(self, seconds: float) -> Choice:
        """Fix what is used most, find patterns for the rest, and so on: kind and types of each place used.

        With some luck no dive goes the way of another; what they find on it is kept.
        """
        chosen, rest, end = Choice(), self, self.budget.left - seconds
        share, since = FIXED_SHARE, self.budget.left
        while rest.kinds.times.any() and not self.budget.used_up:
            use, worth, rent = rest._worths()
            order = np.argsort(-use * self.random.uniform(1 - LUCK, 1, len(use)), kind="stable")
            most = max(1, round(share * float(use.sum())))
            times, spare = rest.kinds.times.copy(), rest.kinds.count.copy()
            for number in order[use[order] > 1e-6].tolist():
                kind, types = rest.kind[number], rest.types[number]
                for _ in range(max(1, int(use[number] + 1e-6))):
                    need = np.bincount(types, minlength=len(times))
                    if not most or not spare[kind] or (need > times).any():
                        break
                    chosen.append((kind, types))
                    times -= need
                    spare[kind] -= 1
                    most -= 1
            if (times == rest.kinds.times).all():
                return []
            rest = rest._of(times, spare, worth, rent)
            if times.any():
                known = len(rest.kind)
                rest.find(max(0.0, self.budget.left - end) * FIXED_SHARE * 2, prove=False)
                for number in range(known, len(rest.kind)):
                    self.add(rest.kind[number], rest.types[number])
            step, since = since - self.budget.left, self.budget.left
            share = min(FIXED_MOST, max(FIXED_SHARE, step / max(1e-9, self.budget.left - end)))
        return [] if rest.kinds.times.any() else chosen

    def again(self, plan: Choice, seconds: float) -> Choice:
        """A cheaper plan, if any is found within ``seconds``, by filling some of the places of ``plan`` again."""
        end = self.budget.left - seconds
        _, worth, rent = self._worths()
        while not self.budget.used_up and self.budget.left > end:
            wanted = self.random.integers(AGAIN_LEAST, AGAIN_MOST)
            order, size = self.random.permutation(len(plan)), np.array([len(types) for _, types in plan])
            many = 1 + int(np.searchsorted(np.cumsum(size[order]), wanted))
            freed, kept = [plan[n] for n in order[:many]], [plan[n] for n in order[many:]]
            times = np.bincount(np.concatenate([types for _, types in freed]), minlength=len(worth))
            used = np.bincount([kind for kind, _ in kept], minlength=len(rent))
            rest = self._of(times, self.kinds.count - used, worth, rent)
            before = sum(self.price(*one) for one in freed)
            for one in freed:
                rest.add(*one)
            rest.find(AGAIN_S, prove=False)
            if rest._worths()[0] @ rest._cost <= before - 1 + 1e-6:
                found = rest.choice(AGAIN_S, freed)
                if found and sum(self.price(*one) for one in found) < before:
                    return kept + found
        return plan

    def _reduced(self, worth: Floats, rent: Floats) -> Floats:
        """What each pattern costs beyond its worth. float [pattern]."""
        size = np.array([len(types) for types in self.types])
        gained = np.add.reduceat(worth[np.concatenate(self.types)], np.cumsum(size) - size)
        return np.array(self._cost, dtype=np.float64) + rent[self.kind] - gained

    def _of(self, times: Ints, count: Ints, worth: Floats, rent: Floats) -> Patterns:
        """The same for ``times`` int64 [type] items and ``count`` int64 [kind] places, with the best patterns only."""
        kinds = replace(self.kinds, times=times, count=count)
        rest = Patterns(kinds, self.budget, int(self.random.integers(2**31)))
        most = DIVE_MOST * (len(times) + len(count))
        for number in np.argsort(self._reduced(worth, rent), kind="stable")[:most].tolist():
            if count[self.kind[number]]:
                rest.add(self.kind[number], _trimmed(self.types[number], times))
        return rest

    def choice(self, seconds: float, known: Choice) -> Choice:
        """The cheapest patterns that hold every item, as kind and types; none where none was found in time.

        It begins with the plan ``known``, if there is one.
        """
        for kind, types in known:
            self.add(kind, types)
        _, worth, rent = self._worths()
        reduced = self._reduced(worth, rent)
        number = {(kind, types.tobytes()): n for n, (kind, types) in enumerate(zip(self.kind, self.types, strict=True))}
        at = [number[kind, types.tobytes()] for kind, types in known]
        reduced[at] = -np.inf
        among = np.sort(np.argsort(reduced, kind="stable")[:CHOICE_MOST])
        hint = np.bincount(at, minlength=len(reduced))[among].astype(np.float64) if known else None
        plans = self.heard(self._problem(among, hint), seconds).plans
        rest, chosen = self.kinds.times.copy(), Choice()
        for n in np.repeat(among, np.rint(plans[-1]).astype(np.int64)).tolist() if plans else []:
            types = _trimmed(self.types[n], rest)
            rest -= np.bincount(types, minlength=len(rest))
            chosen.append((self.kind[n], types))
        return [one for one in chosen if len(one[1])]

    def _problem(self, among: Ints, hint: Floats | None) -> Problem:
        """How often to use each of ``among`` int64 [k], so that every item is held."""
        matrix = sp.csc_array(self._matrix(among))
        types, count = self.kinds.times, self.kinds.count
        low = np.concatenate([types, np.full(len(count), -np.inf)])
        high = np.concatenate([np.full(len(types), np.inf), count])
        cost, upper = np.array(self._cost)[among], count[np.array(self.kind)[among]]
        return Problem.of(matrix, cost, upper, (low, high), hint)

    def heard(self, problem: Problem, seconds: float) -> Found:
        """What branch and bound tells within ``seconds``, or as much effort."""
        steps, end, found = max(1, int(seconds / STEP_S)), self.budget.left - seconds, Found([])
        search = Search(problem)
        try:
            if self.budget.limits.deterministic:
                search.allow(steps)
                found = search.hear(steps, self.budget.clock(seconds))
                self.budget.spend(min(seconds, START_S + STEP_S * search.steps))
            else:
                search.allow(None)
                while not (search.ended or self.budget.used_up) and self.budget.left > end:
                    new = search.hear(2**60, 0.2)
                    found = Found(found.plans + new.plans, max(found.bound, new.bound))
        finally:
            search.end()
        return found


def _trimmed(types: Ints, times: Ints) -> Ints:
    """``types`` int64 [k] ascending, each at most ``times`` int64 [type] often."""
    first = np.searchsorted(types, types)
    return types[np.arange(len(types)) - first < times[types]]


def _shrunk(value: int, opening: Ints, most: Ints, count: Ints) -> int:
    """The best bound of prices scaled down, where places cost only their ``opening``: what they hold shrinks alike."""
    best_yet = 0
    for kind in np.flatnonzero(most > opening).tolist():
        up, down = int(opening[kind]), int(most[kind])
        lost = sum(
            c * min(0, o * down - m * up)
            for c, o, m in zip(count.tolist(), opening.tolist(), most.tolist(), strict=True)
        )
        best_yet = max(best_yet, (int(value) * up + lost) // down)
    return best_yet


def placed(kinds: Kinds, start: Ints, place: Ints, choice: Choice) -> Ints | None:
    """The option of every item where each pattern of ``choice`` gets a place of its own; None where that fails.

    ``start`` int64 [item + 1]; ``place`` int64 [option]. Returns int64 [item].
    """
    places, items = len(kinds.of_place), len(start) - 1
    item = np.repeat(np.arange(items), np.diff(start))
    key = item * places + place
    order = np.argsort(key, kind="stable")
    sorted_key = key[order]
    waiting = np.argsort(kinds.of_item, kind="stable")
    at_type, held = np.cumsum(kinds.times) - kinds.times, list[Ints]()
    for _, types in choice:
        first = np.searchsorted(types, types)
        held.append(waiting[at_type[types] + np.arange(len(types)) - first])
        at_type += np.bincount(types, minlength=len(at_type))
    rows, columns = list[int](), list[int]()
    for number, ((kind, _), members) in enumerate(zip(choice, held, strict=True)):
        here = np.flatnonzero(kinds.of_place == kind)
        wanted = members[:, None] * places + here
        at = np.minimum(np.searchsorted(sorted_key, wanted), len(key) - 1)
        fits = (sorted_key[at] == wanted).all(axis=0)
        columns += here[fits].tolist()
        rows += [number] * int(fits.sum())
    graph = sp.csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(choice), places))
    match = maximum_bipartite_matching(graph, perm_type="column")
    if (match < 0).any() or sum(map(len, held)) < items:
        return None
    option = np.empty(items, dtype=np.int64)
    for number, members in enumerate(held):
        option[members] = order[np.searchsorted(sorted_key, members * places + match[number])]
    return option
