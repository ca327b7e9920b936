"""YAML with places: exact values, places of all of them, and nothing that is not plain data."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capplan.errors import Faults, Place
from capplan.located import LARGEST_FILE, Located, Retyped, parse_yaml, read_yaml


def parsed(text: str) -> Located:
    faults = Faults()
    located = parse_yaml(text, faults, "f.yaml")
    assert located is not None
    assert faults.kept == []
    return located


def codes(text: str) -> list[tuple[str, int, int]]:
    faults = Faults()
    parse_yaml(text, faults, "f.yaml")
    return [(fault.code, fault.place.line, fault.place.column) for fault in faults.kept]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("-3", -3),
        ("0", 0),
        ("0.10", Decimal("0.10")),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("2016-01-01", "2016-01-01"),
        ("20%", "20%"),
        ("5E1", "5E1"),
        ("1e3", "1e3"),
        ("'010'", "010"),
        ('"NO"', "NO"),
        ("!!str 010", "010"),
        ("=", "="),
        ("<<", "<<"),
        ("é", "é"),
    ],
)
def test_a_scalar_means_what_is_written(text, value):
    read = parsed(f"a: {text}").value
    assert read == {"a": value}
    assert isinstance(read, dict)
    assert type(read["a"]) is type(value)


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("NO", "bool"),
        ("off", "bool"),
        ("True", "bool"),
        ("010", "int"),
        ("0x1F", "int"),
        ("12:30", "int"),
        ("1:30:45", "int"),
        ("1_000", "int"),
        (".5", "float"),
        ("1.", "float"),
        (".inf", "float"),
        ("1.5e+3", "float"),
        ("NULL", "null"),
    ],
)
def test_what_yaml_would_turn_into_something_else_stays_text_and_is_marked(text, becomes):
    value = parsed(f"a: {text}").value
    assert isinstance(value, dict)
    marked = value["a"]
    assert isinstance(marked, Retyped)
    assert (str(marked), marked.becomes) == (text, becomes)


@given(st.decimals(-(10**32), 10**32, allow_nan=False, allow_infinity=False, places=5))
def test_decimals_stay_exact(number):
    text = format(number, "f")
    assert parsed(f"a: {text}").value == {"a": Decimal(text)}


def test_every_value_and_key_has_its_place_and_scalars_their_text():
    located = parsed("a:\n  b: [1.50, x]\n'c d': off\n")
    assert located.place(("a", "b", 0)) == Place("f.yaml", 2, 7)
    assert located.place(("a", "b", 1)) == Place("f.yaml", 2, 13)
    assert located.key_place(("c d",)) == Place("f.yaml", 3, 1)
    assert (located.raw["a", "b", 0], located.raw["c d",]) == ("1.50", "off")


def test_a_path_that_was_not_written_stands_at_its_nearest_parent():
    located = parsed("a:\n  b: 1\n")
    assert located.place(("a", "z", 3)) == Place("f.yaml", 2, 3)
    assert located.key_place(("a", "z")) == Place("f.yaml", 2, 3)
    assert parsed("").place(("a",)) == Place("f.yaml")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: 1\na: 2", ("duplicate-yaml-key", 2, 1)),
        ("a: {x: 1, x: 2}", ("duplicate-yaml-key", 1, 11)),
        ("a: &x 1\nb: *x", ("unsafe-yaml", 1, 4)),
        ("a: !!python/name:os.system x", ("unsafe-yaml", 1, 4)),
        ("!!python/name:os.system x: 1", ("unsafe-yaml", 1, 1)),
        ("a: !own 1", ("unsafe-yaml", 1, 4)),
        ("? [a]\n: 1", ("yaml-syntax", 1, 3)),
        ("a: [1, 2\nb: 3", ("yaml-syntax", 2, 2)),
        ("a: 1\n b: 2", ("yaml-syntax", 2, 3)),
        ("a: 1\n---\nb: 2", ("yaml-syntax", 2, 1)),
        ("a: 1\nb: é\x07c", ("yaml-syntax", 2, 5)),
        ("a:\n\t- 1", ("yaml-syntax", 2, 1)),
        ("a: " + "9" * 5000, ("non-finite-number", 1, 4)),
        ("[" * 40 + "]" * 40, ("unsafe-yaml", 1, 31)),
        ("[" * 100_000, ("unsafe-yaml", 1, 31)),
    ],
)
def test_what_is_not_plain_data_is_a_fault_at_its_place(text, fault):
    assert codes(text) == [fault]


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    faults = Faults()
    assert parse_yaml(text, faults, "f.yaml") is not None or faults.has_errors


@given(st.text(alphabet="ab:-[]{},'\"#&*!|>%@ \n\t01.~=<?", max_size=40))
def test_anything_that_looks_like_yaml_is_read_or_refused(text):
    faults = Faults()
    assert parse_yaml(text, faults, "f.yaml") is not None or faults.has_errors


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path):
    (tmp_path / "f.yaml").write_bytes(b"\xef\xbb\xbfa: 1\n")
    located = read_yaml(tmp_path / "f.yaml", Faults())
    assert located is not None
    assert located.value == {"a": 1}


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (b"a: 1\nb: \xa3\n", "encoding-not-utf8", 2),
        ("a: 1".encode("utf-16"), "utf-16-file", 0),
        (b"#" * (LARGEST_FILE + 1), "unsafe-yaml", 0),
    ],
)
def test_a_file_that_is_no_text_is_refused(content, code, line, tmp_path):
    (tmp_path / "f.yaml").write_bytes(content)
    faults = Faults()
    assert read_yaml(tmp_path / "f.yaml", faults, shown="shown.yaml") is None
    assert [(fault.code, fault.place) for fault in faults.kept] == [(code, Place("shown.yaml", line))]


def test_a_file_that_cannot_be_opened_is_a_fault(tmp_path):
    faults = Faults()
    assert read_yaml(tmp_path, faults) is None
    assert read_yaml(tmp_path / "none.yaml", faults) is None
    assert {fault.code for fault in faults.kept} == {"unreadable-file"}
