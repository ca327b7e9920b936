"""Reports of comparisons and sweeps, and of charges."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli_calls import CHECKOUT, capplan
from tests.test_report import Text

INVENTORIES = CHECKOUT / "inventories"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Dudley as it is bought for, and as it is, which has no plan; North Central London under two models."""
    folder = tmp_path_factory.mktemp("pages")
    wanted = {
        "bought": ("dudley",),
        "as-is": ("dudley", "--scenario", "as-is"),
        "london": ("north-central-london",),
        "fewest": ("north-central-london", "-m", "consolidate"),
        "cheshire": ("cheshire",),
    }
    for name, (inventory, *more) in wanted.items():
        assert capplan("solve", INVENTORIES / inventory, *more, "-o", folder / name).code in (0, 3)
    return folder


def test_several_runs_are_compared(runs: Path, tmp_path: Path):
    """Costs side by side, what differs in the inputs, and what it means for each organisation."""
    target = tmp_path / "page.html"
    assert capplan("report", runs / "london", runs / "fewest", "-o", target).out == f"{target}\n"
    text = Text(target.read_text("utf-8")).text
    assert "london and fewest" in text
    assert "Cost £1,294,000, the same as london." in text
    assert "What changes for whom" in text
    assert "fewest against london" in text
    again = tmp_path / "again.html"
    capplan("report", runs / "london", runs / "fewest", "-o", again)
    assert again.read_bytes() == target.read_bytes()


def test_a_run_without_a_plan_can_be_compared(runs: Path, tmp_path: Path):
    """It says so in place of figures."""
    target = tmp_path / "page.html"
    assert capplan("report", runs / "bought", runs / "as-is", "-o", target).code == 0
    text = Text(target.read_text("utf-8")).text
    assert "no plan keeps the rules" in text
    assert "It has no plan." in text
    assert "Cost £81,878.40." in text


def test_a_sweep_has_a_page(tmp_path: Path):
    """What every loss costs, and what it leaves without a home."""
    folder = tmp_path / "sweep"
    inventory = INVENTORIES / "north-central-london"
    assert capplan("sweep", inventory, "--each-site-lost", "-o", folder).code == 0
    assert capplan("report", folder).out == f"{folder / 'report.html'}\n"
    text = Text((folder / "report.html").read_text("utf-8")).text
    assert "10 scenarios tried" in text
    assert "As planned: £1,294,000." in text
    assert "9 scenarios of 10." in text
    assert "In no other scenario does everything have its home." in text
    assert "without site H1" in text


def test_charges_answer_what_it_costs_whom(runs: Path, tmp_path: Path):
    """Cheshire has no workloads: who pays what, and what is stranded, are the answer; no link leads nowhere."""
    target = tmp_path / "page.html"
    assert capplan("report", runs / "cheshire", "-o", target).code == 0
    page = target.read_text("utf-8")
    text = Text(page).text
    assert "£24,166,100 is charged: West Cheshire (WCH) £6,690,000;" in text
    assert "IT earns £492,400 too little." in text
    links = set(re.findall(r'href="#([^"]+)"', page))
    assert links <= set(re.findall(r' id="([^"]+)"', page))
