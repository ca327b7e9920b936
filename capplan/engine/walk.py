"""Search by single moves: items change option, alone, in another's place, or by pushing another one out.

Limits may be exceeded on the way, at a price per unit that rises while they are and falls while they are not; worse
plans are accepted with a probability that sinks (simulated annealing; Kirkpatrick, Gelatt, Vecchi 1983), and while
something is exceeded half of the moves start there (as in WalkSAT; Selman, Kautz, Cohen 1994). The best plan that keeps
all limits is kept aside.

Where limits have prices, options are charged for most of what they use, so that what a plan leaves unused costs little
on the way: room can be left to be filled later, which by costs alone is as dear as what it is worth.

All that is compiled into a walk is in this file: compiled code is kept on disk by file, and would not be renewed for a
change in another one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from capplan.engine.compiled import compiled
from capplan.units import Bools, Floats, Ints, Numbers

# Columns of Ground.rows
BOUND, ROOM, STEP, USED, STATE, PLACE, LIST, NEEDS, JUMP = range(9)
# States of a row
KEPT, PAID, BROKEN = range(3)
# Columns of Ground.tolls
PRICE, WEIGHT, BASE, MOST, WORTH = range(5)
# Columns of Ground.options
ENTRY, SEAT, FACT, ITEM = range(4)
# Columns of Ground.lists
FIRST, SIZE, MIXED = range(3)
# Columns of Ground.seats
IN, WHOSE, AT = range(3)
# Columns of Ground.links
OF_FACT, OF_OPTION, LINK_SEAT = range(3)
# Columns of Ground.facts
THROUGH, HOLDERS, COUNT, TAKEN = range(4)
# Columns of Ground.through
ROW, USE = range(2)
# Columns of Ground.needs
BY_FACT, NEED = range(2)
# Columns of Ground.where
PLACED, SPOT, PROFILE = range(3)
# Columns of Ground.standing
TAKES, ALIKE = range(2)
# Columns of Ground.now
COST, LEAST = range(2)
# Columns of Ground.over_at
OVER, ROOM_THERE, STEP_THERE, JUMP_THERE = range(4)
# Places of Ground.tally; rows are counted at their state
CHANGED, _, _, VISITED, LINKED, TALLIES = range(6)

MENDING, DEAR, FILLING = 0.5, 0.3, 0.3
"""Share of the moves that begin at a row that is broken, at one paid for where none is, at one not used up."""
LOOKED_AT = 12
"""Rows of which the one is taken where most is left unused."""
CHAINED = 0.01
"""Share of what is in the way that is pushed out one after the other."""
DRAWS, ANY = 32, 0.05
"""Items that are looked at for one with an option that may pay; share of the moves to any option all the same."""
EXCHANGED, SCANNED, TRIED = 0.5, 256, 4
"""Share of the moves that trade places where there is no room; who is looked at for that, and how many try."""
ROUNDING = 1e-9
"""By how much sums of costs may differ."""
TRIES = 8
"""Facts of a row, or members of its list, that are looked at for one whose change would help."""
RAISED, EASED = 0.1, 0.9
"""By what share what is broken becomes dearer, and to what share the rest becomes cheaper."""


class Pace(NamedTuple):
    """How prices of limits follow from what is broken, and how far a walk is gone.

    ``raises``: moves after which what is broken becomes dearer; ``eases``: after which the rest becomes cheaper, if a
    plan kept all limits meanwhile; ``eased``: to what share. ``begun``: moves of the walk before these.
    """

    raises: int
    eases: int
    eased: float = EASED
    begun: int = 0

    def eased_less(self, share: float) -> Pace:
        """So much less that after the whole of the walk, ``share`` 1, limits get no cheaper any more."""
        return self._replace(eased=self.eased + (1 - self.eased) * share)


BRISK = Pace(256, 8192)
"""For a walk that only wants a plan, or has little time."""


class Ground(NamedTuple):
    """Where the walk goes, purchases fixed. One row of each table a thing, all int64 unless said.

    ``start`` [item + 1]: first option. ``options`` [option + 1]: first entry, first seat, first link, item; ``cost``
    float [option], the ``least`` of them float [item]. ``entry_row`` int32 and ``entry_use`` [entry]: what options use.
    ``rows`` [row + 1]: bound, how far it may be exceeded at a price, for every begun step, use, state, where it stands
    among those ``over``, a list with all options that use it and perhaps others, first of its ``needs``, and what is
    added to what it is broken by. ``lists`` [list + 1]: first member, members taken, whether an option may use less
    than 0 of a row. ``members`` int32: seats list by list, those taken first. ``seats`` int32: list, option, and where
    it stands in the list. ``tolls`` float [row]: the price of a begun step, of a unit beyond, the least and the most of
    the latter, and what a unit left unused costs in the bound; ``scarce`` [k]: rows where that is more than nothing.
    ``links``: fact, option, and where it stands among the fact's holders. ``facts`` [fact + 1]: first of ``through``,
    first holder, number of options that make it true, number of those listed; ``holders``: links fact by fact, those
    taken first; ``fact_cost`` float [fact]; ``through``: row and use, fact by fact; ``needs``: fact and use, row by
    row. ``over`` [state, row]: the rows paid for, the rows broken. ``tally``: items changed since the best plan, rows
    paid for, rows broken, whether all limits were kept lately, length of ``chain``; ``changed`` lists the first and
    ``dirty`` bool [item] marks them. ``chain`` [k, 2]: options left and entered. ``choice`` [item] is the plan,
    ``best`` [item] the best one. ``charge`` float [option]: what of its cost an option is charged on the way only;
    ``charged`` float [1]: what the plan is.

    ``order`` int32: options by cost, item by item; ``by_place`` int32: by place, item by item. ``where`` int32
    [option]: place, list of the place, which is of all options there, -1: none, and profile. ``spot_rows`` int32: rows
    that most of a place use, list by list from ``spots`` [list + 1]; ``uses`` [profile, k]: what is used of the k-th of
    these. ``who`` int32: items of those taken in ``members``, where they stand there. ``standing`` [item]: the profile
    of the option taken, and whether all have the same; ``now`` float [item]: its cost, and the least. ``over_at``,
    ``toll_at``: what a trade is reckoned with.
    """

    start: Ints
    options: Ints
    cost: Floats
    least: Floats
    entry_row: Numbers
    entry_use: Ints
    rows: Ints
    lists: Ints
    members: Numbers
    seats: Numbers
    tolls: Floats
    scarce: Ints
    links: Ints
    facts: Ints
    holders: Ints
    fact_cost: Floats
    through: Ints
    needs: Ints
    over: Ints
    tally: Ints
    changed: Ints
    dirty: Bools
    chain: Ints
    choice: Ints
    best: Ints
    charge: Floats
    charged: Floats
    order: Numbers
    by_place: Numbers
    where: Numbers
    spots: Numbers
    spot_rows: Numbers
    uses: Ints
    who: Numbers
    standing: Ints
    now: Floats
    over_at: Ints
    toll_at: Floats


@compiled
def _toll(g: Ground, r: int, used: int) -> float:
    """What a row costs at a use."""
    over = used - g.rows[r, BOUND]
    if over <= 0:
        return 0.0
    room = g.rows[r, ROOM]
    if room == 0:
        return float(g.tolls[r, WEIGHT] * (over + g.rows[r, JUMP]))
    begun, step = min(over, room), g.rows[r, STEP]
    if step > 1:
        begun = (begun + step - 1) // step
    beyond = over - room + g.rows[r, JUMP] if over > room else 0
    return float(g.tolls[r, PRICE] * begun + g.tolls[r, WEIGHT] * beyond)


@compiled
def _state(g: Ground, r: int, used: int) -> int:
    over = used - g.rows[r, BOUND]
    if over <= 0:
        return KEPT
    return PAID if over <= g.rows[r, ROOM] else BROKEN


@compiled
def _list_in(g: Ground, r: int, state: int) -> None:
    """Note a row's state."""
    before = g.rows[r, STATE]
    if before != KEPT:
        g.tally[before] -= 1
        last = g.over[before, g.tally[before]]
        g.over[before, g.rows[r, PLACE]] = last
        g.rows[last, PLACE] = g.rows[r, PLACE]
    g.rows[r, STATE] = state
    if state != KEPT:
        g.rows[r, PLACE] = g.tally[state]
        g.over[state, g.tally[state]] = r
        g.tally[state] += 1


