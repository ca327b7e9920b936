"""YAML with places: every value knows the line and column it was written at.

Plain scalars are read narrowly: integers and decimals in plain ASCII notation, ``true`` and ``false``,
``null`` (or ``~``, or nothing); decimals stay exact. Whatever else YAML 1.1 would silently turn into
something that was not written (``NO``, ``010``, ``12:30``, ``1_000``, ``NULL``) stays text and is marked as
``Retyped``, so that a text field can say so.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Protocol, TypeAlias

import yaml

from capplan.errors import Faults, Place

Value: TypeAlias = "bool | int | Decimal | str | list[Value] | dict[str, Value] | None"
Path_: TypeAlias = tuple[str | int, ...]

LARGEST_FILE = 4_000_000
DEEPEST = 30
LONGEST_NUMBER = 40

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]*)\.[0-9]+")
_TAG = "tag:yaml.org,2002:"
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Retyped(str):
    """Text that YAML 1.1 readers would turn into something else, such as ``NO`` or ``010``."""

    becomes: str

    def __new__(cls, text: str, becomes: str) -> Retyped:
        """``becomes`` is the YAML type that the text would be read as."""
        self = super().__new__(cls, text)
        self.becomes = becomes
        return self


@dataclass(frozen=True)
class Located:
    """A YAML document: its value, and the place of every key path in it.

    ``places`` maps ``("rules", "latency")`` to where that value stands, ``keys`` to where its key stands,
    ``raw`` to the text of a scalar exactly as written.
    """

    file: str
    value: Value
    places: Mapping[Path_, Place]
    keys: Mapping[Path_, Place]
    raw: Mapping[Path_, str]

    def place(self, path: Path_) -> Place:
        """Where the value at ``path`` stands, or its nearest ancestor that was written."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Place(self.file))

    def key_place(self, path: Path_) -> Place:
        """Where the key of ``path`` stands, or the nearest place known."""
        return self.keys.get(path) or self.place(path)


def read_yaml(path: Path, faults: Faults, shown: str | None = None) -> Located | None:
    """Read one YAML file; None (with faults recorded) where it cannot be read at all.

    ``shown`` is how the file is named in messages. Never constructs anything but plain data.
    """
    file = shown or str(path)
    try:
        # Not by the size that the system tells: a pipe or a device tells none.
        with path.open("rb") as stream:
            written = stream.read(LARGEST_FILE + 1)
    except OSError as error:
        faults.error(Place(file), "unreadable-file", f"cannot be read: {error.strerror}", "check the path")
        return None
    if len(written) > LARGEST_FILE:
        message = f"the file is larger than {LARGEST_FILE:,} bytes"
        faults.error(Place(file), "unsafe-yaml", message, "split or shorten it")
        return None
    if written.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        faults.error(Place(file), "utf-16-file", "the file is UTF-16", "save the file as UTF-8")
        return None
    try:
        text = written.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = Place(file, written.count(b"\n", 0, error.start) + 1)
        message = f"byte {error.start} is not UTF-8"
        faults.error(place, "encoding-not-utf8", message, "save the file as UTF-8")
        return None
    return parse_yaml(text, faults, file)


def parse_yaml(text: str, faults: Faults, file: str) -> Located | None:
    """Parse YAML text; see ``read_yaml``."""
    try:
        if _has_alias(text, faults, file):
            return None
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = _place(file, mark)
        why = " ".join(part for part in (error.context, error.problem) if part)
        faults.error(place, "yaml-syntax", f"not YAML: {why}", "check indentation, quotes and colons here")
        return None
    except yaml.reader.ReaderError as error:
        # libyaml counts bytes.
        before = text.encode()[: error.position].decode(errors="ignore")
        place = Place(file, before.count("\n") + 1, len(before) - before.rfind("\n"))
        why = str(error).splitlines()[0]
        faults.error(place, "yaml-syntax", f"not YAML: {why}", "remove this character")
        return None
    reader = _Reader(file, faults)
    value = reader.value(node, ()) if node is not None else None
    return Located(file, value, reader.places, reader.keys, reader.raw)


