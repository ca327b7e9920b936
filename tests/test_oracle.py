"""The oracle against numbers worked out on paper, and the tiny worlds against what they promise."""

import csv
from datetime import date
from fractions import Fraction

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.oracle import Oracle, Period, Plan, growth_factor, largest_growth
from tests.worlds import FEATURES, PLANS, World, worlds

KEPT = {"power_kw": "0%", "cooling_kw": "0%"}
HALVES = {"cuts": ["2015-01-01", "2015-07-02", "2016-01-01"]}  # 182 and 183 days


def world(model=None, inventory=None, **tables):
    """Make a world of one organisation, O, unless the tables say otherwise; nothing is kept free."""
    tables.setdefault("organisations", [{"organisation": "O"}])
    workloads = [{"organisation": "O"} | row for row in tables.pop("workloads", [])]
    return World(
        inventory={"format": "1", "title": "By hand", "currency": "GBP", "as_of": "2015-01-01"} | (inventory or {}),
        tables={**tables, "workloads": workloads},
        model={"format": "1", "extends": "standard", "headroom": KEPT} | (model or {}),
    )


def measured(made, bought=None, **sites):
    return Oracle(made).measure(Plan(sites, bought or {}))


def best(made):
    return Oracle(made).best()


# --- two published scenarios ----------------------------------------------------------------------

LONDON = {  # staff kept on site is always one; remote staff; links to the hubs in thousands
    "5A9": (5, 2, 6),
    "5K7": (4, 5, 3),
    "5C1": (4, 3, 6),
    "5C9": (3, 3, 5),
    "5K8": (4, 5, 2),
    "TAF": (5, 6, 2),
    "RKE": (2, 4, 3),
}


def north_central_london():
    """Two hubs and the offices of seven organisations, each of which keeps one person on site."""
    hub = {"open_cost": "57500", "cost_fte": "30000"}
    office = {"fte": "unlimited", "cost_fte": "50000"}
    return world(
        organisations=[{"organisation": o} for o in LONDON],
        sites=[
            {"site": "H1", "fte": "20", **hub},
            {"site": "H2", "fte": "14", **hub},
            *({"site": f"{o}-office", **office} for o in LONDON),
        ],
        workloads=[
            row
            for o, (remote, _, _) in LONDON.items()
            for row in (
                {"workload": o, "organisation": o, "fte": str(remote), "allowed_sites": "H1;H2"},
                {"workload": f"{o}-desk", "organisation": o, "fte": "1", "pinned_site": f"{o}-office"},
            )
        ],
        placements=[
            {"workload": o, "site": hub, "cost": str(1000 * cost)}
            for o, (_, *links) in LONDON.items()
            for hub, cost in zip(("H1", "H2"), links, strict=True)
        ],
    )


def test_north_central_london_is_what_full_enumeration_on_paper_found():
    """Tests that 62 of 128 assignments hold and that the best costs 1,294,000, the next best 1,295,000."""
    oracle = Oracle(north_central_london())
    every = [(plan, oracle.measure(plan)) for plan in oracle.plans(oracle.options())]
    held = [found.goals["cost"] for _, found in every if not found.broken]
    assert (len(every), len(held)) == (128, 62)
    assert sorted(held)[:2] == [1_294_000, 1_295_000]
    status, values, plan = best(oracle.world)
    assert (status, values) == ("optimal", ((0,), 1_294_000, 0))
    hubs = {s: {w for w, at in plan.sites.items() if at == s} for s in ("H1", "H2")}
    assert hubs == {"H1": {"5A9", "5C1", "5C9", "RKE"}, "H2": {"5K7", "5K8", "TAF"}}


