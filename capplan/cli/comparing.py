"""``capplan compare`` and ``capplan diff``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from capplan.cli.command import Exit
from capplan.cli.comparison_json import comparison_json, difference_json
from capplan.cli.comparison_text import comparison_text, difference_text
from capplan.cli.faults import complain
from capplan.cli.jobs import all_done
from capplan.cli.terminal import Terminal
from capplan.cli.without_plan import without_plan_text
from capplan.comparing import Subject, subject_of
from capplan.comparing import compare as compare_subjects
from capplan.comparing import diff as diff_subjects
from capplan.errors import BadInput, Fault, UsageError
from capplan.jobs import Done, Job, Tuning, do
from capplan.runs import is_run, read_run
from capplan.runs.folder import slug
from capplan.tasks import model_named


@dataclass(frozen=True)
class Wanted:
    """What the command line asked for."""

    subjects: tuple[Path, ...]
    model: str | None
    output: Path | None
    jobs: int | None
    tuning: Tuning


def compare(terminal: Terminal, wanted: Wanted, *, as_json: bool) -> int:
    """Solve what is not solved yet, and print everything side by side."""
    if len(wanted.subjects) < 2:
        raise UsageError("there is nothing to compare with; name two or more inventories or runs")
    names = _names(wanted.subjects)
    folders = _solved(terminal, wanted, names)
    subjects = [subject_of(read_run(folder), name) for folder, name in zip(folders, names, strict=True)]
    complain(terminal, [fault for subject in subjects for fault in subject.run.altered()])
    compared = compare_subjects(subjects)
    if as_json:
        terminal.say_json(comparison_json(compared))
    else:
        terminal.page(comparison_text(compared))
    return Exit.DONE


def diff(terminal: Terminal, one: Path, other: Path, undone: int, *, as_json: bool) -> int:
    """Print what moves from one run's plan to the other's."""
    subjects: list[Subject] = [
        subject_of(read_run(path), name) for path, name in zip((one, other), _names((one, other)), strict=True)
    ]
    complain(terminal, [fault for subject in subjects for fault in subject.run.altered()])
    found = diff_subjects(subjects[0], subjects[1], undone)
    if as_json:
        terminal.say_json(difference_json(found))
    else:
        terminal.page(difference_text(found))
    return Exit.DONE


def _names(paths: Sequence[Path]) -> list[str]:
    """The folder's name of each path, the whole path where names are the same; numbered where even that is."""
    names = [path.resolve().name for path in paths]
    whole = [name if names.count(name) == 1 else str(path) for path, name in zip(paths, names, strict=True)]
    return [
        name if whole.count(name) == 1 else f"{name} ({whole[: i + 1].count(name)})" for i, name in enumerate(whole)
    ]


def _solved(terminal: Terminal, wanted: Wanted, names: Sequence[str]) -> list[Path]:
    """The run of each subject; inventories are solved first, all under one model."""
    folders: list[Path | None] = [path if is_run(path) else None for path in wanted.subjects]
    open_ones = [i for i, folder in enumerate(folders) if folder is None]
    if wanted.model is not None and not open_ones:
        raise UsageError("runs keep the model they were solved with; name inventories to compare them under a model")
    model = wanted.model or _one_model(terminal, [wanted.subjects[i] for i in open_ones])
    jobs = [
        Job(
            wanted.subjects[i],
            model,
            None if wanted.output is None else wanted.output / slug(names[i]),
            tuning=wanted.tuning,
            command=tuple(sys.argv[1:]),
            explain=without_plan_text,
        )
        for i in open_ones
    ]
    faults: list[Fault] = []
    for number, done in all_done(terminal, do, jobs, wanted.jobs, lambda i, done: _news(names[open_ones[i]], done)):
        folders[open_ones[number]] = done.folder
        faults += done.faults
    if faults:
        raise BadInput(sorted(faults))
    return [folder for folder in folders if folder is not None]


def _news(name: str, done: Done) -> str:
    return f"{name} {done.status}" + (f", saved in {done.folder}" if done.folder else "")


def _one_model(terminal: Terminal, inventories: Sequence[Path]) -> str | None:
    """The model that the first inventory names, for all of them; said where another names another."""
    if not inventories:
        return None
    models = [model_named(folder) for folder in inventories]
    others = [folder for folder, model in zip(inventories, models, strict=True) if not _alike(model, models[0])]
    if others:
        named = ", ".join(map(str, others))
        terminal.note(f"all are planned under {models[0]}, the model of {inventories[0]}, not their own: {named}")
    return models[0]


def _alike(one: str, other: str) -> bool:
    """Whether two names of models mean the same, be it two copies of one file."""
    paths = Path(one), Path(other)
    return one == other or (all(map(Path.is_file, paths)) and paths[0].read_bytes() == paths[1].read_bytes())
