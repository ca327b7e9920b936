"""Walks: what they keep count of is what follows from where they stand, and they find the best of small Programs."""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from capplan.engine.ground import ground_of
from capplan.engine.narrow import Parts
from capplan.engine.walk import (
    BOUND,
    BROKEN,
    COUNT,
    HOLDERS,
    LIST,
    MOST,
    OF_OPTION,
    OPTION,
    PAID,
    PRICE,
    ROOM,
    ROW,
    SEAT,
    SIZE,
    STATE,
    STEP,
    TAKEN,
    USED,
    WEIGHT,
    Ground,
    walk,
)
from capplan.program import LinearGoal, Program
from capplan.units import Floats, Ints
from tests.test_engine_proof import programs


@st.composite
def grounds(draw: st.DrawFn) -> tuple[Program, Ground]:
    """A small Program with costs, what it buys paid for where it widens limits only, and a plan to begin with."""
    program = draw(programs())
    matrix = program.limits.tocsr().toarray()
    derived = bool((matrix[:, -1] <= 0).all()) and draw(st.booleans())
    program = replace(program, purchases=replace(program.purchases, derived=np.array([derived])))
    costs = draw(st.lists(st.integers(0, 9), min_size=program.columns, max_size=program.columns))
    goal = LinearGoal("cost", np.array(costs, dtype=np.int64), 0, Fraction(1))
    x = np.zeros(program.columns, dtype=np.int64)
    for first, end in itertools.pairwise(program.item_start.tolist()):
        x[draw(st.integers(first, end - 1))] = 1
    ground = ground_of(Parts(program, goal), x, np.full(len(program.bound), 2.0))
    ground.tolls[:, MOST] = 1e6
    return program, ground


def held_by(program: Program, choice: Ints) -> Ints:
    """Options taken and facts true by a choice. int64 [option + fact]."""
    taken = np.zeros(program.options, dtype=np.int64)
    taken[choice] = 1
    return np.concatenate([taken, program.any_of.toarray().astype(np.int64) @ taken > 0])


def used_by(program: Program, choice: Ints) -> Ints:
    """Use of every limit by a choice, int64 [limit], purchases left out."""
    return np.asarray(program.limits.tocsr().toarray()[:, :-1] @ held_by(program, choice))


def cost_of(program: Program, ground: Ground, choice: Ints) -> float:
    """What a choice costs where it keeps all limits, else infinity."""
    over = used_by(program, choice) - ground.rows[:-1, BOUND]
    if (over > ground.rows[:-1, ROOM]).any():
        return np.inf
    steps: Floats = np.ceil(np.maximum(0, over) / ground.rows[:-1, STEP])
    prices = np.concatenate([ground.cost, ground.fact_cost])
    return float(prices @ held_by(program, choice) + ground.tolls[:, PRICE] @ steps)


@given(grounds(), st.integers(0, 40), st.integers(0, 99))
@settings(max_examples=150)
def test_all_that_is_counted_follows_from_the_choice(world: tuple[Program, Ground], moves: int, seed: int):
    """Uses, states, members of limits and holders of facts after any number of moves."""
    program, ground = world
    walk(ground, np.inf, moves, 3.0, seed)
    rows, choice = ground.rows[:-1], ground.choice
    assert (program.item[choice] == np.arange(program.items)).all()
    assert (rows[:, USED] == used_by(program, choice)).all()
    over = rows[:, USED] - rows[:, BOUND]
    assert (rows[:, STATE] == np.where(over <= 0, 0, np.where(over <= rows[:, ROOM], PAID, BROKEN))).all()
    for state in (PAID, BROKEN):
        listed = ground.over[state, : ground.tally[state]]
        assert sorted(listed) == np.flatnonzero(rows[:, STATE] == state).tolist()
    chosen = set(choice.tolist())
    for r, row in enumerate(rows):
        mine = ground.members[row[LIST] : ground.rows[r + 1, LIST]]
        assert sorted(mine) == np.flatnonzero(ground.entries[:, ROW] == r).tolist()
        assert (ground.entries[mine, SEAT] == np.arange(len(mine))).all()
        assert [int(o) in chosen for o in ground.entries[mine, OPTION]] == [k < row[SIZE] for k in range(len(mine))]
    for f, fact in enumerate(ground.facts[:-1]):
        mine = ground.links[ground.holders[fact[HOLDERS] : ground.facts[f + 1, HOLDERS]], OF_OPTION]
        assert fact[COUNT] == fact[TAKEN]
        assert [int(o) in chosen for o in mine] == [k < fact[COUNT] for k in range(len(mine))]


@given(grounds(), st.integers(0, 99))
@settings(max_examples=60)
def test_a_long_walk_finds_the_best_of_a_small_program(world: tuple[Program, Ground], seed: int):
    """Against trying all choices; what it says that the best costs is what that costs."""
    program, ground = world
    found = walk(ground, np.inf, 20_000, 4.0, seed)
    spans = [range(first, end) for first, end in itertools.pairwise(program.item_start.tolist())]
    least = min(cost_of(program, ground, np.array(choice)) for choice in itertools.product(*spans))
    assert found == least
    if least < np.inf:
        assert cost_of(program, ground, ground.best) == least


@given(grounds(), st.integers(0, 99))
def test_the_price_of_excess_stays_between_its_least_and_its_most(world: tuple[Program, Ground], seed: int):
    """However long a limit stays exceeded."""
    _, ground = world
    ground.tolls[:, MOST] = 3.0
    walk(ground, np.inf, 20_000, 4.0, seed)
    assert (ground.tolls[:, WEIGHT] >= 2.0).all()
    assert (ground.tolls[:, WEIGHT] <= 3.0).all()
