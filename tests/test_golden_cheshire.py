"""Golden run of Cheshire: what each group pays for the packages it wants, and what the group that left strands."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path

import pytest

from tests.test_golden_inventories import CHECKOUT, Run, capplan, solve

pytestmark = pytest.mark.golden

CHESHIRE = "inventories/cheshire"
CHARGES = {  # price a head x heads
    "ECH": 5_352_000,  # 26.76 x 200,000
    "SCH": 4_333_000,  # 24.76 x 175,000: all but HR
    "VR": 875_700,  # 8.34 x 105,000: IT
    "WAR": 4_552_000,  # 22.76 x 200,000: all but HR and COMMS
    "WCH": 6_690_000,  # 26.76 x 250,000
    "WIRA": 1_612_800,  # 13.44 x 120,000: IT and BI
    "WIRB": 750_600,  # 8.34 x 90,000: IT
    "WIRC": 0,  # nothing
}


@pytest.fixture(scope="module")
def cheshire(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return solve(tmp_path_factory.mktemp("cheshire") / "run", CHESHIRE)


def test_each_group_pays_for_what_it_buys(cheshire: Run):
    """The column adds to 24,166,100."""
    assert cheshire.said.code == 0, cheshire.said.text
    total = dict.fromkeys(CHARGES, Fraction(0))
    for row in cheshire.table("charges"):
        assert row["unit_basis"] == "population"
        assert Fraction(row["amount"]) == Fraction(row["price"]) * Fraction(row["volume"])
        total[row["organisation"]] += Fraction(row["amount"])
    assert total == CHARGES
    assert sum(total.values()) == 24_166_100
    assert {row["organisation"]: Fraction(row["charged"]) for row in cheshire.table("organisations")} == CHARGES


def test_the_group_that_left_strands_what_it_does_not_cover(cheshire: Run):
    """IT brings 1,140,000 x 8.34 = 9,507,600: 492,400 short of 10,000,000, and only WIRC does not buy."""
    [it] = [row for row in cheshire.table("packages") if row["package"] == "IT"]
    figures = {name: Fraction(it[name]) for name in ("income", "cost", "margin", "stranded", "underpriced", "take_up")}
    assert figures == {
        "income": 9_507_600,
        "cost": 10_000_000,
        "margin": -492_400,
        "stranded": 492_400,
        "underpriced": 0,
        "take_up": Fraction(95, 100),  # 5 % of the heads left
    }
    stranded = {row["organisation"]: Fraction(row["stranded"]) for row in cheshire.table("stranded")}
    assert stranded == dict.fromkeys(CHARGES, 0) | {"WIRC": 492_400}
    assert "WIRC does not buy all of it: £492,400 (it would pay £500,400 more)" in cheshire.said.out


def test_full_take_up_is_the_published_price_for_everyone(cheshire: Run):
    """26.76 x 1,200,000 = 32,112,000."""
    assert sum(Fraction(row["full_income"]) for row in cheshire.table("packages")) == 32_112_000
    assert "if every organisation bought everything, £32,112,000" in cheshire.said.out


def test_there_is_nothing_to_place_and_no_warning_of_it():
    """Charges alone are a purpose of their own."""
    said = capplan("validate", "--strict", CHESHIRE)
    assert said.code == 0, said.text


def test_a_price_per_head_is_never_multiplied_by_users(tmp_path: Path):
    """8,000 users x 26.76 = 214,080 would pay for nothing; the package is priced per head of population."""
    folder = tmp_path / "cheshire"
    shutil.copytree(CHECKOUT / CHESHIRE, folder)
    text = (folder / "organisations.csv").read_text("utf-8")
    rows = [line.rpartition(",")[0] + ",1000" for line in text.splitlines()[1:]]
    (folder / "organisations.csv").write_text("\n".join(["organisation,name,kind,users", *rows, ""]), "utf-8")
    said = capplan("solve", folder, "-o", tmp_path / "run")
    assert said.code == 1
    assert said.err.count("error[unit-basis-mismatch]") == 25, "each of the 25 subscriptions"
    assert 'the package "IT" is priced per head of population, and of "VR" only the 1000 users are known' in said.err
    assert not (tmp_path / "run").exists()


def test_a_shared_cost_reconciles_to_the_penny(tmp_path: Path):
    """10,000,000 for IT shared by the heads of its seven customers instead of priced."""
    folder = tmp_path / "cheshire"
    shutil.copytree(CHECKOUT / CHESHIRE, folder)
    table = (folder / "packages.csv").read_text("utf-8")
    (folder / "packages.csv").write_text(table.replace("population,8.34,", "fixed,,"), "utf-8")
    run = solve(tmp_path / "run", str(folder))
    shares = {r["organisation"]: Fraction(r["amount"]) for r in run.table("charges") if r["package"] == "IT"}
    assert sum(shares.values()) == 10_000_000
    # In pence the exact shares end in .491 (ECH), .930 (SCH), .158 (VR), .491 (WAR), .614 (WCH), .895 (WIRA) and .421
    # (WIRB): four pennies are left over. SCH, WIRA and WCH get one each, and of the equal ECH and WAR the first id.
    assert shares == {
        "ECH": Fraction("1754385.97"),
        "SCH": Fraction("1535087.72"),
        "VR": Fraction("921052.63"),
        "WAR": Fraction("1754385.96"),
        "WCH": Fraction("2192982.46"),
        "WIRA": Fraction("1052631.58"),
        "WIRB": Fraction("789473.68"),
    }
