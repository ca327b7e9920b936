"""Plans far from their bound are cooled slowly before short walks go on from them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from capplan.engine import Limits, Watch
from capplan.engine.experience import AFRESH, HEATS, OPEN, WALK, Experience
from capplan.engine.stage import COOL_SHARE, Stage
from capplan.engine.walk import BRISK, Pace
from capplan.engine.walking import Course
from capplan.program import Program, evaluate
from capplan.units import Ints
from tests.test_engine_large import cost_of, openings


@pytest.mark.parametrize("far", [True, False])
def test_a_plan_far_from_its_bound_is_cooled_and_one_that_is_near_is_not(far: bool, monkeypatch):
    """Slowly, from where it was given; equal effort gives equal plans."""
    program = openings(800, 16, 6, full=0.9)
    goal, given = cost_of(program), first_fit(program)
    monkeypatch.setattr("capplan.engine.stage.SMALL", 0)
    monkeypatch.setattr("capplan.engine.stage.FAR", 0.1 if far else 0.99)
    monkeypatch.setattr("capplan.engine.budget.SHARE_OF_EFFORT", 0.02)
    plans = []
    for _ in range(2):
        stage = Stage(program, goal, Limits(time_limit_s=100, workers=1), Watch(), lambda *_: None, given)
        bound = stage._prices()
        stage._keep(stage._attractive(bound), bound)
        before = stage.left
        stage._cool()
        assert stage.best is not None
        assert (before - stage.left >= COOL_SHARE * before) == far
        plans.append((goal.value(stage.best), stage.best.tolist(), stage.bound + goal.constant))
    assert plans[0] == plans[1]
    value, _, least = plans[0]
    # What it began with costs several times the bound.
    assert value - least < 0.1 * (goal.value(given) - least) if far else value == goal.value(given)


def first_fit(program: Program) -> Ints:
    """Every item at the first place that has room for it. A plan, int64 [column]."""
    need, room = program.limits.tocsr().toarray()[:, : program.options], program.bound.copy()
    taken = np.zeros(program.options, dtype=np.bool_)
    for first, end in pairwise(program.item_start.tolist()):
        fits = next(o for o in range(first, end) if (need[:, o] <= room).all())
        room -= need[:, fits]
        taken[fits] = True
    return evaluate(program, taken, np.zeros(0, dtype=np.int64)).x


def test_after_slow_cooling_come_walks_that_begin_no_hotter():
    """Down to 0.005: neither hotter walks nor those afresh are curious any more, unless they had paid before."""
    experience = Experience()
    experience.chooser.learn(AFRESH, 30, 3)
    experience.cooled(0.005)
    rates = experience.chooser.rate
    assert [rates[WALK + n] for n in range(len(HEATS))] == [None if heat <= 0.005 else 0.0 for heat in HEATS]
    assert rates[AFRESH:OPEN] == [10.0, 0.0, 0.0, 0.0]
    assert rates[:WALK] + rates[OPEN:] == [None] * (WALK + 1)


def test_a_long_walk_takes_its_time_with_limits():
    """Among 5,000 items they get dearer after 1,250 moves, cheaper after 50,000, by half as much at half of the way."""
    course = Course(0.05, long=True, raises=0.25, eases=10)
    assert course.pace(5_000, 7, 0.5) == pytest.approx(Pace(1_250, 50_000, 0.95, 7))
    assert course.pace(10, 0, 0.0) == BRISK
    assert Course(0.05).pace(5_000, 7, 0.5) == BRISK._replace(begun=7)
