"""What each single failure does to routes, worked out from what it touches.

Only nodes whose route goes over something that failed are looked at again; each finds its new route from the nodes
around it that kept theirs. The sum over all failures is far less than one search of the whole network for each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any, NamedTuple, cast

import numpy as np

from capplan.network.graph import FAR, NONE, Graph, Trees
from capplan.units import Ints

COMPILE_FROM = 200_000
"""Failures × roots from which compiling the loop pays."""


@dataclass(frozen=True)
class Failure:
    """Something that fails as one: its ``circuits``, and the ``node`` that fails with them (NONE: no node does)."""

    kind: str
    name: str
    circuits: tuple[int, ...]
    node: int = NONE

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Demands:
    """Traffic between a root and a node in kbit/s. All int64 [demand]; ``up`` goes to the root, ``down`` from it."""

    root: Ints
    node: Ints
    up: Ints
    down: Ints


@dataclass(frozen=True)
class Effects:
    """What single failures do to demands and circuits.

    ``load`` int64 [circuit, 2] in the normal state, a→b and b→a in kbit/s. ``worst`` int64 [circuit, 2] the greatest
    over all failures, ``state`` int64 [circuit, 2] the first failure that brings it (NONE: none brings more than the
    normal state). ``cut``: (failure, demand) pairs int64 [k, 2] that have no route then, though both ends stand;
    ``ended`` those of which an end is lost. ``slowest`` int64 [demand]: longest round trip in µs over the failures that
    leave it a route, ``slowest_state`` the failure.
    """

    load: Ints
    worst: Ints
    state: Ints
    cut: Ints
    ended: Ints
    slowest: Ints
    slowest_state: Ints


class _Net(NamedTuple):
    """Graph and trees as the loop reads them. int64 all."""

    a: Ints
    b: Ints
    length: Ints
    start: Ints
    there: Ints
    link: Ints
    reach: Ints
    first: Ints
    order: Ints
    enter: Ints
    leave: Ints
    child: Ints


class _Work(NamedTuple):
    """What the loop writes on. ``new``, ``via`` [node]: routes after a failure; ``mark`` [node] its number."""

    new: Ints
    via: Ints
    mark: Ints
    down: Ints
    change: Ints
    touched: Ints
    is_touched: Ints


def effects_of(trees: Trees, demands: Demands, failures: Sequence[Failure]) -> Effects:
    """Every failure's effect on ``demands``."""
    graph, net = trees.graph, _net(trees)
    load = _normal_load(trees, demands)
    worst, state = load.copy(), np.full(load.shape, NONE, dtype=np.int64)
    slowest = trees.length[demands.root, demands.node].copy()
    slowest[slowest >= FAR] = NONE
    slowest_state = np.full(len(slowest), NONE, dtype=np.int64)
    start, circuits, nodes = _flat(failures)
    by_end, ends = _demands_by_end(trees, demands)
    work = _Work(
        np.zeros(graph.nodes, dtype=np.int64),
        np.zeros(graph.nodes, dtype=np.int64),
        np.full(graph.nodes, NONE, dtype=np.int64),
        np.zeros(len(graph.a), dtype=np.int64),
        np.zeros((len(graph.a), 2), dtype=np.int64),
        np.zeros((len(graph.a), 2), dtype=np.int64),
        np.zeros((len(graph.a), 2), dtype=np.int64),
    )
    loop = _compiled() if len(failures) * len(trees.roots) >= COMPILE_FROM else _each_failure
    out = loop(
        net,
        work,
        (start, circuits, nodes, trees.roots),
        (by_end, ends, demands.up, demands.down),
        (load, worst, state, slowest, slowest_state),
    )
    lost = np.array(out, dtype=np.int64).reshape(-1, 3)[1:]
    slow = np.where(slowest >= 0, slowest >> 20, NONE)
    cut, ended = lost[lost[:, 2] == 0, :2], lost[lost[:, 2] == 1, :2]
    return Effects(load, worst, state, cut, ended, slow, slowest_state)


def _flat(failures: Sequence[Failure]) -> tuple[Ints, Ints, Ints]:
    start = np.cumsum([0, *(len(failure.circuits) for failure in failures)]).astype(np.int64)
    circuits = np.array([c for failure in failures for c in failure.circuits], dtype=np.int64)
    return start, circuits, np.array([failure.node for failure in failures], dtype=np.int64)


