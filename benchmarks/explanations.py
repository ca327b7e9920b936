"""How much of a library of worlds without a plan is explained, and how soon: ``python -m benchmarks.explanations``.

Run in a checkout, where the library of the tests is at hand.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from capplan.compile import problem_of
from capplan.engine import Status
from capplan.explain.case import Case
from capplan.explain.infeasible import Infeasible, explain_infeasible
from capplan.load import read_inventory, read_model
from capplan.model import override
from capplan.solving import solve
from tests.explained_worlds import LIBRARY, Wanted, made

SECONDS = 15.0


@dataclass(frozen=True)
class Measured:
    """One world: seconds to the first useful line, to the changes that do, to the whole answer; what was explained."""

    name: str
    status: str
    solved: float
    first: float
    changed: float
    whole: float
    conflicts: int
    minimal: int
    exact: bool
    relaxations: int
    combined: bool

    @property
    def explained(self) -> bool:
        """Whether a verified minimal conflict or an exact shortage was given."""
        return self.minimal > 0 or self.exact


def measure_world(wanted: Wanted) -> Measured:
    """Solve one world, and explain it where it has no plan."""
    with tempfile.TemporaryDirectory() as name:
        folder = made(wanted).write(Path(name))
        model = read_model(folder / "model.yaml")
        problem = problem_of(read_inventory(folder, model.overlay), model)
        start = time.monotonic()
        result = solve(problem.inventory, override(model, time_limit_s=Decimal(SECONDS)))
        solved = time.monotonic() - start
        if result.measured is not None:
            return Measured(wanted.name, str(result.status), solved, 0, 0, 0, 0, 0, False, 0, False)
        infeasible = result.status is Status.INFEASIBLE
        found = explain_infeasible(Case.of(problem, folder, SECONDS), proved=infeasible)
        return replace(_measured(wanted, solved, found), status=str(result.status))


def _measured(wanted: Wanted, solved: float, found: Infeasible) -> Measured:
    return Measured(
        wanted.name,
        str(Status.INFEASIBLE),
        solved,
        found.seconds["first"],
        found.seconds["relaxations"],
        found.seconds["all"],
        len(found.conflicts),
        sum(conflict.minimal for conflict in found.conflicts),
        found.exact,
        len(found.relaxations),
        found.combined is not None,
    )


def _line(row: Measured) -> str:
    shares = f"conflicts {row.minimal}/{row.conflicts} minimal  shortage {'exact' if row.exact else '-':5}"
    times = f"solve {row.solved:6.2f} s  first {row.first:5.2f} s  changes {row.changed:5.2f} s  all {row.whole:6.2f} s"
    changes = f"changes {row.relaxations:2}{' + together' if row.combined else ''}"
    return f"{row.name:34} {row.status:10} {times}  {shares}  {changes}"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(arguments: Sequence[str]) -> None:
    """Measure the worlds whose names contain one of the arguments, all without any."""
    chosen = [one for one in LIBRARY if not arguments or any(text in one.name for text in arguments)]
    rows = []
    for wanted in chosen:
        row = measure_world(wanted)
        rows.append(row)
        _say(_line(row))
    without = [row for row in rows if row.whole]
    for size in dict.fromkeys(row.name.partition("-")[0] for row in without):
        _say(_summary(size, [row for row in without if row.name.startswith(f"{size}-")]))
    if without:
        _say(_summary("all", without))


def _summary(what: str, rows: Sequence[Measured]) -> str:
    explained = sum(row.explained for row in rows)
    helped = sum(bool(row.relaxations) or row.combined for row in rows)
    times = [
        f"{part} median {statistics.median(values):.2f} s, most {max(values):.2f} s"
        for part in ("first", "changed", "whole")
        for values in [[getattr(row, part) for row in rows]]
    ]
    shares = f"{explained} of {len(rows)} explained, {helped} with changes that do"
    return f"{what} without a plan: {shares}; {'; '.join(times)}"


if __name__ == "__main__":
    main(sys.argv[1:])
