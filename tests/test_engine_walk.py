"""Walks: what they keep count of is what follows from where they stand, and they find the best of small Programs."""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import NamedTuple

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from capplan.engine.cpsat import greatest_use
from capplan.engine.ground import UNBOUND, Terrain, softened
from capplan.engine.narrow import Parts
from capplan.engine.walk import (
    AT,
    BOUND,
    BRISK,
    BROKEN,
    COST,
    COUNT,
    ENTRY,
    FIRST,
    HOLDERS,
    IN,
    ITEM,
    JUMP,
    LIST,
    MOST,
    OF_OPTION,
    PAID,
    PRICE,
    PROFILE,
    ROOM,
    SIZE,
    STATE,
    STEP,
    TAKEN,
    TAKES,
    USED,
    VISITED,
    WEIGHT,
    WHOSE,
    Ground,
    Pace,
    _add,
    _costs_then,
    _looked_at,
    _toll,
    _weigh,
    walk,
)
from capplan.program import LinearGoal, Program
from capplan.units import Ints
from tests.test_engine_proof import program as one_program
from tests.test_engine_proof import programs


class World(NamedTuple):
    """A small Program with costs, a plan to begin with (it may break limits), and the ground laid out for it."""

    program: Program
    goal: LinearGoal
    x: Ints
    ground: Ground


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """What it buys is paid for where it widens limits only."""
    program = draw(programs())
    matrix = program.limits.tocsr().toarray()
    derived = bool((matrix[:, -1] <= 0).all()) and draw(st.booleans())
    program = replace(program, purchases=replace(program.purchases, derived=np.array([derived])))
    if draw(st.booleans()):
        program = with_twins(program, draw(st.lists(st.integers(0, 3), min_size=len(matrix), max_size=len(matrix))))
    costs = draw(st.lists(st.integers(0, 9), min_size=program.columns, max_size=program.columns))
    goal = LinearGoal("cost", np.array(costs, dtype=np.int64), 0, Fraction(1))
    x = np.zeros(program.columns, dtype=np.int64)
    for first, end in itertools.pairwise(program.item_start.tolist()):
        x[draw(st.integers(first, end - 1))] = 1
    x[-1] = 0 if derived else draw(st.integers(0, 2))
    place = draw(st.lists(st.integers(0, 2), min_size=program.options, max_size=program.options))
    limits = len(program.bound)
    terrain = Terrain(Parts(program, goal), np.array(place, dtype=np.int64))
    price = np.array(draw(st.lists(st.floats(0, 3), min_size=limits, max_size=limits)))
    ground = terrain.ground(x, np.full(limits, 2.0), price)
    ground.tolls[:, MOST] = 1e6
    ground.rows[:-1, JUMP] = draw(st.lists(st.integers(0, 3), min_size=limits, max_size=limits))
    return World(program, goal, x, ground)


def with_twins(program: Program, wider: list[int]) -> Program:
    """Every limit once more, for options alone and so much wider: what a walk may leave out."""
    matrix = program.limits.tocsr().toarray()
    twin = matrix.copy()
    twin[:, program.options :] = 0
    limits = replace(program.limits, rest=sp.csr_array(np.vstack([matrix, twin])))
    bound = np.concatenate([program.bound, program.bound + np.array(wider)])
    return replace(program, limits=limits, bound=bound, limit_names=program.limit_names * 2)


def held_by(program: Program, choice: Ints) -> Ints:
    """Options taken and facts true by a choice. int64 [option + fact]."""
    taken = np.zeros(program.options, dtype=np.int64)
    taken[choice] = 1
    return np.concatenate([taken, program.any_of.toarray().astype(np.int64) @ taken > 0])


@given(programs())
def test_the_greatest_use_is_what_the_dearest_options_come_to(program: Program) -> None:
    """Whatever the order in which the matrix has its entries."""
    rest, table = program.limits.rest, program.limits.rest.toarray()
    backwards = rest.copy()
    for first, end in itertools.pairwise(rest.indptr.tolist()):
        backwards.indices[first:end] = rest.indices[first:end][::-1]
        backwards.data[first:end] = rest.data[first:end][::-1]
    backwards.has_sorted_indices = False
    most = np.maximum.reduceat(table[:, : program.options], program.item_start[:-1], axis=1)
    others = np.maximum(0, table[:, program.options :])
    others[:, program.facts :] *= program.purchases.upper
    expected = np.maximum(0, most).sum(axis=1) + others.sum(axis=1)
    for matrix in (rest, backwards):
        written_so = replace(program, limits=replace(program.limits, rest=matrix))
        np.testing.assert_array_equal(greatest_use(written_so), expected)


