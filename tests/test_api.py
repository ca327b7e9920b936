"""The Python interface as the README shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

import capplan

DUDLEY = Path(__file__).parent.parent / "inventories" / "dudley"


def test_reading_and_solving_work_again_and_again():
    """Modules never shadow the functions of the package, however often they are used."""
    for _ in range(2):
        inventory, model = capplan.read_inventory(DUDLEY), capplan.read_model("standard")
        result = capplan.solve(inventory, model)
        assert result.status == "optimal"
        assert result.gap == 0
        assert result.plan is not None
        assert result.plan.allocation.set_index("workload").loc["Z-hosting", "status"] == "left_out"
        assert list(result.plan.purchases["purchase"]) == ["UPS-4"]
        checked = capplan.check(inventory, model)
        assert {finding.breach.rule for finding in checked.findings} == {"left_out"}


def test_public_names_are_listed_sorted_and_there():
    """What the package says it offers it has, and nothing else by mistake."""
    assert sorted(capplan.__all__) == list(capplan.__all__)
    assert all(getattr(capplan, name) for name in capplan.__all__)
    with pytest.raises(AttributeError, match="no attribute 'solv'"):
        _ = capplan.solv


def test_an_infeasible_model_is_a_result():
    """Nothing may be bought: no plan, and the shortage in kilowatts."""
    result = capplan.solve(capplan.read_inventory(DUDLEY), capplan.read_model("standard", "as-is"))
    assert result.status == "infeasible"
    assert result.plan is None
    assert result.explanation is not None
    assert [float(breach.amount) for breach in result.explanation.shortages if breach.amount] == [3.4]