def test_north_central_london_costs_what_its_parts_add_up_to():
    """Tests on site 350k + remote 810k + hubs 115k + links 19k, by kind and site."""
    oracle = Oracle(north_central_london())
    amounts = oracle.measure(best(oracle.world)[2]).amounts
    pounds = {(kind, s): pence // 100 for (kind, _, s), pence in amounts.items()}
    assert sum(n for (kind, s), n in pounds.items() if kind == "resource" and s.endswith("office")) == 350_000
    assert pounds["resource", "H1"] + pounds["resource", "H2"] == 810_000
    assert pounds["site", "H1"] + pounds["site", "H2"] == 115_000
    assert pounds["placement", "H1"] + pounds["placement", "H2"] == 19_000


def dudley(purchases):
    """One data centre; a warehouse that needs a fourth UPS module; three customers that may come."""
    customers = {"X": ("4.0", "20", "120000"), "Y": ("3.0", "14", "85000"), "Z": ("2.6", "12", "80000")}
    return world(
        model={"headroom": {"power_kw": "20%"}, "purchases": purchases},
        sites=[{"site": "DC", "power_kw": "36", "rack_units": "34"}],
        workloads=[
            {"workload": "existing", "power_kw": "24.0", "pinned_site": "DC"},
            {"workload": "pdw", "power_kw": "8.2"},
            *(
                {"workload": c, "power_kw": power, "rack_units": units, "value": value}
                for c, (power, units, value) in customers.items()
            ),
        ],
        expansions=[{"expansion": "ups-4", "site": "DC", "resource": "power_kw", "amount": "18", "cost_once": "20000"}],
    )


def test_dudley_buys_the_module_and_takes_the_two_customers_that_fit_exactly():
    """Tests that X and Y come, 34 of 34 units are used, and Z's 80,000 are forgone."""
    status, values, plan = best(dudley("all"))
    assert (status, values) == ("optimal", ((0,), 20_000 + 80_000, 0))
    assert plan.sites == {"X": "DC", "Y": "DC", "Z": None, "existing": "DC", "pdw": "DC"}
    assert plan.bought == {("ups-4", "DC", 0): 1}


def test_dudley_as_it_is_cannot_take_the_warehouse():
    """Tests that 24.0 + 8.2 kW do not fit in 28.8, and that 4.8 kW more would have been the most."""
    assert best(dudley("none")) == ("infeasible", None, None)
    alone = {"X": None, "Y": None, "Z": None, "existing": "DC"}
    assert measured(dudley("none"), pdw="DC", **alone).broken == {("capacity", "DC", "power_kw", 0)}
    smaller = dudley("none")
    smaller.tables["workloads"][1]["power_kw"] = "4.8"
    assert not measured(smaller, pdw="DC", **alone).broken


def test_dudley_may_not_buy_what_is_not_for_sale():
    """Tests that a purchase is named where the model allows none, and where there is more than the most."""
    sites = {"X": None, "Y": None, "Z": None, "existing": "DC", "pdw": "DC"}
    one, two = {("ups-4", "DC", 0): 1}, {("ups-4", "DC", 0): 2}
    assert measured(dudley("none"), one, **sites).broken == {("purchases", "ups-4", "DC", 0)}
    assert measured(dudley("all"), two, **sites).broken == {("purchases", "ups-4", "DC", 0)}
    assert not measured(dudley(["ups-4"]), one, **sites).broken


# --- demand and time ------------------------------------------------------------------------------


def test_growth_compounds_whole_years_and_takes_days_pro_rata():
    """Tests factors by hand: nothing before the start, half of a year, a year, a year and 73 days."""
    start, rate = date(2015, 1, 1), Fraction(1, 10)
    assert growth_factor(rate, start, date(2014, 6, 1)) == 1
    assert growth_factor(rate, start, date(2015, 3, 15)) == 1 + rate * Fraction(73, 365)
    assert growth_factor(rate, start, date(2016, 1, 1)) == Fraction(11, 10)
    assert growth_factor(rate, start, date(2016, 3, 14)) == Fraction(11, 10) * (1 + rate * Fraction(73, 365))


def test_ten_servers_at_eight_percent_need_thirteen_after_three_years():
    """Tests 10 x 1.08^3 = 12.597, rounded up to whole cores."""
    made = world(
        model={"periods": {"cuts": ["2018-01-01", "2018-01-02"]}},
        sites=[{"site": "A", "cores": "13"}],
        workloads=[{"workload": "w", "cores": "10", "growth": "0.08"}],
    )
    assert Oracle(made).demand["w", "A"] == [{"cores": 13}]


def test_growth_of_one_resource_wins_and_exact_growth_is_not_rounded_further():
    """Tests that 100 x 1.1 is 110, where binary floating point would make it 111."""
    made = world(
        model={"periods": {"cuts": ["2016-01-01", "2016-01-02"]}},
        sites=[{"site": "A", "cores": "200", "ports": "200"}],
        workloads=[{"workload": "w", "cores": "100", "ports": "100", "growth": "0.5", "growth_cores": "0.1"}],
    )
    assert Oracle(made).demand["w", "A"] == [{"cores": 110, "ports": 150}]


def test_shrinking_demand_counts_as_at_the_beginning_of_a_period():
    """Tests that the larger of the two ends is taken."""
    period = Period(date(2015, 1, 1), date(2016, 1, 1))
    assert largest_growth(Fraction(-1, 2), period.start, period) == 1
    assert largest_growth(Fraction(1, 2), period.start, period) == 1 + Fraction(1, 2) * Fraction(364, 365)


def test_cooling_follows_power_where_it_is_blank():
    """Tests that a blank workload needs its power as cooling, and that a blank site cools without limit."""
    made = world(
        sites=[{"site": "A", "power_kw": "9", "cooling_kw": "2"}, {"site": "B", "power_kw": "9"}],
        workloads=[
            {"workload": "hot", "power_kw": "3"},
            {"workload": "cool", "power_kw": "3", "cooling_kw": "2"},
        ],
    )
    assert measured(made, hot="A", cool="B").broken == {("capacity", "A", "cooling_kw", 0)}
    assert not measured(made, hot="B", cool="A").broken


def test_a_placement_can_need_more_at_one_site():
    """Tests that the pair's own demand counts there, and its heat with it."""
    made = world(
        sites=[{"site": s, "power_kw": "9", "cooling_kw": "2"} for s in "AB"],
        workloads=[{"workload": "w", "power_kw": "2"}],
        placements=[{"workload": "w", "site": "B", "power_kw": "2.5"}],
    )
    assert not measured(made, w="A").broken
    assert measured(made, w="B").broken == {("capacity", "B", "cooling_kw", 0)}


def test_capacity_counts_in_full_and_money_by_days():
    """Tests a workload that lives one day of a year: all of its power, one day of its cost."""
    made = world(
        sites=[{"site": "A", "power_kw": "1", "cost_power_kw": "365"}],
        workloads=[{"workload": "w", "power_kw": "2", "from": "2015-03-01", "to": "2015-03-02"}],
    )
    found = measured(made, w="A")
    assert found.broken == {("capacity", "A", "power_kw", 0)}
    assert found.amounts == {("resource", 0, "A"): 200}


def test_a_workload_takes_up_nothing_in_periods_in_which_it_is_not_active():
    """Tests two that follow each other where one fits and one licence is owned; value forgone by period."""
    made = world(
        model={"periods": HALVES, "left_out": "any"},
        sites=[{"site": "A", "ports": "1"}],
        workloads=[
            {"workload": "old", "ports": "1", "to": "2015-07-02"},
            {"workload": "new", "ports": "1", "from": "2015-07-02"},
            {"workload": "extra", "value": "0.03", "to": "2015-12-31"},  # 1.496 pence in either half
        ],
        licences=[{"licence": "db", "metric": "pool", "owned": "1"}],
        licence_needs=[{"workload": w, "licence": "db"} for w in ("old", "new")],
    )
    assert measured(made, old="A", new="A", extra="A").broken == set()
    assert measured(made, old="A", new="A", extra=None).goals["forgone"] == Fraction(1 + 1, 100)
    made.tables["workloads"][1]["from"] = "2015-07-01"
    assert measured(made, old="A", new="A", extra="A").broken == {
        ("capacity", "A", "ports", 0),
        ("licences", "db", 0),
    }


def test_a_workload_that_never_lives_within_the_plan_needs_no_site_that_exists():
    """Tests that an empty stretch of days asks for nothing."""
    made = world(
        sites=[{"site": "A", "to": "2014-01-01"}],
        workloads=[{"workload": "w", "from": "2020-01-01", "ports": "9", "max_rtt_ms": "1"}],
    )
    found = measured(made, w="A")
    assert (found.broken, found.amounts, found.goals["sites_used"]) == (set(), {}, 0)


# --- capacity and purchases -----------------------------------------------------------------------


@pytest.mark.parametrize(("need", "fits"), [("80", True), ("81", False)])
def test_headroom_scales_what_is_bought_too_and_is_not_rounded_per_step(need, fits):
    """Tests that 80 % of 68 + 3 x 11 admits 80 ports, not 78."""
    made = world(
        model={"headroom": {"ports": "20%"}},
        sites=[{"site": "A", "ports": "68"}],
        workloads=[{"workload": "w", "ports": need}],
        expansions=[{"expansion": "card", "site": "A", "resource": "ports", "amount": "11", "max": "3"}],
    )
    assert (not measured(made, {("card", "A", 0): 3}, w="A").broken) == fits


def test_what_is_durable_stays_and_is_paid_on():
    """Tests capacity in later periods only, one price at once and days of the yearly cost from then on."""
    made = world(
        model={"periods": HALVES},
        sites=[{"site": "A", "ports": "1"}],
        workloads=[{"workload": "w", "ports": "2"}],
        expansions=[
            {
                "expansion": "e",
                "site": "A",
                "resource": "ports",
                "amount": "1",
                "cost": "365",
                "cost_once": "10",
            }
        ],
    )
    first, second = (measured(made, {("e", "A", t): 1}, w="A") for t in (0, 1))
    assert (first.broken, first.amounts) == (
        set(),
        {("purchase", 0, "A"): 19200, ("purchase", 1, "A"): 18300},
    )
    assert second.broken == {("capacity", "A", "ports", 0)}
    assert second.amounts == {("purchase", 1, "A"): 19300}
    assert len(list(Oracle(made).decisions())) == 3


def test_what_is_yearly_gives_its_part_of_a_short_period_rounded_against_the_buyer():
    """Tests 10 x 182 / 365 = 4.99, so 4, and 10 x 183 / 365 = 5.01, so 5; and -10, so -5 and -6."""
    row = {"expansion": "e", "site": "A", "kind": "yearly"}
    made = world(
        model={"periods": HALVES},
        sites=[{"site": "A", "cores": "6"}],
        workloads=[{"workload": "w", "ports": "4"}],
        expansions=[
            {**row, "resource": "ports", "amount": "10", "cost": "365"},
            {**row, "resource": "cores", "amount": "-10"},
        ],
    )
    both = {("e", "A", 0): 1, ("e", "A", 1): 1}
    found = measured(made, both, w="A")
    assert found.broken == set()
    assert found.amounts == {("purchase", 0, "A"): 18200, ("purchase", 1, "A"): 18300}
    made.tables["sites"][0]["cores"] = "5"
    made.tables["workloads"][0]["ports"] = "5"
    assert measured(made, both, w="A").broken == {
        ("capacity", "A", "ports", 0),
        ("capacity", "A", "cores", 1),
    }
    assert len(list(Oracle(made).decisions())) == 4


def test_an_expansion_cannot_be_bought_before_its_date():
    """Tests that a period that begins before the date does not offer it."""
    made = world(
        model={"periods": HALVES},
        sites=[{"site": "A", "ports": "0"}],
        expansions=[{"expansion": "e", "site": "A", "resource": "ports", "amount": "1", "from": "2015-07-01"}],
    )
    assert list(Oracle(made).decisions()) == [{}, {("e", "A", 1): 1}]


def test_a_soft_limit_is_paid_for_by_the_step():
    """Tests 4 units on half of 2.5: 2.75 too many, so 6 steps of half a unit, at 900 a unit."""
    made = world(
        model={"headroom": {"rack_units": "50%"}, "rules": {"capacity": {"soft": {"rack_units": "900"}}}},
        sites=[{"site": "A", "rack_units": "2.5"}],
        workloads=[{"workload": "w", "rack_units": "4"}],
    )
    found = measured(made, w="A")
    assert (found.broken, found.amounts) == (set(), {("purchase", 0, "A"): 6 * 450 * 100})


# --- where a workload may be ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "good"),
    [
        ({}, "ABC"),
        ({"pinned_site": "B"}, "B"),
        ({"allowed_sites": "A; B"}, "AB"),
        ({"forbidden_sites": "A;B"}, "C"),
        ({"countries": "GB;IE"}, "A"),
        ({"from": "2015-06-01", "to": "2015-07-01"}, "ABC"),
        ({"from": "2014-01-01", "to": "2015-06-02"}, "ABC"),
    ],
)
def test_sites_that_a_workload_may_use(cells, good):
    """Tests pins, lists and countries; C, which exists in June only, for workloads that live then."""
    made = world(
        sites=[
            {"site": "A", "country": "GB"},
            {"site": "B"},
            {"site": "C", "country": "FR", "from": "2015-01-01", "to": "2015-07-01"},
        ],
        workloads=[{"workload": "w", "to": "2015-07-01", **cells}],
    )
    assert "".join(s for s in "ABC" if not measured(made, w=s).broken) == good


