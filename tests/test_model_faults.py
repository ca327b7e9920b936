"""Mistakes in model files: each is told at its place, with its code and what would be right."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field, field_validator

from capplan.errors import BadInput, Fault, Faults, Severity
from capplan.model import Options, Text, Whole, read_model
from tests.known_rules import GOALS, RULES, SCENARIOS, read


def faults_of(text: str, folder: Path) -> list[Fault]:
    (folder / "m.yaml").write_text(text, encoding="utf-8")
    faults = Faults()
    read_model(folder / "m.yaml", rules=RULES, goals=GOALS, faults=faults)
    return faults.sorted()


# What follows "format: 1", the column in line 2, the code, and words of the fix.
ONE_FAULT = [
    ("headroom: {power_kw: 20}", 22, "percent-form", "write 20% with the sign"),
    ("headroom: {power_kw: 100%}", 22, "headroom-inverted", "less than 100%"),
    ("headroom: {power_kw: 1}", 22, "headroom-inverted", "less than 100%"),
    ("headroom: {power_kw: -5%}", 22, "non-positive-quantity", "0% to 100%"),
    ("headroom: {power_kw: '2,5%'}", 22, "decimal-comma", "such as 20%"),
    ("headroom: {power_kw: '1,200'}", 22, "number-with-separator", "such as 20%"),
    ("headroom: {power_kw: .5}", 22, "yaml-retyped-scalar", "such as 20%"),
    ("headroom: {power_kw: 1_0}", 22, "number-with-underscore", "such as 20%"),
    ("headroom: {power_kw: ２%}", 22, "non-ascii-number", "such as 20%"),
    ("headroom: {power_kw: .nan}", 22, "non-finite-number", "such as 20%"),
    ("headroom: {power_kw: £5}", 22, "currency-in-cell", "such as 20%"),
    ("headroom: {power_kw: true}", 22, "wrong-value", "such as 20%"),
    ("headroom: 20%", 11, "wrong-value", "{power_kw: 20%}"),
    ("headroom:", 10, "wrong-value", "{power_kw: 20%}"),
    ("title: 2016", 8, "yaml-retyped-scalar", 'write "2016" in quotes'),
    ("title: NO", 8, "yaml-retyped-scalar", 'write "NO" in quotes'),
    ("title: 1.50", 8, "yaml-retyped-scalar", 'write "1.50" in quotes'),
    ("description: true", 14, "yaml-retyped-scalar", 'write "true" in quotes'),
    ("extendz: standard", 1, "unknown-key", 'did you mean "extends"?'),
    ("extends: standrd", 10, "unknown-reference", 'did you mean "standard"?'),
    ("extends: /etc/passwd", 10, "unsafe-path", "from this file's folder"),
    ("extends: 'C:\\x.yaml'", 10, "unsafe-path", "from this file's folder"),
    ("extends: data.csv", 10, "unsafe-path", ".yaml"),
    ("extends: none.yaml", 10, "unknown-reference", "looked for"),
    ('extends: "a\\0.yaml"', 10, "unknown-reference", "looked for"),
    ("extends: 5", 10, "yaml-retyped-scalar", "in quotes"),
    ("extends: m.yaml", 10, "circular-reference", "remove one extends"),
    ("rules: {latncy: {}}", 9, "unknown-rule", 'did you mean "latency"?'),
    ("rules: {capacity: 3}", 19, "wrong-value", "on, off or a mapping"),
    ("rules: {capacity: [a]}", 19, "wrong-value", "on, off or a mapping"),
    ("rules: {allowed: {x: 1}}", 19, "unknown-key", "it takes none"),
    ("rules: {latency: {route_factr: 2}}", 19, "unknown-key", 'did you mean "route_factor"?'),
    ("rules: {latency: {route_factor: 9}}", 33, "wrong-value", "a number from 1 to 5"),
    ("rules: {latency: {label: NO}}", 26, "yaml-retyped-scalar", 'write "NO" in quotes'),
    ("rules: {latency: {hops: 1.5}}", 25, "wrong-value", "a whole number"),
    ("rules: {latency: {hops: 010}}", 25, "yaml-retyped-scalar", "a whole number"),
    ("rules: {latency: {measured: yes}}", 29, "wrong-value", "true or false"),
    ("rules: {latency: {since: 2016-02-30}}", 26, "impossible-date", "a day that exists"),
    ("rules: {latency: {since: 06/07/2016}}", 26, "ambiguous-date", "2016-01-31"),
    ("rules: {capacity: {soft: {power_kw: -1}}}", 37, "wrong-value", "at least 0"),
    ("rules: [capacity]", 8, "wrong-value", "a mapping"),
    ("goals: cost", 8, "wrong-value", "[unplaced, cost]"),
    ("goals: []", 8, "wrong-value", "[unplaced, cost]"),
    ("goals: [cots]", 9, "unknown-goal", 'did you mean "cost"?'),
    ("goals: [cost, {coost: 1}]", 16, "unknown-goal", 'did you mean "cost"?'),
    ("goals: [{cost: 0}]", 16, "wrong-value", "above 0"),
    ("goals: [{}]", 9, "wrong-value", "{cost: 1, forgone: 1}"),
    ("left_out: anny", 11, "wrong-value", "optional or any"),
    ("purchases: some", 12, "wrong-value", "all, none or a list"),
    ("purchases: [UPS, 5]", 18, "yaml-retyped-scalar", 'write "5" in quotes'),
    ("periods: {}", 10, "wrong-value", "every: quarter"),
    ("periods: {from: 2016-01-01, count: 2}", 10, "wrong-value", "every: quarter"),
    ("periods: {count: 2, cuts: [2016-01-01, 2017-01-01]}", 10, "wrong-value", "every: quarter"),
    ("periods: {cuts: [2016-01-01]}", 17, "wrong-value", "[2016-01-01, 2017-01-01]"),
    ("periods: {cuts: [2016-01-02, 2016-01-01]}", 10, "impossible-date", "in order"),
    ("periods: {from: 9999-01-01, every: year, count: 2}", 10, "impossible-date", "smaller count"),
    ("periods: {from: 2016-01-01, every: day, count: 0}", 48, "wrong-value", "from 1 to 1000"),
    ("periods: 4", 10, "wrong-value", "from: 2016-01-01"),
    ("solver: {time_limit_s: 0}", 24, "wrong-value", "above 0"),
    ("solver: {gap: 2}", 15, "percent-form", "write 2% with the sign"),
    ("solver: {seed: -1}", 16, "wrong-value", "from 0 to 2147483647"),
    ("solver: {workers: 0}", 19, "wrong-value", "from 1 to 1024"),
    ("solver: {thread: 1}", 10, "unknown-key", "workers"),
    ("scenarios: {a: {title: x}}", 17, "unknown-key", "purchases"),
    ("scenarios: {a: {purchase: none}}", 17, "unknown-key", 'did you mean "purchases"?'),
    ("scenarios: {a: {purchases: nothing}}", 28, "wrong-value", "all, none or a list"),
    ("scenarios: {a: 3}", 16, "wrong-value", "set or remove"),
    ("scenarios: {a: {set: {sites.B: 3}}}", 23, "wrong-value", "table.key.column"),
    ("scenarios: {a: {set: {sites: {B: {x: {}}}}}}", 38, "wrong-value", "one value"),
    ("scenarios: {a: {set: 3}}", 22, "wrong-value", "a mapping"),
    ("scenarios: {a: {set: {t.k.c: 1, t: {k: {c: 2}}}}}", 41, "duplicate-yaml-key", "keep one"),
    ("scenarios: {a: {remove: {sites: B}}}", 33, "wrong-value", "a list"),
    ("scenarios: {a: {remove: {sites: [1]}}}", 34, "yaml-retyped-scalar", 'write "1" in quotes'),
    ("scenarios: [a]", 12, "wrong-value", "as-is"),
]


@pytest.mark.parametrize(("line", "column", "code", "fix"), ONE_FAULT)
def test_one_mistake_is_one_fault_at_its_place(line, column, code, fix, tmp_path):
    (fault,) = faults_of(f"format: 1\n{line}\n", tmp_path)
    assert (fault.place.line, fault.place.column, fault.code) == (2, column, code)
    assert fix in fault.fix
    assert fault.severity is Severity.ERROR


def test_all_mistakes_are_told_in_one_pass(tmp_path):
    lines = [
        "headroom: {a: 20}",
        "goals: [cots]",
        "rules: {latncy: on, latency: {hops: x}}",
        "extendz: a",
        "left_out: x",
    ]
    found = faults_of("\n".join(["format: 2", *lines]), tmp_path)
    assert [fault.place.line for fault in found] == [1, 2, 3, 4, 4, 5, 6]


def test_a_missing_format_says_what_to_write(tmp_path):
    (fault,) = faults_of("{}", tmp_path)
    assert (fault.code, fault.fix) == ("missing-key", "add format: 1")
    assert faults_of("", tmp_path)[0].fix == "begin with format: 1"
    assert faults_of("- a", tmp_path)[0].fix == "begin with format: 1"


def test_a_circle_of_files_is_printed(tmp_path):
    (tmp_path / "b.yaml").write_text("format: 1\nextends: c.yaml\n")
    (tmp_path / "c.yaml").write_text("format: 1\nextends: ./b.yaml\n")
    (fault,) = faults_of("format: 1\nextends: b.yaml\n", tmp_path)
    assert fault.code == "circular-reference"
    assert fault.message.replace(f"{tmp_path}/", "") == "this model extends itself: b.yaml -> c.yaml -> b.yaml"
    assert fault.place.file.endswith("c.yaml")


def test_headroom_above_half_is_said_and_stays_as_written(tmp_path):
    (fault,) = faults_of("format: 1\nheadroom: {power_kw: 80%}\n", tmp_path)
    assert (fault.code, fault.severity) == ("headroom-inverted", Severity.WARNING)
    assert read("format: 1\nheadroom: {power_kw: 80%}\n", tmp_path).headroom["power_kw"] * 5 == 4


def test_mistakes_in_a_scenario_that_nobody_chose_are_told_and_its_warnings_are_not(tmp_path):
    text = "format: 1\nscenarios: {a: {headroom: {x: 90%}}, b: {headroom: {x: 20}}}\n"
    assert [fault.code for fault in faults_of(text, tmp_path)] == ["percent-form"]


def test_a_mistake_below_a_scenario_is_told_once(tmp_path):
    assert len(faults_of("format: 1\ngoals: [cots]\nscenarios: {a: {}, b: {}}\n", tmp_path)) == 1


def test_the_scenarios_of_a_faulty_file_are_no_wrong_usage(tmp_path):
    with pytest.raises(BadInput):
        read("format: 1\nextends: none.yaml\n", tmp_path, scenario="as-is")


keys = st.sampled_from(
    "format title extends headroom rules left_out purchases goals periods solver scenarios set remove "
    "from every count cuts latency capacity soft power_kw sites a.b.c as-is cost seed gap".split()
)
scalars = st.sampled_from(
    "1 0 -1 20% 0.5 off on yes ~ null true standard m.yaml none all optional any 2016-01-01 2016-99-01 "
    "quarter cost NO 010 1_000 1:30 .inf = 1e5 é '' \"\\0\"".split()
)
documents = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: f"[{', '.join(parts)}]"),
        st.lists(st.tuples(keys, inner), max_size=4).map(
            lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"
        ),
    ),
    max_leaves=12,
)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(keys, documents), max_size=6, unique_by=lambda pair: pair[0]))
def test_whatever_stands_in_a_file_it_is_read_or_its_faults_are_told(tmp_path_factory, pairs):
    folder = tmp_path_factory.mktemp("any")
    text = "format: 1\n" + "".join(f"{key}: {value}\n" for key, value in pairs if key != "format")
    (folder / "m.yaml").write_text(text, encoding="utf-8")
    faults = Faults()
    model = read_model(folder / "m.yaml", rules=RULES, goals=GOALS, faults=faults)
    assert all(fault.place.file and fault.message for fault in faults.kept)
    assert model.to_json()["format"] == 1


class Demanding(Options):
    """A rule that must be told something, and refuses some of it."""

    limit: Whole
    sites: list[Text] = Field([], min_length=1)

    @field_validator("limit")
    @classmethod
    def even(cls, limit: int) -> int:
        if limit % 2:
            raise ValueError("an odd limit cannot be split")
        return limit


@pytest.mark.parametrize(
    ("options", "column", "code", "words"),
    [
        ("{}", 12, "missing-key", "limit is missing; add limit: a whole number"),
        ("{limit: 3}", 20, "wrong-value", "rules.share.limit: an odd limit cannot be split"),
        ("{limit: 2, sites: []}", 30, "wrong-value", "rules.share.sites holds fewer than 1; write a list"),
    ],
)
def test_what_a_rule_itself_refuses_is_told_at_its_place(options, column, code, words, tmp_path):
    (tmp_path / "m.yaml").write_text(f"format: 1\nrules:\n  share:   {options}\n")
    faults = Faults()
    read_model(tmp_path / "m.yaml", rules={"share": Demanding}, goals=GOALS, faults=faults)
    (fault,) = faults.kept
    assert (fault.place.line, fault.place.column, fault.code) == (3, column, code)
    assert words in str(fault).replace('the key "limit"', "limit")


def test_an_extended_file_that_cannot_be_read_is_a_fault_of_that_file(tmp_path):
    (tmp_path / "b.yaml").write_bytes(b"title: \xa3")
    (fault,) = faults_of("format: 1\nextends: b.yaml\n", tmp_path)
    assert (fault.code, fault.place.file) == ("encoding-not-utf8", str(tmp_path / "b.yaml"))


def test_a_rule_without_options_of_its_own_takes_none(tmp_path):
    assert read("format: 1\nrules: {allowed: {}}\n", tmp_path).rules == {"allowed": Options()}


def test_settings_of_a_scenario_may_be_quoted_or_plain(tmp_path):
    quoted = SCENARIOS.replace("11.0", '"11.0"')
    plain = read(SCENARIOS, tmp_path, scenario="small-b").overlay.set[0].text
    assert read(quoted, tmp_path, scenario="small-b").overlay.set[0].text == plain == "11.0"
