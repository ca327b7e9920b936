"""The run folder: what a solve came to, with its inputs, as files that people and programs read."""

from capplan.runs.beside import Beside, Given, read_beside
from capplan.runs.facts import versions
from capplan.runs.read import SOURCES, Run, RunInfo, is_run, list_runs, read_run, read_table
from capplan.runs.write import check_folder, expected_inputs, write_run

__all__ = [
    "SOURCES",
    "Beside",
    "Given",
    "Run",
    "RunInfo",
    "check_folder",
    "expected_inputs",
    "is_run",
    "list_runs",
    "read_beside",
    "read_run",
    "read_table",
    "versions",
    "write_run",
]
