"""Smaller Programs out of a Program: fewer options, more limits, some items already placed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import scipy.sparse as sp

from capplan.program import LinearGoal, Program
from capplan.program.coefficients import Coefficients
from capplan.program.statements import ROUNDING
from capplan.units import Bools, Floats, Ints


def narrowed(program: Program, goal: LinearGoal, option: Ints) -> tuple[Program, LinearGoal]:
    """The Program with only ``option`` int64 [k] ascending, its coefficients written out, and one goal."""
    first = program.options
    column = np.concatenate([option, np.arange(first, program.columns)])
    small = LinearGoal(goal.name, goal.coefficients[column], goal.constant, goal.unit, goal.reads)
    item = program.item[option]
    none = np.zeros((0, 0), dtype=np.int32)
    limits = Coefficients(_compact(program.limits.of_columns(column)), item, None, none, np.zeros((0, 0), np.int64))
    any_of: Any = program.any_of[:, option]
    made = replace(
        program,
        item=item,
        any_of=any_of.tocsr(),
        limits=limits,
        goals=(small,),
        make_ties=partial(no_ties, len(column)),
        tie_base=np.zeros(0, np.int64),
        charges=(),
        prices=(),
    )
    return made, small


def _compact(matrix: sp.csr_array | sp.csc_array) -> sp.csr_array:
    """By row, with 32-bit numbers of columns where these are enough: every process holds it by row and by column."""
    rows = matrix.tocsr()
    if max(rows.nnz, *rows.shape) > np.iinfo(np.int32).max:
        return rows
    parts = rows.data, rows.indices.astype(np.int32), rows.indptr.astype(np.int32)
    return sp.csr_array(parts, shape=rows.shape)


def no_ties(columns: int) -> sp.csr_array:
    """No digit to break ties by."""
    return sp.csr_array((0, columns), dtype=np.int64)


def with_ceiling(program: Program, goal: LinearGoal, most: int) -> Program:
    """The Program with one more limit: ``goal``, constant included, is at most ``most``."""
    rest = sp.vstack([program.limits.rest, sp.csr_array(goal.coefficients[None, :])]).tocsr()
    return replace(
        program,
        limits=replace(program.limits, rest=rest),
        bound=np.append(program.bound, most - goal.constant),
        limit_names=(*program.limit_names, ROUNDING),
    )


@dataclass(frozen=True)
class Part:
    """Some items of a plan, free again while all others stay.

    ``program`` holds their options, the facts that depend on them and all purchases; ``option`` int64 [k] and ``fact``
    int64 [k] number these in the whole, ``row`` int64 [k] its limits. The goal's constant holds what stays.
    """

    program: Program
    goal: LinearGoal
    option: Ints
    fact: Ints
    row: Ints


class Parts:
    """Parts of an explicit Program with one goal."""

    def __init__(self, program: Program, goal: LinearGoal) -> None:
        self.program, self.goal = program, goal
        self.by_row: sp.csr_array = program.limits.tocsr()
        self.by_column: sp.csc_array = self.by_row.tocsc()
        self.of_option: sp.csc_array = program.any_of.tocsc()
        self.start = program.item_start

    def part(self, x: Ints, items: Ints, allowed: Bools | None = None) -> Part:
        """``items`` int64 [k] ascending free, all others as in ``x`` int64 [column].

        With ``allowed`` bool [option], only these of their options, and those that they have in ``x``.
        """
        program, first = self.program, self.program.options
        counts = self.start[items + 1] - self.start[items]
        option = np.repeat(self.start[items] - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
        item = np.repeat(np.arange(len(items)), counts)
        stays = x[:first].copy()
        stays[option] = 0
        if allowed is not None:
            kept = allowed[option] | (x[option] > 0)
            option, item = option[kept], item[kept]
        held = np.asarray((program.any_of.astype(np.int64) @ stays) > 0)
        touched = np.zeros(program.facts, dtype=np.bool_)
        touched[self.of_option[:, option].indices] = True
        fact = np.flatnonzero(touched & ~held)
        fixed = np.concatenate([stays, held.astype(np.int64), np.zeros(len(program.purchases), np.int64)])
        column = np.concatenate([option, first + fact, np.arange(first + program.facts, program.columns)])
        matrix = self.by_column[:, column].tocsr()
        rows = np.flatnonzero(np.diff(matrix.indptr))
        bound = (program.bound - self.by_column @ fixed)[rows]
        constant = int(self.goal.coefficients @ fixed) + self.goal.constant
        goal = LinearGoal(self.goal.name, self.goal.coefficients[column], constant, self.goal.unit)
        empty = np.zeros((0, 0), dtype=np.int32)
        made = Program(
            item=item,
            items=len(items),
            any_of=program.any_of[fact][:, option].tocsr(),
            purchases=program.purchases,
            limits=Coefficients(matrix[rows], item, None, empty, np.zeros((0, 0), np.int64)),
            bound=bound,
            limit_names=(),
            goals=(goal,),
            make_ties=partial(no_ties, len(column)),
            tie_base=np.zeros(0, np.int64),
        )
        return Part(made, goal, option, fact, rows)

    def inside(self, part: Part, x: Ints) -> Ints:
        """What ``x`` says of a part's columns. int64 [column of the part]."""
        first = self.program.options
        return np.concatenate([x[part.option], x[first + part.fact], x[first + self.program.facts :]])

    def merged(self, part: Part, x: Ints, y: Ints) -> Ints:
        """``x`` int64 [column] with a part as in ``y``."""
        first, facts = self.program.options, self.program.facts
        z = x.copy()
        z[part.option] = y[: len(part.option)]
        taken = np.asarray(program_facts(self.program, z[:first]), dtype=np.int64)
        z[first : first + facts] = taken
        z[first + facts :] = y[len(part.option) + len(part.fact) :]
        return z


def options_of(program: Program, facts: Ints) -> Bools:
    """Options that bring any of ``facts`` int64 [k]. bool [option]."""
    found, of = np.zeros(program.options, dtype=np.bool_), program.any_of
    for fact in facts.tolist():
        found[of.indices[of.indptr[fact] : of.indptr[fact + 1]]] = True
    return found


def dearest(program: Program, facts: Ints, price: Floats | Ints) -> Ints:
    """The one of ``facts`` int64 [k] of most ``price`` [fact] that each option brings, -1 for none. int64 [option]."""
    found, of = np.full(program.options, -1, dtype=np.int64), program.any_of
    for fact in facts[np.argsort(price[facts], kind="stable")].tolist():
        found[of.indices[of.indptr[fact] : of.indptr[fact + 1]]] = fact
    return found


def program_facts(program: Program, taken: Ints) -> Bools:
    """Which facts hold. bool [fact]."""
    return np.asarray((program.any_of.astype(np.int64) @ taken) > 0)
