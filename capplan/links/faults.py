"""Mistakes in interfaces and circuits that each row, or two of them together, show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from capplan.errors import Fault, Severity
from capplan.inventory import Table
from capplan.links.standards import transform_of
from capplan.problem import Problem
from capplan.problem.periods import FIRST_DAY, LAST_DAY

NO_VERSION = ("latest", "current", "newest", "any")


def link_faults(problem: Problem) -> Iterable[Fault]:
    """All of them."""
    yield from _interface_faults(problem)
    yield from _transform_faults(problem.workloads)
    yield from _circuit_faults(problem.inventory.table("circuits"))


def _interface_faults(problem: Problem) -> Iterator[Fault]:
    table, ids = problem.inventory.table("interfaces"), problem.workloads.ids
    if not len(table):
        return
    (source, source_node), (target, target_node) = table.ends("source"), table.ends("target")
    engines, versions = table.ref_lists("via"), table.text("version")
    written = table.text("via")
    for row in np.argsort(table.lines, kind="stable").tolist():
        if (source[row], source_node[row]) == (target[row], target_node[row]) and source[row] + source_node[row] >= -1:
            message = f'source and target are both "{table.text("source")[row]}"'
            yield Fault(table.place(row, "target"), "self-link", message, "name what it talks to")
        named = [part.strip() for part in written[row].split(";") if part.strip()]
        ends = {ids[w] for w in (int(source[row]), int(target[row])) if w >= 0}
        again = next((e for i, e in enumerate(named) if e in ends or e in named[:i]), None)
        if again is not None:
            way = " → ".join([table.text("source")[row], *named, table.text("target")[row]])
            fix = "name each engine once, in order, without the ends"
            yield Fault(table.place(row, "via"), "circular-reference", f"passes {again} twice: {way}", fix)
        if versions[row].casefold() in NO_VERSION:
            message = f'version: "{versions[row]}" is no version: it changes without notice'
            yield Fault(table.place(row, "version"), "not-a-version", message, "write its number, or leave it blank")
        copy = next((w for w in (int(source[row]), *engines[row], int(target[row])) if _is_copy(problem, w)), None)
        if copy is not None:
            primary = ids[int(problem.primary[copy])]
            message = f"{ids[copy]} is a replica of {primary}, and interfaces are those of the primary"
            yield Fault(table.place(row), "replica-in-interface", message, f"name {primary}", Severity.WARNING)


def _is_copy(problem: Problem, w: int) -> bool:
    return w >= 0 and int(problem.primary[w]) >= 0


def _transform_faults(workloads: Table) -> Iterator[Fault]:
    for row, words in enumerate(workloads.words("transforms")):
        for word in words:
            if transform_of(word) is None:
                message = f'transforms: "{word}" does not say what becomes what'
                yield Fault(workloads.place(row, "transforms"), "bad-transform", message, "write hl7v2 2.4 > fhir r4")


def _circuit_faults(table: Table) -> Iterator[Fault]:
    for column in ("mbps", "mbps_back"):
        cells = table.decimals(column)
        for row in np.flatnonzero(cells.given & (cells.mantissa == 0)).tolist():
            message = f"{column}: is 0, a circuit that carries nothing this way"
            fix = "write what it carries, or leave it blank where that is not known"
            yield Fault(table.place(row, column), "non-positive-quantity", message, fix)
    yield from _duplicates(table)


def _duplicates(table: Table) -> Iterator[Fault]:
    """Circuits that say the same of the same ends at the same time, and nothing of what they fail with."""
    said, risks = ("rtt_ms", "km", "mbps", "mbps_back", "operator"), table.words("shared_risks")
    texts = list(zip(*map(table.text, said), strict=True))
    first, last = table.dates("from", FIRST_DAY), table.dates("to", LAST_DAY)
    ends = zip(table.nodes("a").tolist(), table.nodes("b").tolist(), strict=True)
    seen: dict[object, int] = {}
    for row, pair in enumerate(ends):
        if risks[row]:
            continue
        key = frozenset(pair), texts[row], int(first[row]), int(last[row])
        before = seen.setdefault(key, row)
        if before != row:
            message = f"{table.ids[row]} says the same as {table.ids[before]} in line {table.lines[before]}"
            fix = "delete one, or name the duct of each in shared_risks"
            yield Fault(table.place(row, "circuit"), "duplicate-circuit", message, fix, Severity.WARNING)
