"""Rules about several workloads at once: what a plan breaks, by brute force.

Every function is given the oracle of a world and one plan with what follows from it, and names what is broken.
Rules in `ON` hold wherever the tables give them something to say; those in `ASKED` only where the model names them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations, product
from typing import TYPE_CHECKING, Any

from tests.oracle.cells import YEAR, cell, lifetime, names, number
from tests.oracle.links import links

if TYPE_CHECKING:
    from tests.oracle.oracle import Oracle

Broken = Iterator[tuple[Any, ...]]


@dataclass(frozen=True)
class State:
    """A plan, and what it uses, adds and costs."""

    sites: Mapping[str, str | None]
    placed: Mapping[str, str]
    used: Mapping[tuple[str, str, int], int]  # steps, per site, resource and period
    added: Mapping[tuple[str, str, int], Fraction]  # units that purchases add
    amounts: Mapping[tuple[str, int, str], int]  # pence, per kind, period and site
    once: Mapping[int, int]  # pence among them that are paid once, per period
    bought: Mapping[tuple[str, str, int], int]  # steps, per purchase, site and period

    def active_at(self, oracle: Oracle, s: str, t: int) -> list[str]:
        """The workloads that are at a site and active in a period."""
        return [w for w, at in self.placed.items() if at == s and oracle.active[w][t]]


# --- where the tables say so ----------------------------------------------------------------------


def replicas(oracle: Oracle, plan: State) -> Broken:
    """A workload and its replicas: all placed or none, no two at one site, as far and as near as each replica asks."""
    for primary, copies in oracle.replicas.items():
        sites = [plan.placed[w] for w in (primary, *copies) if w in plan.placed]
        if 0 < len(sites) <= len(copies) or len(set(sites)) < len(sites):
            yield "replicas", primary
        for w in copies:
            if primary in plan.placed and w in plan.placed:
                pair = plan.placed[primary], plan.placed[w]
                if w in oracle.too_near[pair] or w in oracle.too_far[pair]:
                    yield "replicas", w, *pair


def together(oracle: Oracle, plan: State) -> Broken:
    """The members of a group are all at one site, or all left out."""
    for group, members in oracle.groups("together").items():
        if len({plan.sites[w] for w in members}) > 1:
            yield "together", group


def apart(oracle: Oracle, plan: State) -> Broken:
    """Few members of a group at one site, or members at several sites, in every period."""
    per_site, at_sites, in_regions = (oracle.rule("apart").get(name, {}) for name in ("per_site", "sites", "regions"))
    for (group, members), t in product(oracle.groups("apart").items(), range(len(oracle.periods))):
        active = [w for w in members if oracle.active[w][t]]
        count = Counter(plan.placed[w] for w in active if w in plan.placed)
        if group in at_sites and active and len(count) < int(at_sites[group]):
            yield "apart", group, t
        regions = {cell(oracle.sites[s], "region") for s in count} - {""}
        if group in in_regions and active and len(regions) < int(in_regions[group]):
            yield "apart", group, t, "regions"
        if group in per_site or group not in at_sites:
            yield from (("apart", group, t, s) for s, n in count.items() if n > int(per_site.get(group, "1")))


def tenancy(oracle: Oracle, plan: State) -> Broken:
    """An organisation with sites of its own shares none with another in any period."""
    alone = {o for o, row in oracle.organisations.items() if cell(row, "tenancy") == "dedicated_site"}
    for s, t in product(oracle.sites if alone else (), range(len(oracle.periods))):
        here = {oracle.workloads[w]["organisation"] for w in plan.active_at(oracle, s, t)}
        if len(here) > 1 and here & alone:
            yield "tenancy", s, t


def fill(oracle: Oracle, plan: State) -> Broken:
    """A site that is used at all is used enough."""
    least = {(s, r): number(row, f"fill_{r}") for s, row in oracle.sites.items() for r in oracle.steps}
    for ((s, r), wanted), t in product(least.items(), range(len(oracle.periods))):
        if wanted and plan.used[s, r, t] * oracle.steps[r] < wanted and plan.active_at(oracle, s, t):
            yield "fill", s, r, t


def same_neighbourhood(oracle: Oracle, plan: State) -> Broken:
    """Where a workload needs a group nearby, another workload of the group is in its site's neighbourhood or region."""

    def area(s: str) -> str:
        return cell(oracle.sites[s], "neighbourhood") or cell(oracle.sites[s], "region")

    for (w, s), t in product(plan.placed.items(), range(len(oracle.periods))):
        near = {
            group
            for v, at in plan.placed.items()
            if v != w and oracle.active[v][t] and area(at) == area(s)
            for group in names(oracle.workloads[v], "groups")
        }
        if oracle.active[w][t] and not near.issuperset(names(oracle.workloads[w], "needs_nearby")):
            yield "same_neighbourhood", w, t


# --- where the model asks for it ------------------------------------------------------------------


