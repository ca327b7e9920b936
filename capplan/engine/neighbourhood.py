"""Which items of a plan to solve again together.

Where capacity is short in several resources, a better plan is rarely one move away: items have to trade places. Few
places and the items that could stand at another of them make problems that are solved to proof in milliseconds;
more of either takes longer and finds more.
"""

from __future__ import annotations

import numpy as np

from capplan.engine.core import Core
from capplan.units import Ints

ARMS = ((2, 30), (2, 60), (2, 120), (3, 30), (3, 60), (4, 40), (6, 60), (0, 40), (0, 150))
"""Places and items of each kind of neighbourhood; without places, items at random."""


def neighbourhood(core: Core, taken: Ints, kind: int, random: np.random.Generator, seed: int | None = None) -> Ints:
    """Items to free, ascending. ``taken`` int64 [item]: the option of each; around the item ``seed`` if given.

    Returns int64 [k].
    """
    places, size = ARMS[kind]
    items = len(taken)
    if places == 0 or items <= size:
        return np.sort(random.permutation(items)[:size]).astype(np.int64)
    regret = core.reduced[taken]
    weight = regret + 1e-3 * regret.mean() + 1e-9
    if seed is None:
        seed = int(random.choice(items, p=weight / weight.sum()))
    chosen = _places(core, taken, seed, places, random)
    inside = np.isin(core.place, chosen)
    # What it would cost each item to move within the places.
    other = np.where(inside, core.reduced, np.inf)
    other[taken] = np.inf
    least = np.minimum.reduceat(other, core.parts.start[:-1])
    near = np.flatnonzero(inside[taken] & np.isfinite(least))
    if len(near) > size:
        loss = np.maximum(0.0, least[near] - regret[near])
        likely = np.exp(-loss / max(1e-9, 0.3 * core.typical)) + 1e-9
        near = random.choice(near, size, replace=False, p=likely / likely.sum())
    return np.union1d(near, [seed]).astype(np.int64)


def _places(core: Core, taken: Ints, seed: int, count: int, random: np.random.Generator) -> Ints:
    """Where an item is and where it would like to be, the best of its other places with some luck. int64 [k]."""
    options = np.arange(core.parts.start[seed], core.parts.start[seed + 1])
    luck = core.reduced[options] + 0.3 * core.typical * random.standard_exponential(len(options))
    order = core.place[options[np.argsort(luck, kind="stable")]]
    here = core.place[taken[seed]]
    _, first = np.unique(order, return_index=True)
    wished = order[np.sort(first)]
    return np.append(wished[wished != here][: count - 1], here)
