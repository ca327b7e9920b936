"""Charges: exact to the penny, refused where price and volume are counted in different things."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capplan.accounts import accounts
from capplan.charging import Charges
from capplan.errors import BadInput
from capplan.load import read_inventory, read_model
from capplan.solving import solve
from capplan.tables import tables_of
from tests.small import measured, problem
from tests.worlds import worlds

SITES = {"sites": "site,power_kw,cost_power_kw\nA,10,100\n"}


def charged(packages: str, subscriptions: str, organisations: str, model: str = "extends: standard\n"):
    """A problem with charges and nothing to place."""
    tables = {
        "organisations": "organisation,population,users,name\n" + organisations,
        "packages": "package,unit_basis,price,cost\n" + packages,
        "subscriptions": "organisation,package,volume,from,to\n" + subscriptions,
    }
    return problem(SITES | tables, model)


def amounts(small) -> dict[tuple[str, str], int]:
    """Pence by organisation and package."""
    names = [small.inventory.table(table).ids for table in ("organisations", "packages")]
    total: dict[tuple[str, str], int] = defaultdict(int)
    for row in Charges(small).rows:
        total[names[0][row.organisation], names[1][row.package]] += row.pence
    return dict(total)


# ---------------------------------------------------------------- one number by hand for each basis


def test_each_basis_counts_what_it_says():
    """2,000 heads x 0.335 = 670; 30 users x 12.50 = 375; one organisation x 999.99; a volume given wins."""
    small = charged(
        "HEAD,population,0.335,\nUSER,user,12.50,\nWHOLE,organisation,999.99,\n",
        "O1,HEAD,,,\nO1,USER,,,\nO1,WHOLE,,,\nO2,USER,7,,\n",
        "O1,2000,30,\nO2,100,40,\n",
    )
    assert amounts(small) == {
        ("O1", "HEAD"): 67_000,
        ("O1", "USER"): 37_500,
        ("O1", "WHOLE"): 99_999,
        ("O2", "USER"): 8_750,
    }


def test_a_fixed_cost_is_shared_by_heads_to_the_penny():
    """100.00 by three equal heads: 33.34 + 33.33 + 33.33, the penny to the first id."""
    small = charged("IT,fixed,,100\n", "C,IT,,,\nA,IT,,,\nB,IT,,,\n", "B,7,,\nA,7,,\nC,7,,\n")
    assert amounts(small) == {("A", "IT"): 3_334, ("B", "IT"): 3_333, ("C", "IT"): 3_333}


def test_a_fixed_price_wins_over_the_cost_and_may_be_shared_by_anything():
    """90.00 in the proportion 1 to 2; the cost of 100 leaves 10 uncovered that no customer could mend."""
    small = charged("IT,fixed,90,100\n", "A,IT,1,,\nB,IT,2,,\n", "A,,,\nB,,,\n")
    assert amounts(small) == {("A", "IT"): 3_000, ("B", "IT"): 6_000}
    [package] = Charges(small).packages
    assert (package.margin, package.stranded, package.underpriced) == (-1_000, 0, 1_000)


def test_part_of_a_year_is_charged_by_days():
    """73 of 365 days of 1,000.00 are 200.00, a leap year's 366 days 1,002.74 (1000 x 366 / 365 = 1002.7397)."""
    small = charged("P,organisation,1000,\n", "A,P,,2016-03-01,2016-05-13\n", "A,,,\n")
    assert amounts(small) == {("A", "P"): 20_000}
    whole = charged("P,organisation,1000,\n", "A,P,,,\n", "A,,,\n", "periods: {cuts: [2016-01-01, 2017-01-01]}\n")
    assert amounts(whole) == {("A", "P"): 100_274}


def test_stranded_cost_belongs_to_who_does_not_buy():
    """Costs 1,000; A pays 600, B would pay 300 and C 200: of the 400 short B bears 300/500, C 200/500."""
    small = charged("P,population,1,1000\n", "A,P,,,\n", "A,600,,\nB,300,,\nC,200,,\n")
    [package] = Charges(small).packages
    assert (package.income, package.full, package.margin) == (60_000, 110_000, -40_000)
    assert (package.stranded, package.underpriced) == (40_000, 0)
    assert [row.stranded for row in Charges(small).stranded] == [0, 24_000, 16_000]


