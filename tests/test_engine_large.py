"""The engine for large Programs, piece by piece; what it finds as a whole is held to the oracle in the laws."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from capplan.engine import Limits, Status, Watch, chosen, solve_exact, solve_program
from capplan.engine.columns import columns_of, links_of, tied
from capplan.engine.cpsat import Callback, Model
from capplan.engine.crew import joined
from capplan.engine.dual import cheapest, exact_bound, held, sifted
from capplan.engine.linear import Relaxed, relax
from capplan.engine.master import UNITS, Master
from capplan.engine.narrow import Parts, narrowed, with_ceiling
from capplan.engine.stage import Stage
from capplan.program import Builder, Form, LimitName, LinearGoal, Program, WorstGoal, evaluate, weighted
from capplan.units import Ints
from tests.cli_calls import capplan
from tests.test_engine_proof import programs

ALL_FOURS = list(product((0, 1), repeat=4))


def openings(items: int, places: int, seed: int, full: float = 0.7) -> Program:
    """Items that go to any of some places with one resource; using a place costs something."""
    random = np.random.default_rng(seed)
    item, place = np.divmod(np.arange(items * places), places)
    demand = random.integers(1, 20, items)
    builder = Builder(item.astype(np.int32), items)
    names = [LimitName("capacity", str(p), -1, "u", Fraction(1)) for p in range(places)]
    bound = np.full(places, int(demand.sum() / places / full) + 20)
    builder.limits(names, bound).options(place, np.arange(len(item)), demand[item])
    facts = builder.any_of(place, np.arange(len(item)), places)
    opening = {int(f): int(c) for f, c in zip(facts, random.integers(50, 200, places), strict=True)}
    form = Form(random.integers(1, 100, len(item)), facts=opening)
    goal = weighted("cost", "", [(form, Fraction(1))], len(item), builder.fact_count, 0)
    none = np.zeros(0, dtype=np.int64)
    columns = len(item) + builder.fact_count
    return builder.assemble([goal], lambda: sp.csr_array((0, columns), dtype=np.int64), none)


def cost_of(program: Program) -> LinearGoal:
    """Its only goal."""
    goal = program.goals[0]
    assert isinstance(goal, LinearGoal)
    return goal


def _plans(program: Program) -> Iterator[Ints]:
    """Every choice that keeps all limits, evaluated; nothing is bought."""
    start = program.item_start.tolist()
    for options in product(*(range(first, end) for first, end in pairwise(start))):
        taken = np.zeros(program.options, dtype=np.bool_)
        taken[list(options)] = True
        values = evaluate(program, taken, np.zeros(len(program.purchases), dtype=np.int64))
        if (values.used <= program.bound).all():
            yield values.x


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.floats(0, 50), min_size=4, max_size=4))
def test_any_prices_give_a_valid_bound(seed: int, prices: list[float]) -> None:
    """Whatever limits cost, no plan is cheaper than the bound, nor than the bound with one of its options taken."""
    program = openings(6, 4, seed)
    goal = cost_of(program)
    best = solve_exact(program, Limits(), Watch())
    columns = columns_of(program, goal, links_of(program, goal))
    bound = exact_bound(columns, np.array(prices))
    assert best.x is not None
    assert bound.value + goal.constant <= best.goals[0].value
    taken = np.flatnonzero(best.x[: program.options])
    assert int(bound.least_with(program.any_of)[taken].max()) + goal.constant <= best.goals[0].value


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.floats(0, 50), min_size=4, max_size=4), st.integers(1, 3))
def test_prices_that_are_sifted_prove_no_less_and_nothing_false(seed: int, prices: list[float], near: int) -> None:
    """Though only some options of each item are looked at when they are made."""
    program, price = openings(6, 4, seed), np.array(prices)
    goal = cost_of(program)
    best = solve_exact(program, Limits(), Watch())
    columns = columns_of(program, goal, links_of(program, goal))
    start = exact_bound(columns, price)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("capplan.engine.dual.NEAR", near)
        better, seen = sifted(columns, np.ones(len(prices)), lambda: False, price, start)
    assert start.value <= exact_bound(columns, better).value <= best.goals[0].value - goal.constant
    assert seen >= 3 * near * program.items


@settings(max_examples=40, deadline=None)
@given(programs(), st.data())
def test_some_options_cost_among_themselves_what_they_cost_among_all(program: Program, data: st.DataObject) -> None:
    """At any prices; ``programs`` have entries of their own."""
    goal = LinearGoal("cost", np.arange(program.columns, dtype=np.int64), 0, Fraction(1))
    columns = columns_of(program, goal, links_of(program, goal))
    rows = len(columns.bound)
    price = np.array(data.draw(st.lists(st.integers(0, 9), min_size=rows, max_size=rows)), dtype=np.float64)
    keep = np.array(data.draw(st.lists(st.booleans(), min_size=program.options, max_size=program.options)))
    keep[program.item_start[:-1]] = True
    option = np.flatnonzero(keep)
    whole, some = exact_bound(columns, price), exact_bound(columns.among(option), price)
    wanted = (whole.reduced + whole.least[program.item])[option] / whole.scale
    assert ((some.reduced + some.least[program.item[option]]) / some.scale).tolist() == wanted.tolist()
    assert some.others == [v * some.scale // whole.scale for v in whole.others]


def test_facts_are_held_as_far_as_they_pay():
    program = openings(6, 4, 1)
    goal = cost_of(program)
    columns = columns_of(program, goal, links_of(program, goal))
    opening, room = goal.coefficients[program.options :], program.bound
    share = held(columns, exact_bound(columns, np.array([2.0, 0.5, 1.0, 0.0]) * opening / room), 1e-4)
    assert share[0] > 0.99
    assert share[2] == pytest.approx(0.5, abs=0.2)
    assert share[1] < 0.01
    assert share[3] < 0.01


def test_a_plan_at_prices_does_without_what_does_not_pay(monkeypatch):
    monkeypatch.setattr("capplan.engine.stage.LP_EASY", 0)
    program = openings(60, 12, 3, full=0.4)
    goal = cost_of(program)
    # By effort; compiling must not use the time up.
    stage = Stage(program, goal, Limits(120, workers=1, deterministic=True), Watch(), lambda *_: None, None)
    everywhere = np.flatnonzero(program.any_of.sum(axis=1) > 0)
    bound = stage._prices()
    stage._keep(np.ones(program.options, dtype=np.bool_), bound)
    stage._first_plan()
    assert stage.best is not None
    before, opened = goal.value(stage.best), stage.best[program.options :].sum()
    assert opened == len(everywhere)
    stage._plan_at_prices()
    assert goal.value(stage.best) < before
    assert stage.best[program.options :].sum() < opened


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.lists(st.floats(0, 50), min_size=4, max_size=4), min_size=1, max_size=4))
def test_what_to_open_is_bounded_below_the_optimum(seed: int, cuts: list[list[float]]) -> None:
    """Each cut holds for every plan's facts, so the least that all allow is a bound, no worse than any single one."""
    program = openings(6, 4, seed)
    goal = cost_of(program)
    columns = columns_of(program, goal, links_of(program, goal))
    master = Master(columns, np.arange(program.facts))
    bounds = [exact_bound(columns, np.array(prices)) for prices in cuts]
    for bound in bounds:
        master.learn(bound)
    answer = master.solve(10.0)
    best = solve_exact(program, Limits(), Watch())
    assert answer is not None
    assert best.x is not None
    assert answer[1] <= best.goals[0].value - goal.constant
    assert answer[1] >= max(bound.value for bound in bounds) - 1
    # The best of all others, against trying them all.
    second = master.solve(10.0, [answer[0]])
    assert second is not None
    least = {z: max(c + int(np.dot(slope, z)) for c, slope in master.cuts) for z in ALL_FOURS}
    assert least.pop(tuple(answer[0])) <= min(least.values())
    assert least[tuple(second[0])] == min(least.values())
    assert second[1] == -(-min(least.values()) // UNITS)


def test_limits_are_tied_to_the_fact_that_holds_all_their_options():
    program = openings(6, 4, 1)
    links = links_of(program, cost_of(program))
    assert links.covers.tolist() == [0, 1, 2, 3]
    assert not links.loose.any()


def test_a_limit_is_tied_to_the_smallest_of_several_facts():
    """For the exact engine no fact has a price: the one with the fewest other options says the most."""
    builder = Builder(np.array([0, 0, 1, 1], dtype=np.int32), 2)
    both, here = np.array([0, 1, 2, 3]), np.array([0, 2])
    wide = builder.any_of(np.zeros(4, dtype=np.int32), both, 1)
    narrow = builder.any_of(np.zeros(2, dtype=np.int32), here, 1)
    names = [LimitName("capacity", site, -1, "u", Fraction(1)) for site in ("here", "all", "short")]
    block = builder.limits(names, np.array([5, 9, -1]))
    block.options(np.array([0, 0]), here, np.array([3, 3]))
    block.options(np.ones(4, dtype=np.int64), both, np.full(4, 3))
    block.options(np.array([2, 2]), here, np.array([-3, -3]))
    none = np.zeros(0, dtype=np.int64)
    program = builder.assemble([], lambda: sp.csr_array((0, 6), dtype=np.int64), none)
    assert tied(program).tolist() == [int(narrow[0]), int(wide[0]), -1]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_tying_limits_changes_no_optimum(seed: int):
    """CP-SAT finds the same least cost with limits tied to facts as without; enumeration agrees."""
    program = openings(5, 3, seed)
    goal = cost_of(program)
    columns = np.flatnonzero(goal.coefficients)
    found = []
    for tie in (False, True):
        model = Model(program, tie=tie)
        model.minimise(columns.tolist(), goal.coefficients[columns].tolist())
        answer = model.solve(Limits(30, workers=1), 30, 30, Watch(), Callback(lambda *_: None))
        assert answer.finished
        found.append(None if answer.x is None else goal.value(answer.x))
    least = min((goal.value(x) for x in _plans(program)), default=None)
    assert found == [least, least]


def test_the_cheapest_options_of_each_item():
    start, value = np.array([0, 3, 4]), np.array([5, 1, 1, 7])
    assert cheapest(start, value, 1).tolist() == [False, True, False, True]
    assert cheapest(start, value, 2).tolist() == [False, True, True, True]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.sets(st.integers(0, 11), min_size=1, max_size=12))
