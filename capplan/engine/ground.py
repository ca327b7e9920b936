"""A Program laid out for walking: purchases fixed, those that follow from one limit priced in it."""

from __future__ import annotations

import numpy as np

from capplan.engine.cpsat import greatest_use
from capplan.engine.narrow import Parts
from capplan.engine.settled import worth_of
from capplan.engine.walk import (
    BASE,
    BOUND,
    ENTRY,
    FACT,
    HOLDERS,
    ITEM,
    LINK_SEAT,
    LIST,
    MIXED,
    MOST,
    NEEDS,
    OF_FACT,
    OF_OPTION,
    OPTION,
    PRICE,
    ROOM,
    ROW,
    SEAT,
    STEP,
    TALLIES,
    THROUGH,
    USE,
    WEIGHT,
    Ground,
)
from capplan.units import Floats, Ints

CHAIN = 8
"""Items that change places in one chain at most."""


def ground_of(parts: Parts, x: Ints, base: Floats, shut: Ints | None = None) -> Ground:
    """The ground of an explicit Program at ``x`` int64 [column].

    ``base`` float [limit]: the least price of a unit beyond a limit. ``shut`` int64 [k]: options not to be taken.
    """
    program, goal = parts.program, parts.goal
    first, facts, limits = program.options, program.facts, len(program.bound)
    cost = goal.coefficients[:first].astype(np.float64)
    if shut is not None:
        cost[shut] += 10.0 * max(1.0, float(np.abs(goal.coefficients).max()))
    by_option = parts.by_column[:, :first]
    entries = np.zeros((by_option.nnz, 4), dtype=np.int64)
    entries[:, ROW], entries[:, USE] = by_option.indices, by_option.data
    entries[:, OPTION] = np.repeat(np.arange(first), np.diff(by_option.indptr))
    options = np.zeros((first + 1, 3), dtype=np.int64)
    options[:, ENTRY], options[:, FACT] = by_option.indptr, parts.of_option.indptr
    options[:first, ITEM] = program.item
    links = np.zeros((parts.of_option.nnz, 3), dtype=np.int64)
    links[:, OF_FACT] = parts.of_option.indices
    links[:, OF_OPTION] = np.repeat(np.arange(first), np.diff(parts.of_option.indptr))
    through = parts.by_column[:, first : first + facts]
    table = np.zeros((facts + 1, 4), dtype=np.int64)
    table[:, THROUGH] = through.indptr
    rows, tolls = np.zeros((limits + 1, 10), dtype=np.int64), np.zeros((limits, 4))
    _soften(parts, x, rows[:-1], tolls)
    members, rows[:, LIST], entries[:, SEAT] = _by(entries[:, ROW], limits)
    holders, table[:, HOLDERS], links[:, LINK_SEAT] = _by(links[:, OF_FACT], facts)
    rows[entries[entries[:, USE] < 0, ROW], MIXED] = 1
    of_fact = np.repeat(np.arange(facts), np.diff(through.indptr))
    by_row, rows[:, NEEDS], _ = _by(through.indices.astype(np.int64), limits)
    tolls[:, WEIGHT] = tolls[:, BASE] = base
    tolls[:, MOST] = np.inf
    choice = np.flatnonzero(x[:first]).astype(np.int64)
    return Ground(
        start=parts.start,
        options=options,
        cost=cost,
        least=np.minimum.reduceat(cost, parts.start[:-1]),
        entries=entries,
        rows=rows,
        members=members,
        tolls=tolls,
        links=links,
        facts=table,
        holders=holders,
        fact_cost=goal.coefficients[first : first + facts].astype(np.float64),
        through=np.stack([through.indices.astype(np.int64), through.data.astype(np.int64)], axis=1),
        needs=np.stack([of_fact[by_row], through.data[by_row].astype(np.int64)], axis=1),
        over=np.zeros((3, limits), dtype=np.int64),
        tally=np.zeros(TALLIES, dtype=np.int64),
        changed=np.zeros(program.items, dtype=np.int64),
        dirty=np.zeros(program.items, dtype=np.bool_),
        chain=np.zeros((CHAIN, 2), dtype=np.int64),
        choice=choice,
        best=choice.copy(),
    )


def _by(group: Ints, groups: int) -> tuple[Ints, Ints, Ints]:
    """Things group by group, where each group begins [group + 1], and where each thing stands in its own."""
    order = np.argsort(group, kind="stable").astype(np.int64)
    first = np.zeros(groups + 1, dtype=np.int64)
    np.cumsum(np.bincount(group, minlength=groups), out=first[1:])
    seat = np.empty(len(group), dtype=np.int64)
    seat[order] = np.arange(len(group)) - first[group[order]]
    return order, first, seat


def _soften(parts: Parts, x: Ints, rows: Ints, tolls: Floats) -> None:
    """Fill bounds, and the room, step and price of limits that a derived purchase widens.

    A purchase that widens several limits is paid for in the one that may need most of it; the others are let go: how
    much is really needed is worked out when the walk ends.
    """
    program = parts.program
    first = program.options + program.facts
    bought = x[first:].copy()
    matrix = parts.by_column[:, first:]
    price, most = worth_of(parts)[program.facts :], None
    rows[:, STEP] = 1
    for p in np.flatnonzero(program.purchases.derived).tolist():
        at = slice(matrix.indptr[p], matrix.indptr[p + 1])
        widened, step = matrix.indices[at][matrix.data[at] < 0], -matrix.data[at][matrix.data[at] < 0]
        if not len(widened) or rows[widened, ROOM].any():
            continue
        dearest = 0
        if len(widened) > 1:
            most = greatest_use(program) - program.bound if most is None else most
            dearest = int(np.argmax(most[widened] / step))
        rows[widened, STEP], rows[widened, ROOM] = step, step * int(program.purchases.upper[p])
        tolls[widened[dearest], PRICE] = price[p]
        bought[p] = 0
    rows[:, BOUND] = program.bound - matrix @ bought
