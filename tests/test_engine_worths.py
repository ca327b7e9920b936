"""Prices and worths that are climbed to together, and the relaxation that begins with them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from capplan.engine import Limits, Watch, solve_exact
from capplan.engine.columns import Columns, Ties, columns_of, links_of, ties_of
from capplan.engine.dual import Bound, exact_bound
from capplan.engine.stage import VAIN_MOST, Stage
from capplan.engine.worths import Worths, _Look, climbed
from capplan.program import LinearGoal, Program
from capplan.units import Floats
from tests.test_engine_large import cost_of, openings
from tests.test_engine_proof import programs


def _tied(program: Program, goal: LinearGoal) -> tuple[Columns, Ties]:
    links = links_of(program, goal)
    return columns_of(program, goal, links), ties_of(program, goal, links)


def _climbed(columns: Columns, ties: Ties, price: Floats) -> tuple[Bound, Worths]:
    start = exact_bound(columns, price)
    return start, climbed(columns, ties, np.ones(len(columns.bound)), lambda: False, start)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.floats(0, 50), min_size=4, max_size=4), st.booleans(), st.booleans())
def test_a_climb_proves_no_less_and_nothing_false(seed: int, prices: list[float], loose: bool, free: bool) -> None:
    """From any prices; also where some options need no fact, and where options cost nothing."""
    program = openings(6, 4, seed)
    goal = cost_of(program)
    if free:
        goal = replace(goal, coefficients=np.where(np.arange(program.columns) < program.options, 0, goal.coefficients))
        program = replace(program, goals=(goal,))
    best = solve_exact(program, Limits(), Watch())
    assert best.x is not None
    columns, ties = _tied(program, goal)
    if loose:
        # It allows more: what these options cost is not charged to any fact.
        ties = replace(ties, pair=np.where(np.arange(program.options) % 3 == 0, -1, ties.pair))
    start, found = _climbed(columns, ties, np.array(prices))
    assert start.value <= found.bound.value <= best.goals[0].value - goal.constant
    again = start if found.bound is start else exact_bound(columns, found.price, ties, found.worth)
    assert found.bound.value == again.value
    assert ((found.held >= 0) & (found.held <= 1)).all()


@settings(max_examples=40, deadline=None)
@given(programs())
def test_a_climb_proves_nothing_false_of_any_program(program: Program) -> None:
    """Entries of either sign, facts that cost and count, a purchase."""
    goal = LinearGoal("cost", np.arange(program.columns, dtype=np.int64), 0, Fraction(1))
    columns, ties = _tied(program, goal)
    best = solve_exact(replace(program, goals=(goal,)), Limits(), Watch())
    _, found = _climbed(columns, ties, np.zeros(len(columns.bound)))
    if best.x is not None:
        assert found.bound.value <= best.goals[0].value


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_the_slope_of_the_smoothed_bound_is_its_slope(seed: int, loose: bool) -> None:
    program = openings(5, 3, seed)
    columns, ties = _tied(program, cost_of(program))
    if loose:
        ties = replace(ties, pair=np.where(np.arange(program.options) % 4 == 0, -1, ties.pair))
    look = _Look(columns, ties, np.ones(len(columns.bound)), 30.0)
    look.heat = 0.3
    random = np.random.default_rng(seed)
    x = random.random(look.rows + look.items) * 2
    slope = look(x)[1]
    step = 1e-5
    for k in range(len(x)):
        up, down = x.copy(), x.copy()
        up[k] += step
        down[k] -= step
        assert abs((look(up)[0] - look(down)[0]) / (2 * step) - slope[k]) < 1e-4 * (1 + abs(slope[k]))


def test_a_climb_from_nothing_proves_what_has_to_be_opened():
    """Options cost nothing, limits nothing at first: of four equal sites of 1,000 each two are needed."""
    program = openings(10, 4, 5, full=0.9)
    goal = cost_of(program)
    goal = replace(goal, coefficients=np.where(np.arange(program.columns) < program.options, 0, 1000))
    demand = program.limits.tocsr()[[0]].sum()
    program = replace(program, goals=(goal,), bound=np.full(4, -(-int(demand) // 2) + 1))
    columns, ties = _tied(program, goal)
    start, found = _climbed(columns, ties, np.zeros(4))
    assert start.value == 0
    assert 1800 < found.bound.value <= 2000


def test_worths_know_that_a_site_is_opened_as_a_whole():
    """One item, one site: 10 of 100 units used, opening costs 100. Limits alone charge a tenth of that."""
    program = openings(1, 1, 0)
    goal = cost_of(program)
    goal = replace(goal, coefficients=np.array([3, 100], dtype=np.int64))
    limits = program.limits
    demand = int(limits.tocsr().toarray()[0, 0])
    program = replace(program, goals=(goal,), bound=np.array([10 * demand]))
    columns, ties = _tied(program, goal)
    start, found = _climbed(columns, ties, np.array([10.0 / demand]))
    assert start.value == 3 + 10
    assert found.bound.value == 3 + 100


def test_a_relaxation_gets_near_its_best_where_sites_cost_much(monkeypatch):
    """A few of 30 sites are worth opening. It begins with three options of each item and takes what it lacks most."""
    monkeypatch.setattr("capplan.engine.bounding.LP_WHOLE", 0)
    program = openings(120, 30, 3, full=0.05)
    goal = cost_of(program)
    dear = np.where(np.arange(program.columns) >= program.options, 40, 1)
    goal = replace(goal, coefficients=dear * goal.coefficients)
    program = replace(program, goals=(goal,))
    stage = Stage(program, goal, Limits(), Watch(), lambda *_: None, None)
    by_prices = stage._prices()
    relaxed = stage._relax(by_prices)
    assert relaxed is not None
    assert stage.bound > 1.3 * by_prices.value
    assert stage.bound >= 0.999 * relaxed.value
    assert len(relaxed.option) < program.options
    stage.run(0)
    assert stage.best is not None
    assert stage._value <= 1.05 * stage.bound


def test_proposals_in_vain_end(monkeypatch):
    """Where neither the bound nor the plan gets better by what is proposed, the time is for something else."""
    program = openings(210, 60, 3, full=0.03)
    stage = Stage(program, cost_of(program), Limits(), Watch(), lambda *_: None, None)
    bound = stage._prices()
    stage._keep(stage._attractive(bound), bound)
    stage._first_plan()
    relaxed = stage._relax(bound)
    assert relaxed is not None
    assert stage.best is not None
    tried = []
    monkeypatch.setattr(Stage, "_placed_better", lambda *_: False)
    monkeypatch.setattr(Stage, "_try_proposal", lambda *_: tried.append(1))
    monkeypatch.setattr(Stage, "prove", lambda *_: None)
    stage._propose(relaxed, stage._proposable())
    assert 0 < len(tried) <= VAIN_MOST
    assert not stage.over()
