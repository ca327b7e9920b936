"""``capplan report``."""

from __future__ import annotations

import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from capplan.cli.faults import complain
from capplan.cli.terminal import Terminal
from capplan.errors import UsageError
from capplan.report import run_report
from capplan.runs import read_run

NAME = "report.html"


def report(terminal: Terminal, folder: Path, output: Path | None, *, show: bool) -> int:
    """Write the page and say where it is."""
    run = read_run(folder)
    complain(terminal, run.altered())
    target = folder / NAME if output is None else output
    if target.is_dir():
        raise UsageError(f"{target} is a folder; name a file such as {target / NAME}")
    page = run_report(run).encode("utf-8")
    with whole_file(target) as partial:
        partial.write_bytes(page)
    terminal.say(str(target))
    if show:
        webbrowser.open(target.resolve().as_uri())
    return 0


@contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """A file beside ``target`` to write to, which takes its place at the end; after a fault nothing has changed."""
    partial = target.with_name(f".{target.name}.partial")
    try:
        yield partial
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