@compiled
def _add(g: Ground, r: int, by: int) -> float:
    """Change the use of a row; returns what that costs."""
    used, bound = g.rows[r, USED], g.rows[r, BOUND]
    now = used + by
    g.rows[r, USED] = now
    if now <= bound and used <= bound:
        return 0.0
    state = _state(g, r, now)
    if state != g.rows[r, STATE]:
        _list_in(g, r, state)
    return _toll(g, r, now) - _toll(g, r, used)


@compiled
def _leave(g: Ground, o: int) -> float:
    """Take an option's use away; returns what changes."""
    change = -float(g.cost[o])
    for e in range(g.options[o, ENTRY], g.options[o + 1, ENTRY]):
        change += _add(g, g.entry_row[e], -g.entry_use[e])
    for k in range(g.options[o, FACT], g.options[o + 1, FACT]):
        f = g.links[k, OF_FACT]
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
        change += _add(g, g.entry_row[e], g.entry_use[e])
    for k in range(g.options[o, FACT], g.options[o + 1, FACT]):
        f = g.links[k, OF_FACT]
        if g.facts[f, COUNT] == 0:
            change += g.fact_cost[f]
            for e in range(g.facts[f, THROUGH], g.facts[f + 1, THROUGH]):
                change += _add(g, g.through[e, ROW], g.through[e, USE])
        g.facts[f, COUNT] += 1
    return change


