"""The tables every inventory may have, with the columns that no single rule owns."""

from __future__ import annotations

from dataclasses import replace

from capplan.inventory.schema import RESOURCES, Column, Kind, TableSchema

_NAME = Column("name", Kind.TEXT, "what people call it")
_FROM = Column("from", Kind.DATE, "first day it exists; blank = always has")
_TO = Column("to", Kind.DATE, "first day it no longer exists; blank = stays")
_LATITUDE = Column("latitude", Kind.DECIMAL, "WGS 84, north is positive", unit="degrees")
_LONGITUDE = Column("longitude", Kind.DECIMAL, "WGS 84, east is positive", unit="degrees")
_A_YEAR = "currency/year"


def _money(name: str, description: str, unit: str = _A_YEAR, minimum: int | None = 0) -> Column:
    return Column(name, Kind.DECIMAL, description, unit=unit, minimum=minimum)


ORGANISATIONS = TableSchema(
    "organisations",
    ("organisation",),
    (
        Column("organisation", Kind.ID, "its id", required=True),
        _NAME,
        Column("code", Kind.TEXT, "its official code, kept as written"),
        Column("kind", Kind.TEXT, "what kind of organisation it is"),
        _LATITUDE,
        _LONGITUDE,
        Column("node", Kind.NODE, "where its users meet the network; blank = its own id"),
        Column("users", Kind.COUNT, "people who use its workloads", minimum=0),
        Column("population", Kind.COUNT, "people it serves", minimum=0),
    ),
    "Who owns workloads. Without this file, those that workloads.csv names.",
)

SITES = TableSchema(
    "sites",
    ("site",),
    (
        Column("site", Kind.ID, "its id", required=True),
        _NAME,
        Column(
            "kind",
            Kind.CHOICE,
            "what kind of site it is",
            choices=("data_centre", "server_room", "hub", "cloud", "external"),
        ),
        Column("operator", Kind.TEXT, "who runs it"),
        Column("region", Kind.TEXT, "where it is, by name"),
        _LATITUDE,
        _LONGITUDE,
        Column("node", Kind.NODE, "where it meets the network; blank = its own id"),
        Column("country", Kind.TEXT, "country it stands in"),
        _FROM,
        _TO,
        Column("committed", Kind.FLAG, "yes = its open_cost is paid in any case", default="no"),
        _money("open_cost", "price of using it at all"),
        _money("open_cost_once", "one-off price of using it at all", "currency"),
        Column("pue", Kind.DECIMAL, "energy drawn for each unit of IT energy", default="1", minimum=1),
        _money("energy_price_kwh", "price of energy", "currency/kWh"),
        Column("carbon_g_kwh", Kind.DECIMAL, "carbon of energy", minimum=0, unit="gCO2e/kWh"),
        Column("", Kind.QUANTITY, "physical capacity", choices=("unlimited",), per_resource=True),
        Column(
            "cost_",
            Kind.DECIMAL,
            "price of one unit used, for a year",
            minimum=0,
            unit="currency/unit/year",
            per_resource=True,
        ),
    ),
    "Where workloads can be placed.",
)

WORKLOADS = TableSchema(
    "workloads",
    ("workload",),
    (
        Column("workload", Kind.ID, "its id", required=True),
        _NAME,
        Column("organisation", Kind.REF, "whose it is", required=True, refers_to="organisations"),
        Column("service", Kind.TEXT, "what it is part of: epr, email, warehouse, desktop, …"),
        Column("priority", Kind.COUNT, "1 = most important; blank comes after every number", minimum=1),
        _FROM,
        _TO,
        Column("", Kind.QUANTITY, "demand", per_resource=True, inherits=False),
        Column("growth", Kind.DECIMAL, "growth of its demand per year, such as 0.05", minimum=-1, unit="share"),
        Column(
            "growth_",
            Kind.DECIMAL,
            "growth of this demand per year; blank = growth",
            minimum=-1,
            unit="share",
            per_resource=True,
        ),
        Column("users", Kind.COUNT, "people who use it", minimum=0),
        Column("current_site", Kind.REF, "where it is today", refers_to="sites", inherits=False),
        _money("move_cost_once", "one-off price of moving it", "currency"),
        replace(_money("value", "if given it is optional; leaving it out forgoes this much a year"), inherits=False),
        Column(
            "replica_of",
            Kind.REF,
            "what it is a replica of; blank cells then take that one's values, except demand, value and pins",
            refers_to="workloads",
            inherits=False,
        ),
    ),
    "What is to be placed.",
)

