"""``inventory.yaml``: what holds for the whole inventory."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from capplan.errors import Faults, Place, did_you_mean
from capplan.inventory.cells import Finding, parse_date, parse_number
from capplan.inventory.schema import TableSchema, concrete, family_prefixes, taken_names
from capplan.located import Located, Path_, Retyped, read_yaml
from capplan.units import BUILT_IN, Currency, Resource

FILE = "inventory.yaml"
FORMAT = 1
KEYS = (
    "format",
    "title",
    "currency",
    "as_of",
    "description",
    "model",
    "sources",
    "assumptions",
    "resources",
    "defaults",
    "placements",
)
REQUIRED = ("format", "currency", "as_of")
RESOURCE_KEYS = ("unit", "step", "description")
RESOURCE_NAME = re.compile(r"[a-z][a-z0-9_]*")
CURRENCY = re.compile(r"[A-Z]{3}")

_BLANK = ("", "~", "null")

SMALLEST_STEP = Fraction(1, 10**9)
"""The finest step a resource may have; the coarsest is its reciprocal."""

NO_CURRENCY = Currency("XXX")
"""ISO 4217 for "no currency": what a file that names none, at fault, is read with."""

Defaults = dict[str, dict[str, tuple[str, Place]]]


@dataclass(frozen=True)
class Settings:
    """The content of ``inventory.yaml``; ``defaults`` is table → column → (cell, where it is written)."""

    title: str
    currency: Currency = NO_CURRENCY
    as_of: date = date(1970, 1, 1)
    description: str = ""
    model: str = ""
    sources: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    placements_listed: bool = False
    declared: tuple[Resource, ...] = ()
    defaults: Defaults = field(default_factory=dict)
    whole: bool = True

    @property
    def resources(self) -> tuple[Resource, ...]:
        """Every resource that may be mentioned, built-in ones first."""
        return BUILT_IN + self.declared


def read_settings(path: Path, file: str, tables: Mapping[str, TableSchema], faults: Faults) -> Settings:
    """Read ``inventory.yaml``, named ``file`` in messages. What is faulty keeps a placeholder value.

    ``tables`` are all schemas: defaults and names of resources are checked against them.
    """
    nothing = Settings(title=path.parent.name, whole=False)
    if not path.is_file():
        fix = "every inventory has one; capplan init writes an example"
        faults.error(Place(file), "missing-file", f"there is no {FILE}", fix)
        return nothing
    document = read_yaml(path, faults, file)
    if document is None:
        return nothing
    if not isinstance(document.value, dict):
        faults.error(Place(file, 1), "yaml-syntax", "this is not a mapping of keys", "begin with format: 1")
        return nothing
    return _Reader(document, document.value, tables, faults).settings(nothing.title)


class _Reader:
    """Reads one document key by key, recording what is wrong with each."""

    def __init__(
        self,
        document: Located,
        values: Mapping[str, object],
        tables: Mapping[str, TableSchema],
        faults: Faults,
    ) -> None:
        self.document = document
        self.values = values
        self.tables = tables
        self.faults = faults

    def settings(self, title: str) -> Settings:
        """The settings; see ``read_settings``."""
        self.known_keys(self.values, KEYS, ())
        for key in REQUIRED:
            if key not in self.values:
                place = Place(self.document.file, 1)
                self.faults.error(place, "missing-key", f'"{key}" is missing', f"add {key}: …")
            elif self.values[key] is None and self.document.raw.get((key,)) in _BLANK:
                self.error((key,), "missing-key", "has no value", "write it after the colon")
        written = self.values.get("format") is not None
        if written and self.document.raw.get(("format",)) != str(FORMAT):
            self.error(("format",), "unknown-format", "this format is not known", f"write format: {FORMAT}")
        declared = self.resources()
        return Settings(
            title=self.text(("title",)) or title,
            currency=self.currency(),
            as_of=self.as_of(),
            description=self.text(("description",)),
            model=self.text(("model",)),
            sources=self.texts("sources"),
            assumptions=self.texts("assumptions"),
            placements_listed=self.placements() == "listed",
            declared=declared,
            defaults=self.defaults(BUILT_IN + declared),
        )

    def error(self, path: Path_, code: str, message: str, fix: str) -> None:
        name = ".".join(map(str, path))
        self.faults.error(self.document.place(path), code, f"{name}: {message}", fix)

    def known_keys(self, values: Mapping[str, object], known: tuple[str, ...], path: Path_) -> None:
        for key in values:
            if key not in known:
                fix = did_you_mean(key, known, "known keys: " + ", ".join(known))
                place = self.document.key_place((*path, key))
                self.faults.error(place, "unknown-key", f'no key is called "{key}"', fix)

    def at(self, path: Path_) -> object:
        value: object = self.values
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        return value

    def text(self, path: Path_) -> str:
        """A text, empty where absent."""
        return self.as_text(self.at(path), path)

    def as_text(self, value: object, path: Path_) -> str:
        if isinstance(value, Retyped | bool | int | Decimal):
            raw = self.document.raw[path]
            becomes = getattr(value, "becomes", "bool" if isinstance(value, bool) else "number")
            message = f"{raw} is read as {becomes} by YAML, and text is wanted"
            self.error(path, "yaml-retyped-scalar", message, f'write "{raw}" in quotes')
        elif isinstance(value, dict | list):
            self.error(path, "wrong-type", "text is wanted here", "write it on one line, or after a |")
        elif isinstance(value, str):
            return value.strip()
        return ""

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; a single text is a list of one."""
        value = self.values.get(key)
        if isinstance(value, list):
            return tuple(self.as_text(item, (key, i)) for i, item in enumerate(value))
        one = self.text((key,))
        return (one,) if one else ()

    def mapping(self, path: Path_) -> dict[str, object]:
        value = self.at(path)
        if isinstance(value, dict):
            return value
        if value is not None:
            self.error(path, "wrong-type", "keys with values are wanted here", "indent them under this key")
        return {}

    def currency(self) -> Currency:
        code = self.text(("currency",))
        if CURRENCY.fullmatch(code):
            return Currency(code)
        if code:
            self.error(("currency",), "unknown-choice", f'"{code}" is no ISO 4217 code', "write it as GBP or EUR")
        return NO_CURRENCY

    def as_of(self) -> date:
        value = self.values.get("as_of")
        if isinstance(value, dict | list):
            self.text(("as_of",))
        text = self.document.raw.get(("as_of",), "") if value is not None else ""
        found = parse_date(text) if text else None
        if isinstance(found, Finding):
            self.error(("as_of",), found.code, f'"{text}" {found.message}', found.fix)
        return found if isinstance(found, date) else date(1970, 1, 1)

    def placements(self) -> str:
        choice = self.text(("placements",)) or "all"
        if choice not in ("all", "listed"):
            fix = did_you_mean(choice, ("all", "listed"), "write all or listed")
            self.error(("placements",), "unknown-choice", f'"{choice}" is not among the choices', fix)
        return choice

    def resources(self) -> tuple[Resource, ...]:
        found = (self.resource(name) for name in self.mapping(("resources",)))
        return tuple(resource for resource in found if resource)

    def resource(self, name: str) -> Resource | None:
        path = ("resources", name)
        place = self.document.key_place(path)
        if not RESOURCE_NAME.fullmatch(name):
            fix = "write lower-case letters, digits and _"
            self.faults.error(place, "bad-name", f'"{name}" cannot be the name of a column', fix)
            return None
        built_in = {resource.name for resource in BUILT_IN}
        prefixed = any(name.startswith(prefix) for prefix in family_prefixes(self.tables))
        if name in taken_names(self.tables) | built_in or prefixed or name.startswith("x_"):
            what = "a resource of that name is built in" if name in built_in else "tables use that name already"
            self.faults.error(place, "name-taken", f'"{name}": {what}', "choose another name")
            return None
        fields = self.mapping(path)
        if self.at(path) is not None and not isinstance(self.at(path), dict):
            return None
        self.known_keys(fields, RESOURCE_KEYS, path)
        unit, text = self.text((*path, "unit")), self.text((*path, "description"))
        if not unit:
            self.error(path, "missing-key", '"unit" is missing', "add unit: …")
        return Resource(name, unit, self.step(path), text)

    def step(self, path: Path_) -> Fraction:
        path = (*path, "step")
        raw = self.document.raw.get(path)
        if raw is None:
            if self.at(path) is not None:
                self.error(path, "wrong-type", "a number is wanted here", "write such as 0.01")
            return Fraction(1)
        number = parse_number(raw)
        if number is None or number[0] <= 0:
            self.error(path, "non-positive-quantity", f'"{raw}" is not a positive decimal', "write such as 0.01")
            return Fraction(1)
        step = Fraction(number[0], 10 ** number[1])
        if not SMALLEST_STEP <= step <= 1 / SMALLEST_STEP or number[1] > 9:
            fix = "write 0.000000001 to 1000000000, with at most 9 decimals"
            self.error(path, "out-of-range", f'"{raw}" cannot be counted exactly', fix)
        return step

    def defaults(self, resources: tuple[Resource, ...]) -> Defaults:
        given = self.mapping(("defaults",))
        self.known_keys(given, tuple(self.tables), ("defaults",))
        found = {name: self.table_defaults(name, resources) for name in given if name in self.tables}
        return {name: columns for name, columns in found.items() if columns}

    def table_defaults(self, name: str, resources: tuple[Resource, ...]) -> dict[str, tuple[str, Place]]:
        schema, path = self.tables[name], ("defaults", name)
        columns = tuple(column for column in concrete(schema, resources) if column not in schema.key)
        given = self.mapping(path)
        self.known_keys(given, columns, path)
        found = {}
        for column in given:
            raw = self.document.raw.get((*path, column))
            if raw is None:
                self.error((*path, column), "wrong-type", "one value is wanted here", "write it on one line")
            elif column in columns and raw.strip():
                found[column] = (raw.strip(), self.document.place((*path, column)))
        return found
