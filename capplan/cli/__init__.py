"""The command line: each command parses, calls one function of a floor below, and prints."""

from __future__ import annotations

import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command line; ends the process with one of the documented exit codes."""
    try:
        # Imported here so that a Ctrl-C while the commands load ends as quietly as a later one.
        from capplan.cli.app import main as run  # noqa: PLC0415

        run()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
