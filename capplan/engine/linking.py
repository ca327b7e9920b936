"""Rows that say of a fact, in fractions too, that it holds when any of its options is taken.

``Σ its options ≤ items × fact`` says it of whole choices and hardly anything of fractions. Two kinds of row say more:

* item by item, ``Σ options of the item ≤ fact``: what few items need, a database on the hosts of a site;
* limit by limit, ``entries of its options ≤ bound × fact``, where its options alone could exceed the limit: what nearly
  all items of a site need, such as its hypervisor.

Rows of the first kind can be many; facts of the fewest items get them first.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from capplan.program import Program
from capplan.units import Ints, Numbers

BY_ITEM_MOST = 20_000
"""Rows item by item, over all facts."""
BY_LIMIT_MOST = 1_000_000
"""Entries of rows limit by limit, over all facts."""


def linking(program: Program, facts: Ints, limits: Ints) -> tuple[sp.csr_array, sp.csr_array]:
    """Rows ≤ 0 for ``facts`` int64 [k]; ``limits`` int64 [n] are those that options alone use, bound at least 0.

    Returns int64 sparse [row, option] and [row, fact + purchase].
    """
    if not len(facts):
        # Writing out the limits of many options for nothing would take more memory than all else.
        none = sp.csr_array((0, program.options), dtype=np.int64)
        return none, _of_facts(program, facts, facts)
    found = [_by_item(program, facts), _by_limit(program, facts, limits)]
    return sp.vstack([part[0] for part in found]).tocsr(), sp.vstack([part[1] for part in found]).tocsr()


def _by_item(program: Program, facts: Ints) -> tuple[sp.csr_array, sp.csr_array]:
    """One row for each fact and item, as far as there may be so many; else one row for the fact."""
    table = program.any_of[facts].tocoo()
    pair = table.row.astype(np.int64) * program.items + program.item[table.col]
    pairs, row = np.unique(pair, return_inverse=True)
    owner = pairs // program.items
    items = np.bincount(owner, minlength=len(facts))
    order = np.argsort(items, kind="stable")
    single = np.zeros(len(facts), dtype=np.bool_)
    single[order[np.cumsum(items[order]) <= BY_ITEM_MOST]] = True
    # Rows of facts that get a single one are merged into it.
    mine = np.where(single[owner], np.arange(len(pairs)), len(pairs) + owner)
    rows, number = np.unique(mine, return_inverse=True)
    of_fact = np.where(rows < len(pairs), owner[np.minimum(rows, len(pairs) - 1)], rows - len(pairs))
    weight = np.where(rows < len(pairs), 1, items[of_fact])
    ones = np.ones(len(row), dtype=np.int64)
    options = sp.csr_array((ones, (number[row], table.col)), shape=(len(rows), program.options))
    return options, _of_facts(program, facts[of_fact], -weight)


def _by_limit(program: Program, facts: Ints, limits: Ints) -> tuple[sp.csr_array, sp.csr_array]:
    """One row for each fact and limit that its options could exceed, each item where it uses most."""
    entries = program.limits.of_rows(limits)[:, : program.options].tocsc()
    bound, parts, of_fact, most, left = program.bound[limits], [], list[int](), list[int](), BY_LIMIT_MOST
    for fact in facts.tolist():
        table = program.any_of
        options = table.indices[table.indptr[fact] : table.indptr[fact + 1]]
        mine = entries[:, options].tocoo()
        peak = _peak(mine, program.item[options], program.items, len(limits))
        for limit in np.flatnonzero(peak > bound).tolist():
            here = mine.row == limit
            left -= int(here.sum())
            if left < 0:
                break
            column = options[mine.col[here]]
            row = sp.csr_array((mine.data[here], (np.zeros_like(column), column)), shape=(1, program.options))
            parts.append(row)
            of_fact.append(fact)
            most.append(int(bound[limit]))
    none = sp.csr_array((0, program.options), dtype=np.int64)
    options_part = sp.vstack([none, *parts]).tocsr()
    return options_part, _of_facts(program, np.array(of_fact, dtype=np.int64), -np.array(most, dtype=np.int64))


def _peak(entries: sp.coo_array, item: Numbers, items: int, limits: int) -> Ints:
    """The most that the options can use of each limit, one of each item. int64 [limit]."""
    key = entries.row.astype(np.int64) * items + item[entries.col]
    keys, at = np.unique(key, return_inverse=True)
    most = np.zeros(len(keys), dtype=np.int64)
    np.maximum.at(most, at, entries.data)
    total = np.zeros(limits, dtype=np.int64)
    np.add.at(total, keys // items, most)
    return total


def _of_facts(program: Program, facts: Ints, value: Ints) -> sp.csr_array:
    """One entry a row. int64 sparse [row, fact + purchase]."""
    shape = (len(facts), program.facts + len(program.purchases))
    return sp.csr_array((value, (np.arange(len(facts)), facts)), shape=shape)
