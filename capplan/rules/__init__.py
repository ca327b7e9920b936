"""The rule book: every module in this folder that holds a Rule is a rule. There is no list to edit."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from capplan.rules.base import Exclusion, Rule, RuleOptions

__all__ = ["RULES", "Exclusion", "Rule", "RuleOptions"]


def _discover() -> dict[str, Rule]:
    found: dict[str, Rule] = {}
    for module in sorted(iter_modules(__path__), key=lambda info: info.name):
        if module.name != "base":
            content = vars(import_module(f"{__name__}.{module.name}"))
            own = [c for c in content.values() if isinstance(c, type) and issubclass(c, Rule) and c is not Rule]
            for rule in (c for c in own if c.__module__ == f"{__name__}.{module.name}"):
                rule.name = module.name
                found[module.name] = rule()
    return found


RULES = _discover()
"""Every rule by name, in name order."""
