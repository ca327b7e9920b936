"""Licences by brute force: what a plan needs of each, and where its rights do not let a workload be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

from tests.oracle.cells import Row, cell, lifetime, names, number

if TYPE_CHECKING:
    from tests.oracle.oracle import Oracle

CHARGED = ("site", "organisation")
BY_HOST = ("core", "standard_core", "server", "processor", "socket")

Bought = Mapping[tuple[str, str, int], int]


def figure(oracle: Oracle, licence: Row, name: str, t: int, default: int = 0) -> Fraction:
    """The latest figure that holds on the first day of a period. The worlds bring terms of their own."""
    rows = [
        row
        for row in oracle.tables["licence_terms"]
        if row["terms"] == cell(licence, "terms") and row["figure"] == name
        if lifetime(row).start <= oracle.periods[t].start
    ]
    return number(max(rows, key=lambda row: lifetime(row).start), "value") if rows else Fraction(default)


def quantity(oracle: Oracle, x: str, w: str) -> int:
    """What one workload needs, wherever it is; nothing outside the organisations, nor for a free passive replica."""
    licence, row = oracle.licences[x], oracle.workloads[w]
    found = [r for r in oracle.tables["licence_needs"] if (r["workload"], r["licence"]) == (w, x)]
    if not found or (names(licence, "organisations") and row["organisation"] not in names(licence, "organisations")):
        return 0
    if cell(licence, "metric") in ("user", "device", "named_user") and not cell(found[0], "quantity"):
        needed = int(number(row, "users"))
    else:
        needed = int(number(found[0], "quantity", "1"))
    primary = cell(row, "replica_of")
    free = int(figure(oracle, licence, "passives", 0)) if cell(licence, "assurance") == "yes" else 0
    return 0 if primary and quantity(oracle, x, primary) and w in oracle.replicas[primary][:free] else needed


def inside(oracle: Oracle, x: str, s: str) -> bool:
    """Whether a site is in the scope of a licence."""
    licence = oracle.licences[x]
    sites, countries = names(licence, "sites"), names(licence, "countries")
    return (not sites or s in sites) and (not countries or cell(oracle.sites[s], "country") in countries)


def group_of(oracle: Oracle, w: str, s: str) -> Row | None:
    """The host group on which a workload runs at a site."""
    platform = cell(oracle.workloads[w], "platform")
    return next((r for r in oracle.tables["hosts"] if r["site"] == s and cell(r, "platform") == platform), None)


def forbidden(oracle: Oracle, w: str, s: str) -> bool:
    """Whether some licence's rights do not let a workload be at a site."""
    for x, licence in oracle.licences.items():
        counts = any(lifetime(licence).both(period).days for period in oracle.periods)
        if not counts or not quantity(oracle, x, w) or not inside(oracle, x, s):
            continue
        group = group_of(oracle, w, s)
        if cell(licence, "metric") in BY_HOST and group is None:
            return True
        most = int(figure(oracle, licence, "most_sockets", 0))
        if group and most and max(number(group, "sockets"), number(group, "processors", "2")) > most:
            return True
        if cell(licence, "bring_own") == "yes":
            alone = group is not None and cell(group, "dedicated_to") == oracle.workloads[w]["organisation"]
            listed = group is not None and cell(group, "listed_provider") == "yes"
            if not alone and (listed or cell(licence, "assurance") != "yes"):
                return True
        if cell(licence, "mobility") == "none" and cell(licence, "assigned") and oracle.moves(w, s):
            free = date.fromisoformat(cell(licence, "assigned")) + timedelta(
                int(figure(oracle, licence, "reassign_days", 0, 90))
            )
            if oracle.periods[oracle.first_period(w)].start < free:
                return True
    return False


