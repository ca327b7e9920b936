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


class SchemaFormat(StrEnum):
    """How a schema is printed."""

    JSON = "json"
    MARKDOWN = "markdown"


def schema(terminal: Terminal, what: Schema | None, form: SchemaFormat) -> int:
    """Print one schema, or all."""
    if form is SchemaFormat.MARKDOWN:
        pages = [what] if what else [Schema.INVENTORY, Schema.MODEL]
        terminal.say("\n\n".join(page_of(one) for one in pages))
    elif what is None:
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


def page_of(what: Schema) -> str:
    """A schema as a page of documentation."""
    from capplan.cli.reference import inventory_page, model_page, tables_page
    from capplan.goals import GOALS
    from capplan.rules import RULES

    if what is Schema.TABLES:
        return tables_page(schema_of(what))
    if what is Schema.INVENTORY:
        return inventory_page(schema_of(what), schema_of(Schema.TABLES))
    rules = {name: rule.summary for name, rule in RULES.items()}
    asked = [name for name, rule in RULES.items() if not rule.on_by_default]
    return model_page(schema_of(what), rules, {name: goal.summary for name, goal in GOALS.items()}, asked)
