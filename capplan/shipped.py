"""Where the models and example inventories that come with capplan lie.

In a wheel they are inside the package; in a checkout they are the top-level folders of the same name.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """The shipped folder ``models`` or ``inventories``."""
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


def names(kind: str) -> list[str]:
    """Names of the shipped models or inventories, sorted."""
    if kind == "models":
        return sorted(path.stem for path in folder(kind).glob("*.yaml"))
    return sorted(path.parent.name for path in folder(kind).glob("*/inventory.yaml"))