@compiled
def _swap(order: Numbers, table: Numbers, seat: int, first: int, k: int, to: int) -> None:
    """Put thing k at another seat of its group, which begins at ``first`` in ``order``; what is there takes its own.

    Column ``seat`` of ``table`` says where each stands.
    """
    other = order[first + to]
    order[first + table[k, seat]] = other
    table[other, seat] = table[k, seat]
    order[first + to] = k
    table[k, seat] = to


@compiled
def _list_taken(g: Ground, o: int) -> None:
    """Put an option among those taken of its lists and the holders of its facts."""
    for k in range(g.options[o, SEAT], g.options[o + 1, SEAT]):
        r = g.seats[k, IN]
        _swap(g.members, g.seats, AT, g.lists[r, FIRST], k, g.lists[r, SIZE])
        g.who[g.lists[r, FIRST] + g.lists[r, SIZE]] = g.options[o, ITEM]
        g.lists[r, SIZE] += 1
    for k in range(g.options[o, FACT], g.options[o + 1, FACT]):
        f = g.links[k, OF_FACT]
        _swap(g.holders, g.links, LINK_SEAT, g.facts[f, HOLDERS], k, g.facts[f, TAKEN])
        g.facts[f, TAKEN] += 1


@compiled
def _list_left(g: Ground, o: int) -> None:
    """The reverse."""
    for k in range(g.options[o, SEAT], g.options[o + 1, SEAT]):
        r = g.seats[k, IN]
        g.lists[r, SIZE] -= 1
        g.who[g.lists[r, FIRST] + g.seats[k, AT]] = g.who[g.lists[r, FIRST] + g.lists[r, SIZE]]
        _swap(g.members, g.seats, AT, g.lists[r, FIRST], k, g.lists[r, SIZE])
    for k in range(g.options[o, FACT], g.options[o + 1, FACT]):
        f = g.links[k, OF_FACT]
        g.facts[f, TAKEN] -= 1
        _swap(g.holders, g.links, LINK_SEAT, g.facts[f, HOLDERS], k, g.facts[f, TAKEN])


@compiled
def _listed(g: Ground, old: int, new: int) -> None:
    """Keep what lists options and items changed up to date with a change of option."""
    _list_left(g, old)
    _list_taken(g, new)
    g.charged[0] += g.charge[new] - g.charge[old]
    i = g.options[new, ITEM]
    g.choice[i] = new
    g.standing[i, TAKES] = g.where[new, PROFILE]
    g.now[i, COST] = g.cost[new]
    if not g.dirty[i]:
        g.dirty[i] = True
        g.changed[g.tally[CHANGED]] = i
        g.tally[CHANGED] += 1


