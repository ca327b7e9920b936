"""The planning model: what a plan must keep, and what makes one plan better than another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from capplan.errors import Place, UsageError
from capplan.located import Located
from capplan.model.document import LARGEST_SEED, MOST_WORKERS
from capplan.overlay import Overlay
from capplan.units import decimal_text


@dataclass(frozen=True)
class Solver:
    """How long and how hard to search; ``gap`` is a share (1/100 is 1 %)."""

    time_limit_s: Decimal = Decimal(60)
    gap: Fraction = Fraction(0)
    seed: int = 1
    workers: int = 2
    deterministic: bool = True


@dataclass(frozen=True)
class Model:
    """A planning model after ``extends`` and the chosen scenario: plain, exact, complete.

    ``headroom`` by resource; ``rules`` by name: options, or None where switched off; a rule that is absent
    was not written and keeps its own default. ``goals`` in order of priority, each a weighted sum.
    ``periods`` from the first day to the day after the last, or None. ``overlay`` is what the chosen
    scenario changes in the inventory. ``files`` are all files read, the named one first.
    """

    name: str
    title: str = ""
    description: str = ""
    headroom: Mapping[str, Fraction] = field(default_factory=dict)
    rules: Mapping[str, BaseModel | None] = field(default_factory=dict)
    left_out: Literal["optional", "any"] = "optional"
    purchases: Literal["all", "none"] | tuple[str, ...] = "all"
    goals: tuple[Mapping[str, Fraction], ...] = ()
    periods: tuple[tuple[date, date], ...] | None = None
    solver: Solver = Solver()
    scenario: str | None = None
    overlay: Overlay = field(default_factory=Overlay)
    scenarios: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    written: Located | None = field(default=None, repr=False, compare=False)

    def place(self, *path: str | int) -> Place:
        """Where a setting was written, such as ``place("headroom", "power_kw")``, or its nearest parent."""
        return self.written.place(path) if self.written else Place(self.name)

    def to_json(self) -> dict[str, object]:
        """The resolved model as plain data, exact numbers as strings.

        It is itself a model file (JSON is YAML): read again with the same scenario it gives this model.
        """
        data: dict[str, object] = {
            "format": 1,
            "title": self.title,
            "description": self.description,
            "headroom": {name: _percent(share) for name, share in sorted(self.headroom.items())},
            "rules": {name: _options(options) for name, options in sorted(self.rules.items())},
            "left_out": self.left_out,
            "purchases": self.purchases if isinstance(self.purchases, str) else list(self.purchases),
            "goals": [{name: _exact(weight) for name, weight in goal.items()} for goal in self.goals],
            "periods": {"cuts": _cuts(self.periods)} if self.periods else None,
            "solver": self.solver_json(),
        }
        return data | ({"scenarios": _scenarios(self.scenario, self.overlay)} if self.scenario is not None else {})

    def solver_json(self) -> dict[str, object]:
        """The solver's settings as plain data."""
        return {
            "time_limit_s": format(self.solver.time_limit_s, "f"),
            "gap": _percent(self.solver.gap),
            "seed": self.solver.seed,
            "workers": self.solver.workers,
            "deterministic": self.solver.deterministic,
        }


def override(
    model: Model,
    time_limit_s: Decimal | None = None,
    gap: Fraction | None = None,
    seed: int | None = None,
    workers: int | None = None,
) -> Model:
    """The model with the settings that a command line gave. Raises UsageError for one out of its range."""
    if time_limit_s is not None and not (time_limit_s.is_finite() and time_limit_s > 0):
        raise UsageError(f"a time limit of {time_limit_s} seconds cannot be kept; give more than 0")
    if gap is not None and not 0 <= gap <= 1:
        raise UsageError(f"a gap of {decimal_text(gap * 100)} % means nothing; give 0 to 100 %")
    if seed is not None and not 0 <= seed <= LARGEST_SEED:
        raise UsageError(f"{seed} is not a seed; give a whole number from 0 to {LARGEST_SEED}")
    if workers is not None and not 1 <= workers <= MOST_WORKERS:
        raise UsageError(f"{workers} workers cannot work; give a whole number from 1 to {MOST_WORKERS}")
    given = {"time_limit_s": time_limit_s, "gap": gap, "seed": seed, "workers": workers}
    changed = {key: value for key, value in given.items() if value is not None}
    # dataclasses.replace cannot relate the keys of a mapping to the types of the fields.
    return replace(model, solver=replace(model.solver, **changed))  # type: ignore[arg-type]


def _exact(value: Fraction) -> str:
    """A decimal as written; 50 places hold every number a model file may contain."""
    return decimal_text(value, 50)


def _percent(share: Fraction) -> str:
    return f"{_exact(share * 100)}%"


def _options(options: BaseModel | None) -> object:
    return "off" if options is None else options.model_dump(mode="json", by_alias=True)


def _cuts(periods: tuple[tuple[date, date], ...]) -> list[str]:
    return [start.isoformat() for start, _ in periods] + [periods[-1][1].isoformat()]


def _scenarios(name: str, overlay: Overlay) -> dict[str, object]:
    """A scenario, and those that it is stacked upon under names of their own."""
    found: dict[str, object] = {}
    below = [f"{name} / {number}" for number in range(1, len(overlay.before) + 1)]
    for one, layer in zip(below, overlay.before, strict=True):
        found |= _scenarios(one, layer)
    return {name: _changes(overlay) | ({"stack": below} if below else {}), **found}


def _changes(overlay: Overlay) -> dict[str, object]:
    rows: dict[str, list[dict[str, str]]] = {}
    for addition in overlay.add:
        rows.setdefault(addition.table, []).append(dict(addition.cells))
    remove: dict[str, list[str]] = {}
    for removal in overlay.remove:
        remove.setdefault(removal.table, []).append(removal.id)
    changes: dict[str, object] = {"set": {setting.path: setting.text for setting in overlay.set}, "remove": remove}
    scale = {one.path: _exact(one.times) for one in overlay.scale if not one.plus}
    increase = {one.path: _exact(one.plus) for one in overlay.scale if one.plus}
    return changes | {key: value for key, value in (("scale", scale), ("increase", increase), ("add", rows)) if value}
