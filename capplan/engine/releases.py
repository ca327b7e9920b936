"""Rows for purchases of one step that release a limit: editions that cover any number of machines of a host group.

With the purchase the limit lets go of whatever fits into the site, without it of nothing: ``entries ≤ most × step``.
In fractions a tenth of the step then lets go of a tenth of all that could ever be there, which is far too much, because
the limits of the site apply to the tenth as well. For any exchange rate λ between the released limit and another one::

    Σ min(entry, λ × use of the other limit) × option − what else widens the limit ≤ λ × bound of the other limit × step

holds: with the step by the other limit, without it by the released one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from capplan.program import Program
from capplan.units import Ints, Numbers

RATES = (0.1, 0.5)
"""Exchange rates, as quantiles of those of the options."""
RELEASES_MOST = 200
"""Released limits for which rows are made."""


class Released(NamedTuple):
    """A limit that a purchase of one step releases: its number and the purchase's among facts and purchases."""

    row: int
    step: int


def released(program: Program, others: sp.csr_array) -> list[Released]:
    """Limits that options use, one decided purchase of one step widens, and else only other purchases do.

    ``others`` int64 sparse [limit, fact + purchase]: their entries.
    """
    one = np.concatenate(
        [np.zeros(program.facts, np.bool_), (program.purchases.upper == 1) & ~program.purchases.derived]
    )
    entries = others.tocoo()
    found = []
    for row in np.unique(entries.row[(entries.data < 0) & one[entries.col]]).tolist():
        at = slice(others.indptr[row], others.indptr[row + 1])
        columns, widens = others.indices[at], others.data[at] < 0
        steps = columns[one[columns]]
        if widens.all() and len(steps) == 1 and (columns >= program.facts).all() and program.bound[row] >= 0:
            found.append(Released(row, int(steps[0])))
    return found[:RELEASES_MOST]


def by_release(program: Program, others: sp.csr_array, limits: Ints) -> tuple[sp.csr_array, sp.csr_array, Ints]:
    """Rows for every released limit, against every one of ``limits`` int64 [n] that all of its options use.

    Returns int64 sparse [row, option], int64 sparse [row, fact + purchase] and bounds int64 [row].
    """
    options, count = program.options, program.facts + len(program.purchases)
    parts = [sp.csr_array((0, options), dtype=np.int64)]
    rest = [sp.csr_array((0, count), dtype=np.int64)]
    bound: list[int] = []
    found = released(program, others)
    # Writing out the limits of many options takes more memory than all else, so not for nothing.
    kept = program.limits.of_rows(limits if found else limits[:0])[:, :options].tocsc()
    for row, step in found:
        use = program.limits.of_rows(np.array([row]))[:, :options].tocsr()
        if not use.nnz or (use.data < 0).any():
            continue
        widening: sp.csr_array = others[[row]]
        for size, room in _shared(kept, use.indices, program.bound[limits]):
            for give, take in _rates(use.data, size):
                smaller = np.minimum(take * use.data, give * size)
                parts.append(sp.csr_array((smaller, use.indices, [0, len(smaller)]), shape=(1, options)))
                data = np.where(widening.indices == step, -give * room, take * widening.data)
                rest.append(sp.csr_array((data, widening.indices, widening.indptr), shape=(1, count)))
                bound.append(take * int(program.bound[row]))
    return sp.vstack(parts).tocsr(), sp.vstack(rest).tocsr(), np.array(bound, dtype=np.int64)


def _shared(kept: sp.csc_array, option: Numbers, bound: Ints) -> list[tuple[Ints, int]]:
    """Limits that every ``option`` int64 [k] uses: what each uses of them, int64 [k], and their bound."""
    part = kept[:, option].tocsr()
    part.sort_indices()
    full = np.flatnonzero(np.diff(part.indptr) == len(option))
    sizes = [(part.data[part.indptr[n] : part.indptr[n + 1]].astype(np.int64), int(bound[n])) for n in full.tolist()]
    return [(size, room) for size, room in sizes if (size > 0).all()]


def _rates(gain: Ints, size: Ints) -> list[tuple[int, int]]:
    """Exchange rates as exact ratios ``gain ÷ size`` of some options, each once."""
    order = np.argsort(gain / size, kind="stable")
    chosen = [int(order[round(q * (len(order) - 1))]) for q in RATES]
    return list(dict.fromkeys((int(gain[o]), int(size[o])) for o in chosen))


def tightened(program: Program, others: sp.csr_array, limits: Ints) -> sp.csr_array:
    """``others`` with no choice of one step giving a limit more than options can use. int64 sparse [limit, other].

    A licence edition that covers a host group lets go of any number of machines; what fits into the site is enough.
    ``others`` [limit, fact + purchase]; ``limits`` int64 [n]: limits that options alone use.
    """
    found = released(program, others)
    if not found:
        return others
    matrix = others.tocsr(copy=True)
    room = _room(program, np.array([one.row for one in found]), limits)
    for (row, step), most in zip(found, room.tolist(), strict=True):
        at = slice(matrix.indptr[row], matrix.indptr[row + 1])
        enough = np.where(matrix.indices[at] == step, -max(0, most - int(program.bound[row])), matrix.data[at])
        matrix.data[at] = np.maximum(matrix.data[at], enough)
    return matrix


def _room(program: Program, rows: Ints, limits: Ints) -> Ints:
    """The most that options can use of ``rows`` when they keep ``limits``: knapsacks in fractions. int64 [k]."""
    use = program.limits.of_rows(rows)[:, : program.options].tocsr()
    kept = program.limits.of_rows(limits)[:, : program.options].tocsc()
    bound, found = program.bound[limits], np.zeros(len(rows), dtype=np.int64)
    for k in range(len(rows)):
        at = slice(use.indptr[k], use.indptr[k + 1])
        option, gain = use.indices[at], use.data[at]
        if (gain < 0).any() or not len(option):
            found[k] = int(np.maximum(0, gain).sum())
            continue
        filled = [_knapsack(gain, size, most) for size, most in _shared(kept, option, bound)]
        found[k] = min([int(gain.sum()), *filled])
    return found


def _knapsack(gain: Ints, size: Ints, room: int) -> int:
    """The most gain of things that fit, cut where needed, rounded up."""
    order = np.argsort(-(gain / size), kind="stable")
    filled = np.cumsum(size[order])
    whole = int(np.searchsorted(filled, room, side="right"))
    total = int(gain[order[:whole]].sum())
    if whole < len(order):
        rest, next_one = room - (int(filled[whole - 1]) if whole else 0), order[whole]
        total += -(-int(gain[next_one]) * rest // int(size[next_one]))
    return total
