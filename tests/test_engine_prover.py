"""Branch and bound in a process of its own, and bounds that charge options to the facts they need."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import example, given, settings
from hypothesis import strategies as st

from capplan.engine import Limits, Status, Watch, solve_program
from capplan.engine.columns import columns_of, links_of, ties_of
from capplan.engine.dual import exact_bound
from capplan.engine.master import Master
from capplan.engine.prover import Prover
from capplan.highs import Problem, Search
from capplan.program import Builder, LimitName, LinearGoal, Program, evaluate
from capplan.units import Ints
from tests.test_engine_large import cost_of, openings


def all_plans(program: Program, goal: LinearGoal) -> list[tuple[int, Ints]]:
    """Value and columns of every plan that keeps the limits, the cheapest first."""
    found = []
    choices = [np.arange(a, b) for a, b in zip(program.item_start[:-1], program.item_start[1:], strict=True)]
    for choice in product(*choices):
        taken = np.zeros(program.options, dtype=np.bool_)
        taken[list(choice)] = True
        values = evaluate(program, taken, np.zeros(0, dtype=np.int64))
        if (values.used <= program.bound).all():
            found.append((goal.value(values.x), values.x))
    return sorted(found, key=lambda pair: pair[0])


def numbers(least: float, most: float, count: int) -> st.SearchStrategy[list[float]]:
    """Lists of so many numbers."""
    return st.lists(st.floats(least, most), min_size=count, max_size=count)


worlds = st.builds(openings, st.just(5), st.just(3), st.integers(0, 10**6), st.sampled_from([0.6, 0.8, 0.95]))


@settings(max_examples=60, deadline=None)
@given(worlds, numbers(0, 50, 3), numbers(-50, 300, 5))
def test_any_prices_and_worths_give_a_valid_bound(program: Program, prices: list[float], worths: list[float]) -> None:
    """No plan is cheaper, with any of its options; and the cut over facts is below every plan's cost at its facts."""
    goal = cost_of(program)
    plans = all_plans(program, goal)
    links = links_of(program, goal)
    columns = columns_of(program, goal, links)
    bound = exact_bound(columns, np.array(prices), ties_of(program, goal, links), np.array(worths))
    master = Master(columns, np.arange(program.facts))
    master.learn(bound)
    constant, slope = master.cuts[0]
    least = bound.least_with(program.any_of)
    for value, x in plans:
        assert bound.value + goal.constant <= value
        assert int(least[x[: program.options] > 0].max()) + goal.constant <= value
        facts = x[program.options :]
        assert constant + int(np.array(slope) @ facts) <= 16 * (value - goal.constant)


def test_a_limit_that_no_option_uses_may_have_any_price():
    """Where no plan is met soon its price climbs for ever; the bound stays valid and the arithmetic whole."""
    builder = Builder(np.zeros(2, dtype=np.int32), 1)
    facts = builder.any_of(np.zeros(2, dtype=np.int64), np.arange(2), 1)
    goal = LinearGoal("cost", np.array([3, 5, 0]), 0, Fraction(1))
    none = np.zeros(0, dtype=np.int64)
    builder.limits([LimitName("fact", "one", -1, "u", Fraction(1))], np.array([1])).facts(
        np.zeros(1, dtype=np.int64), np.array(facts), np.ones(1, dtype=np.int64)
    )
    program = builder.assemble([goal], lambda: sp.csr_array((0, 3), dtype=np.int64), none)
    columns = columns_of(program, goal, links_of(program, goal))
    for price in (1e10, 1e18):
        assert exact_bound(columns, np.full(len(columns.bound), price)).value <= 3


def test_charging_options_to_facts_makes_a_bound_stronger():
    """Two items, one site each opened for 10: the site is saved by neither alone. Prices alone know nothing of it."""
    program = openings(5, 3, 4, 0.3)
    goal = cost_of(program)
    links = links_of(program, goal)
    columns = columns_of(program, goal, links)
    no_price = np.zeros(len(columns.bound))
    cheapest = np.minimum.reduceat(goal.coefficients[: program.options], program.item_start[:-1])
    plain = exact_bound(columns, no_price)
    tied = max(
        exact_bound(columns, no_price, ties_of(program, goal, links), cheapest + float(more)).value
        for more in range(0, 60, 5)
    )
    assert plain.value == int(cheapest.sum())
    assert tied > plain.value


