"""Read an inventory folder: every file, every fault, one typed result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from capplan.errors import Faults, Place
from capplan.inventory.apply_overlay import apply_overlay
from capplan.inventory.assemble import assemble, type_tables
from capplan.inventory.checks import check_inventory, check_raw
from capplan.inventory.core import CORE
from capplan.inventory.csvfile import read_csv
from capplan.inventory.implied import at_the_only_site, implied_organisations
from capplan.inventory.raw import RawTable, empty, fill_defaults, match, node_names, own_column
from capplan.inventory.replicas import with_inherited
from capplan.inventory.schema import TableSchema, concrete, merged
from capplan.inventory.settings import FILE, Settings, read_settings
from capplan.inventory.table import Inventory
from capplan.overlay import Overlay

_REQUIRED = ("sites",)


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
        files = (self.folder / FILE, *(path for table in raw.values() for path in table.read))
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
        columns = concrete(schema, settings.resources)
        if not path.is_file():
            if schema.name in _REQUIRED and self.folder.is_dir():
                self.faults.error(Place(file), "missing-file", f"there is no {schema.name}.csv", "add it")
            return empty(schema, columns, path, file, whole=schema.name not in _REQUIRED)
        csv = read_csv(path, file, tuple(columns), self.faults)
        if csv is None:
            return empty(schema, columns, path, file, whole=False)
        if not settings.whole:
            # Nobody knows which resources are declared: do not call their columns unknown.
            columns = {name: own_column(name) for name in csv.header if name} | columns
        return match(csv, schema, columns, self.faults)

    def stray_files(self) -> None:
        """CSV files that are no table: close to a table's name they are mistakes, else only said."""
        known = {f"{name}.csv" for name in self.schemas}
        found = sorted(p.name for p in self.folder.glob("*.[cC][sS][vV]")) if self.folder.is_dir() else []
        for name in found:
            if name in known:
                continue
            near = get_close_matches(name.casefold()[:-4], self.schemas, n=1, cutoff=0.85)
            place = Place(self.shown(name))
            if near and f"{near[0]}.csv" not in found:
                self.faults.error(
                    place, "unknown-table", f"no table is called {name}", f'did you mean "{near[0]}.csv"?'
                )
            else:
                fix = "capplan schema tables lists the tables that are read"
                self.faults.warning(place, "unknown-table", "this file is not read", fix)
