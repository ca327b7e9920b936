"""Vendors' formulas against published examples; the figures come from the shipped terms, as a plan reads them."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capplan.licensing import metrics, shipped_terms
from capplan.licensing.terms import Figure

DAY = date(2026, 4, 1).toordinal()


def figure(terms: str, name: str, default: int = 0) -> int:
    return int(shipped_terms().value(terms, name, DAY, default))


def windows(processors: list[int]) -> int:
    names = ("per_processor", "per_server", "step")
    return metrics.server_cores(processors, **{name: figure("windows-server", name) for name in names})


@pytest.mark.parametrize(
    ("processors", "machines", "expected"),
    [
        ([8, 8], 2, 16),
        ([6, 6], 2, 16),
        ([4], 2, 16),
        ([10], 2, 16),
        ([12, 12], 2, 24),
        ([20, 20], 7, 160),
        ([8] * 4, 10, 160),
        ([4] * 4, 4, 64),  # a reseller's page prints 32: it forgets the 8 per processor
        ([20, 20], 0, 0),
    ],
)
def test_windows_server_standard(processors: list[int], machines: int, expected: int):
    assert metrics.standard_cores(windows(processors), machines) == expected


def test_windows_server_datacenter():
    assert metrics.datacenter_cores(windows([8] * 4), 10) == 32
    assert metrics.datacenter_cores(windows([8] * 4), 0) == 0
    assert metrics.datacenter_cores(windows([10, 10]), 12) == 20


def test_the_cheaper_edition_changes_between_ten_and_twelve_machines():
    """$1,070 for 16 Standard cores and $6,200 for 16 Datacenter cores: five stacks are cheaper, six are not."""
    price = {n: Fraction(metrics.standard_cores(16, n), 16) * 1070 for n in (10, 12)}
    assert price[10] == 5350 < 6200 < price[12] == 6420


def test_windows_server_by_machine():
    per_machine, step = figure("windows-server-vm", "per_machine"), figure("windows-server-vm", "step")
    assert metrics.machine_cores([2, 4, 8, 12], per_machine=per_machine, step=step) == 36


def test_sql_server_by_machine_and_by_processor():
    four, two = figure("sql-server-vm", "per_machine"), figure("sql-server-vm", "step")
    assert metrics.machine_cores([2, 3, 4, 6, 7], per_machine=four, step=two) == 26
    least, two = figure("sql-server", "per_processor"), figure("sql-server", "step")
    assert metrics.server_cores([7], per_processor=least, step=two) == 8
    assert metrics.server_cores([12, 12], per_processor=least, step=two) == 24


def test_sql_server_enterprise_by_server():
    terms = "sql-server-enterprise-cal"
    each = {name: figure(terms, name) for name in ("machines_each", "cores_each")}
    assert 3 * metrics.machines_per_server(13, 72, **each) == 12


@pytest.mark.parametrize(
    ("cores", "expected"),
    [
        ({"x86": 2 * 16}, 16),
        ({"x86": 20 * 64}, 640),
        ({"x86": 3 + 3}, 3),  # rounding each server gives 4: wrong
        ({"sparc-t3": 18}, 5),
        ({"power8": 8}, 8),
        ({"unlisted": 3}, 3),
        ({"x86": 3, "sparc-t3": 18}, 7),
    ],
)
def test_oracle_processors(cores: dict[str, int], expected: int):
    assert metrics.processors(cores, shipped_terms().factors("oracle-ee", DAY)) == expected


def test_oracle_named_users():
    assert metrics.named_users(300, 16, each=figure("oracle-ee", "users_each")) == 400
    assert metrics.named_users(15, 2, each=figure("oracle-se2", "users_each")) == 20


@pytest.mark.parametrize(
    ("servers", "expected"), [([[8, 8]], 32), ([[12, 12]], 32), ([[32, 32]], 64), ([[10, 10]] * 3, 96)]
)
def test_vmware_cores(servers: list[list[int]], expected: int):
    least = figure("vmware", "per_processor")
    assert sum(metrics.server_cores(server, per_processor=least) for server in servers) == expected


def test_vmware_orders():
    """The minimum of an order came in April 2025; before that there was none."""
    least = figure("vmware", "minimum_order")
    assert [metrics.order(need, minimum=least) for need in (0, 32, 72, 96)] == [0, 72, 72, 96]
    assert shipped_terms().value("vmware", "minimum_order", date(2025, 4, 9).toordinal(), 0) == 0


def test_concurrent_users_peak_at_one_time():
    """300 + 100 in the morning, 150 + 350 in the afternoon: 500, not 300 + 350."""
    assert metrics.peak([{"morning": 300, "afternoon": 150}, {"morning": 100, "afternoon": 350}]) == 500


def test_people_of_an_organisation_count_once():
    assert metrics.distinct_users({"RNN": [300, 120], "5E1": [40]}) == 340


def test_reserved_parts_of_a_pool():
    assert metrics.pool({"RNN": 10, "5E1": 3}, {"5E1": 5}) == 15


def test_most_machines_after_a_failure():
    assert metrics.most_machines(12, 4, 1) == 4
    assert metrics.most_machines(12, 1, 1) == 12


def test_a_figure_of_the_users_own_wins():
    terms = shipped_terms().overridden([Figure("vmware", "minimum_order", 1, Fraction(0))])
    assert terms.value("vmware", "minimum_order", DAY, 5) == 0
    assert terms.value("vmware", "per_processor", DAY, 0) == 16


@given(st.integers(1, 8), st.integers(1, 64), st.integers(1, 60))
def test_more_never_costs_less(processors: int, cores: int, machines: int):
    base = windows([cores] * processors)
    assert windows([cores + 1] * processors) >= base
    assert metrics.standard_cores(base, machines + 1) >= metrics.standard_cores(base, machines)
    assert base % 2 == 0
