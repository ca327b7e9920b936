"""Places that are alike: what counts as alike, and what patterns prove and place."""

from __future__ import annotations

from itertools import product
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from benchmarks.assigning import all_pairs, assigning
from capplan.engine import Limits, Watch, solve_program
from capplan.engine.budget import Budget
from capplan.engine.closing import closed
from capplan.engine.filling import best, by_cpsat, by_search, every
from capplan.engine.kinds import Kinds, kinds_of
from capplan.engine.packing import Reach
from capplan.engine.patterns import Patterns, placed
from capplan.program import Program, evaluate
from capplan.units import Ints
from tests.test_engine_large import cost_of, openings
from tests.test_engine_prover import all_plans


def racks(size: Ints, room: Ints, opening: Ints, running: Ints) -> Program:
    """Items go to any place where they fit: ``size`` [item, 2], ``room`` [place, 2], ``running`` [place]."""
    cost = np.tile(running, (len(size), 1)).astype(np.int64)
    return assigning(all_pairs(len(size), len(room), cost), len(size), size, room, opening).program


@st.composite
def alike(draw: st.DrawFn) -> Program:
    """Five items, two of them often alike, two places of each of two kinds."""
    size = np.array(draw(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=5, max_size=5)))
    if draw(st.booleans()):
        size[1] = size[0]
    kinds = [draw(st.tuples(st.integers(9, 20), st.integers(9, 20), st.integers(1, 30), st.integers(0, 5)))] * 2
    kinds += [draw(st.tuples(st.integers(9, 20), st.integers(9, 20), st.integers(1, 30), st.integers(0, 5)))] * 2
    table = np.array(kinds, dtype=np.int64)
    return racks(size.astype(np.int64), table[:, :2], table[:, 2], table[:, 3])


@settings(max_examples=10, deadline=None)
@given(alike())
def test_patterns_bound_every_plan_and_make_one(program: Program) -> None:
    """What they prove no plan undercuts; what they choose, on places of its own, is a plan, and soon the best one."""
    goal = cost_of(program)
    plans, kinds = all_plans(program, goal), kinds_of(program, goal)
    assume(plans)
    assert kinds is not None
    patterns = Patterns(kinds, Budget(Limits(60.0, deterministic=False), Watch()), 1)
    patterns.find(30.0)
    assert patterns.bound <= plans[0][0]
    values = []
    place = np.asarray(program.limits.place, dtype=np.int64)
    dived = patterns.dive(10.0)
    for choice in (dived, patterns.choice(10.0, dived), patterns.choice(10.0, [])):
        option = placed(kinds, program.item_start, place, choice)
        if option is not None:
            taken = np.zeros(program.options, dtype=np.bool_)
            taken[option] = True
            found = evaluate(program, taken, np.zeros(0, dtype=np.int64))
            assert (found.used <= program.bound).all()
            values.append(goal.value(found.x))
    assert all(value >= plans[0][0] for value in values)
    assert not dived or values


@st.composite
def different(draw: st.DrawFn) -> Program:
    """Five items, four places of which each has its own room and opening cost, and costs its own for each item."""
    size = draw(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=5, max_size=5))
    room = draw(st.lists(st.tuples(st.integers(9, 20), st.integers(9, 20)), min_size=4, max_size=4))
    opening = draw(st.lists(st.integers(0, 30), min_size=4, max_size=4))
    cost = draw(st.lists(st.lists(st.integers(-90, 20), min_size=4, max_size=4), min_size=5, max_size=5))
    pairs = all_pairs(5, 4, np.array(cost, dtype=np.int64))
    return assigning(pairs, 5, np.array(size), np.array(room), np.array(opening)).program