@compiled
def _settle(g: Ground) -> float:
    """Compute everything that follows from ``choice``; returns its cost, excess included."""
    g.rows[:, USED] = 0
    g.rows[:, STATE] = KEPT
    g.lists[:, SIZE] = 0
    g.facts[:, COUNT] = 0
    g.facts[:, TAKEN] = 0
    g.tally[:] = 0
    g.charged[0] = 0.0
    total = 0.0
    for r in range(len(g.tolls)):
        state = _state(g, r, 0)
        if state != KEPT:
            _list_in(g, r, state)
        total += _toll(g, r, 0)
    for i in range(len(g.start) - 1):
        g.charged[0] += g.charge[g.choice[i]]
        total += _enter(g, g.choice[i])
        _list_taken(g, g.choice[i])
        g.standing[i, TAKES] = g.where[g.choice[i], PROFILE]
        g.now[i, COST] = g.cost[g.choice[i]]
        g.now[i, LEAST] = g.least[i]
    return total


@compiled
def _brings(g: Ground, o: int, most: float) -> float:
    """What entering an option costs that nobody can be pushed out for: its own cost, and that of its facts."""
    change = float(g.cost[o])
    for k in range(g.options[o, FACT], g.options[o + 1, FACT]):
        if change > most:
            break
        f = g.links[k, OF_FACT]
        if g.facts[f, COUNT] == 0:
            change += g.fact_cost[f]
            for e in range(g.facts[f, THROUGH], g.facts[f + 1, THROUGH]):
                change += _rise(g, g.through[e, ROW], g.through[e, USE])
    return change


@compiled
def _asks(g: Ground, o: int, most: float) -> float:
    """What entering an option would change, counted only until it is more than ``most``."""
    change = _brings(g, o, most)
    for e in range(g.options[o, ENTRY], g.options[o + 1, ENTRY]):
        if change > most:
            break
        change += _rise(g, g.entry_row[e], g.entry_use[e])
    return change


@compiled
def _rise(g: Ground, r: int, by: int) -> float:
    """What changing the use of a row would cost."""
    used, bound = g.rows[r, USED], g.rows[r, BOUND]
    if used + by <= bound and used <= bound:
        return 0.0
    return _toll(g, r, used + by) - _toll(g, r, used)


@compiled
def _hardest(g: Ground, o: int) -> int:
    """The row that an option taken makes dearest, -1 where none gets dearer."""
    row, most = -1, 0.0
    for e in range(g.options[o, ENTRY], g.options[o + 1, ENTRY]):
        r = g.entry_row[e]
        relief = -_rise(g, r, -g.entry_use[e])
        if relief > most:
            row, most = r, relief
    return row


@compiled
def _in_the_way(g: Ground, o: int) -> bool:
    """Whether others make some row dearer for an option that enters."""
    for e in range(g.options[o, ENTRY], g.options[o + 1, ENTRY]):
        if g.lists[g.rows[g.entry_row[e], LIST], SIZE] > 0 and _rise(g, g.entry_row[e], g.entry_use[e]) > 0:
            return True
    return False


@compiled
def _dearest(g: Ground, state: int) -> int:
    """A row of those in a state; the one that costs more of two."""
    r = int(g.over[state, np.random.randint(g.tally[state])])
    if state == BROKEN:
        return r
    other = int(g.over[state, np.random.randint(g.tally[state])])
    return r if _toll(g, r, g.rows[r, USED]) >= _toll(g, other, g.rows[other, USED]) else other


@compiled
def _use(g: Ground, o: int, r: int) -> int:
    """What an option uses of a row."""
    for e in range(g.options[o, ENTRY], g.options[o + 1, ENTRY]):
        if g.entry_row[e] == r:
            return int(g.entry_use[e])
    return 0


@compiled
def _member(g: Ground, r: int, taken: bool, sign: int) -> int:
    """An option, taken or not, of which ``sign`` times what it uses of a row is above 0; -1: none was met."""
    row = g.rows[r, LIST]
    first, size = g.lists[row, FIRST], g.lists[row, SIZE]
    count = size if taken else g.lists[row + 1, FIRST] - first - size
    if count == 0:
        return -1
    for _ in range(TRIES):
        k = np.random.randint(count)
        o = int(g.seats[g.members[first + k if taken else first + size + k], WHOSE])
        if sign * _use(g, o, r) > 0:
            return o
    return -1


