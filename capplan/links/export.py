"""The network as a graph for other tools: GraphML and DOT, every circuit a node of its own."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import networkx as nx

from capplan.links.interface import NONE, interfaces_of
from capplan.links.standards import stop_names
from capplan.problem import Problem


def graph_of(problem: Problem) -> nx.Graph[str]:
    """Nodes, circuits and interfaces as one simple graph; names begin with what they are, such as ``circuit c1``."""
    found: nx.Graph[str] = nx.Graph()
    for name, attributes in _node_attributes(problem):
        found.add_node(f"node {name}", label=name, **attributes)
    circuits = problem.inventory.table("circuits")
    columns = ("rtt_ms", "km", "mbps", "mbps_back", "shared_risks", "operator", "from", "to")
    texts = {column: circuits.text(column) for column in columns}
    for row, name in enumerate(circuits.ids):
        said = {column: values[row] for column, values in texts.items() if values[row]}
        found.add_node(f"circuit {name}", label=name, kind="circuit", **said)
        for end in ("a", "b"):
            found.add_edge(f"circuit {name}", f"node {circuits.text(end)[row]}", kind="circuit", end=end)
    for interface in interfaces_of(problem):
        name = f"interface {interface.name}"
        found.add_node(name, label=interface.name, kind="interface")
        pairs = zip(interface.workloads, stop_names(problem, interface), strict=True)
        for number, (w, stop) in enumerate(pairs):
            other = f"workload {stop}" if w != NONE else f"node {stop}"
            found.add_node(other, **({"label": stop, "kind": "workload"} if w != NONE else {}))
            found.add_edge(name, other, kind="interface", stop=number)
    return found


def _node_attributes(problem: Problem) -> Iterator[tuple[str, dict[str, str]]]:
    inventory = problem.inventory
    kinds: dict[str, dict[str, str]] = {name: {"kind": "node"} for name in inventory.nodes}
    for table, kind in (("organisations", "organisation"), ("sites", "site"), ("nodes", "node")):
        rows = inventory.table(table)
        for row, node in enumerate(rows.nodes("node").tolist()):
            own = rows.text("kind")[row] if table == "nodes" else ""
            said = {"kind": own or kind, "name": rows.text("name")[row]}
            for column in ("latitude", "longitude"):
                said[column] = rows.text(column)[row]
            kinds[inventory.nodes[node]] |= {key: value for key, value in said.items() if value}
    yield from sorted(kinds.items())


def graphml(problem: Problem) -> str:
    """GraphML, as Gephi, yEd and Cytoscape read it."""
    buffer = BytesIO()
    nx.write_graphml(graph_of(problem), buffer)
    return buffer.getvalue().decode("utf-8") + "\n"


_SHAPES = {"site": "box3d", "circuit": "plain", "organisation": "house", "interface": "note", "workload": "component"}


def dot(problem: Problem) -> str:
    """DOT, as Graphviz draws it."""
    graph, lines = graph_of(problem), [f"graph {_quoted(problem.inventory.title)} {{"]
    for name, said in graph.nodes(data=True):
        shape = _SHAPES.get(said.get("kind", ""), "ellipse")
        lines.append(f"  {_quoted(name)} [label={_quoted(said.get('label', name))}, shape={shape}];")
    for a, b, said in graph.edges(data=True):
        style = " [style=dashed]" if said["kind"] == "interface" else ""
        lines.append(f"  {_quoted(a)} -- {_quoted(b)}{style};")
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{escaped}"'