def moves(oracle: Oracle, plan: State) -> Broken:
    """At most so many moves in all, per organisation, and per period; perhaps room at both ends while they last."""
    options = oracle.rule("moves")
    moved = [w for w, s in plan.placed.items() if oracle.moves(w, s)]
    living = [w for w in moved if any(oracle.active[w])]
    counts: dict[str, Counter[Any]] = {
        "at_most": Counter("" for _ in moved),
        "per_organisation": Counter(oracle.workloads[w]["organisation"] for w in moved),
        "per_period": Counter(oracle.first_period(w) for w in living),
    }
    for name, count in counts.items():
        if name in options:
            yield from (("moves", name, subject) for subject, n in count.items() if n > int(options[name]))
    if options.get("both_ends", "false") != "false":
        yield from _crowded(oracle, plan, living)


def _crowded(oracle: Oracle, plan: State, moved: list[str]) -> Broken:
    """While a workload moves it takes up room at the site that it leaves, beside all that the plan has there.

    Where capacity is off or soft, nothing is held to it, moves neither.
    """
    if oracle.rules.get("capacity") == "off":
        return
    soft, twice = oracle.rule("capacity").get("soft", {}), oracle.rule("moves")["both_ends"]
    for s, t in {(oracle.current[w], oracle.first_period(w)) for w in moved}:
        leaving = [w for w in moved if (oracle.current[w], oracle.first_period(w)) == (s, t)]
        for r, step in oracle.steps.items():
            usable = oracle.usable(s, r, t, plan.added)
            both = plan.used[s, r, t] + sum(oracle.demand[w, s][t][r] for w in leaving)
            if usable is not None and both * step > usable and r not in soft and (twice == "true" or r in twice):
                yield "moves", "both_ends", s, r, t


def balance(oracle: Oracle, plan: State) -> Broken:
    """Where it has no price, nothing may be short of the proportion in which a pair of resources should be free."""
    for pair, s, t in product(oracle.rule("balance")["pairs"], oracle.sites, range(len(oracle.periods))):
        exists = lifetime(oracle.sites[s]).both(oracle.periods[t]).days
        if "price" not in pair and exists and oracle.short(pair, s, t, plan.used, plan.added):
            yield "balance", s, t


def budget(oracle: Oracle, plan: State) -> Broken:
    """So much money in a year, so much at once, so much in all."""
    options, total, once = oracle.rule("budget"), sum(plan.amounts.values()), sum(plan.once.values())
    if "per_year" in options:
        for t, period in enumerate(oracle.periods):
            yearly = sum(n for (_, u, _), n in plan.amounts.items() if u == t) - plan.once[t]
            if yearly > 100 * Fraction(options["per_year"]) * period.days / YEAR:
                yield "budget", "per_year", t
    if "once" in options and once > 100 * Fraction(options["once"]):
        yield "budget", "once"
    if "total" in options and total > 100 * Fraction(options["total"]):
        yield "budget", "total"


def survive_site_loss(oracle: Oracle, plan: State) -> Broken:
    """When any one site is lost, those left carry the replicas that take over; nothing need be kept free then."""
    for lost, s in permutations(oracle.sites, 2):
        taking = [
            w
            for primary, (w, *_) in oracle.replicas.items()
            if plan.placed.get(primary) == lost and plan.placed.get(w) == s
        ]
        for r, t in product(oracle.steps, range(len(oracle.periods))):
            physical = oracle.physical[s, r]
            extra = sum(oracle.failover(w, s, r, t) - oracle.demand[w, s][t][r] for w in taking)
            load = (plan.used[s, r, t] + extra) * oracle.steps[r]
            if physical is not None and load > physical + plan.added.get((s, r, t), 0):
                yield "survive_site_loss", lost, s, r, t


def share(oracle: Oracle, plan: State) -> Broken:
    """Some purchases add at most a part of what is needed of some resources, over all sites."""
    for cap, t in product(oracle.rule("share")["caps"], range(len(oracle.periods))):
        added = sum(
            (max(Fraction(0), oracle.gives(row, t)) * oracle.held(key, t, plan.bought))
            for key, rows in oracle.purchases.items()
            for row in rows
            if key[0] in cap["purchases"]
        )
        need = sum(plan.used[s, r, t] * oracle.steps[r] for s in oracle.sites for r in cap["of"])
        if added > Fraction(cap["at_most"].rstrip("%")) / 100 * need:
            yield "share", cap["name"], t


ON: list[Callable[[Oracle, State], Broken]] = [replicas, together, apart, tenancy, fill, same_neighbourhood, links]
ASKED: list[Callable[[Oracle, State], Broken]] = [moves, balance, budget, share, survive_site_loss]


def broken_rules(oracle: Oracle, plan: State) -> Broken:
    """All that a plan breaks of these rules."""
    for rule in [*(rule for rule in ON), *(rule for rule in ASKED if rule.__name__ in oracle.rules)]:
        if oracle.rules.get(rule.__name__) != "off":
            yield from rule(oracle, plan)
