"""The oracle of one world: every plan, what it breaks, what it is worth, and the first of the best."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from itertools import product
from math import ceil, floor
from typing import TYPE_CHECKING, Any

from tests.oracle import licences
from tests.oracle.cells import (
    YEAR,
    Period,
    Row,
    cell,
    half_up,
    largest_growth,
    lifetime,
    names,
    number,
    periods,
    share,
)
from tests.oracle.network import Network, distance_km, position
from tests.oracle.rules import State, broken_rules

if TYPE_CHECKING:
    from tests.worlds import World

Purchase = tuple[str, str, int]  # id, site (blank for licence packs), period

STEPS = {
    "power_kw": "0.001", "cooling_kw": "0.001", "rack_units": "0.5", "weight_kg": "0.1", "cores": "1",
    "memory_gb": "0.1", "storage_tb": "0.001", "ports": "1", "fte": "0.01", "desks": "1",
}  # fmt: skip
STANDARD_HEADROOM = {"power_kw": "20%", "cooling_kw": "20%"}
STANDARD_GOALS: list[Any] = ["unplaced", {"cost": "1", "forgone": "1"}, "moves"]
POWER_STEP = Fraction(STEPS["power_kw"])
FAILS_OVER = ("power_kw", "cooling_kw", "cores", "memory_gb", "fte")  # a replica takes over all of the primary's
OF_ONES_OWN = {"workload", "value", "pinned_site", "current_site", "replica_of", "together", "apart"}


@dataclass(frozen=True)
class Plan:
    """A choice: the site of every workload (None: left out) and the steps or packs bought in each period."""

    sites: Mapping[str, str | None]
    bought: Mapping[Purchase, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """What a plan breaks, what it is worth in natural units (money in pounds), and what it costs in pence."""

    broken: set[tuple[Any, ...]]
    goals: dict[str, Any]
    amounts: dict[tuple[str, int, str], int]


class Oracle:
    """All that can be said about one world; build it once and measure many plans."""

    def __init__(self, world: World) -> None:
        tables: dict[str, list[Row]] = defaultdict(list, {name: list(rows) for name, rows in world.tables.items()})
        self.world = world
        self.tables = tables
        self.rules: dict[str, Any] = world.model.get("rules", {})
        self.as_of = date.fromisoformat(world.inventory["as_of"])
        self.periods = periods(world)
        self.horizon = Period(self.periods[0].start, self.periods[-1].end)
        self.workloads = self._workloads()
        self.replicas = self._replicas()
        self.sites = {row["site"]: row for row in sorted(tables["sites"], key=lambda row: row["site"])}
        self.organisations = {row["organisation"]: row for row in tables["organisations"]}
        self.placements = {(row["workload"], row["site"]): row for row in tables["placements"]}
        self.ways = {(row["current_site"], row["site"]): row for row in tables["move_costs"]}
        self.current = self._current_sites()
        self.steps = self._steps()
        self.network = Network(tables, self.periods, self.rule("latency"))
        self.active = {
            w: [lifetime(row).both(period).days for period in self.periods] for w, row in self.workloads.items()
        }
        self.licences = {row["licence"]: row for row in tables["licences"]}
        self.editions = self._editions()
        pairs, sites = list(product(self.workloads, self.sites)), list(product(self.sites, self.sites))
        self.demand = {(w, s): self._demands(w, s) for w, s in pairs}
        self.excluded = {(w, s): self._exclusions(w, s) for w, s in pairs}
        self.too_near, self.too_far = (
            {(a, b): {w for ws in self.replicas.values() for w in ws if wrong(w, a, b)} for a, b in sites}
            for wrong in (self._too_near, self._too_far)
        )
        self.due = {(w, s): self._due(w, s) for w, s in pairs}
        self.kilograms = {(w, s): self._carbon(w, s) for w, s in pairs}
        self.physical = {(s, r): self._physical(s, r) for s in self.sites for r in self.steps}
        headroom = STANDARD_HEADROOM | world.model.get("headroom", {})
        self.kept = {r: share(headroom.get(r, "0")) for r in self.steps}
        self.purchases: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in tables["expansions"]:
            self.purchases[row["expansion"], row["site"]].append(row)

    def _editions(self) -> dict[tuple[str, str], tuple[str, str]]:
        """Where Datacenter may be taken: name and site, with the licences Standard and Datacenter."""
        return {
            (f"{cell(row, 'datacenter')} on {group['host_group']}", group["site"]): (x, cell(row, "datacenter"))
            for x, row in self.licences.items()
            for group in self.tables["hosts"]
            if cell(row, "datacenter")
        }

    # Rows

    def _workloads(self) -> dict[str, Row]:
        """The rows of workloads by id; a replica's blank cells hold what its primary's say, but for its own affairs."""
        rows = {row["workload"]: row for row in sorted(self.tables["workloads"], key=lambda row: row["workload"])}
        own = OF_ONES_OWN | set(STEPS) | set(self.world.inventory.get("resources", {}))
        for w, row in rows.items():
            if cell(row, "replica_of"):
                primary = rows[cell(row, "replica_of")]
                taken = {column: text for column, text in primary.items() if column not in own}
                rows[w] = taken | {column: text for column, text in row.items() if text.strip()}
        return rows

    def _replicas(self) -> dict[str, list[str]]:
        """The replicas of every workload that has some, in order of their ids."""
        found: dict[str, list[str]] = defaultdict(list)
        for w, row in self.workloads.items():
            if cell(row, "replica_of"):
                found[row["replica_of"]].append(w)
        return dict(found)

    def groups(self, column: str) -> dict[str, list[str]]:
        """The members of the groups that a column of the workloads names."""
        found: dict[str, list[str]] = defaultdict(list)
        for w, row in self.workloads.items():
            for group in names(row, column):
                found[group].append(w)
        return found

    def rule(self, name: str) -> Mapping[str, Any]:
        """The options of a rule."""
        options = self.rules.get(name, {})
        return options if isinstance(options, dict) else {}

    def _current_sites(self) -> dict[str, str]:
        """Where workloads are today: the workload's own cell, else the table of the current allocation."""
        today = {row["workload"]: cell(row, "site") for row in self.tables["allocation"]}
        today |= {w: own for w, row in self.workloads.items() if (own := cell(row, "current_site"))}
        return {w: s for w, s in today.items() if s}

    def _steps(self) -> dict[str, Fraction]:
        """The smallest step of every resource that occurs in the tables."""
        declared = self.world.inventory.get("resources", {})
        known = STEPS | {r: entry.get("step", "1") for r, entry in declared.items()}
        places = [*self.tables["sites"], *self.tables["workloads"], *self.tables["placements"]]
        prefixes = ("", "cost_", "fill_", "failover_", "safety_")
        used = {column.removeprefix(prefix) for row in places for column in row for prefix in prefixes}
        used |= {row["resource"] for row in self.tables["expansions"]}
        return {r: Fraction(step) for r, step in known.items() if r in used}

    # Demand

    def _demands(self, w: str, s: str) -> list[dict[str, int]]:
        """Whole steps used at a site, per period and resource; nothing while inactive."""
        pair = self.placements.get((w, s), {})
        return [
            {r: self._demand(w, pair, r, t) if self.active[w][t] else 0 for r in self.steps}
            for t in range(len(self.periods))
        ]

    def _demand(self, w: str, pair: Row, r: str, t: int) -> int:
        """Steps of the pair's own use, else of the workload's."""
        row = self.workloads[w]
        base = cell(pair, r) or cell(row, r)
        if not base and r == "cooling_kw":  # heat is power, which grows as it does unless cooling's growth is given
            base = cell(pair, "power_kw") or cell(row, "power_kw")
            r = r if cell(row, "growth_cooling_kw") else "power_kw"
        return self._grown(row, Fraction(base or "0"), r, t)

    def _grown(self, row: Row, base: Fraction, r: str, t: int) -> int:
        """Base use grown to the larger end of the period, rounded up to a whole step."""
        rate = Fraction(cell(row, f"growth_{r}") or cell(row, "growth") or "0")
        grown = base * largest_growth(rate, self.as_of, self.periods[t])
        return ceil(grown / self.steps.get(r, POWER_STEP))

    def _power_kw(self, w: str, s: str, t: int) -> Fraction:
        return self.demand[w, s][t].get("power_kw", 0) * POWER_STEP

    # Exclusions: a workload may not be at a site, whatever the others do

    def _exclusions(self, w: str, s: str) -> set[str]:
        found = set()
        if self.rules.get("allowed") != "off" and not self._allowed(w, s):
            found.add("allowed")
        if self.rules.get("latency") != "off" and not self._near_enough(w, s):
            found.add("latency")
        if self.rules.get("zone") != "off" and not self._in_zone(w, s):
            found.add("zone")
        if self.rules.get("licences") != "off" and licences.forbidden(self, w, s):
            found.add("licences")
        return found

    def _allowed(self, w: str, s: str) -> bool:
        row, site, pair = self.workloads[w], self.sites[s], self.placements.get((w, s))
        only, countries = names(row, "allowed_sites"), names(row, "countries")
        needed = lifetime(row).both(self.horizon)
        return (
            cell(row, "pinned_site") in ("", s)
            and (not only or s in only)
            and s not in names(row, "forbidden_sites")
            and (not countries or cell(site, "country") in countries)
            and (pair is None or cell(pair, "allowed", "yes") == "yes")
            and (pair is not None or self.world.inventory.get("placements", "all") == "all")
            and (needed.days == 0 or lifetime(site).both(needed) == needed)
        )

    def _near_enough(self, w: str, s: str) -> bool:
        """The round trip is within the workload's limit in every period in which it is active."""
        limit = cell(self.workloads[w], "max_rtt_ms")
        if not limit:
            return True
        trips = [self.round_trip_us(w, s, t) for t in range(len(self.periods)) if self.active[w][t]]
        return all(trip is not None and trip <= Fraction(limit) * 1000 for trip in trips)

    def _in_zone(self, w: str, s: str) -> bool:
        """A site that lists zones takes only workloads of these, and those without a zone."""
        row, zones = self.workloads[w], names(self.sites[s], "zones")
        zone = cell(row, "zone") or cell(self.organisations[row["organisation"]], "zone")
        return not zone or not zones or zone in zones

    # The network

    def round_trip_us(self, w: str, s: str, t: int) -> Fraction | None:
        """Microseconds between a workload's users and a site; None where unknown or without a path."""
        measured = cell(self.placements.get((w, s), {}), "rtt_ms")
        if measured:
            return Fraction(measured) * 1000
        users, site = self.organisations[self.workloads[w]["organisation"]], self.sites[s]
        ends = cell(users, "node", users["organisation"]), cell(site, "node", s)
        return self.network.round_trip_us(ends, (users, site), t)

    # Replicas

    def _too_near(self, w: str, a: str, b: str) -> bool:
        """Sites that do not say where they are cannot be shown to be far enough from each other."""
        least = cell(self.workloads[w], "replica_min_km")
        here, there = position(self.sites[a]), position(self.sites[b])
        return bool(least) and (here is None or there is None or distance_km(here, there) < Fraction(least))

    def _too_far(self, w: str, a: str, b: str) -> bool:
        """The round trip between two sites is within the limit in every period in which the replica is active."""
        limit = cell(self.workloads[w], "replica_max_rtt_ms")
        if not limit:
            return False
        rows = self.sites[a], self.sites[b]
        ends = cell(rows[0], "node", a), cell(rows[1], "node", b)
        trips = [self.network.round_trip_us(ends, rows, t) for t, days in enumerate(self.active[w]) if days]
        return not all(trip is not None and trip <= Fraction(limit) * 1000 for trip in trips)

    def failover(self, w: str, s: str, r: str, t: int) -> int:
        """Steps that a replica at a site needs when it takes over; its own where either of the two is not active."""
        row, own = self.workloads[w], self.demand[w, s][t][r]
        primary = row["replica_of"]
        if not (self.active[w][t] and self.active[primary][t]):
            return own
        if cell(row, f"failover_{r}"):
            return max(own, self._grown(row, number(row, f"failover_{r}"), r, t))
        return max(own, self._demand(primary, {}, r, t)) if r in FAILS_OVER else own

    # Money that one placed workload brings about

    def _due(self, w: str, s: str) -> Counter[tuple[str, int]]:
        """Pence per kind and period for a workload at a site; each amount is rounded once."""
        due: Counter[tuple[str, int]] = Counter()
        row, site, pair = self.workloads[w], self.sites[s], self.placements.get((w, s), {})
        for t, days in enumerate(self.active[w]):
            kwh = self._power_kw(w, s, t) * number(site, "pue", "1") * days * 24
            used = sum(
                (number(site, f"cost_{r}") * n * self.steps[r] for r, n in self.demand[w, s][t].items()),
                Fraction(0),
            )
            due["energy", t] += half_up(100 * kwh * number(site, "energy_price_kwh"))
            due["resource", t] += half_up(100 * used * days / YEAR)
            due["placement", t] += half_up(100 * number(pair, "cost") * days / YEAR)
        if self.moves(w, s):
            way = self.ways.get((self.current[w], s), {})
            once = half_up(100 * number(row, "move_cost_once")) + half_up(100 * number(way, "cost_once"))
            due["move", self.first_period(w)] += once * any(self.active[w])
        return due

    def first_period(self, w: str) -> int:
        """The first period in which a workload is active (0 if there is none): in it, it moves."""
        return next((t for t, days in enumerate(self.active[w]) if days), 0)

    def moves(self, w: str, s: str) -> bool:
        """Whether a workload at a site is somewhere else today."""
        return self.current.get(w, s) != s

    def _carbon(self, w: str, s: str) -> Fraction:
        """Kilograms over the horizon, exactly."""
        site = self.sites[s]
        kwh = sum((self._power_kw(w, s, t) * days * 24 for t, days in enumerate(self.active[w])), Fraction(0))
        return kwh * number(site, "pue", "1") * number(site, "carbon_g_kwh") / 1000

    # Purchases

    def for_sale(self, name: str) -> bool:
        """Whether the model allows this expansion or these licence packs to be bought."""
        allowed = self.world.model.get("purchases", "all")
        return allowed == "all" or (allowed != "none" and name in allowed)

    def _on_offer(self, name: str, site: str) -> list[bool]:
        """The periods in which a purchase may be made."""
        rows = self.purchases.get((name, site))
        if rows:
            return [self.for_sale(name) and period.start >= lifetime(rows[0]).start for period in self.periods]
        if (name, site) in self.editions:
            both = [self.licences[x] for x in self.editions[name, site]]
            return [all(lifetime(row).both(period).days for row in both) for period in self.periods]
        licence = self.licences.get(name, {})
        held = site == "" and cell(licence, "metric", "site") not in licences.CHARGED
        return [held and self.for_sale(name) and lifetime(licence).both(period).days > 0 for period in self.periods]

    def _schedules(self, name: str, site: str) -> list[tuple[int, ...]]:
        """Every way to buy one expansion over the periods."""
        row, offers = self.purchases[name, site][0], self._on_offer(name, site)
        most = int(number(row, "max", "1"))
        every = product(*(range(most + 1 if offer else 1) for offer in offers))
        return [steps for steps in every if cell(row, "kind", "durable") == "yearly" or sum(steps) <= most]

    def _packs(self, licence: str) -> list[tuple[int, ...]]:
        """Every way to buy packs of a pool, up to what all needing workloads together could use."""
        row, durable = self.licences[licence], cell(self.licences[licence], "kind") == "durable"
        ranges = []
        for t, offer in enumerate(self._on_offer(licence, "")):
            if cell(row, "metric") == "pool" and not durable:
                need = sum(licences.quantity(self, licence, w) for w in self.workloads if self.active[w][t])
                need += sum(int(r["reserved"]) for r in self.tables["licence_reserves"] if r["licence"] == licence)
                useful = max(0, ceil((need - number(row, "owned")) / number(row, "pack", "1")))
                most = min(useful, int(number(row, "max_packs", str(useful))))
            else:
                most = int(number(row, "max_packs"))
            ranges.append(range(most + 1 if offer else 1))
        every = product(*ranges)
        return [packs for packs in every if not durable or sum(packs) <= int(number(row, "max_packs"))]

    def decisions(self) -> Iterator[dict[Purchase, int]]:
        """Every set of decided purchases (only what is bought is listed)."""
        ways = {key: self._schedules(*key) for key in sorted(self.purchases)}
        held = {x: row for x, row in sorted(self.licences.items()) if cell(row, "metric") not in licences.CHARGED}
        ways |= {(x, ""): self._packs(x) for x in held}
        taken = {key: [range(1 + offer) for offer in self._on_offer(*key)] for key in sorted(self.editions)}
        ways |= {key: list(product(*ranges)) for key, ranges in taken.items()}
        for chosen in product(*ways.values()):
            yield {(*key, t): n for key, steps in zip(ways, chosen, strict=True) for t, n in enumerate(steps) if n > 0}

    def gives(self, row: Row, t: int) -> Fraction:
        """What one step adds in a period; a yearly one its part of a shorter year, rounded down to a step."""
        amount = number(row, "amount")
        days = self.periods[t].days
        if cell(row, "kind", "durable") == "durable" or days >= YEAR:
            return amount
        step = self.steps[row["resource"]]
        return floor(amount * days / YEAR / step) * step  # floor: less is given, more is used up

    def held(self, key: tuple[str, str], t: int, bought: Mapping[Purchase, int]) -> int:
        """Steps that count in a period: what is durable stays."""
        durable = cell(self.purchases[key][0], "kind", "durable") == "durable"
        return sum(bought.get((*key, u), 0) for u in (range(t + 1) if durable else (t,)))

    # Measuring a plan

    def measure(self, plan: Plan) -> Measured:
        """Which rules a plan breaks, what its goals are worth, what it costs."""
        placed = {w: s for w, s in plan.sites.items() if s is not None}
        used, added = self._used(placed), self._added(plan.bought)
        broken: set[tuple[Any, ...]] = {(rule, w, s) for w, s in placed.items() for rule in self.excluded[w, s]}
        broken |= {("left_out", w) for w, s in plan.sites.items() if s is None and not self._may_be_left_out(w)}
        broken |= self._wrong_purchases(plan.bought)
        amounts: Counter[tuple[str, int, str]] = Counter()
        for w, s in placed.items():
            for (kind, t), pence in self.due[w, s].items():
                amounts[kind, t, s] += pence
        self._measure_capacity(used, added, broken, amounts)
        self._measure_licences(placed, plan.bought, broken, amounts)
        self._add_purchases(plan.bought, amounts)
        self._add_sites(placed, amounts)
        self._add_circuits(amounts)
        self._add_safety(used, amounts)
        self._add_balance(used, added, amounts)
        amounts["purchase", 0, ""] += self.busiest(placed)
        amounts = Counter({key: pence for key, pence in amounts.items() if pence})
        once = self._once(placed, plan.bought)
        broken |= set(broken_rules(self, State(plan.sites, placed, used, added, amounts, once, plan.bought)))
        return Measured(broken, self._goals(plan, placed, used, amounts), dict(amounts))

    def _may_be_left_out(self, w: str) -> bool:
        """A workload by itself; what hangs together is left out as a whole, which the rules about it see to."""
        return self.world.model.get("left_out", "optional") == "any" or self.optional(w)

    def optional(self, w: str) -> bool:
        """Whether leaving a workload out has a price; a replica is as optional as its primary."""
        row = self.workloads[w]
        return cell(self.workloads.get(cell(row, "replica_of"), row), "value") != ""

    def _wrong_purchases(self, bought: Mapping[Purchase, int]) -> set[tuple[Any, ...]]:
        wrong: set[tuple[Any, ...]] = set()
        for (name, site, t), n in bought.items():
            row = (self.purchases.get((name, site)) or [self.licences.get(name, {})])[0]
            if (name, site) in self.editions:
                most, total = 1, n
            elif (name, site) in self.purchases:
                most, total = int(number(row, "max", "1")), self.held((name, site), t, bought)
            else:
                total = self._packs_held(name, t, bought)
                most = int(number(row, "max_packs", str(total)))
            if n > 0 and (total > most or not self._on_offer(name, site)[t]):
                wrong.add(("purchases", name, site, t))
        return wrong

    def _used(self, placed: Mapping[str, str]) -> Counter[tuple[str, str, int]]:
        """Steps used per site, resource and period."""
        used: Counter[tuple[str, str, int]] = Counter()
        for w, s in placed.items():
            for t, needs in enumerate(self.demand[w, s]):
                for r, n in needs.items():
                    used[s, r, t] += n
        return used

    def _physical(self, s: str, r: str) -> Fraction | None:
        """Capacity in the resource's unit; None where there is no limit."""
        text = cell(self.sites[s], r, "unlimited" if r == "cooling_kw" else "0")
        return None if text == "unlimited" else Fraction(text)

    def _added(self, bought: Mapping[Purchase, int]) -> dict[tuple[str, str, int], Fraction]:
        """What purchases add per site, resource and period."""
        added: dict[tuple[str, str, int], Fraction] = defaultdict(Fraction)
        for (key, rows), t in product(self.purchases.items(), range(len(self.periods)) if bought else ()):
            for row in rows:
                added[key[1], row["resource"], t] += self.gives(row, t) * self.held(key, t, bought)
        return added

    def usable(self, s: str, r: str, t: int, added: Mapping[tuple[str, str, int], Fraction]) -> Fraction | None:
        """(1 - headroom) x (physical + bought); None where there is no limit."""
        physical = self.physical[s, r]
        return None if physical is None else (1 - self.kept[r]) * (physical + added.get((s, r, t), 0))

    def _measure_capacity(
        self,
        used: Mapping[tuple[str, str, int], int],
        added: Mapping[tuple[str, str, int], Fraction],
        broken: set[tuple[Any, ...]],
        amounts: Counter[tuple[str, int, str]],
    ) -> None:
        """Used <= (1 - headroom) x (physical + bought), or at a price where the limit is soft."""
        if self.rules.get("capacity") == "off":
            return
        soft = self.rule("capacity").get("soft", {})
        for s, r in self.physical:
            for t, period in enumerate(self.periods):
                usable = self.usable(s, r, t, added)
                if usable is None:
                    continue
                overrun = max(0, ceil(used[s, r, t] - usable / self.steps[r]))
                if r in soft:
                    price = Fraction(soft[r]) * self.steps[r] * period.days / YEAR
                    amounts["purchase", t, s] += half_up(100 * price * overrun)
                elif overrun:
                    broken.add(("capacity", s, r, t))

    def _measure_licences(
        self,
        placed: Mapping[str, str],
        bought: Mapping[Purchase, int],
        broken: set[tuple[Any, ...]],
        amounts: Counter[tuple[str, int, str]],
    ) -> None:
        """A pool must cover the need in scope; a site licence is charged for every site that needs it."""
        if self.rules.get("licences") == "off":
            return
        for (x, row), (t, period) in product(self.licences.items(), enumerate(self.periods)):
            days = lifetime(row).both(period).days
            if not days:
                continue
            owned, pack = number(row, "owned"), number(row, "pack", "1")
            need = licences.needs(self, x, placed, bought, t)
            if cell(row, "metric") not in licences.CHARGED:
                packs = self._packs_held(x, t, bought)
                if need > owned + packs * pack:
                    broken.add(("licences", x, t))
            else:
                packs = max(0, ceil((need - owned) / pack))
                if packs > number(row, "max_packs", str(packs)):
                    broken.add(("licences", x, t))
            if licences.farm_too_large(self, x, placed, t):
                broken.add(("licences", x, t, "farm"))
            new = bought.get((x, "", t), 0) if cell(row, "metric") not in licences.CHARGED else packs
            amounts["licence", t, ""] += half_up(100 * number(row, "pack_cost") * packs * days / YEAR)
            amounts["licence", t, ""] += half_up(100 * number(row, "pack_cost_once") * new)

    def _packs_held(self, x: str, t: int, bought: Mapping[Purchase, int]) -> int:
        """Packs that count in a period: what is durable stays."""
        durable = cell(self.licences[x], "kind") == "durable"
        return sum(bought.get((x, "", u), 0) for u in (range(t + 1) if durable else (t,)))

    def _add_purchases(self, bought: Mapping[Purchase, int], amounts: Counter[tuple[str, int, str]]) -> None:
        """Once when bought, and every year while held; one amount per row and period."""
        for (key, rows), (t, period) in product(self.purchases.items(), enumerate(self.periods) if bought else ()):
            new, held = bought.get((*key, t), 0), self.held(key, t, bought)
            for row in rows:
                yearly = number(row, "cost") * held * period.days / YEAR
                amounts["purchase", t, key[1]] += half_up(100 * (number(row, "cost_once") * new + yearly))

    def _add_sites(self, placed: Mapping[str, str], amounts: Counter[tuple[str, int, str]]) -> None:
        """A site is paid for while it is used, a committed one in any case; opening it once, if ever used."""
        for s, row in self.sites.items():
            opened = False
            for t, period in enumerate(self.periods):
                in_use = any(self.active[w][t] for w, at in placed.items() if at == s)
                pays = in_use or cell(row, "committed") == "yes"
                due = number(row, "open_cost") * lifetime(row).both(period).days / YEAR * pays
                due += number(row, "open_cost_once") * (in_use and not opened)
                amounts["site", t, s] += half_up(100 * due)
                opened = opened or in_use

    def _add_circuits(self, amounts: Counter[tuple[str, int, str]]) -> None:
        """Paid for as long as they exist, used or not."""
        for row, (t, period) in product(self.tables["circuits"], enumerate(self.periods)):
            amounts["circuit", t, ""] += half_up(100 * number(row, "cost") * lifetime(row).both(period).days / YEAR)

    def _add_safety(self, used: Mapping[tuple[str, str, int], int], amounts: Counter[tuple[str, int, str]]) -> None:
        """What is used above a site's safety level is paid for, where the model names a price."""
        prices = self.rule("capacity").get("safety", {})
        for (s, site), r, (t, period) in product(self.sites.items(), prices, enumerate(self.periods)):
            if cell(site, f"safety_{r}"):
                over = max(0, used[s, r, t] - floor(number(site, f"safety_{r}") / self.steps[r]))
                price = Fraction(prices[r]) * self.steps[r] * period.days / YEAR
                amounts["purchase", t, s] += half_up(100 * price * over)

    def _add_balance(
        self,
        used: Mapping[tuple[str, str, int], int],
        added: Mapping[tuple[str, str, int], Fraction],
        amounts: Counter[tuple[str, int, str]],
    ) -> None:
        """What is short of the proportion that a pair of resources should be free in, where it has a price."""
        for pair, (s, site), (t, period) in product(
            self.rule("balance").get("pairs", []), self.sites.items(), enumerate(self.periods)
        ):
            if "price" in pair:
                short = ceil(self.short(pair, s, t, used, added) / self.steps[pair["needs"]])
                days = lifetime(site).both(period).days
                price = Fraction(pair["price"]) * self.steps[pair["needs"]] * days / YEAR
                amounts["purchase", t, s] += half_up(100 * price * short)

    def short(
        self,
        pair: Mapping[str, str],
        s: str,
        t: int,
        used: Mapping[tuple[str, str, int], int],
        added: Mapping[tuple[str, str, int], Fraction],
    ) -> Fraction:
        """Units of the second resource of a pair that should be free at a site beside the first, and are not."""
        free = []
        for r in (pair["free"], pair["needs"]):
            physical = self.physical[s, r]
            if physical is None:
                return Fraction(0)
            free.append(physical + added.get((s, r, t), 0) - used[s, r, t] * self.steps[r])
        return max(Fraction(0), Fraction(pair.get("times", "1")) * free[0] - free[1])

    def busiest(self, placed: Mapping[str, str]) -> int:
        """Pence for the moves of the service that moves most."""
        price = Fraction(self.rule("moves").get("busiest_service_once", "0"))
        moved = (w for w, s in placed.items() if self.moves(w, s) and any(self.active[w]))
        count = Counter(service for w in moved if (service := cell(self.workloads[w], "service")))
        return half_up(100 * price * max(count.values(), default=0))

    def _once(self, placed: Mapping[str, str], bought: Mapping[Purchase, int]) -> Counter[int]:
        """Pence per period that are paid only once: opening sites, moving, buying."""
        once: Counter[int] = Counter({0: self.busiest(placed)})
        for w, s in placed.items():
            once[self.first_period(w)] += self.due[w, s]["move", self.first_period(w)]
        for s, row in self.sites.items():
            used_in = [self.first_period(w) for w, at in placed.items() if at == s and any(self.active[w])]
            once[min(used_in, default=0)] += half_up(100 * number(row, "open_cost_once")) * bool(used_in)
        for (name, s, t), n in bought.items():
            if s == "" and name in self.licences and self.rules.get("licences") != "off":
                once[t] += half_up(100 * number(self.licences[name], "pack_cost_once") * n)
            for row in self.purchases.get((name, s), []):
                once[t] += half_up(100 * number(row, "cost_once") * n)
        return once

    # Goals

    def _goals(
        self,
        plan: Plan,
        placed: Mapping[str, str],
        used: Mapping[tuple[str, str, int], int],
        amounts: Mapping[tuple[str, int, str], int],
    ) -> dict[str, Any]:
        left_out = [w for w, s in plan.sites.items() if s is None]
        return {
            "unplaced": self._unplaced(left_out),
            "cost": Fraction(sum(amounts.values()), 100),
            "forgone": Fraction(sum(map(self._forgone, left_out)), 100),
            "moves": Fraction(sum(self.moves(w, s) for w, s in placed.items())),
            "carbon": sum((self.kilograms[w, s] for w, s in placed.items()), Fraction(0)),
            "worst_utilisation": self._worst_utilisation(used),
            "sites_used": Fraction(len({s for w, s in placed.items() if any(self.active[w])})),
        }

    def _unplaced(self, left_out: Iterable[str]) -> tuple[int, ...]:
        """How many are left out and not optional, per priority, the most important first, no priority last."""
        plain = {w: cell(row, "priority") for w, row in self.workloads.items() if not self.optional(w)}
        count = Counter(plain[w] for w in left_out if w in plain)
        return tuple(count[p] for p in sorted(set(plain.values()), key=lambda p: (p == "", Fraction(p or "0"))))

    def _forgone(self, w: str) -> int:
        """Pence that leaving out an optional workload forgoes; a replica has no value of its own."""
        value = number(self.workloads[w], "value") * (not cell(self.workloads[w], "replica_of"))
        return sum(half_up(100 * value * days / YEAR) for days in self.active[w])

    def _worst_utilisation(self, used: Mapping[tuple[str, str, int], int]) -> Fraction:
        """Largest used / physical capacity; what was bought does not count."""
        return max(
            (n * self.steps[r] / limit for (s, r, _), n in used.items() if (limit := self.physical[s, r])),
            default=Fraction(0),
        )

    # Choosing

    def options(self) -> dict[str, list[str | None]]:
        """For every workload the sites no rule forbids it, and None where it may be left out."""
        found: dict[str, list[str | None]] = {}
        for w in self.workloads:
            found[w] = [s for s in self.sites if not self.excluded[w, s]]
            if self._may_be_left_out(w):
                found[w].append(None)
        return found

    def plans(self, options: Mapping[str, list[str | None]] | None = None) -> Iterator[Plan]:
        """Every plan over the given options; by default all sites and leaving out, for every workload."""
        if options is None:
            options = {w: [*self.sites, None] for w in self.workloads}
        decisions = list(self.decisions())
        for sites in product(*options.values()):
            for bought in decisions:
                yield Plan(dict(zip(options, sites, strict=True)), bought)

    def goal_values(self, measured: Measured) -> tuple[Any, ...]:
        """The model's goals in order of priority; a weighted goal is the sum of its parts."""
        return tuple(
            measured.goals[goal]
            if isinstance(goal, str)
            else sum((measured.goals[name] * Fraction(weight) for name, weight in goal.items()), Fraction(0))
            for goal in self.world.model.get("goals", STANDARD_GOALS)
        )

    def order(self, plan: Plan) -> tuple[Any, ...]:
        """A plan's place among equals: sites by workload id, left out last, then fewer purchases."""
        rank: dict[str | None, int] = {s: n for n, s in enumerate(self.sites)}
        keys = sorted([*self.purchases, *self.editions, *((x, "") for x in self.licences)])
        return (
            tuple(rank.get(plan.sites[w], len(rank)) for w in self.workloads),
            tuple(plan.bought.get((*key, t), 0) for key in keys for t in range(len(self.periods))),
        )

    def best(self) -> tuple[str, tuple[Any, ...] | None, Plan | None]:
        """Status, goal values in order of priority, and the first of the best plans."""
        best: tuple[Any, Any, Plan] | None = None
        for plan in self.plans(self.options()):
            measured = self.measure(plan)
            if measured.broken:
                continue
            values = self.goal_values(measured)
            if best is None or (values, self.order(plan)) < best[:2]:
                best = (values, self.order(plan), plan)
        return ("infeasible", None, None) if best is None else ("optimal", best[0], best[2])
