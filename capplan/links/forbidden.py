"""Placements that an interface does not allow: what a solve is restricted by, as arrays over the nodes of its stops.

The text of each check is in ``checks``; here the same is asked of all combinations at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod

import numpy as np

from capplan.errors import UsageError
from capplan.links import checks
from capplan.links.interface import NONE, Interface
from capplan.links.row import FAIL, Check
from capplan.links.state import State, states_of
from capplan.network.graph import FAR
from capplan.problem import Problem
from capplan.units import Bools, Ints

LARGEST_GRID = 20_000_000
"""Most combinations of sites of one interface's workloads."""


def forbidden_nodes(problem: Problem, interface: Interface, nodes: Sequence[Ints]) -> tuple[Bools, list[int]]:
    """Which combinations of nodes an interface forbids.

    ``nodes`` int64 [k] are those open to each stop, one alone where it is no workload. Returns bool [stop, ...] and the
    stops with workloads.
    """
    shape = tuple(map(len, nodes))
    if prod(shape) > LARGEST_GRID:
        what = f"interface {interface.name} has {prod(shape):,} combinations of sites"
        raise UsageError(f"{what}; narrow the allowed_sites of its workloads")
    bad = np.zeros(shape, dtype=np.bool_)
    for state in states_of(problem):
        if set(state.periods) & set(interface.periods):
            bad |= _in_state(state, interface, nodes, shape)
    return bad, [stop for stop, w in enumerate(interface.workloads) if w != NONE]


def _in_state(state: State, interface: Interface, nodes: Sequence[Ints], shape: tuple[int, ...]) -> Bools:
    bad, total = np.zeros(shape, dtype=np.bool_), np.full(shape, interface.processing_us, dtype=np.int64)
    for leg in range(len(nodes) - 1):
        us = state.us(nodes[leg], nodes[leg + 1])
        wrong = (us < 0) | leg_refused(state, interface, nodes[leg], nodes[leg + 1])
        axes = tuple(i for i in range(len(shape)) if i not in (leg, leg + 1))
        bad |= np.expand_dims(wrong, axes)
        total += np.expand_dims(np.maximum(us, 0), axes)
    return np.asarray(bad | (total > interface.max_us)) if interface.max_us != NONE else bad


def leg_refused(state: State, interface: Interface, sources: Ints, targets: Ints) -> Bools:
    """Pairs of nodes between which zone, encryption or diversity do not allow a leg. bool [source, target]."""
    away = sources[:, None] != targets[None]
    bad = away & (interface.encrypted is False)
    if interface.zone:
        bad |= _refused_by_zone(state, interface.zone, sources, targets)
    if interface.diverse != "none":
        attached = state.network.attached
        bad |= away & ~(attached[sources][:, None] & attached[targets][None])
        for failure in state.survivable:
            part = state.component(failure)
            ends = (sources[:, None] == failure.node) | (targets[None] == failure.node)
            bad |= away & ~ends & (part[sources][:, None] != part[targets][None])
    if interface.diverse == "disjoint":
        for i, j in zip(*np.nonzero(away & ~bad), strict=True):
            bad[i, j] = not state.disjoint(int(sources[i]), int(targets[j]), asked=True)
    return np.asarray(bad)


def _refused_by_zone(state: State, zone: str, sources: Ints, targets: Ints) -> Bools:
    refused = state.refuses(zone)
    bad = refused[sources][:, None] | refused[targets][None]
    if not refused.any():
        return bad
    trees = state.prepare(targets.tolist())
    known = trees.length[:, sources].T < FAR
    return np.asarray(bad | (known & trees.through(refused)[:, sources].T))


def combinations(bad: Bools, axes: Sequence[int]) -> Iterator[tuple[list[Ints], tuple[int, ...]]]:
    """Forbidden combinations in few pieces: positions on each of ``axes``, forbidden in any combination.

    ``bad`` bool [stop, ...] has one entry on every other axis. Yields the positions and one combination of each piece.
    """
    grid = bad.reshape([bad.shape[axis] for axis in axes])
    *prefix, rows, columns = grid.shape
    for first in product(*map(range, prefix)):
        part = grid[first].reshape(rows, columns)
        mine = np.flatnonzero(part.any(axis=1))
        if not len(mine):
            continue
        sets, group = np.unique(part[mine], axis=0, return_inverse=True)
        for g, chosen in enumerate(sets):
            members, others = mine[group.reshape(-1) == g], np.flatnonzero(chosen)
            positions = [*(np.array([i]) for i in first), members, others]
            yield positions, (*first, int(members[0]), int(others[0]))


def reason(problem: Problem, interface: Interface, stops: Sequence[int]) -> Check:
    """The first check that forbids a combination of nodes."""
    for state in states_of(problem):
        if not set(state.periods) & set(interface.periods):
            continue
        for check in checks.of_way(state, interface, stops, only_asked=True)[0]:
            if check.status == FAIL:
                return check
    raise AssertionError(f"{interface.name} allows {stops}")


COLUMNS = {
    "exists": "source",
    "round_trip": "max_rtt_ms",
    "zone": "zone",
    "encryption": "encrypted",
    "survives": "diverse",
    "disjoint": "diverse",
}
"""The column of interfaces that asks for each check."""


def reason_text(check: Check) -> str:
    """A failed check in words."""
    if check.check != "round_trip":
        return check.note
    row = check.row()
    how = "estimated " if "estimated" in check.note else ""
    return f"round trip {how}{row['measured']} ms, limit {row['limit']} ms"
