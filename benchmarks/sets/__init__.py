"""The sets of problems, one module each, found by name."""

from __future__ import annotations

import importlib
import pkgutil

from benchmarks.interface import ProblemSet


def names() -> list[str]:
    """Names of the sets, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def find(name: str) -> ProblemSet:
    """A set by its name."""
    found: ProblemSet = importlib.import_module(f"{__name__}.{name}").SET
    return found
