"""Tiny worlds: an inventory and a model small enough that every plan can be looked at.

A `World` holds the cells of the tables as text, as they stand in the files, and `write` makes the files.
`worlds` is a hypothesis strategy that adds features one by one, so that a rule can be met alone and in any
company. Numbers come from short lists chosen so that ties, exact fits and worlds without any plan are common.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from math import ceil, comb
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

PLANS = 300  # at most about so many plans in a world
PLANS_BEFORE_PURCHASES = 81

SITES = ["north", "A", "B"]
WORKLOADS = ["w2", "w10", "w1", "w3"]  # as text w10 comes before w2
ORGANISATIONS = ["RNN", "5E1"]
NODES = ["hub", "exchange"]
POSITIONS = [("54.8965", "-2.95778"), ("54.53006", "-3.56258"), ("54.6", "-3.1"), ("54.9", "-2.9")]
COUNTRIES = ["GB", "IE"]
ZONES = ["health", "public"]
REGIONS = ["west", "east"]
GROUPS = ["ward", "lab"]
CAN_BE_OFF = [
    "latency",
    "allowed",
    "zone",
    "replicas",
    "together",
    "apart",
    "tenancy",
    "fill",
    "same_neighbourhood",
    "links",
]
DATES = ["2015-10-01", "2016-01-01", "2016-02-15", "2016-04-01", "2016-07-01", "2016-10-01", "2017-01-01"]

# Per resource: what workloads need, what sites offer. With 20 % headroom 2.5 kW of power leaves exactly 2.
NEEDS = {
    "power_kw": ["0.5", "1", "1.5", "2", "3"],
    "rack_units": ["0.5", "1", "1.5", "2", "4"],
    "fte": ["0.25", "0.5", "1", "1.25"],
    "tape_slots": ["2", "4", "6"],
    "cooling_kw": ["0.5", "1", "2"],
}
OFFERS = {
    "power_kw": ["1.25", "2.5", "3.75", "5", "6.25", "10"],
    "rack_units": ["", "2", "2.5", "4", "6"],
    "fte": ["", "0.75", "1.5", "2.25", "3"],
    "tape_slots": ["", "4", "6", "8", "12"],
    "cooling_kw": ["", "1.25", "2.5", "3.75", "unlimited"],
}
HEADROOMS = ["0%", "20%", "12.5%", "50%"]
MONEY = ["10", "99.99", "100", "1000"]
PRICES = ["0.1", "0.125", "2", "33.33"]  # per unit; also parts of a penny

Cells = dict[str, str]


@dataclass
class World:
    """An inventory and a planning model as plain text: what stands in the cells and in the YAML files."""

    inventory: dict[str, Any]
    tables: dict[str, list[Cells]]
    model: dict[str, Any] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        """Write ``inventory.yaml``, the tables and ``model.yaml`` into a folder; return the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "inventory.yaml").write_text(_yaml(self.inventory), encoding="utf-8")
        (folder / "model.yaml").write_text(_yaml(self.model), encoding="utf-8")
        for name, rows in self.tables.items():
            columns = list(dict.fromkeys(column for row in rows for column in row))
            if columns:
                with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
                    writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
                    writer.writeheader()
                    writer.writerows(rows)
        return folder


def _yaml(entries: dict[str, Any]) -> str:
    """One key a line, values in flow style; text stands unquoted, as people write it (``20%``, ``off``)."""
    return "".join(f"{key}: {_flow(value)}\n" for key, value in entries.items())


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return str(value)


# --- drawing --------------------------------------------------------------------------------------


def _pick(draw: st.DrawFn, values: Collection[str]) -> str:
    return draw(st.sampled_from(list(values)))


def _maybe(draw: st.DrawFn, values: Collection[str]) -> str:
    """A value, or a blank cell half of the time."""
    return _pick(draw, values) if draw(st.booleans()) else ""


def _some(draw: st.DrawFn, values: Collection[str], least: int = 0) -> list[str]:
    return draw(st.lists(st.sampled_from(list(values)), unique=True, min_size=least))


def _fill(row: Cells, **cells: str) -> None:
    """Set the cells that are not blank."""
    row.update({column: text for column, text in cells.items() if text})


