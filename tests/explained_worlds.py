"""Seeded worlds that have no plan, or hardly any, each for causes that are known: what explanations are tried on.

A world is made feasible with room to spare, then each cause is put in. Everything is written as a user's files.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.worlds import Cells

Table = list[Cells]


@dataclass(frozen=True)
class Wanted:
    """Which world: its seed, its size and what is wrong with it. ``tight`` worlds have a plan, just."""

    seed: int
    workloads: int
    sites: int
    causes: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its name in reports."""
        return f"{self.workloads}x{self.sites}-{'+'.join(self.causes)}-{self.seed}"


@dataclass
class Made:
    """The cells of a world."""

    random: random.Random
    tables: dict[str, Table]
    model: dict[str, Any] = field(default_factory=lambda: {"format": 1, "title": "Explained", "extends": "standard"})

    @property
    def workloads(self) -> Table:
        """Rows of workloads."""
        return self.tables["workloads"]

    @property
    def sites(self) -> Table:
        """Rows of sites."""
        return self.tables["sites"]

    def one(self) -> Cells:
        """A workload that no cause has touched yet."""
        row = self.random.choice([row for row in self.workloads if "x_cause" not in row])
        row["x_cause"] = "yes"
        return row

    def write(self, folder: Path) -> Path:
        """Write the files; returns the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        text = "format: 1\ntitle: Explained\ncurrency: GBP\nas_of: 2016-01-01\nmodel: model.yaml\n"
        (folder / "inventory.yaml").write_text(text, "utf-8")
        (folder / "model.yaml").write_text(yaml.safe_dump(self.model, sort_keys=False), "utf-8")
        for name, rows in self.tables.items():
            columns = list(dict.fromkeys(column for row in rows for column in row))
            lines = [",".join(columns), *(",".join(row.get(column, "") for column in columns) for row in rows)]
            (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", "utf-8")
        return folder


def made(wanted: Wanted) -> Made:
    """The world that is wanted."""
    draw = random.Random(wanted.seed)
    world = Made(draw, _base(draw, wanted))
    for cause in wanted.causes:
        CAUSES[cause](world)
    return world


def _base(draw: random.Random, wanted: Wanted) -> dict[str, Table]:
    """Room for half as much again as is needed, headroom kept free."""
    need = [draw.choice([5, 10, 15, 20, 30]) for _ in range(wanted.workloads)]
    workloads = [
        {"workload": f"W{i:04}", "organisation": f"O{i % 3}", "power_kw": f"{kw / 10}", "rack_units": "1"}
        for i, kw in enumerate(need)
    ]
    kw = -(-sum(need) * 15 // (8 * wanted.sites)) / 10 + 3
    sites = [
        {
            "site": f"S{i:02}",
            "power_kw": f"{kw:.1f}",
            "cost_power_kw": str(100 + 7 * i),
            "rack_units": str(wanted.workloads),
            "country": "GB",
            "zones": "health;public",
            "latitude": f"{52 + i / 10:.1f}",
            "longitude": "-1.5",
            "operator": f"P{i % 2}",
        }
        for i in range(wanted.sites)
    ]
    circuits = [
        {"circuit": f"C{o}-{i}", "a": f"O{o}", "b": f"S{i:02}", "rtt_ms": str(2 + i + o)}
        for i in range(wanted.sites)
        for o in range(3)
    ]
    organisations = [{"organisation": f"O{o}"} for o in range(3)]
    return {"organisations": organisations, "sites": sites, "workloads": workloads, "circuits": circuits}


def _offer(world: Made, share: float) -> None:
    """As much power at each site as makes all of it this share of what is needed."""
    need = sum(float(row["power_kw"]) for row in world.workloads)
    for row in world.sites:
        row["power_kw"] = f"{need * share / len(world.sites):.1f}"


def _shortage(world: Made) -> None:
    """Less power than is needed, headroom or not."""
    _offer(world, 0.9)


def _headroom(world: Made) -> None:
    """Enough power, but not with a fifth kept free."""
    _offer(world, 1.15)


def _racks(world: Made) -> None:
    """Fewer rack units than workloads, by two."""
    each, rest = divmod(len(world.workloads) - 2, len(world.sites))
    for i, row in enumerate(world.sites):
        row["rack_units"] = str(each + (i < rest))


def _pins(world: Made) -> None:
    """Two that must be apart, pinned to one site."""
    for row in (world.one(), world.one()):
        row |= {"pinned_site": "S00", "apart": "pinned"}


def _pin_forbidden(world: Made) -> None:
    """A pin to a site that is in another country than is allowed."""
    world.one().update({"pinned_site": "S01", "countries": "IE"})


def _apart(world: Made) -> None:
    """One more that must be apart than there are sites."""
    for _ in range(len(world.sites) + 1):
        world.one()["apart"] = "crowd"


def _latency(world: Made) -> None:
    """A round trip that no site offers."""
    world.one()["max_rtt_ms"] = "1.5"


def _latency_and_forbidden(world: Made) -> None:
    """Near enough only to sites where it is forbidden."""
    row = world.one()
    near = [site for i, site in enumerate(world.sites) if 2 + i + int(row["organisation"][1]) <= 5]
    row |= {"max_rtt_ms": "5", "forbidden_sites": ";".join(site["site"] for site in near) or "S00"}


def _zone(world: Made) -> None:
    """A zone that no site takes."""
    world.one()["zone"] = "secret"


def _licences(world: Made) -> None:
    """Three licences needed, one owned and one for sale."""
    world.tables["licences"] = [
        {"licence": "L", "metric": "pool", "owned": "1", "pack": "1", "pack_cost": "500", "max_packs": "1"}
    ]
    world.tables["licence_needs"] = [{"workload": world.one()["workload"], "licence": "L"} for _ in range(3)]


def _dates(world: Made) -> None:
    """Pinned to a site that opens too late."""
    world.sites[-1]["from"] = "2016-06-01"
    world.one()["pinned_site"] = world.sites[-1]["site"]


def _replicas(world: Made) -> None:
    """A copy that must be farther away than any two sites are."""
    primary = world.one()
    world.workloads.append(
        {"workload": "R1", "organisation": primary["organisation"], "power_kw": "0.5", "rack_units": "1"}
        | {"replica_of": primary["workload"], "replica_min_km": "900", "x_cause": "yes"}
    )


def _moves(world: Made) -> None:
    """Two that may not stay where they are, and one move allowed."""
    for row in (world.one(), world.one()):
        row |= {"current_site": "S00", "forbidden_sites": "S00"}
    world.model.setdefault("rules", {})["moves"] = {"at_most": 1}


def _together(world: Made) -> None:
    """A group that fits no site."""
    kw = float(world.sites[0]["power_kw"])
    for _ in range(3):
        world.one().update({"power_kw": f"{kw * 0.3:.1f}", "together": "block"})


def _budget(world: Made) -> None:
    """Less money than the cheapest sites take."""
    world.model.setdefault("rules", {})["budget"] = {"total": "50"}


def _purchases(world: Made) -> None:
    """Short of power that could be bought, and the model does not let it be."""
    _offer(world, 1.2)
    world.tables["expansions"] = [
        {
            "expansion": "ups",
            "site": "S00",
            "resource": "power_kw",
            "amount": "1000",
            "cost": "900",
            "cost_once": "5000",
        }
    ]
    world.model["purchases"] = "none"


def _tight(world: Made) -> None:
    """Just enough power."""
    _offer(world, 1.27 + 1.2 * len(world.sites) / max(20, len(world.workloads)))


CAUSES: dict[str, Callable[[Made], None]] = {
    "shortage": _shortage,
    "headroom": _headroom,
    "racks": _racks,
    "pins": _pins,
    "pin-forbidden": _pin_forbidden,
    "apart": _apart,
    "latency": _latency,
    "latency-forbidden": _latency_and_forbidden,
    "zone": _zone,
    "licences": _licences,
    "dates": _dates,
    "replicas": _replicas,
    "moves": _moves,
    "together": _together,
    "budget": _budget,
    "purchases": _purchases,
    "tight": _tight,
}

_COMBINED = (("pins", "zone"), ("latency", "licences"), ("shortage", "pins"), ("dates", "apart", "moves"))

SMALL = [
    *(Wanted(seed, 10, 3, (cause,)) for seed, cause in enumerate(CAUSES)),
    *(Wanted(20 + seed, 10, 3, causes) for seed, causes in enumerate(_COMBINED)),
]
MIDDLE = [
    *(
        Wanted(40 + seed, 40, 5, (cause,))
        for seed, cause in enumerate(("shortage", "headroom", "pins", "licences", "dates"))
    ),
    *(
        Wanted(50 + seed, 100, 8, causes)
        for seed, causes in enumerate((("racks",), ("apart",), *_COMBINED, ("tight",)))
    ),
]
LARGE = [
    *(
        Wanted(60 + seed, 300, 12, causes)
        for seed, causes in enumerate((("shortage",), ("pins",), ("latency", "zone")))
    ),
    *(
        Wanted(70 + seed, 1000, 20, causes)
        for seed, causes in enumerate(
            (
                ("shortage",),
                ("headroom",),
                ("pins",),
                ("apart",),
                ("licences",),
                ("moves", "zone"),
                ("purchases",),
                ("tight",),
            )
        )
    ),
]
LIBRARY = [*SMALL, *MIDDLE, *LARGE]
