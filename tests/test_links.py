"""Links: failures against whole recomputation, diversity against known graphs, and examples worked by hand."""

from __future__ import annotations

import json

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capplan.cli.links_held import links_held
from capplan.links.report import Report
from capplan.links.row import Check
from capplan.network import failures
from capplan.network.diversity import Diversity, circuit_graph, points_of_failure
from capplan.network.failures import Demands, Failure, effects_of, with_state
from capplan.network.graph import Graph, trees_of
from capplan.rules import RULES
from tests.cli_calls import capplan
from tests.small import measured, messages, problem, sites, solved

TWO_SITES = {
    "sites": "site,power_kw\nA,10\nB,10\n",
    "workloads": "workload,organisation,power_kw\nW1,O,1\nW2,O,1\n",
}


def graph(size: int, *ends: tuple[int, int], us: int = 1) -> Graph:
    a, b = np.array(ends, dtype=np.int64).reshape(-1, 2).T
    return Graph(size, a, b, np.full(len(a), us, dtype=np.int64), np.ones(len(a), dtype=np.bool_))


# ---------------------------------------------------------------- single failures


@st.composite
def networks(draw: st.DrawFn) -> tuple[Graph, Demands, list[Failure]]:
    """A small network with parallel circuits and many ties, demands to two roots, and failures of every kind."""
    size = draw(st.integers(2, 7))
    node = st.integers(0, size - 1)
    ends = draw(st.lists(st.tuples(node, node).filter(lambda pair: pair[0] != pair[1]), min_size=1, max_size=12))
    net = graph(size, *ends)
    us = np.array(draw(st.lists(st.integers(0, 4), min_size=len(ends), max_size=len(ends))), dtype=np.int64)
    usable = np.array(draw(st.lists(st.booleans(), min_size=len(ends), max_size=len(ends)))) | (us > 0)
    net = Graph(size, net.a, net.b, us, usable)
    rows = draw(
        st.lists(st.tuples(st.integers(0, 1), node, st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=6)
    )
    failing = [Failure("circuit", str(c), (c,)) for c in range(len(ends))]
    failing += [Failure("site", str(n), (), n) for n in range(size)]
    failing.append(Failure("shared risk", "duct", tuple(range(0, len(ends), 2))))
    return net, Demands(*np.array(rows, dtype=np.int64).T), failing


@settings(max_examples=150, deadline=None)
@given(networks(), st.booleans())
def test_failures_are_those_of_whole_recomputation(case: tuple[Graph, Demands, list[Failure]], compiled: bool) -> None:
    """Loads, cuts and slowest round trips after each failure, against a search of the whole network for each."""
    net, demands, failing = case
    trees = trees_of(net, np.array([0, 1]))
    before, failures.COMPILE_FROM = failures.COMPILE_FROM, 0 if compiled else 10**9
    found = effects_of(trees, demands, failing)
    failures.COMPILE_FROM = before
    worst, state = found.load.copy(), np.full(found.load.shape, -1)
    cut, ended = set(), set()
    for f, failure in enumerate(failing):
        after = trees_of(with_state(net, failure), trees.roots)
        load = failures._normal_load(after, demands)
        state, worst = np.where(load > worst, f, state), np.maximum(load, worst)
        for d, (root, node) in enumerate(zip(demands.root.tolist(), demands.node.tolist(), strict=True)):
            if trees.us(root, node) < 0:
                continue
            if failure.node in (node, trees.roots[root]):
                ended.add((f, d))
            elif after.us(root, node) < 0:
                cut.add((f, d))
    assert np.array_equal(found.worst, worst)
    assert np.array_equal(found.state, state)
    assert {tuple(pair) for pair in found.cut.tolist()} == cut
    assert {tuple(pair) for pair in found.ended.tolist()} == ended


@settings(max_examples=60, deadline=None)
@given(networks())
def test_routes_are_as_long_as_those_of_networkx(case: tuple[Graph, Demands, list[Failure]]) -> None:
    """Round trips of routes, and the sum over the circuits of each path."""
    net, _, _ = case
    trees = trees_of(net, np.array([0, 1]))
    other: nx.MultiGraph[int] = nx.MultiGraph()
    other.add_nodes_from(range(net.nodes))
    for c in np.flatnonzero(net.usable).tolist():
        other.add_edge(int(net.a[c]), int(net.b[c]), us=int(net.us[c]))
    for root in (0, 1):
        lengths = nx.single_source_dijkstra_path_length(other, root, weight="us")
        for node in range(net.nodes):
            assert trees.us(root, node) == lengths.get(node, -1)
            if node in lengths:
                assert int(net.us[trees.path(root, node)].sum()) == lengths[node]


# ---------------------------------------------------------------- diversity


def test_surviving_each_risk_is_not_two_disjoint_paths():
    """Circuits with {r1, r2}, {r2, r3}, {r1, r3}: each risk alone leaves one, and any two share a risk."""
    net, risks = graph(2, (0, 1), (0, 1), (0, 1)), {0: (0, 1), 1: (1, 2), 2: (0, 2)}
    for group in range(3):
        gone = np.array([c for c, groups in risks.items() if group in groups])
        assert len(set(net.without(gone).component.tolist())) == 1
    assert Diversity(net, risks).disjoint(0, 1) is False
    assert Diversity(net, {0: (0,), 1: (1,), 2: (1,)}).disjoint(0, 1) is True


def test_parallel_circuits_count_as_two():
    """A=B twice, B–C once: A–B has two paths, A–C one; B and the single circuit are the points of failure."""
    net = graph(3, (0, 1), (0, 1), (1, 2))
    assert nx.node_connectivity(circuit_graph(net), ("node", 0), ("node", 1)) == 2
    assert nx.node_connectivity(circuit_graph(net), ("node", 0), ("node", 2)) == 1
    assert points_of_failure(net) == {("node", 1), ("circuit", 2)}
    assert Diversity(net, {}).disjoint(0, 1) is True
    assert Diversity(net, {}).disjoint(0, 2) is False


def test_removing_the_shortest_path_is_no_test_of_diversity():
    """S–a–b–T is shortest and leaves nothing behind; S–c–b–T and S–a–d–T share nothing."""
    s, a, b, c, d, t = range(6)
    net = graph(6, (s, a), (a, b), (b, t), (s, c), (c, b), (a, d), (d, t))
    after = net.without(np.array([0, 1, 2])).component
    assert after[s] != after[t]
    assert Diversity(net, {}).disjoint(s, t) is True
    assert Diversity(net, {}).disjoint(t, s) is True


def test_ends_without_a_path_are_not_diverse():
    """Nodes 1, 2, 3 with 1–2 only: no path from 1 to 3, and no crash."""
    assert Diversity(graph(3, (0, 1)), {}).disjoint(0, 2) is False


# ---------------------------------------------------------------- examples


def checks(tables: dict[str, str], **placed: str) -> dict[tuple[str, str], Check]:
    small = problem(tables)
    site = np.array([small.sites.find(placed.get(w, "")) for w in small.workloads.ids], dtype=np.int64)
    return {(row.link, row.check): row for row in Report(small, site).rows}


def interface(columns: str, cells: str) -> str:
    return f"interface,source,target,{columns}\nI,W1,W2,{cells}\n"


def test_a_distance_is_an_estimate_and_says_so():
    """56.30 km: 2 × 56.30 × 1.4 × 5 = 788 µs."""
    tables = TWO_SITES | {"circuits": "circuit,a,b,km\nc,A,B,56.30\n", "interfaces": interface("max_rtt_ms", "5")}
    row = checks(tables, W1="A", W2="B")["I", "round_trip"]
    assert (row.row()["measured"], row.status, row.note) == ("0.788", "pass", "estimated")


def test_capacity_is_directed():
    """25 Mbit/s towards B over 20 fail; over 80 the other way they pass."""
    tables = TWO_SITES | {"circuits": "circuit,a,b,km,mbps,mbps_back\nc,A,B,10,20,80\n"}
    up = checks(tables | {"interfaces": interface("mbps", "25")}, W1="A", W2="B")
    down = checks(tables | {"interfaces": interface("mbps", "25")}, W1="B", W2="A")
    assert up["circuit c A > B", "bandwidth"].status == up["I", "bandwidth"].status == "fail"
    assert down["circuit c B > A", "bandwidth"].status == "pass"
    assert sites(solved(problem(tables | {"interfaces": interface("mbps", "25")}))) == {"W1": "A", "W2": "A"}


def test_a_million_messages_are_1_481_mbps():
    """1,000,000 × 16,000 × 8 ÷ 86,400 s = 1.4815 Mbit/s, rounded up to the kbit."""
    cells = interface("messages_per_day,bytes_per_message", "1000000,16000")
    tables = TWO_SITES | {"circuits": "circuit,a,b,km,mbps\nc,A,B,10,20\n", "interfaces": cells}
    row = checks(tables, W1="A", W2="B")["circuit c A > B", "bandwidth"]
    assert row.row()["measured"] == "1.482"


def test_two_placed_ends_are_kept_together_by_their_round_trip():
    """W1 fits only at A, W2 is cheaper at B: 4 ms apart they may be, 3.9 ms they may not."""
    tables = {
        "sites": "site,power_kw\nA,10\nB,10\n",
        "workloads": "workload,organisation,power_kw,allowed_sites\nW1,O,1,A\nW2,O,1,\n",
        "placements": "workload,site,cost\nW2,A,100\n",
        "circuits": "circuit,a,b,rtt_ms\nc,A,B,4\n",
    }
    near, far = (problem(tables | {"interfaces": interface("max_rtt_ms", limit)}) for limit in ("3.9", "4"))
    assert sites(solved(near)) == {"W1": "A", "W2": "A"}
    assert sites(solved(far)) == {"W1": "A", "W2": "B"}
    said = messages(measured(near, W1="A", W2="B"))
    assert len(said) == 1
    assert said[0].startswith("I with W1 at A, W2 at B: round trip 4 ms, limit 3.9 ms")


def test_an_engine_transforms_and_takes_time():
    """hl7v2 becomes fhir at the engine, which adds 2 ms; without it the target does not understand."""
    tables = {
        "sites": "site,power_kw\nA,10\n",
        "workloads": "workload,organisation,power_kw,processing_ms,transforms,speaks\n"
        "E,O,1,2,hl7v2 2.4 > fhir r4,\nW1,O,1,,,hl7v2 2.4\nW2,O,1,,,fhir r4\n",
    }
    text = "interface,source,target,via,standard,version\nI,W1,W2,E,hl7v2,2.4\nJ,W1,W2,,hl7v2,2.4\n"
    found = checks(tables | {"interfaces": text}, E="A", W1="A", W2="A")
    assert found["I", "standard"].status == "pass"
    assert found["I", "round_trip"].row()["measured"] == "2"
    assert found["J", "standard"].status == "fail"


FAULTY = [
    ({"interfaces": "interface,source,target\nI,W1,W1\n"}, "self-link"),
    ({"interfaces": "interface,source,target,via\nI,W1,W2,W2\n"}, "circular-reference"),
    ({"interfaces": "interface,source,target,version\nI,W1,W2,latest\n"}, "not-a-version"),
    ({"circuits": "circuit,a,b,km,mbps\nc,A,B,1,0\n"}, "non-positive-quantity"),
    ({"circuits": "circuit,a,b,km\nc,A,B,1\nd,B,A,1\n"}, "duplicate-circuit"),
]


@pytest.mark.parametrize(("tables", "code"), FAULTY)
def test_mistakes_are_located(tables: dict[str, str], code: str):
    """Each mistake has its file, line and code."""
    from capplan.errors import BadInput

    try:
        found = list(RULES["links"].faults(problem(TWO_SITES | tables)))
    except BadInput as error:
        found = list(error.faults)
    assert [fault.code for fault in found] == [code]
    assert found[0].place.line >= 2


def test_an_unknown_end_is_told_with_its_place():
    """A misspelt end is an error in its cell."""
    from capplan.errors import BadInput

    with pytest.raises(BadInput) as raised:
        problem(TWO_SITES | {"interfaces": "interface,source,target\nI,W1,W3\n"})
    assert "interfaces.csv:2:6: error[unknown-reference]" in str(raised.value)


# ---------------------------------------------------------------- the command


def test_cumbria_tells_what_the_loss_of_a_duct_cuts():
    """With all circuits in one duct its loss cuts the interfaces to the outside; as built neither duct cuts any."""
    built, shared = (
        capplan("links", "inventories/cumbria"),
        capplan("links", "inventories/cumbria", "--scenario", "one-duct"),
    )
    assert "Shared risks whose loss cuts no link\n  D1, D2" in built.out
    assert "circuit e2: cuts GP-RIO" in built.out
    assert built.code == shared.code == 1
    assert "cut by loss of shared risk D1" in shared.out


def test_links_as_json():
    """Counts and checks, numbers as numbers."""
    said = json.loads(capplan("links", "inventories/cumbria", "--json").out)
    assert said["failed"] == 0
    assert {row["status"] for row in said["checks"]} == {"pass", "warn"}
    assert all(isinstance(row["measured"], float) for row in said["checks"] if row["check"] == "round_trip")


@pytest.mark.parametrize("name", ["g.graphml", "g.dot"])
def test_the_graph_is_written(name, tmp_path):
    """Every circuit is a node of its own, parallel ones too."""
    assert capplan("links", "inventories/cumbria", "--graph", tmp_path / name).code == 1
    text = (tmp_path / name).read_text("utf-8")
    assert "circuit c1" in text
    assert "circuit c2" in text
    assert capplan("links", "inventories/cumbria", "--graph", tmp_path / "g.png").code == 2


def test_the_summary_of_a_plan_says_which_links_hold():
    """What fails, what could not be made to survive, and what one loss cuts; nothing where nothing was checked."""
    row = {"link": "GP-RIO", "check": "exists", "status": "pass", "note": ""}
    single = {"link": "circuit e2", "check": "point_of_failure", "status": "warn", "note": "cuts GP-RIO"}
    assert links_held([]) == []
    assert links_held([row]) == ["Links", "  all hold while everything works"]
    assert links_held([row, single])[-1] == "  the loss of circuit e2 cuts GP-RIO"
    fragile = row | {"check": "survives", "status": "warn"}
    assert "  could not be made to survive every failure: GP-RIO" in links_held([row, fragile])
    assert "  these fail: GP-RIO" in links_held([row | {"status": "fail"}, single])
