"""Search by single moves: items change option, alone or by pushing another one out, millions of times a second.

Limits may be exceeded on the way, at a price per unit that rises while they are and falls while they are not; worse
plans are accepted with a probability that sinks (simulated annealing; Kirkpatrick, Gelatt, Vecchi 1983), and while
something is exceeded half of the moves start there (as in WalkSAT; Selman, Kautz, Cohen 1994). The best plan that keeps
all limits is kept aside.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from capplan.engine.compiled import compiled
from capplan.units import Bools, Ints

Floats = npt.NDArray[np.float64]

# Columns of Ground.rows
BOUND, ROOM, STEP, LIST, USED, SIZE, BROKEN = range(7)
# Columns of Ground.tolls
PRICE, WEIGHT, BASE = range(3)
# Columns of Ground.entries
ROW, USE, OPTION, SEAT = range(4)
# Columns of Ground.options
ENTRY, FACT, ITEM = range(3)
# Columns of Ground.facts
THROUGH, COUNT = range(2)


class Ground(NamedTuple):
    """Where the walk goes, purchases fixed. One row of each table a thing, all int64 unless said.

    ``start`` [item + 1]: first option. ``options`` [option + 1]: first entry, first of its facts, item; ``cost`` float
    [option]. ``entries``: row, use, option, and where it stands among the row's members. ``rows``: bound, how far it
    may be exceeded at a price, for every begun step, room for its members, use, number of members, where it stands in
    ``broken`` (-1: kept). ``tolls`` float [row]: the price of a begun step, of a unit beyond, and the least of the
    latter. ``links``: facts of options; ``facts`` [fact + 1]: first entry, how many of its options are taken;
    ``fact_cost`` float [fact]; ``through``: row and use of facts' entries. ``members``, ``broken``: lists. ``tally``
    [2]: rows broken, items changed since the best plan; ``changed`` lists these and ``dirty`` bool [item] marks them.
    ``choice`` [item] is the plan, ``best`` [item] the best one.
    """

    start: Ints
    options: Ints
    cost: Floats
    entries: Ints
    rows: Ints
    tolls: Floats
    links: Ints
    facts: Ints
    fact_cost: Floats
    through: Ints
    members: Ints
    broken: Ints
    tally: Ints
    changed: Ints
    dirty: Bools
    choice: Ints
    best: Ints


@compiled
def _toll(g: Ground, r: int, used: int) -> float:
    """What a row costs at a use."""
    over = used - g.rows[r, BOUND]
    if over <= 0:
        return 0.0
    room = g.rows[r, ROOM]
    if room == 0:
        return float(g.tolls[r, WEIGHT] * over)
    begun = (min(over, room) + g.rows[r, STEP] - 1) // g.rows[r, STEP]
    return float(g.tolls[r, PRICE] * begun + g.tolls[r, WEIGHT] * max(0, over - room))


@compiled
def _add(g: Ground, r: int, by: int) -> float:
    """Change the use of a row; returns what that costs."""
    used = g.rows[r, USED]
    now = used + by
    g.rows[r, USED] = now
    limit = g.rows[r, BOUND] + g.rows[r, ROOM]
    if now > limit:
        if used <= limit:
            g.rows[r, BROKEN] = g.tally[0]
            g.broken[g.tally[0]] = r
            g.tally[0] += 1
    elif used > limit:
        g.tally[0] -= 1
        last = g.broken[g.tally[0]]
        g.broken[g.rows[r, BROKEN]] = last
        g.rows[last, BROKEN] = g.rows[r, BROKEN]
        g.rows[r, BROKEN] = -1
    return _toll(g, r, now) - _toll(g, r, used)


@compiled
def _leave(g: Ground, o: int) -> float:
    """Take an option's use away; returns what changes."""
    change = -float(g.cost[o])
    for e in range(g.options[o, ENTRY], g.options[o + 1, ENTRY]):
        change += _add(g, g.entries[e, ROW], -g.entries[e, USE])
    for k in range(g.options[o, FACT], g.options[o + 1, FACT]):
        f = g.links[k]
        g.facts[f, COUNT] -= 1
        if g.facts[f, COUNT] == 0:
            change -= g.fact_cost[f]
            for e in range(g.facts[f, THROUGH], g.facts[f + 1, THROUGH]):
                change += _add(g, g.through[e, ROW], -g.through[e, USE])
    return change


@compiled
def _enter(g: Ground, o: int) -> float:
    """Add an option's use; returns what changes."""
    change = float(g.cost[o])
    for e in range(g.options[o, ENTRY], g.options[o + 1, ENTRY]):
        change += _add(g, g.entries[e, ROW], g.entries[e, USE])
    for k in range(g.options[o, FACT], g.options[o + 1, FACT]):
        f = g.links[k]
        if g.facts[f, COUNT] == 0:
            change += g.fact_cost[f]
            for e in range(g.facts[f, THROUGH], g.facts[f + 1, THROUGH]):
                change += _add(g, g.through[e, ROW], g.through[e, USE])
        g.facts[f, COUNT] += 1
    return change


