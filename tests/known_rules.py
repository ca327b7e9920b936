"""A few rules and goals as the reader of models is told of them, and a model with scenarios."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Annotated

from pydantic import Field

from capplan.model import Day, Model, Number, Options, Share, Switch, Text, Whole, read_model

SCENARIOS = """format: 1
headroom: {power_kw: 20%}
rules: {latency: {route_factor: 2}}
scenarios:
  small-b:
    headroom: {rack_units: 10%}
    rules: {latency: off}
    set:
      sites.B.power_kw: 11.0
      sites: {C: {committed: yes, zones: [1, NO], open_cost: }, D.1: {operator: 010}}
    remove: {sites: [A, E], workloads: ['5']}
  plain:
"""


class Soft(Options):
    """Capacity."""

    soft: Mapping[str, Annotated[Number, Field(ge=0)]] = Field({})


class Route(Options):
    """Latency."""

    route_factor: Annotated[Number, Field(ge=1, le=5)] = Decimal("1.4")
    label: Text = "a"
    hops: Whole = 1
    measured: Switch = True
    since: Day | None = None
    spare: Share = Fraction(0)


RULES: Mapping[str, type[Options]] = {
    "capacity": Soft,
    "latency": Route,
    "allowed": Options,
    "licences": Options,
}
GOALS = ("unplaced", "cost", "forgone", "moves", "carbon")


def read(text: str, folder: Path, *, scenario: str | None = None, name: str = "m.yaml") -> Model:
    (folder / name).write_text(text, encoding="utf-8")
    return read_model(folder / name, rules=RULES, goals=GOALS, scenario=scenario)
