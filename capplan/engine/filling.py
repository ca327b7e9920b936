"""What fits together into one place of a kind and gains most: quickly by many orders, or exactly by CP-SAT.

Types may be taken more than once, so that a filling lists them ascending with repeats.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from ortools.sat.python import cp_model

from capplan.engine.budget import Budget
from capplan.engine.compiled import compiled
from capplan.engine.kinds import Kinds
from capplan.units import Ints

Floats = npt.NDArray[np.float64]

FILLING_S = 1.0
"""Deterministic time for the best filling of a place."""


def by_orders(
    kinds: Kinds, kind: int, gain: Floats, random: np.random.Generator, orders: int, in_a_row: int
) -> list[Ints]:
    """Fillings by ``gain`` float [type] in several orders, ``in_a_row`` each with what is left. int64 [k] each."""
    useful = np.flatnonzero(kinds.may[kind] & (gain > 0) & (kinds.times > 0))
    if not len(useful):
        return []
    share = kinds.need[useful] / np.maximum(1, kinds.room[kind])
    weight = random.dirichlet(np.full(share.shape[1], 0.7), orders)
    luck = random.uniform(0.6, 1.4, (orders, len(useful)))
    luck[0] = 1.0
    size = (weight @ share.T + 1e-9) ** random.choice([0.3, 0.7, 1.0], (orders, 1))
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


def best(kinds: Kinds, kind: int, gain: Ints, budget: Budget) -> tuple[int, Ints]:
    """No filling gains more than the first; the second is the best found. ``gain`` int64 [type]; int64 [k]."""
    useful = np.flatnonzero(kinds.may[kind] & (gain > 0) & (kinds.times > 0))
    need, room = kinds.need[useful], kinds.room[kind]
    with np.errstate(divide="ignore"):
        fits = np.where(need > 0, room // np.maximum(1, need), kinds.times[useful, None]).min(axis=1, initial=2**31)
    most = np.minimum(kinds.times[useful], fits)
    useful, need, most = useful[most > 0], need[most > 0], most[most > 0]
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
