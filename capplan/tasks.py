"""Reading an inventory together with its model, so that the faults of both are told at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from capplan.compile import problem_of
from capplan.errors import Fault, Faults, Place, UsageError, did_you_mean
from capplan.inventory import Inventory
from capplan.inventory.settings import FILE
from capplan.load import STANDARD, read_inventory, read_model
from capplan.located import Retyped, read_yaml
from capplan.model import Model
from capplan.model.adhoc import Asked, changes_of
from capplan.model.layers import is_name
from capplan.problem import Plan
from capplan.runs import Beside, Given, read_beside, read_run


@dataclass(frozen=True)
class Task:
    """What is to be planned, and everything suspicious or wrong that was found in it.

    ``given`` is what files beside the inventory say, ``start`` the plan to start from where one is among them.
    """

    inventory: Inventory
    model: Model
    faults: Faults
    given: Given
    start: Plan | None = None

    @property
    def warnings(self) -> list[Fault]:
        """What is suspicious and changes nothing."""
        return self.faults.sorted()


def read_task(
    folder: Path,
    model: str | None,
    scenario: str | None,
    files: Beside | None = None,
    asked: Asked | None = None,
) -> Task:
    """Read an inventory and the model to plan it with: ``model``, else the inventory's own, else ``standard``.

    ``scenario`` and what is ``asked`` for besides change them. Raises BadInput with every fault of both and of the
    ``files`` given with them, contradictions between them included.
    """
    faults = Faults()
    task = read_faulty(folder, model, scenario, faults, files, asked)
    faults.raise_errors()
    return task


def read_faulty(
    folder: Path,
    model: str | None,
    scenario: str | None,
    faults: Faults,
    files: Beside | None = None,
    asked: Asked | None = None,
) -> Task:
    """The same with all faults recorded; the result means something only if none of them is an error."""
    _check_folder(folder)
    # The model first: its scenario may change cells of the inventory.
    chosen = chosen_model(folder, model, scenario, faults, asked)
    inventory = read_inventory(folder, chosen.overlay, faults)
    given = read_beside(files or Beside(), inventory, faults)
    problem = None if faults.has_errors else problem_of(given.inventory, chosen, faults, given.keep)
    start = None if problem is None or faults.has_errors else given.start(problem, faults)
    return Task(given.inventory, chosen, faults, given, start)


def files_named(start: Path | None, pin: Path | None) -> Beside:
    """The files that a command names: a run's folder or an allocation, and placements to keep.

    Raises UsageError for paths that are neither.
    """
    if pin is not None:
        _check_file(pin, "name an allocation.csv")
    if start is None:
        return Beside(pin=pin)
    if not start.is_dir():
        _check_file(start, "name a run's folder or an allocation.csv")
        return Beside(start, None, pin, start.name)
    run = read_run(start)
    if "allocation" not in run.tables:
        raise UsageError(f"{start} has no plan to start from ({run.info['status']})")
    purchases = start / "purchases.csv" if "purchases" in run.tables else None
    return Beside(start / "allocation.csv", purchases, pin, start.resolve().name)


def _check_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    if folder.exists():
        raise UsageError(f"{folder} is a file; name the inventory's folder")
    near = [other.name for other in folder.parent.glob("*/") if (other / FILE).is_file()]
    raise UsageError(f"there is no folder {folder}; {did_you_mean(folder.name, near, 'name an inventory')}")


def _check_file(path: Path, fix: str) -> None:
    if path.is_dir():
        raise UsageError(f"{path} is a folder; {fix}")
    if not path.exists():
        near = [other.name for other in path.parent.glob("*")] if path.parent.is_dir() else []
        raise UsageError(f"there is no {path}; {did_you_mean(path.name, near, fix)}")


def chosen_model(
    folder: Path, model: str | None, scenario: str | None, faults: Faults, asked: Asked | None = None
) -> Model:
    """The model to plan an inventory with: the one named, else the inventory's own, else ``standard``."""
    changes = changes_of(asked, faults) if asked is not None else None
    if model is not None:
        return read_model(model, scenario, faults=faults, changes=changes)
    named = _named_model(folder)
    if named is None:
        return read_model(STANDARD, scenario, faults=faults, changes=changes)
    name, place = named
    return read_model(name, scenario, relative_to=folder, faults=faults, named_at=place, changes=changes)


def model_named(folder: Path) -> str:
    """What to give as the name of the model that an inventory is planned under by itself."""
    _check_folder(folder)
    named = _named_model(folder)
    if named is None:
        return STANDARD
    name, _ = named
    return name if is_name(name) else str(folder / name)


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