PLACEMENTS = TableSchema(
    "placements",
    ("workload", "site"),
    (
        Column("workload", Kind.REF, "the workload", required=True, refers_to="workloads"),
        Column("site", Kind.REF, "the site", required=True, refers_to="sites"),
        _money("cost", "price of this workload at this site", minimum=None),
        Column("reason", Kind.TEXT, "why, in your own words"),
        Column("", Kind.QUANTITY, "demand at this site, where it differs", per_resource=True),
    ),
    "What is particular about one workload at one site.",
)

MOVE_COSTS = TableSchema(
    "move_costs",
    ("current_site", "site"),
    (
        Column("current_site", Kind.REF, "the site that is left", required=True, refers_to="sites"),
        Column("site", Kind.REF, "the site moved to", required=True, refers_to="sites"),
        replace(_money("cost_once", "one-off price of this move", "currency"), required=True),
    ),
    "What a move between two sites costs, beside the workload's own move_cost_once.",
)

NODES = TableSchema(
    "nodes",
    ("node",),
    (
        Column("node", Kind.ID, "its id", required=True),
        _NAME,
        Column("kind", Kind.TEXT, "exchange, national, external, …"),
        _LATITUDE,
        _LONGITUDE,
        Column("accepted_single_point", Kind.FLAG, "yes = that all hangs on it is known and accepted", default="no"),
    ),
    "Places in the network that are neither a site nor an organisation.",
)

CIRCUITS = TableSchema(
    "circuits",
    ("circuit",),
    (
        Column("circuit", Kind.ID, "its id", required=True),
        Column("a", Kind.NODE, "one end", required=True),
        Column("b", Kind.NODE, "the other end", required=True),
        Column("rtt_ms", Kind.DECIMAL, "measured round trip", minimum=0, unit="ms"),
        Column("km", Kind.DECIMAL, "length", minimum=0, unit="km"),
        Column("hops", Kind.COUNT, "active devices passed", default="0", minimum=0),
        Column("mbps", Kind.DECIMAL, "what it carries from a to b", minimum=0, unit="Mbit/s"),
        Column("mbps_back", Kind.DECIMAL, "what it carries from b to a; blank = mbps", minimum=0, unit="Mbit/s"),
        Column("shared_risks", Kind.WORDS, "ducts, providers, exchanges whose loss takes it down"),
        Column("operator", Kind.TEXT, "who runs it"),
        _money("cost", "paid while it exists"),
        _FROM,
        _TO,
    ),
    "Network circuits between nodes.",
)

INTERFACES = TableSchema(
    "interfaces",
    ("interface",),
    (
        Column("interface", Kind.ID, "its id", required=True),
        _NAME,
        Column("source", Kind.END, "the workload, or the node of an outside system, that asks or sends", required=True),
        Column("target", Kind.END, "the workload or node that answers or receives", required=True),
        Column("via", Kind.REFS, "integration engines on the way, in order", refers_to="workloads"),
        Column("standard", Kind.TEXT, "what the source speaks: hl7v2, fhir, dicom, mesh, …"),
        Column("version", Kind.TEXT, "the version of the standard; blank = any"),
        Column("mbps", Kind.DECIMAL, "traffic from source to target", minimum=0, unit="Mbit/s"),
        Column("mbps_back", Kind.DECIMAL, "traffic from target to source; blank = none", minimum=0, unit="Mbit/s"),
        Column("messages_per_day", Kind.COUNT, "messages from source to target, beside mbps", minimum=0),
        Column("bytes_per_message", Kind.COUNT, "mean size of a message", minimum=0),
        Column("peak_factor", Kind.DECIMAL, "busiest time ÷ mean of the day", default="1", minimum=1),
        Column("max_rtt_ms", Kind.DECIMAL, "longest round trip, engines included", minimum=0, unit="ms"),
        Column(
            "diverse",
            Kind.CHOICE,
            "none; survives: no single shared risk, site or device on the way takes it down; disjoint: two paths that "
            "share nothing",
            choices=("none", "survives", "disjoint"),
            default="none",
        ),
        Column("encrypted", Kind.FLAG, "whether it is encrypted on the way (TLS, VPN); blank = not known"),
        Column("zone", Kind.TEXT, "zone of what it carries; blank: that of its source, else of its target"),
        _FROM,
        _TO,
    ),
    "What must talk to what: workloads and outside systems.",
)

