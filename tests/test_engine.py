"""The engine's contract: statuses, limits, interruption, determinism. Its laws are in test_laws.py."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from capplan.engine import Limits, Status, Stopped, Watch, solve_exact
from capplan.program import Builder, LimitName, LinearGoal, Program, PurchaseName, WorstGoal, evaluate
from capplan.program.sparse import sparse


def knapsacks(items: int, bins: int, seed: int) -> Program:
    """A hard assignment problem: costs that fall as weights rise, bins nearly full."""
    random = np.random.default_rng(seed)
    item = np.repeat(np.arange(items), bins)
    bin_of = np.tile(np.arange(bins), items)
    weight = random.integers(1, 100, len(item))
    builder = Builder(item, items)
    names = [LimitName("capacity", f"bin {b}", -1, "kg", Fraction(1)) for b in range(bins)]
    bound = np.full(bins, int(0.8 * weight.sum() / bins / bins))
    builder.limits(names, bound).options(bin_of, np.arange(len(item)), weight)
    cost = LinearGoal("cost", 111 - weight + random.integers(-10, 10, len(item)), 0, Fraction(1))
    none = np.zeros(0, dtype=np.int64)
    return builder.assemble([cost], lambda: sparse(none, none, none, (0, len(item))), none)


def test_a_time_limit_ends_a_search_with_plan_and_bound():
    """What cannot be proved in time is feasible, with a bound below its value."""
    found = solve_exact(knapsacks(120, 12, 1), Limits(time_limit_s=6), Watch())
    assert found.status is Status.FEASIBLE
    assert found.stopped_because in (Stopped.TIME, Stopped.EFFORT)
    assert 0 < found.goals[0].bound < found.goals[0].value


def test_stopping_keeps_the_best_plan():
    """A search that is told to stop as soon as it has a plan returns that plan, long before its limit."""
    program, watch = knapsacks(120, 12, 2), Watch()
    watch.report = lambda progress: watch.stop() if progress.best is not None else None
    found = solve_exact(program, Limits(time_limit_s=3600, deterministic=False), watch)
    assert found.stopped_because is Stopped.INTERRUPTED
    assert found.x is not None
    assert evaluate(program, found.x[: program.options] > 0, found.x[program.options :]).slack(program).min() >= 0


def test_equal_seeds_give_equal_plans_however_busy_the_machine():
    """Effort, not the clock, ends a deterministic search."""
    program, limits = knapsacks(60, 8, 3), Limits(time_limit_s=8, seed=7)
    first, second = (solve_exact(program, limits, Watch()) for _ in range(2))
    if Stopped.TIME not in (first.stopped_because, second.stopped_because):
        assert first.x is not None
        assert second.x is not None
        assert np.array_equal(first.x, second.x)
        assert first.goals == second.goals


def test_a_gap_may_be_left_and_is_said():
    """A search that may leave a gap stops at it, and does not call the plan optimal unless it is."""
    found = solve_exact(knapsacks(60, 8, 4), Limits(gap=Fraction(1, 2)), Watch())
    goal = found.goals[0]
    assert goal.value - goal.bound <= goal.value * Fraction(1, 2)
    assert (found.status is Status.OPTIMAL) == goal.proved


def test_an_item_without_options_is_infeasible():
    """Nothing can place it."""
    builder = Builder(np.array([0], dtype=np.int64), 2)
    none = np.zeros(0, dtype=np.int64)
    program = builder.assemble([], lambda: sparse(none, none, none, (0, 1)), none)
    assert solve_exact(program, Limits(), Watch()).status is Status.INFEASIBLE


def test_worst_ratio_is_exact_where_decimals_are_equal():
    """1/3 against 333333/1000000: a millionth apart, and the smaller one is found and proved."""
    builder = Builder(np.array([0, 0], dtype=np.int64), 1)
    use = sparse(np.array([0, 1]), np.array([0, 1]), np.array([1, 333_333]), (2, 2))
    goal = WorstGoal("worst", use, np.array([3, 1_000_000], dtype=np.int64))
    none = np.zeros(0, dtype=np.int64)
    program = builder.assemble([goal], lambda: sparse(none, none, none, (0, 2)), none)
    found = solve_exact(program, Limits(), Watch())
    assert found.goals[0].value == Fraction(333_333, 1_000_000)
    assert found.goals[0].proved


def test_sums_beyond_64_bits_are_refused_not_wrapped():
    """A limit that could overflow is an error at once."""
    builder = Builder(np.array([0], dtype=np.int64), 1)
    one = np.ones(1, dtype=np.int64)
    builder.limits([LimitName("r", "s", -1, "u", Fraction(1))], one).options(one * 0, one * 0, one * 2**61)
    with pytest.raises(OverflowError):
        builder.assemble([], lambda: sparse(one[:0], one[:0], one[:0], (0, 1)), one[:0])


def test_derived_purchases_are_the_least_that_limits_need():
    """7 over a limit of 2 in packs of 3: two packs, however many the engine bought."""
    builder = Builder(np.array([0], dtype=np.int64), 1)
    one = np.ones(1, dtype=np.int64)
    pack = builder.purchase(PurchaseName("pack", -1, 0, ""), 9, derived=True)
    block = builder.limits([LimitName("r", "s", -1, "u", Fraction(1))], one * 2)
    block.options(one * 0, one * 0, one * 7)
    block.purchases(one * 0, one * pack, one * -3)
    program = builder.assemble([], lambda: sparse(one[:0], one[:0], one[:0], (0, 2)), one[:0])
    assert evaluate(program, np.array([True]), np.array([9])).x.tolist() == [1, 2]
