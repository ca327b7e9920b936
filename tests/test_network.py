"""Round trips against networkx, on random networks with parallel circuits and measured and estimated ones."""

from __future__ import annotations

import networkx as nx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from capplan.network import UNREACHABLE, Network
from tests.small import problem

NAMES = "ABCDEF"


@st.composite
def circuits(draw: st.DrawFn) -> list[tuple[str, str, int, bool]]:
    """(a, b, µs, measured); several circuits may join the same nodes."""
    ends = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).filter(lambda pair: pair[0] != pair[1])
    rows = draw(st.lists(st.tuples(ends, st.integers(0, 6), st.booleans()), max_size=12))
    return [(a, b, us * 100, measured) for (a, b), us, measured in rows]


def network_of(rows: list[tuple[str, str, int, bool]]) -> Network:
    # An estimate of 2 × km × 1 × 5 µs: km = µs ÷ 10.
    cells = [f"c{i},{a},{b},{us / 1000 if m else ''},{'' if m else us / 10}" for i, (a, b, us, m) in enumerate(rows)]
    tables = {
        "nodes": "node\n" + "\n".join(NAMES) + "\n",
        "sites": "site,node,power_kw\nS,A,1\n",
        "organisations": "organisation,node\nO,A\n",
        "circuits": "circuit,a,b,rtt_ms,km\n" + "\n".join(cells) + "\n",
    }
    return Network(problem(tables).inventory, 1.0, 0)


@settings(max_examples=60)
@given(circuits())
def test_round_trips_are_those_of_networkx(rows: list[tuple[str, str, int, bool]]) -> None:
    """Shortest round trips, reachability, and whether a path holds an estimate."""
    network = network_of(rows)
    graph: nx.MultiGraph[str] = nx.MultiGraph()
    graph.add_nodes_from(NAMES)
    for a, b, us, measured in rows:
        graph.add_edge(a, b, us=us, measured=measured)
    number = {name: i for i, name in enumerate(network.inventory.nodes)}
    sources = np.array([number[name] for name in NAMES], dtype=np.int64)
    trips = network.round_trips(sources, np.arange(len(number)), np.ones(len(rows), dtype=np.bool_))
    for i, source in enumerate(NAMES):
        lengths = nx.single_source_dijkstra_path_length(graph, source, weight="us")
        for target in NAMES:
            ours = int(trips.us[i, number[target]])
            assert ours == lengths.get(target, UNREACHABLE)
            if not trips.estimated[i, number[target]] and ours != UNREACHABLE:
                measured_only: nx.MultiGraph[str] = nx.MultiGraph(e for e in graph.edges(data=True) if e[2]["measured"])
                measured_only.add_nodes_from(NAMES)
                assert nx.dijkstra_path_length(measured_only, source, target, weight="us") == ours


def test_distance_is_the_great_circle():
    """Carlisle to Whitehaven is 56.30 km, Chester to Warrington 28.05 km."""
    tables = {
        "sites": "site,power_kw,latitude,longitude\nA,1,54.89650,-2.95778\nB,1,54.53006,-3.56258\n"
        "C,1,53.21153,-2.90228\nD,1,53.39398,-2.61070\n"
    }
    network = Network(problem(tables).inventory, 1.4, 100)
    node = [network.inventory.nodes.index(name) for name in "ABCD"]
    a, b = np.array([node[0], node[2]]), np.array([node[1], node[3]])
    assert np.round(network.distance_km(a, b), 2).tolist() == [56.30, 28.05]
    assert network.estimate_us(np.array([56.30, np.nan]), np.array([2, 0])).tolist() == [988, UNREACHABLE]