@compiled
def _helpful(g: Ground, r: int) -> int:
    """An option that would relieve a row: a taken one if it left, another one if it came. -1: none was found."""
    row, first = g.rows[r, LIST], int(g.rows[r, NEEDS])
    size, needs = g.lists[row, SIZE], int(g.rows[r + 1, NEEDS]) - first
    if needs > 0 and (size == 0 or np.random.random() < 0.5):
        for _ in range(TRIES):
            n = first + np.random.randint(needs)
            f = g.needs[n, BY_FACT]
            at, count = g.facts[f, HOLDERS], g.facts[f, COUNT]
            if g.needs[n, NEED] > 0 and count > 0:
                return int(g.links[g.holders[at + np.random.randint(count)], OF_OPTION])
            if g.needs[n, NEED] < 0 and count == 0 and g.facts[f + 1, HOLDERS] > at:
                return int(g.links[g.holders[at + np.random.randint(g.facts[f + 1, HOLDERS] - at)], OF_OPTION])
        return -1
    if g.lists[row, MIXED] > 0 and (size == 0 or np.random.random() < 0.5):
        return _member(g, r, False, -1)
    return _member(g, r, True, 1)


@compiled
def _weigh(g: Ground, move: int, pace: Pace) -> float:
    """Rows that stay exceeded become dearer, others cheaper again; returns what that changes."""
    change = 0.0
    if move % pace.raises == pace.raises - 1:
        for b in range(g.tally[BROKEN]):
            r = g.over[BROKEN, b]
            more = min(RAISED * g.tolls[r, WEIGHT], g.tolls[r, MOST] - g.tolls[r, WEIGHT])
            change += more * (g.rows[r, USED] - g.rows[r, BOUND] - g.rows[r, ROOM] + g.rows[r, JUMP])
            g.tolls[r, WEIGHT] += more
    if move % pace.eases == pace.eases - 1 and g.tally[VISITED] > 0:
        g.tally[VISITED] = 0
        for r in range(len(g.tolls)):
            if g.rows[r, STATE] != BROKEN:
                g.tolls[r, WEIGHT] = max(g.tolls[r, BASE], pace.eased * g.tolls[r, WEIGHT])
    return change


@compiled
def _filling(g: Ground) -> int:
    """An option that would use some of what is left of a row, of some rows the one where most is left; -1: none met.

    What separates a plan from its bound is what its options cost more than others, and what it leaves unused.
    """
    row, most = -1, 0.0
    for _ in range(LOOKED_AT):
        r = g.scarce[np.random.randint(len(g.scarce))]
        # Where nothing is, nothing may have been opened.
        if g.lists[g.rows[r, LIST], SIZE] > 0:
            left = g.tolls[r, WORTH] * (g.rows[r, BOUND] - g.rows[r, USED])
            if left > most:
                row, most = r, left
    return -1 if row < 0 else _member(g, row, False, 1)


@compiled
def _proposed(g: Ground) -> tuple[int, int]:
    """An item and an option for it, -1: any. Where something is exceeded or paid for, often one that mends it."""
    state = BROKEN if g.tally[BROKEN] > 0 else PAID
    luck, o = np.random.random(), -1
    if g.tally[state] > 0 and luck < (MENDING if state == BROKEN else DEAR):
        o = _helpful(g, _dearest(g, state))
    elif luck >= 1 - FILLING and len(g.scarce) > 0 and g.tally[BROKEN] == 0:
        o = _filling(g)
    if o >= 0:
        i = g.options[o, ITEM]
        return i, -1 if g.choice[i] == o else o
    return np.random.randint(len(g.start) - 1), -1


@compiled
def _closes(g: Ground, o: int) -> float:
    """What leaving an option saves by facts that no other one makes true."""
    saved = 0.0
    for k in range(g.options[o, FACT], g.options[o + 1, FACT]):
        f = g.links[k, OF_FACT]
        if g.facts[f, COUNT] == 1:
            saved += g.fact_cost[f]
    return saved


@compiled
def _frees(g: Ground, o: int) -> float:
    """What leaving an option would save beyond its own cost."""
    saved = _closes(g, o)
    if g.tally[BROKEN] > 0 or g.tally[PAID] > 0:
        for e in range(g.options[o, ENTRY], g.options[o + 1, ENTRY]):
            saved -= _rise(g, g.entry_row[e], -g.entry_use[e])
    return saved