@settings(max_examples=20, deadline=None)
@given(
    st.one_of(alike(), different()), st.integers(0, 200), st.sampled_from(["good", "any"]), st.sampled_from([0, 5, 300])
)
def test_all_patterns_that_may_be_in_a_better_plan_close_the_gap(
    program: Program, luck: int, prices: str, few: int
) -> None:
    """Below any plan's value, at prices good or bad, the best plan is found and known to be, however it is branched."""
    goal = cost_of(program)
    plans, kinds = all_plans(program, goal), kinds_of(program, goal)
    assume(plans)
    assert kinds is not None
    patterns = Patterns(kinds, Budget(Limits(60.0, deterministic=False), Watch()), 1)
    place = np.asarray(program.limits.place, dtype=np.int64)
    known = plans[luck % len(plans)][0] + luck % 2
    assert closed(patterns, 10.0, known, 30_000, 30_000) is None
    if prices == "good":
        patterns.find(30.0)
    else:
        patterns._exact_turn(np.random.default_rng(luck).uniform(0, 40, len(kinds.times)), -np.inf)
    with patch("capplan.engine.closing.FEW", few):
        found = closed(patterns, 10.0, known, 30_000, 30_000)
    assert found is not None
    assert found[1] == plans[0][0]
    if known == plans[0][0]:
        assert not found[0]
    else:
        assert patterns.value(found[0]) == plans[0][0]
        assert placed(kinds, program.item_start, place, found[0]) is not None


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(1, 3), st.integers(-2, 30)), min_size=1, max_size=5
    ),
    st.tuples(st.integers(0, 20), st.integers(0, 20)),
)
@example([(1, 1, 2, 1)], (1, 1))
def test_the_best_filling_is_found_and_the_search_knows_it(types: list[tuple[int, ...]], room: tuple[int, int]) -> None:
    """Against every filling there is; what either way of proving says is never below it."""
    need, times, gain = (np.array([one[at] for one in types]) for at in (slice(0, 2), 2, 3))
    assert need.shape == (len(types), 2)
    none = np.zeros(len(types), dtype=np.int64)
    one = np.array([1])
    kinds = Kinds(
        none[:1], one, np.array([room]), one, none, times, none[None, :], np.ones((1, len(types)), bool), need
    )
    most = max(
        int(gain @ many)
        for many in map(np.array, product(*(range(n + 1) for n in times.tolist())))
        if (many @ need <= np.array(room)).all()
    )
    found, finished = by_search(kinds, 0, gain, np.random.default_rng(1), 1_000_000)
    assert finished
    assert gain[found].sum() == most
    assert (need[found].sum(axis=0) <= np.array(room)).all()
    assert (np.bincount(found, minlength=len(types)) <= times).all()
    budget = Budget(Limits(60.0), Watch())
    assert most <= by_cpsat(kinds, 0, gain, budget)[0] <= most + 1
    assert most <= best(kinds, 0, gain, budget, np.random.default_rng(1))[0] <= most + 1


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(1, 3), st.integers(-9, 30)), min_size=1, max_size=4
    ),
    st.tuples(st.integers(0, 20), st.integers(0, 20)),
    st.integers(-10, 60),
)
def test_every_filling_that_gains_enough_is_listed_once(
    types: list[tuple[int, ...]], room: tuple[int, int], least: int
) -> None:
    """Against every filling there is; with room for fewer than there are, nothing is said."""
    need, times, gain = (np.array([one[at] for one in types]) for at in (slice(0, 2), 2, 3))
    none, one = np.zeros(len(types), dtype=np.int64), np.array([1])
    may = np.ones((1, len(types)), dtype=np.bool_)
    kinds = Kinds(none[:1], one, np.array([room]), one, none, times, none[None, :], may, need)
    wanted = {
        tuple(np.repeat(np.arange(len(types)), many).tolist())
        for many in map(np.array, product(*(range(n + 1) for n in times.tolist())))
        if many.any() and (many @ need <= np.array(room)).all() and gain @ many >= least
    }
    found = every(kinds, 0, gain, least, 1000, np.random.default_rng(1))
    assert found is not None
    assert sorted(tuple(one.tolist()) for one in found) == sorted(wanted)
    if wanted:
        assert every(kinds, 0, gain, least, len(wanted) - 1, np.random.default_rng(1)) is None


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 10**6), st.floats(0, 1), st.floats(0, 1))
def test_it_is_looked_as_far_as_patterns_are_not_too_many(known: int, best: float, few: float) -> None:
    """The best plan is met where it is no further than that; else all up to about there is known to be empty."""
    least, most = int(best * known), max(1, int(few * known))
    reach, steps, met, listed = Reach(), 0, False, 100.0
    gap = reach.begin(known, listed)
    while gap > reach.empty and not met:
        steps += 1
        assert steps < 100
        if gap > most:
            gap = reach.nearer(gap, listed)
        elif gap > least:
            met = True
        else:
            gap = min(known, reach.further(gap, listed))
    assert met or least >= most - 1 - 0.03 * most
    assert not met or least < most
    if not met:
        assert reach.empty >= min(known, most - 1 - 0.03 * most)
    assert reach.begin(known, listed) <= known


