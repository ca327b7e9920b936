"""Links of an inventory nobody has planned yet: fixed ends, and every way in which the others may still be placed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice, product
from math import prod

import numpy as np

from capplan.links.interface import NONE, Interface
from capplan.links.report import Report, points_of
from capplan.links.row import Check
from capplan.problem import Options, Problem
from capplan.units import Ints

MOST_VARIANTS = 16
"""Ways of placing the ends of one interface that are looked at; where there are more, a plan is needed."""


@dataclass(frozen=True)
class Unplanned:
    """``fixed`` int64 [workload] are the sites that are known, NONE elsewhere; ``options`` what else is open."""

    problem: Problem
    fixed: Ints
    options: Options

    @cached_property
    def rows(self) -> list[Check]:
        """Every check; an interface with open ends has one set of them for each way of placing these."""
        report = Report(self.problem, self.fixed, reach=self._reach())
        if not len(self.problem.inventory.table("circuits")) and not report.interfaces:
            return []
        found, cut = [], dict(report.cut)
        for interface in report.interfaces:
            ways = self._ways(interface)
            found += report.interface(interface) if not ways else []
            for site in ways:
                one, name = Report(self.problem, site, only=interface), self._name(interface, site)
                found += [replace(check, link=name) for check in one.interface(interface)]
                cut[name] = one.cut.get(interface.name, {})
        return [*found, *report.paths(), *report.circuits(), *points_of(cut)]

    def _name(self, interface: Interface, site: Ints) -> str:
        """An interface with the sites of its open ends."""
        ids, sites = self.problem.workloads.ids, self.problem.sites.ids
        places = (f"{ids[w]} at {sites[site[w]]}" for w in interface.placed if self.fixed[w] == NONE)
        return f"{interface.name} ({', '.join(places)})"

    def _reach(self) -> list[tuple[int, int]]:
        """(workload, site) pairs that are open."""
        return sorted(set(zip(self.options.workload.tolist(), self.options.site.tolist(), strict=True)))

    def _ways(self, interface: Interface) -> list[Ints]:
        """Placements of the interface's open ends, replicas with them; none where all are fixed, or too many."""
        items = sorted({self._item[w] for w in interface.placed if self.fixed[w] == NONE})
        choices = [self._of_item(item) for item in items]
        if not items or prod(map(len, choices)) > MOST_VARIANTS:
            return []
        return list(self._combined(choices))

    def _combined(self, choices: list[list[int]]) -> Iterator[Ints]:
        first = self.options.first_row
        for chosen in islice(product(*choices), MOST_VARIANTS):
            site = np.full(len(self.fixed), NONE, dtype=np.int64)
            site[:] = self.fixed
            for option in chosen:
                rows = slice(int(first[option]), int(first[option + 1]))
                site[self.options.workload[rows]] = self.options.site[rows]
            yield site

    def _of_item(self, item: int) -> list[int]:
        """Options of an item that place something."""
        mine = np.flatnonzero(self.options.item == item)
        placing = self.options.first_row[mine + 1] > self.options.first_row[mine]
        found: list[int] = mine[placing].tolist()
        return found

    @cached_property
    def _item(self) -> dict[int, int]:
        return {w: i for i, group in enumerate(self.problem.members) for w in group}


def fixed_sites(problem: Problem) -> Ints:
    """Sites that are known without a plan: where workloads are pinned, else where they are today. int64 [workload]."""
    pinned = problem.workloads.refs("pinned_site")
    return np.where(pinned >= 0, pinned, problem.inventory.current_site)
