"""What a placement sends over the network, and what single failures do to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from capplan.links.interface import NONE, Interface, kbps
from capplan.links.state import State
from capplan.network.failures import Demands, Effects, effects_of
from capplan.problem import Problem
from capplan.units import Bools, Ints


@dataclass(frozen=True)
class Placement:
    """Where everything is: ``site`` int64 [workload], NONE where it is nowhere.

    ``reach``, where given, are the (workload, site) pairs whose users' ways count instead of those of ``site``; what is
    not at its site sends nothing.
    """

    problem: Problem
    site: Ints
    reach: Sequence[tuple[int, int]] | None = None

    @cached_property
    def pairs(self) -> list[tuple[int, int]]:
        """Workloads with a site that their users reach them at."""
        if self.reach is not None:
            return list(self.reach)
        return [(w, int(self.site[w])) for w in np.flatnonzero(self.site >= 0).tolist()]

    @cached_property
    def node(self) -> Ints:
        """Network node of each workload, NONE where it is nowhere. int64 [workload]."""
        nodes = self.problem.sites.nodes("node")
        return np.where(self.site >= 0, nodes[self.site], NONE) if len(nodes) else np.full(len(self.site), NONE)

    @cached_property
    def users(self) -> Ints:
        """Node of the users of each workload. int64 [workload]."""
        organisations = self.problem.inventory.table("organisations").nodes("node")
        return organisations[self.problem.workloads.refs("organisation")]

    def stops(self, interface: Interface) -> tuple[int, ...]:
        """Nodes of an interface's stops, NONE where a workload is nowhere."""
        pairs = zip(interface.workloads, interface.nodes, strict=True)
        return tuple(int(self.node[w]) if w != NONE else n for w, n in pairs)


@dataclass(frozen=True)
class Flow:
    """Traffic between two nodes: ``up`` kbit/s from source to target, ``down`` back. ``what`` names it."""

    what: str
    source: int
    target: int
    up: int
    down: int


def flows_of(placement: Placement, interfaces: Sequence[Interface], active: Bools, period: int) -> list[Flow]:
    """Everything that is sent in a period; ``active`` bool [workload] are active in it."""
    return [
        *_interface_flows(placement, interfaces, period),
        *_user_flows(placement, active),
        *_replica_flows(placement, active),
    ]


def _interface_flows(placement: Placement, interfaces: Sequence[Interface], period: int) -> list[Flow]:
    found = []
    for interface in interfaces:
        stops = placement.stops(interface)
        if period in interface.periods and NONE not in stops:
            legs = pairwise(stops)
            found += [Flow(interface.name, a, b, interface.up, interface.down) for a, b in legs]
    return found


def _user_flows(placement: Placement, active: Bools) -> list[Flow]:
    """Users to sites: what organisations' workloads need in sum, per pair of nodes."""
    table, problem = placement.problem.workloads, placement.problem
    up, down = kbps(table, "mbps_up"), kbps(table, "mbps_down")
    owner, names = problem.workloads.refs("organisation"), problem.inventory.table("organisations").ids
    sites = problem.sites.ids
    sums: dict[tuple[int, int], Flow] = {}
    node = problem.sites.nodes("node")
    for w, s in placement.pairs:
        if not active[w]:
            continue
        pair, here = (int(owner[w]), s), placement.site[w] == s
        what = path_name(names[pair[0]], sites[s])
        before = sums.get(pair) or Flow(what, int(placement.users[w]), int(node[s]), 0, 0)
        # A way goes from the users to the site, so that what comes down is sent back on it.
        both = (before.up + int(up[w]), before.down + int(down[w])) if here else (before.up, before.down)
        sums[pair] = Flow(what, before.source, before.target, *both)
    return [sums[pair] for pair in sorted(sums)]


def path_name(organisation: str, site: str) -> str:
    """How the way from an organisation's users to a site is called."""
    return f"{organisation} to {site}"


def _replica_flows(placement: Placement, active: Bools) -> list[Flow]:
    problem = placement.problem
    rate, ids = kbps(problem.workloads, "replica_mbps"), problem.workloads.ids
    found = []
    for w in np.flatnonzero(active & (problem.primary >= 0) & (placement.site >= 0)).tolist():
        p = int(problem.primary[w])
        if active[p] and placement.site[p] >= 0:
            found.append(
                Flow(
                    f"{ids[p]} to its replica {ids[w]}", int(placement.node[p]), int(placement.node[w]), int(rate[w]), 0
                )
            )
    return found


@dataclass(frozen=True)
class Carried:
    """The flows of one period on the network of one state, with what failures do."""

    state: State
    period: int
    flows: list[Flow]
    effects: Effects

    @cached_property
    def cut(self) -> dict[int, list[int]]:
        """Failures that part the ends of each flow (numbers in ``state.failures``), by number of the flow."""
        found: dict[int, list[int]] = {}
        for failure, flow in self.effects.cut.tolist():
            found.setdefault(flow, []).append(failure)
        return found


def carried(state: State, period: int, flows: Sequence[Flow]) -> Carried:
    """Flows on their routes; those between unattached nodes are on none."""
    attached = state.network.attached
    roots = sorted({flow.target for flow in flows if attached[flow.target]})
    trees = state.prepare(roots)
    number = {root: i for i, root in enumerate(roots)}
    kept = [flow for flow in flows if attached[flow.source] and attached[flow.target]]
    table = np.array([(number[flow.target], flow.source, flow.up, flow.down) for flow in kept], dtype=np.int64).reshape(
        -1, 4
    )
    reached = trees.length[table[:, 0], table[:, 1]] < 2**62 if kept else np.zeros(0, dtype=np.bool_)
    kept = [flow for flow, known in zip(kept, reached.tolist(), strict=True) if known]
    table = table[reached]
    effects = effects_of(trees, Demands(*(np.ascontiguousarray(column) for column in table.T)), state.failures)
    return Carried(state, period, kept, effects)
