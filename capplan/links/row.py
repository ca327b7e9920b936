"""A row of ``links.csv``: one check of one link."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from capplan.units import decimal_text

PASS, WARN, FAIL = "pass", "warn", "fail"
_ORDER = {PASS: 0, WARN: 1, FAIL: 2}


@dataclass(frozen=True)
class Check:
    """One check of one link: its status, what was measured against which limit, on which path."""

    link: str
    check: str
    status: str
    measured: Fraction | None = None
    limit: Fraction | None = None
    unit: str = ""
    path: str = ""
    note: str = ""

    def row(self) -> dict[str, object]:
        """The row of the table."""
        return {
            "link": self.link,
            "check": self.check,
            "status": self.status,
            "measured": "" if self.measured is None else decimal_text(self.measured),
            "limit": "" if self.limit is None else decimal_text(self.limit),
            "unit": self.unit,
            "path": self.path,
            "note": self.note,
        }


def worst(checks: Iterable[Check]) -> Check:
    """The worst of several, the first of equals."""
    return max(checks, key=lambda check: _ORDER[check.status])


def severity(status: str) -> int:
    """0 pass, 1 warn, 2 fail."""
    return _ORDER[status]
