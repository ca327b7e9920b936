"""Small inventory folders for tests, written as real files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from capplan.errors import Fault, Faults
from capplan.inventory import Column, Inventory, Kind, TableSchema, read_inventory
from capplan.overlay import Overlay

YAML = "format: 1\ntitle: Small\ncurrency: GBP\nas_of: 2016-04-01\n"
GOOD = {
    "inventory.yaml": YAML,
    "organisations": "organisation,name\nO1,One\nO2,Two\n",
    "sites": "site,name,power_kw,cost_power_kw\nA,Ay,68.5,100\nB,Bee,11,120.50\n",
    "workloads": "workload,organisation,power_kw\nW1,O1,3.4\nW2,O2,1.5\n",
}

# What the rules `latency`, `allowed` and `licences` bring, written out by hand.
EXTRA = (
    TableSchema(
        "workloads",
        (),
        (
            Column("max_rtt_ms", Kind.DECIMAL, "longest round trip", minimum=0, unit="ms"),
            Column("allowed_sites", Kind.REFS, "where it may be", refers_to="sites"),
            Column("forbidden_sites", Kind.REFS, "where it may not be", refers_to="sites"),
            Column("countries", Kind.WORDS, "countries it may be in"),
            Column("pinned_site", Kind.REF, "where it must be", refers_to="sites"),
            Column("failover_", Kind.QUANTITY, "need after the loss of a site", per_resource=True),
        ),
        "",
    ),
    TableSchema("placements", (), (Column("allowed", Kind.FLAG, "may be", default="yes"),), ""),
    TableSchema("sites", (), (Column("fill_", Kind.QUANTITY, "least use", per_resource=True),), ""),
    TableSchema(
        "licences",
        ("licence",),
        (
            Column("licence", Kind.ID, "its id", required=True),
            Column("metric", Kind.CHOICE, "what is counted", required=True, choices=("pool", "site")),
            Column("owned", Kind.COUNT, "owned", default="0", minimum=0),
            Column("organisations", Kind.REFS, "scope", refers_to="organisations"),
        ),
        "Licences.",
    ),
    TableSchema(
        "licence_needs",
        ("workload", "licence"),
        (
            Column("workload", Kind.REF, "who", required=True, refers_to="workloads"),
            Column("licence", Kind.REF, "what", required=True, refers_to="licences"),
            Column("quantity", Kind.COUNT, "how many", default="1", minimum=0),
        ),
        "Who needs them.",
    ),
)


def write_folder(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write the good inventory with some files replaced, added, or (if empty text) left out."""
    folder.mkdir(exist_ok=True)
    for name, content in {**GOOD, **files}.items():
        path = folder / (name if "." in name else f"{name}.csv")
        if content:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def read(folder: Path, files: Mapping[str, str | bytes] | None = None, overlay: Overlay | None = None) -> Inventory:
    """Write and read one inventory; any fault, warnings too, fails the test."""
    faults = Faults()
    inventory = read_inventory(write_folder(folder, files or {}), EXTRA, overlay, faults)
    assert [str(fault) for fault in faults.sorted()] == []
    return inventory


def faults_of(folder: Path, files: Mapping[str, str | bytes], overlay: Overlay | None = None) -> list[Fault]:
    """Every fault of one inventory, in file order, files named without their folder."""
    faults = Faults()
    read_inventory(write_folder(folder, files), EXTRA, overlay, faults)
    return faults.sorted()


def told(folder: Path, fault: Fault) -> str:
    """A fault as ``file:line:column code``, the file without its folder."""
    place = str(fault.place).removeprefix(f"{folder}/")
    return f"{place} {fault.code}"
