"""Scenarios: cells set and rows removed before anything is typed."""

import pytest

from capplan.errors import Place
from capplan.inventory import Inventory, read_inventory
from capplan.overlay import Overlay, Removal, Setting
from tests.inventory_folders import EXTRA, faults_of, read, told, write_folder

HERE = Place("m.yaml", 3, 5)
FILES = {
    "nodes": "node\nX\n",
    "circuits": "circuit,a,b\nc1,A,X\nc2,O1,X\nc3,O2,B\n",
    "workloads": (
        "workload,organisation,power_kw,allowed_sites,current_site,replica_of\n"
        "W1,O1,3,A;B,B,\nW2,O2,1,,,\nW3,O2,1,,,W1\nv.1,O2,1,,A,\n"
    ),
    "placements": "workload,site,cost\nW1,A,5\nW1,B,6\nW2,B,7\n",
    "expansions": "expansion,site,resource,amount\nups,A,power_kw,18\nups,A,cores,-2\nrow,B,power_kw,4\n",
    "licences": "licence,metric,organisations\nL1,pool,O1\nL2,pool,O1;O2\nL3,pool,\n",
    "licence_needs": "workload,licence,quantity\nW1,L1,1\nW1,L2,1\nW2,L2,1\nW2,L3,1\n",
    "allocation": "workload,site\nW1,A\nW2,B\n",
}


def setting(path: str, text: str) -> Overlay:
    return Overlay(set=(Setting(path, text, HERE),))


def removal(table: str, name: str) -> Overlay:
    return Overlay(remove=(Removal(table, name, HERE),))


def changed(folder, overlay: Overlay) -> Inventory:
    return read(folder, FILES, overlay)


def test_no_overlay_changes_nothing(tmp_path):
    assert read(tmp_path, FILES, Overlay()) == read(tmp_path, FILES)


def test_a_set_cell_is_read_as_if_it_stood_in_the_file(tmp_path):
    sites = "site,name,power_kw,cost_power_kw\nA,Ay,68.5,100\nB,Bee,12.5,120.50\n"
    there = changed(tmp_path / "a", setting("sites.B.power_kw", " 12.5 "))
    assert there == read(tmp_path / "b", {**FILES, "sites": sites})
    assert there.table("sites").place(1, "power_kw") == HERE
    assert there.table("sites").place(0, "power_kw").file.endswith("sites.csv")


def test_of_several_settings_of_one_cell_the_last_wins(tmp_path):
    twice = Overlay(set=(Setting("sites.B.power_kw", "1", HERE), Setting("sites.B.power_kw", "2", HERE)))
    assert changed(tmp_path, twice).capacity[1, 0] == 2000


def test_a_set_column_that_the_file_lacks_is_added(tmp_path):
    sites = changed(tmp_path, setting("sites.A.pue", "1.5")).table("sites")
    assert [str(sites.decimals("pue").fraction(row)) for row in (0, 1)] == ["3/2", "1"]
    assert sites.has("pue")


def test_ids_with_dots_and_composite_keys_name_a_row(tmp_path):
    assert changed(tmp_path, setting("workloads.v.1.power_kw", "9")).demand[3, 0] == 9000
    placements = changed(tmp_path, setting("placements.W1.B.cost", "60")).table("placements")
    assert placements.decimals("cost").mantissa.tolist() == [5, 60, 7]
    expansions = changed(tmp_path, setting("expansions.row.max", "4")).table("expansions")
    assert expansions.counts("max").tolist() == [4, 1, 1]


def test_a_blank_setting_empties_the_cell(tmp_path):
    assert changed(tmp_path, setting("workloads.W1.current_site", "")).current_site.tolist() == [0, 1, -1, 0]


def test_a_lost_site_stays_as_a_flagged_row_and_references_to_it_stay_legal(tmp_path):
    inventory = changed(tmp_path, removal("sites", "B"))
    assert inventory.removed_sites.tolist() == [False, True]
    assert inventory.current_site.tolist() == [1, 1, -1, 0]
    assert inventory.table("workloads").ref_lists("allowed_sites")[0] == (0, 1)
    assert len(inventory.table("placements")) == 3
    assert inventory != read(tmp_path, FILES)


