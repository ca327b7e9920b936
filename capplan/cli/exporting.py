"""``capplan export``."""

from __future__ import annotations

from pathlib import Path

from capplan.cli.faults import complain
from capplan.cli.formats import ExportFormat
from capplan.cli.reporting import whole_file
from capplan.cli.terminal import Terminal
from capplan.errors import UsageError
from capplan.runs import read_run
from capplan.workbook import write_workbook


def export(terminal: Terminal, folder: Path, form: ExportFormat, output: Path | None) -> int:
    """Write the file and say where it is."""
    run = read_run(folder)
    complain(terminal, run.altered())
    # Beside the run, not in it: what is edited by hand would keep the run from being replaced.
    target = folder.with_name(f"{folder.resolve().name}.{form}") if output is None else output
    if target.is_dir():
        raise UsageError(f"{target} is a folder; name a file such as {target / f'plan.{form}'}")
    with whole_file(target) as partial:
        write_workbook(run, partial)
    terminal.say(str(target))
    return 0
