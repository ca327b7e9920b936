"""Host groups: on which one a workload runs at a site, and what licences count there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capplan.inventory import Table
from capplan.problem import Problem
from capplan.units import Ints, Numbers


@dataclass(frozen=True)
class Groups:
    """The host groups of an inventory.

    ``hosts``, ``processors``, ``cores`` (of a processor), ``sockets`` and ``cluster`` (its number) int64 [group];
    ``at`` int64 [platform, site] the group there, -1 where there is none, and ``platform`` int64 [workload].
    """

    table: Table
    hosts: Ints
    processors: Ints
    cores: Ints
    sockets: Ints
    cluster: Ints
    at: Ints
    platform: Ints

    @staticmethod
    def of(problem: Problem) -> Groups:
        """Read once for a problem."""
        return problem.shared("host groups", lambda: _read(problem))

    def __len__(self) -> int:
        return len(self.table)

    def of_rows(self, workload: Numbers, site: Numbers) -> Ints:
        """The group on which each (workload, site) pair runs, -1 where there is none. int64 [row]."""
        return np.asarray(self.at[self.platform[workload], site])

    def share(self, group: int) -> int:
        """Hosts over which machines spread when as many are down as may fail."""
        return max(1, int(self.hosts[group]) - int(self.table.counts("failures")[group]))


def _read(problem: Problem) -> Groups:
    table, workloads = problem.inventory.table("hosts"), problem.workloads
    names = sorted({*table.text("platform"), *workloads.text("platform")})
    number = {name: i for i, name in enumerate(names)}
    at = np.full((max(1, len(names)), len(problem.sites)), -1, dtype=np.int64)
    for g in reversed(range(len(table))):
        at[number[table.text("platform")[g]], table.refs("site")[g]] = g
    processors = table.counts("processors")
    sockets = np.where(table.given("sockets"), table.counts("sockets"), processors)
    clusters = [name or f"\0{table.ids[g]}" for g, name in enumerate(table.text("cluster"))]
    cluster = np.unique(np.array(clusters, dtype=np.str_), return_inverse=True)[1] if clusters else np.zeros(0)
    platform = np.array([number[name] for name in workloads.text("platform")], dtype=np.int64)
    columns = (table.counts("hosts"), processors, table.counts("cores"), np.maximum(sockets, processors))
    return Groups(table, *columns, cluster.astype(np.int64), at, platform)
