"""A second opinion on tiny worlds: every rule and goal, evaluated by brute force on the raw tables.

This file is the readable statement of the rules. It shares nothing with the package: it reads the cells of
the tables as text, computes in exact fractions, and looks at every plan there is. Names used throughout:
``w`` a workload, ``s`` a site, ``r`` a resource, ``t`` the number of a period (from 0).

Rules and their subjects in `Measured.broken`:

    ("allowed", w, s)          pins, lists, countries, site dates, the placements table
    ("latency", w, s)          the round trip from the organisation to the site
    ("capacity", s, r, t)      used against (1 - headroom) x (physical + bought)
    ("licences", licence, t)   need against owned + packs
    ("left_out", w)            left out although it may not be
    ("purchases", id, s, t)    bought although it may not be: not for sale, too early, too many
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise, product
from math import asin, ceil, cos, floor, radians, sin, sqrt
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from tests.worlds import World

Row = Mapping[str, str]
Purchase = tuple[str, str, int]  # id, site (blank for licence packs), period

STEPS = {
    "power_kw": "0.001", "cooling_kw": "0.001", "rack_units": "0.5", "weight_kg": "0.1", "cores": "1",
    "memory_gb": "0.1", "storage_tb": "0.001", "ports": "1", "fte": "0.01", "desks": "1",
}  # fmt: skip
STANDARD_HEADROOM = {"power_kw": "20%", "cooling_kw": "20%"}
STANDARD_GOALS: list[Any] = ["unplaced", {"cost": "1", "forgone": "1"}, "moves"]
POWER_STEP = Fraction(STEPS["power_kw"])
YEAR = 365
EARTH_KM = 6371.0088


class Period(NamedTuple):
    """A half-open stretch of days."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """Number of days, never negative."""
        return max(0, (self.end - self.start).days)

    def both(self, other: Period) -> Period:
        """The part that two stretches have in common; it may be empty."""
        return Period(max(self.start, other.start), min(self.end, other.end))


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


# --- cells ----------------------------------------------------------------------------------------


def cell(row: Row, column: str, default: str = "") -> str:
    """The text of a cell, or the default where it is blank."""
    return row.get(column, "").strip() or default


def number(row: Row, column: str, default: str = "0") -> Fraction:
    """The exact number in a cell."""
    return Fraction(cell(row, column, default))


def names(row: Row, column: str) -> list[str]:
    """The members of a list in a cell."""
    return [part.strip() for part in cell(row, column).split(";") if part.strip()]


def lifetime(row: Row) -> Period:
    """The days from ``from`` up to, and not including, ``to``."""
    return Period(
        date.fromisoformat(cell(row, "from", "0001-01-01")), date.fromisoformat(cell(row, "to", "9999-12-31"))
    )


def share(text: str) -> Fraction:
    """The fraction in ``20%`` or ``0.2``."""
    return Fraction(text[:-1]) / 100 if text.endswith("%") else Fraction(text)


def half_up(value: Fraction) -> int:
    """The nearest whole number, halves upwards."""
    return floor(value + Fraction(1, 2))


# --- time -----------------------------------------------------------------------------------------


def periods(world: World) -> list[Period]:
    """The planning periods; one of 365 days from the inventory's date where the model names none."""
    given = world.model.get("periods")
    if given is None:
        start = date.fromisoformat(world.inventory["as_of"])
        return [Period(start, start + timedelta(YEAR))]
    if "cuts" in given:
        cuts = [date.fromisoformat(cut) for cut in given["cuts"]]
    else:
        start = date.fromisoformat(given["from"])
        months = {"month": 1, "quarter": 3, "year": 12}[given["every"]]
        cuts = [_months_after(start, months * n) for n in range(int(given["count"]) + 1)]
    return [Period(*pair) for pair in pairwise(cuts)]


def _months_after(start: date, months: int) -> date:
    years, month = divmod(start.month - 1 + months, 12)
    return date(start.year + years, month + 1, start.day)


