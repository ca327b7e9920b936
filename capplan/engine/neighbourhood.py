"""Which items of a plan to solve again together, and among which of their options.

Where capacity is short in several resources, a better plan is rarely one move away: items have to trade places. Few
places and the items that could stand at another of them make problems that are solved to proof in milliseconds;
more of either takes longer and finds more. With only such options as cost next to nothing at good prices, they span
many more places in the same time: most items have but one, and the relaxation splits few of them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from capplan.engine.core import Core
from capplan.units import Bools, Ints


class Arm(NamedTuple):
    """A kind of neighbourhood: how many ``places``, 0 for items at random, and how many ``items``.

    ``reach``: options that count, for each item on average, beyond its cheapest; None for all.
    """

    places: int
    items: int
    reach: float | None = None


ARMS = (
    *(Arm(2, 30), Arm(2, 60), Arm(2, 120), Arm(3, 30), Arm(3, 60), Arm(4, 40), Arm(6, 60), Arm(0, 40), Arm(0, 150)),
    *(Arm(6, 60, 0.2), Arm(6, 60, 0.4), Arm(12, 120, 0.2), Arm(25, 60, 0.2)),
)


class Freed(NamedTuple):
    """``items`` int64 [k] ascending to solve again, among the options ``allowed`` bool [option of the core] if given.

    What an item has now is always allowed.
    """

    items: Ints
    allowed: Bools | None = None


def neighbourhood(core: Core, taken: Ints, kind: int, random: np.random.Generator, seed: int | None = None) -> Freed:
    """Items to free. ``taken`` int64 [item]: the option of each; around the item ``seed`` if given."""
    places, size, reach = ARMS[kind]
    items = len(taken)
    if places == 0 or items <= size:
        return Freed(np.sort(random.permutation(items)[:size]).astype(np.int64))
    regret = core.reduced[taken]
    weight = regret + 1e-3 * regret.mean() + 1e-9
    if seed is None:
        seed = int(random.choice(items, p=weight / weight.sum()))
    if reach is not None:
        return _within(core, taken, seed, ARMS[kind], random)
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
    return Freed(np.union1d(near, [seed]).astype(np.int64))


def _within(core: Core, taken: Ints, seed: int, arm: Arm, random: np.random.Generator) -> Freed:
    """Items at places that such options tie to each other, each with more than one of them or dearer than these."""
    assert arm.reach is not None
    most = core.reach(arm.reach)
    allowed = core.reduced <= most
    option = np.flatnonzero(allowed)
    item, place = core.parts.program.item[option], core.place[option]
    here = core.place[taken]
    chosen = np.zeros(int(core.place.max()) + 1, dtype=np.bool_)
    chosen[here[seed]] = True
    chosen[place[item == seed][: arm.places - 1]] = True
    for _ in range(arm.places - int(chosen.sum())):
        out = place[chosen[here[item]] & ~chosen[place]]
        chosen[random.choice(out) if len(out) else random.choice(here)] = True
    loose = np.bincount(item, option != taken[item], minlength=len(taken)) > 0
    near = np.flatnonzero(loose & chosen[here])
    if len(near) > arm.items:
        near = random.choice(near, arm.items, replace=False)
    return Freed(np.union1d(near, [seed]).astype(np.int64), allowed)


def _places(core: Core, taken: Ints, seed: int, count: int, random: np.random.Generator) -> Ints:
    """Where an item is and where it would like to be, the best of its other places with some luck. int64 [k]."""
    options = np.arange(core.parts.start[seed], core.parts.start[seed + 1])
    luck = core.reduced[options] + 0.3 * core.typical * random.standard_exponential(len(options))
    order = core.place[options[np.argsort(luck, kind="stable")]]
    here = core.place[taken[seed]]
    _, first = np.unique(order, return_index=True)
    wished = order[np.sort(first)]
    return np.append(wished[wished != here][: count - 1], here)
