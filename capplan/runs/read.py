"""Reading runs: one of them with its inputs, plan and tables, or a list of those in a folder."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from capplan.compile import problem_of
from capplan.errors import BadInput, Fault, Faults, Place, Severity, UsageError, did_you_mean
from capplan.inventory import Allocation, Inventory
from capplan.inventory.cells import unquoted
from capplan.load import read_inventory, read_model
from capplan.model import Model
from capplan.problem import NOWHERE, Plan, Problem
from capplan.runs.beside import INPUTS, Beside, Given, read_beside
from capplan.runs.facts import FORMAT_VERSION
from capplan.runs.folder import recover
from capplan.runs.package import digest

PLAN = "plan"
TABLES_COPIED, SOURCES, MODEL = f"{INPUTS}/inventory", f"{INPUTS}/model-source", f"{INPUTS}/model.yaml"
FIX = "solve again to get a whole run"

Row = dict[str, str]


@dataclass(frozen=True)
class Run:
    """A run folder. ``info`` is its ``run.json``, whose amounts are JSON numbers."""

    folder: Path
    info: Mapping[str, Any]

    def inventory(self) -> Inventory:
        """The inventory that was solved: its scenario applied, and where all was at the start.

        Raises BadInput if the copy was damaged.
        """
        return self._inventory

    def model(self) -> Model:
        """The model that was solved, its scenario chosen. Raises BadInput if the copy was damaged."""
        return self._model

    def problem(self) -> Problem:
        """The planning problem that was solved."""
        return self._problem

    def keep(self) -> Allocation | None:
        """The placements that were to stay; None where none were given."""
        return self._given.keep

    def start(self) -> Plan | None:
        """The plan that the search was started from; None where none was given."""
        return self._given.start(self._problem, Faults())

    @property
    def _inventory(self) -> Inventory:
        return self._given.inventory

    @cached_property
    def _given(self) -> Given:
        inventory = read_inventory(self.folder / TABLES_COPIED, self._model.overlay)
        told, faults = (self.info.get("from"), self.info.get("pin")), Faults()
        files = Beside.copied(self.folder, *map(bool, told), bought=bool(told[0] and told[0].get("purchases")))
        missing = next((path for path in files.paths() if not path.is_file()), None)
        if missing is not None:
            raise damaged(missing, "a file that was solved with is missing")
        given = read_beside(files, self.renamed(inventory, self.info["inventory"]["title"]), faults)
        faults.raise_errors()
        return given

    @staticmethod
    def renamed(inventory: Inventory, title: str) -> Inventory:
        """A copy under its title: one that names none is called by its folder."""
        return replace(inventory, title=title)

    @cached_property
    def _model(self) -> Model:
        path = self.folder / MODEL
        if not path.is_file():
            raise damaged(path, "the model of this run is missing")
        told = self.info["model"]
        try:
            return replace(read_model(path.resolve(), told["scenario"]), name=told["name"])
        except UsageError as error:
            raise damaged(path, str(error)) from error

    @cached_property
    def _problem(self) -> Problem:
        return problem_of(self._inventory, self._model, keep=self.keep())

    def altered(self) -> list[Fault]:
        """Warnings for copies of the inputs that are no longer what was solved."""
        fix = "what follows is measured with it as it is now; solve again to plan with it"
        return [
            Fault(Place(str(path)), "altered-input", "changed since the run was solved", fix, Severity.WARNING)
            for path, was in ((self.folder / name, told) for name, told in self.info["input_hashes"].items())
            if path.is_file() and digest(path.read_bytes()) != was
        ]

    def plan(self) -> Plan | None:
        """The plan as it was found, whatever was edited in the tables since; None where there is none.

        Raises BadInput where it was changed or lost.
        """
        if not self.info["plan_hashes"]:
            return None
        try:
            return self._plan()
        except KeyError as error:
            raise damaged(self.folder / INPUTS, f"the inputs no longer have {error} of the plan") from error

    def _plan(self) -> Plan:
        problem = self._problem
        site = np.full(len(problem.workloads), NOWHERE, dtype=np.int64)
        for row in self._plan_rows("allocation"):
            if row["site"]:
                site[problem.workloads.row(row["workload"])] = problem.sites.row(row["site"])
        bought = {}
        for row in self._plan_rows("purchases"):
            where = problem.sites.row(row["site"]) if row["site"] else -1
            bought[row["purchase"], where, problem.periods.number(row["period"])] = int(row["steps"])
        site.setflags(write=False)
        return Plan(site, bought)

    def _plan_rows(self, name: str) -> list[Row]:
        path = self.folder / PLAN / f"{name}.csv"
        content = path.read_bytes() if path.is_file() else b""
        if digest(content) != self.info["plan_hashes"].get(f"{PLAN}/{name}.csv"):
            raise damaged(path, "this is not the plan as it was found")
        return _rows(path, content)

    @cached_property
    def listed(self) -> dict[str, str]:
        """The hash of each table as it was written, by name; none without a plan."""
        path = self.folder / "datapackage.json"
        if not path.is_file():
            return {}
        with suppress(ValueError, KeyError, TypeError):
            resources = json.loads(path.read_bytes())["resources"]
            return {one["name"]: one["hash"].removeprefix("sha256:") for one in resources}
        raise damaged(path, "the description of the tables cannot be read")

    def edited(self) -> list[str]:
        """Tables that are not as they were written, or gone, in the order in which they are described."""
        return [name for name, written in self.listed.items() if digest(self._content(name)) != written]

    def _content(self, name: str) -> bytes:
        path = self.folder / f"{name}.csv"
        return path.read_bytes() if path.is_file() else b""

    @property
    def tables(self) -> list[str]:
        """Names of the tables that are there, in the order in which they are described."""
        found = sorted(path.stem for path in self.folder.glob("*.csv"))
        return [*(name for name in self.listed if name in found), *(name for name in found if name not in self.listed)]

    def table(self, name: str) -> list[Row]:
        """A table as it is now, cells as text. Raises UsageError if there is none, BadInput if it cannot be read."""
        if name not in self.tables:
            known = ", ".join(self.tables) or f"none, because it is {self.info['status']}"
            hint = did_you_mean(name, self.tables, f"its tables: {known}")
            raise UsageError(f'the run {self.folder} has no table "{name}"; {hint}')
        path = self.folder / f"{name}.csv"
        return _rows(path, path.read_bytes())


@dataclass(frozen=True)
class RunInfo:
    """One line about a run. ``broken`` says what is wrong with one that cannot be read; the rest is then empty."""

    folder: Path
    started: str = ""
    title: str = ""
    scenario: str | None = None
    status: str = ""
    gap: float | None = None
    cost: float | None = None
    currency: str = ""
    broken: str = ""


def read_run(folder: Path | str) -> Run:
    """Read a run. Raises UsageError where there is none, BadInput where it is damaged."""
    folder = Path(folder)
    recover(Path(os.path.normpath(Path.cwd() / folder)))
    if not (folder / "run.json").is_file():
        raise UsageError(f"{folder} is no run: {_hint(folder)}")
    return Run(folder, _info(folder / "run.json"))


def _hint(folder: Path) -> str:
    if folder.name == "run.json":
        return f"name its folder, {folder.parent}"
    if folder.is_dir():
        return "it has no run.json; capplan solve writes runs, capplan runs lists them"
    found = [path.parent.name for path in folder.parent.glob("*/run.json")] if folder.parent.is_dir() else []
    return f"there is no such folder; {did_you_mean(folder.name, found, 'capplan runs lists the runs there are')}"


def _info(path: Path) -> Mapping[str, Any]:
    """A ``run.json`` that has what readers rely on."""
    try:
        info = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise damaged(path, f"this is no JSON: {error}") from error
    if not _is_ours(info):
        raise damaged(path, "capplan did not write this")
    if info["format_version"] != FORMAT_VERSION:
        message = f"format_version {info['format_version']} is not known to capplan {FORMAT_VERSION}"
        raise BadInput([Fault(Place(str(path)), "unknown-format", message, "use the version of capplan that wrote it")])
    told = info.get("inventory"), info.get("model")
    named = all(isinstance(one, dict) for one in told) and "title" in told[0] and {"name", "scenario"} <= told[1].keys()
    if not named or not isinstance(info.get("plan_hashes"), dict) or not isinstance(info.get("times"), dict):
        raise damaged(path, "part of it is missing")
    return dict(info)


def _is_ours(info: object) -> bool:
    if not isinstance(info, dict) or not isinstance(info.get("versions"), dict):
        return False
    return "format_version" in info and isinstance(info.get("status"), str) and "capplan" in info["versions"]


def is_run(folder: Path | str) -> bool:
    """Whether the folder holds a run of capplan."""
    path = Path(folder) / "run.json"
    with suppress(OSError, ValueError, RecursionError):
        return _is_ours(json.loads(path.read_bytes()))
    return False


def list_runs(folder: Path | str = Path("runs")) -> list[RunInfo]:
    """The runs in a folder, oldest first; those that cannot be read come last and say why."""
    found = [_line(path.parent) for path in Path(folder).glob("*/run.json") if not path.parent.name.startswith(".")]
    return sorted(found, key=lambda run: (bool(run.broken), _moment(run.started), run.folder.name))


def _line(folder: Path) -> RunInfo:
    try:
        info = read_run(folder).info
        money = (info.get("cost") or {}).get("total")
        return RunInfo(
            folder,
            info["times"]["started"],
            info["title"],
            info["model"]["scenario"],
            info["status"],
            info.get("gap"),
            money,
            info["inventory"].get("currency", ""),
        )
    except BadInput as error:
        return RunInfo(folder, broken=error.faults[0].message)
    except (KeyError, OSError, UsageError) as error:
        return RunInfo(folder, broken=f"part of it is missing: {error}")


def _moment(started: str) -> datetime:
    with suppress(ValueError):
        return datetime.fromisoformat(started).astimezone(UTC)
    return datetime.max.replace(tzinfo=UTC)


def read_table(path: Path) -> list[Row]:
    """A table as capplan writes it, cells as text. Raises BadInput where it cannot be read."""
    return _rows(path, path.read_bytes())


def _rows(path: Path, content: bytes) -> list[Row]:
    """The rows of a table as capplan writes it; cells without the apostrophe that guards formulas."""
    try:
        reader = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        header = next(reader, [])
        return [{name: unquoted(cell) for name, cell in zip(header, row, strict=True)} for row in reader if row]
    except (csv.Error, ValueError) as error:
        fix = "save it as CSV UTF-8, separated by commas"
        raise BadInput([Fault(Place(str(path)), "csv-syntax", f"this table cannot be read: {error}", fix)]) from error


def damaged(path: Path, message: str) -> BadInput:
    """The fault of a run that is not whole."""
    return BadInput([Fault(Place(str(path)), "damaged-run", message, FIX)])
