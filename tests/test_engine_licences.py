"""What bounds and searches make of licences: packs, clusters that are paid for once reached, editions.

Small Programs with hosts: items go to places with a capacity; some of them need a product that is paid for a place as
soon as one of them is there, in packs; others are counted by machines, two a step, unless an edition covers the place.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise, product

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from capplan.engine import Limits, Status, Watch, solve_exact, solve_program
from capplan.engine.columns import Columns, Small, columns_of, links_of
from capplan.engine.dual import exact_bound
from capplan.engine.linear import gather, relax
from capplan.engine.settled import settled, worth
from capplan.program import Builder, Form, LimitName, LinearGoal, Program, PurchaseName, evaluate, weighted
from capplan.units import Floats, Ints

UNIT = Fraction(1)


def hosted(items: int, places: int, seed: int, owned: int = 0) -> Program:
    """A licensed world. Every third item needs nothing."""
    random = np.random.default_rng(seed)
    item, place = np.divmod(np.arange(items * places), places)
    option, builder = np.arange(items * places), Builder(item.astype(np.int32), items)
    demand = random.integers(1, 9, items)
    names = [LimitName("capacity", str(p), -1, "u", UNIT) for p in range(places)]
    builder.limits(names, np.full(places, int(1.4 * demand.sum() / places) + 8)).options(place, option, demand[item])
    _by_host(builder, place, np.flatnonzero(item % 3 == 0), (places, owned), random)
    _by_machine(builder, place, np.flatnonzero(item % 3 == 1), places, random)
    builder.settle()
    cost = Form(random.integers(1, 60, len(item)) + builder.money.placed, builder.money.facts, builder.money.purchases)
    counts = len(item), builder.fact_count, len(builder.purchase_names)
    goal, none = weighted("cost", "", [(cost, UNIT)], *counts), np.zeros(0, dtype=np.int64)
    return builder.assemble([goal], lambda: sp.csr_array((0, sum(counts)), dtype=np.int64), none)


def _by_host(builder: Builder, place: Ints, option: Ints, size: tuple[int, int], random: np.random.Generator) -> None:
    """Cores of every place that is reached, in packs of two, the price of which is no whole number of pence."""
    places, owned = size
    facts = builder.any_of(place[option].astype(np.int32), option.astype(np.int32), places)
    pack = builder.purchase(PurchaseName("PACK", -1, 0, ""), 99, derived=False)
    builder.purchase_charge(pack, "licence", 0, Fraction(int(random.integers(20, 60)), 3))
    block = builder.limits([LimitName("licences", "core", 0, "licences", UNIT)], np.array([owned]))
    block.facts(np.zeros(places, np.int64), facts, 2 * random.integers(2, 9, places))
    block.purchases(np.zeros(1, np.int64), np.array([pack]), np.array([-2]))


def _by_machine(builder: Builder, place: Ints, option: Ints, places: int, random: np.random.Generator) -> None:
    """Two machines a step at each place, or an edition for all of them; both are charged by the piece."""
    for p in range(places):
        here = option[place[option] == p]
        step = builder.purchase(PurchaseName("", -1, -1, ""), len(here), derived=True)
        edition = builder.purchase(PurchaseName(f"EDITION {p}", -1, 0, ""), 1, derived=False)
        builder.purchase_charge(step, "licence", 0, Fraction(int(random.integers(10, 30))))
        builder.purchase_charge(edition, "licence", 0, Fraction(int(random.integers(20, 50))))
        block = builder.limits([LimitName("", str(p), -1, "", UNIT)], np.zeros(1, np.int64))
        zero = np.zeros(len(here), np.int64)
        block.options(zero, here, zero + 1)
        block.purchases(np.zeros(2, np.int64), np.array([step, edition]), np.array([-2, -2 * len(here)]))


def goal_of(program: Program) -> LinearGoal:
    [goal] = program.goals
    assert isinstance(goal, LinearGoal)
    return goal


def plans(program: Program) -> Iterator[Ints]:
    """Every choice with every combination of editions that keeps all limits, with the fewest packs."""
    start, decided = program.item_start.tolist(), np.flatnonzero(~program.purchases.derived)
    for options in product(*(range(first, end) for first, end in pairwise(start))):
        taken = np.zeros(program.options, dtype=np.bool_)
        taken[list(options)] = True
        for steps in product((0, 1), repeat=len(decided)):
            bought = np.zeros(len(program.purchases), dtype=np.int64)
            bought[decided] = steps
            values = evaluate(program, taken, bought)
            if (values.used <= program.bound).all():
                yield values.x


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 9))
def test_packs_that_follow_from_the_choice_change_no_optimum(seed: int, owned: int):
    """Packs become derived, editions stay decided; the exact engine agrees with enumeration of what is left."""
    program = hosted(5, 3, seed, owned)
    derived = settled(program)
    names = [name.purchase for name in derived.purchases.names]
    assert [names[p] for p in np.flatnonzero(~derived.purchases.derived)] == ["EDITION 0", "EDITION 1", "EDITION 2"]
    goal = goal_of(program)
    least = min(goal.value(x) for x in plans(derived))
    best = solve_exact(program, Limits(), Watch())
    assert best.status is Status.OPTIMAL
    assert best.goals[0].value == least


def test_a_purchase_that_another_can_replace_stays_a_decision():
    """Two ways to widen one limit, or a price below 0: the least of either is not always best."""
    builder = Builder(np.zeros(1, dtype=np.int32), 1)
    ways = [builder.purchase(PurchaseName(name, -1, 0, ""), 5, derived=False) for name in ("A", "B", "C")]
    zero = np.zeros(1, dtype=np.int64)
    block = builder.limits([LimitName("r", str(k), -1, "u", UNIT) for k in range(2)], np.zeros(2, dtype=np.int64))
    block.options(np.arange(2), np.zeros(2, np.int64), np.full(2, 3))
    block.purchases(np.array([0, 0, 1]), np.array(ways), np.full(3, -1))
    form = Form(zero, purchases={ways[0]: 2, ways[1]: 3, ways[2]: -1})
    goal = weighted("cost", "", [(form, UNIT)], 1, 0, 3)
    program = builder.assemble([goal], lambda: sp.csr_array((0, 4), dtype=np.int64), zero[:0])
    assert not settled(program).purchases.derived.any()
    assert settled(program) is program


def _every_row_holds(columns: Columns, x: Ints) -> bool:
    """Whether a plan of the Program keeps all rows of its columns, those for fractions included."""
    options = len(columns.cost)
    taken = np.flatnonzero(x[:options])
    _, row, value = gather(columns, taken)
    used = np.zeros(len(columns.bound), dtype=np.int64)
    np.add.at(used, row, value)
    other = np.repeat(x[options:], np.diff(columns.other_at))
    np.add.at(used, columns.other_row, columns.other * other)
    return bool((used <= columns.bound).all())


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 9))
def test_rows_for_fractions_cut_off_no_plan(seed: int, owned: int):
    """Every plan keeps every row: item by item, limit by limit, released limits at any exchange rate."""
    program = settled(hosted(5, 3, seed, owned))
    columns = columns_of(program, goal_of(program), links_of(program, goal_of(program)))
    assert len(columns.bound) > len(program.bound)
    assert all(_every_row_holds(columns, x) for x in plans(program))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 9), st.lists(st.floats(0, 80), min_size=1, max_size=9))
def test_bounds_never_exceed_the_optimum(seed: int, owned: int, prices: list[float]):
    """At any prices, and at those of the relaxation."""
    program = settled(hosted(5, 3, seed, owned))
    goal = goal_of(program)
    columns = columns_of(program, goal, links_of(program, goal))
    best = solve_exact(program, Limits(), Watch()).goals[0].value - goal.constant
    any_price: Floats = np.resize(np.array(prices), len(columns.bound))
    assert exact_bound(columns, any_price).value <= best
    relaxed, _ = relax(columns, np.arange(program.options), 10.0)
    assert relaxed is not None
    assert exact_bound(columns, relaxed.price).value <= best


def test_rows_for_fractions_bring_the_bound_nearer():
    """Summed over 20 worlds at least half of what is lost without them is won back."""
    lost, kept = Fraction(0), Fraction(0)
    for seed in range(20):
        program = settled(hosted(9, 3, seed))
        goal = goal_of(program)
        columns = columns_of(program, goal, links_of(program, goal))
        best = solve_exact(program, Limits(), Watch()).goals[0].value - goal.constant
        bounds = []
        for rows in (columns, _plain(program, columns)):
            relaxed, _ = relax(rows, np.arange(program.options), 10.0)
            assert relaxed is not None
            bounds.append(exact_bound(rows, relaxed.price).value)
        lost += best - bounds[1]
        kept += best - bounds[0]
    assert kept <= 0.5 * lost


def _plain(program: Program, columns: Columns) -> Columns:
    """One row for each fact over all of its items, as if nothing were known of fractions."""
    rows, facts = len(program.bound), program.facts
    table = program.any_of
    members = sp.csr_array((np.ones(table.nnz, np.int64), table.indices, table.indptr), shape=table.shape)
    each, shape = np.arange(facts), (facts, len(columns.upper))
    items = sp.csr_array((np.full(facts, -program.items), (each, each)), shape=shape)
    by_option = sp.vstack([_rows(columns.entry, columns.entry_row, columns.at, rows), members]).tocsc()
    by_other = sp.vstack([_rows(columns.other, columns.other_row, columns.other_at, rows), items]).tocsc()
    return columns._replace(
        at=by_option.indptr.astype(np.int64),
        entry_row=by_option.indices.astype(np.int32),
        entry=by_option.data.astype(np.int64),
        other_at=by_other.indptr.astype(np.int64),
        other_row=by_other.indices.astype(np.int32),
        other=by_other.data.astype(np.int64),
        bound=np.concatenate([columns.bound[:rows], np.zeros(facts, np.int64)]),
    )


def _rows(value: Ints, row: Small, at: Ints, rows: int) -> sp.csr_array:
    """The first ``rows`` rows of entries by column."""
    column = np.repeat(np.arange(len(at) - 1), np.diff(at))
    keep = row < rows
    return sp.csr_array((value[keep], (row[keep], column[keep])), shape=(rows, len(at) - 1))


def test_what_a_fact_costs_counts_what_has_to_be_bought():
    """16 cores in packs of 2 at 100: 800; its own 5 comes on top, the pack costs 100 through its pennies."""
    rows = [[16, -2, 0], [0, 100, -1]]
    others = sp.csc_array(np.array(rows, dtype=np.int64))
    found = worth(others, np.array([5.0, 0.0, 1.0]), np.array([False, True, True]))
    assert found.tolist() == [805.0, 100.0, 1.0]


@pytest.mark.parametrize("seed", range(2))
def test_the_large_engine_comes_near_the_optimum_where_hosts_are_licensed(seed: int):
    """60 items, 6 places: the plan costs at most 3 % more than the optimum, and the bound holds."""
    program = hosted(60, 6, seed)
    best = solve_exact(program, Limits(60), Watch())
    assert best.status is Status.OPTIMAL
    found = solve_program(program, Limits(6, deterministic=True), Watch(), None, "large")
    assert found.goals[0].bound <= best.goals[0].value <= found.goals[0].value
    assert found.goals[0].value <= Fraction(103, 100) * best.goals[0].value
