"""Writing a run: ``run.json``, tables, their description and a copy of what was read, all of it or nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from errno import EACCES
from pathlib import Path

import yaml

from capplan.errors import BadInput, Fault, Faults, Place, Severity, UsageError, printable
from capplan.inventory import Inventory, write_csv
from capplan.load import read_inventory
from capplan.model import Model
from capplan.runs.beside import INPUTS, Beside, Given, read_beside
from capplan.runs.facts import decided, run_facts, times, versions
from capplan.runs.folder import partial_folder, publish_new, publish_over, recover, slug
from capplan.runs.package import data_package, digest
from capplan.runs.read import MODEL, PLAN, SOURCES, TABLES_COPIED, Run, is_run, read_run
from capplan.solving import Result
from capplan.tables import Output

RUNS = Path("runs")
OWN = frozenset({"run.json", "datapackage.json", "explanation.txt", "report.html", "inputs", "plan"})
"""What capplan puts into a run beside its tables."""


def write_run(  # noqa: PLR0913 - everything that belongs in the folder, by name
    result: Result,
    inventory: Inventory,
    model: Model,
    folder: Path | None,
    *,
    title: str,
    command: Sequence[str],
    warnings: Sequence[Fault],
    now: datetime,
    explanation_text: str = "",
    given: Given | None = None,
) -> Path:
    """Save what a solve came to, and return the folder it is in.

    ``given`` are the files beside the inventory that were solved with; ``inventory`` is then what they made of it.
    Without ``folder`` that is ``runs/<time>-<title>[-<scenario>]``, made unique. A folder given must not exist, or be
    empty, or hold a run of which nothing was edited: that is replaced. Raises UsageError where it is none of these or
    cannot be written. A warning ``input-changed`` in ``run.json`` says that files were edited while they were solved.
    """
    check_folder(folder)
    target = _named(title, model, now) if folder is None else _real(folder)
    when = times(now, result.seconds, command)
    beside = given or Given(inventory)
    contents = _Contents(result, inventory, model, title, tuple(warnings), explanation_text, when, beside)
    try:
        with partial_folder(target.parent) as partial:
            contents.write(partial)
            if folder is None:
                return publish_new(partial, target)
            check_folder(folder)
            publish_over(partial, target)
            return folder
    except OSError as error:
        raise UsageError(f"the run cannot be saved in {target}: {error.strerror or error}") from error


def _named(title: str, model: Model, now: datetime) -> Path:
    scenario = f"-{slug(model.scenario)}" if model.scenario else ""
    return RUNS / f"{now:%Y-%m-%dT%H-%M-%S}-{slug(title)}{scenario}"


def check_folder(folder: Path | None) -> None:
    """Raise UsageError if a run cannot be written to ``folder``; a command asks before it solves."""
    if folder is None:
        return
    target = _real(folder)
    try:
        _check_place(target)
        recover(target)
    except OSError as error:
        raise UsageError(f"the run cannot be saved in {folder}: {error.strerror or error}") from error
    if not os.path.lexists(target):
        return
    if not target.is_dir():
        raise UsageError(f"{folder} is a file; name a folder for the run")
    if Path.cwd().is_relative_to(target):
        raise UsageError(f"{folder} is the folder you are in, or holds it; name another for the run")
    if any(target.iterdir()):
        _check_replaceable(folder, target)


def _check_place(target: Path) -> None:
    """Raise OSError if no folder of that name can be made, or none be renamed to it."""
    with suppress(FileNotFoundError):
        target.lstat()  # a name that is too long, a parent that is a file
    above = next(parent for parent in (*target.parents, target) if parent.exists())
    if not os.access(above, os.W_OK | os.X_OK):
        raise PermissionError(EACCES, os.strerror(EACCES))


def _real(folder: Path) -> Path:
    """The folder without symbolic links; a link that leads out of its parent is refused."""
    target = Path(os.path.normpath(Path.cwd() / folder))
    parent, real = target.parent.resolve(), Path(os.path.realpath(target))
    if real.parent != parent:
        raise UsageError(f"{folder} is a link to {real}; name that folder itself")
    return real


def _check_replaceable(folder: Path, target: Path) -> None:
    """Only a run may be replaced, and nothing of the user's goes with it."""
    if not is_run(target):
        raise UsageError(f"{folder} is not empty and no run of capplan; name a folder that does not exist yet")
    run = read_run(target)
    foreign = sorted(path.name for path in target.iterdir() if path.name not in OWN | {f"{t}.csv" for t in run.listed})
    if foreign:
        raise UsageError(f"{folder} holds files that capplan did not write: {', '.join(foreign)}; move them away first")
    edited = run.edited()
    if edited:
        names = ", ".join(f"{name}.csv" for name in edited)
        raise UsageError(f"{folder} holds edited tables: {names}; move them away first, or name another folder")


