"""capplan and each peer on the instances that both ran, with the same limit: whose plan is better."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median_low

from benchmarks.files import natural
from benchmarks.markdown import markdown
from benchmarks.rows import Row
from benchmarks.summary import label, part

HEADS = ("instances", "limit s", "peer", "pairs", "better", "equal", "worse", "peer's plan over ours %, median")
OURS = "capplan"
NO_PLAN = float("inf")


def duels(rows: Sequence[Row]) -> str:
    """A Markdown table, empty where no peer ran. No plan is worse than any; two of none are equal.

    Runs of the same seed are a pair; a peer's run of a seed that we did not run makes one with each of ours.
    """
    ours = [row for row in rows if row.solver == OURS]
    found: dict[tuple[str, str, str], list[tuple[float, float]]] = {}
    for theirs in rows:
        if theirs.solver.startswith(OURS):
            continue
        for mine in _opposite(theirs, ours):
            pair = (_value(mine), _value(theirs))
            for piece in {"", part(theirs)}:
                name = label(theirs.set, piece)
                found.setdefault((name, theirs.time_limit, theirs.solver), []).append(pair)
    order = sorted(found, key=lambda key: (natural(key[0]), natural(key[1]), key[2]))
    return markdown(HEADS, [[*key, *_line(found[key])] for key in order])


def _opposite(theirs: Row, ours: Sequence[Row]) -> list[Row]:
    """Our runs of the same instance and limit, of the same seed if there is one."""
    same = (theirs.set, theirs.instance, theirs.time_limit)
    found = [row for row in ours if (row.set, row.instance, row.time_limit) == same]
    return [row for row in found if row.seed == theirs.seed] or found


def _value(row: Row) -> float:
    return float(row.value) if row.value and row.feasible == "yes" else NO_PLAN


def _line(pairs: Sequence[tuple[float, float]]) -> list[str]:
    wins = [sum(mine < theirs for mine, theirs in pairs), sum(mine == theirs for mine, theirs in pairs)]
    counts = [str(count) for count in (len(pairs), *wins, len(pairs) - sum(wins))]
    # A share of nothing is none.
    over = [_over(mine, theirs) for mine, theirs in pairs if mine or not theirs]
    middle = median_low(over) if over else 0.0
    shown = {NO_PLAN: "no plan", -NO_PLAN: "we have no plan"}.get(middle, f"{100 * middle:.3f}")
    return [*counts, shown if over else "–"]


def _over(mine: float, theirs: float) -> float:
    """How much the peer's value is above ours, as a share of ours."""
    if mine == theirs:
        return 0.0
    if NO_PLAN in (mine, theirs):
        return NO_PLAN if theirs == NO_PLAN else -NO_PLAN
    return (theirs - mine) / abs(mine)