def test_a_part_measures_as_the_whole(seed: int, items: set[int]) -> None:
    """Solving a part again gives a plan of the whole that costs what the part said, and keeps every limit."""
    program = openings(12, 3, seed)
    small, goal = narrowed(program, cost_of(program), np.arange(program.options))
    parts = Parts(small, goal)
    start = solve_exact(program, Limits(gap=Fraction(1, 2)), Watch()).x
    assert start is not None
    part = parts.part(start, np.array(sorted(items), dtype=np.int64))
    assert part.goal.value(parts.inside(part, start)) == goal.value(start)
    found = solve_exact(part.program, Limits(), Watch())
    assert found.x is not None
    whole = parts.merged(part, start, found.x)
    values = evaluate(program, whole[: program.options] > 0, np.zeros(0, dtype=np.int64))
    assert np.array_equal(values.x, whole)
    assert (values.used <= program.bound).all()
    assert goal.value(whole) == found.goals[0].value <= goal.value(start)


def test_a_ceiling_is_one_more_limit():
    program = openings(6, 3, 2)
    goal = cost_of(program)
    best = solve_exact(program, Limits(), Watch()).goals[0].value
    assert solve_exact(with_ceiling(program, goal, int(best)), Limits(), Watch()).status is Status.OPTIMAL
    assert solve_exact(with_ceiling(program, goal, int(best) - 1), Limits(), Watch()).status is Status.INFEASIBLE