def test_what_refers_to_a_removed_workload_goes_with_it_replicas_too(tmp_path):
    inventory = changed(tmp_path, removal("workloads", "W1"))
    assert inventory.table("workloads").ids == ["W2", "v.1"]
    assert inventory.table("placements").keys == ["W2.B"]
    assert inventory.table("licence_needs").keys == ["W2.L2", "W2.L3"]
    assert inventory.table("allocation").ids == ["W2"]
    assert inventory.current_site.tolist() == [1, 0]


def test_a_removed_organisation_takes_its_workloads_its_node_and_scopes_of_it_alone(tmp_path):
    inventory = changed(tmp_path, removal("organisations", "O1"))
    assert inventory.table("organisations").ids == ["O2"]
    assert inventory.table("workloads").ids == ["W2", "v.1"]
    assert inventory.table("circuits").ids == ["c1", "c3"]
    assert inventory.nodes == ("A", "B", "O2", "X")
    # L1 was for O1 alone: left empty, its scope would mean everybody.
    assert inventory.table("licences").ids == ["L2", "L3"]
    assert inventory.table("licences").ref_lists("organisations") == [(0,), ()]


def test_rows_of_every_other_table_can_be_removed(tmp_path):
    assert changed(tmp_path, removal("circuits", "c1")).table("circuits").ids == ["c2", "c3"]
    assert changed(tmp_path, removal("nodes", "X")).table("circuits").ids == ["c3"]
    assert changed(tmp_path, removal("licences", "L2")).table("licence_needs").keys == ["W1.L1", "W2.L3"]
    assert changed(tmp_path, removal("expansions", "ups")).table("expansions").keys == ["row.B.power_kw"]
    one = changed(tmp_path, removal("expansions", "ups.A.cores")).table("expansions")
    assert one.keys == ["row.B.power_kw", "ups.A.power_kw"]
    assert changed(tmp_path, removal("placements", "W1.A")).table("placements").keys == ["W1.B", "W2.B"]


FAULTS = [
    (setting("sites.power_kw", "1"), "bad-path", "table.row.column"),
    (setting("", "1"), "bad-path", "table.row.column"),
    (setting("site.B.power_kw", "1"), "unknown-table", 'did you mean "sites"?'),
    (setting("sites.B.power", "1"), "unknown-column", 'did you mean "power_kw"'),
    (setting("sites.B.site", "C"), "unknown-column", "columns of sites"),
    (setting("workloads.W11.power_kw", "1"), "unknown-reference", 'did you mean "W1"'),
    (setting("expansions.ups.amount", "1"), "unknown-reference", "ups.A.power_kw or ups.A.cores"),
    (setting("sites.B.power_kw", "3,5"), "decimal-comma", "write 3.5"),
    (setting("workloads.W1.current_site", "AA"), "unknown-reference", 'did you mean "A"?'),
    (removal("site", "B"), "unknown-table", 'did you mean "sites"?'),
    (removal("sites", "Bb"), "unknown-reference", 'did you mean "B"?'),
    (removal("workloads", "n/a"), "placeholder-cell", "write the value"),
]


@pytest.mark.parametrize(("overlay", "code", "fix"), FAULTS)
def test_what_names_nothing_or_cannot_be_read_is_told_at_its_place_in_the_model(tmp_path, overlay, code, fix):
    faults = faults_of(tmp_path, FILES, overlay)
    assert [told(tmp_path, fault) for fault in faults] == [f"m.yaml:3:5 {code}"]
    assert fix in faults[0].fix


def test_moving_a_site_to_another_node_does_not_take_its_circuits_away_silently(tmp_path):
    faults = faults_of(tmp_path, FILES, setting("sites.B.node", "X"))
    assert [told(tmp_path, fault) for fault in faults] == ["circuits.csv:4:7 unknown-reference"]


def test_a_fault_of_the_file_that_the_scenario_mends_is_none(tmp_path):
    files = {"workloads": "workload,organisation,power_kw\nW1,O1,three\n"}
    inventory = read_inventory(write_folder(tmp_path, files), EXTRA, setting("workloads.W1.power_kw", "3"))
    assert inventory.demand.tolist() == [[3000]]


def test_a_table_that_could_not_be_read_hides_no_other_fault_and_invents_none(tmp_path):
    overlay = Overlay(set=(Setting("workloads.W1.power_kw", "1", HERE),), remove=(Removal("workloads", "W2", HERE),))
    faults = faults_of(tmp_path, {"workloads": "workload;organisation\n"}, overlay)
    assert [told(tmp_path, fault) for fault in faults] == ["workloads.csv:1:1 wrong-delimiter"]
