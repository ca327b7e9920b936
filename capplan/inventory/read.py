"""Read an inventory folder: every file, every fault, one typed result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path

from capplan.errors import Faults, Place
from capplan.inventory.apply_overlay import apply_overlay
from capplan.inventory.assemble import assemble, type_tables
from capplan.inventory.checks import check_inventory, check_raw
from capplan.inventory.core import CORE
from capplan.inventory.csvfile import CsvFile, read_csv, read_sheet
from capplan.inventory.implied import at_the_only_site, implied_organisations
from capplan.inventory.raw import RawTable, empty, fill_defaults, match, node_names, own_column
from capplan.inventory.replicas import with_inherited
from capplan.inventory.schema import TableSchema, concrete, merged
from capplan.inventory.settings import FILE, Settings, read_settings
from capplan.inventory.table import Inventory
from capplan.inventory.workbook import Unreadable, sheet_names
from capplan.overlay import Overlay

_REQUIRED = ("sites",)
WORKBOOK = "inventory.xlsx"
"""Its sheets may stand in place of CSV files of the same name."""


def read_inventory(
    folder: Path | str,
    extra: Sequence[TableSchema] = (),
    overlay: Overlay | None = None,
    faults: Faults | None = None,
) -> Inventory:
    """Read an inventory, with the columns and tables ``extra`` that rules bring and a scenario's ``overlay``.

    Raises BadInput with every fault. With ``faults`` given they are recorded there instead, and the result
    means something only if none of them is an error (a faulty cell reads as blank).
    """
    collected = Faults() if faults is None else faults
    reading = _Reading(Path(folder), merged(CORE, extra), collected)
    inventory = reading.inventory(overlay)
    if faults is None:
        collected.raise_errors()
    return inventory


@dataclass(frozen=True)
class _Reading:
    """One inventory being read."""

    folder: Path
    schemas: Mapping[str, TableSchema]
    faults: Faults

    def inventory(self, overlay: Overlay | None) -> Inventory:
        """The typed inventory; see ``read_inventory``."""
        settings = self.settings()
        raw = self.raw_tables(settings)
        # Every sheet of a workbook was read from the same file.
        read = dict.fromkeys(path for table in raw.values() for path in table.read)
        files = (self.folder / FILE, *read)
        removed: frozenset[str] = frozenset()
        if overlay is not None:
            changed = apply_overlay(raw, overlay, self.faults)
            raw, removed = changed.tables, changed.removed_sites
        raw = {name: table.sorted() for name, table in raw.items()}
        raw["workloads"] = with_inherited(raw["workloads"])
        check_raw(raw, self.faults)
        nodes = tuple(sorted(node_names(raw)))
        tables = type_tables(raw, settings.resources, nodes, self.faults)
        inventory = assemble(self.folder, settings, tables, nodes, removed, files)
        partial = {name for name, table in raw.items() if not table.whole}
        check_inventory(inventory, partial, self.faults)
        return inventory

    def shown(self, name: str) -> str:
        """A file of the folder as messages name it."""
        return str(self.folder / name)

    def settings(self) -> Settings:
        """``inventory.yaml``."""
        if not self.folder.is_dir():
            self.faults.error(Place(str(self.folder)), "missing-file", "there is no such folder", "check the path")
            return Settings(self.folder.name, whole=False)
        return read_settings(self.folder / FILE, self.shown(FILE), self.schemas, self.faults)

    def raw_tables(self, settings: Settings) -> dict[str, RawTable]:
        """Every table of the folder as text, defaults filled in."""
        self.stray_files()
        raw = {name: self.raw_table(schema, settings) for name, schema in self.schemas.items()}
        organisations, defaults = raw.pop("organisations"), settings.defaults
        raw = {name: fill_defaults(table, defaults.get(name, {})) for name, table in raw.items()}
        raw["expansions"] = at_the_only_site(raw["expansions"], raw["sites"], self.faults)
        if not organisations.read and organisations.whole:
            organisations = implied_organisations(organisations, raw["workloads"])
        filled = fill_defaults(organisations, defaults.get("organisations", {}))
        return {"organisations": filled, **raw}

    def raw_table(self, schema: TableSchema, settings: Settings) -> RawTable:
        """One table as text."""
        path, file = self.folder / f"{schema.name}.csv", self.shown(f"{schema.name}.csv")
        csv: CsvFile | None
        columns = concrete(schema, settings.resources)
        workbook = self.folder / WORKBOOK
        if schema.name in self.sheets:
            file = self.shown(f"{WORKBOOK}[{schema.name}]")
            if path.is_file():
                message = f"{schema.name} is a file and a sheet of {WORKBOOK}"
                self.faults.error(Place(file), "duplicate-table", message, "delete one of the two")
            csv = read_sheet(workbook, schema.name, file, tuple(columns), self.faults)
            path = workbook
        elif path.is_file():
            csv = read_csv(path, file, tuple(columns), self.faults)
        else:
            if schema.name in _REQUIRED and self.folder.is_dir():
                self.faults.error(Place(file), "missing-file", f"there is no {schema.name}.csv", "add it")
            return empty(schema, columns, path, file, whole=schema.name not in _REQUIRED)
        if csv is None:
            return empty(schema, columns, path, file, whole=False)
        if not settings.whole:
            # Nobody knows which resources are declared: do not call their columns unknown.
            columns = {name: own_column(name) for name in csv.header if name} | columns
        return match(csv, schema, columns, self.faults)

    @cached_property
    def sheets(self) -> frozenset[str]:
        """The sheets of the workbook that are tables; others are said."""
        workbook, file = self.folder / WORKBOOK, self.shown(WORKBOOK)
        if not workbook.is_file():
            return frozenset()
        try:
            names = sheet_names(workbook)
        except Unreadable as error:
            self.faults.error(Place(file), "unreadable-workbook", str(error), error.fix)
            return frozenset()
        for name in names:
            if name not in self.schemas:
                self.stray(Place(self.shown(f"{WORKBOOK}[{name}]")), name, frozenset(names), "sheet")
        return frozenset(names) & self.schemas.keys()

    def stray(self, place: Place, name: str, there: frozenset[str], what: str) -> None:
        """A table that is none: close to a table's name it is a mistake, else only said."""
        ending = ".csv" if what == "file" else ""
        near = get_close_matches(name.casefold(), self.schemas, n=1, cutoff=0.85)
        if near and near[0] not in there:
            message = f"no table is called {name}{ending}"
            self.faults.error(place, "unknown-table", message, f'did you mean "{near[0]}{ending}"?')
        else:
            fix = "capplan schema tables lists the tables that are read"
            self.faults.warning(place, "unknown-table", f"this {what} is not read", fix)

    def stray_files(self) -> None:
        """CSV files that are no table: close to a table's name they are mistakes, else only said."""
        known = {f"{name}.csv" for name in self.schemas}
        found = sorted(p.name for p in self.folder.glob("*.[cC][sS][vV]")) if self.folder.is_dir() else []
        there = frozenset(name.removesuffix(".csv") for name in found)
        for name in found:
            if name not in known:
                self.stray(Place(self.shown(name)), name[:-4], there, "file")