def test_what_full_take_up_would_not_cover_is_not_blamed_on_anyone():
    """Costs 1,500, full take-up brings 1,100: B and C strand the 500 they would pay, 400 is priced too low."""
    small = charged("P,population,1,1500\n", "A,P,,,\n", "A,600,,\nB,300,,\nC,200,,\n")
    [package] = Charges(small).packages
    assert (package.stranded, package.underpriced) == (50_000, 40_000)


def test_leaving_a_price_strands_and_leaving_a_share_moves_it_to_the_others():
    """A priced package that earns 1,100 of 1,000 can lose 100 unharmed; of a fixed one the others pay all of it."""
    small = charged(
        "P,population,1,1000\nQ,fixed,,1000\n",
        "A,P,,,\nB,P,,,\nC,P,,,\nA,Q,,,\nB,Q,,,\n",
        "A,600,,\nB,300,,\nC,200,,\n",
    )
    names = small.inventory.table("packages").ids
    found = [(row.organisation, names[row.package], row.if_left, row.to_others) for row in Charges(small).stranded]
    assert found == [
        (0, "P", 50_000, 0),
        (0, "Q", 0, 66_667),
        (1, "P", 20_000, 0),
        (1, "Q", 0, 33_333),
        (2, "P", 10_000, 0),
    ]


def test_the_last_customer_of_a_fixed_price_strands_it():
    """There are no others to bear it."""
    [row] = Charges(charged("Q,fixed,,1000\n", "A,Q,,,\n", "A,600,,\n")).stranded
    assert (row.if_left, row.to_others) == (100_000, 0)


# ---------------------------------------------------------------- refused


@pytest.mark.parametrize(
    ("packages", "subscriptions", "organisations", "message"),
    [
        (
            "P,population,26.76,",
            "A,P,,,",
            "A,,8000,",
            r'subscriptions.csv:2:3: error\[unit-basis-mismatch\]: the package "P" is priced per head of population, '
            r'and of "A" only the 8000 users are known; fill in population of A',
        ),
        (
            "P,population,26.76,",
            "A,P,8000,,",
            "A,200000,8000,",
            r"subscriptions.csv:2:5: error\[unit-basis-mismatch\]: volume: 8000 users",
        ),
        (
            "P,user,5,",
            "A,P,,,",
            "A,200000,,",
            r"\[unit-basis-mismatch\].*only the 200000 heads of population are known",
        ),
        ("P,user,5,", "A,P,,,", "A,,,", r'subscriptions.csv:2:5: error\[empty-mandatory-cell\]: .*"A" has no users'),
        ("P,fixed,,10", "A,P,,,", "A,,8000,", r"is shared by population, and .* only the 8000 users"),
        ("P,user,,10", "A,P,,,", "A,,5,", r'packages.csv:2:8: error\[empty-mandatory-cell\]: price: the package "P"'),
        ("P,,5,", "A,P,,,", "A,,5,", r"packages.csv:2:3: error\[empty-mandatory-cell\]: unit_basis"),
        ("P,heads,5,", "A,P,,,", "A,,5,", r"packages.csv:2:3: error\[unknown-choice\]"),
        ("P,user,5,", "B,P,,,", "A,,5,", r"subscriptions.csv:2:1: error\[unknown-reference\]"),
        ("P,user,5,", "A,Q,,,", "A,,5,", r"subscriptions.csv:2:3: error\[unknown-reference\]"),
        ("P,user,5,", "A,P,-1,,", "A,,5,", r"subscriptions.csv:2:5: error\[non-positive-quantity\]"),
        ("P,user,5,", "A,P,,,\nA,P,,,", "A,,5,", r"subscriptions.csv:3:1: error\[duplicate-id\]"),
    ],
)
def test_what_cannot_be_charged_is_refused(packages, subscriptions, organisations, message):
    """Each with its place and what would be right."""
    with pytest.raises(BadInput, match=message):
        charged(packages + "\n", subscriptions + "\n", organisations + "\n")


