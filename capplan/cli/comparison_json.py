"""Comparisons as plain data, for programs."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from capplan.accounts import Account
from capplan.cli.terminal import FORMAT_VERSION
from capplan.comparing import Comparison, Difference, Measure, Organisation, Subject, TableDifference
from capplan.runs.facts import number
from capplan.units import Currency


def comparison_json(compared: Comparison) -> dict[str, object]:
    """The comparison as plain data."""
    return {
        "format_version": FORMAT_VERSION,
        "subjects": [_subject(subject) for subject in compared.subjects],
        "inputs": [[_table(table) for table in tables] for tables in compared.inputs],
        "measures": [_measure(measure) for measure in compared.measures],
        "organisations": [_organisation(row, compared.subjects[0]) for row in compared.organisations],
    }


def difference_json(found: Difference) -> dict[str, object]:
    """What moves as plain data."""
    currency = found.one.inventory.currency
    return {
        "format_version": FORMAT_VERSION,
        "subjects": [_subject(found.one), _subject(found.other)],
        "cost": _money(currency, found.cost),
        "moves": [
            {
                "workload": move.workload,
                "organisation": move.organisation,
                "kind": move.kind,
                "before": move.before or None,
                "after": move.after or None,
                "cost": _money(currency, move.cost),
                "rtt_ms": None if move.rtt_ms is None else number(move.rtt_ms),
                "undone": None if move.undone is None else _money(currency, move.undone),
                "broken": None if move.broken is None else list(move.broken),
            }
            for move in found.moves
        ],
        "purchases": [
            {"purchase": key[0], "site": key[1] or None, "period": key[2], "before": steps[0], "after": steps[1]}
            for key, steps in found.purchases.items()
        ],
        "measures": [_measure(measure) for measure in found.measures],
    }


def _subject(subject: Subject) -> dict[str, object]:
    return {
        "name": subject.name,
        "run": str(subject.run.folder),
        "status": subject.info["status"],
        "gap": subject.info.get("gap"),
        "model": subject.model.name,
        "scenario": subject.model.scenario,
    }


def _table(table: TableDifference) -> dict[str, object]:
    return {
        "table": table.table,
        "added": list(table.added),
        "removed": list(table.removed),
        "changed": [
            {"key": one.key, "column": one.column or None, "before": one.before, "after": one.after}
            for one in table.changed
        ],
    }


def _measure(measure: Measure) -> dict[str, object]:
    return {
        "group": measure.group,
        "name": measure.name,
        "unit": measure.unit,
        "values": [None if value is None else number(value) for value in measure.values],
        "notes": list(measure.notes),
    }


def _organisation(row: Organisation, first: Subject) -> Mapping[str, object]:
    currency = first.inventory.currency
    return {
        "organisation": row.name or None,
        "accounts": [None if one is None else _account(currency, one) for one in row.accounts],
        "placed": list(row.placed),
        "left_out": list(row.left_out),
    }


def _account(currency: Currency, one: Account) -> dict[str, object]:
    amounts = {
        name: getattr(one, name)
        for name in ("cost", "cost_today", "cost_per_user", "cost_per_head", "cost_per_kw", "charged")
    }
    return {name: None if pence is None else _money(currency, pence) for name, pence in amounts.items()}


def _money(currency: Currency, pence: int) -> int | float:
    return number(Fraction(pence, currency.pence_per_unit))