EXPANSIONS = TableSchema(
    "expansions",
    ("expansion", "site", "resource"),
    (
        Column("expansion", Kind.ID, "its id; several rows with one id are one purchase", required=True),
        Column("site", Kind.REF, "where it is bought; blank = the inventory's only site", refers_to="sites"),
        Column("resource", Kind.CHOICE, "what it widens", required=True, refers_to=RESOURCES),
        Column("amount", Kind.DECIMAL, "gained with each step; negative = used up", required=True),
        _money("cost", "price of a step", minimum=None),
        _money("cost_once", "one-off price of a step", "currency", minimum=None),
        Column("max", Kind.COUNT, "most steps that can be bought", default="1", minimum=0),
        Column("from", Kind.DATE, "first day it can be bought"),
        Column(
            "kind",
            Kind.CHOICE,
            "durable: once bought it stays; yearly: bought per year",
            choices=("durable", "yearly"),
            default="durable",
        ),
        _NAME,
    ),
    "Capacity that can be bought.",
)

_IGNORED = ("name", "organisation", "service", "current_site", "moved", "replica_of", "from", "to")

ALLOCATION = TableSchema(
    "allocation",
    ("workload",),
    (
        Column("workload", Kind.REF, "the workload", required=True, refers_to="workloads"),
        Column("site", Kind.REF, "where it is", refers_to="sites"),
        Column(
            "status",
            Kind.CHOICE,
            "blank = placed if a site is given, else left out",
            choices=("placed", "left_out"),
        ),
        *(Column(name, Kind.TEXT, "ignored") for name in (*_IGNORED, "rtt_ms", "max_rtt_ms", "cost", "note")),
        Column("", Kind.TEXT, "ignored", per_resource=True),
    ),
    "The current allocation, in the format of a run's allocation.csv.",
)

PACKAGES = TableSchema(
    "packages",
    ("package",),
    (
        Column("package", Kind.ID, "its id", required=True),
        _NAME,
        Column(
            "unit_basis",
            Kind.CHOICE,
            "what its price is for: one head of population, one user, one organisation; fixed: the price is for all "
            "its customers together, who share it by volume",
            required=True,
            choices=("population", "user", "organisation", "fixed"),
        ),
        _money("price", "price of one unit; of a fixed one blank = its cost", "currency/unit/year"),
        _money("cost", "what the service costs its provider, whoever buys it"),
    ),
    "Services that organisations are charged for.",
)

SUBSCRIPTIONS = TableSchema(
    "subscriptions",
    ("organisation", "package"),
    (
        Column("organisation", Kind.REF, "the customer", required=True, refers_to="organisations"),
        Column("package", Kind.REF, "what it buys", required=True, refers_to="packages"),
        Column(
            "volume",
            Kind.DECIMAL,
            "units, in the package's unit_basis; blank = the organisation's population, users or 1; of a fixed package "
            "the organisation's part, blank = its population",
            minimum=0,
        ),
        replace(_FROM, description="first day it is charged; blank = always has been"),
        replace(_TO, description="first day it is no longer charged; blank = stays"),
    ),
    "Which organisation buys which package.",
)

CORE = (
    ORGANISATIONS,
    SITES,
    WORKLOADS,
    PLACEMENTS,
    MOVE_COSTS,
    NODES,
    CIRCUITS,
    INTERFACES,
    EXPANSIONS,
    PACKAGES,
    SUBSCRIPTIONS,
    ALLOCATION,
)
