"""Round trips as rules need them: the worst over the periods that count, on the network as it is in each."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

import numpy as np
from pydantic import Field

from capplan.model import Number, RuleOptions
from capplan.network import UNREACHABLE, Network
from capplan.problem.periods import FIRST_DAY, LAST_DAY
from capplan.problem.problem import Problem
from capplan.units import Bools, Ints

LARGEST_TABLE = 4_000_000
"""Most round trips that are kept, 9 bytes each; where there are more, they are worked out again when asked for."""


class EstimateOptions(RuleOptions):
    """How round trips are estimated where only distance is known; options of the rule ``latency``."""

    route_factor: Annotated[Number, Field(ge=1)] = Field(
        default=Decimal("1.4"), description="length of a fibre route ÷ straight distance, where only distance is known"
    )
    per_hop_ms: Annotated[Number, Field(ge=0)] = Field(
        default=Decimal("0.1"), description="round trip added by each hop of a circuit that was not measured"
    )


@dataclass(frozen=True)
class Trips:
    """Round trips: ``us`` int64 [row], UNREACHABLE where not known; ``estimated`` bool [row]."""

    us: Ints
    estimated: Bools


def network_of(problem: Problem) -> Network:
    """The inventory's network with the estimates that the rule ``latency`` is set to."""
    setting = problem.rules.get("latency")
    if not isinstance(setting, EstimateOptions):
        setting = EstimateOptions()
    return Network(problem.inventory, float(setting.route_factor), round(setting.per_hop_ms * 1000))


def round_trips(problem: Problem, source: Ints, target: Ints, counts: Bools) -> Trips:
    """The worst round trip between nodes over the periods that count.

    ``source`` (of organisations or sites), ``target`` (of sites) int64 [row] are nodes, ``counts`` bool [row, period].
    A row without such a period takes 0.
    """
    us = np.zeros(len(source), dtype=np.int64)
    estimated, known = np.zeros(len(source), dtype=np.bool_), np.ones(len(source), dtype=np.bool_)
    for state, (existing, periods) in enumerate(problem.shared("network states", lambda: network_states(problem))):
        trip, guess = _in_state(problem, state, existing, source, target)
        here = counts[:, periods].any(axis=1)
        known &= ~here | (trip != UNREACHABLE)
        worse = here & (trip >= us)
        estimated, us = np.where(worse, guess, estimated), np.where(worse, trip, us)
    return Trips(np.where(known, us, UNREACHABLE), estimated)


def _in_state(problem: Problem, state: int, existing: Bools, source: Ints, target: Ints) -> tuple[Ints, Bools]:
    """Round trips over one set of circuits, and which are estimates. [row] each."""
    starts, ends = problem.shared("ends of trips", lambda: _all_ends(problem))
    if len(starts) * len(ends) <= LARGEST_TABLE:
        table = problem.shared(f"trips {state}", lambda: network_of(problem).round_trips(starts, ends, existing))
    else:
        starts, ends = _different(problem, source), _different(problem, target)
        table = network_of(problem).round_trips(starts, ends, existing)
    number = np.zeros(len(problem.inventory.nodes), dtype=np.int64)
    number[starts] = np.arange(len(starts))
    row = number[source]
    number[ends] = np.arange(len(ends))
    column = number[target]
    return table.us[row, column], table.estimated[row, column]


def _all_ends(problem: Problem) -> tuple[Ints, Ints]:
    """Nodes of organisations and sites, and nodes of sites. int64 [k] each, ascending."""
    sites, organisations = problem.sites.nodes("node"), problem.inventory.table("organisations").nodes("node")
    return _different(problem, np.concatenate([organisations, sites])), _different(problem, sites)


def _different(problem: Problem, nodes: Ints) -> Ints:
    found = np.zeros(len(problem.inventory.nodes), dtype=np.bool_)
    found[nodes] = True
    return np.flatnonzero(found)


def network_states(problem: Problem) -> list[tuple[Bools, list[int]]]:
    """The different sets of circuits that exist throughout a period, each with its periods."""
    table = problem.inventory.table("circuits")
    covered = problem.periods.covered(table.dates("from", FIRST_DAY), table.dates("to", LAST_DAY))
    states: dict[bytes, list[int]] = {}
    for t in range(len(problem.periods)):
        states.setdefault(covered[:, t].tobytes(), []).append(t)
    return [(covered[:, periods[0]], periods) for periods in states.values()]
