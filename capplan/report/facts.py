"""What a report needs of a run: its tables as they are now, and the names that its inventory has for things."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from capplan.inventory import Inventory
from capplan.inventory.table import Table
from capplan.report.words import period_text
from capplan.runs import Run
from capplan.units import BUILT_IN, Currency, Resource

Row = Mapping[str, str]


@dataclass(frozen=True)
class Spot:
    """A site, organisation or node: its id, what people call it, what it is, and where, if that is known."""

    id: str
    name: str
    kind: str
    latitude: float | None = None
    longitude: float | None = None

    @property
    def text(self) -> str:
        """Name and id: ``Whitehaven data centre (B)``."""
        return self.id if self.name in ("", self.id) else f"{self.name} ({self.id})"

    @property
    def short(self) -> str:
        """The name, or the id where it has none."""
        return self.name or self.id


@dataclass(frozen=True)
class Facts:
    """A run as a report reads it."""

    run: Run
    inventory: Inventory

    @staticmethod
    def of(run: Run) -> Facts:
        """Read what a report of the run needs. Raises BadInput where the run is damaged."""
        return Facts(run, run.inventory())

    @property
    def info(self) -> Mapping[str, Any]:
        """``run.json``."""
        return self.run.info

    @property
    def has_plan(self) -> bool:
        """Whether the run came to a plan."""
        return self.info["headline"] is not None

    @cached_property
    def _tables(self) -> dict[str, list[dict[str, str]]]:
        return {}

    def rows(self, table: str) -> Sequence[dict[str, str]]:
        """The rows of a table; none where the run does not have it."""
        if table not in self._tables:
            self._tables[table] = self.run.table(table) if table in self.run.tables else []
        return self._tables[table]

    @cached_property
    def currency(self) -> Currency:
        """The currency of every amount."""
        return self.inventory.currency

    def pence(self, text: str) -> Fraction:
        """An amount of money in a table, in pence."""
        return Fraction(text or 0) * self.currency.pence_per_unit

    def money(self, pence: Fraction | int) -> str:
        """Money for people."""
        return self.currency.text(pence)

    @cached_property
    def resources(self) -> dict[str, Resource]:
        """Every resource by name."""
        return {resource.name: resource for resource in (*BUILT_IN, *self.inventory.declared)}

    def resource(self, name: str) -> str:
        """A resource in words: ``power``, ``rack units``."""
        known = self.resources.get(name)
        return known.label if known else name.replace("_", " ")

    @cached_property
    def sites(self) -> dict[str, Spot]:
        """Every site by id."""
        return _spots(self.inventory.table("sites"))

    @cached_property
    def organisations(self) -> dict[str, Spot]:
        """Every organisation by id."""
        return _spots(self.inventory.table("organisations"))

    @cached_property
    def nodes(self) -> dict[str, Spot]:
        """Every node of the network by id; sites and organisations are nodes too."""
        return {**self.organisations, **_spots(self.inventory.table("nodes")), **self.sites}

    def site(self, name: str) -> str:
        """A site with its name."""
        return self.sites[name].text if name in self.sites else name

    def about(self, subject: str) -> str:
        """The subject of a limit in words: ``B power_kw`` becomes ``power at Whitehaven data centre (B)``."""
        site, _, resource = subject.partition(" ")
        if site not in self.sites or resource not in self.resources:
            return subject
        return f"{self.resource(resource)} at {self.site(site)}"

    def organisation(self, name: str) -> str:
        """An organisation with its name; a blank is none."""
        if not name:
            return "no single organisation"
        return self.organisations[name].text if name in self.organisations else name

    @cached_property
    def workload_names(self) -> dict[str, str]:
        """What people call each workload, by id."""
        return {row["workload"]: row["name"] for row in self.rows("allocation")}

    def workload(self, name: str, aside: str = "") -> str:
        """A workload with its name, and something said aside: ``Email (EML; until March)``."""
        called = self.workload_names.get(name, "")
        if called in ("", name):
            return f"{name} ({aside})" if aside else name
        return f"{called} ({name}; {aside})" if aside else f"{called} ({name})"

    @cached_property
    def _priorities(self) -> dict[str, int]:
        table = self.inventory.table("workloads")
        return dict(zip(table.ids, table.counts("priority").tolist(), strict=True))

    def priority(self, workload: str) -> int:
        """How important a workload is: 1 = most; those that do not say come last."""
        return self._priorities.get(workload) or 10**9

    @cached_property
    def periods(self) -> list[str]:
        """The periods in order, as tables name them."""
        return [period["text"] for period in self.info["periods"]]

    @property
    def horizon(self) -> str:
        """First to last day, in words."""
        if not self.periods:
            return ""
        return period_text(f"{self.periods[0].partition('..')[0]}..{self.periods[-1].partition('..')[2]}")


def _spots(table: Table) -> dict[str, Spot]:
    """The rows of a table of places, by id."""
    names, kinds = (table.text(column) for column in ("name", "kind"))
    places = [table.decimals(column) for column in ("latitude", "longitude")]
    found = {}
    for row, (key, name, kind) in enumerate(zip(table.ids, names, kinds, strict=True)):
        latitude, longitude = (float(p.fraction(row)) if p.given[row] else None for p in places)
        found[key] = Spot(key, name, kind, latitude, longitude)
    return found