def counted(oracle: Oracle, x: str, placed: Mapping[str, str], t: int) -> dict[str, int]:
    """The workloads that count towards a licence in a period, and what each needs."""
    return {
        w: quantity(oracle, x, w)
        for w, s in placed.items()
        if oracle.active[w][t] and inside(oracle, x, s) and quantity(oracle, x, w)
    }


def needs(oracle: Oracle, x: str, placed: Mapping[str, str], bought: Bought, t: int) -> int:
    """How many of a licence a plan needs in a period."""
    licence = oracle.licences[x]
    count = _Count(oracle, x, licence, placed, bought, t, counted(oracle, x, placed, t))
    most: int = getattr(count, cell(licence, "metric"))()
    return max(most, int(figure(oracle, licence, "minimum_order", t))) if count.needed else most


def farm_too_large(oracle: Oracle, x: str, placed: Mapping[str, str], t: int) -> bool:
    """Whether a server farm stretches over more sites than it may."""
    licence = oracle.licences[x]
    used = {placed[w] for w in counted(oracle, x, placed, t)}
    return cell(licence, "mobility") == "farm" and len(used) > figure(oracle, licence, "farm_sites", t, 2)


class _Count:
    """One licence in one period; a method for each metric."""

    def __init__(
        self,
        oracle: Oracle,
        x: str,
        licence: Row,
        placed: Mapping[str, str],
        bought: Bought,
        t: int,
        needed: Mapping[str, int],
    ) -> None:
        self.oracle, self.x, self.licence, self.placed = oracle, x, licence, placed
        self.bought, self.t, self.needed = bought, t, needed

    def fig(self, name: str, default: int = 0) -> int:
        return ceil(figure(self.oracle, self.licence, name, self.t, default))

    def owner(self, w: str) -> str:
        return self.oracle.workloads[w]["organisation"]

    # Workloads

    def pool(self) -> int:
        return self._shared(dict(self.needed))

    appliance = pool

    def machine_core(self) -> int:
        return self._shared({w: self._machines(w) for w in self.needed})

    def _machines(self, w: str) -> int:
        cores = self.oracle.demand[w, self.placed[w]][self.t].get("cores", 0)
        step = self.fig("step", 1)
        each = ceil(Fraction(cores, self.needed[w]))
        return self.needed[w] * max(self.fig("per_machine"), ceil(Fraction(each, step)) * step)

    def _shared(self, amounts: Mapping[str, int]) -> int:
        """Every organisation has what it needs, or what is kept for it if that is more."""
        kept = {
            r["organisation"]: int(r["reserved"])
            for r in self.oracle.tables["licence_reserves"]
            if r["licence"] == self.x
        }
        total: dict[str, int] = defaultdict(int)
        for w, n in amounts.items():
            total[self.owner(w)] += n
        return sum(max(total[o], kept.get(o, 0)) for o in {*total, *kept})

    def concurrent(self) -> int:
        rows = [r for r in self.oracle.tables["licence_peaks"] if r["licence"] == self.x]
        known = {r["workload"] for r in rows}
        plain = sum(n for w, n in self.needed.items() if w not in known)
        times = {r["time"] for r in rows} or {""}
        return plain + max(
            sum(int(r["users"]) for r in rows if r["time"] == time and r["workload"] in self.needed) for time in times
        )

    # People

    def user(self) -> int:
        return sum(
            max(n for w, n in self.needed.items() if self.owner(w) == o) for o in set(map(self.owner, self.needed))
        )

    device = user

    def named_user(self) -> int:
        each = self.fig("users_each")
        if not self.oracle.tables["hosts"]:
            return self.user()
        factors = [r for r in self.oracle.tables["licence_terms"] if r["figure"].startswith("factor_")]
        has = any(r["terms"] == cell(self.licence, "terms") for r in factors)
        return max(self.user(), each * (self.processor() if has else sum(int(g["hosts"]) for g in self._reached())))

    def population(self) -> int:
        owners = set(map(self.owner, self.needed))
        return sum(int(number(self.oracle.organisations[o], "population")) for o in owners)

    def site(self) -> int:
        return len({self.placed[w] for w in self.needed})

    def organisation(self) -> int:
        return len(set(map(self.owner, self.needed)))

    # Hosts

    def _on(self) -> Iterator[tuple[Row, list[str]]]:
        """Groups that run something and are not covered already, with what they run."""
        for group in self.oracle.tables["hosts"]:
            here = [w for w in self.needed if group_of(self.oracle, w, self.placed[w]) is group]
            if here and self.x not in names(group, "licensed"):
                yield group, here

    def _reached(self) -> list[Row]:
        """Groups that run something, and all of the same cluster, but for those that are covered already."""
        run = [group_of(self.oracle, w, self.placed[w]) for w in self.needed]
        clusters = {cell(group, "cluster", "of its own " + group["host_group"]) for group in run if group is not None}
        return [
            group
            for group in self.oracle.tables["hosts"]
            if cell(group, "cluster", "of its own " + group["host_group"]) in clusters
            and self.x not in names(group, "licensed")
        ]

    def _server(self, group: Row, licence: Row) -> int:
        """Core licences of one host."""
        fig = {
            n: ceil(figure(self.oracle, licence, n, self.t, d))
            for n, d in (("per_processor", 0), ("per_server", 0), ("step", 1))
        }
        packs = [max(ceil(number(group, "cores") / fig["step"]) * fig["step"], fig["per_processor"])] * int(
            number(group, "processors", "2")
        )
        return ceil(Fraction(max(sum(packs), fig["per_server"]), fig["step"])) * fig["step"]

    def core(self) -> int:
        total = sum(int(g["hosts"]) * self._server(g, self.licence) for g in self._reached())
        for licence in self.oracle.licences.values():
            if cell(licence, "datacenter") == self.x and lifetime(licence).both(self.oracle.periods[self.t]).days:
                for group in self.oracle.tables["hosts"]:
                    if self.bought.get((f"{self.x} on {group['host_group']}", group["site"], self.t), 0):
                        total += int(group["hosts"]) * self._server(group, licence)
        return total

    def standard_core(self) -> int:
        total, other = 0, cell(self.licence, "datacenter")
        for group, here in self._on():
            if other and self.bought.get((f"{other} on {group['host_group']}", group["site"], self.t), 0):
                continue
            most = self._most_on_one(group, here)
            total += int(group["hosts"]) * ceil(Fraction(most, 2)) * self._server(group, self.licence)
        return total

    def _most_on_one(self, group: Row, here: list[str]) -> int:
        left = max(1, int(group["hosts"]) - int(number(group, "failures")))
        return ceil(Fraction(sum(self.needed[w] for w in here), left))

    def server(self) -> int:
        total, cores_each = 0, self.fig("cores_each")
        for group, here in self._on():
            cores = number(group, "cores") * number(group, "processors", "2")
            by_cores = ceil(cores / cores_each) if cores_each else 1
            left = max(1, int(group["hosts"]) - int(number(group, "failures")))
            machines = sum(self.needed[w] for w in here)
            total += int(group["hosts"]) * max(ceil(Fraction(machines, self.fig("machines_each", 1) * left)), by_cores)
        return total

    def socket(self) -> int:
        return sum(int(g["hosts"]) * int(number(g, "processors", "2")) for g in self._reached())

    def processor(self) -> int:
        cores: dict[str, int] = defaultdict(int)
        if cell(self.licence, "partitioning") == "hard":
            for group, here in self._on():
                cores[cell(group, "processor", "x86")] += sum(self._machines(w) for w in here)
        else:
            for g in self._reached():
                cores[cell(g, "processor", "x86")] += int(
                    number(g, "hosts") * number(g, "processors", "2") * number(g, "cores")
                )
        return sum(
            ceil(n * figure(self.oracle, self.licence, f"factor_{kind}", self.t, 1)) for kind, n in cores.items()
        )