def test_a_site_must_exist_for_all_of_a_workloads_days_within_the_plan():
    """Tests that one missing day is enough, and that days outside the plan do not matter."""
    made = world(
        sites=[{"site": "A", "from": "2015-01-01", "to": "2016-01-01"}, {"site": "B", "to": "2015-12-31"}],
        workloads=[{"workload": "w", "from": "2010-01-01", "to": "2030-01-01"}],
    )
    assert Oracle(made).options() == {"w": ["A"]}


def test_only_listed_pairs_are_allowed_where_the_inventory_says_so():
    """Tests the table with and without `placements: listed`, and `allowed` off."""
    tables = {
        "sites": [{"site": s} for s in "ABC"],
        "workloads": [{"workload": "w"}],
        "placements": [{"workload": "w", "site": "A"}, {"workload": "w", "site": "B", "allowed": "no"}],
    }
    assert Oracle(world(**tables)).options() == {"w": ["A", "C"]}
    assert Oracle(world(inventory={"placements": "listed"}, **tables)).options() == {"w": ["A"]}
    assert Oracle(world({"rules": {"allowed": "off"}}, **tables)).options() == {"w": ["A", "B", "C"]}


# --- round trips ----------------------------------------------------------------------------------


def network(circuits, **cells):
    """Users at O, site A; periods of half a year."""
    return world(
        model={"periods": HALVES},
        sites=[{"site": "A", "latitude": "54.53006", "longitude": "-3.56258"}, {"site": "B"}],
        organisations=[{"organisation": "O", "latitude": "54.89650", "longitude": "-2.95778"}],
        workloads=[{"workload": "w", "max_rtt_ms": "0.788", **cells}],
        circuits=[{"circuit": f"c{n}", **row} for n, row in enumerate(circuits)],
    )


