"""Files given beside an inventory: a plan to start from, and placements to keep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from capplan.checking import offered
from capplan.errors import Faults
from capplan.inventory import (
    Allocation,
    Bought,
    Inventory,
    read_allocation,
    read_placements_to_keep,
    read_purchases,
)
from capplan.problem import Plan, Problem

INPUTS = "inputs"
START, START_PURCHASES, PIN = f"{INPUTS}/from.csv", f"{INPUTS}/from-purchases.csv", f"{INPUTS}/pin.csv"
"""Where a run keeps copies of them."""


@dataclass(frozen=True)
class Beside:
    """An allocation to start from, the purchases that belong to it, placements to keep: None where not given.

    ``name`` is what the user called the first: the name of a run's folder or of a file.
    """

    start: Path | None = None
    purchases: Path | None = None
    pin: Path | None = None
    name: str = ""

    def copies(self) -> Iterator[tuple[Path, str]]:
        """Each file that is given, and its place in a run."""
        pairs = (self.start, START), (self.purchases, START_PURCHASES), (self.pin, PIN)
        yield from ((path, name) for path, name in pairs if path is not None)

    def at(self, folder: Path) -> Beside:
        """The copies in a run's folder."""
        return Beside.copied(folder, self.start is not None, self.pin is not None, bought=self.purchases is not None)

    @staticmethod
    def copied(folder: Path, started: bool, pinned: bool, *, bought: bool) -> Beside:
        """The copies in a run's folder, by what was given."""
        return Beside(
            folder / START if started else None,
            folder / START_PURCHASES if bought else None,
            folder / PIN if pinned else None,
        )

    def paths(self) -> list[Path]:
        """Each file that is given."""
        return [path for path, _ in self.copies()]


@dataclass(frozen=True)
class Given:
    """What the files say.

    ``inventory`` has as current sites those of the allocation to start from, which ``allocation`` is; workloads that
    it does not name keep their own. ``bought`` belongs to it.
    """

    inventory: Inventory
    allocation: Allocation | None = None
    bought: tuple[Bought, ...] = ()
    keep: Allocation | None = None
    files: Beside = field(default_factory=Beside)

    def start(self, problem: Problem, faults: Faults) -> Plan | None:
        """The plan to start from; None where none was given. What the model does not let it buy is a warning."""
        if self.allocation is None:
            return None
        return Plan(self.inventory.current_site, self._affordable(problem, faults))

    def _affordable(self, problem: Problem, faults: Faults) -> dict[tuple[str, int, int], int]:
        """Steps of decided purchases by key; those that follow from the plan are recomputed, not read."""
        most, derived = offered(problem) if self.bought else ({}, set())
        found: dict[tuple[str, int, int], int] = {}
        for row in self.bought:
            site = problem.sites.find(row.site) if row.site else -1
            key = row.purchase, site, problem.periods.number(row.period)
            steps = min(found.get(key, 0) + row.steps, most.get(key, 0))
            if steps < found.get(key, 0) + row.steps and row.purchase not in derived:
                message = f"{row.steps} of {row.purchase} cannot be bought there and then under this model"
                faults.warning(row.place, "purchase-not-offered", message, "the plan to start from goes without")
            if steps:
                found[key] = steps
        return found

    def says_the_same(self, other: Given) -> bool:
        """Whether both say the same, wherever they were read."""
        return self.inventory == other.inventory and self._beside() == other._beside()

    def _beside(self) -> tuple[object, ...]:
        bought = [(row.purchase, row.site, row.period, row.steps) for row in self.bought]
        return self.allocation is None, bought, None if self.keep is None else self.keep.site.tolist()


def read_beside(files: Beside, inventory: Inventory, faults: Faults) -> Given:
    """Read the files against the inventory they are given with; every fault goes to ``faults``."""
    allocation = None if files.start is None else read_allocation(files.start, inventory, faults)
    bought = () if files.purchases is None else read_purchases(files.purchases, inventory, faults)
    keep = None if files.pin is None else read_placements_to_keep(files.pin, inventory, faults)
    if allocation is not None:
        current = np.where(allocation.given, allocation.site, inventory.current_site)
        current.setflags(write=False)
        inventory = replace(inventory, current_site=current)
    return Given(inventory, allocation, tuple(bought), keep, files)
