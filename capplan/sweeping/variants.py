"""What a sweep tries: named scenarios, every site or operator lost in turn, growth, ranges of any cell or key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import product

import numpy as np

from capplan.errors import UsageError
from capplan.inventory import Inventory
from capplan.model import Model
from capplan.model.adhoc import Asked
from capplan.units import decimal_text

BASE = "base"
STEPS = 4
_NUMBER = r"(-?[0-9]+(?:\.[0-9]+)?)\s*(%?)"
_RANGE = re.compile(rf"{_NUMBER}\s*\.\.\s*{_NUMBER}(?:\s*/\s*([0-9]+))?", re.ASCII)


@dataclass(frozen=True)
class Variant:
    """One thing to try. ``kind`` is what it varies, ``subject`` what of, ``value`` to what, as text."""

    name: str
    kind: str
    subject: str = ""
    value: str = ""
    scenario: str | None = None
    asked: Asked = field(default_factory=Asked)


@dataclass(frozen=True)
class Wishes:
    """What a sweep was asked for. ``crossed``: every combination instead of one thing at a time."""

    scenarios: tuple[str, ...] = ()
    each_site_lost: bool = False
    each_operator_lost: bool = False
    growth: str = ""
    ranges: tuple[str, ...] = ()
    crossed: bool = False

    def __bool__(self) -> bool:
        lost = self.each_site_lost or self.each_operator_lost
        return bool(self.scenarios or lost or self.growth or self.ranges)


def variants(wishes: Wishes, inventory: Inventory, model: Model) -> list[Variant]:
    """What to try, the inventory as it is first. Raises UsageError for wishes that mean nothing."""
    dimensions = list(_dimensions(wishes, inventory, model))
    if wishes.crossed and len(dimensions) > 1:
        # Every dimension may also stay as it is.
        tried = [_together(combination) for combination in product(*([None, *one] for one in dimensions))]
        tried = [one for one in tried if one.name]
    else:
        tried = [one for dimension in dimensions for one in dimension]
    return [Variant(BASE, BASE), *tried]


def _dimensions(wishes: Wishes, inventory: Inventory, model: Model) -> Iterator[list[Variant]]:
    if wishes.scenarios:
        yield [Variant(name, "scenario", name, scenario=name) for name in wishes.scenarios]
    if wishes.each_site_lost:
        yield list(_sites_lost(inventory, model))
    if wishes.each_operator_lost:
        yield list(_operators_lost(inventory))
    if wishes.growth:
        yield list(_growth(wishes.growth, inventory))
    for text in wishes.ranges:
        yield list(_range(text))


def _together(parts: Sequence[Variant | None]) -> Variant:
    """Several variants as one."""
    some = [part for part in parts if part is not None]
    scenarios = [part.scenario for part in some if part.scenario]
    return Variant(
        ", ".join(part.name for part in some),
        " x ".join(part.kind for part in some),
        " x ".join(part.subject for part in some),
        " x ".join(part.value for part in some if part.value),
        "+".join(scenarios) or None,
        Asked(
            tuple(text for part in some for text in part.asked.set),
            tuple(text for part in some for text in part.asked.remove),
            tuple(text for part in some for text in part.asked.add),
        ),
    )


def _sites_lost(inventory: Inventory, model: Model) -> Iterator[Variant]:
    """Each site taken away. It is an emergency: nothing needs a replica meanwhile, and headroom is what it is for."""
    waived = ["left_out=any", "rules.survive_site_loss=off"]
    waived += [f"headroom.{resource}=0%" for resource in sorted(model.headroom)]
    # Nor does anything have to survive a second failure meanwhile.
    waived += ["interfaces.*.diverse=none"] if len(inventory.table("interfaces")) else []
    waived += ["rules.links.failures=false"] if len(inventory.table("circuits")) and "links" in model.rules else []
    for site in _standing(inventory):
        asked = Asked.of(waived, [f"sites.{site}", *_replicas(inventory)])
        yield Variant(f"without site {site}", "site lost", site, asked=asked)


def _replicas(inventory: Inventory) -> list[str]:
    workloads = inventory.table("workloads")
    return [f"workloads.{workloads.ids[w]}" for w in np.flatnonzero(workloads.refs("replica_of") >= 0).tolist()]


def _standing(inventory: Inventory) -> list[str]:
    ids = inventory.table("sites").ids
    return [ids[s] for s in np.flatnonzero(~inventory.removed_sites).tolist()]


def _operators_lost(inventory: Inventory) -> Iterator[Variant]:
    """Each operator's sites and circuits taken away for good: all rules hold, what has no home is left out.

    Where that leaves a single site nothing can have a replica.
    """
    sites, circuits = inventory.table("sites"), inventory.table("circuits")
    standing = set(_standing(inventory))
    gone: dict[str, list[str]] = {}
    for table, ids in ((sites, standing), (circuits, set(circuits.ids))):
        for row, operator in zip(table.ids, table.text("operator"), strict=True):
            if operator and row in ids:
                gone.setdefault(operator, []).append(f"{table.name}.{row}")
    if not gone:
        raise UsageError("no site and no circuit names an operator; fill in the column operator")
    for operator, rows in sorted(gone.items()):
        left = len(standing) - sum(row.startswith("sites.") for row in rows)
        asked = Asked.of(["left_out=any"], [*rows, *(_replicas(inventory) if left < 2 else [])])
        yield Variant(f"without operator {operator}", "operator lost", operator, asked=asked)


def _growth(text: str, inventory: Inventory) -> Iterator[Variant]:
    """Demand of every resource grown by each percentage."""
    for value in values_of(text.replace("%", "")):
        factor = decimal_text(100 + Fraction(value), 18)
        asked = Asked.of([f"{path}*={factor}%" for path in _demand(inventory)])
        yield Variant(f"growth {value} %", "growth", "demand", f"{value}%", asked=asked)


def _demand(inventory: Inventory) -> Iterator[str]:
    for resource in inventory.resources:
        for table, column in (("workloads", resource.name), ("workloads", f"failover_{resource.name}")):
            if column in inventory.table(table).present:
                yield f"{table}.*.{column}"
        if resource.name in inventory.table("placements").present:
            yield f"placements.*.{resource.name}"


def _range(text: str) -> Iterator[Variant]:
    left, equals, right = text.partition("=")
    if not equals or not left.strip() or not right.strip():
        hint = "write one such as 'sites.*.energy_price_kwh*=80%..120%/5' or purchases=all,none"
        raise UsageError(f'"{text}" is no range; {hint}')
    for value in values_of(right):
        change = f"{left.strip()}={value}"
        yield Variant(change, "range", left.strip(), value, asked=Asked.of([change]))


def values_of(text: str) -> list[str]:
    """The values of ``low..high/steps``, ``low..high`` (four of them) or a list with commas, exact.

    >>> values_of("80%..120%/5")
    ['80%', '90%', '100%', '110%', '120%']
    """
    match = _RANGE.fullmatch(text.strip())
    if match is None:
        found = [part.strip() for part in text.split(",") if part.strip()]
        if not found or ".." in text:
            raise UsageError(f'"{text}" is no range; write low..high/steps such as 0..30/4, or values with commas')
        return found
    sign, steps = match[2] or match[4], int(match[5] or STEPS)
    low, high = Fraction(match[1]), Fraction(match[3])
    if steps < 2 or high <= low:
        raise UsageError(f'"{text}" is no range; write a low and a higher number, and at least 2 steps')
    return [f"{decimal_text(low + (high - low) * i / (steps - 1))}{sign}" for i in range(steps)]


def over(variant: Variant, scenario: str | None, asked: Asked) -> Variant:
    """The variant laid over what every scenario of a sweep has in common."""
    joined = "+".join(filter(None, (scenario, variant.scenario))) or None
    below = variant.asked
    called = ", ".join(filter(None, (asked.name, variant.name if below else "")))
    both = Asked((*asked.set, *below.set), (*asked.remove, *below.remove), (*asked.add, *below.add), called)
    return replace(variant, scenario=joined, asked=both)
