"""Coefficients held by place, and written out, are the same coefficients."""

from __future__ import annotations

from dataclasses import replace
from unittest import mock

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from capplan.compile import open_options, program_of
from capplan.problem import use
from capplan.problem.places import Places
from capplan.program import Coefficients, coefficients
from capplan.program.sparse import sparse
from capplan.units import Ints
from tests.small import problem
from tests.test_laws import case_of, lawful
from tests.worlds import World, worlds


def drawn(seed: int) -> Coefficients:
    """Random coefficients: 7 limits, 9 options and 2 more columns, 4 items, 3 places, 5 slots."""
    random = np.random.default_rng(seed)
    rest = sparse(random.integers(0, 7, 12), random.integers(0, 11, 12), random.integers(-9, 9, 12), (7, 11))
    item, place = np.sort(random.integers(0, 4, 9)), random.integers(-1, 3, 9).astype(np.int32)
    row = random.integers(-1, 7, (3, 5)).astype(np.int32)
    return Coefficients(rest, item, place, row, random.integers(0, 5, (4, 5)))


def written_out(limits: Coefficients) -> Ints:
    """The definition, entry by entry."""
    dense = limits.rest.toarray().astype(np.int64)
    assert limits.place is not None
    for option, (item, place) in enumerate(zip(limits.item, limits.place, strict=True)):
        for slot in range(limits.row.shape[1]) if place >= 0 else ():
            if limits.row[place, slot] >= 0:
                dense[limits.row[place, slot], option] += limits.need[item, slot]
    return dense


@given(st.integers(0, 10_000), st.integers(1, 20))
def test_every_way_to_read_coefficients_agrees_with_their_definition(seed: int, at_once: int):
    limits = drawn(seed)
    dense, random = written_out(limits), np.random.default_rng(seed)
    x = random.integers(-2, 3, 11)
    rows, columns = random.integers(0, 7, 4), random.permutation(11)[:6]
    with mock.patch.object(coefficients, "AT_ONCE", at_once):
        assert (limits @ x == dense @ x).all()
        assert (limits.of_rows(rows).toarray() == dense[rows]).all()
        assert (limits.of_columns(columns).toarray() == dense[:, columns]).all()
        assert (limits.tocsr().toarray() == dense).all()
    upper = np.array([3, 5])
    taken = [random.choice(np.flatnonzero(limits.item == i)) for i in np.unique(limits.item)]
    assert (limits.magnitude(upper) >= np.abs(dense[:, taken]).sum(axis=1) + np.abs(dense[:, 9:]) @ upper).all()


@lawful
@given(worlds())
def test_a_program_is_the_same_with_its_uses_written_out(world: World):
    """Whatever the rules, places only shorten what is stored."""
    case = case_of(world)
    limits = case.program.limits
    with mock.patch.object(use, "places_of", _explicit):
        plain = program_of(case.problem, open_options(case.problem)).limits
    assert plain.place is None
    assert (limits.tocsr().toarray() == plain.rest.toarray()).all()
    rows, columns = np.arange(limits.shape[0])[::2], np.arange(limits.shape[1])[::-2]
    assert (limits.of_rows(rows).toarray() == plain.of_rows(rows).toarray()).all()
    assert (limits.of_columns(columns).toarray() == plain.of_columns(columns).toarray()).all()
    x = np.random.default_rng(1).integers(0, 3, limits.shape[1])
    assert (limits @ x == plain @ x).all()


def _explicit(problem, options):
    none = np.zeros((options.items, 0), dtype=np.int64)
    return Places(None, none, np.arange(len(options.option)))


def test_what_an_item_uses_at_one_site_is_held_once():
    """A group at one site has a place and its summed need; replicas and pairs with a demand of their own have not."""
    small = problem(
        {
            "sites": "site,power_kw\nA,100\nB,100\n",
            "workloads": "workload,organisation,power_kw,together,replica_of\n"
            "G1,O,1,g,\nG2,O,2,g,\nP,O,4,,\nQ,O,8,,\nR,O,16,,\nR2,O,16,,R\n",
            "placements": "workload,site,power_kw\nQ,A,9\n",
        }
    )
    limits = program_of(small, open_options(small)).limits
    assert limits.place is not None
    held = [(int(i), int(p)) for i, p in zip(limits.item, limits.place, strict=True)]
    assert held == [(0, 0), (0, 1), (1, 0), (1, 1), (2, -1), (2, -1), (3, -1), (3, -1)]
    # Power and, since a blank cooling is the power, cooling where a site limits it: here only power. 80 % is usable.
    assert limits.need[:2, 0].tolist() == [3000 * 5, 4000 * 5]
    assert replace(limits, place=None).tocsr().nnz == 2 + 2 * 2
