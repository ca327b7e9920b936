"""The schema of an inventory as plain data, for editors, documentation and other programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from capplan.inventory.core import CORE
from capplan.inventory.schema import RESOURCES, Column, Kind, TableSchema, merged
from capplan.inventory.settings import CURRENCY, FORMAT, REQUIRED, RESOURCE_NAME
from capplan.units import BUILT_IN, decimal_text

_TEXT = {"type": "string"}
_TEXTS = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}


def inventory_schema(extra: Sequence[TableSchema] = ()) -> dict[str, Any]:
    """JSON Schema (2020-12) of ``inventory.yaml``; ``extra`` are the columns and tables rules bring."""
    tables = merged(CORE, extra)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "capplan inventory",
        "type": "object",
        "required": list(REQUIRED),
        "additionalProperties": False,
        "properties": {
            "format": {"const": FORMAT, "description": "version of this format"},
            "title": {**_TEXT, "description": "what the inventory is called; default: its folder"},
            "currency": {**_TEXT, "pattern": f"^{CURRENCY.pattern}$", "description": "ISO 4217 code"},
            "as_of": {**_TEXT, "format": "date", "description": "the day that numbers and prices describe"},
            "description": {**_TEXT, "description": "what it is about"},
            "model": {**_TEXT, "description": "its own default model: a shipped name or a path"},
            "sources": {**_TEXTS, "description": "where the numbers come from"},
            "assumptions": {**_TEXTS, "description": "what was assumed"},
            "resources": {
                "type": "object",
                "description": "further resources, by the name of their column",
                "propertyNames": {"pattern": f"^{RESOURCE_NAME.pattern}$"},
                "additionalProperties": _resource(),
            },
            "defaults": {
                "type": "object",
                "description": "what blank cells stand for: table, then column, then value",
                "additionalProperties": False,
                "properties": {name: _defaults(table) for name, table in tables.items()},
            },
            "placements": {
                "enum": ["all", "listed"],
                "default": "all",
                "description": "listed: only the pairs in placements.csv are allowed",
            },
        },
    }


def _resource() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["unit"],
        "additionalProperties": False,
        "properties": {
            "unit": {**_TEXT, "description": "what people read"},
            "step": {"type": "number", "exclusiveMinimum": 0, "default": 1, "description": "smallest amount"},
            "description": _TEXT,
        },
    }


def _defaults(table: TableSchema) -> dict[str, Any]:
    plain = [column for column in table.columns if not column.per_resource and column.name not in table.key]
    families = [column for column in table.columns if column.per_resource]
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {column.name: _cell(column) for column in plain},
        "patternProperties": {f"^{c.name}{RESOURCE_NAME.pattern}$": _cell(c) for c in families},
    }


def _cell(column: Column) -> dict[str, Any]:
    about = {"description": column.description}
    if column.kind in (Kind.DECIMAL, Kind.COUNT, Kind.QUANTITY):
        number: dict[str, Any] = {"type": "integer" if column.kind is Kind.COUNT else "number"}
        if column.choices:
            return {"anyOf": [number, {"enum": list(column.choices)}], **about}
        return {**number, **about}
    if column.kind is Kind.FLAG:
        return {"enum": ["yes", "no"], **about}
    if column.choices:
        return {"enum": list(column.choices), **about}
    return {**_TEXT, **about}


def tables_schema(extra: Sequence[TableSchema] = ()) -> dict[str, Any]:
    """Every table and column as plain data; ``<resource>`` stands for the name of any resource."""
    return {
        "format_version": FORMAT,
        "tables": [_table(table) for table in merged(CORE, extra).values()],
        "resources": [
            {"name": r.name, "unit": r.unit, "step": decimal_text(r.step), "description": r.description}
            for r in BUILT_IN
        ],
    }


def _table(table: TableSchema) -> dict[str, Any]:
    return {
        "name": table.name,
        "file": f"{table.name}.csv",
        "description": table.description,
        "key": list(table.key),
        "columns": [_column(column) for column in table.columns],
    }


def _column(column: Column) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "name": column.name + ("<resource>" if column.per_resource else ""),
        "kind": str(column.kind),
        "description": column.description,
        "required": column.required,
        "refers_to": column.refers_to if column.refers_to != RESOURCES else "",
        "choices": list(column.choices),
        "default": column.default,
        "minimum": 0 if column.kind is Kind.QUANTITY and column.minimum is None else column.minimum,
        "maximum": column.maximum,
        "unit": column.unit,
    }
    always = ("name", "kind", "description", "required")
    return {name: fact for name, fact in facts.items() if name in always or fact not in ("", [], None)}