def growth_factor(rate: Fraction, as_of: date, day: date) -> Fraction:
    """Whole years since `as_of` compound, the remaining days count pro rata; nothing has grown before it."""
    if day <= as_of:
        return Fraction(1)
    years = day.year - as_of.year - ((day.month, day.day) < (as_of.month, as_of.day))
    rest = (day - as_of.replace(year=as_of.year + years)).days
    return (1 + rate) ** years * (1 + rate * Fraction(rest, YEAR))


def largest_growth(rate: Fraction, as_of: date, period: Period) -> Fraction:
    """The larger of the factors on the first and on the last day of a period."""
    return max(growth_factor(rate, as_of, day) for day in (period.start, period.end - timedelta(1)))


# --- the oracle -----------------------------------------------------------------------------------


class Oracle:
    """All that can be said about one world; build it once and measure many plans."""

    def __init__(self, world: World) -> None:
        tables = defaultdict(list, world.tables)
        self.world = world
        self.tables = tables
        self.rules: dict[str, Any] = world.model.get("rules", {})
        self.as_of = date.fromisoformat(world.inventory["as_of"])
        self.periods = periods(world)
        self.horizon = Period(self.periods[0].start, self.periods[-1].end)
        self.workloads = {row["workload"]: row for row in sorted(tables["workloads"], key=lambda row: row["workload"])}
        self.sites = {row["site"]: row for row in sorted(tables["sites"], key=lambda row: row["site"])}
        self.organisations = {row["organisation"]: row for row in tables["organisations"]}
        self.placements = {(row["workload"], row["site"]): row for row in tables["placements"]}
        self.current = self._current_sites()
        self.steps = self._steps()
        self.active = {
            w: [lifetime(row).both(period).days for period in self.periods] for w, row in self.workloads.items()
        }
        pairs = list(product(self.workloads, self.sites))
        self.demand = {(w, s): self._demands(w, s) for w, s in pairs}
        self.excluded = {(w, s): self._exclusions(w, s) for w, s in pairs}
        self.due = {(w, s): self._due(w, s) for w, s in pairs}
        self.kilograms = {(w, s): self._carbon(w, s) for w, s in pairs}
        self.physical = {(s, r): self._physical(s, r) for s in self.sites for r in self.steps}
        self.purchases: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in tables["expansions"]:
            self.purchases[row["expansion"], row["site"]].append(row)
        self.licences = {row["licence"]: row for row in tables["licences"]}
        self.quantities = {
            (row["workload"], row["licence"]): int(number(row, "quantity", "1")) for row in tables["licence_needs"]
        }

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
        used = {column.removeprefix("cost_") for row in places for column in row}
        used |= {row["resource"] for row in self.tables["expansions"]}
        return {r: Fraction(step) for r, step in known.items() if r in used}

    # Demand

    def _demands(self, w: str, s: str) -> list[dict[str, int]]:
        """Whole steps used at a site, per period and resource; nothing while inactive."""
        return [
            {r: self._demand(w, s, r, t) if self.active[w][t] else 0 for r in self.steps}
            for t in range(len(self.periods))
        ]

    def _demand(self, w: str, s: str, r: str, t: int) -> int:
        """Base use, or the pair's own, grown to the larger end of the period, rounded up to a whole step."""
        row = self.workloads[w]
        base = cell(self.placements.get((w, s), {}), r) or cell(row, r)
        if not base and r == "cooling_kw":  # heat is power
            r = "power_kw"
            base = cell(self.placements.get((w, s), {}), r) or cell(row, r)
        rate = Fraction(cell(row, f"growth_{r}") or cell(row, "growth") or "0")
        grown = Fraction(base or "0") * largest_growth(rate, self.as_of, self.periods[t])
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

    # The network

    def round_trip_us(self, w: str, s: str, t: int) -> Fraction | None:
        """Microseconds between a workload's users and a site; None where unknown or without a path."""
        measured = cell(self.placements.get((w, s), {}), "rtt_ms")
        if measured:
            return Fraction(measured) * 1000
        organisation = self.organisations[self.workloads[w]["organisation"]]
        here = cell(organisation, "node", organisation["organisation"])
        there = cell(self.sites[s], "node", s)
        if here == there:
            return Fraction(0)
        attached = {end for row in self.tables["circuits"] for end in (row["a"], row["b"])}
        if here in attached and there in attached:
            return self._shortest(t, here).get(there)
        a, b = self._position(here, organisation), self._position(there, self.sites[s])
        return None if a is None or b is None else Fraction(self._estimate_us(_distance_km(a, b), 0))

    def _shortest(self, t: int, start: str) -> dict[str, Fraction]:
        """Round trips from a node over the circuits that exist on every day of a period."""
        period = self.periods[t]
        lines = [
            (row["a"], row["b"], self._circuit_us(row))
            for row in self.tables["circuits"]
            if lifetime(row).both(period) == period
        ]
        reached = {start: Fraction(0)}
        for _ in range(len(lines)):  # relax as often as a path can have circuits
            for a, b, weight in [*lines, *((b, a, weight) for a, b, weight in lines)]:
                if a in reached and (b not in reached or reached[a] + weight < reached[b]):
                    reached[b] = reached[a] + weight
        return reached

    def _circuit_us(self, row: Row) -> Fraction:
        """Measured, else estimated from its length, else from the positions of its ends."""
        if cell(row, "rtt_ms"):
            return Fraction(cell(row, "rtt_ms")) * 1000
        hops = int(number(row, "hops"))
        if cell(row, "km"):
            return Fraction(self._estimate_us(Fraction(cell(row, "km")), hops))
        a, b = self._position(row["a"]), self._position(row["b"])
        if a is None or b is None:
            raise ValueError(f"circuit {row['circuit']} has no length")
        return Fraction(self._estimate_us(_distance_km(a, b), hops))

    def _estimate_us(self, km: Fraction, hops: int) -> int:
        """Light takes 5 us per km of fibre and way; fibre is longer than the crow flies."""
        options = self.rules.get("latency", {})
        route_factor = Fraction(options.get("route_factor", "1.4"))
        per_hop_us = Fraction(options.get("per_hop_ms", "0.1")) * 1000
        return half_up(2 * km * route_factor * 5 + hops * per_hop_us)

    def _position(self, node: str, owner: Row | None = None) -> tuple[float, float] | None:
        """Latitude and longitude of a node: the owner's own, else those of the row that has the node's id."""
        nodes = {row["node"]: row for row in self.tables["nodes"]}
        for row in (owner, nodes.get(node), self.organisations.get(node), self.sites.get(node)):
            if row is not None and cell(row, "latitude") and cell(row, "longitude"):
                return float(cell(row, "latitude")), float(cell(row, "longitude"))
        return None

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
        if self._moves(w, s):
            first = [t for t, days in enumerate(self.active[w]) if days][:1]
            due.update({("move", t): half_up(100 * number(row, "move_cost_once")) for t in first})
        return due

    def _moves(self, w: str, s: str) -> bool:
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
        licence = self.licences.get(name, {})
        pool = site == "" and cell(licence, "metric") == "pool"
        return [pool and self.for_sale(name) and lifetime(licence).both(period).days > 0 for period in self.periods]

    def _schedules(self, name: str, site: str) -> list[tuple[int, ...]]:
        """Every way to buy one expansion over the periods."""
        row, offers = self.purchases[name, site][0], self._on_offer(name, site)
        most = int(number(row, "max", "1"))
        every = product(*(range(most + 1 if offer else 1) for offer in offers))
        return [steps for steps in every if cell(row, "kind", "durable") == "yearly" or sum(steps) <= most]

    def _packs(self, licence: str) -> list[tuple[int, ...]]:
        """Every way to buy packs of a pool, up to what all needing workloads together could use."""
        row = self.licences[licence]
        ranges = []
        for t, offer in enumerate(self._on_offer(licence, "")):
            need = sum(n for (w, x), n in self.quantities.items() if x == licence and self.active[w][t])
            useful = max(0, ceil((need - number(row, "owned")) / number(row, "pack", "1")))
            most = min(useful, int(number(row, "max_packs", str(useful))))
            ranges.append(range(most + 1 if offer else 1))
        return list(product(*ranges))

    def decisions(self) -> Iterator[dict[Purchase, int]]:
        """Every set of decided purchases (only what is bought is listed)."""
        ways = {key: self._schedules(*key) for key in sorted(self.purchases)}
        ways |= {(x, ""): self._packs(x) for x, row in sorted(self.licences.items()) if cell(row, "metric") == "pool"}
        for chosen in product(*ways.values()):
            yield {(*key, t): n for key, steps in zip(ways, chosen, strict=True) for t, n in enumerate(steps) if n > 0}

    def _gives(self, row: Row, t: int) -> Fraction:
        """What one step adds in a period; a yearly one its part of a shorter year, rounded down to a step."""
        amount = number(row, "amount")
        days = self.periods[t].days
        if cell(row, "kind", "durable") == "durable" or days >= YEAR:
            return amount
        step = self.steps[row["resource"]]
        return floor(amount * days / YEAR / step) * step  # floor: less is given, more is used up

    def _held(self, key: tuple[str, str], t: int, bought: Mapping[Purchase, int]) -> int:
        """Steps that count in a period: what is durable stays."""
        durable = cell(self.purchases[key][0], "kind", "durable") == "durable"
        return sum(bought.get((*key, u), 0) for u in (range(t + 1) if durable else (t,)))

    # Measuring a plan

    def measure(self, plan: Plan) -> Measured:
        """Which rules a plan breaks, what its goals are worth, what it costs."""
        placed = {w: s for w, s in plan.sites.items() if s is not None}
        used = self._used(placed)
        broken: set[tuple[Any, ...]] = {(rule, w, s) for w, s in placed.items() for rule in self.excluded[w, s]}
        broken |= {("left_out", w) for w, s in plan.sites.items() if s is None and not self._may_be_left_out(w)}
        broken |= self._wrong_purchases(plan.bought)
        amounts: Counter[tuple[str, int, str]] = Counter()
        for w, s in placed.items():
            for (kind, t), pence in self.due[w, s].items():
                amounts[kind, t, s] += pence
        self._measure_capacity(used, plan.bought, broken, amounts)
        self._measure_licences(placed, plan.bought, broken, amounts)
        self._add_purchases(plan.bought, amounts)
        self._add_sites(placed, amounts)
        self._add_circuits(amounts)
        amounts = Counter({key: pence for key, pence in amounts.items() if pence})
        return Measured(broken, self._goals(plan, placed, used, amounts), dict(amounts))

    def _may_be_left_out(self, w: str) -> bool:
        return self.world.model.get("left_out", "optional") == "any" or cell(self.workloads[w], "value") != ""

    def _wrong_purchases(self, bought: Mapping[Purchase, int]) -> set[tuple[Any, ...]]:
        wrong: set[tuple[Any, ...]] = set()
        for (name, site, t), n in bought.items():
            row = (self.purchases.get((name, site)) or [self.licences.get(name, {})])[0]
            if (name, site) in self.purchases:
                most, total = int(number(row, "max", "1")), self._held((name, site), t, bought)
            else:
                most, total = int(number(row, "max_packs", str(n))), n
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

    def _measure_capacity(
        self,
        used: Mapping[tuple[str, str, int], int],
        bought: Mapping[Purchase, int],
        broken: set[tuple[Any, ...]],
        amounts: Counter[tuple[str, int, str]],
    ) -> None:
        """Used <= (1 - headroom) x (physical + bought), or at a price where the limit is soft."""
        if self.rules.get("capacity") == "off":
            return
        headroom = STANDARD_HEADROOM | self.world.model.get("headroom", {})
        soft = self.rules.get("capacity", {}).get("soft", {})
        added: dict[tuple[str, str, int], Fraction] = defaultdict(Fraction)
        for (key, rows), t in product(self.purchases.items(), range(len(self.periods)) if bought else ()):
            for row in rows:
                added[key[1], row["resource"], t] += self._gives(row, t) * self._held(key, t, bought)
        for (s, r), physical in self.physical.items():
            if physical is None:
                continue
            for t, period in enumerate(self.periods):
                usable = (1 - share(headroom.get(r, "0"))) * (physical + added[s, r, t])
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
            counted = [(w, n) for (w, y), n in self.quantities.items() if y == x and self._counts(row, w, placed, t)]
            owned = number(row, "owned")
            if cell(row, "metric") == "pool":
                packs = bought.get((x, "", t), 0)
                if sum(n for _, n in counted) > owned + packs * number(row, "pack", "1"):
                    broken.add(("licences", x, t))
            else:
                packs = max(0, ceil(len({placed[w] for w, _ in counted}) - owned))
                if packs > number(row, "max_packs", str(packs)):
                    broken.add(("licences", x, t))
            amounts["licence", t, ""] += half_up(100 * number(row, "pack_cost") * packs * days / YEAR)

    def _counts(self, licence: Row, w: str, placed: Mapping[str, str], t: int) -> bool:
        """A workload needs a licence while it is active, placed, and inside the licence's scope."""
        organisations, sites = names(licence, "organisations"), names(licence, "sites")
        return (
            w in placed
            and self.active[w][t] > 0
            and (not organisations or self.workloads[w]["organisation"] in organisations)
            and (not sites or placed[w] in sites)
        )

    def _add_purchases(self, bought: Mapping[Purchase, int], amounts: Counter[tuple[str, int, str]]) -> None:
        """Once when bought, and every year while held; one amount per row and period."""
        for (key, rows), (t, period) in product(self.purchases.items(), enumerate(self.periods) if bought else ()):
            new, held = bought.get((*key, t), 0), self._held(key, t, bought)
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
            "moves": Fraction(sum(self._moves(w, s) for w, s in placed.items())),
            "carbon": sum((self.kilograms[w, s] for w, s in placed.items()), Fraction(0)),
            "worst_utilisation": self._worst_utilisation(used),
            "sites_used": Fraction(len({s for w, s in placed.items() if any(self.active[w])})),
        }

    def _unplaced(self, left_out: Iterable[str]) -> tuple[int, ...]:
        """How many are left out without a value, per priority, the most important first, no priority last."""
        plain = {w: cell(row, "priority") for w, row in self.workloads.items() if not cell(row, "value")}
        count = Counter(plain[w] for w in left_out if w in plain)
        return tuple(count[p] for p in sorted(set(plain.values()), key=lambda p: (p == "", Fraction(p or "0"))))

    def _forgone(self, w: str) -> int:
        """Pence that leaving out an optional workload forgoes."""
        value = number(self.workloads[w], "value")
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
        keys = sorted([*self.purchases, *((x, "") for x in self.licences)])
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


def _distance_km(a: tuple[float, float], b: tuple[float, float]) -> Fraction:
    """Great-circle distance (haversine) between two positions in degrees."""
    (lat_a, lon_a), (lat_b, lon_b) = (tuple(map(radians, end)) for end in (a, b))
    h = sin((lat_b - lat_a) / 2) ** 2 + cos(lat_a) * cos(lat_b) * sin((lon_b - lon_a) / 2) ** 2
    return Fraction(2 * EARTH_KM * asin(sqrt(h)))


# --- in short -------------------------------------------------------------------------------------


def assignments(world: World) -> Iterator[Plan]:
    """Every plan: a site or left out for each workload, times every set of decided purchases."""
    return Oracle(world).plans()


def measure(world: World, plan: Plan) -> Measured:
    """Which rules a plan breaks, what its goals are worth, what it costs."""
    return Oracle(world).measure(plan)


def best(world: World) -> tuple[str, tuple[Any, ...] | None, Plan | None]:
    """``optimal`` with the goal values in order and the first of the best plans, or ``infeasible``."""
    return Oracle(world).best()