@pytest.mark.parametrize("circuits", [[], [{"a": "O", "b": "A", "km": "56.30"}], [{"a": "O", "b": "A"}]])
def test_fifty_six_kilometres_take_788_microseconds(circuits):
    """Tests the published estimate: as the crow flies, by the circuit's length, and by the map."""
    assert Oracle(network(circuits)).round_trip_us("w", "A", 0) == 788
    assert Oracle(network(circuits)).options() == {"w": ["A"]}


def test_a_measured_value_wins_and_the_shortest_path_counts():
    """Tests 0.3 + (2 x 10 x 1.4 x 5 us + 2 hops) against a direct 0.9 ms, and a pair that was measured."""
    circuits = [
        {"a": "A", "b": "O", "rtt_ms": "0.9"},
        {"a": "O", "b": "N", "rtt_ms": "0.3", "km": "1000"},
        {"a": "A", "b": "N", "km": "10", "hops": "2"},
    ]
    made = network(circuits)
    assert Oracle(made).round_trip_us("w", "A", 0) == 300 + 140 + 200
    made.tables["placements"] = [{"workload": "w", "site": "A", "rtt_ms": "7"}]
    assert measured(made, w="A").broken == {("latency", "w", "A")}


def test_a_circuit_serves_only_periods_in_which_it_exists_every_day():
    """Tests a circuit that ends in the second half, for workloads that do and do not live then."""
    circuits = [{"a": "O", "b": "A", "rtt_ms": "0.1", "to": "2015-12-31"}]
    assert measured(network(circuits), w="A").broken == {("latency", "w", "A")}
    assert not measured(network(circuits, to="2015-07-02"), w="A").broken


def test_without_a_path_or_a_position_a_limit_cannot_be_kept():
    """Tests two attached nodes without a path, and a site of which nobody knows where it is."""
    apart = network([{"a": "O", "b": "N", "rtt_ms": "0.1"}, {"a": "A", "b": "M", "rtt_ms": "0.1"}])
    assert measured(apart, w="A").broken == {("latency", "w", "A")}
    assert measured(apart, w="B").broken == {("latency", "w", "B")}
    assert not measured(network([], max_rtt_ms=""), w="B").broken


def test_users_at_the_sites_own_node_have_no_distance():
    """Tests that one node is nought away from itself, with or without circuits."""
    made = network([], max_rtt_ms="0.001")
    made.tables["nodes"] = [{"node": "N"}]
    made.tables["organisations"][0]["node"] = made.tables["sites"][1]["node"] = "N"
    assert Oracle(made).round_trip_us("w", "B", 1) == 0


# --- licences -------------------------------------------------------------------------------------


def licensed(**cells):
    """Two workloads of two organisations that need three and two of one licence."""
    return world(
        organisations=[{"organisation": o} for o in "OP"],
        sites=[{"site": s} for s in "AB"],
        workloads=[{"workload": "o"}, {"workload": "p", "organisation": "P"}],
        licences=[{"licence": "db", "metric": "pool", "owned": "2", "pack": "2", "pack_cost": "10", **cells}],
        licence_needs=[
            {"workload": "o", "licence": "db", "quantity": "3"},
            {"workload": "p", "licence": "db", "quantity": "2"},
        ],
    )


@pytest.mark.parametrize(
    ("cells", "packs"),
    [
        ({}, 2),  # 5 - 2 = 3, in twos
        ({"organisations": "O"}, 1),
        ({"sites": "B"}, 0),
        ({"from": "2016-01-01"}, 0),
        ({"owned": "5"}, 0),
        ({"max_packs": "1"}, None),
    ],
)
def test_a_pool_covers_what_is_in_its_scope(cells, packs):
    """Tests the packs that the cheapest plan with both at A buys."""
    made = licensed(**cells)
    for row in made.tables["workloads"]:
        row["pinned_site"] = "A"
    status, values, plan = best(made)
    if packs is None:
        assert status == "infeasible"
    else:
        assert (values[1], sum(plan.bought.values())) == (10 * packs, packs)


def test_a_site_licence_is_charged_once_per_site_beyond_those_owned():
    """Tests one site and two, one owned; the charge is no decision, so it is due without purchases too."""
    made = licensed(metric="site", owned="1", pack="")
    made.model["purchases"] = "none"
    assert measured(made, o="A", p="A").amounts == {}
    assert measured(made, o="A", p="B").amounts == {("licence", 0, ""): 1000}
    made.tables["licences"][0] |= {"owned": "", "max_packs": "1"}
    assert measured(made, o="A", p="A").amounts == {("licence", 0, ""): 1000}
    assert measured(made, o="A", p="B").broken == {("licences", "db", 0)}


