"""How full sites are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from capplan.tables import NEARLY_FULL


@dataclass(frozen=True)
class Level:
    """Use of one resource of one site in one period, in the row's unit; None where there is no limit."""

    site: str
    period: str
    resource: str
    unit: str
    used: Fraction
    usable: Fraction | None
    capacity: Fraction | None

    @staticmethod
    def of(row: Mapping[str, str]) -> Level:
        """A row of the table ``sites``."""
        usable, capacity = (None if row[n] == "unlimited" else Fraction(row[n]) for n in ("usable", "capacity"))
        named = row["site"], row["period"], row["resource"], row["unit"]
        return Level(*named, Fraction(row["used"]), usable, capacity)

    @property
    def share(self) -> Fraction | None:
        """Used over usable; None where there is no limit."""
        if self.usable is None:
            return None
        if self.usable <= 0:
            return Fraction(self.used > 0)
        return self.used / self.usable

    @property
    def mark(self) -> str:
        """``over``, ``full``, ``nearly full`` or nothing."""
        share = self.share
        if share is None or not self.used:
            return ""
        return "over" if share > 1 else "full" if share == 1 else "nearly full" if share >= NEARLY_FULL else ""


def fullest(levels: Iterable[Level]) -> list[Level]:
    """Of each site and resource the fullest period (the earliest of equals), fullest first."""
    found: dict[tuple[str, str], Level] = {}
    for level in levels:
        key = level.site, level.resource
        if key not in found or _rank(level) > _rank(found[key]):
            found[key] = level
    return sorted(found.values(), key=lambda level: (-_rank(level)[0], level.site, level.resource))


def _rank(level: Level) -> tuple[Fraction, Fraction]:
    share = level.share
    return Fraction(-1) if share is None else share, level.used
