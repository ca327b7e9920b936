"""A Program laid out for walking: purchases fixed, those that follow from one limit priced in it."""

from __future__ import annotations

import numpy as np

from capplan.engine.cpsat import greatest_use
from capplan.engine.narrow import Parts
from capplan.engine.settled import worth_of
from capplan.engine.walk import BOUND, ENTRY, FACT, ITEM, LIST, OPTION, PRICE, ROOM, ROW, STEP, THROUGH, USE, Ground
from capplan.units import Floats, Ints


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
    through = parts.by_column[:, first : first + facts]
    table = np.zeros((facts + 1, 2), dtype=np.int64)
    table[:, THROUGH] = through.indptr
    rows, tolls = np.zeros((limits, 7), dtype=np.int64), np.zeros((limits, 3))
    _soften(parts, x, rows, tolls)
    rows[:, LIST] = np.cumsum(np.bincount(by_option.indices, minlength=limits)) - np.bincount(
        by_option.indices, minlength=limits
    )
    tolls[:, 1] = tolls[:, 2] = base
    choice = np.flatnonzero(x[:first]).astype(np.int64)
    return Ground(
        start=parts.start,
        options=options,
        cost=cost,
        entries=entries,
        rows=rows,
        tolls=tolls,
        links=parts.of_option.indices.astype(np.int64),
        facts=table,
        fact_cost=goal.coefficients[first : first + facts].astype(np.float64),
        through=np.stack([through.indices.astype(np.int64), through.data.astype(np.int64)], axis=1),
        members=np.zeros(by_option.nnz, dtype=np.int64),
        broken=np.zeros(limits, dtype=np.int64),
        tally=np.zeros(2, dtype=np.int64),
        changed=np.zeros(program.items, dtype=np.int64),
        dirty=np.zeros(program.items, dtype=np.bool_),
        choice=choice,
        best=choice.copy(),
    )


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