# --- money ----------------------------------------------------------------------------------------


def test_twenty_kilowatts_for_a_year_cost_what_the_formula_says():
    """Tests 20 kW x 1.6 x 8,760 h x 24 p = 67,276.80, and its carbon at 200 g."""
    made = world(
        sites=[{"site": "A", "power_kw": "20", "pue": "1.6", "energy_price_kwh": "0.24", "carbon_g_kwh": "200"}],
        workloads=[{"workload": "w", "power_kw": "20"}],
    )
    found = measured(made, w="A")
    assert found.amounts == {("energy", 0, "A"): 6727680}
    assert found.goals["carbon"] == 280_320 * Fraction(200, 1000)


def test_every_amount_is_rounded_half_up_by_itself():
    """Tests two halves of a penny: two pence, not one."""
    made = world(
        sites=[{"site": "A", "cost_ports": "0.005"}],
        workloads=[{"workload": w, "ports": "1"} for w in "ab"],
    )
    assert measured(made, a="A", b="A").amounts == {("resource", 0, "A"): 2}


def test_opening_a_site_is_paid_when_it_is_used_and_committed_ones_in_any_case():
    """Tests two halves of a year: used in the second, or not at all, committed or not; opening it once."""
    made = world(
        model={"periods": HALVES, "left_out": "any"},
        sites=[{"site": "A", "open_cost": "365", "open_cost_once": "7"}],
        workloads=[{"workload": "v"}, {"workload": "w", "from": "2015-08-01"}],
    )
    assert measured(made, v=None, w="A").amounts == {("site", 1, "A"): 19000}
    assert measured(made, v="A", w="A").amounts == {("site", 0, "A"): 18900, ("site", 1, "A"): 18300}
    assert measured(made, v=None, w=None).amounts == {}
    made.tables["sites"][0] |= {"committed": "yes", "to": "2015-07-12"}
    assert measured(made, v=None, w=None).amounts == {("site", 0, "A"): 18200, ("site", 1, "A"): 1000}


def test_circuits_are_paid_for_while_they_exist():
    """Tests a circuit of 100 days, in two periods."""
    made = network([{"a": "O", "b": "A", "cost": "365", "from": "2015-06-02", "to": "2015-09-10"}], max_rtt_ms="")
    assert measured(made, w="A").amounts == {("circuit", 0, ""): 3000, ("circuit", 1, ""): 7000}


def test_a_move_is_counted_and_charged_once():
    """Tests the workload's own current site over the table's, and a workload that was nowhere before."""
    made = world(
        model={"periods": HALVES},
        sites=[{"site": s} for s in "AB"],
        workloads=[
            {"workload": "u", "current_site": "A", "move_cost_once": "5", "from": "2015-09-01"},
            {"workload": "v", "move_cost_once": "5"},
            {"workload": "w", "move_cost_once": "5"},
        ],
        allocation=[
            {"workload": "u", "site": "B", "status": "placed"},
            {"workload": "v", "site": "B", "status": "placed"},
            {"workload": "w", "site": "", "status": "left_out"},
        ],
    )
    found = measured(made, u="B", v="B", w="A")
    assert (found.goals["moves"], found.amounts) == (1, {("move", 1, "B"): 500})


# --- goals and ties -------------------------------------------------------------------------------


def test_the_most_important_workload_is_placed_before_any_number_of_others():
    """Tests one of priority 1 against two of priority 2; workloads without a priority come last."""
    made = world(
        model={"left_out": "any"},
        sites=[{"site": "A", "ports": "2"}],
        workloads=[
            {"workload": "a", "ports": "1", "priority": "2"},
            {"workload": "b", "ports": "1", "priority": "2"},
            {"workload": "c", "ports": "2", "priority": "1"},
            {"workload": "d", "ports": "0"},
        ],
    )
    _, values, plan = best(made)
    assert values[0] == (0, 2, 0)
    assert plan.sites == {"a": None, "b": None, "c": "A", "d": "A"}


def test_a_workload_without_a_value_may_be_left_out_only_where_the_model_says_so():
    """Tests that leaving it out breaks the standard model."""
    made = world(sites=[{"site": "A"}], workloads=[{"workload": "v", "value": "5"}, {"workload": "w"}])
    assert measured(made, v=None, w=None).broken == {("left_out", "w")}
    made.model["left_out"] = "any"
    assert not measured(made, v=None, w=None).broken


def test_the_worst_utilisation_is_of_physical_capacity_and_skips_what_has_no_limit():
    """Tests 3 of 4 kW as an exact fraction, beside an unlimited and an empty resource."""
    made = world(
        sites=[{"site": "A", "power_kw": "4", "ports": "unlimited", "cores": "0"}],
        workloads=[{"workload": "w", "power_kw": "3", "ports": "9"}],
        expansions=[{"expansion": "e", "site": "A", "resource": "power_kw", "amount": "4"}],
    )
    assert measured(made, {("e", "A", 0): 1}, w="A").goals["worst_utilisation"] == Fraction(3, 4)


def test_a_weighted_goal_adds_natural_units():
    """Tests 10 pounds + 2 x 3 kg."""
    made = world(
        model={"goals": [{"cost": "1", "carbon": "2"}]},
        sites=[{"site": "A", "power_kw": "1", "open_cost": "10", "carbon_g_kwh": "1000"}],
        workloads=[{"workload": "w", "power_kw": "0.125", "from": "2015-01-01", "to": "2015-01-02"}],
    )
    assert best(made)[1] == (16,)