def _has_alias(text: str, faults: Faults, file: str) -> bool:
    """Whether the text uses anchors, aliases, or nests too deeply; the first such place is a fault."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        place = _place(file, event.start_mark)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            faults.error(place, "unsafe-yaml", "anchors and aliases are not read", "write the value out")
            return True
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            faults.error(place, "unsafe-yaml", f"nested deeper than {DEEPEST} levels", "flatten it")
            return True
    return False


class _Mark(Protocol):
    line: int
    column: int


def _place(file: str, mark: _Mark | None) -> Place:
    return Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)


class _Reader:
    def __init__(self, file: str, faults: Faults) -> None:
        self.file = file
        self.faults = faults
        self.places: dict[Path_, Place] = {}
        self.keys: dict[Path_, Place] = {}
        self.raw: dict[Path_, str] = {}

    def place(self, node: yaml.Node) -> Place:
        return _place(self.file, node.start_mark)

    def value(self, node: yaml.Node, path: Path_) -> Value:
        self.places[path] = self.place(node)
        if self.has_odd_tag(node):
            return None
        if isinstance(node, yaml.MappingNode):
            return dict(self.pairs(node, path))
        if isinstance(node, yaml.SequenceNode):
            return [self.value(child, (*path, i)) for i, child in enumerate(node.value)]
        assert isinstance(node, yaml.ScalarNode)  # the only kind of node that is left
        self.raw[path] = node.value
        if node.tag in _NUMBERS and len(node.value) > LONGEST_NUMBER:
            message = f"a number of {len(node.value):,} characters is too long"
            self.faults.error(self.place(node), "non-finite-number", message, "shorten it, or quote it if it is text")
            return None
        return scalar(node)

    def has_odd_tag(self, node: yaml.Node) -> bool:
        """Whether the node has a tag that could construct something; that is a fault."""
        if node.tag.startswith(_TAG) and node.tag.removeprefix(_TAG) in _KNOWN_TAGS:
            return False
        self.faults.error(self.place(node), "unsafe-yaml", f"the tag {node.tag} is not read", "remove the tag")
        return True

    def pairs(self, node: yaml.MappingNode, path: Path_) -> Iterator[tuple[str, Value]]:
        first: dict[str, Place] = {}
        for key_node, value_node in node.value:
            place = self.place(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                self.faults.error(place, "yaml-syntax", "a key must be plain text", "write a name before the colon")
                continue
            if self.has_odd_tag(key_node):
                continue
            key = key_node.value
            if key in first:
                message = f'the key "{key}" is written twice; first at line {first[key].line}'
                self.faults.error(place, "duplicate-yaml-key", message, "keep one of them")
                continue
            first[key] = place
            self.keys[(*path, key)] = place
            yield key, self.value(value_node, (*path, key))


# YAML 1.1 gives a plain = and << tags of their own; here they are text.
_KNOWN_TAGS = {"str", "int", "float", "bool", "null", "timestamp", "map", "seq", "value", "merge"}
_NUMBERS = {_TAG + "int", _TAG + "float"}


def scalar(node: yaml.ScalarNode) -> Value:
    """The plain value of a scalar node, as the module's docstring says."""
    text, tag = node.value, node.tag.removeprefix(_TAG)
    if tag in ("str", "timestamp", "value", "merge"):
        return str(text)
    if tag == "null" and text in ("", "~", "null"):
        return None
    if tag == "bool" and text in ("true", "false"):
        return bool(text == "true")
    if tag == "int" and _INTEGER.fullmatch(text):
        return int(text)
    if tag == "float" and _DECIMAL.fullmatch(text):
        return Decimal(text)
    return Retyped(text, tag)
