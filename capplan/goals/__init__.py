"""The goals: every module in this folder that holds a Goal is one. There is no list to edit."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from capplan.goals.base import Goal

__all__ = ["GOALS", "Goal"]


def _discover() -> dict[str, Goal]:
    found: dict[str, Goal] = {}
    for module in sorted(iter_modules(__path__), key=lambda info: info.name):
        path = f"{__name__}.{module.name}"
        for content in vars(import_module(path)).values():
            if (
                isinstance(content, type)
                and issubclass(content, Goal)
                and content.__module__ == path
                and content is not Goal
            ):
                content.name = module.name
                found[module.name] = content()
    return found


GOALS = _discover()
"""Every goal by name, in name order."""
