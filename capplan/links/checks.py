"""The checks of one link on its way through the network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise

from capplan.links.interface import NONE, Interface
from capplan.links.row import FAIL, PASS, WARN, Check
from capplan.links.state import Route, State

NAMED = 6


def of_way(
    state: State, interface: Interface, stops: Sequence[int], when: str = "", *, only_asked: bool = False
) -> tuple[list[Check], bool]:
    """The checks that follow from where an interface's stops are, and whether circuits are known all the way.

    Those that fail are hard: no plan may have them. ``only_asked`` leaves out what the interface does not ask for.
    """
    name, pairs = interface.name, list(pairwise(stops))
    legs = [(a, b) for a, b in pairs if a != b]
    routes = [state.route(a, b) for a, b in pairs]
    first = exists(state, name, routes, when)
    if first.status == FAIL:
        return [first], False
    path, known = first.path, not any(route.straight for route in routes)
    found = [
        first,
        round_trip(name, routes, interface.processing_us, interface.max_us, path),
        zone(state, name, routes, interface.zone, path),
        encryption(name, interface, routes, path),
    ]
    asked = interface.diverse != "none", interface.diverse == "disjoint"
    if not known:
        if asked[0]:
            note = "not determined: circuits are missing"
            found.append(Check(name, "disjoint" if asked[1] else "survives", FAIL, path=path, note=note))
        return found, False
    if asked[0] or not only_asked:
        found.append(survives(state, name, legs, asked[0], path))
    if asked[1] or not only_asked:
        found.append(disjoint(state, name, legs, asked[1], path))
    return found, True


def arrow(state: State, nodes: Sequence[int], circuits: Sequence[int]) -> str:
    """A way as people read it: ``A -c2- B -n2- N3``."""
    names = state.inventory.nodes
    parts = [names[nodes[0]]]
    for circuit, node in zip(circuits, nodes[1:], strict=False):
        parts.append(f"-{state.names[circuit]}- {names[node]}")
    if not circuits and len(nodes) > 1:
        parts.append(f"- {names[nodes[1]]}")
    return " ".join(parts)


def way_text(state: State, routes: Sequence[Route]) -> str:
    """The ways of all legs, one after the other; legs within one node are left out."""
    parts = [arrow(state, route.nodes, route.circuits) for route in routes if len(route.nodes) > 1]
    if not parts:
        return state.inventory.nodes[routes[0].nodes[0]] if routes else ""
    text = parts[0]
    for part in parts[1:]:
        head, _, rest = part.partition(" ")
        text += f" {rest}" if text.endswith(f" {head}") else f"; {part}"
    return text


def exists(state: State, link: str, routes: Sequence[Route], when: str) -> Check:
    """There is a way for every leg."""
    path = way_text(state, routes)
    names = state.inventory.nodes
    for route in routes:
        if route.us < 0:
            note = f"no path from {names[route.nodes[0]]} to {names[route.nodes[-1]]}{when}"
            return Check(link, "exists", FAIL, path=path, note=note)
    lonely = sorted({names[n] for route in routes if route.straight for n in _unattached(state, route)})
    if lonely:
        note = f"no circuit at {', '.join(lonely)}: the straight distance stands in for the path"
        return Check(link, "exists", WARN, path=path, note=note)
    return Check(link, "exists", PASS, path=path)


def _unattached(state: State, route: Route) -> Iterable[int]:
    return (n for n in route.nodes if not state.network.attached[n])


def round_trip(link: str, routes: Sequence[Route], extra_us: int, limit_us: int, path: str) -> Check:
    """Round trips of all legs, and what engines take, within the limit."""
    us = sum(route.us for route in routes) + extra_us
    limit = Fraction(limit_us, 1000) if limit_us != NONE else None
    notes = ["estimated"] if any(route.estimated for route in routes) else []
    notes += [f"{extra_us / 1000:g} ms of it in engines"] if extra_us else []
    status = FAIL if limit is not None and us > limit_us else PASS
    return Check(link, "round_trip", status, Fraction(us, 1000), limit, "ms", path, ", ".join(notes))


def survives(state: State, link: str, legs: Sequence[tuple[int, int]], asked: bool, path: str) -> Check:
    """No shared risk, and no site or device in between, parts the ends of a leg."""
    cut = dict.fromkeys(str(failure) for a, b in legs for failure in state.cut_by(a, b))
    if cut:
        status, note = (FAIL if asked else WARN), f"cut by loss of {listed(cut)}"
    else:
        unnamed = [state.names[c] for a, b in legs for c in state.route(a, b).circuits if c not in state.risks]
        status, note = PASS, ""
        if unnamed and any(state.risks):
            note = f"diversity unknown: {listed(dict.fromkeys(unnamed))} names no shared risk"
    return Check(
        link, "survives", status, Fraction(len(cut)), Fraction(0), "shared risks and places that cut it", path, note
    )


def disjoint(state: State, link: str, legs: Sequence[tuple[int, int]], asked: bool, path: str) -> Check:
    """Two paths for every leg that share no node, circuit or risk, accepted nodes apart."""
    found = [state.disjoint(a, b, asked=asked) for a, b in legs]
    names = state.inventory.nodes
    bad = FAIL if asked else WARN
    between = [f"{names[a]} and {names[b]}" for (a, b), yes in zip(legs, found, strict=True) if yes is False]
    if between:
        note = f"no two paths between {listed(dict.fromkeys(between))} that share nothing"
        return Check(link, "disjoint", bad, Fraction(1), Fraction(2), "paths", path, note)
    if None in found:
        note = "not determined: the network is too large to look at every pair of paths"
        return Check(link, "disjoint", bad, None, Fraction(2), "paths", path, note)
    return Check(link, "disjoint", PASS, Fraction(2), Fraction(2), "paths", path)


def zone(state: State, link: str, routes: Sequence[Route], name: str, path: str) -> Check:
    """Every node on the way takes the zone."""
    refused = state.refuses(name)
    passed = dict.fromkeys(n for route in routes for n in route.nodes)
    bad = [state.inventory.nodes[n] for n in passed if refused[n]]
    note = f"{listed(bad)} does not take zone {name}" if bad else (f"zone {name}" if name else "no zone is named")
    return Check(link, "zone", FAIL if bad else PASS, Fraction(len(bad)), Fraction(0), "nodes refusing it", path, note)


def encryption(link: str, interface: Interface, routes: Sequence[Route], path: str) -> Check:
    """What leaves its site is encrypted."""
    leaves = any(len(route.nodes) > 1 for route in routes)
    if not leaves:
        return Check(link, "encryption", PASS, path=path, note="does not leave its site")
    if interface.encrypted is None:
        return Check(link, "encryption", WARN, path=path, note="leaves its site; nothing says that it is encrypted")
    if not interface.encrypted:
        return Check(link, "encryption", FAIL, path=path, note="leaves its site and is not encrypted (TLS or VPN)")
    return Check(link, "encryption", PASS, path=path)


def single_points(link: str, cut: Sequence[str], accepted: Sequence[str], path: str) -> Check:
    """What alone takes the link down; what is accepted is said and no finding."""
    notes = [listed(cut)] if cut else []
    notes += [f"accepted: {listed(accepted)}"] if accepted else []
    status = WARN if cut else PASS
    return Check(link, "single_points", status, Fraction(len(cut)), None, "single points", path, "; ".join(notes))


def listed(names: Iterable[str]) -> str:
    """The first few names, and how many more there are."""
    found = list(names)
    more = len(found) - NAMED
    return ", ".join(found[:NAMED]) + (f" and {more} more" if more > 0 else "")
