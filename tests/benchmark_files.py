"""Tiny instances of every benchmark format, small enough to solve on paper; what they are worth is in the tests."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

# Two agents, three jobs. Cheapest is agent 0 for all, 3 + 2 + 4; but it carries 5 of 7. Best: jobs 0 and 1 at agent 0,
# job 2 at agent 1, 3 + 2 + 6 = 11; the rows are broken over lines on purpose.
GAP = "2 3\n 3 2 4 5\n 7 6 2\n 3 2 1 2 2\n 5 2\n"

# Three facilities with capacities 4, 4, 9; opening 5.5, 1.25, 20; customers need 2, 2, 3. Facility 0 cannot take all.
# Open 0 and 1: 5.5 + 1.25 + serving 1 + 1 + 2.005 = 10.755; only 2: 20 + 0.
SSCFLP = "3 3\n4 4 9\n5.500000 1.25 20\n2 2 3\n1 2 0\n1 3 0\n4 2.005 0\n"

# Four points in a row at 0, 1, 10 and (11, 1), p = 2, room 4, all of demand 2. Distances: 1, and floor of √2 = 1.
PMEDCAP = "7 999\n4 2 4\n1 0 0 2\n2 1 0 2\n3 10 0 2\n4 11 1 2\n"

# Bins of 10 × 10; two items 6 × 1, one 3 × 9, one 4 × 1: the 6s stay apart, 3 × 9 fits beside one of them, 2 bins.
VBP = "2\n10 10\n3\n6 1 2\n3 9 1\n4 1 1\n"

CLOUD = json.dumps(
    {
        "computerList": [
            {"id": 0, "cpuPower": 4, "memory": 4, "networkBandwidth": 4, "cost": 100},
            {"id": 1, "cpuPower": 8, "memory": 8, "networkBandwidth": 8, "cost": 150},
        ],
        "processList": [
            {"id": i, "requiredCpuPower": 3, "requiredMemory": 1, "requiredNetworkBandwidth": 1, "computer": None}
            for i in range(2)
        ],
    }
)

FILES = {
    "gap": ("tiny/a.txt", GAP, "11"),
    "sscflp": ("b.txt.gz", SSCFLP, "10.755"),
    "pmedcap": ("c.txt", PMEDCAP, "2"),
    "vbp": ("d.vbp.gz", VBP, "2"),
    "cloudbalancing": ("e.json", CLOUD, "150"),
}


def write(folder: Path, name: str) -> str:
    """Write the instance of a set, and what is published of it; returns its name."""
    file, text, value = FILES[name]
    place = folder / file
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(gzip.compress(text.encode()) if file.endswith(".gz") else text.encode())
    instance = file.removesuffix(".gz").rsplit(".", 1)[0]
    (folder / "best.csv").write_text(f"instance,value,is_optimal,lower_bound,source\n{instance},{value},1,,paper\n")
    return instance