def _net(trees: Trees) -> _Net:
    graph = trees.graph
    order, enter, leave = (np.zeros(trees.length.shape, dtype=np.int64) for _ in range(3))
    child = np.full((len(trees.roots), len(graph.a)), NONE, dtype=np.int64)
    for root in range(len(trees.roots)):
        order[root], enter[root], leave[root] = _walk(trees, root)
        node = np.flatnonzero(trees.circuit[root] != NONE)
        child[root, trees.circuit[root, node]] = node
    start, there, link = graph.adjacency
    return _Net(
        graph.a, graph.b, graph.length, start, there, link, trees.length, trees.circuit, order, enter, leave, child
    )


def _walk(trees: Trees, root: int) -> tuple[Ints, Ints, Ints]:
    """Nodes so that what hangs on a node follows it at once; where each begins and ends in that order. [node] each."""
    graph, count = trees.graph, trees.graph.nodes
    below = np.ones(count, dtype=np.int64)
    circuit = trees.circuit[root]
    hung = np.flatnonzero(circuit != NONE)
    parent = np.full(count, NONE, dtype=np.int64)
    parent[hung] = graph.other_end(circuit[hung], hung)
    by_length = hung[np.argsort(trees.length[root, hung], kind="stable")]
    for node in by_length[::-1].tolist():
        below[parent[node]] += below[node]
    enter, following = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    loose = np.setdiff1d(np.arange(count), hung)  # the root, and what has no route
    enter[loose] = np.cumsum(below[loose]) - below[loose]
    following[loose] = enter[loose] + 1
    for node in by_length.tolist():
        above = parent[node]
        enter[node] = following[above]
        following[above] += below[node]
        following[node] = enter[node] + 1
    order = np.zeros(count, dtype=np.int64)
    order[enter] = np.arange(count)
    return order, enter, enter + below


def _normal_load(trees: Trees, demands: Demands) -> Ints:
    graph = trees.graph
    load = np.zeros((len(graph.a), 2), dtype=np.int64)
    for i in np.flatnonzero(demands.up + demands.down > 0).tolist():
        node = int(demands.node[i])
        for circuit in trees.path(int(demands.root[i]), node):
            towards = 0 if graph.a[circuit] == node else 1
            load[circuit, towards] += demands.up[i]
            load[circuit, 1 - towards] += demands.down[i]
            node = int(graph.b[circuit] if towards == 0 else graph.a[circuit])
    return load


def _demands_by_end(trees: Trees, demands: Demands) -> tuple[Ints, Ints]:
    """Demands in order of root and node; where those of each root and node begin. int64 [demand], [root × node + 1]."""
    key = demands.root * trees.graph.nodes + demands.node
    order = np.argsort(key, kind="stable").astype(np.int64)
    ends = np.searchsorted(key[order], np.arange(len(trees.roots) * trees.graph.nodes + 1)).astype(np.int64)
    return order, ends


