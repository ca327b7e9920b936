"""The run folder: what a solve came to, with its inputs, as files that people and programs read."""

from capplan.runs.beside import Beside, Given, read_beside
from capplan.runs.read import Run, RunInfo, is_run, list_runs, read_run
from capplan.runs.write import check_folder, write_run

__all__ = [
    "Beside",
    "Given",
    "Run",
    "RunInfo",
    "check_folder",
    "is_run",
    "list_runs",
    "read_beside",
    "read_run",
    "write_run",
]