@compiled
def _prefix(cost: Floats, order: Numbers, first: int, end: int, limit: float) -> int:
    """How many options of an item, from ``first`` to ``end``, cost no more than a limit, themselves."""
    low, high = first, end
    if cost[order[low]] > limit:
        return 0
    low += 1
    while low < high:
        middle = (low + high) // 2
        if cost[order[middle]] <= limit:
            low = middle + 1
        else:
            high = middle
    return int(low - first)


@compiled
def _drawn(g: Ground, i: int, most: float) -> tuple[int, int]:
    """An item, ``i`` if possible, and an option for it that may pay by what it costs itself; -1: none was found.

    Of all options, few do, and to refuse one for its cost is a hundred times faster than to try it.
    """
    for _ in range(DRAWS):
        old, first, end = g.choice[i], g.start[i], g.start[i + 1]
        if end - first > 1:
            limit = g.cost[old] + _frees(g, old) + most
            count = _prefix(g.cost, g.order, first, end, limit)
            if g.cost[old] <= limit:
                count -= 1
            if count > 0:
                new = g.order[first + np.random.randint(count)]
                if new == old:
                    # The last of them stands in for it.
                    new = g.order[first + count]
                if _brings(g, new, limit) <= limit:
                    return i, int(new)
        i = np.random.randint(len(g.start) - 1)
    return i, -1


@compiled
def _put(g: Ground, old: int, new: int) -> None:
    """Note that an item changed option, so that it can be undone."""
    _listed(g, old, new)
    g.chain[g.tally[LINKED], 0], g.chain[g.tally[LINKED], 1] = old, new
    g.tally[LINKED] += 1


@compiled
def _undo(g: Ground) -> None:
    while g.tally[LINKED] > 0:
        g.tally[LINKED] -= 1
        old, new = g.chain[g.tally[LINKED], 0], g.chain[g.tally[LINKED], 1]
        _leave(g, new)
        _enter(g, old)
        _listed(g, new, old)


@compiled
def _push(g: Ground, o: int, most: float) -> tuple[float, int, int]:
    """Push somebody out of the row where an option just entered costs most, to where it costs least.

    Returns what that changes, the option left and the one entered; -1 where nobody can go for ``most``.
    """
    r = _hardest(g, o)
    out = -1 if r < 0 else _member(g, r, True, 1)
    if out < 0:
        return np.inf, -1, -1
    j = g.options[out, ITEM]
    if g.choice[j] != out or j == g.options[o, ITEM]:
        return np.inf, -1, -1
    if g.least[j] > most + g.cost[out] + _frees(g, out):
        return np.inf, -1, -1
    change = _leave(g, out)
    to, least, first = -1, most - change, g.start[j]
    for n in range(_prefix(g.cost, g.order, first, g.start[j + 1], least)):
        q = int(g.order[first + n])
        if g.cost[q] > least:
            break
        if q != out:
            asked = _asks(g, q, least)
            if asked <= least:
                to, least = q, asked
    if to < 0:
        _enter(g, out)
        return np.inf, -1, -1
    return change + _enter(g, to), out, to


@compiled
def _there(where: Numbers, by_place: Numbers, first: int, end: int, place: int) -> int:
    """The first option of an item at a place, -1: none."""
    low, high = first, end
    # Where items may go anywhere, it is known where it stands.
    guess = low + place
    if guess < high and where[by_place[guess], PLACED] == place:
        return int(by_place[guess])
    while low < high:
        middle = (low + high) // 2
        if where[by_place[middle], PLACED] < place:
            low = middle + 1
        else:
            high = middle
    if low < end and where[by_place[low], PLACED] == place:
        return int(by_place[low])
    return -1


@compiled
def _shifted(g: Ground, spot: int, profile: int, sign: int) -> float:
    """What changes in a spot's rows when ``sign`` times a profile is added to their use."""
    change, first = 0.0, g.spots[spot]
    for k in range(g.spots[spot + 1] - first):
        change += _rise(g, g.spot_rows[first + k], sign * g.uses[profile, k])
    return change


