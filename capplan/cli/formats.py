"""What a run can be exported as."""

from __future__ import annotations

from enum import StrEnum


class ExportFormat(StrEnum):
    """A kind of file."""

    XLSX = "xlsx"
