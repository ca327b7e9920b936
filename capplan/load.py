"""Reading what the verbs need, with the columns and options that the rules bring."""

from __future__ import annotations

from pathlib import Path

from capplan.errors import Faults, Place
from capplan.goals import GOALS
from capplan.inventory import CORE, Inventory, TableSchema
from capplan.inventory import read_inventory as _read_inventory
from capplan.inventory.schema import merged
from capplan.inventory.settings import FILE
from capplan.located import Located
from capplan.model import Model
from capplan.model import read_model as _read_model
from capplan.overlay import Overlay
from capplan.rules import RULES

STANDARD = "standard"


def rule_schemas() -> tuple[TableSchema, ...]:
    """Tables and columns that the rules bring."""
    return tuple(schema for rule in RULES.values() for schema in rule.schemas)


def inventory_files(folder: Path) -> list[Path]:
    """The files of an inventory folder that ``read_inventory`` reads: inventory.yaml and the tables that are there."""
    names = (f"{name}.csv" for name in merged(CORE, rule_schemas()))
    return [path for path in (folder / FILE, *(folder / name for name in names)) if path.is_file()]


def read_inventory(folder: str | Path, overlay: Overlay | None = None, faults: Faults | None = None) -> Inventory:
    """Read an inventory folder, every column of every rule included.

    Raises BadInput with every fault found; with ``faults`` given they are recorded there instead where possible.
    """
    return _read_inventory(Path(folder), rule_schemas(), overlay, faults)


def read_model(
    source: str | Path = STANDARD,
    scenario: str | None = None,
    relative_to: Path | None = None,
    faults: Faults | None = None,
    named_at: Place | None = None,
    changes: Located | None = None,
) -> Model:
    """Read a planning model: a shipped name or a path; see ``capplan.model.read_model``."""
    options = {name: rule.options for name, rule in RULES.items()}
    return _read_model(
        source,
        rules=options,
        goals=GOALS.keys(),
        scenario=scenario,
        relative_to=relative_to,
        faults=faults,
        named_at=named_at,
        changes=changes,
    )
