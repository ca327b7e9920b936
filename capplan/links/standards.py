"""Whether an interface's standard and version are understood at its other end, perhaps after an engine's transform."""

from __future__ import annotations

from typing import TypeAlias

from capplan.links.interface import NONE, Interface
from capplan.links.row import FAIL, PASS, WARN, Check
from capplan.problem import Problem

Format: TypeAlias = tuple[str, str]
"""Standard and version, both folded; a blank version is any."""


def format_of(text: str) -> Format:
    """``hl7v2 2.4`` as standard and version."""
    standard, _, version = text.strip().casefold().partition(" ")
    return standard, version.strip()


def transform_of(text: str) -> tuple[Format, Format] | None:
    """``hl7v2 2.4 > fhir r4`` as what goes in and what comes out; None where it is not written so."""
    before, arrow, after = text.partition(">")
    return (format_of(before), format_of(after)) if arrow and before.strip() and after.strip() else None


def fits(one: Format, other: Format) -> bool:
    """Whether two formats are the same as far as both say."""
    return one[0] == other[0] and (not one[1] or not other[1] or one[1] == other[1])


def standard_check(problem: Problem, interface: Interface) -> Check:
    """Standard and version are spoken at both ends, or transformed on the way."""
    table = problem.inventory.table("interfaces")
    standard, version = table.text("standard")[interface.row], table.text("version")[interface.row]
    said = f"{standard} {version}".strip()
    if not standard:
        return Check(interface.name, "standard", PASS, note="no standard is named")
    speaks = [_spoken(problem, interface, stop) for stop in range(len(interface.workloads))]
    names = stop_names(problem, interface)
    start = format_of(said)
    if speaks[0] and not any(fits(start, own) for own in speaks[0]):
        return Check(interface.name, "standard", FAIL, note=f"{names[0]} does not speak {said}")
    formats = {start}
    for engine in interface.workloads[1:-1]:
        words = problem.workloads.words("transforms")[engine]
        pairs = [pair for word in words if (pair := transform_of(word))]
        formats |= {after for before, after in pairs if any(fits(before, one) for one in formats)}
    if not speaks[-1]:
        note = f"{names[-1]} does not say what it speaks"
        return Check(interface.name, "standard", WARN, note=note)
    heard = sorted(one for one in formats if any(fits(one, own) for own in speaks[-1]))
    if not heard:
        spoken = ", ".join(" ".join(own).strip() for own in speaks[-1])
        note = f"{names[-1]} speaks {spoken}, not {said}, and no engine on the way transforms it"
        return Check(interface.name, "standard", FAIL, note=note)
    how = "" if start in heard else f", transformed from {said}"
    unsaid = "" if speaks[0] else f"; {names[0]} does not say what it speaks"
    return Check(
        interface.name, "standard", PASS if speaks[0] else WARN, note=" ".join(heard[0]).strip() + how + unsaid
    )


def _spoken(problem: Problem, interface: Interface, stop: int) -> list[Format]:
    w, n = interface.workloads[stop], interface.nodes[stop]
    if w != NONE:
        return [format_of(word) for word in problem.workloads.words("speaks")[w]]
    table = problem.inventory.table("nodes")
    row = table.find(problem.inventory.nodes[n])
    return [format_of(word) for word in table.words("speaks")[row]] if row >= 0 else []


def stop_names(problem: Problem, interface: Interface) -> list[str]:
    """Ids of the stops."""
    pairs = zip(interface.workloads, interface.nodes, strict=True)
    return [problem.workloads.ids[w] if w != NONE else problem.inventory.nodes[n] for w, n in pairs]
