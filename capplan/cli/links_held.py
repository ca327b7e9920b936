"""Links between systems under a plan, as lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

MOST = 10


def links_held(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Whether all links hold, those that could not be made to survive, and what single losses cut.

    ``rows`` are those of the table ``links``; without any there is nothing to say.
    """
    if not rows:
        return []
    failing = _named(rows, "fail", "")
    fragile = _named(rows, "warn", "survives")
    single = [row for row in rows if row["check"] == "point_of_failure" and row["status"] == "warn"]
    lines = [f"  these fail: {', '.join(failing)}" if failing else "  all hold while everything works"]
    lines += [f"  could not be made to survive every failure: {', '.join(fragile)}"] if fragile else []
    lines += [f"  the loss of {row['link']} {row['note']}" for row in single[:MOST]]
    lines += [f"  and of {len(single) - MOST:,} more: see links.csv"] if len(single) > MOST else []
    return ["Links", *lines]


def _named(rows: Sequence[Mapping[str, str]], status: str, check: str) -> list[str]:
    """Links with a check of a status, each once. ``check`` '' is any."""
    named = (row["link"] for row in rows if row["status"] == status and check in ("", row["check"]))
    return list(dict.fromkeys(named))
