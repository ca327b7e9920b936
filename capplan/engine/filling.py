"""What fits together into one place of a kind and gains most: quickly by many orders, or exactly.

Exactly by depth first search, types in the order of what they gain for their size, bounded by what the rest of the
place could gain at best (a knapsack of one dimension that stands for all); where that takes too long by CP-SAT.

Types may be taken more than once, so that a filling lists them ascending with repeats.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from ortools.sat.python import cp_model

from capplan.engine.budget import Budget
from capplan.engine.compiled import compiled
from capplan.engine.kinds import LARGEST, Kinds
from capplan.units import Floats, Ints

FILLING_S = 1.0
"""Deterministic time for the best filling of a place by CP-SAT."""
QUICK, PATIENT, LISTING = 20_000, 2_000_000, 10_000_000
"""Steps of depth first search for good fillings, for the best, and for all that are good enough."""
USUAL = 8
"""Items in a filling, on average, for which there is room where all are listed."""
DEEPEST = 400
"""Items in a place beyond which it gives up."""
WEIGHTINGS = 32
"""Ways to make one dimension of all that are tried."""
LEAST_SIZE = 1e-9
"""Share of the one dimension that an item takes at least, so that gains for it stay finite."""

Wanted: TypeAlias = tuple[Floats, Floats, Ints, Ints]
"""Types in order: what each gains, its size in one dimension, what it needs [type, slot], how many there are."""
Path: TypeAlias = tuple[Ints, Floats, Floats, Ints]
"""Of a depth first search: types taken; what was gained up to each, what is left of the one dimension and of all."""


def by_orders(
    kinds: Kinds, kind: int, gain: Floats, random: np.random.Generator, orders: int, in_a_row: int
) -> list[Ints]:
    """Fillings by ``gain`` float [type] in several orders, ``in_a_row`` each with what is left. int64 [k] each."""
    useful = _useful(kinds, kind, gain)
    if not len(useful):
        return []
    share = kinds.need[useful] / np.maximum(1, kinds.room[kind])
    weight = random.dirichlet(np.full(share.shape[1], 0.7), orders)
    luck = random.uniform(0.6, 1.4, (orders, len(useful)))
    luck[0] = 1.0
    size = (weight @ share.T + LEAST_SIZE) ** random.choice([0.3, 0.7, 1.0], (orders, 1))
    rank = np.argsort(-gain[useful] * luck / size, axis=1, kind="stable")
    taken = np.zeros((orders * in_a_row, len(useful)), dtype=np.int64)
    rest = np.tile(kinds.times[useful], (orders, 1))
    _filled(rank, kinds.need[useful], kinds.room[kind], rest, np.empty_like(kinds.room[kind]), taken)
    return [np.repeat(useful, row) for row in taken if row.any()]


@compiled
def _filled(rank: Ints, need: Ints, room: Ints, rest: Ints, left: Ints, taken: Ints) -> None:
    """For every order [order, k] fill places with ``rest``; how often each is taken to ``taken`` [place, k]."""
    in_a_row = len(taken) // len(rank)
    for o in range(len(rank)):
        for p in range(o * in_a_row, (o + 1) * in_a_row):
            for s in range(len(left)):
                left[s] = room[s]
            for k in rank[o]:
                many = rest[o, k]
                for s in range(len(left)):
                    if need[k, s] > 0 and many > 0:
                        many = min(many, left[s] // need[k, s])
                if many > 0:
                    for s in range(len(left)):
                        left[s] -= many * need[k, s]
                    rest[o, k] -= many
                    taken[p, k] = many


def _useful(kinds: Kinds, kind: int, gain: Floats | Ints) -> Ints:
    """Types that gain something, may go to the kind, and of which one at least fits. int64 [k]."""
    fits = (kinds.need <= kinds.room[kind]).all(axis=1)
    return np.flatnonzero(kinds.may[kind] & fits & (gain > 0) & (kinds.times > 0))


def disjoint(kinds: Kinds, kind: int, gain: Floats, random: np.random.Generator, places: int) -> list[Ints]:
    """Good fillings for so many places, one after the other, each with what those before it left. int64 [k] each."""
    filled = list[Ints]()
    for _ in range(places):
        types, _ = by_search(kinds, kind, gain, random, QUICK)
        if not len(types):
            break
        filled.append(types)
        kinds = replace(kinds, times=kinds.times - np.bincount(types, minlength=len(kinds.times)))
    return filled


def by_search(
    kinds: Kinds, kind: int, gain: Floats | Ints, random: np.random.Generator, steps: int
) -> tuple[Ints, bool]:
    """The best filling that ``steps`` find, int64 [k], and whether there is no better one."""
    useful = _useful(kinds, kind, gain)
    if not len(useful):
        return useful, True
    useful, size = _ordered(kinds, kind, gain, useful, random)
    path = _path(kinds, kind, useful, size)
    found = np.full(len(path[0]), -1, dtype=np.int64)
    wanted = gain[useful].astype(np.float64), size, kinds.need[useful], kinds.times[useful]
    finished = _searched(wanted, path, found, steps)
    return np.sort(useful[found[found >= 0]]), bool(finished)


def every(kinds: Kinds, kind: int, gain: Ints, least: int, most: int, random: np.random.Generator) -> list[Ints] | None:
    """All fillings that gain at least ``least``; None where there are more than ``most``, or it takes too long.

    ``gain`` int64 [type] may be negative. int64 [k] each.
    """
    useful = _useful(kinds, kind, np.ones_like(gain))
    if not len(useful):
        return []
    useful, size = _ordered(kinds, kind, gain, useful, random)
    path = _path(kinds, kind, useful, size)
    if len(path[0]) * float(np.abs(gain[useful]).max()) >= LARGEST:
        return None
    members, end = np.empty(USUAL * most + len(path[0]), dtype=np.int64), np.empty(most, dtype=np.int64)
    wanted = gain[useful].astype(np.float64), size, kinds.need[useful], kinds.times[useful]
    count = _listed(wanted, path, float(max(least, -LARGEST)), (members, end), LISTING)
    if count <= 0:
        return None if count < 0 else []
    return [np.sort(useful[one]) for one in np.split(members[: end[count - 1]], end[: count - 1])]


def _ordered(
    kinds: Kinds, kind: int, gain: Floats | Ints, useful: Ints, random: np.random.Generator
) -> tuple[Ints, Floats]:
    """``useful`` int64 [k] in the order of what they gain for their size, and their sizes: shares of one dimension."""
    share = kinds.need[useful] / np.maximum(1, kinds.room[kind])
    weight = np.vstack([np.eye(share.shape[1]), random.dirichlet(np.full(share.shape[1], 0.7), WEIGHTINGS)])
    size = np.maximum(weight @ share.T, LEAST_SIZE)
    # The dimension in which the place could gain least says most.
    wins = np.maximum(0, gain[useful])
    chosen = int(np.argmin([_fractional(wins, one, kinds.times[useful]) for one in size]))
    order = np.argsort(-gain[useful] / size[chosen], kind="stable")
    return useful[order], size[chosen][order]


def _path(kinds: Kinds, kind: int, useful: Ints, size: Floats) -> Path:
    """Room for what a depth first search keeps of its way, as deep as items fit."""
    deepest = int(min(kinds.times[useful].sum(), np.floor(1 / size.min()) + 1, DEEPEST))
    return (
        np.zeros(deepest, dtype=np.int64),
        np.zeros(deepest + 1),
        # Sizes rounded up to the least must not make a filling that fits look too large.
        np.full(deepest + 1, 1 + LEAST_SIZE * deepest),
        np.tile(kinds.room[kind], (deepest + 1, 1)),
    )


def _fractional(gain: Floats | Ints, size: Floats, times: Ints) -> float:
    """What a place could gain at most if parts of items could be taken."""
    order = np.argsort(-gain / size, kind="stable")
    filled = np.minimum(1.0, np.cumsum((size * times)[order]))
    taken = np.diff(filled, prepend=0.0)
    return float((taken * (gain / size)[order]).sum())


@compiled
def _fits(wanted: Wanted, path: Path, depth: int, k: int) -> bool:
    """Whether one more of type ``k`` is there and fits beside what was taken."""
    _, _, need, times = wanted
    taken, _, _, left = path
    many = 0
    while many < depth and taken[depth - 1 - many] == k:
        many += 1
    for s in range(left.shape[1]):
        if need[k, s] > left[depth, s]:
            return False
    return bool(many < times[k])


@compiled
def _enter(wanted: Wanted, path: Path, depth: int, k: int) -> None:
    """Take one of type ``k``."""
    gain, size, need, _ = wanted
    taken, got, rest, left = path
    for s in range(left.shape[1]):
        left[depth + 1, s] = left[depth, s] - need[k, s]
    taken[depth] = k
    got[depth + 1] = got[depth] + gain[k]
    rest[depth + 1] = max(0.0, rest[depth] - size[k])


@compiled
def _searched(wanted: Wanted, path: Path, found: Ints, steps: int) -> bool:
    """Fill ``found`` with the best filling, -1 behind its items; whether all was seen."""
    gain, size, _, _ = wanted
    taken, got, rest, _ = path
    depth, k, most = 0, 0, 0.0
    for _ in range(steps):
        # Beyond it nothing is worth a look; errors of floating point are far below the margin.
        if k < len(gain) and got[depth] + rest[depth] * gain[k] / size[k] * (1 + 1e-9) > most:
            if not _fits(wanted, path, depth, k):
                k += 1
                continue
            if depth == len(taken):
                return False
            _enter(wanted, path, depth, k)
            depth += 1
            if got[depth] > most:
                most = got[depth]
                for d in range(len(found)):
                    found[d] = taken[d] if d < depth else -1
        elif depth == 0:
            return True
        else:
            depth -= 1
            k = taken[depth] + 1
    return False


@compiled
def _listed(wanted: Wanted, path: Path, least: float, listed: tuple[Ints, Ints], steps: int) -> int:
    """List all fillings that gain ``least``, their items and where each ends; how many, -1 where not all were seen."""
    gain, size, _, _ = wanted
    taken, got, rest, _ = path
    members, end = listed
    depth, k, count, at = 0, 0, 0, 0
    for _ in range(steps):
        # As in the search for the best: no more is gained than by parts of what gains most for its size.
        if k < len(gain) and got[depth] + max(0.0, rest[depth] * gain[k] / size[k]) * (1 + 1e-9) >= least:
            if not _fits(wanted, path, depth, k):
                k += 1
                continue
            if depth == len(taken):
                return -1
            _enter(wanted, path, depth, k)
            depth += 1
            if got[depth] >= least:
                if count == len(end) or at + depth > len(members):
                    return -1
                for d in range(depth):
                    members[at + d] = taken[d]
                at += depth
                end[count] = at
                count += 1
        elif depth == 0:
            return count
        else:
            depth -= 1
            k = taken[depth] + 1
    return -1


def best(kinds: Kinds, kind: int, gain: Ints, budget: Budget, random: np.random.Generator) -> tuple[int, Ints]:
    """No filling gains more than the first; the second is the best found. ``gain`` int64 [type]; int64 [k]."""
    found, finished = by_search(kinds, kind, gain, random, PATIENT)
    budget.spend(0.002 if finished else 0.052)
    exact = float(np.maximum(0, gain) @ kinds.times.astype(np.float64)) < LARGEST
    return (int(gain[found].sum()) + 1, found) if finished and exact else by_cpsat(kinds, kind, gain, budget)


def by_cpsat(kinds: Kinds, kind: int, gain: Ints, budget: Budget) -> tuple[int, Ints]:
    """The same, by CP-SAT, within ``FILLING_S``."""
    useful = _useful(kinds, kind, gain)
    need, room = kinds.need[useful], kinds.room[kind]
    fits = np.where(need > 0, room // np.maximum(1, need), kinds.times[useful, None]).min(axis=1, initial=2**31)
    most = np.minimum(kinds.times[useful], fits)
    model = cp_model.CpModel()
    proto: Any = model.proto
    for upper in most.tolist():
        proto.variables.add().domain.extend((0, upper))
    for slot in np.flatnonzero(most @ need > room).tolist():
        row = proto.constraints.add().linear
        row.vars.extend(range(len(useful)))
        row.coeffs.extend(need[:, slot].tolist())
        row.domain.extend((0, int(room[slot])))
    proto.objective.vars.extend(range(len(useful)))
    proto.objective.coeffs.extend((-gain[useful]).tolist())
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_deterministic_time = FILLING_S
    solver.parameters.max_time_in_seconds = budget.clock(5 * FILLING_S)
    solver.parameters.catch_sigint_signal = False
    status = solver.solve(model)
    budget.spend(2 * solver.deterministic_time + 0.002)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return int(gain[useful] @ most), np.zeros(0, dtype=np.int64)
    chosen = np.array(solver.response_proto.solution, dtype=np.int64)
    return -int(np.floor(solver.best_objective_bound + 1e-3)), np.repeat(useful, chosen)
