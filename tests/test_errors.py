"""Faults: all of them counted, the first of each kind told, no line longer than it should be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capplan.errors import FAULTS_KEPT_PER_CODE, BadInput, Fault, Faults, Place, Severity, did_you_mean


def test_a_fault_reads_as_place_code_message_fix():
    fault = Fault(Place("a.csv", 3, 7), "decimal-comma", '"3,5" has a comma', "write 3.5")
    assert str(fault) == 'a.csv:3:7: error[decimal-comma]: "3,5" has a comma; write 3.5'
    assert str(Fault(Place("a.csv"), "x", "m", severity=Severity.WARNING)) == "a.csv: warning[x]: m"
    assert fault.to_json()["line"] == 3
    assert Fault(Place("a.csv"), "x", "m").to_json()["line"] is None


@given(st.text(), st.text())
def test_a_fault_is_one_printable_line_whatever_the_file_held(message, fix):
    assert str(Fault(Place("a\x1b[2J.csv", 1), "x", message, fix)).isprintable()


def test_many_faults_of_one_kind_are_cut_and_counted():
    faults = Faults()
    for line in range(1, 1201):
        faults.error(Place("a.csv", line), "x", "m")
    told = faults.sorted()
    assert len(told) == FAULTS_KEPT_PER_CODE + 1
    assert str(told[-1]) == "a.csv: error[x]: and 1,150 more of the same"


def test_errors_are_told_behind_any_number_of_warnings_of_the_same_code():
    faults = Faults()
    for line in range(100):
        faults.warning(Place("a.csv", line), "x", "m")
    assert not faults.has_errors
    assert faults.room("a.csv", "x") == FAULTS_KEPT_PER_CODE
    faults.error(Place("a.csv", 500), "x", "worse")
    with pytest.raises(BadInput, match="worse"):
        faults.raise_errors()


@given(st.lists(st.tuples(st.sampled_from(Severity), st.sampled_from("ab"), st.integers(1, 120)), max_size=4))
def test_told_and_counted_faults_are_all_faults_promoted_or_not(groups):
    faults = Faults()
    for severity, code, number in groups:
        told = min(number, faults.room("f", code, severity))
        for _ in range(told):
            faults.add(Fault(Place("f", 1), code, "m", severity=severity))
        faults.count_only("f", code, number - told, severity)
    for _ in range(2):
        lines = faults.sorted()
        rest = [int(line.message.split()[1].replace(",", "")) for line in lines if line.message != "m"]
        assert sum(line.message == "m" for line in lines) + sum(rest) == sum(number for _, _, number in groups)
        assert faults.has_errors == any(line.severity is Severity.ERROR for line in lines)
        faults.promote_warnings()
    assert faults.has_errors == bool(groups)


def test_faults_without_errors_raise_nothing():
    faults = Faults()
    faults.warning(Place("a"), "x", "m")
    faults.raise_errors()
    faults.extend([Fault(Place("a"), "x", "m")])
    with pytest.raises(BadInput) as raised:
        faults.raise_errors()
    assert len(raised.value.faults) == 2


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        ("Carlise", ["Carlisle", "Whitehaven"], 'did you mean "Carlisle"?'),
        ("POWER_KW", ["power_kw", "cores"], 'did you mean "power_kw"?'),
        ("zzz", ["a", "b"], "known: a, b"),
        ("x", [], "known: a, b"),
        ("WL-0O4711", [f"WL-{i:06d}" for i in range(100_000)], 'did you mean "WL-004711" or'),
        ("WL-00x711", [f"WL-{i:06d}" for i in range(100_000)], 'did you mean "WL-000711" or'),
        ("wl-12", [f"WL-{i:06d}" for i in range(100_000)], "known: a, b"),
        ("", ["a"], "known: a, b"),
    ],
)
def test_a_hint_names_what_is_near_or_says_the_other_thing(word, known, hint):
    assert did_you_mean(word, known, "known: a, b").startswith(hint)
