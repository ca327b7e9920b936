"""``capplan schema``."""

# ruff: noqa: PLC0415 - the help needs the names only

from __future__ import annotations

from enum import StrEnum
from typing import Any

from capplan.cli.terminal import FORMAT_VERSION, Terminal


class Schema(StrEnum):
    """What has a schema."""

    MODEL = "model"
    INVENTORY = "inventory"
    TABLES = "tables"


def schema(terminal: Terminal, what: Schema | None) -> int:
    """Print one schema, or all."""
    if what is None:
        terminal.say_json({"format_version": FORMAT_VERSION} | {str(one): schema_of(one) for one in Schema})
    else:
        terminal.say_json(schema_of(what))
    return 0


def schema_of(what: Schema) -> dict[str, Any]:
    """A schema with all that the rules and goals bring."""
    from capplan.goals import GOALS
    from capplan.inventory import inventory_schema, tables_schema
    from capplan.load import rule_schemas
    from capplan.model import model_schema
    from capplan.rules import RULES

    if what is Schema.MODEL:
        return model_schema({name: rule.options for name, rule in RULES.items()}, GOALS.keys())
    return (inventory_schema if what is Schema.INVENTORY else tables_schema)(rule_schemas())