def cost_of(world: World, choice: Ints) -> float:
    """What a choice costs where it keeps all limits, else infinity: by the Program, not by the ground."""
    program, held, matrix = world.program, held_by(world.program, choice), world.program.limits.tocsr().toarray()
    greatest = np.maximum.reduceat(matrix[:, : program.options], program.item_start[:-1], axis=1).sum(axis=1)
    soft = softened(Parts(program, world.goal), greatest)
    bought = np.where(soft.decided, world.x[-1:], 0)
    over = matrix[:, :-1] @ held + matrix[:, -1:] @ bought - program.bound
    if (over > soft.room).any():
        return np.inf
    steps = np.ceil(np.maximum(0, over) / soft.step)
    return float(world.goal.coefficients[:-1] @ held + soft.price @ steps)


@given(worlds(), st.integers(0, 40), st.integers(0, 99))
@settings(max_examples=150)
def test_all_that_is_counted_follows_from_the_choice(world: World, moves: int, seed: int):
    """Uses, states, members of lists and holders of facts after any number of moves."""
    ground, program = world.ground, world.program
    walk(ground, np.inf, moves, 3.0, seed, BRISK)
    rows, choice = ground.rows[:-1], ground.choice
    assert (program.item[choice] == np.arange(program.items)).all()
    entry_of = np.repeat(np.arange(program.options), np.diff(ground.options[:, ENTRY]))
    uses = np.zeros((len(rows), program.options), dtype=np.int64)
    uses[ground.entry_row, entry_of] = ground.entry_use
    facts = program.limits.tocsr().toarray()[:, program.options : -1]
    held = held_by(program, choice)
    assert (rows[:, USED] == uses @ held[: program.options] + facts @ held[program.options :]).all()
    over = rows[:, USED] - rows[:, BOUND]
    assert (rows[:, STATE] == np.where(over <= 0, 0, np.where(over <= rows[:, ROOM], PAID, BROKEN))).all()
    for state in (PAID, BROKEN):
        listed = ground.over[state, : ground.tally[state]]
        assert sorted(listed) == np.flatnonzero(rows[:, STATE] == state).tolist()
    chosen = set(choice.tolist())
    for k, of in enumerate(ground.lists[:-1]):
        mine = ground.members[of[FIRST] : ground.lists[k + 1, FIRST]]
        assert sorted(mine) == np.flatnonzero(ground.seats[:, IN] == k).tolist()
        assert (ground.seats[mine, AT] == np.arange(len(mine))).all()
        assert [int(o) in chosen for o in ground.seats[mine, WHOSE]] == [n < of[SIZE] for n in range(len(mine))]
        taken = ground.seats[mine[: of[SIZE]], WHOSE]
        assert ground.who[of[FIRST] : of[FIRST] + of[SIZE]].tolist() == ground.options[taken, ITEM].tolist()
    assert (ground.standing[:, TAKES] == ground.where[choice, PROFILE]).all()
    assert (ground.now[:, COST] == ground.cost[choice]).all()
    for o, (_, spot, profile) in enumerate(ground.where):
        if spot >= 0:
            dense = ground.spot_rows[ground.spots[spot] : ground.spots[spot + 1]]
            assert ground.uses[profile, : len(dense)].tolist() == [uses[r, o] for r in dense]
    for f, fact in enumerate(ground.facts[:-1]):
        mine = ground.links[ground.holders[fact[HOLDERS] : ground.facts[f + 1, HOLDERS]], OF_OPTION]
        assert fact[COUNT] == fact[TAKEN]
        assert [int(o) in chosen for o in mine] == [k < fact[COUNT] for k in range(len(mine))]


@given(worlds())
@settings(max_examples=150)
def test_what_is_left_out_makes_no_difference(world: World):
    """Every choice breaks a limit on the ground where it breaks one of the Program, and lists hold all that use it."""
    ground, program = world.ground, world.program
    for r, row in enumerate(ground.rows[:-1]):
        users = {
            int(o)
            for o in range(program.options)
            for e in range(*ground.options[o : o + 2, ENTRY])
            if ground.entry_row[e] == r
        }
        first, end = ground.lists[row[LIST] : row[LIST] + 2, FIRST]
        assert users <= set(ground.seats[ground.members[first:end], WHOSE].tolist())
        assert row[BOUND] < UNBOUND or not users
    spans = [range(first, end) for first, end in itertools.pairwise(program.item_start.tolist())]
    for choice in itertools.product(*spans):
        ground.choice[:] = choice
        ground.best[:] = choice
        cost = walk(ground, np.inf, 0, 1.0, 0, BRISK)
        assert cost == np.inf  # no move was made
        assert (ground.tally[BROKEN] > 0) == (cost_of(world, np.array(choice)) == np.inf)


