"""Examples of `replicas` that a reader can check on paper; the laws are in test_laws.py."""

from __future__ import annotations

import pytest

from capplan.errors import BadInput
from tests.small import measured, messages, problem, sites, solved

# Carlisle to Whitehaven is 56.30 km, Carlisle to Workington 47.35 km, Whitehaven to Workington 12.57 km.
PLACES = (
    "site,power_kw,latitude,longitude\n"
    "Carlisle,10,54.89650,-2.95778\nWhitehaven,10,54.53006,-3.56258\nWorkington,10,54.64289,-3.55077\n"
)


def family(columns: str, primary: str, replica: str) -> dict[str, str]:
    header = f"workload,organisation,power_kw,replica_of,{columns}"
    return {"sites": PLACES, "workloads": f"{header}\nRIO,O,3,,{primary}\nRIO-R,,2,RIO,{replica}\n"}


def test_a_replica_is_never_where_its_primary_is():
    """One loss must not take both; what the replica leaves blank (its organisation) is its primary's."""
    small = problem(family("pinned_site", "Carlisle", ""))
    plan = measured(small, RIO="Carlisle", **{"RIO-R": "Carlisle"})
    assert messages(plan) == ["RIO, RIO-R at Carlisle: RIO and RIO-R are both at Carlisle: one loss would take both"]
    found = sites(solved(small))
    assert found["RIO"] == "Carlisle"
    assert found["RIO-R"] in ("Whitehaven", "Workington")


def test_least_distance_is_the_great_circle():
    """At least 50 km from Carlisle leaves Whitehaven (56.30 km), not Workington (47.35 km)."""
    small = problem(family("pinned_site,replica_min_km", "Carlisle,", ",50"))
    assert sites(solved(small)) == {"RIO": "Carlisle", "RIO-R": "Whitehaven"}
    plan = measured(small, RIO="Carlisle", **{"RIO-R": "Workington"})
    assert "Carlisle to Workington are 47.35 km, at least 50 km are asked" in messages(plan)[0]


def test_distance_is_between_the_sites_wherever_they_meet_the_network():
    """Both sites hang on one exchange; they are 56.30 km apart all the same."""
    tables = family("pinned_site,replica_min_km", "Carlisle,", "Whitehaven,56")
    tables["nodes"] = "node\nexchange\n"
    tables["sites"] = (
        "site,power_kw,latitude,longitude,node\n"
        "Carlisle,10,54.89650,-2.95778,exchange\nWhitehaven,10,54.53006,-3.56258,exchange\n"
    )
    assert solved(problem(tables)).status == "optimal"


def test_longest_round_trip_between_the_sites():
    """0.7 ms leaves Workington (0.663 ms estimated), not Whitehaven (0.788 ms)."""
    small = problem(family("pinned_site,replica_max_rtt_ms", "Carlisle,", ",0.7"))
    assert sites(solved(small)) == {"RIO": "Carlisle", "RIO-R": "Workington"}
    plan = measured(small, RIO="Carlisle", **{"RIO-R": "Whitehaven"})
    assert "round trip Carlisle to Whitehaven is estimated 0.788 ms, limit 0.7 ms" in messages(plan)[0]


def test_a_family_is_placed_whole_or_left_out_whole():
    """A primary without its replica breaks the rule; an optional primary takes its replica out with it."""
    small = problem(family("value", "100", ""))
    assert "RIO: it and its replicas are placed together or left out together" in " ".join(
        messages(measured(small, RIO="Carlisle"))
    )
    assert messages(measured(small)) == []


def test_several_replicas_are_all_apart_and_the_first_takes_over():
    """Three copies need three sites; lost.csv says that the first replica by id carries the load."""
    tables = family("pinned_site", "Carlisle", "Whitehaven")
    tables["workloads"] += "RIO-S,,2,RIO,\n"
    found = solved(problem(tables))
    assert sites(found) == {"RIO": "Carlisle", "RIO-R": "Whitehaven", "RIO-S": "Workington"}
    lost = next(table.rows for table in found.tables if table.name == "lost")
    assert lost == [["Carlisle", "2016-01-01..2016-12-30", "RIO", "Whitehaven"]]


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ("W,O,1,W\n", "circular-reference"),
        ("V,O,1,\nW,O,1,V\nX,O,1,W\n", "circular-reference"),
    ],
)
def test_a_replica_of_a_replica_is_a_fault(rows: str, code: str):
    """Replicas name a primary, nothing else."""
    with pytest.raises(BadInput, match=code):
        problem({"sites": PLACES, "workloads": f"workload,organisation,power_kw,replica_of\n{rows}"})


def test_a_replica_with_one_site_is_a_contradiction():
    """It cannot be anywhere: said before any solving."""
    tables = family("value", "", "") | {"sites": "site,power_kw\nA,10\n"}
    with pytest.raises(BadInput, match=r"contradictory-rules.*there is only one site"):
        problem(tables)
