"""What an infeasible Program lacks: the smallest overruns that would make it feasible."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capplan.engine.cpsat import Callback, Model, greatest_use
from capplan.engine.result import Limits, Watch
from capplan.program import Program
from capplan.units import Ints

LARGEST_SUM = 2.0**58


@dataclass(frozen=True)
class Shortage:
    """The smallest overruns of a Program.

    ``short`` int64 [limit]: by how much each limit is exceeded in ``x`` int64 [column], a plan with the least
    relative excess; ``least`` says that this was proved. ``x`` is None where none was found.
    """

    short: Ints
    x: Ints | None
    least: bool


def smallest_shortage(program: Program, limits: Limits, watch: Watch) -> Shortage:
    """Let every limit be exceeded, at a price relative to its size, and exceed as little as possible."""
    most = np.maximum(0, greatest_use(program) - program.bound)
    # Limits without a name only tie amounts to choices: to exceed one would be to miscount, not to be short.
    most[[not name.rule for name in program.limit_names]] = 0
    none = np.zeros(len(program.bound), dtype=np.int64)
    if (np.diff(program.item_start) == 0).any():
        return Shortage(none, None, False)
    model = Model(program, slack=most)
    rows = sorted(model.slack_of)
    size = np.maximum(1, np.abs(program.bound))
    weight = _weights(size[rows], most[rows])
    model.minimise([model.slack_of[row] for row in rows], weight)
    answer = model.solve(limits, limits.time_limit_s, limits.time_limit_s, watch, Callback(lambda *_: None))
    if answer.x is None:
        return Shortage(none, None, answer.finished)
    used = program.limits @ answer.x
    return Shortage(np.maximum(0, used - program.bound), answer.x, answer.finished)


def _weights(size: Ints, most: Ints) -> list[int]:
    """Price of one unit over each limit: relative to its size, so that no unit outweighs another by its scale."""
    factor = min(LARGEST_SUM / max(1.0, float((most / size).sum())), 1e12)
    return [max(1, int(factor / s)) for s in size.tolist()]
