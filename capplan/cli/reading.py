"""Reading an inventory together with its model, so that the faults of both are told at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from capplan.compile import problem_of
from capplan.errors import Fault, Faults, Place
from capplan.inventory import Inventory
from capplan.inventory.settings import FILE
from capplan.load import STANDARD, read_inventory, read_model
from capplan.located import Retyped, read_yaml
from capplan.model import Model


@dataclass(frozen=True)
class Task:
    """What is to be planned, and everything suspicious or wrong that was found in it."""

    inventory: Inventory
    model: Model
    faults: Faults

    @property
    def warnings(self) -> list[Fault]:
        """What is suspicious and changes nothing."""
        return self.faults.sorted()


def read_task(folder: Path, model: str | None, scenario: str | None, *, strict: bool = False) -> Task:
    """Read an inventory and the model to plan it with: ``model``, else the inventory's own, else ``standard``.

    Raises BadInput with every fault of both, contradictions between them included; with ``strict`` warnings count too.
    """
    faults = Faults()
    task = read_faulty(folder, model, scenario, faults)
    if strict:
        faults.promote_warnings()
    faults.raise_errors()
    return task


def read_faulty(folder: Path, model: str | None, scenario: str | None, faults: Faults) -> Task:
    """The same with all faults recorded; the result means something only if none of them is an error."""
    # The model first: its scenario may change cells of the inventory.
    chosen = _own_model(folder, scenario, faults) if model is None else read_model(model, scenario, faults=faults)
    inventory = read_inventory(folder, chosen.overlay, faults)
    if not faults.has_errors:
        problem_of(inventory, chosen, faults)
    return Task(inventory, chosen, faults)


def _own_model(folder: Path, scenario: str | None, faults: Faults) -> Model:
    named = _named_model(folder)
    if named is None:
        return read_model(STANDARD, scenario, faults=faults)
    name, place = named
    return read_model(name, scenario, relative_to=folder, faults=faults, named_at=place)


def _named_model(folder: Path) -> tuple[str, Place] | None:
    """The model that an inventory names, and where; what is wrong with the file its reader will say."""
    path = folder / FILE
    document = read_yaml(path, Faults(), str(path)) if path.is_file() else None
    if document is None or not isinstance(document.value, dict):
        return None
    name = document.value.get("model")
    if not isinstance(name, str) or isinstance(name, Retyped) or not name:
        return None
    return name, document.place(("model",))