@compiled
def _looked_at(g: Ground, side: int, spot: int, profile: int, sign: int) -> float:
    """Note how far a spot's rows are exceeded with ``sign`` times a profile; returns what they cost without."""
    first, cost = g.spots[spot], 0.0
    for k in range(g.spots[spot + 1] - first):
        r = g.spot_rows[first + k]
        over = g.rows[r, USED] - g.rows[r, BOUND]
        if over > 0:
            cost += _toll(g, r, g.rows[r, USED])
        g.over_at[side, k, OVER] = over + sign * g.uses[profile, k]
        g.over_at[side, k, ROOM_THERE] = g.rows[r, ROOM]
        g.over_at[side, k, STEP_THERE] = g.rows[r, STEP]
        g.over_at[side, k, JUMP_THERE] = g.rows[r, JUMP]
        g.toll_at[side, k, PRICE] = g.tolls[r, PRICE]
        g.toll_at[side, k, WEIGHT] = g.tolls[r, WEIGHT]
    return cost


@compiled
def _costs_then(over_at: Ints, toll_at: Floats, use: Ints, rows: int, sign: int, most: float) -> float:
    """What they cost with ``sign`` times ``use`` too, counted only until it is more than ``most``."""
    cost = 0.0
    for k in range(rows):
        over = over_at[k, OVER] + sign * use[k]
        if over > 0:
            room = over_at[k, ROOM_THERE]
            if over > room:
                cost += toll_at[k, WEIGHT] * (over - room + over_at[k, JUMP_THERE])
                over = room
            step = over_at[k, STEP_THERE]
            if step > 1:
                over = (over + step - 1) // step
            cost += toll_at[k, PRICE] * over
            if cost > most:
                break
    return cost


@compiled
def _exchange(g: Ground, old: int, new: int, most: float) -> float:
    """Let an item trade places with one of those where it goes; returns what that changed, 0 where none can.

    What that does to the rows of both spots is worked out first: for dozens at once, in less time than one is tried.
    """
    here, there = g.where[old, SPOT], g.where[new, SPOT]
    place, first, size = g.where[old, PLACED], g.lists[there, FIRST], g.lists[there, SIZE]
    if size == 0:
        return 0.0
    at, tried = np.random.randint(size), 0
    spare = most + g.cost[old] - g.cost[new] + ROUNDING
    spare += _looked_at(g, 0, there, g.where[new, PROFILE], 1)
    spare += _looked_at(g, 1, here, g.where[old, PROFILE], -1)
    rows, others = g.spots[there + 1] - g.spots[there], g.spots[here + 1] - g.spots[here]
    for n in range(min(size, SCANNED)):
        k = at + n
        if k >= size:
            k -= size
        j = g.who[first + k]
        left = spare + g.now[j, COST] - g.now[j, LEAST]
        if left < 0:
            continue
        left -= _costs_then(g.over_at[0], g.toll_at[0], g.uses[g.standing[j, TAKES]], rows, -1, left)
        if left < 0:
            continue
        if (
            g.standing[j, ALIKE]
            and _costs_then(g.over_at[1], g.toll_at[1], g.uses[g.standing[j, TAKES]], others, 1, left) > left
        ):
            continue
        to = _there(g.where, g.by_place, g.start[j], g.start[j + 1], place)
        left += g.now[j, LEAST]
        if to < 0 or g.cost[to] > left:
            continue
        left -= g.cost[to]
        if _costs_then(g.over_at[1], g.toll_at[1], g.uses[g.where[to, PROFILE]], others, 1, left) > left:
            continue
        out = g.choice[j]
        change = _leave(g, old) + _leave(g, out) + _enter(g, new) + _enter(g, to)
        if change <= most:
            _listed(g, old, new)
            _listed(g, out, to)
            return change
        _leave(g, to)
        _leave(g, new)
        _enter(g, out)
        _enter(g, old)
        tried += 1
        if tried >= TRIED:
            break
    return 0.0


@compiled
def _moved(g: Ground, i: int, new: int, most: float) -> float:
    """Try to give an item another option, pushing out those in its way; returns what that changed."""
    old = g.choice[i]
    here, there = g.where[old, SPOT], g.where[new, SPOT]
    if here >= 0 and there >= 0 and here != there and np.random.random() < EXCHANGED:
        change = g.cost[new] - g.cost[old] - _closes(g, old)
        if change <= most:
            change += _shifted(g, there, g.where[new, PROFILE], 1)
        if change <= most:
            change += _shifted(g, here, g.where[old, PROFILE], -1)
        if change > most + ROUNDING:
            return _exchange(g, old, new, most)
    change = _leave(g, old)
    if _asks(g, new, most - change) <= most - change:
        change += _enter(g, new)
        _listed(g, old, new)
        return change
    fixed = _brings(g, new, most - change)
    if fixed > most - change or not _in_the_way(g, new):
        _enter(g, old)
        return 0.0
    change += _enter(g, new)
    if np.random.random() >= CHAINED:
        more, out, to = _push(g, new, most - change)
        if to >= 0:
            _listed(g, old, new)
            _listed(g, out, to)
            return change + more
        _leave(g, new)
        _enter(g, old)
        return 0.0
    return _chain(g, old, new, change, most)