def _cuts(world: World) -> list[date]:
    """The first day of every period, and the day after the last."""
    given = world.model.get("periods")
    if given is None:
        start = date.fromisoformat(world.inventory["as_of"])
        return [start, start + timedelta(365)]
    if "cuts" in given:
        return [date.fromisoformat(cut) for cut in given["cuts"]]
    months = {"month": 1, "quarter": 3, "year": 12}[given["every"]]
    first = date.fromisoformat(given["from"])
    starts = [first.year * 12 + first.month - 1 + months * n for n in range(int(given["count"]) + 1)]
    return [date(month // 12, month % 12 + 1, first.day) for month in starts]


def _resources(world: World) -> list[str]:
    """The resources that workloads need."""
    return [r for r in NEEDS if any(row.get(r) for row in world.tables["workloads"])]


def _room(world: World) -> int:
    """How many ways of buying a further purchase may have without there being too many plans."""
    plans: int = (len(world.tables["sites"]) + 1) ** len(world.tables["workloads"])
    periods = len(_cuts(world)) - 1
    for row in {row["expansion"]: row for row in world.tables.get("expansions", [])}.values():
        plans *= _ways(row, periods)
    for row in world.tables.get("licences", []):
        plans *= _pack_ways(world, row)
    return PLANS // plans


def _ways(expansion: Cells, periods: int) -> int:
    most = int(expansion.get("max", "1"))
    ways: int = (most + 1) ** periods
    return ways if expansion.get("kind") == "yearly" else comb(periods + most, most)


def _pack_ways(world: World, licence: Cells) -> int:
    if licence["metric"] in ("site", "organisation"):
        return 1
    if licence["metric"] != "pool" or licence.get("kind") == "durable":
        groups = len(world.tables["hosts"]) if licence.get("datacenter") else 0
        each: int = (int(licence["max_packs"]) + 1) * 2**groups
        return int(each ** (len(_cuts(world)) - 1))
    needs = [row for row in world.tables["licence_needs"] if row["licence"] == licence["licence"]]
    short = sum(int(row.get("quantity", "1")) for row in needs) - int(licence.get("owned", "0"))
    useful = max(0, ceil(Fraction(short, int(licence.get("pack", "1")))))
    ways: int = (min(useful, int(licence.get("max_packs", useful))) + 1) ** (len(_cuts(world)) - 1)
    return ways


def _lifetime(draw: st.DrawFn) -> Cells:
    """Blank, or a beginning, or an end, or both in order."""
    ends = sorted(draw(st.lists(st.sampled_from(DATES), unique=True, min_size=2, max_size=2)))
    return {column: text for column, text in zip(("from", "to"), ends, strict=True) if draw(st.booleans())}


# --- features -------------------------------------------------------------------------------------


def _resources_too(draw: st.DrawFn, world: World) -> None:
    """One or two more resources, among them one that the inventory declares."""
    for r in _some(draw, ["rack_units", "fte", "tape_slots"], least=1)[:2]:
        if r == "tape_slots":
            step = _pick(draw, ["1", "2", "0.25"])
            world.inventory["resources"] = {r: {"unit": "slots", "step": step, "description": "Tape slots"}}
        _need_and_offer(draw, world, r)


def _need_and_offer(draw: st.DrawFn, world: World, r: str) -> None:
    for row in world.tables["workloads"]:
        _fill(row, **{r: _maybe(draw, NEEDS[r])})
    for row in world.tables["sites"]:
        _fill(row, **{r: _pick(draw, OFFERS[r])})
    if any(row.get(r) for row in world.tables["workloads"]) and r != "cooling_kw":
        _fill(world.tables["sites"][0], **{r: world.tables["sites"][0].get(r) or OFFERS[r][-1]})


def _cooling(draw: st.DrawFn, world: World) -> None:
    """Cooling: given or following power at workloads; given, blank or unlimited at sites."""
    _need_and_offer(draw, world, "cooling_kw")


def _unlimited(draw: st.DrawFn, world: World) -> None:
    """A site that offers as much of a resource as anyone could want."""
    site = draw(st.sampled_from(world.tables["sites"]))
    for r in _some(draw, _resources(world)):
        site[r] = "unlimited"


def _headroom(draw: st.DrawFn, world: World) -> None:
    """Other shares kept free than the standard model's."""
    kept = {r: _pick(draw, HEADROOMS) for r in _some(draw, [*_resources(world), "cooling_kw"])}
    world.model["headroom"] = {r: share for r, share in kept.items() if any(r in row for row in world.tables["sites"])}


def _periods(draw: st.DrawFn, world: World) -> None:
    """Up to three periods; shorter and longer than a year, also before the inventory's date."""
    every = [
        {"from": start, "every": unit, "count": count}
        for start in ("2016-01-01", "2015-07-01")
        for unit, count in (("month", "2"), ("quarter", "3"), ("year", "2"))
    ]
    cuts = [
        ["2016-01-01", "2016-07-01", "2017-01-01"],
        ["2016-01-01", "2017-03-01", "2017-04-01"],
        ["2016-02-15", "2016-04-01", "2016-05-01", "2018-01-01"],
        ["2016-01-01", "2019-01-01"],
    ]
    world.model["periods"] = draw(st.sampled_from([*every, *({"cuts": days} for days in cuts)]))


def _dates(draw: st.DrawFn, world: World) -> None:
    """Workloads and sites that come and go; every workload lives on at least one day of the plan."""
    first, last = str(_cuts(world)[0]), str(_cuts(world)[-1])
    for row in world.tables["workloads"]:
        days = _lifetime(draw)
        if days.get("from", "") < last and days.get("to", "9999") > first:
            _fill(row, **days)
    for row in world.tables["sites"]:
        if draw(st.booleans()):
            _fill(row, **_lifetime(draw))


def _growth(draw: st.DrawFn, world: World) -> None:
    """Growth of everything a workload needs, or of one resource."""
    rates = ["0.05", "0.1", "0.25", "1", "-0.1"]
    for row in world.tables["workloads"]:
        own = {f"growth_{r}": _maybe(draw, [*rates, "0"]) for r in _resources(world) if row.get(r)}
        _fill(row, growth=_maybe(draw, rates), **own)


def _pins(draw: st.DrawFn, world: World) -> None:
    """Pins, allowed and forbidden sites that do not contradict each other."""
    sites = [row["site"] for row in world.tables["sites"]]
    for row in world.tables["workloads"]:
        good = _some(draw, sites, least=1)
        bad = [s for s in sites if s not in good]
        which = draw(st.sets(st.sampled_from(["pinned", "allowed", "forbidden"])))
        _fill(
            row,
            pinned_site=good[0] if "pinned" in which else "",
            allowed_sites=";".join(good) if "allowed" in which else "",
            forbidden_sites=";".join(bad) if "forbidden" in which else "",
        )


def _countries(draw: st.DrawFn, world: World) -> None:
    """Countries where a workload may be, and sites that do not say in which they are."""
    for row in world.tables["sites"]:
        _fill(row, country=_maybe(draw, COUNTRIES))
    for row in world.tables["workloads"]:
        _fill(row, countries=";".join(_some(draw, COUNTRIES)))


def _placements(draw: st.DrawFn, world: World) -> None:
    """Pairs with a cost, a ban, a round trip, a demand of their own; perhaps no other pairs are allowed."""
    rows = world.tables.setdefault("placements", [])
    for workload in world.tables["workloads"]:
        for site in world.tables["sites"]:
            if draw(st.booleans()):
                row = {"workload": workload["workload"], "site": site["site"]}
                needs = {r: NEEDS[r] for r in _some(draw, _resources(world))[:1]}
                _fill(
                    row,
                    cost=_maybe(draw, MONEY),
                    allowed=_pick(draw, ["", "", "yes", "no"]),
                    rtt_ms=_maybe(draw, ["0.3", "1", "5"]),
                    **{r: _pick(draw, values) for r, values in needs.items()},
                )
                rows.append(row)
    if rows:
        _fill(world.inventory, placements=_pick(draw, ["", "all", "listed"]))


def _network(draw: st.DrawFn, world: World) -> None:
    """Limits on round trips, and circuits that are measured, of known length, or drawn on the map."""
    positions = {}
    for name in NODES:
        positions[name] = draw(st.sampled_from([None, *POSITIONS]))
        world.tables.setdefault("nodes", []).append({"node": name})
        _locate(world.tables["nodes"][-1], positions[name])
    ends = list(NODES)
    for table, key in (("organisations", "organisation"), ("sites", "site")):
        for row in world.tables[table]:
            node = _pick(draw, ["", "", "", *NODES])
            _fill(row, node=node)
            if not node:
                ends.append(row[key])
                positions[row[key]] = draw(st.sampled_from([None, *POSITIONS]))
                _locate(row, positions[row[key]])
    for row in world.tables["workloads"]:
        _fill(row, max_rtt_ms=_maybe(draw, ["0.14", "0.5", "1", "1.24", "2", "5"]))
    count = draw(st.integers(0, 5))
    circuits = [_circuit(draw, f"c{n}", ends, positions) for n in range(count)]
    world.tables["circuits"] = circuits
    if draw(st.booleans()):
        world.model.setdefault("rules", {})["latency"] = {"route_factor": "1.5", "per_hop_ms": "0.05"}


def _locate(row: Cells, position: tuple[str, str] | None) -> None:
    if position is not None:
        row["latitude"], row["longitude"] = position


def _circuit(draw: st.DrawFn, name: str, ends: list[str], positions: dict[str, Any]) -> Cells:
    a, b = draw(st.lists(st.sampled_from(ends), unique=True, min_size=2, max_size=2))
    row = {"circuit": name, "a": a, "b": b}
    drawable = positions[a] is not None and positions[b] is not None
    basis = _pick(draw, ["rtt", "km", "map"] if drawable else ["rtt", "km"])
    if basis == "rtt":
        row["rtt_ms"] = _pick(draw, ["0.14", "0.5", "0.74", "1", "2"])
    if basis == "km":
        row["km"] = _pick(draw, ["10", "50", "56.30", "100"])
    if basis != "rtt":
        _fill(row, hops=_maybe(draw, ["1", "3"]))
    _fill(row, cost=_maybe(draw, MONEY), **(_lifetime(draw) if draw(st.booleans()) else {}))
    return row


def _energy(draw: st.DrawFn, world: World) -> None:
    """What power costs, in money and in carbon, where buildings differ."""
    for row in world.tables["sites"]:
        _fill(
            row,
            pue=_maybe(draw, ["1.2", "1.6"]),
            energy_price_kwh=_maybe(draw, ["0.1", "0.24", "0.2135"]),
            carbon_g_kwh=_maybe(draw, ["55", "202", "207.05"]),
        )


def _site_costs(draw: st.DrawFn, world: World) -> None:
    """What it costs to use a site, to open it, and to use its resources."""
    for row in world.tables["sites"]:
        prices = {f"cost_{r}": _maybe(draw, PRICES) for r in _resources(world)}
        _fill(
            row,
            open_cost=_maybe(draw, MONEY),
            open_cost_once=_maybe(draw, MONEY),
            committed=_maybe(draw, ["yes", "no"]),
            **prices,
        )


def _moves(draw: st.DrawFn, world: World) -> None:
    """Where workloads are today, in their own row or in the allocation, and what moving them costs."""
    sites = [row["site"] for row in world.tables["sites"]]
    allocation = world.tables.setdefault("allocation", [])
    for row in world.tables["workloads"]:
        _fill(row, current_site=_maybe(draw, sites), move_cost_once=_maybe(draw, MONEY))
        at = _pick(draw, [*sites, "", "absent"])
        if at != "absent":
            status = "placed" if at else "left_out"
            allocation.append({"workload": row["workload"], "site": at, "status": status})
    if draw(st.booleans()):
        ways = [{"current_site": a, "site": b} for a in sites for b in sites if draw(st.booleans())]
        world.tables["move_costs"] = [{**way, "cost_once": _pick(draw, MONEY)} for way in ways]


def _optional(draw: st.DrawFn, world: World) -> None:
    """Workloads that may be left out because they have a value, or because the model says so."""
    for row in world.tables["workloads"]:
        _fill(row, value=_maybe(draw, [*MONEY, "250.55"]))
    _fill(world.model, left_out=_maybe(draw, ["any", "optional"]))


def _priorities(draw: st.DrawFn, world: World) -> None:
    """Some workloads matter more; any may be left out."""
    for row in world.tables["workloads"]:
        _fill(row, priority=_maybe(draw, ["1", "2", "10"]))
    world.model["left_out"] = "any"


def _expansions(draw: st.DrawFn, world: World) -> None:
    """One or two purchases that widen a resource, and perhaps use up another."""
    rows = world.tables.setdefault("expansions", [])
    for name in ("ups", "hall")[: draw(st.integers(1, 2))]:
        common = {"expansion": name, "site": draw(st.sampled_from(world.tables["sites"]))["site"]}
        _fill(
            common,
            max=_pick(draw, ["", "1", "2"]),
            kind=_pick(draw, ["", "durable", "yearly"]),
            **{"from": _pick(draw, ["", "", *DATES])},
        )
        if _ways(common, len(_cuts(world)) - 1) > _room(world):
            common = {"expansion": name, "site": common["site"]}
        if _ways(common, len(_cuts(world)) - 1) > _room(world):
            continue
        if draw(st.booleans()):  # worth buying only where there is little
            next(s for s in world.tables["sites"] if s["site"] == common["site"])["power_kw"] = "1.25"
        for n, r in enumerate(_some(draw, _resources(world), least=1)[:2]):
            sign = "-" if n and draw(st.booleans()) else ""
            rows.append({**common, "resource": r, "amount": sign + _pick(draw, NEEDS[r])})
            if n == 0:
                _fill(rows[-1], cost=_maybe(draw, MONEY), cost_once=_maybe(draw, MONEY))


def _licences(draw: st.DrawFn, world: World) -> None:
    """A pool, a charge per site, or both; with scopes and dates, and few enough packs to be counted out."""
    rows, needs = world.tables.setdefault("licences", []), world.tables.setdefault("licence_needs", [])
    for metric in _some(draw, ["pool", "site"], least=1):
        row = {"licence": f"db-{metric}", "metric": metric}
        _fill(
            row,
            owned=_maybe(draw, ["1", "2", "3"]),
            pack=_maybe(draw, ["2"]) if metric == "pool" else "",
            pack_cost=_maybe(draw, MONEY),
            max_packs=_maybe(draw, ["1", "2"]),
            organisations=";".join(_some(draw, [o["organisation"] for o in world.tables["organisations"]])),
            sites=";".join(_some(draw, [s["site"] for s in world.tables["sites"]])),
            **(_lifetime(draw) if draw(st.booleans()) else {}),
        )
        for workload in world.tables["workloads"]:
            if draw(st.booleans()):
                need = {"workload": workload["workload"], "licence": row["licence"]}
                _fill(need, quantity=_maybe(draw, ["1", "2"]))
                needs.append(need)
        if _pack_ways(world, row) > _room(world):
            row["max_packs"] = "1"
        if _pack_ways(world, row) > _room(world):
            row["metric"] = "site"
            row.pop("pack", None)
        rows.append(row)


METRICS = [
    *["machine_core", "core", "standard_core", "server", "processor", "socket", "concurrent", "user", "named_user"],
    *["population", "organisation", "appliance"],
]
FIGURES = {
    "per_processor": ["2", "4"],
    "per_server": ["8"],
    "step": ["2"],
    "per_machine": ["3", "4"],
    "machines_each": ["2"],
    "cores_each": ["3", "5"],
    "factor_x86": ["0.5", "0.75"],
    "users_each": ["2", "5"],
    "minimum_order": ["6", "20"],
    "most_sockets": ["1", "2"],
    "passives": ["1"],
    "farm_sites": ["1"],
    "reassign_days": ["30", "200"],
}


def _host_licences(draw: st.DrawFn, world: World) -> None:
    """Licences by host, machine and person, under terms of one's own, with all that can be said of their rights."""
    organisations = [row["organisation"] for row in world.tables["organisations"]]
    rows, needs = world.tables.setdefault("licences", []), world.tables.setdefault("licence_needs", [])
    hosts = world.tables.setdefault("hosts", [])
    for row in world.tables["organisations"]:
        _fill(row, population=_maybe(draw, ["7", "30"]))
    for row in world.tables["workloads"]:
        _fill(row, cores=_pick(draw, ["1", "3", "4"]), users=_maybe(draw, ["2", "9"]))
    for row in world.tables["sites"]:
        row["cores"] = "unlimited"
        if draw(st.integers(0, 3)):
            hosts.append({"host_group": f"g-{row['site']}", "site": row["site"], "hosts": _pick(draw, ["1", "2", "3"])})
            _fill(
                hosts[-1],
                cores=_pick(draw, ["1", "3", "4"]),
                processors=_maybe(draw, ["1"]),
                sockets=_maybe(draw, ["2"]),
                cluster=_maybe(draw, ["v"]),
                failures=_maybe(draw, ["1"]),
                processor=_maybe(draw, ["odd"]),
                dedicated_to=_maybe(draw, organisations),
                listed_provider=_maybe(draw, ["yes"]),
            )
    figures = _some(draw, FIGURES)
    terms = [{"terms": "own", "figure": name, "value": _pick(draw, FIGURES[name])} for name in figures]
    world.tables["licence_terms"] = terms or [{"terms": "own", "figure": "step", "value": "1"}]
    for row in draw(st.lists(st.sampled_from(world.tables["licence_terms"]), max_size=1)):
        world.tables["licence_terms"].append({**row, "from": _pick(draw, DATES), "value": "1"})
    for metric in draw(st.lists(st.sampled_from(METRICS), min_size=1, max_size=2)):
        _host_licence(draw, world, f"h{len(rows)}", metric)
        if _room(world) < 1:
            rows[-1]["max_packs"] = "0"
            rows[-1].pop("datacenter", None)
            rows[-1].pop("kind", None)
    if not needs:
        needs.append({"workload": world.tables["workloads"][0]["workload"], "licence": rows[-1]["licence"]})


def _host_licence(draw: st.DrawFn, world: World, name: str, metric: str) -> None:
    rows, needs = world.tables["licences"], world.tables["licence_needs"]
    row = {"licence": name, "metric": metric, "terms": "own", "max_packs": "1", "pack": _pick(draw, ["4", "12", "40"])}
    _fill(
        row,
        owned=_maybe(draw, ["1", "6", "12", "30"]),
        pack_cost=_maybe(draw, MONEY),
        pack_cost_once=_maybe(draw, MONEY),
        kind=_maybe(draw, ["durable"]),
        assurance=_maybe(draw, ["yes"]),
        partitioning=_maybe(draw, ["hard"]),
        mobility=_pick(draw, ["", "", "farm", "none"]),
        assigned=_maybe(draw, DATES),
        bring_own=_pick(draw, ["", "", "yes"]),
        countries=_pick(draw, ["", "", "GB"]),
        **(_lifetime(draw) if draw(st.booleans()) else {}),
    )
    if metric == "standard_core" and draw(st.booleans()):
        cores = {"licence": f"{name}-dc", "metric": "core", "terms": "own", "max_packs": "0"}
        rows.append({**cores, "owned": _pick(draw, ["0", "8", "24"])})
        row["datacenter"] = f"{name}-dc"
    rows.append(row)
    for workload in world.tables["workloads"]:
        if draw(st.integers(0, 2)):
            needs.append({"workload": workload["workload"], "licence": name})
            _fill(needs[-1], quantity=_maybe(draw, ["2", "5"]))
            if metric == "concurrent" and draw(st.booleans()):
                times = [(time, _pick(draw, ["1", "4", "9"])) for time in _some(draw, ["am", "pm"], least=1)]
                peaks = world.tables.setdefault("licence_peaks", [])
                peaks += [{**needs[-1], "time": time, "users": users} for time, users in times]
                for peak in peaks:
                    peak.pop("quantity", None)
    for organisation in _some(draw, ORGANISATIONS) if metric in ("machine_core", "appliance") else []:
        kept = world.tables.setdefault("licence_reserves", [])
        kept.append({"licence": name, "organisation": organisation, "reserved": _pick(draw, ["1", "5"])})


def _soft(draw: st.DrawFn, world: World) -> None:
    """Limits that may be broken at a price."""
    prices = {r: _pick(draw, [*PRICES, "900"]) for r in _some(draw, _resources(world), least=1)}
    world.model.setdefault("rules", {}).setdefault("capacity", {})["soft"] = prices


def _safety(draw: st.DrawFn, world: World) -> None:
    """Levels above which use is paid, some with a price and some without."""
    for row in world.tables["sites"]:
        _fill(row, **{f"safety_{r}": _pick(draw, ["0", *NEEDS[r]]) for r in _some(draw, _resources(world))})
    prices = {r: _pick(draw, [*PRICES, "900"]) for r in _some(draw, _resources(world), least=1)}
    world.model.setdefault("rules", {}).setdefault("capacity", {})["safety"] = prices


def _balance(draw: st.DrawFn, world: World) -> None:
    """One or two pairs of resources that should be free in proportion, or must be."""
    if len(_resources(world)) < 2:
        _need_and_offer(draw, world, "rack_units")
    known = [r for r in NEEDS if any(row.get(r) for name in ("sites", "workloads") for row in world.tables[name])]
    if len(known) < 2:
        return
    pairs: list[dict[str, str]] = []
    for _ in range(draw(st.integers(1, 2))):
        free, needs = draw(st.lists(st.sampled_from(known), unique=True, min_size=2, max_size=2))
        pair = {"free": free, "needs": needs}
        _fill(pair, times=_maybe(draw, ["0.5", "2", "0.333"]), price=_maybe(draw, [*PRICES, "900"]))
        if all({**pair, "price": ""} != {**other, "price": ""} for other in pairs):
            pairs.append(pair)
    world.model.setdefault("rules", {})["balance"] = {"pairs": pairs}


def _share(draw: st.DrawFn, world: World) -> None:
    """Purchases that may add at most a part of what is needed; they are drawn where there are none yet."""
    if "expansions" not in world.tables:
        _expansions(draw, world)
    rows = world.tables.get("expansions", [])
    ids = sorted({row["expansion"] for row in rows if row["resource"] == "power_kw" and row["amount"][0] != "-"})
    other = {row["expansion"] for row in rows if row["resource"] != "power_kw" and row["amount"][0] != "-"}
    ids = [name for name in ids if name not in other]
    if ids:
        at_most = _pick(draw, ["10%", "20%", "37.5%", "100%"])
        cap = {"name": "part", "purchases": _some(draw, ids, least=1), "of": ["power_kw"], "at_most": at_most}
        world.model.setdefault("rules", {})["share"] = {"caps": [cap]}


def _for_sale(draw: st.DrawFn, world: World) -> None:
    """Only some of what could be bought may be bought."""
    names = sorted({row["expansion"] for row in world.tables.get("expansions", [])})
    names += [
        row["licence"] for row in world.tables.get("licences", []) if row["metric"] not in ("site", "organisation")
    ]
    some = _some(draw, names) if names else []
    world.model["purchases"] = draw(st.sampled_from(["all", "none", *([some] if some else [])]))


def _switched_off(draw: st.DrawFn, world: World) -> None:
    """A rule or two switched off, as a what-if."""
    for rule in _some(draw, CAN_BE_OFF, least=1)[:2]:
        world.model.setdefault("rules", {})[rule] = "off"


def _goals(draw: st.DrawFn, world: World) -> None:
    """Goals in any order; some of the linear ones added up with weights."""
    linear = ["cost", "forgone", "moves", "carbon", "sites_used"]
    order = draw(st.permutations(["unplaced", "worst_utilisation", *linear]))
    chosen: list[Any] = order[: draw(st.integers(1, len(order)))]
    together = [name for name in chosen if name in linear][: draw(st.integers(0, 3))]
    if len(together) > 1:
        weighted = {name: _pick(draw, ["1", "2", "0.5"]) for name in together}
        chosen = [name for name in chosen if name not in together[1:]]
        chosen[chosen.index(together[0])] = weighted
    world.model["goals"] = chosen


# --- features of several workloads at once ---------------------------------------------------------


def _groups(draw: st.DrawFn, world: World, column: str, size: int = 2) -> list[str]:
    """Name one or two groups in a column of the workloads, each with at least `size` members if there are so many."""
    rows = world.tables["workloads"]
    groups = GROUPS[: draw(st.integers(1, 2))]
    for group in groups:
        for n in draw(st.lists(st.integers(0, len(rows) - 1), unique=True, min_size=min(size, len(rows)))):
            rows[n][column] = ";".join([*filter(None, [rows[n].get(column)]), group])
    return [group for group in groups if any(group in row.get(column, "") for row in rows)]


def _replicas(draw: st.DrawFn, world: World) -> None:
    """One or two replicas of a workload, with limits on how near and how far; sites that are on the map, or are not."""
    for row in world.tables["sites"]:
        if not any(row.get(column) for column in ("latitude", "node")):
            _locate(row, draw(st.sampled_from([None, *POSITIONS])))
    rows = world.tables["workloads"]
    if len(world.tables["sites"]) < 2 or len(rows) < 2:
        return
    _fill(rows[0], replica_min_km=_maybe(draw, ["3", "30"]), replica_max_rtt_ms=_maybe(draw, ["0.5"]))
    for row in rows[1 : draw(st.integers(2, 3))]:
        row["replica_of"] = rows[0]["workload"]
        row.pop("value", None)
        if row.get("pinned_site") not in _sites_left(rows[0] | row):
            row.pop("pinned_site", None)  # a pin that the lists of the primary contradict is bad input
        for column in _some(draw, ["organisation", *_resources(world)]):
            row.pop(column, None)
        _fill(
            row,
            replica_min_km=_maybe(draw, ["3", "33", "50"]),
            replica_max_rtt_ms=_maybe(draw, ["0.1", "0.45", "1"]),
        )
        first, last = (row.get(column) or rows[0].get(column, "") for column in ("from", "to"))
        if first and last and first >= last:
            row["from"], row["to"] = rows[0].get("from", ""), rows[0].get("to", "")
    if "circuits" not in world.tables and draw(st.booleans()):
        ends = [row["site"] for row in world.tables["sites"]]
        rtts = [_pick(draw, ["0.1", "0.3", "0.45", "0.6"]) for _ in ends[1:]]
        world.tables["circuits"] = [
            {"circuit": f"r{n}", "a": ends[n], "b": ends[n + 1], "rtt_ms": rtt} for n, rtt in enumerate(rtts)
        ]


def _sites_left(row: Cells) -> list[str]:
    """The sites that the lists of a workload leave."""
    allowed = row.get("allowed_sites", ";".join(SITES)).split(";")
    return [s for s in allowed if s not in row.get("forbidden_sites", "").split(";")]


def _together(draw: st.DrawFn, world: World) -> None:
    """Groups that are at one site or nowhere."""
    _groups(draw, world, "together")


def _apart(draw: st.DrawFn, world: World) -> None:
    """Groups that keep out of each other's way, or that are at several sites or in several regions."""
    for row in world.tables["sites"]:
        _fill(row, region=_maybe(draw, REGIONS))
    groups = _groups(draw, world, "apart")
    options = {
        name: {group: _pick(draw, values) for group in _some(draw, groups)}
        for name, values in (("per_site", ["1", "2"]), ("sites", ["1", "2"]), ("regions", ["1", "2"]))
    }
    options = {name: entries for name, entries in options.items() if entries}
    if options:
        world.model.setdefault("rules", {})["apart"] = options


def _zone(draw: st.DrawFn, world: World) -> None:
    """Information zones of workloads and organisations, and sites that take only some."""
    for row in [*world.tables["organisations"], *world.tables["workloads"]]:
        _fill(row, zone=_maybe(draw, ZONES))
    for row in world.tables["sites"]:
        _fill(row, zones=";".join(_some(draw, ZONES)))


def _tenancy(draw: st.DrawFn, world: World) -> None:
    """Organisations that want their sites for themselves."""
    for row in world.tables["organisations"]:
        _fill(row, tenancy=_pick(draw, ["", "shared", "dedicated_site"]))


def _fills(draw: st.DrawFn, world: World) -> None:
    """Sites that must be used well if they are used at all."""
    for row in world.tables["sites"]:
        _fill(row, **{f"fill_{r}": _pick(draw, NEEDS[r]) for r in _some(draw, _resources(world))[:1]})


def _move_limits(draw: st.DrawFn, world: World) -> None:
    """So many moves at most, of workloads some of which cannot all stay where they are."""
    for row in world.tables["workloads"]:
        _fill(row, current_site=_pick(draw, [row["site"] for row in world.tables["sites"]]))
        _fill(row, service=_maybe(draw, ["epr", "email"]))
    limits = {name: _pick(draw, ["0", "1", "2"]) for name in _some(draw, ["at_most", "per_organisation", "per_period"])}
    _fill(limits, busiest_service_once=_maybe(draw, [*MONEY, "0.125"]))
    both: Any = draw(st.sampled_from(["", "true", "false", _some(draw, _resources(world))]))
    world.model.setdefault("rules", {})["moves"] = limits | ({"both_ends": both} if both else {})


def _budget(draw: st.DrawFn, world: World) -> None:
    """Limits on money, and something to spend it on."""
    for row in world.tables["sites"]:
        _fill(row, open_cost=_maybe(draw, MONEY), open_cost_once=_maybe(draw, MONEY))
    sums = {"per_year": ["0", "20", "100"], "once": ["10", "199.99"], "total": ["50", "110", "1100.005"]}
    limits = {name: _pick(draw, sums[name]) for name in _some(draw, sums, least=1)}
    world.model.setdefault("rules", {})["budget"] = limits


def _neighbourhood(draw: st.DrawFn, world: World) -> None:
    """Workloads that need others in the same region, or where neighbourhoods are drawn otherwise, in the same one."""
    for row in world.tables["sites"]:
        _fill(row, region=_maybe(draw, REGIONS), neighbourhood=_maybe(draw, ["", "ring", REGIONS[0]]))
    groups = _groups(draw, world, "groups")
    for row in world.tables["workloads"]:
        _fill(row, needs_nearby=";".join(_some(draw, groups)))


def _site_loss(draw: st.DrawFn, world: World) -> None:
    """Sites that must be able to carry what is lost with any one of them."""
    if not any(row.get("replica_of") for row in world.tables["workloads"]):
        _replicas(draw, world)
    for row in world.tables["workloads"]:
        _fill(row, **{f"failover_{r}": _maybe(draw, NEEDS[r]) for r in _some(draw, _resources(world))})
    for row in world.tables["sites"]:
        if draw(st.booleans()):
            row["power_kw"] = OFFERS["power_kw"][-1]
    world.model.setdefault("rules", {})["survive_site_loss"] = {}


def _links(draw: st.DrawFn, world: World) -> None:
    """Interfaces between workloads and nodes, traffic, and circuits of some capacity that fail together."""
    nodes = [row["node"] for row in world.tables["nodes"]]
    for row in world.tables["nodes"]:
        _fill(row, zones=_maybe(draw, ZONES), accepted_single_point=_pick(draw, ["", "", "yes"]))
    for row in world.tables["circuits"]:
        _fill(
            row,
            mbps=_maybe(draw, ["1", "2.5", "4"]),
            mbps_back=_pick(draw, ["", "", "1", "3"]),
            shared_risks=";".join(_some(draw, ["duct", "river"])),
            operator=_pick(draw, ["", "", "telco"]),
        )
    for row in world.tables["workloads"]:
        _fill(
            row,
            mbps_down=_maybe(draw, ["0.5", "1", "2"]),
            mbps_up=_pick(draw, ["", "", "0.25"]),
            processing_ms=_pick(draw, ["", "", "0.5"]),
        )
        if row.get("replica_of"):
            _fill(row, replica_mbps=_maybe(draw, ["1", "3"]))
    workloads = [row["workload"] for row in world.tables["workloads"] if not row.get("replica_of")]
    rows = world.tables.setdefault("interfaces", [])
    for n in range(draw(st.integers(0, 2))):
        ends = draw(st.lists(st.sampled_from([*workloads, *nodes]), min_size=2, max_size=3, unique=True))
        engines = [end for end in ends[1:-1] if end in workloads]
        row = {"interface": f"i{n}", "source": ends[0], "target": ends[-1]}
        _fill(
            row,
            via=";".join(engines),
            mbps=_maybe(draw, ["0.5", "1", "1.5"]),
            mbps_back=_pick(draw, ["", "", "2"]),
            max_rtt_ms=_maybe(draw, ["0.5", "1", "2", "5"]),
            diverse=_pick(draw, ["", "", "none", "survives", "disjoint"]),
            encrypted=_pick(draw, ["", "yes", "yes", "no"]),
            zone=_pick(draw, ["", "", *ZONES]),
        )
        rows.append(row)
    if draw(st.booleans()):
        world.model.setdefault("rules", {})["links"] = {"failures": _pick(draw, ["true", "false"])}


FEATURES: dict[str, Callable[[st.DrawFn, World], None]] = {
    "resources": _resources_too,
    "cooling": _cooling,
    "unlimited": _unlimited,
    "headroom": _headroom,
    "periods": _periods,
    "dates": _dates,
    "growth": _growth,
    "pins": _pins,
    "countries": _countries,
    "placements": _placements,
    "network": _network,
    "energy": _energy,
    "site_costs": _site_costs,
    "moves": _moves,
    "optional": _optional,
    "priorities": _priorities,
    "expansions": _expansions,
    "licences": _licences,
    "host_licences": _host_licences,
    "soft": _soft,
    "safety": _safety,
    "balance": _balance,
    "share": _share,
    "for_sale": _for_sale,
    "switched_off": _switched_off,
    "goals": _goals,
    "replicas": _replicas,
    "together": _together,
    "apart": _apart,
    "zone": _zone,
    "tenancy": _tenancy,
    "fill": _fills,
    "move_limits": _move_limits,
    "budget": _budget,
    "neighbourhood": _neighbourhood,
    "links": _links,
    "site_loss": _site_loss,
}
SEVERAL = {"replicas", "together", "apart", "tenancy", "neighbourhood", "site_loss"}  # say nothing about one alone


@st.composite
def worlds(draw: st.DrawFn, *always: str, others: Collection[str] = tuple(FEATURES), most: int = 8) -> World:
    """Draw a world with the features that are named, and up to `most` others (none: ``others=()``)."""
    rest = [name for name in others if name not in always]
    more = draw(st.lists(st.sampled_from(rest), unique=True, max_size=most)) if rest else []
    chosen = {*always, *more}
    chosen |= {"network"} if "links" in chosen else set()  # nodes and circuits come first
    plans = PLANS_BEFORE_PURCHASES if chosen & {"expansions", "share", "licences", "host_licences"} else PLANS
    world = _bare(draw, plans, least=2 if chosen & SEVERAL else 1)
    for name, add in FEATURES.items():
        if name in chosen:
            add(draw, world)
    for name, rows in world.tables.items():
        world.tables[name] = draw(st.permutations(rows))
    return world


def _bare(draw: st.DrawFn, plans: int, least: int) -> World:
    """At least so many sites with power and workloads that need it, and organisations; the standard model."""
    sites = SITES[: draw(st.integers(least, len(SITES)))]
    count = draw(st.integers(least, max(n for n in range(1, 5) if (len(sites) + 1) ** n <= plans)))
    return World(
        inventory={
            "format": "1",
            "title": "A tiny world",
            "currency": "GBP",
            "as_of": _pick(draw, ["2016-01-01", "2015-11-20"]),
        },
        tables={
            "sites": [{"site": s, "power_kw": _pick(draw, OFFERS["power_kw"])} for s in sites],
            "organisations": [{"organisation": o} for o in ORGANISATIONS],
            "workloads": [
                {
                    "workload": w,
                    "organisation": _pick(draw, ORGANISATIONS),
                    "power_kw": _pick(draw, NEEDS["power_kw"]),
                }
                for w in WORKLOADS[:count]
            ],
        },
        model={"format": "1", "title": "A tiny model", "extends": "standard"},
    )
