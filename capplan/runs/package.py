"""``datapackage.json``: schema, units, size and hash of every table (Frictionless Data Package, version 1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

from capplan.problem import Problem
from capplan.runs.facts import Json
from capplan.runs.folder import slug
from capplan.tables import BOOLEANS, DATES, INTEGERS, Output

KEYS = {"allocation": ["workload"], "sites": ["site", "period", "resource"], "left_out": ["workload"]}
MONEY = {"cost": "", "cost_once": "", "amount": "", "value": "/year"}

ABOUT = "Tables of a capplan run. Text cells that a spreadsheet would run as a formula begin with an apostrophe."

TABLES = {
    "allocation": "Each workload: its site or left out, where it is today, what it needs and costs.",
    "sites": "Each site, period and resource: capacity, use and what is free.",
    "limits": "Each limit: what is used of it and whether it binds.",
    "left_out": "What is left out, what that forgoes and why.",
    "purchases": "What is bought, where and from when.",
    "licences": "Each licence and period: need, what is owned and bought.",
    "costs": "Each amount by organisation, site, period and kind; they sum to the plan's cost.",
}

COLUMNS = {
    "workload": "id of the workload",
    "name": "what people call it",
    "organisation": "whose it is; in costs, who bears it, blank = nobody uses what is paid for",
    "service": "what it is part of",
    "site": "id of the site",
    "status": "placed or left_out",
    "current_site": "where it is today",
    "moved": "whether it leaves the site where it is today",
    "replica_of": "the workload whose replica it is",
    "from": "first day it exists",
    "to": "first day it no longer exists",
    "rtt_ms": "round trip between its users and its site",
    "max_rtt_ms": "longest round trip allowed",
    "note": "remarks",
    "period": "first and last day of the period",
    "resource": "name of the resource",
    "unit": "unit of the figures of this row",
    "capacity": "physical capacity, with purchases, in the row's unit",
    "usable": "capacity after headroom, in the row's unit",
    "used": "what is used, in the row's unit",
    "free": "usable less used, in the row's unit",
    "utilisation": "used over physical capacity without purchases, as a share",
    "rule": "rule that sets the limit",
    "subject": "what the limit is about",
    "limit": "the most that may be used, in the row's unit",
    "slack": "limit less used, in the row's unit",
    "binding": "whether nothing is left",
    "state": "normal, or the failure in which use is greatest",
    "value": "what leaving it out forgoes in a year",
    "reason": "what each site lacks for it",
    "purchase": "id of what is bought",
    "steps": "how many",
    "gives": "what one step gives",
    "cost": "money over the horizon",
    "cost_once": "one-off money over the horizon",
    "licence": "id of the licence",
    "scope": "where it counts",
    "need": "how many are needed",
    "owned": "how many are owned",
    "bought": "how many are bought",
    "spare": "how many are left",
    "kind": "kind of cost",
    "amount": "money over the period",
}


def digest(content: bytes) -> str:
    """The SHA-256 of some bytes, in hexadecimal."""
    return sha256(content).hexdigest()


def data_package(title: str, problem: Problem, tables: Iterable[tuple[Output, bytes]]) -> Json:
    """The descriptor of tables and their bytes as written."""
    return {
        "profile": "tabular-data-package",
        "name": slug(title),
        "title": title,
        "description": ABOUT,
        "resources": [_resource(table, content, problem) for table, content in tables],
    }


def _resource(table: Output, content: bytes, problem: Problem) -> Json:
    schema: Json = {
        "fields": [_field(table, column, problem) for column in table.columns],
        "missingValues": ["", "unlimited"],
    }
    if table.name in KEYS:
        schema["primaryKey"] = KEYS[table.name]
    return {
        "profile": "tabular-data-resource",
        "name": table.name,
        "path": f"{table.name}.csv",
        "description": TABLES.get(table.name, table.name),
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": len(content),
        "hash": f"sha256:{digest(content)}",
        "dialect": {
            "delimiter": ",",
            "lineTerminator": "\r\n",
            "quoteChar": '"',
            "doubleQuote": True,
            "header": True,
            "skipInitialSpace": False,
        },
        "schema": schema,
    }


def _field(table: Output, column: str, problem: Problem) -> Json:
    demand = {resource.name: resource for resource in problem.resources}
    if table.name == "allocation" and column in demand:
        resource = demand[column]
        about = f"largest demand over the horizon: {resource.description or resource.label}"
        return {"name": column, "type": "number", "description": about, "unit": resource.unit}
    field: Json = {"name": column, "type": _type(table, column)}
    if field["type"] == "boolean":
        field |= {"trueValues": ["yes"], "falseValues": ["no"]}
    field["description"] = COLUMNS.get(column, column)
    return field | _unit(column, problem)


def _type(table: Output, column: str) -> str:
    known: Sequence[tuple[frozenset[str], str]] = (
        (BOOLEANS, "boolean"),
        (DATES, "date"),
        (INTEGERS, "integer"),
        (table.text, "string"),
    )
    return next((kind for names, kind in known if column in names), "number")


def _unit(column: str, problem: Problem) -> Json:
    if column in MONEY:
        return {"unit": problem.inventory.currency.code + MONEY[column]}
    if column.endswith("_ms"):
        return {"unit": "ms"}
    return {"unit": "share"} if column == "utilisation" else {}
