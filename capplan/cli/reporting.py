"""``capplan report``."""

from __future__ import annotations

import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from capplan.cli.comparing import names_of
from capplan.cli.faults import complain
from capplan.cli.terminal import Terminal
from capplan.comparing import compare, subject_of
from capplan.errors import UsageError
from capplan.report import comparison_report, run_report, sweep_report
from capplan.runs import read_run
from capplan.sweeping.sweep import FILE as SWEEP

NAME, COMPARED = "report.html", Path("comparison.html")


def report(terminal: Terminal, folders: Sequence[Path], output: Path | None, *, show: bool) -> int:
    """Write the page of a run, of a sweep, or of several runs compared, and say where it is."""
    target, page = _page(terminal, folders)
    target = target if output is None else output
    if target.is_dir():
        raise UsageError(f"{target} is a folder; name a file such as {target / NAME}")
    with whole_file(target) as partial:
        partial.write_bytes(page.encode("utf-8"))
    terminal.say(str(target))
    if show:
        webbrowser.open(target.resolve().as_uri())
    return 0


def _page(terminal: Terminal, folders: Sequence[Path]) -> tuple[Path, str]:
    """Where the page goes unless somebody says otherwise, and the page."""
    first = folders[0]
    if len(folders) == 1 and (first / SWEEP).is_file():
        return first / NAME, sweep_report(first)
    runs = [read_run(folder) for folder in folders]
    complain(terminal, [fault for run in runs for fault in run.altered()])
    if len(runs) == 1:
        return first / NAME, run_report(runs[0])
    subjects = [subject_of(run, name) for run, name in zip(runs, names_of(folders), strict=True)]
    return COMPARED, comparison_report(compare(subjects))


@contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """A file beside ``target`` to write to, which takes its place at the end; after a fault nothing has changed."""
    partial = target.with_name(f".{target.name}.partial")
    try:
        yield partial
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
