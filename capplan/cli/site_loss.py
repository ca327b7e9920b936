"""What the loss of each site would mean, in words; for plans in which anything has a replica."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from capplan.units import percent_text

NAMED = 8


def site_loss(lost: Sequence[Mapping[str, str]], limits: Sequence[Mapping[str, str]]) -> list[str]:
    """Rows of ``lost.csv`` and ``limits.csv`` as text: per site what goes down, what is carried, how full that gets.

    Nothing where no workload has a replica: then everything goes down with its site.
    """
    if not any(row["carried_by"] for row in lost):
        return []
    lines = []
    for site in dict.fromkeys(row["site"] for row in lost):
        mine = [row for row in lost if row["site"] == site]
        down = list(dict.fromkeys(row["workload"] for row in mine if not row["carried_by"]))
        carried = {row["workload"] for row in mine if row["carried_by"]}
        parts = [
            f"{', '.join(down[:NAMED])}{_more(len(down) - NAMED)} down with it" if down else "nothing down with it"
        ]
        if carried:
            sites = ", ".join(sorted({row["carried_by"] for row in mine if row["carried_by"]}))
            parts.append(f"{len(carried)} carried by {sites}{_fullest(site, limits)}")
        lines.append(f"  {site}: {'; '.join(parts)}")
    return ["If a site is lost", *lines]


def _more(number: int) -> str:
    return f" and {number:,} more" if number > 0 else ""


def _fullest(site: str, limits: Sequence[Mapping[str, str]]) -> str:
    """How full the fullest survivor gets, where the plan was made to survive."""
    shares = [
        (Fraction(row["used"]) / Fraction(row["limit"]), row["subject"])
        for row in limits
        if row["state"] == f"loss of {site}" and Fraction(row["limit"]) > 0
    ]
    if not shares:
        return ""
    share, subject = max(shares)
    return f", {subject} then {percent_text(share, 1)} full"