@dataclass(frozen=True)
class _Contents:
    """What is written into a run."""

    result: Result
    inventory: Inventory
    model: Model
    title: str
    warnings: tuple[Fault, ...]
    explanation: str
    when: Mapping[str, object]
    given: Given

    def write(self, folder: Path) -> None:
        """Write everything into an empty folder."""
        hashes = _copy_inputs(folder, self.inventory, self.model, self.given.files)
        said = [*self.warnings, *_changed_since(folder, self.given, self.model)]
        tables = [(table, _write_table(folder, table)) for table in self.result.tables]
        files = self.given.files
        facts = run_facts(self.result, self.inventory, self.model, title=self.title, warnings=said, files=files)
        facts |= {"input_hashes": hashes, "plan_hashes": _write_plan(folder, self.result, tables)}
        _write_json(folder / "run.json", {**facts, "times": self.when, "versions": versions()})
        if tables:
            _write_json(folder / "datapackage.json", data_package(self.title, self.result.problem, tables))
        if self.explanation:
            (folder / "explanation.txt").write_bytes(self.explanation.rstrip("\n").encode() + b"\n")


def _write_table(folder: Path, table: Output) -> bytes:
    return write_csv(folder / f"{table.name}.csv", table.columns, table.rows, table.text)


def _write_json(path: Path, content: Mapping[str, object]) -> None:
    text = json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False)
    path.write_bytes(text.encode("utf-8") + b"\n")


def _copy_inputs(folder: Path, inventory: Inventory, model: Model, beside: Beside) -> dict[str, str]:
    """Copy the files that were read, byte by byte, and write the model as resolved; returns their hashes."""
    for place in (TABLES_COPIED, SOURCES):
        (folder / place).mkdir(parents=True)
    contents = _inputs(inventory.files, model, beside)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return {name: digest(content) for name, content in sorted(contents.items())}


def expected_inputs(files: Sequence[Path], model: Model) -> dict[str, str]:
    """The hashes of inputs that a run of these files of an inventory under this model would have."""
    return {name: digest(content) for name, content in sorted(_inputs(files, model, Beside()).items())}


def _inputs(files: Sequence[Path], model: Model, beside: Beside) -> dict[str, bytes]:
    """The content of every input, by its place in a run."""
    contents: dict[str, bytes] = {}
    for place, those in ((TABLES_COPIED, files), (SOURCES, model.files)):
        contents |= {f"{place}/{name}": file.read_bytes() for file, name in _unique(those) if file.is_file()}
    contents |= {name: file.read_bytes() for file, name in beside.copies()}
    return {**contents, MODEL: _model_text(model).encode("utf-8")}


def _unique(files: Sequence[Path]) -> list[tuple[Path, str]]:
    """Each file with a name of its own: the second ``model.yaml`` becomes ``model-2.yaml``."""
    taken: set[str] = set()
    named = []
    for file in files:
        name, number = file.name, 1
        while name.casefold() in taken:
            number += 1
            name = f"{file.stem}-{number}{file.suffix}"
        taken.add(name.casefold())
        named.append((file, name))
    return named


def _model_text(model: Model) -> str:
    scenario = f", scenario {model.scenario}" if model.scenario else ""
    comment = printable(f"# The model {model.name}{scenario} as resolved for this run, from the files in model-source.")
    content = {key: value for key, value in model.to_json().items() if value is not None}
    return f"{comment}\n{yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=100)}"


def _changed_since(folder: Path, given: Given, model: Model) -> list[Fault]:
    """A warning if the copies do not read as what was solved: somebody saved a file meanwhile."""
    try:
        inventory, faults = read_inventory(folder / TABLES_COPIED, model.overlay), Faults()
        files = given.files.at(folder)
        same = read_beside(files, Run.renamed(inventory, given.inventory.title), faults).says_the_same(given)
        faults.raise_errors()
    except BadInput:
        same = False
    if same:
        return []
    what = "the inventory, or a file given with it," if given.files.paths() else "the inventory"
    message = f"{what} was changed while it was solved; the plan belongs to what it was before"
    return [Fault(Place(INPUTS), "input-changed", message, "solve again", Severity.WARNING)]


def _write_plan(folder: Path, result: Result, contents: Sequence[tuple[Output, bytes]]) -> dict[str, str]:
    """The plan once more, apart from the tables that people edit; returns the hashes of its files.

    Of the purchases only the decided ones: the others follow from the plan.
    """
    if result.measured is None:
        return {}
    tables = {table.name: (table, content) for table, content in contents}
    bought = decided(tables["purchases"][0], result.measured)
    files = {
        "allocation": tables["allocation"][1],
        "purchases": write_csv(None, bought.columns, bought.rows, bought.text),
    }
    (folder / PLAN).mkdir()
    for name, content in files.items():
        (folder / PLAN / f"{name}.csv").write_bytes(content)
    return {f"{PLAN}/{name}.csv": digest(content) for name, content in files.items()}