def test_three_pairs_fill_three_places():
    """Sizes 7 and 3 into places of 10: three places, proved, where first fit in the order given would take four."""
    size = np.array([[3, 1], [3, 1], [3, 1], [7, 1], [7, 1], [7, 1]], dtype=np.int64)
    ones = np.ones(10, dtype=np.int64)
    program = racks(size, np.full((10, 2), 10), ones, 0 * ones)
    found = solve_program(program, Limits(120.0), Watch(), engine="large")
    assert [(goal.value, goal.bound) for goal in found.goals] == [(3, 3)]


def test_the_large_engine_closes_what_holds_few_items_and_is_not_alike():
    """Twelve items, six places of their own room and costs: what is closed is what CP-SAT proves, the same twice."""
    random = np.random.default_rng(7)
    size, room = random.integers(3, 10, (12, 2)), random.integers(14, 24, (6, 2))
    pairs = all_pairs(12, 6, random.integers(1, 40, (12, 6)))
    program = assigning(pairs, 12, size, room, random.integers(20, 60, 6)).program
    kinds = kinds_of(program, cost_of(program))
    assert kinds is not None
    assert not kinds.alike
    runs = [solve_program(program, Limits(120.0), Watch(), engine=engine) for engine in ("large", "large", "exact")]
    values = [[(goal.value, goal.bound) for goal in run.goals] for run in runs]
    assert values[0] == values[1] == values[2]
    assert values[0][0][0] == values[0][0][1]
    assert runs[0].x is not None
    assert runs[1].x is not None
    assert (runs[0].x == runs[1].x).all()


def test_alike_is_what_has_equal_room_opening_and_running_cost():
    size, running = np.full((4, 2), 5, dtype=np.int64), np.array([1, 1, 2, 2])
    room, opening = np.array([[10, 10], [10, 10], [10, 12], [10, 12]]), np.array([7, 7, 7, 7])
    program = racks(size, room, opening, running)
    kinds = kinds_of(program, cost_of(program))
    assert kinds is not None
    assert kinds.of_place.tolist() == [0, 0, 1, 1]
    assert kinds.count.tolist() == [2, 2]
    assert kinds.times.tolist() == [4]
    assert kinds.of_item.tolist() == [0] * 4
    assert kinds.cost.tolist() == [[0], [1]]
    assert kinds.constant == 4


def test_prices_scaled_down_bound_more_where_places_cost_nothing_else():
    """Six items of 5 into places of 10 that cost 7: at a worth of 7 each a place holds 14, at half of that just 7."""
    program = racks(np.full((6, 2), 5), np.full((6, 2), 10), np.full(6, 7), np.zeros(6, dtype=np.int64))
    kinds = kinds_of(program, cost_of(program))
    assert kinds is not None
    patterns = Patterns(kinds, Budget(Limits(60.0), Watch()), 1)
    patterns.add(0, np.array([0]))
    patterns._exact_turn(np.array([7.0]), 0.0)
    assert patterns.bound == 21


@pytest.mark.parametrize(
    "running", [pytest.param([1, 2, 3, 4], id="a cost of their own"), pytest.param([1, 1, 1, 2], id="one of them")]
)
def test_what_costs_differently_is_not_alike(running: list[int]) -> None:
    ones = np.ones(4, dtype=np.int64)
    program = racks(np.full((4, 2), 5), np.full((4, 2), 10), ones, np.array(running))
    kinds = kinds_of(program, cost_of(program))
    # Only two items fit into a place, so that fillings are few all the same.
    assert kinds is not None
    assert not kinds.alike
    many = racks(np.full((40, 2), 1), np.full((4, 2), 10), ones, np.array(running))
    assert kinds_of(many, cost_of(many)) is None


def test_costs_too_large_for_exact_sums_are_left_alone():
    """What floating point cannot add exactly is no matter for patterns."""
    two = np.full((2, 2), 5, dtype=np.int64)
    for cost, known in ((2**40, True), (2**50, False)):
        pairs = all_pairs(2, 2, np.array([[cost, -cost], [-cost, cost]]))
        program = assigning(pairs, 2, two, 2 * two, np.array([1, 2])).program
        kinds = kinds_of(program, cost_of(program))
        assert (kinds is not None) == known
        if kinds is not None:
            assert kinds.cost.min() == 0
            assert kinds.constant == -2 * cost


def test_places_with_limits_written_out_are_left_alone():
    program = openings(6, 4, 1)
    assert kinds_of(program, cost_of(program)) is None