@compiled
def _listed(g: Ground, old: int, new: int) -> None:
    """Keep the members of rows and the items changed up to date."""
    for e in range(g.options[old, ENTRY], g.options[old + 1, ENTRY]):
        r = g.entries[e, ROW]
        g.rows[r, SIZE] -= 1
        last = g.members[g.rows[r, LIST] + g.rows[r, SIZE]]
        g.members[g.rows[r, LIST] + g.entries[e, SEAT]] = last
        g.entries[last, SEAT] = g.entries[e, SEAT]
    for e in range(g.options[new, ENTRY], g.options[new + 1, ENTRY]):
        r = g.entries[e, ROW]
        g.members[g.rows[r, LIST] + g.rows[r, SIZE]] = e
        g.entries[e, SEAT] = g.rows[r, SIZE]
        g.rows[r, SIZE] += 1
    i = g.options[new, ITEM]
    g.choice[i] = new
    if not g.dirty[i]:
        g.dirty[i] = True
        g.changed[g.tally[1]] = i
        g.tally[1] += 1


@compiled
def _settle(g: Ground) -> float:
    """Compute everything that follows from ``choice``; returns its cost, excess included."""
    g.rows[:, USED:BROKEN] = 0
    g.rows[:, BROKEN] = -1
    g.facts[:, COUNT] = 0
    g.tally[0] = 0
    total = 0.0
    for r in range(len(g.rows)):
        if g.rows[r, BOUND] + g.rows[r, ROOM] < 0:
            g.rows[r, BROKEN] = g.tally[0]
            g.broken[g.tally[0]] = r
            g.tally[0] += 1
        total += _toll(g, r, 0)
    for i in range(len(g.start) - 1):
        o = g.choice[i]
        total += _enter(g, o)
        for e in range(g.options[o, ENTRY], g.options[o + 1, ENTRY]):
            r = g.entries[e, ROW]
            g.members[g.rows[r, LIST] + g.rows[r, SIZE]] = e
            g.entries[e, SEAT] = g.rows[r, SIZE]
            g.rows[r, SIZE] += 1
    return total


@compiled
def _walk(g: Ground, best_cost: float, moves: int, hot: float, cold: float, seed: int) -> float:
    np.random.seed(seed)
    items = len(g.start) - 1
    total = _settle(g)
    g.tally[1] = 0
    for i in range(items):
        g.dirty[i] = g.choice[i] != g.best[i]
        if g.dirty[i]:
            g.changed[g.tally[1]] = i
            g.tally[1] += 1
    cool = (cold / hot) ** (1.0 / max(1, moves))
    heat = hot
    for move in range(moves):
        heat *= cool
        if move % 256 == 255:
            # Rows that stay exceeded become dearer, others cheaper again.
            for b in range(g.tally[0]):
                r = g.broken[b]
                total += 0.1 * g.tolls[r, WEIGHT] * (g.rows[r, USED] - g.rows[r, BOUND] - g.rows[r, ROOM])
                g.tolls[r, WEIGHT] *= 1.1
        if move % 8192 == 8191:
            for r in range(len(g.rows)):
                if g.rows[r, BROKEN] < 0:
                    g.tolls[r, WEIGHT] = max(g.tolls[r, BASE], 0.9 * g.tolls[r, WEIGHT])
        i = -1
        if g.tally[0] > 0 and np.random.random() < 0.5:
            r = g.broken[np.random.randint(g.tally[0])]
            if g.rows[r, SIZE] > 0:
                e = g.members[g.rows[r, LIST] + np.random.randint(g.rows[r, SIZE])]
                i = g.options[g.entries[e, OPTION], ITEM]
        if i < 0:
            i = np.random.randint(items)
        first, end = g.start[i], g.start[i + 1]
        if end - first < 2:
            continue
        old = g.choice[i]
        new = first + np.random.randint(end - first - 1)
        if new >= old:
            new += 1
        change = _leave(g, old)
        change += _enter(g, new)
        if change <= 0 or np.random.random() < np.exp(-change / heat):
            _listed(g, old, new)
            total += change
        else:
            done = False
            if g.tally[0] > 0:
                # Push one out of a row that is now exceeded.
                r = g.broken[g.tally[0] - 1]
                if g.rows[r, SIZE] > 0:
                    e = g.members[g.rows[r, LIST] + np.random.randint(g.rows[r, SIZE])]
                    j = g.options[g.entries[e, OPTION], ITEM]
                    if j != i:
                        out = g.choice[j]
                        away = _leave(g, out)
                        reply, to = np.inf, -1
                        for q in range(g.start[j], g.start[j + 1]):
                            if q != out:
                                more = away + _enter(g, q)
                                _leave(g, q)
                                if more < reply:
                                    reply, to = more, q
                        if to >= 0 and (change + reply <= 0 or np.random.random() < np.exp(-(change + reply) / heat)):
                            _enter(g, to)
                            _listed(g, old, new)
                            _listed(g, out, to)
                            total += change + reply
                            done = True
                        else:
                            _enter(g, out)
            if not done:
                _leave(g, new)
                _enter(g, old)
        if g.tally[0] == 0 and total < best_cost - 1e-6:
            best_cost = total
            for k in range(g.tally[1]):
                c = g.changed[k]
                g.best[c] = g.choice[c]
                g.dirty[c] = False
            g.tally[1] = 0
    return best_cost


def walk(ground: Ground, best_cost: float, moves: int, heat: tuple[float, float], seed: int) -> float:
    """Walk ``moves`` moves from ``ground.choice``; the best plan that keeps all limits goes to ``ground.best``.

    ``heat``: the temperatures at both ends, in units of cost. Returns the cost of ``best``, which is only replaced by
    a plan cheaper than ``best_cost``.
    """
    return float(_walk(ground, best_cost, moves, heat[0], heat[1], seed))
