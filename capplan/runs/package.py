"""``datapackage.json``: schema, units, size and hash of every table (Frictionless Data Package, version 1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

from capplan.problem import Problem
from capplan.runs.facts import Json
from capplan.runs.folder import slug
from capplan.tables import Output

INTEGERS = frozenset("steps need owned bought spare users population customers".split())
BOOLEANS = frozenset({"moved", "binding"})
DATES = frozenset({"from", "to"})
KEYS = {"allocation": ["workload"], "sites": ["site", "period", "resource"], "left_out": ["workload"]}
KEYS |= {"charges": ["organisation", "package", "period"], "packages": ["package", "period"]}
KEYS |= {"stranded": ["organisation", "package", "period"]}
MONEY = {
    "value": "/year",
    "price": "/year",
    **dict.fromkeys(("cost_per_user", "cost_per_head", "cost_per_kw", "charged_per_head"), "/year"),
    **dict.fromkeys("cost cost_once amount cost_today charged income margin full_income stranded".split(), ""),
    **dict.fromkeys("underpriced pays would_pay stranded_if_left to_others_if_left".split(), ""),
}

ABOUT = "Tables of a capplan run. Text cells that a spreadsheet would run as a formula begin with an apostrophe."

TABLES = {
    "allocation": "Each workload: its site or left out, where it is today, what it needs and costs.",
    "sites": "Each site, period and resource: capacity, use and what is free.",
    "limits": "Each limit: what is used of it and whether it binds.",
    "left_out": "What is left out, what that forgoes and why.",
    "purchases": "What is bought, where and from when.",
    "licences": "Each licence and period: need, what is owned and bought.",
    "costs": "Each amount by organisation, site, period and kind; they sum to the plan's cost.",
    "organisations": "Each organisation: what it costs, for a user, a head and a kilowatt, and what it is charged.",
    "charges": "What each organisation is charged for each package.",
    "packages": "Each package: income, cost, and the cost that is stranded because organisations do not buy.",
    "stranded": "What each organisation means for each package whose cost is known, now and if it left.",
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
    "used_today": "what is used where all is today, in the row's unit",
    "users": "people who use its workloads",
    "population": "people it serves",
    "mean_power_kw": "power it draws, on average over the horizon",
    "cost_today": "money over the horizon where all is today",
    "cost_per_user": "cost of one user for a year",
    "cost_per_head": "cost of one head of population for a year",
    "cost_per_kw": "cost of one kilowatt for a year",
    "charged": "what it is charged for packages over the horizon",
    "charged_per_head": "what it is charged for packages for one head of population and a year",
    "package": "id of the package",
    "unit_basis": "what the price is for",
    "volume": "number of units",
    "price": "price of a unit for a year; of a fixed package the whole price",
    "customers": "organisations that buy it",
    "take_up": "units bought over units if every organisation bought, as a share",
    "income": "what customers are charged over the period",
    "margin": "income less cost",
    "full_income": "income if every organisation bought it all the time",
    "stranded": "cost that nobody covers because of who does not buy",
    "underpriced": "cost that would not be covered if every organisation bought",
    "pays": "what it is charged over the period",
    "would_pay": "what it would be charged if it bought it all the time",
    "stranded_if_left": "further cost that nobody would cover if it stopped buying",
    "to_others_if_left": "what the other customers of a fixed price would bear if it stopped buying",
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