def test_every_refusal_is_told_at_once():
    """Both customers whose heads nobody knows, in one pass."""
    with pytest.raises(BadInput) as told:
        charged("P,population,1,\n", "A,P,,,\nB,P,,,\n", "A,,1,\nB,,2,\n")
    assert [(fault.code, fault.place.line) for fault in told.value.faults] == [
        ("unit-basis-mismatch", n) for n in (2, 3)
    ]


# ---------------------------------------------------------------- laws

MONEY = st.decimals(0, 5000, places=3)
DAYS = st.integers(0, 800).map(lambda n: date.fromordinal(date(2015, 9, 1).toordinal() + n))


@st.composite
def estates(draw):
    """Packages, subscriptions and organisations as rows of cells."""
    heads = draw(st.lists(st.integers(0, 10**6), min_size=1, max_size=5))
    packages = [
        (draw(st.sampled_from(("population", "organisation", "fixed"))), draw(MONEY), draw(st.none() | MONEY))
        for _ in range(draw(st.integers(1, 3)))
    ]
    subscriptions = []
    for o in range(len(heads)):
        for p in range(len(packages)):
            if draw(st.booleans()):
                span = sorted((draw(DAYS), draw(DAYS))) if draw(st.booleans()) else (None, None)
                if span[0] is None or span[0] < span[1]:
                    subscriptions.append((o, p, draw(st.none() | st.decimals(0, 1000, places=2)), *span))
    return heads, packages, subscriptions


def cells(*values) -> str:
    return ",".join("" if value is None else str(value) for value in values) + "\n"


@given(estates(), st.sampled_from(["", "periods: {from: 2016-01-01, every: quarter, count: 3}\n"]))
def test_charges_are_what_a_plain_reading_of_the_contract_gives(estate, periods):
    """Priced: every amount by itself; fixed: parts of the whole, none further than a penny from its exact share."""
    heads, packages, subscriptions = estate
    small = charged(
        "".join(cells(f"P{p}", basis, price, cost) for p, (basis, price, cost) in enumerate(packages)),
        "".join(cells(f"O{o}", f"P{p}", volume, *span) for o, p, volume, *span in subscriptions),
        "".join(cells(f"O{o}", number, None, None) for o, number in enumerate(heads)),
        periods or "extends: standard\n",
    )
    charges = Charges(small)
    found = {(row.organisation, row.package, row.period): row.pence for row in charges.rows}
    expected = set()
    for t, span in enumerate(zip(small.periods.start.tolist(), small.periods.end.tolist(), strict=True)):
        for p, (basis, price, _) in enumerate(packages):
            units = unit_days(heads, basis, [row for row in subscriptions if row[1] == p], span)
            expected |= {(o, p, t) for o in units}
            paid = {o: found[o, p, t] for o in units}
            if basis == "fixed":
                assert_shared(paid, units, int(Fraction(price) * 100 * (span[1] - span[0]) / 365 + Fraction(1, 2)))
            else:
                assert all(abs(paid[o] - Fraction(price) * 100 * units[o] / 365) <= Fraction(1, 2) for o in units)
    assert set(found) == expected
    assert_stranded(charges)


def unit_days(heads, basis, subscriptions, span) -> dict[int, Fraction]:
    """Units x days of each customer in a period, read as the contract says it."""
    found = {}
    for o, _, volume, first, last in subscriptions:
        days = min(span[1], last.toordinal() if last else span[1]) - max(
            span[0], first.toordinal() if first else span[0]
        )
        if days > 0:
            own = 1 if basis == "organisation" else heads[o]
            found[o] = Fraction(own if volume is None else volume) * days
    return found


def assert_shared(paid, units, whole) -> None:
    """Nothing is lost, and nobody is further than a penny from the exact share."""
    assert sum(paid.values()) == (whole if units else 0)
    total = sum(units.values())
    assert not total or all(abs(paid[o] - whole * units[o] / total) < 1 for o in units)


