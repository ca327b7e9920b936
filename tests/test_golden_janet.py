"""Golden runs of twelve hospitals on the JANET backbone, with round trips and cuts that a reader can work out.

``network`` below reads the tables with nothing but the csv module and networkx. The round trip of a circuit is 14 µs
for each km (2 × 1.4 × 5 µs) and 100 µs for each device passed, in whole microseconds.
"""

from __future__ import annotations

import csv
import math
from fractions import Fraction
from pathlib import Path

import networkx as nx
import pytest

from tests.test_golden_inventories import CHECKOUT, Run, Said, assert_proved_optimal, capplan, solve

JANET = "inventories/janet"
DUBLIN = (53.34980, -6.26030)

pytestmark = pytest.mark.golden


def rows(table: str) -> list[dict[str, str]]:
    with (CHECKOUT / JANET / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def network() -> nx.MultiGraph[str]:
    """Circuits as edges, with their round trip in µs."""
    graph: nx.MultiGraph[str] = nx.MultiGraph()
    for row in rows("circuits"):
        us = round(Fraction(row["km"]) * 14) + int(row["hops"]) * 100
        graph.add_edge(row["a"], row["b"], row["circuit"], us=us)
    return graph


def positions() -> dict[str, tuple[float, float]]:
    ids = {"nodes": "node", "sites": "site", "organisations": "organisation"}
    found = {
        row[key]: (float(row["latitude"]), float(row["longitude"]))
        for table, key in ids.items()
        for row in rows(table)
        if row["latitude"]
    }
    return found | {"Dublin": DUBLIN}


def straight_km(a: tuple[float, float], b: tuple[float, float]) -> float:
    """By the angle between two vectors from the centre of the earth; the package uses haversines."""
    (p, q), (r, s) = (tuple(map(math.radians, place)) for place in (a, b))
    cosine = math.sin(p) * math.sin(r) + math.cos(p) * math.cos(r) * math.cos(q - s)
    return 6371.0088 * math.acos(min(1.0, cosine))


@pytest.fixture(scope="module")
def janet(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return solve(tmp_path_factory.mktemp("janet") / "run", JANET)


@pytest.fixture(scope="module")
def ways() -> Said:
    return capplan("links", JANET)


def test_the_backbone_is_whole():
    """29 nodes and 45 circuits. Dublin alone has no coordinates, and its two lengths say that they assume some."""
    nodes = [row for row in rows("nodes") if row["x_origin"] == "Topology Zoo"]
    backbone = [row for row in rows("circuits") if row["x_link"] in ("Red Link", "Purple Link")]
    assert (len(nodes), len(backbone)) == (29, 45)
    assert [row["node"] for row in nodes if not row["latitude"]] == ["Dublin"]
    assumed = {(row["a"], row["b"]) for row in backbone if "assumed" in row["x_km"]}
    assert assumed == {("Dublin", "Warrington"), ("Dublin", "NIRAN")}


def test_every_length_is_the_straight_distance_it_says_it_is():
    place = positions()
    for row in rows("circuits"):
        assert "derived" in row["x_km"], row
        assert float(row["km"]) == pytest.approx(straight_km(place[row["a"]], place[row["b"]]), abs=0.06), row


def test_the_authors_of_the_backbone_are_named():
    """CC BY 4.0 asks for names, licence and a note of changes, wherever the data goes."""
    for path in (CHECKOUT / "NOTICE", CHECKOUT / JANET / "inventory.yaml"):
        text = path.read_text("utf-8")
        assert all(word in text for word in ("Internet Topology Zoo", "Knight", "licenses/by/4.0", "hange")), path


def test_janet_needs_the_two_cheapest_data_centres(janet: Run):
    """Every record system has a standby elsewhere, so two sites at least: Bristol 110,000 + Leeds 125,000 = 235,000."""
    assert janet.said.code == 0, janet.said.text
    assert_proved_optimal(janet)
    assert janet.cost() == 235_000
    assert set(janet.sites().values()) == {"BRS", "LDS"}
    assert sorted(int(row["open_cost"]) for row in rows("sites"))[:2] == [110_000, 125_000]


def test_newcastle_is_2_244_ms_from_leeds(janet: Run):
    """0.8 km to NorMAN and 130.9 km to Leeds: 11 + 1,833 µs, and 100 µs for each of 2 + 1 + 1 devices: 2.244 ms."""
    [row] = [r for r in janet.table("links") if (r["link"], r["check"]) == ("RTD to LDS", "round_trip")]
    assert row["path"] == "RTD -RTD-1- NorMAN -J28- Leeds -LDS-1- LDS"
    assert (row["measured"], row["limit"], row["note"]) == ("2.244", "4", "estimated")


def test_images_are_where_the_map_says_they_may_be(janet: Run):
    """Every way that the plan uses is as long as the quickest one of the map; no archive is more than 4 ms away."""
    graph, placed = network(), janet.sites()
    told = {r["link"]: Fraction(r["measured"]) * 1000 for r in janet.table("links") if r["check"] == "round_trip"}
    for trust in (row["organisation"] for row in rows("organisations") if row["latitude"]):
        quickest = nx.single_source_dijkstra_path_length(graph, trust, weight="us")
        assert quickest[placed[f"{trust}-pacs"]] <= 4_000
        for site in ("BRS", "LDS"):
            assert told[f"{trust} to {site}"] == quickest[site]
    assert placed["RTD-pacs"] == "LDS", "Bristol is 8.63 ms from Newcastle"


def test_the_image_exchange_is_not_where_one_failure_cuts_it_off(janet: Run):
    """Its register asks to survive, and all of Bristol's data centre hangs on one node: it is at Leeds."""
    assert janet.sites()["IMG-exchange"] == "LDS"
    checks = {r["link"]: r["status"] for r in janet.table("links") if r["check"] == "survives"}
    assert (checks["IMG-IMAGES"], checks["IMG-DUBLIN"]) == ("pass", "pass")


def test_nobody_is_a_short_cut_for_others():
    """In normal running every quickest way passes nothing but the backbone's own nodes."""
    graph = network()
    backbone = {row["node"] for row in rows("nodes") if row["x_origin"] == "Topology Zoo"}
    attached = set(graph) - backbone
    assert len(attached) == 12 + 4 + 2
    for end in attached:
        for other, path in nx.single_source_dijkstra_path(graph, end, weight="us").items():
            assert set(path[1:-1]) <= backbone, (end, other)


def test_bristol_cuts_off_what_the_map_says(ways: Said):
    """Without the node Bristol no organisation reaches BRS, and RA7, which has no other circuit, reaches nothing."""
    assert ways.code == 1, ways.text
    cut = network()
    cut.remove_node("Bristol")
    assert not list(nx.all_neighbors(cut, "BRS"))
    assert not list(nx.all_neighbors(cut, "RA7"))
    assert nx.number_connected_components(cut) == 3, "the rest of the network holds together"
    assert "node Bristol: cuts IMG to BRS, R0A to BRS, RA7 to BRS, RA7 to LDS, RA7 to LON, RA7 to WAR" in ways.out


def test_the_assumed_duct_cuts_nothing(ways: Said):
    """J23 and J41 leave Bristol; SWERN (to Cardiff and Reading) and LeNSE (to London) still join it to the rest."""
    duct = [(r["a"], r["b"], r["circuit"]) for r in rows("circuits") if r["shared_risks"]]
    assert [circuit for *_, circuit in duct] == ["J23", "J41"]
    cut = network()
    for a, b, circuit in duct:
        cut.remove_edge(a, b, circuit)
    assert nx.is_connected(cut)
    assert ways.out.rstrip().endswith("Shared risks whose loss cuts no link\n  assumed western duct")


def test_a_second_circuit_of_bristol_leaves_only_its_hospital_on_the_node():
    """BRS then goes on by SWERN; RA7 still has one way out."""
    said = capplan("links", JANET, "--scenario", "bristol-second-circuit")
    assert "node Bristol: cuts RA7 to BRS, RA7 to LDS, RA7 to LON, RA7 to WAR\n" in said.out


def test_nearer_images_need_london_and_leeds(tmp_path: Path):
    """Within 3 ms Cambridge reaches London only, Newcastle Leeds only: 210,000 + 125,000, and no third."""
    graph = network()
    for trust, only in (("RGT", {"LON"}), ("RTD", {"LDS"})):
        quickest = nx.single_source_dijkstra_path_length(graph, trust, weight="us")
        assert {site for site in ("BRS", "LDS", "LON", "WAR") if quickest[site] <= 3_000} == only
    run = solve(tmp_path / "run", JANET, "--scenario", "nearer")
    assert_proved_optimal(run)
    assert run.cost() == Fraction(335_000)