def test_both_engines_agree_where_both_prove():
    for seed in range(3):
        program = openings(40, 5, seed)
        exact = solve_exact(program, Limits(), Watch())
        large = solve_program(program, Limits(time_limit_s=20, deterministic=False), Watch(), engine="large")
        assert exact.status is large.status is Status.OPTIMAL
        assert exact.goals[0].value == large.goals[0].value == large.goals[0].bound


def test_equal_effort_gives_equal_plans():
    program = openings(400, 12, 5, full=0.9)
    limits = Limits(time_limit_s=20)
    first, second = (solve_program(program, limits, Watch(), engine="large") for _ in range(2))
    assert first.x is not None
    assert second.x is not None
    assert np.array_equal(first.x, second.x)
    assert first.goals == second.goals


def test_a_shortage_is_never_called_a_plan():
    program = openings(30, 3, 4)
    short = replace(program, bound=program.bound // 3)
    found = solve_program(short, Limits(time_limit_s=10, deterministic=False), Watch(), engine="large")
    assert found.x is None
    assert found.status in (Status.INFEASIBLE, Status.UNKNOWN)


def test_the_best_plan_so_far_is_kept_when_stopped():
    program, watch = openings(600, 12, 6, full=0.9), Watch()
    watch.report = lambda progress: watch.stop() if progress.best is not None else None
    found = solve_program(program, Limits(time_limit_s=600, deterministic=False), watch, engine="large")
    assert found.x is not None
    assert str(found.stopped_because) == "interrupted"
    assert found.goals[0].bound <= found.goals[0].value


def test_which_engine_is_taken():
    """Small Programs are proved as a whole; a greatest ratio is met by the exact engine whatever was asked for."""
    small, large = openings(10, 3, 1), openings(400, 12, 1)
    assert (chosen(small), chosen(large)) == ("exact", "large")
    assert (chosen(small, "large"), chosen(large, "exact")) == ("large", "exact")
    ratio = WorstGoal("worst", sp.csr_array((0, small.columns), dtype=np.int64), np.zeros(0, dtype=np.int64))
    assert chosen(replace(small, goals=(ratio,)), "large") == "exact"


@pytest.mark.golden
def test_solve_takes_the_engine_asked_for_and_says_so(tmp_path):
    """The engine for large Programs finds the same plan of Dudley, purchase included."""
    ended = capplan("solve", "inventories/dudley", "--engine", "large", "-o", tmp_path / "run")
    assert ended.code == 0
    info = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert info["engine"]["name"] == "large"
    assert [goal["value"] for goal in info["goals"]][:2] == [0, 161878.4]


def _helpers() -> set[int]:
    """Processes that search for this one."""
    mine = ["ps", "-o", "pid=,args=", "--ppid", str(os.getpid())]
    listed = subprocess.run(mine, capture_output=True, text=True, check=True).stdout
    lines = [line.split(None, 1) for line in listed.splitlines()]
    return {int(pid) for pid, args in lines if "import sys;exec" in args or "popen_loky" in args}


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kills processes by signal")
def test_a_killed_worker_costs_a_retry_and_never_the_run():
    """Processes that help are killed while they search, again and again; the plan and its bound come all the same."""
    program = openings(500, 12, 5)
    killed: set[int] = set()
    over = threading.Event()

    def kill() -> None:
        while not over.wait(1.0):
            for pid in _helpers():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    killed.add(pid)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        limits = Limits(time_limit_s=12, deterministic=False)
        found = solve_program(program, limits, Watch(), engine="large")
    finally:
        over.set()
        killer.join()
    assert found.x is not None
    assert found.goals[0].bound <= found.goals[0].value
    assert (
        evaluate(program, found.x[: program.options] > 0, found.x[program.options :][program.facts :]).used
        <= program.bound
    ).all()
    assert killed or found.status is Status.OPTIMAL


@pytest.mark.slow
def test_equal_effort_gives_equal_plans_with_helpers(monkeypatch):
    """Other processes bring their plans at the same point of the search, however fast they are."""
    # Far less effort than the clock allows, so that a busy machine ends the search at the same point too.
    monkeypatch.setattr("capplan.engine.budget.SHARE_OF_EFFORT", 0.05)
    program = openings(500, 12, 6, full=0.9)
    plans = []
    for _ in range(2):
        found = solve_program(program, Limits(time_limit_s=100, workers=2), Watch(), engine="large")
        assert found.x is not None
        plans.append((found.x.tolist(), found.goals))
    assert plans[0] == plans[1]


def test_a_relaxation_that_ended_early_replaces_no_better_prices(monkeypatch):
    """Its own would prove less, so the core goes by those before it; where they prove more, by these."""
    program = openings(40, 5, 1)
    monkeypatch.setattr(Stage, "_price_worths", lambda *_: None)
    kept = []
    for worth in (0.0, 1.0):

        def ended(*asked: Any, worth: float = worth) -> tuple[Relaxed | None, float]:
            found, took = relax(*asked)
            assert found is not None
            price, item = worth * found.price, worth * found.item
            return Relaxed(found.option, found.x, found.others, price, item, found.value), took

        monkeypatch.setattr("capplan.engine.bounding.relax", ended)
        stage = Stage(program, cost_of(program), Limits(), Watch(), lambda *_: None, None)
        bound, price = stage._prices(), stage.price
        stage._relax(bound)
        assert max(stage.last.value, stage.proof.value) >= bound.value
        assert exact_bound(stage.columns, stage.price, stage.ties, stage.worth).value >= bound.value
        kept.append(stage.price is price)
    assert kept == [True, False]


def test_independent_changes_of_two_plans_are_joined():
    """What two searches made better of one plan is taken together, and only so far as limits allow."""
    program = openings(8, 4, 3, full=0.05)
    plain = replace(cost_of(program), coefficients=cost_of(program).coefficients.copy())
    plain.coefficients[program.options :] = 0
    costs = plain.coefficients[: program.options].reshape(8, 4)

    def plan(cheapest: list[int]) -> np.ndarray:
        choice = costs.argmax(axis=1)
        choice[cheapest] = costs[cheapest].argmin(axis=1)
        taken = np.zeros((8, 4), dtype=np.bool_)
        taken[np.arange(8), choice] = True
        return evaluate(program, taken.ravel(), np.zeros(0, np.int64)).x

    base, ours, theirs, wanted = plan([]), plan([0, 1]), plan([2, 3]), plan([0, 1, 2, 3])
    place = np.tile(np.arange(4), 8)
    assert np.array_equal(joined(Parts(program, plain), place, base, ours, theirs), wanted)
    # With room for what either uses but not for both, the better of the two stays.
    most = np.maximum(program.limits @ ours, program.limits @ theirs)
    tight = replace(program, bound=np.asarray(most))
    kept = joined(Parts(tight, plain), place, base, ours, theirs)
    assert (np.asarray(program.limits @ kept) <= most).all()
    assert plain.value(kept) <= min(plain.value(ours), plain.value(theirs))


def test_a_plan_is_found_where_all_items_like_the_same_few_places_best():
    """Dear places are needed all the same when the cheap ones are full, and opening one must not keep items out."""
    items, places = 3000, 40
    random = np.random.default_rng(1)
    item, place = np.divmod(np.arange(items * places), places)
    demand = random.integers(1, 20, items)
    builder = Builder(item.astype(np.int32), items)
    names = [LimitName("capacity", str(p), -1, "u", Fraction(1)) for p in range(places)]
    bound = np.full(places, int(demand.sum() / places / 0.8))
    builder.limits(names, bound).options(place, np.arange(len(item)), demand[item])
    facts = builder.any_of(place, np.arange(len(item)), places)
    form = Form(demand[item] * (10 + place), facts={int(f): 100_000 for f in facts})
    goal = weighted("cost", "", [(form, Fraction(1))], len(item), builder.fact_count, 0)
    none = np.zeros(0, dtype=np.int64)
    columns = len(item) + builder.fact_count
    program = builder.assemble([goal], lambda: sp.csr_array((0, columns), dtype=np.int64), none)
    watch = Watch()
    watch.report = lambda progress: watch.stop() if progress.best is not None else None
    found = solve_program(program, Limits(time_limit_s=60, deterministic=False), watch)
    assert found.x is not None


def test_a_goal_that_is_met_at_once_is_not_given_up_for_a_later_one():
    """A first goal at its least value in the first plan stays there, however much the second would gain."""
    item = np.repeat(np.arange(3), 2).astype(np.int32)
    builder = Builder(item, 3)
    first = weighted("moves", "", [(Form(np.array([0, 1] * 3)), Fraction(1))], 6, 0, 0)
    second = weighted("cost", "", [(Form(np.array([9, 1] * 3)), Fraction(1))], 6, 0, 0)
    none = np.zeros(0, dtype=np.int64)
    program = builder.assemble([first, second], lambda: sp.csr_array((0, 6), dtype=np.int64), none)
    start = np.array([1, 0] * 3)
    found = solve_program(program, Limits(time_limit_s=5), Watch(), start, engine="large")
    assert [goal.value for goal in found.goals] == [0, 27]