@given(worlds())
@settings(max_examples=150)
def test_what_a_trade_costs_is_known_before(world: World):
    """In a place's limits: with one there less, one more, both, worked out on the side as if the trade was made."""
    ground, spots = world.ground, range(len(world.ground.spots) - 1)
    walk(ground, np.inf, 0, 1.0, 0, BRISK)
    for spot, enters, leaves in itertools.product(spots, *[range(len(ground.uses))] * 2):
        rows = ground.spot_rows[ground.spots[spot] : ground.spots[spot + 1]]
        used = ground.rows[rows, USED]
        assert _looked_at(ground, 0, spot, enters, 1) == sum(map(partial(_toll, ground), rows, used))
        then = used + ground.uses[enters, : len(rows)] - ground.uses[leaves, : len(rows)]
        costs = _costs_then(ground.over_at[0], ground.toll_at[0], ground.uses[leaves], len(rows), -1, np.inf)
        assert costs == pytest.approx(sum(map(partial(_toll, ground), rows, then)))


def test_a_broken_limit_costs_its_jump_too():
    """A limit of 10 that may be exceeded by 4, at 3 for every 2; beyond, at 2 a unit and a jump of 5 units."""
    ground = with_one_limit(bound=10, room=4, step=2, price=3.0, weight=2.0, jump=5)
    assert [_toll(ground, 0, used) for used in (10, 11, 14, 15, 16)] == [0, 3, 6, 6 + 2 * (1 + 5), 6 + 2 * (2 + 5)]


def test_limits_get_dearer_and_cheaper_at_the_pace_of_the_walk():
    """What is broken by 4 after 3 moves by a tenth, the rest after 6 to nine tenths: of that less and less."""
    for share, left in ((0.0, 90.0), (0.5, 95.0), (1.0, 100.0)):
        pace = Pace(3, 6).eased_less(share)
        broken, kept = (with_one_limit(10, 0, 1, 0.0, 100.0, jump=1) for _ in range(2))
        _add(broken, 0, 14)
        assert [_weigh(broken, move, pace) for move in range(3)] == pytest.approx([0, 0, 10 * (4 + 1)])
        kept.tally[VISITED] = 1
        assert [_weigh(kept, move, pace) for move in range(6)] == [0] * 6
        assert (broken.tolls[0, WEIGHT], kept.tolls[0, WEIGHT]) == pytest.approx((110, left))


def with_one_limit(bound: int, room: int, step: int, price: float, weight: float, jump: int) -> Ground:
    """The ground of one item with one option that uses 1 of one limit; nothing is used yet."""
    free = LinearGoal("cost", np.zeros(1, dtype=np.int64), 0, Fraction(1))
    terrain = Terrain(Parts(one_program([1], [[1]], [bound]), free), np.zeros(1, dtype=np.int64))
    ground = terrain.ground(np.ones(1, dtype=np.int64), np.zeros(1), np.zeros(1))
    ground.rows[0, [BOUND, ROOM, STEP, JUMP]] = bound, room, step, jump
    ground.tolls[0, [PRICE, WEIGHT]] = price, weight
    return ground


@given(worlds(), st.integers(0, 99), st.sampled_from([BRISK, Pace(3, 50), Pace(40, 400, 0.97, 1000)]))
@settings(max_examples=80)
def test_a_long_walk_finds_the_best_of_a_small_program(world: World, seed: int, pace: Pace):
    """Against trying all choices; what it says that the best costs is what that costs."""
    found = walk(world.ground, np.inf, 20_000, 4.0, seed, pace)
    spans = [range(first, end) for first, end in itertools.pairwise(world.program.item_start.tolist())]
    least = min(cost_of(world, np.array(choice)) for choice in itertools.product(*spans))
    # What options are charged on the way is added and taken away again in floating point.
    assert found == pytest.approx(least)
    if least < np.inf:
        assert cost_of(world, world.ground.best) == least


@given(worlds(), st.integers(0, 99))
def test_the_price_of_excess_stays_between_its_least_and_its_most(world: World, seed: int):
    """However long a limit stays exceeded."""
    ground = world.ground
    ground.tolls[:, MOST] = 3.0
    walk(ground, np.inf, 20_000, 4.0, seed, BRISK)
    assert (ground.tolls[:, WEIGHT] >= 2.0).all()
    assert (ground.tolls[:, WEIGHT] <= 3.0).all()
