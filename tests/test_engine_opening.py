"""What is opened: estimates of changes, changes that are walked, and the likeliest options for branch and bound."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.assigning import all_pairs, assigning
from capplan.engine import Limits, Status, Watch, solve_program
from capplan.engine.budget import Budget
from capplan.engine.columns import columns_of, links_of, ties_of
from capplan.engine.dual import exact_bound
from capplan.engine.experience import Experience
from capplan.engine.improve import Improver
from capplan.engine.opening import Change
from capplan.engine.prover import Prover
from capplan.engine.search import Search
from capplan.engine.stage import Stage
from capplan.program import Program, evaluate
from capplan.units import Ints
from tests.test_engine_large import cost_of, openings
from tests.test_engine_prover import all_plans, numbers, worlds


def _improver(program: Program, seed: int, choice: Ints) -> Improver:
    """At the plan of ``choice`` int64 [item], places; every option is in its core."""
    stage = Stage(program, cost_of(program), Limits(), Watch(), lambda *_: None, None)
    stage._keep(np.ones(program.options, dtype=np.bool_), stage._prices())
    taken = np.zeros(program.options, dtype=np.bool_)
    taken[program.item_start[:-1] + choice] = True
    x = evaluate(program, taken, np.zeros(0, dtype=np.int64)).x
    return Improver(stage.core, x, Budget(Limits(), Watch()), seed, Experience())


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_changes_are_ranked_by_what_they_cost_each_item_by_itself(seed: int) -> None:
    """Against loops: what is lost where a place is shut, and what is saved where another is opened instead."""
    places = 6
    program = openings(9, places, seed, full=0.2)
    random = np.random.default_rng(seed)
    choice = random.choice([0, 1, 2], program.items)
    improver = _improver(program, seed, choice)
    estimates = improver._estimates()
    reduced = improver.core.reduced.reshape(program.items, places)
    price = cost_of(program).coefficients[program.options :]
    opened = sorted(set(choice.tolist()))
    lost = {p: -float(price[p]) for p in opened}
    after = {}
    for i, p in enumerate(choice.tolist()):
        others = [reduced[i, q] for q in opened if q != p]
        after[i] = min(others) if others else reduced[i, p] + 10 * improver.core.typical
        lost[p] += after[i] - reduced[i, p]
    assert estimates._shutting.tolist() == sorted(opened, key=lambda p: lost[p])
    for shut in (None, opened[0]):
        saved = {q: -float(price[q]) for q in range(places) if q not in opened}
        for i, p in enumerate(choice.tolist()):
            now = after[i] if p == shut else reduced[i, p]
            for q in saved:
                saved[q] += max(0.0, now - reduced[i, q])
        found = estimates._opened(shut).tolist()
        assert set(found) == set(saved)
        values = [saved[q] for q in found]
        assert all(a >= b - 1e-9 * (1 + abs(a)) for a, b in pairwise(values))


def test_changes_are_drawn_once_and_the_likelier_ones_sooner() -> None:
    program = openings(12, 32, 2, full=0.2)
    estimates = _improver(program, 1, np.arange(12) % 2)._estimates()
    firsts = []
    for seed in range(200):
        change = estimates.draw(np.random.default_rng(seed), set())
        assert change is not None
        firsts.append(change)
    single = [change.open[0] for change in firsts if not change.shut and len(change.open) == 1]
    likely = estimates._opened(None)[:10].tolist()
    assert sum(place in likely for place in single) > 0.6 * len(single) > 10
    random, tried, drawn = np.random.default_rng(0), set[Change](), []
    while (change := estimates.draw(random, tried)) is not None:
        drawn.append(change)
    assert len(drawn) == len(set(drawn)) == len(tried) > 100
    assert all(set(c.shut) <= {0, 1} and not set(c.open) & {0, 1} and any(c) for c in drawn)


def test_after_a_change_nothing_shut_is_taken_and_the_rest_stays() -> None:
    program = openings(12, 5, 3, full=0.2)
    improver = _improver(program, 1, np.arange(12) % 2)
    assert improver.x is not None
    y, shut = improver._changed(improver.x, Change((0,), (3,)))
    place = np.flatnonzero(y[: program.options]) % 5
    assert set(np.setdiff1d(np.arange(program.options), shut) % 5) == {1, 3}
    assert set(place) <= {1, 3}
    assert (place[np.arange(12) % 2 == 1] == 1).all()


def test_it_finds_what_walks_do_not_open() -> None:
    """Two dear places hold all; two others would too, cheaper by far, but one alone with an item costs more."""
    program = openings(40, 4, 5, full=0.5)
    costs = np.ones(program.columns, dtype=np.int64)
    costs[program.options :] = [4000, 4000, 3000, 3000]
    goal = replace(cost_of(program), coefficients=costs)
    improver = _improver(replace(program, goals=(goal,)), 1, np.arange(40) % 2)
    improver.reopen(3.0)
    assert improver.value == 40 + 6000


def test_where_nothing_costs_anything_as_a_whole_nothing_is_opened() -> None:
    """A Program without facts, and one whose facts cost nothing: no change is tried, and the plan stays."""
    pairs = all_pairs(6, 3, np.random.default_rng(1).integers(1, 20, (6, 3)))
    bare = assigning(pairs, 6, np.full((6, 1), 2), np.full((3, 1), 9)).program
    assert bare.facts == 0
    goal = replace(cost_of(openings(6, 3, 1)), coefficients=np.ones(21, dtype=np.int64))
    goal.coefficients[18:] = 0
    free = replace(openings(6, 3, 1), goals=(goal,))
    for program in (bare, free):
        improver = _improver(program, 1, np.arange(6) % 3)
        before, effort = improver.value, improver.budget.effort
        improver.reopen(0.5)
        assert (improver.value, improver.budget.effort) == (before, effort)
    found = solve_program(bare, Limits(10.0), Watch(), engine="large")
    assert found.status is Status.OPTIMAL


def test_a_site_in_two_periods_is_opened_in_both() -> None:
    """Every option brings two facts that cost something: none that a change opens is shut because of the other."""
    program = openings(8, 4, 3, full=0.3)
    twice = sp.vstack([program.any_of, program.any_of]).tocsr()
    goal = cost_of(program)
    costs = np.concatenate([goal.coefficients, goal.coefficients[program.options :] + 1])
    goal = replace(goal, coefficients=costs)
    more = program.limits.rest
    limits = replace(program.limits, rest=sp.csr_array((more.data, more.indices, more.indptr), (more.shape[0], 40)))
    program = replace(program, any_of=twice, limits=limits, goals=(goal,), tie_base=program.tie_base)
    improver = _improver(program, 1, np.arange(8) % 2)
    estimates = improver._estimates()
    assert estimates.held.tolist() == [4, 5]
    assert estimates.closed.tolist() == [6, 7]
    assert improver.x is not None
    _, shut = improver._changed(improver.x, Change((4,), (6,)))
    assert set(np.setdiff1d(np.arange(program.options), shut) % 4) == {1, 2}


@settings(max_examples=40, deadline=None)
@given(worlds, numbers(0, 50, 3), numbers(-50, 300, 5))
def test_an_option_brings_facts_that_do_not_pay(program: Program, prices: list[float], worths: list[float]) -> None:
    """The bound on plans with an option holds what its fact costs beyond what it saves, and is one (brute force)."""
    goal = cost_of(program)
    links = links_of(program, goal)
    bound = exact_bound(
        columns_of(program, goal, links), np.array(prices), ties_of(program, goal, links), np.array(worths)
    )
    least = bound.least_with(program.any_of)
    beyond = np.array([max(0, v) // bound.scale for v in bound.others[: program.facts]])
    alone = bound.reduced // bound.scale + bound.total // bound.scale
    assert (least == alone + beyond[np.arange(program.options) % program.facts]).all()
    for value, x in all_plans(program, goal):
        assert int(least[x[: program.options] > 0].max()) + goal.constant <= value


@settings(max_examples=6, deadline=None)
@given(worlds, st.integers(0, 10**6))
def test_a_bound_over_some_options_holds_for_all(program: Program, seed: int) -> None:
    """Of any part of the options, with the least that plans with any other option cost."""
    goal = cost_of(program)
    plans = all_plans(program, goal)
    keep = np.random.default_rng(seed).random(program.options) < 0.7
    keep[program.item_start[:-1]] = True
    outside = [value for value, x in plans if (x[: program.options] > keep).any()]
    if not plans or not outside:
        return
    prover = Prover(program, goal, keep, None, 1, min(outside))
    try:
        prover.allow(None)
        _, bound = prover.hear(1e9, 60.0)
        assert prover.ended
        assert bound is None or bound <= plans[0][0]
        if plans[0][0] < min(outside):
            assert bound == plans[0][0]
    finally:
        prover.end()


def test_where_few_are_needed_the_likeliest_options_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Branch and bound is given more whenever it is done, until what it had is all that may be better: a proof."""
    given: list[tuple[int, int]] = []
    begin = Search.begin_proof

    def noted(self: Search, keep: Any, elsewhere: int | None) -> None:
        given.append((int(keep.sum()), self.whole.options))
        begin(self, keep, elsewhere)

    monkeypatch.setattr("capplan.engine.search.Search.begin_proof", noted)
    monkeypatch.setattr("capplan.engine.stage.Stage._likely_most", 200)
    monkeypatch.setattr("capplan.engine.stage.SMALL", 0)
    program = openings(80, 40, 3, full=0.04)
    limits = Limits(30.0, workers=2, deterministic=False)
    found = solve_program(program, limits, Watch(), engine="large")
    assert found.status is Status.OPTIMAL
    assert given[0][0] < 500 < given[0][1]
    assert len(given) > 1
    assert given[1][0] > given[0][0]
    exact = solve_program(program, limits, Watch(), engine="exact")
    assert exact.status is not Status.OPTIMAL or exact.goals[0].value == found.goals[0].value
