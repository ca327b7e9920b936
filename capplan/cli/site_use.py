"""How full sites are, as a table to read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from capplan.cli.terminal import aligned
from capplan.tables import NEARLY_FULL
from capplan.units import percent_text

ROWS_SHOWN = 40
SITES_NAMED = 10


def site_use(
    rows: Sequence[Mapping[str, str]],
    today: Mapping[tuple[str, str, str], str] | None = None,
    heading: str = "today",
) -> list[str]:
    """Each used resource of each site in its fullest period; the fullest ones where there are too many.

    ``rows`` are those of the table ``sites``; ``today`` is what is used today, by site, period and resource, told
    under ``heading``.
    """
    fullest: dict[tuple[str, str], Mapping[str, str]] = {}
    for row in rows:
        known = fullest.setdefault((row["site"], row["resource"]), row)
        if _fullness(row) > _fullness(known):
            fullest[row["site"], row["resource"]] = row
    used = [row for row in fullest.values() if Fraction(row["used"])]
    if not used:
        return []
    periods = len({row["period"] for row in rows}) > 1
    return ["Use of sites", *_table(used, today or {}, heading if today else "", periods=periods), *_unused(rows, used)]


def _fullness(row: Mapping[str, str]) -> Fraction:
    """Used share of what may be used; where nothing may, more than anything else if something is."""
    used = Fraction(row["used"])
    if row["usable"] == "unlimited":
        return Fraction(0)
    usable = Fraction(row["usable"])
    return used / usable if usable else used * 10**9


def _table(
    used: list[Mapping[str, str]], today: Mapping[tuple[str, str, str], str], heading: str, *, periods: bool
) -> list[str]:
    shown = used
    if len(used) > ROWS_SHOWN:
        keep = sorted(used, key=lambda row: (-_fullness(row), row["site"], row["resource"]))[:ROWS_SHOWN]
        shown = [row for row in used if row in keep]
    texts = ["site", "resource", *(["fullest in"] if periods else [])]
    figures = [*([heading] if heading else []), "used", "usable", "capacity", "of usable"]
    body = []
    for row in shown:
        named = [row["site"], row["resource"], *([row["period"]] if periods else [])]
        before = [today.get((row["site"], row["period"], row["resource"]), "")] if today else []
        body.append([*named, *before, *_figures(row)])
    numbers = range(len(texts), len(texts) + len(figures))
    lines = aligned([*texts, *figures, ""], body, lambda i: i in numbers)
    more = len(used) - len(shown)
    return [*lines, f"  and {more:,} less full: see sites.csv"] if more else lines


def _figures(row: Mapping[str, str]) -> list[str]:
    share = _fullness(row)
    limited = row["usable"] != "unlimited" and Fraction(row["usable"]) > 0
    mark = "over" if share > 1 else "full" if share == 1 else "nearly full" if share >= NEARLY_FULL else ""
    return [row["used"], row["usable"], row["capacity"], percent_text(share, 1) if limited else "", mark]


def _unused(rows: Iterable[Mapping[str, str]], used: Iterable[Mapping[str, str]]) -> list[str]:
    names = sorted({row["site"] for row in rows} - {row["site"] for row in used})
    if not names:
        return []
    more = f" and {len(names) - SITES_NAMED:,} more" if len(names) > SITES_NAMED else ""
    return [f"  Not used: {', '.join(names[:SITES_NAMED])}{more}"]
