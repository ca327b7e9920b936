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

    ``source``, ``target`` int64 [row] are nodes, ``counts`` bool [row, period]. A row without such a period takes 0.
    """
    network = network_of(problem)
    starts, number = np.unique(source, return_inverse=True)
    us = np.zeros(len(source), dtype=np.int64)
    estimated, known = np.zeros(len(source), dtype=np.bool_), np.ones(len(source), dtype=np.bool_)
    for existing, periods in _network_states(problem):
        found = network.round_trips(starts, existing)
        here = counts[:, periods].any(axis=1)
        trip, guess = found.us[number, target], found.estimated[number, target]
        known &= ~here | (trip != UNREACHABLE)
        worse = here & (trip >= us)
        estimated, us = np.where(worse, guess, estimated), np.where(worse, trip, us)
    return Trips(np.where(known, us, UNREACHABLE), estimated)


def _network_states(problem: Problem) -> list[tuple[Bools, list[int]]]:
    """The different sets of circuits that exist throughout a period, each with its periods."""
    table = problem.inventory.table("circuits")
    covered = problem.periods.covered(table.dates("from", FIRST_DAY), table.dates("to", LAST_DAY))
    states: dict[bytes, list[int]] = {}
    for t in range(len(problem.periods)):
        states.setdefault(covered[:, t].tobytes(), []).append(t)
    return [(covered[:, periods[0]], periods) for periods in states.values()]
