"""Calling the command line in tests: in this process, which is quick, or in one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

from capplan.cli.app import app

CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Said:
    """What one call said, and how it ended."""

    code: int
    out: str
    err: str


def capplan(*arguments: str | Path) -> Said:
    """Call the command line in this process."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="capplan")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Said(result.exit_code, result.stdout, result.stderr)


def call(*arguments: str | Path, **environment: str) -> Said:
    """Call the command line in a process of its own, from the checkout."""
    known = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    done = subprocess.run(
        [sys.executable, "-m", "capplan", *map(str, arguments)],
        cwd=CHECKOUT,
        env={**known, "PYTHONUTF8": "1", **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)
