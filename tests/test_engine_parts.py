"""Parts of a plan that are solved again: what is freed, among which options, and the best mixture of several plans."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from capplan.engine import Limits, Watch, linear
from capplan.engine.columns import columns_of, links_of
from capplan.engine.core import Core, core_of
from capplan.engine.dual import exact_bound
from capplan.engine.linear import relax
from capplan.engine.neighbourhood import ARMS, neighbourhood
from capplan.engine.stage import Stage
from capplan.program import Program, evaluate
from capplan.units import Floats, Ints
from tests.test_engine_large import cost_of, openings

SEEDS = st.integers(0, 10**6)


def core_at(program: Program, price: Floats) -> Core:
    """All options of a Program, at some prices."""
    goal = cost_of(program)
    bound = exact_bound(columns_of(program, goal, links_of(program, goal)), price)
    return core_of(program, goal, np.ones(program.options, dtype=np.bool_), bound, price)


def some_choice(program: Program, random: np.random.Generator) -> Ints:
    """An option of each item, whatever limits say. int64 [item]."""
    return random.integers(program.item_start[:-1], program.item_start[1:])


def measured(program: Program, choice: Ints) -> tuple[bool, Ints]:
    """Whether a choice keeps all limits, and its columns. int64 [column]."""
    taken = np.zeros(program.options, dtype=np.bool_)
    taken[choice] = True
    values = evaluate(program, taken, np.zeros(len(program.purchases), dtype=np.int64))
    return bool((values.used <= program.bound).all()), values.x


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.sampled_from(range(len(ARMS))))
def test_what_is_freed(seed: int, kind: int) -> None:
    """Items of the plan, no more than were asked for, the seed among them; with a reach only such as may move in it."""
    random = np.random.default_rng(seed)
    program = openings(200, 8, seed)
    core = core_at(program, random.random(len(program.bound)) * 5)
    taken, around = some_choice(program, random), int(random.integers(200))
    freed = neighbourhood(core, taken, kind, random, around)
    items = freed.items
    assert (np.diff(items) > 0).all()
    assert items[0] >= 0
    assert items[-1] < program.items
    assert len(items) <= ARMS[kind].items + 1
    if ARMS[kind].places:
        assert around in items
    reach = ARMS[kind].reach
    assert (freed.allowed is None) == (reach is None)
    if freed.allowed is None or reach is None:
        return
    assert freed.allowed.sum() >= (1 + reach) * program.items
    assert core.reduced[freed.allowed].max() <= core.reduced[~freed.allowed].min()
    others = freed.allowed.copy()
    others[taken] = False
    for item in items[items != around]:
        assert others[program.item_start[item] : program.item_start[item + 1]].any()


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.sets(st.integers(0, 11), min_size=1), st.integers(0, 2**36 - 1))
def test_a_part_has_the_options_that_are_allowed_and_those_that_are_taken(seed: int, items: set[int], bits: int):
    program = openings(12, 3, seed)
    core = core_at(program, np.zeros(len(program.bound)))
    _, x = measured(program, some_choice(program, np.random.default_rng(seed)))
    allowed = np.array([bits >> o & 1 for o in range(program.options)], dtype=np.bool_)
    part = core.parts.part(x, np.array(sorted(items), dtype=np.int64), allowed)
    wanted = [o for o in range(program.options) if program.item[o] in items and (allowed[o] or x[o])]
    assert part.option.tolist() == wanted
    assert part.program.item.tolist() == [sorted(items).index(program.item[o]) for o in wanted]
    assert part.goal.value(core.parts.inside(part, x)) == cost_of(program).value(x)


@settings(max_examples=15, deadline=None)
@given(SEEDS)
def test_the_best_mixture_of_three_plans_is_found(seed: int) -> None:
    """Of all that can be made of the choices of three plans, held against every one of them."""
    program, random = openings(6, 4, seed, full=0.5), np.random.default_rng(seed)
    found = [x for ok, x in (measured(program, some_choice(program, random)) for _ in range(50)) if ok][:3]
    assume(len(found) == 3)
    sent, ours, theirs = found
    goal = cost_of(program)
    stage = Stage(program, goal, Limits(10, seed=seed), Watch(), lambda *_: None, ours)
    stage.enough = None
    stage._mix(core_at(program, np.zeros(len(program.bound))), sent, ours, theirs)
    choices = [sorted({int(np.flatnonzero(x[: program.options])[i]) for x in found}) for i in range(6)]
    mixtures = [measured(program, np.array(choice)) for choice in product(*choices)]
    assert stage.best is not None
    assert goal.value(stage.best) == min(goal.value(x) for ok, x in mixtures if ok)


@pytest.mark.parametrize("entries", [0, 10**9])
def test_the_relaxation_is_the_same_by_either_method_and_tells_its_effort(entries: int, monkeypatch):
    program = openings(60, 4, 1)
    goal = cost_of(program)
    columns = columns_of(program, goal, links_of(program, goal))
    simplex, _ = relax(columns, np.arange(program.options), 10.0)
    monkeypatch.setattr(linear, "BARRIER_FROM", entries)
    solved, effort = relax(columns, np.arange(program.options), 10.0)
    again, as_much = relax(columns, np.arange(program.options), 10.0)
    assert simplex is not None
    assert solved is not None
    assert again is not None
    assert solved.value == pytest.approx(simplex.value, rel=1e-6)
    assert 0 < effort == as_much
    assert np.array_equal(solved.price, again.price)


def test_a_relaxation_that_takes_more_effort_than_it_may_is_given_up(monkeypatch):
    program = openings(60, 4, 1)
    goal = cost_of(program)
    columns = columns_of(program, goal, links_of(program, goal))
    monkeypatch.setattr(linear, "BARRIER_FROM", 0)
    _, effort = relax(columns, np.arange(program.options), 10.0)
    solved, took = relax(columns, np.arange(program.options), 10.0, effort=effort / 10)
    assert solved is None
    assert 0 < took <= effort / 5
