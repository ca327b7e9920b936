"""The planning model: what a file means, what extends and scenarios change, what comes back out."""

import json
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capplan import shipped
from capplan.errors import BadInput, Faults, Place, UsageError
from capplan.located import parse_yaml
from capplan.model import Model, Options, override, read_model
from capplan.model.document import months_later
from capplan.model.layers import merged
from tests.known_rules import GOALS, RULES, SCENARIOS, Route, Soft, read

ONE = Fraction(1)


def test_standard_is_what_its_documentation_says():
    model = read_model("standard", rules=RULES, goals=GOALS)
    assert model.headroom == {"power_kw": Fraction(1, 5), "cooling_kw": Fraction(1, 5)}
    assert (model.left_out, model.purchases, model.rules, model.periods) == ("optional", "all", {}, None)
    assert model.goals == ({"unplaced": ONE}, {"cost": ONE, "forgone": ONE}, {"moves": ONE})
    assert read_model("standard", rules=RULES, goals=GOALS, scenario="as-is").purchases == "none"


@pytest.mark.parametrize("name", shipped.names("models"))
def test_every_shipped_model_begins_with_the_line_for_editors(name):
    first = (shipped.folder("models") / f"{name}.yaml").read_text(encoding="utf-8").partition("\n")[0]
    assert first == "# yaml-language-server: $schema=../docs/schema/model.json"


def test_a_model_that_says_nothing_has_no_headroom_and_the_goals_of_standard(tmp_path):
    model = read("format: 1", tmp_path)
    standard = read_model("standard", rules=RULES, goals=GOALS)
    assert model.headroom == {}
    assert (model.goals, model.solver, model.left_out) == (standard.goals, standard.solver, standard.left_out)
    assert model.name == "m"


def test_what_is_written_here_wins_and_mappings_merge(tmp_path):
    text = "format: 1\nextends: standard\nheadroom: {power_kw: 10%, rack_units: 0.05}\ngoals: [cost]\n"
    model = read(text, tmp_path)
    assert model.headroom == {
        "power_kw": Fraction(1, 10),
        "cooling_kw": Fraction(1, 5),
        "rack_units": Fraction(1, 20),
    }
    assert model.goals == ({"cost": ONE},)
    assert model.title == "Standard"
    assert [path.name for path in model.files] == ["m.yaml", "standard.yaml"]


trees = st.recursive(
    st.integers(0, 9),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from("abc"), trees), st.dictionaries(st.sampled_from("abc"), trees))
def test_every_merged_value_is_the_upper_files_where_it_wrote_one(below, above):
    lower, upper = (parse_yaml(json.dumps(tree), Faults(), name) for tree, name in ((below, "b"), (above, "a")))
    assert lower is not None
    assert upper is not None
    both = merged(lower, upper)
    for path, value in leaves(both.value):
        source = upper if path in upper.places else lower
        assert both.place(path) == source.place(path)
        assert dict(leaves(source.value))[path] == value
        assert both.raw.get(path) == source.raw.get(path)
    assert {path for path, _ in leaves(upper.value)} - {path for path, _ in leaves(both.value)} <= {
        path for path, value in leaves(upper.value) if value == {}
    }


def leaves(value, path=()):
    """Every scalar and empty mapping of a tree, with its path."""
    if isinstance(value, dict) and value:
        return [leaf for key, part in value.items() for leaf in leaves(part, (*path, key))]
    return [(path, value)]


def test_every_setting_keeps_the_file_and_place_it_was_written_at(tmp_path):
    model = read("format: 1\nextends: standard\nheadroom:\n  power_kw: 10%\n", tmp_path)
    assert model.place("headroom", "power_kw") == Place(str(tmp_path / "m.yaml"), 4, 13)
    assert model.place("headroom", "cooling_kw").file == "models/standard.yaml"
    assert model.place("periods") == Place(str(tmp_path / "m.yaml"), 1, 1)


def test_a_fault_in_an_extended_file_names_that_file(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "base.yaml").write_text("format: 1\nheadroom: {power_kw: x}\n")
    with pytest.raises(BadInput) as raised:
        read("format: 1\nextends: sub/base.yaml\n", tmp_path)
    assert raised.value.faults[0].place == Place(str(tmp_path / "sub" / "base.yaml"), 2, 22)


def test_a_rule_switched_on_again_overrides_off_and_keeps_the_options_below(tmp_path):
    below = "format: 1\nrules: {latency: {route_factor: 2}, capacity: off, allowed: off, licences: {}}\n"
    (tmp_path / "below.yaml").write_text(below)
    above = "format: 1\nextends: below.yaml\nrules: {latency: on, capacity: , allowed: {}, licences: no}\n"
    model = read(above, tmp_path)
    assert model.rules["latency"] == Route(route_factor=Decimal(2))
    assert model.rules["capacity"] == Soft()
    assert model.rules["allowed"] == Options()
    assert model.rules["licences"] is None


