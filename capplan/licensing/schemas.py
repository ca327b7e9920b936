"""Tables and columns that licences bring."""

from __future__ import annotations

from capplan.inventory import Column, Kind, TableSchema

POOLED = ("pool", "appliance", "machine_core")
"""Metrics that simply add up over workloads; parts of them can be reserved."""
PEOPLE = ("user", "device", "named_user")
"""Metrics for which the people of an organisation count once."""
CHARGED = ("site", "organisation")
"""Metrics that are charged for what is used rather than held."""
HOSTED = ("core", "standard_core", "server", "processor", "socket")
"""Metrics that count hosts, not workloads."""
METRICS = (*POOLED, "concurrent", *PEOPLE, "population", *CHARGED, *HOSTED)

_LICENCES = TableSchema(
    "licences",
    ("licence",),
    (
        Column("licence", Kind.ID, "its id", required=True),
        Column("name", Kind.TEXT, "what people call it"),
        Column("metric", Kind.CHOICE, "how it is counted", required=True, choices=METRICS),
        Column("terms", Kind.TEXT, "whose terms give its minimums and factors, such as sql-server-vm; blank = none"),
        Column("owned", Kind.COUNT, "how many are owned", default="0", minimum=0),
        Column("pack", Kind.COUNT, "how many one pack gives", default="1", minimum=1),
        Column(
            "pack_cost",
            Kind.DECIMAL,
            "price of a pack for a year; metrics site and organisation: charge for each that is used",
            default="0",
            minimum=0,
        ),
        Column("pack_cost_once", Kind.DECIMAL, "one-off price of a pack", minimum=0, unit="currency"),
        Column(
            "kind",
            Kind.CHOICE,
            "yearly: packs are bought per period; durable: once bought they stay",
            choices=("yearly", "durable"),
            default="yearly",
        ),
        Column("max_packs", Kind.COUNT, "most packs that can be bought (blank: any number)", minimum=0),
        Column("organisations", Kind.REFS, "organisations in its scope (blank: all)", refers_to="organisations"),
        Column("sites", Kind.REFS, "sites in its scope (blank: all)", refers_to="sites"),
        Column("countries", Kind.WORDS, "countries in its scope (blank: all)"),
        Column("from", Kind.DATE, "first day on which it counts"),
        Column("to", Kind.DATE, "day from which it no longer counts"),
        Column(
            "datacenter",
            Kind.REF,
            "metric standard_core: the edition that may be taken instead, host group by host group",
            refers_to="licences",
        ),
        Column("assurance", Kind.FLAG, "has software assurance or is a subscription", default="no"),
        Column(
            "partitioning",
            Kind.CHOICE,
            "metric processor: soft counts every host that can be reached, hard the workload's own cores",
            choices=("soft", "hard"),
            default="soft",
        ),
        Column(
            "mobility",
            Kind.CHOICE,
            "any: moves freely; farm: at the few sites that its terms allow; none: moves once in its terms' days",
            choices=("any", "farm", "none"),
            default="any",
        ),
        Column("assigned", Kind.DATE, "mobility none: day on which it was last assigned to a host"),
        Column("bring_own", Kind.FLAG, "customers bring their own: needs hosts that are theirs alone", default="no"),
    ),
    "Licences that workloads need.",
)

_NEEDS = TableSchema(
    "licence_needs",
    ("workload", "licence"),
    (
        Column("workload", Kind.REF, "the workload that needs it", required=True, refers_to="workloads"),
        Column("licence", Kind.REF, "the licence", required=True, refers_to="licences"),
        Column(
            "quantity",
            Kind.COUNT,
            "how many it needs; of machines and hosts: its machines; of users and devices: blank = its users",
            default="1",
            minimum=0,
        ),
    ),
    "Which workload needs how many of which licence.",
)

_PEAKS = TableSchema(
    "licence_peaks",
    ("workload", "licence", "time"),
    (
        Column("workload", Kind.REF, "the workload", required=True, refers_to="workloads"),
        Column("licence", Kind.REF, "a licence of metric concurrent", required=True, refers_to="licences"),
        Column("time", Kind.TEXT, "time of day or week, such as morning", required=True),
        Column("users", Kind.COUNT, "its users at that time", required=True, minimum=0),
    ),
    "Concurrent users by time: what counts is the largest total at one time.",
)

_RESERVES = TableSchema(
    "licence_reserves",
    ("licence", "organisation"),
    (
        Column("licence", Kind.REF, "a pool", required=True, refers_to="licences"),
        Column("organisation", Kind.REF, "for whom", required=True, refers_to="organisations"),
        Column("reserved", Kind.COUNT, "how many nobody else may use", required=True, minimum=0),
    ),
    "Parts of a shared pool that are kept for an organisation.",
)

_SHARED_PEOPLE = TableSchema(
    "licence_people",
    ("licence", "organisation", "other"),
    (
        Column("licence", Kind.REF, "a licence for people or devices", required=True, refers_to="licences"),
        Column("organisation", Kind.REF, "one organisation", required=True, refers_to="organisations"),
        Column("other", Kind.REF, "another one", required=True, refers_to="organisations"),
        Column("people", Kind.COUNT, "how many belong to both", required=True, minimum=0),
    ),
    "People of two organisations, who count once where both have workloads that need the licence.",
)

_TERMS = TableSchema(
    "licence_terms",
    ("terms", "figure", "from"),
    (
        Column("terms", Kind.TEXT, "name of the terms", required=True),
        Column("figure", Kind.TEXT, "name of the figure, such as per_processor", required=True),
        Column("from", Kind.DATE, "first day on which it holds; blank = always has"),
        Column("value", Kind.DECIMAL, "the figure", required=True, minimum=0),
        Column("source", Kind.TEXT, "the document that says so, with its date"),
    ),
    "Figures of your own contracts, in place of those that come with capplan.",
)

_HOSTS = TableSchema(
    "hosts",
    ("host_group",),
    (
        Column("host_group", Kind.ID, "its id", required=True),
        Column("name", Kind.TEXT, "what people call it"),
        Column("site", Kind.REF, "where it stands", required=True, refers_to="sites"),
        Column("platform", Kind.TEXT, "which workloads run here: those of the same platform at this site"),
        Column("hosts", Kind.COUNT, "number of equal hosts", required=True, minimum=1),
        Column("processors", Kind.COUNT, "processors in each host", default="2", minimum=1),
        Column("cores", Kind.COUNT, "physical cores of each processor", required=True, minimum=1),
        Column("sockets", Kind.COUNT, "sockets of each host, empty ones too; blank = processors", minimum=1),
        Column("processor", Kind.TEXT, "kind of processor in tables of core factors", default="x86"),
        Column("cluster", Kind.TEXT, "groups between which machines can move; blank = this group alone"),
        Column("failures", Kind.COUNT, "hosts that may fail: the others then run all machines", default="0", minimum=0),
        Column("licensed", Kind.REFS, "licences whose use here is covered already", refers_to="licences"),
        Column("dedicated_to", Kind.REF, "the only organisation whose workloads run here", refers_to="organisations"),
        Column("listed_provider", Kind.FLAG, "run by a provider that customers' own licences exclude", default="no"),
    ),
    "Host groups of sites, for licences that count hosts.",
)

_WORKLOADS = TableSchema(
    "workloads",
    ("workload",),
    (Column("platform", Kind.TEXT, "the host group it runs on at a site: that of the same platform"),),
    "",
)

SCHEMAS = (_LICENCES, _NEEDS, _PEAKS, _RESERVES, _SHARED_PEOPLE, _TERMS, _HOSTS, _WORKLOADS)