def assert_stranded(charges) -> None:
    """What is not covered is stranded by who does not buy, up to what each would pay, or priced too low."""
    for result in charges.packages:
        here = (result.package, result.period)
        rows = [row for row in charges.stranded if (row.package, row.period) == here]
        assert result.income == sum(row.pence for row in charges.rows if (row.package, row.period) == here)
        assert bool(rows) <= (result.cost is not None)
        if result.cost is not None:
            assert result.stranded + result.underpriced == max(0, result.cost - result.income)
            assert sum(row.stranded for row in rows) == result.stranded
            assert all(0 <= row.stranded <= max(0, row.would_pay - row.pays) for row in rows)


# ---------------------------------------------------------------- accounts

TWO = {
    "organisations": "organisation,users,population\nO1,10,1000\nO2,,\nO3,,\n",
    "sites": "site,power_kw,open_cost,cost_power_kw\nA,10,100,50\nB,10,,50\n",
    "workloads": "workload,organisation,power_kw,current_site\nW1,O1,2,B\nW2,O2,1,A\n",
}


def test_an_account_is_the_organisations_part_of_every_cost():
    """At A: 50 a kW, and the opening cost of 100 shared 2 to 1 by power: 66.67 and 33.33; nobody else pays."""
    small = problem(TWO)
    plan, today = measured(small, W1="A", W2="A"), measured(small, W1="B", W2="A")
    one, two, three = accounts(plan, today)
    assert (one.cost, two.cost, three.cost) == (10_000 + 6_667, 5_000 + 3_333, 0)
    assert (one.cost_today, two.cost_today) == (10_000, 15_000)
    assert (one.cost_per_user, one.cost_per_head, one.cost_per_kw) == (1_667, 17, 8_334)
    assert (two.cost_per_user, two.cost_per_head, two.cost_per_kw) == (None, None, 8_333)
    assert sum(account.cost for account in (one, two, three)) == plan.cost


def test_what_nobody_uses_has_an_account_of_its_own():
    """A committed site without a workload is paid for, and the sum still is the plan's cost."""
    tables = TWO | {"sites": "site,power_kw,open_cost,committed\nA,10,100,yes\nB,10,,\n"}
    plan = measured(problem(tables), W1="B", W2="B")
    found = {account.organisation: account.cost for account in accounts(plan)}
    assert found == {0: 0, 1: 0, 2: 0, -1: 10_000}


def test_tables_put_today_beside_the_plan():
    """What a site uses today stands in its row, and what an organisation costs today in its own."""
    small = problem(TWO)
    plan, today = measured(small, W1="A", W2="A"), measured(small, W1="B", W2="A")
    tables = {table.name: table for table in tables_of(plan, today)}
    sites = [dict(zip(tables["sites"].columns, row, strict=True)) for row in tables["sites"].rows]
    assert [(row["site"], row["used"], row["used_today"]) for row in sites] == [("A", "3", "1"), ("B", "0", "2")]
    alone = next(table for table in tables_of(plan) if table.name == "sites")
    assert [row[alone.columns.index("used_today")] for row in alone.rows] == ["", ""]


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(worlds())
def test_accounts_of_any_plan_sum_to_its_cost(world):
    """Nothing is lost and nothing is paid twice, planned or today, in any small world."""
    with TemporaryDirectory() as name:
        folder = world.write(Path(name))
        try:
            model = read_model(folder / "model.yaml")
            result = solve(read_inventory(folder, model.overlay), model)
        except BadInput:
            return
    if result.measured is None:
        return
    found = accounts(result.measured, result.today)
    assert sum(account.cost for account in found) == result.measured.cost
    assert result.today is None or sum(account.cost_today or 0 for account in found) == result.today.cost
    table = next(table for table in result.tables if table.name == "organisations")
    pence = [Fraction(row[table.columns.index("cost")]) * 100 for row in table.rows]
    assert sum(pence) == result.measured.cost