def test_options_of_a_rule_are_exact(tmp_path):
    latency = "latency: {route_factor: 1.10, spare: 12.5%, since: 2016-02-29}"
    text = f"format: 1\nrules: {{{latency}, capacity: {{soft: {{kw: 900}}}}}}"
    model = read(text, tmp_path)
    assert model.rules["latency"] == Route(route_factor=Decimal("1.10"), spare=Fraction(1, 8), since=date(2016, 2, 29))
    assert model.rules["capacity"] == Soft(soft={"kw": Decimal(900)})


def test_the_other_form_of_periods_replaces_and_the_same_form_merges(tmp_path):
    (tmp_path / "a.yaml").write_text("format: 1\nperiods: {from: 2016-01-01, every: year, count: 2}\n")
    longer = read("format: 1\nextends: a.yaml\nperiods: {count: 3}\n", tmp_path)
    assert longer.periods is not None
    assert [start.year for start, _ in longer.periods] == [2016, 2017, 2018]
    cut = read("format: 1\nextends: a.yaml\nperiods: {cuts: [2020-01-01, 2020-03-01]}\n", tmp_path)
    assert cut.periods == ((date(2020, 1, 1), date(2020, 3, 1)),)
    assert read("format: 1\nextends: a.yaml\nperiods:\n", tmp_path).periods is None


def test_quarters_from_the_last_of_a_month_end_on_last_days(tmp_path):
    model = read("format: 1\nperiods: {from: 2015-11-30, every: quarter, count: 2}\n", tmp_path)
    assert model.periods == (
        (date(2015, 11, 30), date(2016, 2, 29)),
        (date(2016, 2, 29), date(2016, 5, 30)),
    )


@given(st.dates(max_value=date(9000, 1, 1)), st.integers(0, 1000))
def test_months_later_lands_in_the_right_month_on_the_same_or_its_last_day(day, months):
    later = months_later(day, months)
    assert (later.year - day.year) * 12 + later.month - day.month == months
    assert later.day == day.day or (later.day < day.day and months_later(later, 0).day >= 28)


@pytest.mark.parametrize(
    ("every", "last"), [("day", "2016-01-03"), ("week", "2016-01-15"), ("half_year", "2017-01-01")]
)
def test_periods_follow_each_other_without_gaps(every, last, tmp_path):
    model = read(f"format: 1\nperiods: {{from: 2016-01-01, every: {every}, count: 2}}\n", tmp_path)
    assert model.periods is not None
    assert model.periods[0][1] == model.periods[1][0]
    assert model.periods[1][1].isoformat() == last


def test_a_scenario_changes_the_model_and_says_what_it_changes_in_the_inventory(tmp_path):
    model = read(SCENARIOS, tmp_path, scenario="small-b")
    assert model.headroom == {"power_kw": Fraction(1, 5), "rack_units": Fraction(1, 10)}
    assert model.rules == {"latency": None}
    assert {one.path: one.text for one in model.overlay.set} == {
        "sites.B.power_kw": "11.0",
        "sites.C.committed": "yes",
        "sites.C.zones": "1;NO",
        "sites.C.open_cost": "",
        "sites.D.1.operator": "010",
    }
    assert [(one.table, one.id) for one in model.overlay.remove] == [
        ("sites", "A"),
        ("sites", "E"),
        ("workloads", "5"),
    ]
    assert (model.overlay.set[0].place.line, model.overlay.remove[1].place.line) == (9, 11)
    assert (model.scenario, model.scenarios) == ("small-b", ("small-b", "plain"))


def test_without_a_scenario_nothing_of_any_scenario_holds(tmp_path):
    model = read(SCENARIOS, tmp_path)
    assert (model.scenario, bool(model.overlay), list(model.headroom)) == (None, False, ["power_kw"])
    assert model.scenarios == ("small-b", "plain")


def test_scenarios_of_the_extended_model_are_there_and_can_be_changed(tmp_path):
    (tmp_path / "base.yaml").write_text(SCENARIOS)
    text = "format: 1\nextends: base.yaml\nscenarios: {small-b: {set: {sites: {B: {power_kw: 12}}}}}\n"
    model = read(text, tmp_path, scenario="small-b")
    assert {one.path: one.text for one in model.overlay.set}["sites.B.power_kw"] == "12"
    assert len(model.overlay.set) == 5


def test_an_unknown_scenario_is_wrong_usage_that_names_the_known_ones(tmp_path):
    with pytest.raises(UsageError, match="small-b, plain"):
        read(SCENARIOS, tmp_path, scenario="zzz")
    with pytest.raises(UsageError, match='did you mean "small-b"'):
        read(SCENARIOS, tmp_path, scenario="smal-b")
    with pytest.raises(UsageError, match="none"):
        read("format: 1", tmp_path, scenario="s")