@compiled
def _chain(g: Ground, old: int, new: int, change: float, most: float) -> float:
    """Push out one after the other until the change is not above ``most``; all is undone where it never is."""
    g.tally[LINKED] = 0
    _put(g, old, new)
    while g.tally[LINKED] < len(g.chain):
        more, out, to = _push(g, new, np.inf)
        if to < 0:
            break
        _put(g, out, to)
        change += more
        if change <= most:
            return change
    _undo(g)
    return 0.0


@compiled
def _cost_of_best(g: Ground, used: Ints, held: Bools) -> float:
    """What the best plan costs, summed anew: a running total keeps the rounding of all that was broken on the way.

    ``used`` [row] and ``held`` bool [fact] begin as zeros.
    """
    total = 0.0
    for o in g.best:
        total += g.cost[o] - g.charge[o]
        for e in range(g.options[o, ENTRY], g.options[o + 1, ENTRY]):
            used[g.entry_row[e]] += g.entry_use[e]
        for k in range(g.options[o, FACT], g.options[o + 1, FACT]):
            f = g.links[k, OF_FACT]
            if not held[f]:
                held[f] = True
                total += g.fact_cost[f]
                for e in range(g.facts[f, THROUGH], g.facts[f + 1, THROUGH]):
                    used[g.through[e, ROW]] += g.through[e, USE]
    for r in range(len(used)):
        total += _toll(g, r, used[r])
    return total


@compiled
def _walk(g: Ground, best_cost: float, moves: int, heat: float, seed: int, pace: Pace) -> float:
    np.random.seed(seed)
    total = _settle(g)
    for i in range(len(g.start) - 1):
        g.dirty[i] = g.choice[i] != g.best[i]
        if g.dirty[i]:
            g.changed[g.tally[CHANGED]] = i
            g.tally[CHANGED] += 1
    for move in range(moves):
        total += _weigh(g, pace.begun + move, pace)
        i, new = _proposed(g)
        width = g.start[i + 1] - g.start[i]
        most = -heat * np.log(1.0 - np.random.random())
        if new >= 0 and g.tally[BROKEN] == 0:
            limit = g.cost[g.choice[i]] + _frees(g, g.choice[i]) + most
            if _brings(g, new, limit) > limit:
                new = -1
        if new < 0 and np.random.random() >= ANY:
            i, new = _drawn(g, i, most)
        elif new < 0 and width > 1:
            new = g.start[i] + np.random.randint(width - 1)
            if new >= g.choice[i]:
                new += 1
        if new >= 0:
            total += _moved(g, i, new, most)
        if g.tally[BROKEN] > 0:
            continue
        g.tally[VISITED] = 1
        if total - g.charged[0] < best_cost - 1e-6:
            best_cost = total - g.charged[0]
            for k in range(g.tally[CHANGED]):
                c = g.changed[k]
                g.best[c] = g.choice[c]
                g.dirty[c] = False
            g.tally[CHANGED] = 0
    return best_cost


def walk(ground: Ground, best_cost: float, moves: int, heat: float, seed: int, pace: Pace) -> float:
    """Walk ``moves`` moves from ``ground.choice``; the best plan that keeps all limits goes to ``ground.best``.

    ``heat``: the temperature, in units of cost; ``pace``: how prices of limits follow. Returns the cost of ``best``,
    which is only replaced by a plan cheaper than ``best_cost``.
    """
    cost = float(_walk(ground, best_cost, moves, heat, seed, pace))
    if cost == best_cost:
        return cost
    used, held = np.zeros(len(ground.tolls), dtype=np.int64), np.zeros(len(ground.fact_cost), dtype=np.bool_)
    return float(_cost_of_best(ground, used, held))
