"""What stands in the way of a workload at every site, all else in a plan as it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from capplan.compile import program_of
from capplan.measure import Measured
from capplan.problem import Options, Problem, one_by_one
from capplan.program.statements import LimitName, Source
from capplan.rules import RULES
from capplan.units import with_unit

SITES_NAMED = 5
"""So many sites with the same obstacle are named; the rest are counted."""


OBSTACLES_NAMED = 3
"""Obstacles of one workload at one site that are named: to remove the first would be of no use beside the others."""


@dataclass(frozen=True)
class Obstacle:
    """Why one workload cannot be at one site: the rule, the reason in words, and the row that says so."""

    rule: str
    reason: str
    source: Source | None = None


def forbidden(problem: Problem, workloads: Sequence[int]) -> dict[tuple[int, int], list[Obstacle]]:
    """What forbids each (workload, site) pair, whatever the rest of the plan; none: the pair is open."""
    pairs = _pairs(problem, workloads)
    found: dict[tuple[int, int], list[Obstacle]] = {
        (w, s): [] for w, s in zip(pairs.workload.tolist(), pairs.site.tolist(), strict=True)
    }
    for name in problem.rules:
        for exclusion in RULES[name].exclusions(problem, pairs):
            for i, option in enumerate(exclusion.option.tolist()):
                key = int(pairs.workload[option]), int(pairs.site[option])
                found[key].append(Obstacle(name, exclusion.reason(i), exclusion.source(i)))
    return found


def _pairs(problem: Problem, workloads: Sequence[int]) -> Options:
    """Each of some workloads at every site."""
    sites, chosen = len(problem.sites), np.array(sorted(workloads), dtype=np.int64)
    return one_by_one(np.repeat(chosen, sites), np.tile(np.arange(sites), len(chosen)), len(problem.workloads))


def obstacles(measured: Measured, workloads: Sequence[int]) -> dict[tuple[int, int], list[Obstacle]]:
    """Obstacles of each (workload, site) pair, for workloads that the plan leaves out; none: it fits there."""
    problem = measured.problem
    found, pairs = forbidden(problem, workloads), _pairs(problem, workloads)
    program = program_of(problem, pairs)
    row_of = {_key(name): row for row, name in enumerate(measured.program.limit_names)}
    free = measured.available - measured.used
    entries = program.limits.of_columns(np.arange(program.options)).tocoo()
    for row, option, need in zip(entries.row.tolist(), entries.col.tolist(), entries.data.tolist(), strict=True):
        name = program.limit_names[row]
        if not name.rule:
            continue  # only counts what is paid
        slack = int(free[row_of[_key(name)]]) if _key(name) in row_of else need
        if need > slack:
            reason = f"{name.subject} has {_natural(slack, name)} free, {_natural(need, name)} needed"
            more = _for_sale(measured, row_of.get(_key(name), -1))
            reason += f"; the goals prefer not to buy more ({', '.join(more)})" if more else ""
            found[int(pairs.workload[option]), int(pairs.site[option])].append(Obstacle(name.rule, reason, name.source))
    return found


def _for_sale(measured: Measured, row: int) -> list[str]:
    """Purchases that would widen a limit and of which the plan could buy more."""
    if row < 0:
        return []
    program, first = measured.program, measured.program.options + measured.program.facts
    steps, bought = measured.values.x[first:], program.purchases
    part = program.limits.of_rows(np.array([row]))[:, first:].tocoo()
    widens = [p for p, value in zip(part.col.tolist(), part.data.tolist(), strict=True) if value < 0]
    return sorted({bought.names[p].purchase for p in widens if bought.names[p].purchase and steps[p] < bought.upper[p]})


def _key(name: LimitName) -> tuple[str, str, int]:
    return name.rule, name.subject, name.period


def _natural(value: int, name: LimitName) -> str:
    return with_unit(value * name.per_unit, name.unit)


def by_reason(problem: Problem, reasons: Iterable[tuple[int, str]]) -> list[str]:
    """``A, B and 4 more: why`` for each different reason, from (site, reason) pairs; the order is that of the pairs."""
    sites: dict[str, list[str]] = {}
    for site, reason in reasons:
        sites.setdefault(reason, []).append(problem.sites.ids[site])
    lines = []
    for reason, names in sites.items():
        more = len(names) - SITES_NAMED
        lines.append(f"{', '.join(names[:SITES_NAMED])}{f' and {more:,} more' if more > 0 else ''}: {reason}")
    return lines


def why_not(measured: Measured, workloads: Sequence[int]) -> dict[int, list[str]]:
    """For each workload that a plan leaves out: what stands in its way, sites with the same reason in one line."""
    if not workloads:
        return {}
    first: dict[int, list[tuple[int, str]]] = {w: [] for w in workloads}
    for (w, s), why in obstacles(measured, workloads).items():
        # The same thing in another period is the same obstacle.
        different = list({(obstacle.rule, obstacle.source): obstacle.reason for obstacle in reversed(why)}.values())[
            ::-1
        ]
        reasons = "; ".join(different[:OBSTACLES_NAMED])
        first[w].append((s, reasons or "would fit; the goals prefer to leave it out"))
    return {w: by_reason(measured.problem, reasons) for w, reasons in first.items()}
