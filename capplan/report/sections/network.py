"""The network: circuits, and what was found of the links that run over them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import cos, pi, sin

from capplan.report.blocks import Block, Column, Explorer, Figure, Fold, Key, Section, Table
from capplan.report.facts import Facts, Row
from capplan.report.map import Line, Mark, map_drawing
from capplan.report.sections.whereabouts import organisation_marks, site_marks
from capplan.report.words import counted

MOST = 300
SWEEPS = 30
FAILING_SHOWN = 15
WORST = {"fail": 3, "warn": 2, "pass": 1, "": 0}
SIGNS = {"fail": "✕ fails", "warn": "▲ to watch", "pass": "✓ passes"}
LEGEND = (
    Key("site", "site in use"),
    Key("idle", "site not used"),
    Key("organisation", "organisation"),
    Key("node", "node of the network"),
    Key("link", "circuit"),
    Key("warn", "dotted: on the path of a link to watch"),
    Key("fail", "dashed, with a cross: on the path of a link that fails"),
)


def section(facts: Facts) -> Section | None:
    """Nothing where there is neither a circuit nor a link that was checked."""
    circuits, links = facts.inventory.table("circuits"), facts.rows("links")
    if not len(circuits) and not links:
        return None
    blocks: list[Block] = []
    failing = [row for row in links if row["status"] in ("fail", "warn")]
    if len(circuits):
        blocks.append(_picture(facts, links))
    if failing:
        blocks.append(_failing(failing))
    if links:
        blocks.append(Fold("Every check of every link", [_every(links)]))
    return Section("network", "Network and links", blocks, _lead(facts, links))


def _lead(facts: Facts, links: Sequence[Row]) -> str:
    circuits = counted(len(facts.inventory.table("circuits")), "circuit")
    if not links:
        return f"{circuits}. Links were not checked in this run."
    status = Counter(row["status"] for row in links)
    return (
        f"{circuits}; of the checks of links {status['pass']:,} pass, {status['warn']:,} warn, {status['fail']:,} fail."
    )


def _failing(rows: Sequence[Row]) -> Table:
    ordered = sorted(rows, key=lambda row: -WORST.get(row["status"], 0))
    names = [name for name in rows[0] if any(row[name] for row in rows)]
    columns = [Column(_label(name), numeric=name in ("measured", "limit")) for name in names]
    cells = [[_cell(name, row[name]) for name in names] for row in ordered[:FAILING_SHOWN]]
    more = len(rows) - FAILING_SHOWN
    return Table("Links that fail or are to be watched", columns, cells, f"and {more:,} more below" if more > 0 else "")


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _cell(name: str, text: str) -> str:
    return SIGNS.get(text, text) if name == "status" else text


def _every(links: Sequence[Row]) -> Explorer:
    names = list(links[0])
    columns = [Column(_label(name), numeric=name in ("measured", "limit")) for name in names]
    rows = [[_cell(name, row[name]) for name in names] for row in links]
    return Explorer("links", "Every check of every link", columns, rows, ("Check", "Status", "Period"), "links.csv")


def _picture(facts: Facts, links: Sequence[Row]) -> Figure:
    circuits = facts.inventory.table("circuits")
    names = facts.inventory.nodes
    ends = [(names[a], names[b]) for a, b in zip(*(circuits.nodes(c).tolist() for c in ("a", "b")), strict=True)]
    worst = states(links, circuits.ids, ends)
    marks, known = _marks(facts, sorted({node for pair in ends for node in pair}), ends)
    lines, rows = [], []
    for name, (a, b), trip, km in zip(circuits.ids, ends, *map(circuits.text, ("rtt_ms", "km")), strict=True):
        how_far = f"{trip} ms" if trip else f"{km} km" if km else ""
        state = worst.get(name, "")
        tip = f"{name}: {a} – {b}{f', {how_far}' if how_far else ''}{f', {SIGNS[state]}' if state else ''}"
        lines.append(Line(a, b, tip, state))
        rows.append([name, _named(facts, a), _named(facts, b), how_far, SIGNS.get(state, "")])
    drawing = map_drawing(marks, lines, title="The network", ground=known)
    columns = [Column(n) for n in ("Circuit", "From", "To", "Length", "Worst link over it")]
    kinds = {mark.kind for mark in marks} | {line.state for line in lines} | {"link"}
    legend = [key for key in LEGEND if key.mark in kinds]
    note = "Nodes without coordinates stand between their neighbours." if known else "No node has coordinates."
    return Figure("Circuits", [drawing], Table("Circuits", columns, rows), legend, note, wide=True)


def _named(facts: Facts, node: str) -> str:
    return facts.nodes[node].text if node in facts.nodes else node


def states(links: Sequence[Row], circuits: list[str], ends: list[tuple[str, str]]) -> dict[str, str]:
    """The worst state of the links whose path runs over each circuit.

    A path names circuits, or nodes in order: ``RBT -C24- WAX -C11- CHE``, ``RBT > WAX > CHE``.
    """
    by_ends = {frozenset(pair): name for name, pair in zip(circuits, ends, strict=True)}
    known, found = set(circuits), dict[str, str]()
    for row in links:
        words = re.split(r"\s*(?:;|,|>|→|–|\s-\s|\s)\s*", row.get("path", ""))
        words = [word if word in known else word.strip("-") for word in words]
        over = [word for word in words if word in known]
        over += [by_ends[frozenset(pair)] for pair in pairwise(words) if frozenset(pair) in by_ends]
        for name in over:
            if WORST.get(row["status"], 0) > WORST[found.get(name, "")]:
                found[name] = row["status"]
    return {name: state for name, state in found.items() if state != "pass"}


def _marks(facts: Facts, nodes: list[str], ends: list[tuple[str, str]]) -> tuple[list[Mark], bool]:
    """A mark for each node, and whether any place is known."""
    placed = {mark.id: mark for mark in organisation_marks(facts) + site_marks(facts) if mark.id in nodes}
    for node in nodes:
        spot = facts.nodes.get(node)
        if node not in placed and spot and spot.latitude is not None and spot.longitude is not None:
            placed[node] = Mark(node, spot.short, spot.text, "node", spot.latitude, spot.longitude)
    fixed = {node: (mark.latitude, mark.longitude) for node, mark in placed.items()}
    where = between(nodes, ends, fixed) if fixed else _circle(nodes)
    for node in nodes:
        if node not in placed:
            kind = "site" if node in facts.sites else "organisation" if node in facts.organisations else "node"
            spot = facts.nodes.get(node)
            label, tip = (spot.short, spot.text) if spot else (node, node)
            placed[node] = Mark(node, label if kind != "organisation" else node, tip, kind, *where[node])
    return list(placed.values())[:MOST], bool(fixed)


def between(
    nodes: list[str], ends: list[tuple[str, str]], fixed: dict[str, tuple[float, float]]
) -> dict[str, tuple[float, float]]:
    """Every node between its neighbours, those that are fixed where they are; always the same way (Tutte, 1963)."""
    middle = tuple(sum(at[i] for at in fixed.values()) / len(fixed) for i in (0, 1))
    where = {node: fixed.get(node, (middle[0], middle[1])) for node in nodes}
    near: dict[str, list[str]] = {node: [] for node in nodes}
    for a, b in ends:
        near[a].append(b)
        near[b].append(a)
    free = [node for node in nodes if node not in fixed and near[node]]
    for _ in range(SWEEPS):
        for node in free:
            around = [where[other] for other in near[node]]
            where[node] = (sum(y for y, _ in around) / len(around), sum(x for _, x in around) / len(around))
    return where


def _circle(nodes: list[str]) -> dict[str, tuple[float, float]]:
    turn = 2 * pi / max(len(nodes), 1)
    return {node: (sin(i * turn), cos(i * turn) * 1.4) for i, node in enumerate(nodes)}
