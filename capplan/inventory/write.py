"""Write tables that spreadsheets open well and that read back as they were."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

import yaml

from capplan.inventory.cells import parse_number, quoted
from capplan.inventory.raw import OWN_PREFIX
from capplan.inventory.schema import UNTEXTUAL
from capplan.inventory.settings import FILE, FORMAT
from capplan.inventory.table import Inventory, Table
from capplan.units import Resource, decimal_text

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def write_csv(
    target: Path | BinaryIO | None,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    text_columns: Collection[str],
) -> bytes:
    """Write one table and return its bytes: UTF-8 with byte-order mark, CRLF, header, rows as given.

    Cells of ``text_columns`` that a spreadsheet would run as a formula get a leading apostrophe, which
    reading takes away again; other cells, numbers above all, are never touched. None is a blank cell.
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(columns)
    is_text = [column in text_columns for column in columns]
    for row in rows:
        cells = ("" if cell is None else str(cell) for cell in row)
        writer.writerow([quoted(cell) if text else cell for cell, text in zip(cells, is_text, strict=True)])
    content = BYTE_ORDER_MARK + buffer.getvalue().encode("utf-8")
    if isinstance(target, Path):
        target.write_bytes(content)
    elif target is not None:
        target.write(content)
    return content


def write_inventory(inventory: Inventory, folder: Path | str) -> None:
    """Write an inventory so that reading it gives the same one; rows sorted by key.

    Defaults of ``inventory.yaml`` are written into the cells they filled. Raises ValueError for an
    inventory that a scenario took sites from, because a folder cannot say that.
    """
    if inventory.removed_sites.any():
        raise ValueError("an inventory with removed sites cannot be written")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_bytes(_settings(inventory))
    for name, table in inventory.tables.items():
        # Organisations that only workloads.csv names get a file too: it keeps the defaults filled in for them.
        if table.schema.key[0] in table.present:
            write_table(table, folder / f"{name}.csv")


def write_table(table: Table, target: Path | BinaryIO | None) -> bytes:
    """Write one table of an inventory, columns in the order of its schema, and return its bytes."""
    columns = [name for name in table.cells if name in table.present]
    own = [name for name in columns if name.startswith(OWN_PREFIX)]
    texts = {name for name in columns if table.cells[name].column.kind not in UNTEXTUAL and name not in own}
    cells = [_own(table, name) if name in own else _cells(table, name) for name in columns]
    return write_csv(target, columns, zip(*cells, strict=True), texts)


def _cells(table: Table, column: str) -> list[str]:
    """Cells as they were written: defaults stay blank."""
    given = table.given(column).tolist()
    return [text if filled else "" for text, filled in zip(table.text(column), given, strict=True)]


def _own(table: Table, column: str) -> list[str]:
    """Cells of the user's own columns: numbers are left alone, text is guarded."""
    return [text if parse_number(text) else quoted(text) for text in _cells(table, column)]


class _Plain(str):
    """Text that YAML writes without quotes."""


class _Dumper(yaml.SafeDumper):
    """Writes ``_Plain`` text as it is, and indents lists."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _plain(dumper: yaml.SafeDumper, text: _Plain) -> yaml.ScalarNode:
    number = "tag:yaml.org,2002:float" if "." in text else "tag:yaml.org,2002:int"
    return dumper.represent_scalar(number, str(text))


_Dumper.add_representer(_Plain, _plain)


def _settings(inventory: Inventory) -> bytes:
    values: dict[str, object] = {
        "format": FORMAT,
        "title": inventory.title,
        "currency": inventory.currency.code,
        "as_of": inventory.as_of,
        "description": inventory.description,
        "model": inventory.model,
        "sources": list(inventory.sources),
        "assumptions": list(inventory.assumptions),
        "resources": {resource.name: _resource(resource) for resource in inventory.declared},
        "placements": "listed" if inventory.placements_listed else "",
    }
    filled = {key: value for key, value in values.items() if value}
    text = yaml.dump(filled, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100)
    return text.encode("utf-8")


def _resource(resource: Resource) -> dict[str, str]:
    fields = {"unit": resource.unit, "step": _Plain(decimal_text(resource.step, places=18))}
    if resource.description:
        fields["description"] = resource.description
    return fields