def _each_failure(net: Any, work: Any, failing: Any, wanted: Any, results: Any) -> Any:  # noqa: C901, PLR0912, PLR0915 - compiled
    """The loop over failures and roots; returns triples (failure, demand, whether an end is lost) after a dummy."""
    start, circuits, nodes, roots = failing
    by_end, ends, up, down = wanted
    load, worst, state, slowest, slowest_state = results
    count = len(net.start) - 1
    lost = [-1, -1, -1]
    heap = [(np.int64(0), np.int64(0))]
    heap.pop()
    number = -1
    for f in range(len(nodes)):
        gone = nodes[f]
        for k in range(start[f], start[f + 1]):
            work.down[circuits[k]] = 1
        if gone >= 0:
            for k in range(net.start[gone], net.start[gone + 1]):
                work.down[net.link[k]] += 2
        tally = 0
        for r in range(len(roots)):
            number += 1
            # Marked with `number`: nodes whose route to this root is gone.
            members = [np.int64(0)]
            members.pop()
            if gone == roots[r]:
                for v in range(count):
                    if net.reach[r, v] < FAR:
                        members.append(np.int64(v))  # noqa: PERF401 - compiled
            else:
                for k in range(start[f], start[f + 1]):
                    v = net.child[r, circuits[k]]
                    if v >= 0 and work.mark[v] != number:
                        for place in range(net.enter[r, v], net.leave[r, v]):
                            w = net.order[r, place]
                            if work.mark[w] != number:
                                work.mark[w] = number
                                members.append(w)
                if gone >= 0 and net.reach[r, gone] < FAR and work.mark[gone] != number:
                    for place in range(net.enter[r, gone], net.leave[r, gone]):
                        w = net.order[r, place]
                        if work.mark[w] != number:
                            work.mark[w] = number
                            members.append(w)
            if len(members) == 0:
                continue
            wanted_here = False
            for w in members:
                if ends[r * count + w + 1] > ends[r * count + w]:
                    wanted_here = True
            if not wanted_here:
                continue
            if gone != roots[r]:
                for w in members:
                    work.new[w] = FAR
                    work.via[w] = -1
                for w in members:
                    if w == gone:
                        continue
                    for k in range(net.start[w], net.start[w + 1]):
                        v, c = net.there[k], net.link[k]
                        if work.down[c] == 0 and work.mark[v] != number and net.reach[r, v] < FAR:
                            length = net.reach[r, v] + net.length[c]
                            if length < work.new[w] or (length == work.new[w] and c < work.via[w]):
                                work.new[w] = length
                                work.via[w] = c
                    if work.new[w] < FAR:
                        heappush(heap, (work.new[w], np.int64(w)))
                while len(heap) > 0:
                    length, w = heappop(heap)
                    if length > work.new[w]:
                        continue
                    for k in range(net.start[w], net.start[w + 1]):
                        v, c = net.there[k], net.link[k]
                        if work.down[c] == 0 and work.mark[v] == number and v != gone:
                            other = length + net.length[c]
                            if other < work.new[v]:
                                work.new[v] = other
                                work.via[v] = c
                                heappush(heap, (other, np.int64(v)))
                            elif other == work.new[v] and c < work.via[v]:
                                work.via[v] = c
            for w in members:
                for k in range(ends[r * count + w], ends[r * count + w + 1]):
                    d = by_end[k]
                    over = gone == roots[r] or w == gone
                    if over or work.new[w] >= FAR:
                        lost.append(f)
                        lost.append(d)
                        lost.append(1 if over else 0)
                    elif work.new[w] > slowest[d]:
                        slowest[d] = work.new[w]
                        slowest_state[d] = f
                    if up[d] + down[d] == 0:
                        continue
                    v = int(w)
                    while net.first[r, v] >= 0:
                        c = net.first[r, v]
                        side = 0 if net.a[c] == v else 1
                        for s in range(2):
                            if work.is_touched[c, s] == 0:
                                work.is_touched[c, s] = 1
                                work.touched[tally // 2, tally % 2] = c * 2 + s
                                tally += 1
                        work.change[c, side] -= up[d]
                        work.change[c, 1 - side] -= down[d]
                        v = net.b[c] if side == 0 else net.a[c]
                    if over or work.new[w] >= FAR:
                        continue
                    v = int(w)
                    while v != roots[r]:
                        c = work.via[v] if work.mark[v] == number else net.first[r, v]
                        side = 0 if net.a[c] == v else 1
                        for s in range(2):
                            if work.is_touched[c, s] == 0:
                                work.is_touched[c, s] = 1
                                work.touched[tally // 2, tally % 2] = c * 2 + s
                                tally += 1
                        work.change[c, side] += up[d]
                        work.change[c, 1 - side] += down[d]
                        v = net.b[c] if side == 0 else net.a[c]
        for t in range(tally):
            c, s = work.touched[t // 2, t % 2] // 2, work.touched[t // 2, t % 2] % 2
            now = load[c, s] + work.change[c, s]
            if now > worst[c, s]:
                worst[c, s] = now
                state[c, s] = f
            work.change[c, s] = 0
            work.is_touched[c, s] = 0
        for k in range(start[f], start[f + 1]):
            work.down[circuits[k]] = 0
        if gone >= 0:
            for k in range(net.start[gone], net.start[gone + 1]):
                work.down[net.link[k]] = 0
    return lost


def _compiled() -> Callable[..., Any]:
    """The loop as machine code, kept on disk; numba is loaded only where the work is large."""
    import numba  # noqa: PLC0415  # a second that only large networks pay

    return cast("Callable[..., Any]", numba.njit(cache=True, nogil=True)(_each_failure))


def with_state(graph: Graph, failure: Failure) -> Graph:
    """The graph after a failure, whole: what the loop above is held against."""
    return graph.without(np.array(failure.circuits, dtype=np.int64), failure.node)
