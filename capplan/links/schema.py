"""What the checks of links read beside the core tables."""

from __future__ import annotations

from capplan.inventory import Column, Kind, TableSchema


def _rate(name: str, description: str) -> Column:
    return Column(name, Kind.DECIMAL, description, minimum=0, unit="Mbit/s", inherits=False)


_SPEAKS = Column("speaks", Kind.WORDS, "standards with their versions that it accepts, such as hl7v2 2.4; fhir r4")

SCHEMAS = (
    TableSchema(
        "workloads",
        ("workload",),
        (
            _rate("mbps_down", "traffic from its site to its users"),
            _rate("mbps_up", "traffic from its users to its site"),
            _rate("replica_mbps", "of a replica: traffic from its primary to it"),
            Column("processing_ms", Kind.DECIMAL, "of an engine: what it adds to a round trip", minimum=0, unit="ms"),
            _SPEAKS,
            Column("transforms", Kind.WORDS, "of an engine: what it turns into what, such as hl7v2 2.4 > fhir r4"),
        ),
        "",
    ),
    TableSchema(
        "nodes",
        ("node",),
        (_SPEAKS, Column("zones", Kind.WORDS, "zones that may pass it (blank: all)")),
        "",
    ),
)