def test_an_unknown_model_is_wrong_usage_on_a_command_line_and_a_fault_in_a_file(tmp_path):
    with pytest.raises(UsageError, match='did you mean "standard"'):
        read_model("standrd", rules=RULES, goals=GOALS)
    with pytest.raises(UsageError, match="no model file"):
        read_model(tmp_path / "none.yaml", rules=RULES, goals=GOALS)
    for source in ("standrd", "none.yaml", "/etc/x.yaml", "c:\\x.yaml", "x.csv"):
        faults = Faults()
        read_model(
            source,
            rules=RULES,
            goals=GOALS,
            relative_to=tmp_path,
            named_at=Place("inventory.yaml", 5, 8),
            faults=faults,
        )
        assert [fault.place for fault in faults.kept] == [Place("inventory.yaml", 5, 8)]


def test_a_relative_path_starts_where_the_caller_says(tmp_path):
    (tmp_path / "own.yaml").write_text("format: 1\nextends: standard\ntitle: Own\n")
    found = read_model("own.yaml", rules=RULES, goals=GOALS, relative_to=tmp_path, named_at=Place("inventory.yaml"))
    assert found.title == "Own"


def test_given_faults_nothing_is_raised_and_the_sound_parts_are_read(tmp_path):
    (tmp_path / "m.yaml").write_text("left_out: any\ngoals: [cots]\nheadroom: {a: 10%}\nrules: {x: on, latency: off}\n")
    faults = Faults()
    model = read_model(tmp_path / "m.yaml", rules=RULES, goals=GOALS, faults=faults)
    assert sorted(fault.code for fault in faults.kept) == ["missing-key", "unknown-goal", "unknown-rule"]
    assert (model.left_out, model.headroom, model.rules) == ("any", {"a": Fraction(1, 10)}, {"latency": None})
    assert model.goals == ({"unplaced": ONE}, {"cost": ONE, "forgone": ONE}, {"moves": ONE})


def test_a_model_in_json_read_again_is_the_same_model(tmp_path):
    text = SCENARIOS + (
        "title: Größe \U0001f600\ngoals: [moves, {cost: 0.25, carbon: 3}]\npurchases: [UPS, '5']\n"
        "left_out: any\nperiods: {from: 2016-01-31, every: month, count: 3}\n"
        "solver: {time_limit_s: 1.50, gap: 0.125%, seed: 7}\n"
    )
    for scenario in (None, "small-b"):
        model = read(text, tmp_path, scenario=scenario)
        data = model.to_json()
        again = read(json.dumps(data, ensure_ascii=False), tmp_path, scenario=scenario, name="again.yaml")
        assert again.to_json() == data
        for part in ("headroom", "rules", "goals", "periods", "purchases", "left_out", "solver", "title"):
            assert getattr(again, part) == getattr(model, part)
        assert [(one.path, one.text) for one in again.overlay.set] == [
            (one.path, one.text) for one in model.overlay.set
        ]


def test_exact_numbers_are_written_as_strings(tmp_path):
    text = "format: 1\nheadroom: {a: 12.345%}\ngoals: [{cost: 0.1}]\n"
    text += "rules: {latency: {route_factor: 1.50, spare: 2.5%}}\n"
    data = read(text, tmp_path).to_json()
    assert data["headroom"] == {"a": "12.345%"}
    assert data["goals"] == [{"cost": "0.1"}]
    assert isinstance(data["rules"], dict)
    assert (data["rules"]["latency"]["route_factor"], data["rules"]["latency"]["spare"]) == ("1.50", "2.5%")


def test_the_command_line_overrides_the_solver_only():
    model = read_model("standard", rules=RULES, goals=GOALS)
    changed = override(model, time_limit_s=Decimal("2.5"), gap=Fraction(1, 100), seed=0, workers=1)
    assert (changed.solver.time_limit_s, changed.solver.gap) == (Decimal("2.5"), Fraction(1, 100))
    assert (changed.solver.seed, changed.solver.workers, changed.solver.deterministic) == (0, 1, True)
    assert override(changed) == changed
    assert override(changed, seed=1).headroom == model.headroom


@pytest.mark.parametrize(
    "wrong",
    [
        {"time_limit_s": Decimal(0)},
        {"time_limit_s": Decimal("NaN")},
        {"gap": Fraction(-1)},
        {"gap": Fraction(2)},
        {"seed": -1},
        {"seed": 2**31},
        {"workers": 0},
    ],
)
def test_an_override_out_of_range_is_wrong_usage(wrong):
    with pytest.raises(UsageError):
        override(Model("m"), **wrong)
