"""Information zones: a workload goes only where its zone is allowed.

A workload's zone is its own, else its organisation's; a site that names no zones takes all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from capplan.inventory import Column, Kind, TableSchema
from capplan.problem import Options, Problem
from capplan.problem.ways import Way, blanked, set_cell
from capplan.program.statements import Source
from capplan.rules.base import Exclusion, Rule
from capplan.units import Bools, Ints


class Zone(Rule):
    """Sites take the zones they name, and all if they name none."""

    summary = "a workload's information zone is one that its site takes"
    schemas = (
        TableSchema("organisations", ("organisation",), (Column("zone", Kind.TEXT, "its information zone"),), ""),
        TableSchema("sites", ("site",), (Column("zones", Kind.WORDS, "zones it takes (blank: all)"),), ""),
        TableSchema(
            "workloads", ("workload",), (Column("zone", Kind.TEXT, "its zone (blank: its organisation's)"),), ""
        ),
    )

    def eased(self, problem: Problem, source: Source, workloads: Sequence[int]) -> Iterable[Way]:
        """A site that takes the zone too; a workload without one of its own."""
        site, zones = source[1], zones_of(problem)
        where, own = problem.sites.ids[site], problem.workloads.text("zone")
        for zone in dict.fromkeys(zones[w] for w in workloads):
            taken = ";".join([*problem.sites.words("zones")[site], zone])
            changes = set_cell("sites", where, "zones", taken)
            yield Way("site", f"let {where} take the zone {zone}", changes)
        yield from (blanked(problem, w, "zone") for w in workloads if own[w])

    def exclusions(self, problem: Problem, options: Options) -> Iterable[Exclusion]:
        """Options that put a workload at a site that does not take its zone."""
        zones, number, takes = problem.shared("zones", lambda: _zones(problem))
        if takes.all():
            return
        taken = problem.sites.words("zones")
        rows = np.flatnonzero(~takes[number[options.workload], options.site])
        if not len(rows):
            return
        workload, site = options.workload[rows], options.site[rows]

        def reason(i: int) -> str:
            where = problem.sites.ids[site[i]]
            return f"its zone is {zones[workload[i]]}, {where} takes {', '.join(taken[site[i]])}"

        yield Exclusion(self.name, options.option[rows], reason, lambda i: ("sites", int(site[i]), "zones"), rows)


def _zones(problem: Problem) -> tuple[list[str], Ints, Bools]:
    """Zone of each workload by name and number, and which zones sites take. int64 [workload], bool [zone, site]."""
    zones, taken = zones_of(problem), problem.sites.words("zones")
    names = {zone: i for i, zone in enumerate(sorted(set(zones)))}
    takes = [[not zone or not words or zone in words for words in taken] for zone in names]
    number = np.array([names[zone] for zone in zones], dtype=np.int64)
    return zones, number, np.array(takes, dtype=np.bool_).reshape(len(names), len(taken))


def zones_of(problem: Problem) -> list[str]:
    """Zone of each workload, blank where it has none."""
    organisations = problem.inventory.table("organisations").text("zone")
    own, owner = problem.workloads.text("zone"), problem.workloads.refs("organisation").tolist()
    return [zone or (organisations[o] if o >= 0 else "") for zone, o in zip(own, owner, strict=True)]
