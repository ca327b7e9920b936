"""Names in a model are held against the inventory; reasons for leaving out name what could be bought."""

from __future__ import annotations

import pytest

from capplan.errors import BadInput
from tests.small import problem, sites, solved

TABLES = {
    "sites": "site,power_kw,rack_units\nA,10,10\n",
    "workloads": "workload,organisation,power_kw,rack_units,value\nW1,O,1,8,\nW2,O,1,8,500\n",
    "expansions": "expansion,site,resource,amount,cost\nRACK,A,rack_units,20,9000\n",
}


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("headroom: {rack_unit: 50%}", r'model.yaml:4:.*no resource is named "rack_unit"; did you mean "rack_units"'),
        ("purchases: [RAKC]", r'model.yaml:4:.*nothing that can be bought is named "RAKC"; did you mean "RACK"'),
    ],
)
def test_a_misspelt_name_is_an_error_not_a_different_plan(model: str, message: str):
    """A resource or purchase that the inventory does not have would silently change the plan."""
    with pytest.raises(BadInput, match=message):
        problem(TABLES, f"extends: standard\n{model}\n")


def test_headroom_of_a_resource_that_is_not_in_use_is_legal():
    """The standard model keeps cooling free, whether or not an inventory counts it."""
    assert problem(TABLES, "extends: standard\nheadroom: {weight_kg: 10%}\n").headroom("weight_kg") > 0


def test_what_is_left_out_for_the_price_of_a_purchase_says_so():
    """W2 would fit if a rack were bought for £9,000; it is worth £500."""
    found = solved(problem(TABLES))
    assert sites(found)["W2"] == ""
    reason = next(table.rows for table in found.tables if table.name == "left_out")[0][2]
    assert reason == "A: A rack_units has 2 U free, 8 U needed; the goals prefer not to buy more (RACK)"