def test_ties_go_to_the_first_site_of_the_first_workload_and_then_to_fewer_purchases():
    """Tests w10 before w2, as text, and a site before leaving out."""
    made = world(
        model={"goals": ["cost"], "left_out": "any"},
        sites=[{"site": s, "ports": "1"} for s in ("north", "A")],
        workloads=[{"workload": w, "ports": "1"} for w in ("w2", "w10", "w3")],
        expansions=[{"expansion": "e", "site": "A", "resource": "ports", "amount": "1", "max": "2"}],
    )
    _, _, plan = best(made)
    assert plan == Plan({"w10": "A", "w2": "A", "w3": "A"}, {("e", "A", 0): 2})
    made.model["purchases"] = "none"
    assert best(made)[2] == Plan({"w10": "A", "w2": "north", "w3": None}, {})


def test_what_is_free_and_useless_is_not_bought():
    """Tests that among equal plans the one with fewer steps is taken."""
    made = world(
        sites=[{"site": "A", "ports": "1"}],
        workloads=[{"workload": "w", "ports": "1"}],
        expansions=[{"expansion": "e", "site": "A", "resource": "ports", "amount": "1"}],
    )
    assert best(made)[2] == Plan({"w": "A"}, {})


# --- several workloads at once --------------------------------------------------------------------


def names_of(found):
    return {rule for rule, *_ in found.broken}


def test_a_replica_says_only_what_differs_from_its_primary():
    """Tests what a blank cell takes over, and that demand, value, pin and current site are the replica's own."""
    primary = {"ports": "3", "value": "9", "pinned_site": "A", "current_site": "A", "zone": "z", "growth": "0.5"}
    made = world(
        model={"periods": {"cuts": ["2016-01-01", "2016-01-02"]}},
        organisations=[{"organisation": "O"}, {"organisation": "P"}],
        sites=[{"site": "A", "ports": "9"}, {"site": "B", "ports": "9"}],
        workloads=[
            {"workload": "w", "organisation": "P", "to": "2017-01-01", **primary},
            {"workload": "w-copy", "organisation": "", "replica_of": "w", "ports": "2", "from": "2015-07-02"},
        ],
    )
    row = Oracle(made).workloads["w-copy"]
    assert row == {"workload": "w-copy", "organisation": "P", "replica_of": "w", "ports": "2", "zone": "z"} | {
        "growth": "0.5", "from": "2015-07-02", "to": "2017-01-01",
    }  # fmt: skip
    assert Oracle(made).demand["w-copy", "B"] == [{"ports": 3}]
    assert best(made) == ("optimal", ((), 0, 0), Plan({"w": "A", "w-copy": "B"}))
    gone = measured(made, **{"w": None, "w-copy": None})
    assert (gone.broken, gone.goals["unplaced"], gone.goals["forgone"]) == (set(), (), Fraction(2, 100))


def replicated(**cells):
    """A primary at A; B is 56.30 km and 788 us away, and nobody knows where C is."""
    return world(
        sites=[
            {"site": "A", "latitude": "54.89650", "longitude": "-2.95778"},
            {"site": "B", "latitude": "54.53006", "longitude": "-3.56258"},
            {"site": "C"},
        ],
        workloads=[
            {"workload": "w", "pinned_site": "A"},
            {"workload": "x", "replica_of": "w", **cells},
            {"workload": "y", "replica_of": "w", "pinned_site": "C"},
        ],
    )


@pytest.mark.parametrize(
    ("cells", "good"),
    [
        ({}, {"B"}),  # C holds the other replica
        ({"replica_min_km": "56.2"}, {"B"}),
        ({"replica_min_km": "56.3"}, set()),
        ({"replica_max_rtt_ms": "0.788"}, {"B"}),
        ({"replica_max_rtt_ms": "0.787"}, set()),
    ],
)
def test_replicas_are_apart_and_as_far_and_as_near_as_they_ask(cells, good):
    """Tests 56.2977 km against two limits, and its round trip; a primary's sites are each used once."""
    made = replicated(**cells)
    assert {s for s in "ABC" if not measured(made, w="A", x=s, y="C").broken} == good
    assert names_of(measured(made, w="A", x=None, y="C")) == {"replicas", "left_out"}


def test_a_replicas_limits_come_from_its_primary_and_need_known_places():
    """Tests that C, of which nobody knows where it is, is neither far nor near enough; circuits say how near."""
    for column in ("replica_min_km", "replica_max_rtt_ms"):
        made = replicated()
        made.tables["workloads"][0][column] = "1"
        assert measured(made, w="A", x="B", y="C").broken == {("replicas", "y", "A", "C")}
        made.tables["circuits"] = [{"circuit": f"to-{s}", "a": "A", "b": s, "rtt_ms": "0.9"} for s in "BC"]
        assert bool(measured(made, w="A", x="B", y="C").broken) == (column == "replica_min_km")


def test_a_group_is_at_one_site_or_nowhere_and_optional_only_as_a_whole():
    """Tests two of a group; it may be left out when both have a value, and then forgoes both."""
    made = world(
        sites=[{"site": "A", "ports": "1"}, {"site": "B", "ports": "2"}],
        workloads=[{"workload": w, "ports": "1", "together": "crm", "value": "5"} for w in "vw"],
    )
    assert best(made)[2] == Plan({"v": "B", "w": "B"}, {})
    assert measured(made, v="A", w="B").broken == measured(made, v=None, w="A").broken == {("together", "crm")}
    made.tables["sites"][1]["ports"] = "1"
    assert best(made)[1:] == (((), 10, 0), Plan({"v": None, "w": None}, {}))
    made.tables["workloads"][0]["value"] = ""
    assert best(made)[0] == "infeasible"


