"""capplan: which workload goes to which data centre, proved.

The public names load what they need on first use, so that importing the package stays quick.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from capplan.checking import check
    from capplan.errors import BadInput, CapplanError, UsageError
    from capplan.load import read_inventory, read_model
    from capplan.solving import solve

_HOMES = {
    "read_inventory": "capplan.load",
    "read_model": "capplan.load",
    "solve": "capplan.solving",
    "check": "capplan.checking",
    "BadInput": "capplan.errors",
    "CapplanError": "capplan.errors",
    "UsageError": "capplan.errors",
}

__all__ = ["BadInput", "CapplanError", "UsageError", "check", "read_inventory", "read_model", "solve"]

try:
    __version__ = version("capplan")
except PackageNotFoundError:  # running from a folder that was never installed
    __version__ = "0"


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'capplan' has no attribute {name!r}")
