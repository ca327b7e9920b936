"""Parts of reports: words, coastline, map, bars."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capplan.report.bars import level_bar, part_bar
from capplan.report.coast import Box, _cut, land
from capplan.report.map import Line, Mark, map_drawing
from capplan.report.markup import number, tag
from capplan.report.sections.network import between, states
from capplan.report.words import figure, grouped, joined, period_text, periods_text


@pytest.mark.parametrize(
    ("text", "shown"), [("1234.5", "1,234.5"), ("-1234567", "-1,234,567"), ("0.10", "0.10"), ("unlimited", "unlimited")]
)
def test_thousands_are_separated(text: str, shown: str):
    """Only in figures; words stay."""
    assert grouped(text) == shown


def test_figures_have_three_decimals_at_most():
    """Rounded half up."""
    assert figure(Fraction(12345678, 10000)) == "1,234.568"


@pytest.mark.parametrize(
    ("names", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c", "d"], "a, b and 2 more")]
)
def test_lists_read_as_sentences(names: list[str], text: str):
    """After two names the rest is counted here."""
    assert joined(names, 2) == text


def test_periods_that_follow_each_other_are_one_span():
    """In whatever order they come; a gap stays a gap."""
    quarters = ["2016-07-01..2016-09-30", "2016-04-01..2016-06-30", "2017-01-01..2017-03-31"]
    assert periods_text(quarters) == "1 Apr – 30 Sep 2016 and 1 Jan – 31 Mar 2017"
    assert period_text("2015-10-01..2016-03-31") == "1 Oct 2015 – 31 Mar 2016"


def test_elements_escape_what_they_are_given():
    """Text and attributes."""
    assert str(tag("text", "<b>", data_tip='"&')) == '<text data-tip="&#34;&amp;">&lt;b&gt;</text>'


@pytest.mark.parametrize(("value", "text"), [(1.0, "1"), (0.125, "0.12"), (-0.001, "0"), (Fraction(1, 3), "0.33")])
def test_coordinates_are_short(value: float | Fraction, text: str):
    """Two decimals at most, and no negative zero."""
    assert number(value) == text


def test_known_places_lie_on_land_or_sea():
    """Carlisle and Madrid on land; the Irish Sea and the middle of the Atlantic not."""
    for longitude, latitude, on_land in (
        (-2.95, 54.89, True),
        (-3.7, 40.4, True),
        (-4.5, 53.9, False),
        (-30, 40, False),
    ):
        box = Box(longitude - 0.02, latitude - 0.02, longitude + 0.02, latitude + 0.02)
        area = sum(_area(ring) for ring in land(box))
        assert (area > 0.0008) == on_land, (longitude, latitude, area)


def _area(ring: np.ndarray) -> float:
    x, y = ring[:, 0], ring[:, 1]
    return abs(float(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))) / 2


@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=3, max_size=12))
def test_what_is_cut_lies_in_the_box_and_keeps_its_area_there(points: list[tuple[int, int]]):
    """The signed area cut to the box is that of the ring inside it: halves left and right add up."""
    ring = np.array(points, dtype=float)
    parts = [_cut(ring, box) for box in (Box(-99, -99, 7, 99), Box(7, -99, 99, 99))]
    for part, low, high in zip(parts, (-99, 7), (7, 99), strict=True):
        assert not len(part) or (part[:, 0].min() >= low - 1e-9 and part[:, 0].max() <= high + 1e-9)
    assert sum(map(_signed, parts)) == pytest.approx(_signed(ring), abs=1e-6)


def _signed(ring: np.ndarray) -> float:
    if len(ring) < 3:
        return 0.0
    x, y = ring[:, 0], ring[:, 1]
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def test_bars_are_to_scale():
    """8.9 of 11.2 usable of 14 there is, on a drawing for 16: a thousand pixels wide."""
    bar = str(level_bar(Fraction("8.9"), Fraction("11.2"), Fraction(14), full=Fraction(16)))
    assert 'class="track" x="0" y="3" width="875"' in bar
    assert 'class="used" x="0" y="3" width="556.25"' in bar
    assert 'x1="700"' in bar
    assert str(part_bar([(0, Fraction(1)), (1, Fraction(3))], Fraction(4))).count('width="750"') == 1


def test_nodes_without_a_place_stand_between_their_neighbours():
    """One node between two that are fixed is in the middle; one without any neighbour is in the middle of all."""
    where = between(["a", "b", "c", "d"], [("a", "c"), ("c", "b")], {"a": (0.0, 0.0), "b": (2.0, 4.0)})
    assert where["c"] == (1.0, 2.0)
    assert where["d"] == (1.0, 2.0)


@pytest.mark.parametrize("path", ["R -C24- W -C11- S", "R > W > S", "R;W;S", "C24 C11"])
def test_circuits_take_the_worst_state_of_the_links_over_them(path: str):
    """However the path is written; a circuit that only passing links use has no mark."""
    rows = [
        {"status": "warn", "path": "R - W"},
        {"status": "fail", "path": path},
        {"status": "pass", "path": "S -C9- T"},
    ]
    found = states(rows, ["C24", "C11", "C9"], [("R", "W"), ("W", "S"), ("S", "T")])
    assert found == {"C24": "fail", "C11": "fail"}


def test_a_map_of_one_site_has_surroundings():
    """A single mark, and a line that leads nowhere, make a map all the same."""
    mark = Mark("A", "A", "A", "site", 54.9, -2.96)
    drawing = str(map_drawing([mark], [Line("A", "Z", "gone")], title="Map"))
    assert 'class="land"' in drawing
    assert "gone" not in drawing
