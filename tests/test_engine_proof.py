"""Quick proofs: what they refuse has no solution, and the items and limits that they name contradict each other."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from capplan.engine import Kept, Limits, Questions, Watch, impossible, least_widening, proofs
from capplan.engine.repair import repaired
from capplan.program import Coefficients, LimitName, Program, PurchaseName, Purchases, evaluate
from capplan.units import Ints

SECONDS = 60.0


def program(
    homes: list[int], limits: list[list[int]], bound: list[int], facts: list[list[int]] | None = None, bought: int = 0
) -> Program:
    """A Program of items with so many options each. ``limits`` [limit][column] over options, facts, purchases."""
    item = np.repeat(np.arange(len(homes)), homes)
    held = [[option in fact for option in range(len(item))] for fact in facts or []]
    columns = len(item) + len(held) + bought
    matrix = sp.csr_array(np.array(limits, dtype=np.int64).reshape(len(bound), columns))
    names = tuple(LimitName("rule", str(i), -1, "unit", Fraction(1)) for i in range(len(bound)))
    purchases = tuple(PurchaseName(str(i), -1, 0, "") for i in range(bought))
    return Program(
        item=item,
        items=len(homes),
        any_of=sp.csr_array(np.array(held, dtype=np.bool_).reshape(len(held), len(item))),
        purchases=Purchases(purchases, np.full(bought, 2), np.zeros(bought, dtype=np.bool_)),
        limits=Coefficients(matrix, item, None, np.zeros((0, 0), np.int32), np.zeros((0, 0), np.int64)),
        bound=np.array(bound, dtype=np.int64),
        limit_names=names,
        goals=(),
        make_ties=lambda: sp.csr_array((0, columns), dtype=np.int64),
        tie_base=np.zeros(0, np.int64),
    )


def solutions(one: Program, items: Ints, rows: Ints) -> list[Ints]:
    """Every way to place ``items``, others left without, with which the limits ``rows`` hold: by trying all."""
    start, found = one.item_start, []
    asked = set(items.tolist())
    spans = [range(start[i], start[i + 1]) if i in asked else [-1] for i in range(one.items)]
    for chosen in itertools.product(*spans):
        taken = np.zeros(one.options, dtype=np.bool_)
        taken[[option for option in chosen if option >= 0]] = True
        for bought in itertools.product(range(3), repeat=len(one.purchases)):
            values = evaluate(one, taken, np.array(bought, dtype=np.int64))
            if (values.used[rows] <= one.bound[rows]).all():
                found.append(values.x)
    return found


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Up to four items with up to three options, up to four limits, a fact and a purchase."""
    homes = draw(st.lists(st.integers(1, 3), min_size=1, max_size=4))
    options, rows = sum(homes), draw(st.integers(1, 4))
    fact = draw(st.lists(st.integers(0, options - 1), min_size=1, max_size=3, unique=True))
    entry = st.integers(-2, 4) if draw(st.booleans()) else st.integers(0, 3)
    limits = [
        [
            *draw(st.lists(entry, min_size=options, max_size=options)),
            draw(st.integers(-2, 2)),
            draw(st.integers(-2, 1)),
        ]
        for _ in range(rows)
    ]
    bound = draw(st.lists(st.integers(-2, 6), min_size=rows, max_size=rows))
    return program(homes, limits, bound, [fact], bought=1)


@given(programs())
def test_what_is_proved_impossible_is(one: Program):
    """No way to place what a proof names keeps the limits that it names; so none keeps all."""
    everything, rows = np.ones(one.items, dtype=np.bool_), np.ones(len(one.bound), dtype=np.bool_)
    found = list(proofs(one, everything, rows, SECONDS))
    for proof in found:
        assert not solutions(one, np.arange(one.items), proof.rows)
    assert impossible(one, SECONDS) == bool(found)
    if found:
        assert not solutions(one, np.arange(one.items), np.arange(len(one.bound)))


