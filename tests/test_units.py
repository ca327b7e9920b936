"""Exact quantities: every rounding against fractions, sums that add up, text that reads back."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capplan.units import (
    BUILT_IN,
    UNLIMITED,
    Currency,
    Decimals,
    Resource,
    decimal_text,
    largest_remainder,
    percent_text,
    round_half_up,
    scaled,
)

INT64 = st.integers(-(2**63), 2**63 - 1)
SMALL = st.integers(-(10**6), 10**6)
FACTORS = st.fractions(max_denominator=10**6)
OUTRAGEOUS = st.builds(Fraction, st.integers(-(2**70), 2**70), st.integers(1, 2**70))


def oracle(value: Fraction, how: str) -> int:
    """Round by the definition: down, up, or down from a half more."""
    if how == "up":
        return -((-value) // 1)
    return (value + (Fraction(1, 2) if how == "half_up" else 0)) // 1


@given(
    st.lists(st.one_of(SMALL, INT64), max_size=5),
    st.one_of(FACTORS, OUTRAGEOUS),
    st.sampled_from(("up", "down", "half_up")),
)
def test_scaled_is_exact_or_says_that_it_does_not_fit(values, factor, how):
    expected = [oracle(value * factor, how) for value in values]
    array = np.array(values, dtype=np.int64)
    if all(-(2**63) <= value < 2**63 for value in expected):
        result = scaled(array, factor, how)
        assert result.dtype == np.int64
        assert result.tolist() == expected
    else:
        with pytest.raises(OverflowError):
            scaled(array, factor, how)


def test_scaled_keeps_the_shape_and_leaves_its_argument_alone():
    values = np.array([[1, 2, 3], [4, 5, 6]], dtype=np.int64)
    assert scaled(values, Fraction(1, 2), "up").tolist() == [[1, 1, 2], [2, 3, 3]]
    assert scaled(values, Fraction(2**61, 2**60 + 1), "down").shape == (2, 3)
    assert scaled(values[:0], Fraction(1, 3)).shape == (0, 3)
    assert values.tolist() == [[1, 2, 3], [4, 5, 6]]


def test_scaled_knows_three_ways_to_round():
    with pytest.raises(ValueError, match="half_even"):
        scaled(np.array([1]), Fraction(1, 2), "half_even")


def test_demand_rounds_up_and_capacity_down_by_hand():
    cells = Decimals(np.array([3400, 3401, 33]), 4, np.array([True, True, True]))  # 0.3400 0.3401 0.0033 kW
    step = Fraction(1, 1000)
    assert cells.rounded(step, "up").tolist() == [340, 341, 4]
    assert cells.rounded(step, "down").tolist() == [340, 340, 3]
    assert cells.fraction(1) == Fraction(3401, 10000)
    assert (len(cells), cells.take(np.array([2])).mantissa.tolist()) == (3, [33])


@given(st.fractions())
def test_round_half_up_is_the_floor_of_a_half_more(value):
    assert round_half_up(value) == oracle(value, "half_up")


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**15), max_value=10**15))
def test_decimal_text_reads_back_exactly_and_is_the_shortest(value):
    text = decimal_text(Fraction(value))
    assert Fraction(text) == Fraction(value)
    assert "." not in text or not text.endswith(("0", "."))
    assert not text.startswith("-0") or Fraction(text) < 0


@given(st.fractions(), st.integers(0, 9))
def test_decimal_text_is_off_by_half_a_last_place_at_most(value, places):
    assert abs(Fraction(decimal_text(value, places)) - value) <= Fraction(1, 2 * 10**places)


def test_percent_text_by_hand():
    assert percent_text(Fraction(89, 140)) == "63.57 %"
    assert percent_text(Fraction(1, 5)) == "20 %"


@given(INT64, st.lists(st.integers(0, 10**9), min_size=1, max_size=8))
def test_parts_by_largest_remainder_add_up_and_are_within_one_of_their_share(total, weights):
    parts = largest_remainder(total, weights)
    assert sum(parts) == total
    if sum(weights):
        shares = [Fraction(total * weight, sum(weights)) for weight in weights]
        assert all(abs(part - share) < 1 for part, share in zip(parts, shares, strict=True))
    else:
        assert parts == [total] + [0] * (len(weights) - 1)


def test_left_over_units_go_to_the_largest_remainders_then_to_the_earlier():
    assert largest_remainder(100, [1, 1, 1]) == [34, 33, 33]
    assert largest_remainder(10, [1, 2, 4]) == [1, 3, 6]  # shares 1.43, 2.86, 5.71
    assert largest_remainder(0, []) == []


@pytest.mark.parametrize(("total", "weights"), [(1, []), (-1, []), (5, [3, -1])])
def test_what_cannot_be_split_is_refused(total, weights):
    with pytest.raises(ValueError, match=r"nobody|negative"):
        largest_remainder(total, weights)


@given(st.integers(-(10**15), 10**15), st.sampled_from(("GBP", "JPY", "KWD", "CLF", "CHF")))
def test_money_in_tables_reads_back_to_the_penny(pence, code):
    currency = Currency(code)
    text = currency.decimal(pence)
    assert Decimal(text) * currency.pence_per_unit == pence
    assert "E" not in text
    assert len(text.partition(".")[2]) == currency.digits


def test_money_for_people_by_hand():
    pounds = Currency("GBP")
    assert [pounds.text(pence) for pence in (129_400_000, 25, -25, 0, 100_05)] == [
        "£1,294,000",
        "£0.25",
        "-£0.25",
        "£0",
        "£100.05",
    ]
    assert pounds.text(Fraction(1, 2)) == "£0.01"
    assert (Currency("JPY").text(1200), Currency("CHF").text(150)) == ("JPY 1,200", "CHF 1.50")


def test_a_resource_counts_in_its_steps():
    power = BUILT_IN[0]
    assert (power.text(3400), power.text(UNLIMITED), power.label) == ("3.4", "unlimited", "power")
    assert power.amount(500) == Fraction(1, 2)
    assert Resource("rack_units", "U", Fraction(1, 2)).label == "rack units"
