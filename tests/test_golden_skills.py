"""Golden runs of `skills`: posts and contractor days, against figures worked out by hand."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest

from tests.test_golden_inventories import Run, assert_proved_optimal, solve

SKILLS = "inventories/skills"
POST, DAY = Fraction("50071.25"), 311

pytestmark = pytest.mark.golden


def planned(folder: Path, *arguments: str) -> Run:
    run = solve(folder / "run", SKILLS, *arguments)
    assert run.said.code == 0, run.said.text
    assert_proved_optimal(run)
    return run


def bought(run: Run) -> dict[str, int]:
    return {row["purchase"]: int(row["steps"]) for row in run.table("purchases")}


def contractor_days(run: Run) -> int:
    return sum(steps for name, steps in bought(run).items() if name.startswith("CON-"))


def test_without_a_cap(tmp_path: Path):
    """220 = 205 + 15, 110 and 80 below the break-even of 161 days, 330 = 205 + 125: 202,772.50."""
    run = planned(tmp_path)
    assert bought(run) == {"POST-RIO": 1, "CON-RIO": 15, "CON-NET": 110, "CON-DW": 80, "POST-DESK": 1, "CON-DESK": 125}
    assert run.cost() == 2 * POST + 330 * DAY == Fraction("202772.50")


def test_a_cap_of_a_fifth_costs_27057_50(tmp_path: Path):
    """148 of 740 days: posts for network and desktop in place of 235 contractor days."""
    run = planned(tmp_path, "--scenario", "capped")
    assert bought(run) == {"POST-RIO": 1, "CON-RIO": 15, "POST-NET": 1, "CON-DW": 80, "POST-DESK": 2}
    assert run.cost() == 4 * POST + 95 * DAY == Fraction("229830.00") == Fraction("202772.50") + Fraction("27057.50")


def test_the_former_share_changes_nothing(tmp_path: Path):
    assert planned(tmp_path, "--scenario", "former-share").cost() == Fraction("202772.50")


@pytest.mark.parametrize("scenario", ["flexible", "flexible-capped"])
def test_a_person_with_two_skills_is_split_and_makes_the_cap_free(tmp_path: Path, scenario: str):
    """190 days of network and warehouse within one person's 205; 15 + 125 = 140 contractor days keep the cap of 148."""
    run = planned(tmp_path, "--scenario", scenario)
    counts = Counter(bought(run))
    assert (counts["FLEX"], counts["FLEX-NET"], counts["FLEX-DW"]) == (1, 110, 80)
    assert contractor_days(run) == 140
    assert run.cost() == 3 * POST + 140 * DAY == Fraction("193753.75")
