"""Tables as Markdown."""

from __future__ import annotations

from collections.abc import Sequence


def markdown(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table; empty where there are no lines."""
    if not lines:
        return ""
    return "\n".join("| " + " | ".join(line) + " |" for line in [heads, ["---"] * len(heads), *lines])