def test_members_of_a_group_keep_apart_while_both_are_active():
    """Tests one per site by default, two where the model says so, and a member that comes when one goes."""
    made = world(
        model={"periods": HALVES},
        sites=[{"site": s} for s in "AB"],
        workloads=[{"workload": w, "apart": "dc"} for w in "uv"] + [{"workload": "w", "apart": "dc;x"}],
    )
    assert measured(made, u="A", v="A", w="B").broken == {("apart", "dc", t, "A") for t in (0, 1)}
    made.model["rules"] = {"apart": {"per_site": {"dc": "2"}}}
    assert measured(made, u="A", v="A", w="B").broken == set()
    assert names_of(measured(made, u="A", v="A", w="A")) == {"apart"}
    made.tables["workloads"][0]["to"] = "2015-07-02"
    made.tables["workloads"][1]["from"] = "2015-07-02"
    assert measured(made, u="A", v="A", w="A").broken == set()


def test_a_group_can_be_spread_over_several_sites():
    """Tests three of which any two sites will do, then one per site besides; who is left out does not help."""
    made = world(
        model={"left_out": "any", "rules": {"apart": {"sites": {"dc": "2"}}}},
        sites=[{"site": s} for s in "AB"],
        workloads=[{"workload": w, "apart": "dc"} for w in "uvw"],
    )
    assert measured(made, u="A", v="A", w="B").broken == set()
    assert measured(made, u="A", v="A", w="A").broken == {("apart", "dc", 0)}
    assert measured(made, u="A", v=None, w=None).broken == {("apart", "dc", 0)}
    made.model["rules"]["apart"]["per_site"] = {"dc": "1"}
    assert measured(made, u="A", v="A", w="B").broken == {("apart", "dc", 0, "A")}


def test_a_zone_is_the_workloads_or_its_organisations():
    """Tests a site that takes one zone, a site that takes two, and one that takes all."""
    made = world(
        organisations=[{"organisation": "O", "zone": "health"}, {"organisation": "P"}],
        sites=[{"site": "A", "zones": "public"}, {"site": "B", "zones": "public; health"}, {"site": "C"}],
        workloads=[
            {"workload": "u"},
            {"workload": "v", "zone": "public"},
            {"workload": "w", "organisation": "P"},
        ],
    )
    assert Oracle(made).options() == {"u": ["B", "C"], "v": ["A", "B", "C"], "w": ["A", "B", "C"]}


def test_a_dedicated_site_is_shared_with_nobody_at_the_same_time():
    """Tests two organisations of which one wants to be alone, before and after the other leaves."""
    made = world(
        model={"periods": HALVES},
        organisations=[{"organisation": "O", "tenancy": "dedicated_site"}, {"organisation": "P"}],
        sites=[{"site": s} for s in "AB"],
        workloads=[{"workload": "u"}, {"workload": "v"}, {"workload": "w", "organisation": "P", "to": "2015-07-02"}],
    )
    assert measured(made, u="A", v="A", w="B").broken == set()
    assert measured(made, u="A", v="B", w="B").broken == {("tenancy", "B", 0)}
    made.tables["workloads"][0]["from"] = "2015-07-02"
    assert measured(made, u="A", v="B", w="A").broken == set()


def test_a_site_that_is_used_is_used_enough():
    """Tests four cores where four are asked for, three, and none at all."""
    made = world(
        sites=[{"site": "A", "cores": "9", "fill_cores": "4"}, {"site": "B", "cores": "9"}],
        workloads=[{"workload": "v", "cores": "3"}, {"workload": "w", "cores": "1"}],
    )
    assert measured(made, v="A", w="A").broken == measured(made, v="B", w="B").broken == set()
    assert measured(made, v="A", w="B").broken == {("fill", "A", "cores", 0)}


def moving(**limits):
    """Three workloads at A today, one at B; u comes to life in the second half, z never."""
    return world(
        model={"periods": HALVES, "rules": {"moves": limits}},
        organisations=[{"organisation": "O"}, {"organisation": "P"}],
        sites=[{"site": "A", "ports": "3"}, {"site": "B", "ports": "9"}],
        workloads=[
            {"workload": "u", "ports": "1", "current_site": "A", "from": "2015-07-02"},
            {"workload": "v", "ports": "2", "current_site": "A"},
            {"workload": "w", "ports": "2", "current_site": "B", "organisation": "P"},
            {"workload": "z", "ports": "9", "current_site": "A", "from": "2020-01-01"},
        ],
    )


@pytest.mark.parametrize(
    ("limits", "broken"),
    [
        ({"at_most": "3", "per_organisation": "3", "per_period": "1"}, set()),
        ({"at_most": "2"}, {("moves", "at_most", "")}),
        ({"per_organisation": "2"}, {("moves", "per_organisation", "O")}),
        ({"per_period": "0"}, {("moves", "per_period", 0), ("moves", "per_period", 1)}),
    ],
)
def test_moves_are_limited_in_all_per_organisation_and_per_period(limits, broken):
    """Tests u, v and z leaving A, one in each period and one in none."""
    assert measured(moving(**limits), u="B", v="B", w="B", z="B").broken == broken


def test_what_moves_needs_room_at_both_ends():
    """Tests 2 ports that leave A in the first half beside 2 that come: 4 of 3; u leaves later and alone."""
    assert not measured(moving(), u="A", v="B", w="A", z="A").broken
    crowded = measured(moving(both_ends="true"), u="A", v="B", w="A", z="A")
    assert crowded.broken == {("moves", "both_ends", "A", "ports", 0)}
    assert not measured(moving(both_ends="true"), u="B", v="A", w="B", z="B").broken


def test_a_budget_of_a_year_shrinks_with_the_period_and_leaves_out_what_is_paid_once():
    """Tests 365 a year, 182 for 182 days, and a module of 1,000; 182 + 183 + 1,000 = 1,365 in all."""
    made = world(
        model={"periods": HALVES, "rules": {"budget": {}}},
        sites=[{"site": "A", "ports": "0", "open_cost": "365"}],
        workloads=[{"workload": "w", "ports": "1"}],
        expansions=[{"expansion": "e", "site": "A", "resource": "ports", "amount": "1", "cost_once": "1000"}],
    )

    def broken(**limits):
        made.model["rules"]["budget"] = limits
        return measured(made, {("e", "A", 0): 1}, w="A").broken

    assert broken(per_year="365", once="1000", total="1365") == set()
    assert broken(per_year="364.99") == {("budget", "per_year", t) for t in (0, 1)}
    assert broken(once="999.99", total="1364.99") == {("budget", "once"), ("budget", "total")}


