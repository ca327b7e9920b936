"""Estates: realistic planning problems of any size, drawn from one seed.

The parameters were fixed before any engine was tuned on them. Sites and workloads lie in a unit square; a workload
may go to the 30 % of sites nearest to it (its round trip limit). It needs five correlated log-normal resources. A
hidden plan puts every workload at one of its sites at random, larger sites more often, and each site's capacity is
what fills it to between 85 and 95 % under that plan, drawn for every site and resource: so a plan exists. Placing
costs what the site charges for a unit of the first resource, and the distance to the users. Opening costs are half of
all cost (``tight``) or a twentieth (``mild``) when everything is open.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

RESOURCES = 5
ELIGIBLE = 0.30
"""Share of the sites that are near enough to a workload."""
LEAST_FULL, MOST_FULL = 0.85, 0.95
"""Demand ÷ capacity under the hidden plan, drawn uniformly for each site and resource."""
SPREAD, CORRELATION = 0.8, 0.7
"""Standard deviation of the logarithm of a demand, and correlation of a workload's five."""
SITE_SPREAD = 0.5
"""Standard deviation of the logarithm of a site's size."""
MEAN_DEMAND = 1000.0

OPENING_SHARE = {"tight": 0.5, "mild": 0.05}


@dataclass(frozen=True)
class Estate:
    """A drawn estate.

    ``demand`` int64 [workload, resource], ``capacity`` int64 [site, resource], ``opening`` int64 [site], ``price``
    float [site] of a unit of the first resource, ``workload_at``, ``site_at`` float [.., 2], ``users`` int64
    [workload], ``nearest`` int32 [workload, k]: the sites near enough, ascending.
    """

    family: str
    seed: int
    demand: Ints
    capacity: Ints
    opening: Ints
    price: Floats
    users: Ints
    workload_at: Floats
    site_at: Floats
    nearest: npt.NDArray[np.int32]

    def cost(self, first: int, end: int) -> Ints:
        """Cost of every open pair of workloads ``first`` to ``end``. int64 [end − first, k]."""
        sites = self.nearest[first:end]
        away = np.linalg.norm(self.workload_at[first:end, None, :] - self.site_at[sites], axis=2)
        running = self.demand[first:end, 0, None] * self.price[sites]
        return np.asarray(np.rint(running + 10.0 * self.users[first:end, None] * away), dtype=np.int64)


def draw(family: str, workloads: int, sites: int, seed: int) -> Estate:
    """An estate of a family (``mild`` or ``tight``)."""
    random = np.random.default_rng([seed, workloads, sites, sorted(OPENING_SHARE).index(family)])
    site_at, workload_at = random.random((sites, 2)), random.random((workloads, 2))
    common = random.standard_normal((workloads, 1))
    own = random.standard_normal((workloads, RESOURCES))
    logs = SPREAD * (np.sqrt(CORRELATION) * common + np.sqrt(1 - CORRELATION) * own)
    demand = np.maximum(1, np.rint(MEAN_DEMAND * np.exp(logs - SPREAD**2 / 2))).astype(np.int64)
    price = random.uniform(0.8, 1.2, sites)
    users = random.integers(1, 200, workloads)
    nearest = _nearest(workload_at, site_at, max(1, round(ELIGIBLE * sites)))
    size = np.exp(SITE_SPREAD * random.standard_normal(sites))
    # The largest of size ÷ an exponential deviate picks a site with probability in proportion to its size.
    hidden = np.concatenate(
        [
            near[np.arange(len(near)), (size[near] / random.standard_exponential(near.shape)).argmax(axis=1)]
            for near in np.array_split(nearest, -(-workloads // 4096))
        ]
    )
    load = np.stack([np.bincount(hidden, demand[:, r], sites) for r in range(RESOURCES)], axis=1)
    capacity = np.ceil(load / random.uniform(LEAST_FULL, MOST_FULL, load.shape)).astype(np.int64)
    weight = size * random.uniform(0.7, 1.3, sites)
    estate = Estate(
        family, seed, demand, capacity, np.zeros(sites, np.int64), price, users, workload_at, site_at, nearest
    )
    placing = sum(float(estate.cost(w, w + 4096).mean(axis=1).sum()) for w in range(0, workloads, 4096))
    share = OPENING_SHARE[family]
    opening = np.rint(weight / weight.sum() * placing * share / (1 - share)).astype(np.int64)
    return Estate(family, seed, demand, capacity, opening, price, users, workload_at, site_at, nearest)


def _nearest(workload_at: Floats, site_at: Floats, k: int) -> npt.NDArray[np.int32]:
    """The ``k`` nearest sites of each workload, in ascending number."""
    found = np.empty((len(workload_at), k), dtype=np.int32)
    for first in range(0, len(workload_at), 4096):
        away = np.linalg.norm(workload_at[first : first + 4096, None, :] - site_at[None], axis=2)
        near = np.argpartition(away, k - 1, axis=1)[:, :k]
        found[first : first + 4096] = np.sort(near, axis=1)
    return found
