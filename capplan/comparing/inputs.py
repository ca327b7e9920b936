"""What differs between two inventories: rows added, removed and changed, by key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from capplan.inventory import Inventory, Table
from capplan.inventory.cells import parse_number
from capplan.inventory.schema import NUMERIC
from capplan.model import Model

SETTINGS = "inventory.yaml"
MODEL = "model"


@dataclass(frozen=True)
class CellChange:
    """A cell that differs; a blank one that stands for a default has the default's text."""

    key: str
    column: str
    before: str
    after: str


@dataclass(frozen=True)
class TableDifference:
    """One table: keys of rows that only the second or only the first inventory has, and cells that differ in both."""

    table: str
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[CellChange, ...]

    @property
    def rows_changed(self) -> int:
        """Rows that both have and that differ."""
        return len({change.key for change in self.changed})

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


def input_differences(
    one: Inventory, other: Inventory, models: tuple[Model, Model] | None = None
) -> tuple[TableDifference, ...]:
    """What ``other`` has differently, table by table; ``models`` are compared too where given.

    Order of rows and columns, and notations of one number, are no difference.
    """
    found = [_settings(one, other), *([_models(*models)] if models else [])]
    found += [_tables(name, one.tables.get(name), other.tables.get(name)) for name in {**one.tables, **other.tables}]
    return tuple(table for table in found if table)


def _settings(one: Inventory, other: Inventory) -> TableDifference:
    return _mappings(SETTINGS, _facts(one), _facts(other))


def _facts(inventory: Inventory) -> dict[str, str]:
    removed = [inventory.table("sites").ids[s] for s in inventory.removed_sites.nonzero()[0].tolist()]
    facts = {
        "title": inventory.title,
        "currency": inventory.currency.code,
        "as_of": inventory.as_of.isoformat(),
        "placements": "listed" if inventory.placements_listed else "all",
        "sites removed": ";".join(removed),
    }
    return facts | {f"resources.{one.name}": f"{one.unit}, step {one.step}" for one in inventory.declared}


def _models(one: Model, other: Model) -> TableDifference:
    return _mappings(MODEL, dict(_flat(one.to_json())), dict(_flat(other.to_json())))


def _flat(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            # What a scenario does to the inventory shows in its tables.
            if path or key not in ("format", "scenarios", "description"):
                yield from _flat(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and any(isinstance(part, Mapping) for part in value):
        yield path, "; ".join(" + ".join(f"{k} x {v}" for k, v in part.items()) for part in value)
    else:
        yield path, "" if value in (None, {}, []) else str(value)


def _mappings(name: str, one: Mapping[str, str], other: Mapping[str, str]) -> TableDifference:
    keys = {**one, **other}
    changes = (CellChange(key, "", one.get(key, ""), other.get(key, "")) for key in keys)
    return TableDifference(name, (), (), tuple(change for change in changes if change.before != change.after))


def _tables(name: str, one: Table | None, other: Table | None) -> TableDifference:
    keys, others = (_rows(table) for table in (one, other))
    added = tuple(key for key in others if key not in keys)
    removed = tuple(key for key in keys if key not in others)
    both = [(key, keys[key], others[key]) for key in keys if key in others]
    changed: list[CellChange] = []
    if both and one is not None and other is not None:
        # Only what some file holds: a column that both lack is the same.
        columns = [column for column in {**one.cells, **other.cells} if column in one.present | other.present]
        for column in columns:
            changed += _column(column, one, other, both)
    return TableDifference(name, added, removed, tuple(sorted(changed, key=lambda change: change.key)))


def _rows(table: Table | None) -> dict[str, int]:
    return {} if table is None else {key: row for row, key in enumerate(table.keys)}


def _column(column: str, one: Table, other: Table, both: list[tuple[str, int, int]]) -> Iterator[CellChange]:
    before, after = (table.text(column) if column in table.cells else [""] * len(table) for table in (one, other))
    numeric = any(column in table.cells and table.cells[column].column.kind in NUMERIC for table in (one, other))
    for key, row, its in both:
        if before[row] != after[its] and not (numeric and _same_number(before[row], after[its])):
            yield CellChange(key, column, before[row], after[its])


def _same_number(one: str, other: str) -> bool:
    pairs = parse_number(one), parse_number(other)
    if pairs[0] is None or pairs[1] is None:
        return False
    return bool(pairs[0][0] * 10 ** pairs[1][1] == pairs[1][0] * 10 ** pairs[0][1])
