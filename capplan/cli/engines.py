"""Names of the engines, apart from them: ``--help`` loads no solver."""

from __future__ import annotations

from enum import StrEnum


class EngineName(StrEnum):
    """What ``--engine`` takes."""

    AUTO = "auto"
    EXACT = "exact"
    LARGE = "large"