@given(programs())
def test_questions_are_answered_as_trying_all_answers_them(one: Program):
    """Of some items, some limits and some options; items that are not asked for may help to keep limits or not."""
    draw = np.random.default_rng(one.options)
    items, rows = draw.random(one.items) < 0.7, draw.random(len(one.bound)) < 0.7
    ask = Questions(one, Limits(SECONDS), Watch(), until=np.inf)
    kept = Kept(items, rows, np.ones(one.options, dtype=np.bool_))
    free = np.flatnonzero(~items)
    possible = any(
        solutions(one, np.union1d(np.flatnonzero(items), np.array(some, dtype=np.int64)), np.flatnonzero(rows))
        for count in range(len(free) + 1)
        for some in itertools.combinations(free.tolist(), count)
    )
    assert ask.possible(kept) == possible


@given(programs())
def test_the_least_widening_is_the_least_of_all(one: Program):
    """One less does not do, by trying all; and where there is none, however much more does not."""
    ask = Questions(one, Limits(SECONDS), Watch(), until=np.inf)
    answer = least_widening(one, {0: 1}, ask)
    others = np.arange(1, len(one.bound))
    every = [int((one.limits @ x)[0] - one.bound[0]) for x in solutions(one, np.arange(one.items), others)]
    if answer.amount is None:
        assert not every or min(every) <= 0 or not answer.least
    else:
        assert answer.least
        assert answer.amount == max(0, min(every))


def test_one_more_than_there_are_places_is_proved_and_nothing_else_is_named():
    """Six that must be apart at five places, beside four that need not be: the six and the five limits."""
    homes = [5] * 10
    limits = [[int(option % 5 == place and option < 30) for option in range(50)] for place in range(5)]
    loose = [[int(option % 5 == place) for option in range(50)] for place in range(5)]
    one = program(homes, [*limits, *loose], [1] * 5 + [10] * 5)
    [proof] = proofs(one, np.ones(10, dtype=np.bool_), np.ones(10, dtype=np.bool_), SECONDS)
    assert proof.items.tolist() == [0, 1, 2, 3, 4, 5]
    assert proof.rows.tolist() == [0, 1, 2, 3, 4]


def test_two_contradictions_that_have_nothing_in_common_are_two_proofs():
    """Two of size 3 at one place of 5, and the same elsewhere."""
    one = program([1, 1, 1, 1], [[3, 3, 0, 0], [0, 0, 3, 3]], [5, 5])
    found = list(proofs(one, np.ones(4, dtype=np.bool_), np.ones(2, dtype=np.bool_), SECONDS))
    assert [(proof.items.tolist(), proof.rows.tolist()) for proof in found] == [([0, 1], [0]), ([2, 3], [1])]


def test_a_plan_is_repaired_where_it_is_broken_and_stays_elsewhere():
    """Sixty items at two places for forty; all are at the first: with more than can be placed anew it is given up."""
    limits = [[int(option % 2 == place) for option in range(120)] for place in range(2)]
    one = program([2] * 60, limits, [40, 40])
    x = np.zeros(120, dtype=np.int64)
    x[::2] = 1
    found = repaired(one, x, np.zeros(60, dtype=np.bool_), Limits(SECONDS), Watch())
    assert found is not None
    assert (one.limits @ found <= one.bound).all()
    assert (found.reshape(60, 2).sum(axis=1) == 1).all()
    many = program([2] * 200, [[int(option % 2 == 0) for option in range(400)]], [199])
    crowded = np.tile(np.array([1, 0], dtype=np.int64), 200)
    assert repaired(many, crowded, np.zeros(200, dtype=np.bool_), Limits(SECONDS), Watch()) is None


def test_a_proof_names_the_limits_that_shut_what_would_help():
    """The second item's first option would pay for the first item's, but breaks a limit all alone."""
    one = program([1, 2], [[0, 1, 0], [1, -1, 0]], [0, 0])
    (proof,) = proofs(one, np.ones(2, dtype=np.bool_), np.ones(2, dtype=np.bool_), SECONDS)
    assert proof.rows.tolist() == [0, 1]
    assert not list(proofs(one, np.ones(2, dtype=np.bool_), np.array([False, True]), SECONDS))
