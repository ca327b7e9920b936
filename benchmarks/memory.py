"""Peak memory of a process and the processes that it starts."""

from __future__ import annotations

import re
import resource
import sys
from pathlib import Path

PROC = Path("/proc")


def own_peak_mb() -> float:
    """Most memory that this process held, MiB; elsewhere than on Linux the figure of its system."""
    if (PROC / "self/status").exists():
        return _field(PROC / "self/status", "VmHWM")
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


class Meter:
    """Follows a process and its descendants: the most that they held together at one look, MiB.

    Shared pages are counted once. A single process is read by its own peak, which no look can miss.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.peak_mb = 0.0

    def look(self) -> None:
        """Measure now."""
        family = _family(self.pid)
        if len(family) > 1:
            self.peak_mb = max(self.peak_mb, sum(_field(PROC / str(pid) / "smaps_rollup", "Pss") for pid in family))
        self.peak_mb = max(self.peak_mb, _field(PROC / str(self.pid) / "status", "VmHWM"))


def _family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    found = [pid]
    for parent in found:
        try:
            tasks = list((PROC / str(parent) / "task").iterdir())
            found += [int(child) for task in tasks for child in (task / "children").read_text().split()]
        except OSError:
            continue
    return found


def _field(file: Path, name: str) -> float:
    """A line ``name: 123 kB`` in MiB; 0 where the process is gone."""
    try:
        found = re.search(rf"^{name}:\s+(\d+) kB", file.read_text(), re.MULTILINE)
    except OSError:
        return 0.0
    return int(found[1]) / 1024 if found else 0.0