@settings(max_examples=8, deadline=None)
@given(worlds, st.booleans(), st.booleans())
@example(openings(5, 3, 1, 0.8), False, False)
def test_it_finds_and_proves_the_best_plan(program: Program, hinted: bool, stepwise: bool) -> None:
    """From a plan or not, freely or by steps: no bound ever exceeds the least cost, which both reach."""
    goal = cost_of(program)
    plans = all_plans(program, goal)
    if not plans:
        return
    keep = np.ones(program.options, dtype=np.bool_)
    prover = Prover(program, goal, keep, plans[-1][1] if hinted else None, 1)
    try:
        best, bound, effort = plans[-1][0] if hinted else 2**62, -(2**62), 0.0
        while not prover.ended:
            effort += 1.0
            prover.allow(effort if stepwise else None)
            found, proved = prover.hear(effort if stepwise else 1e9, 60.0)
            for x in found:
                values = evaluate(program, x[: program.options] > 0, np.zeros(0, dtype=np.int64))
                assert (values.used <= program.bound).all()
                best = min(best, goal.value(values.x))
            if proved is not None:
                bound = max(bound, proved)
                assert proved <= plans[0][0]
        assert best == bound == plans[0][0]
    finally:
        prover.end()


def test_a_plan_given_at_first_is_taken_for_what_it_costs():
    """Ways to fill two places of each of two kinds, of which presolve merges some: the plan given, at -1, is the best.

    As a start of HiGHS 1.16 it counted as -2.
    """
    held = ["0", "04", "01", "4", "14", "2", "1", "3"]
    matrix = np.zeros((7, 16))
    for column, items in enumerate(held * 2):
        matrix[[*map(int, items), 5 + column // 8], column] = 1
    sparse = sp.csc_array(matrix)
    hint = np.zeros(16)
    hint[[2, 5, 11, 15]] = 1
    problem = Problem(
        cost=np.array([0, -1, -1, 0, -1, -1, 0, -1, 1, 0, 0, 1, 0, 0, 1, 0], dtype=np.float64),
        upper=np.full(16, 2.0),
        low=np.array([1, 1, 1, 1, 1, -np.inf, -np.inf]),
        high=np.array([1, 1, 1, 1, 1, 2.0, 2.0]),
        start=sparse.indptr.astype(np.int32),
        row=sparse.indices.astype(np.int32),
        value=sparse.data,
        hint=hint,
        seed=1,
    )
    search = Search(problem)
    try:
        search.allow(None)
        found = search.hear(2**60, 60.0)
        assert search.ended
        assert found.bound == problem.cost @ hint == -1
        assert [float(problem.cost @ plan) for plan in found.plans][-1] == -1
    finally:
        search.end()


def test_what_is_impossible_has_no_plan_and_an_endless_bound() -> None:
    """Two of three may be taken, all three are needed: said when it ends, whether presolve sees it or the search."""
    matrix = sp.csc_array(np.vstack([np.eye(3), np.ones((1, 3))]))
    problem = Problem(
        cost=np.ones(3),
        upper=np.ones(3),
        low=np.array([1.0, 1.0, 1.0, -np.inf]),
        high=np.array([1.0, 1.0, 1.0, 2.0]),
        start=matrix.indptr.astype(np.int32),
        row=matrix.indices.astype(np.int32),
        value=matrix.data,
        hint=None,
        seed=1,
    )
    odd = sp.csc_array(2.0 * np.triu(np.ones((9, 9))) @ np.ones((9, 9)))
    parity = replace(
        problem,
        cost=np.ones(9),
        upper=np.ones(9),
        low=np.full(9, 1.0),
        high=odd.max(axis=1).toarray().ravel() - 1.0,
        start=odd.indptr.astype(np.int32),
        row=odd.indices.astype(np.int32),
        value=odd.data,
    )
    parity = replace(parity, low=parity.high)
    for impossible in (problem, parity):
        search = Search(impossible)
        try:
            search.allow(None)
            found = search.hear(2**60, 60.0)
            assert search.ended
            assert not found.plans
            assert found.bound == np.inf
            assert found.least is None
        finally:
            search.end()


def test_steps_make_it_repeat_itself():
    """The same problem, allowed the same steps and told the same plan, says the same at the same steps."""
    program = openings(40, 8, 5, 0.9)
    goal = cost_of(program)
    start = solve_program(program, Limits(2.0), Watch(), engine="exact").x
    assert start is not None

    def heard() -> list[tuple[list[int], int | None]]:
        prover, said = Prover(program, goal, np.ones(program.options, dtype=np.bool_), None, 3), []
        try:
            for step in range(1, 6):
                prover.allow(0.05 * step)
                plans, bound = prover.hear(0.05 * step, 60.0)
                said.append(([goal.value(x) for x in plans], bound))
                if step == 2:
                    prover.tell(start)
        finally:
            prover.end()
        return said

    assert heard() == heard()


def test_nothing_is_lost_when_its_process_dies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search goes on without it, and says what it would have said of itself."""
    killed: list[Prover] = []

    def murdered(self: Prover, *arguments: Any) -> None:
        born(self, *arguments)
        os.kill(self._search._process.pid, signal.SIGKILL)
        killed.append(self)

    born = Prover.__init__
    monkeypatch.setattr(Prover, "__init__", murdered)
    program = openings(60, 10, 6, 0.9)
    found = solve_program(program, Limits(6.0, deterministic=False), Watch(), engine="large")
    assert killed
    assert found.x is not None
    assert found.status in (Status.OPTIMAL, Status.FEASIBLE)