def test_a_group_that_is_needed_is_in_the_same_region():
    """Tests a ward that needs a laboratory, and a laboratory that needs another than itself."""
    made = world(
        sites=[{"site": "A", "region": "west"}, {"site": "B", "region": "west"}, {"site": "C"}],
        workloads=[
            {"workload": "lab", "groups": "lab"},
            {"workload": "lab-2", "groups": "lab;x", "needs_nearby": "lab"},
            {"workload": "ward", "needs_nearby": "lab"},
        ],
    )
    assert measured(made, **{"lab": "A", "lab-2": "B", "ward": "B"}).broken == set()
    assert measured(made, **{"lab": "A", "lab-2": "C", "ward": "B"}).broken == {("same_neighbourhood", "lab-2", 0)}
    made.tables["workloads"][0]["to"] = "2014-01-01"
    assert names_of(measured(made, **{"lab": "A", "lab-2": "C", "ward": "B"})) == {"same_neighbourhood"}


@pytest.mark.parametrize(
    ("failover", "power", "broken"),
    [
        ("", "10", set()),  # 4 + 6 of its primary
        ("", "9.9", {("survive_site_loss", "A", "B", "power_kw", 0)}),
        ("5", "9", set()),
        ("5", "8.9", {("survive_site_loss", "A", "B", "power_kw", 0)}),
        ("0.5", "5", set()),  # never less than its own
    ],
)
def test_a_site_that_is_left_carries_the_replicas_of_the_one_that_is_lost(failover, power, broken):
    """Tests a standby of 1 kW beside 4 kW of others that takes over 6 kW, or 5; what is kept free may be used."""
    made = world(
        model={"headroom": KEPT | {"power_kw": "0%"}, "rules": {"survive_site_loss": {}}},
        sites=[{"site": "A", "power_kw": "6"}, {"site": "B", "power_kw": power}, {"site": "C", "power_kw": "1"}],
        workloads=[
            {"workload": "w", "power_kw": "6"},
            {"workload": "others", "power_kw": "4"},
            {"workload": "x", "power_kw": "1", "replica_of": "w", "failover_power_kw": failover},
            {"workload": "y", "power_kw": "1", "replica_of": "w"},
        ],
    )
    assert measured(made, w="A", others="B", x="B", y="C").broken == broken


def test_headroom_is_there_to_be_used_when_a_site_is_lost_and_storage_is_not_taken_over():
    """Tests 5 + 5 kW at a site of 10 that keeps a fifth free, and a copy with less storage than its primary."""
    made = world(
        model={"headroom": {"power_kw": "20%"}, "rules": {"survive_site_loss": {}}},
        sites=[{"site": s, "power_kw": "10", "storage_tb": t} for s, t in (("A", "8"), ("B", "3"))],
        workloads=[
            {"workload": "v", "power_kw": "5"},
            {"workload": "w", "power_kw": "5", "storage_tb": "8"},
            {"workload": "x", "storage_tb": "3", "replica_of": "w"},
        ],
    )
    assert measured(made, v="B", w="A", x="B").broken == set()
    made.tables["workloads"][0]["power_kw"] = "5.001"
    assert measured(made, v="B", w="A", x="B").broken == {("survive_site_loss", "A", "B", "power_kw", 0)}


# --- the tiny worlds ------------------------------------------------------------------------------

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@QUICK
@given(worlds())
def test_worlds_are_small_enough_to_look_at_every_plan(made):
    """Tests that there are few plans, all different, and that the best breaks nothing and has no better."""
    oracle = Oracle(made)
    every = list(oracle.plans())
    assert 1 <= len(every) <= PLANS
    assert len({oracle.order(plan) for plan in every}) == len(every)
    held = {oracle.order(plan): found for plan in every if not (found := oracle.measure(plan)).broken}
    status, values, plan = oracle.best()
    ranked = sorted((oracle.goal_values(found), order) for order, found in held.items())
    assert status == ("optimal" if ranked else "infeasible")
    assert ranked[:1] == ([] if plan is None else [(values, oracle.order(plan))])


@QUICK
@given(made=worlds(), data=st.data())
def test_the_order_of_rows_changes_nothing(made, data):
    """Tests that the best plan is the same whatever the order of the rows in the tables."""
    shuffled = {name: data.draw(st.permutations(rows)) for name, rows in made.tables.items()}
    assert Oracle(World(made.inventory, shuffled, made.model)).best() == best(made)


@QUICK
@given(made=worlds())
def test_worlds_write_what_they_hold(made, tmp_path_factory):
    """Tests that ordinary readers find in the files the cells and the entries of the world."""
    folder = made.write(tmp_path_factory.mktemp("world"))
    for name, rows in made.tables.items():
        if any(rows):
            with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
                read = [{column: text for column, text in row.items() if text} for row in csv.DictReader(file)]
            assert read == [{column: text for column, text in row.items() if text} for row in rows]
    for name, entries in (("inventory", made.inventory), ("model", made.model)):
        text = (folder / f"{name}.yaml").read_text(encoding="utf-8")
        read_back = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506  makes nothing but text
        assert read_back == entries


@pytest.mark.parametrize("feature", FEATURES)
def test_every_feature_makes_a_world_by_itself(feature):
    """Tests that a rule can be met alone, and that some of its worlds have a plan."""
    found = set()

    @QUICK
    @given(worlds(feature, others=()))
    def look(made):
        found.add(best(made)[0])

    look()
    assert "optimal" in found
