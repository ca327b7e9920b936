"""Changes that a command line asks for, as the scenario that would say the same.

``sites.B.power_kw=11`` sets a cell, ``*=1.1`` multiplies it, ``+=2`` and ``-=2`` add to it; ``*`` in place of the row's
key is every row. ``rules.zone=off``, ``headroom.power_kw=10%`` and ``purchases=none`` change the model. ``sites.B``
names a row to remove, ``sites: {site: C, power_kw: 10}`` one to add.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from capplan.errors import Faults, Place
from capplan.located import Located, Path_, Value, parse_yaml
from capplan.model.document import ModelKeys
from capplan.model.layers import part
from capplan.model.scenarios import FIXED, in_one_form

MODEL_KEYS = frozenset(ModelKeys.model_fields) - set(FIXED)


@dataclass(frozen=True)
class Asked:
    """Changes as written on a command line: to set, to remove, to add; and what they are ``called`` together."""

    set: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    add: tuple[str, ...] = ()
    called: str = ""

    @staticmethod
    def of(set: Sequence[str] = (), remove: Sequence[str] = (), add: Sequence[str] = ()) -> Asked:  # noqa: A002
        """From lists of any kind."""
        return Asked(tuple(set), tuple(remove), tuple(add))

    def __bool__(self) -> bool:
        return bool(self.set or self.remove or self.add)

    @property
    def name(self) -> str:
        """What the changes are called, if not themselves."""
        return self.called or ", ".join(
            (*self.set, *(f"without {one}" for one in self.remove), *(f"with {one}" for one in self.add))
        )


@dataclass
class _Writing:
    """A scenario being put together; each value is placed at the option that asked for it."""

    value: dict[str, Value] = field(default_factory=dict)
    places: dict[Path_, Place] = field(default_factory=dict)
    raw: dict[Path_, str] = field(default_factory=dict)

    def put(self, path: tuple[str, ...], value: Value, place: Place) -> None:
        """Put a value at a path of keys, over what stands there."""
        below = self.value
        for step in path[:-1]:
            inner = below.get(step)
            if not isinstance(inner, dict):
                inner = below[step] = {}
            below = inner
        below[path[-1]] = value
        self._place(path, place)

    def _place(self, path: Path_, place: Place) -> None:
        for length in range(1, len(path)):
            self.places.setdefault(path[:length], place)
        self.places[path] = place

    def append(self, path: tuple[str, str], value: Value, place: Place) -> int:
        """Append a value to the list at a path; returns its number."""
        table = self.value.setdefault(path[0], {})
        assert isinstance(table, dict)
        found = table.setdefault(path[1], [])
        assert isinstance(found, list)
        found.append(value)
        self._place((*path, len(found) - 1), place)
        return len(found) - 1


def changes_of(asked: Asked, faults: Faults) -> Located | None:
    """The changes as a scenario; None where nothing is asked for. What cannot be read is a fault that quotes it."""
    if not asked:
        return None
    writing = _Writing()
    for text in asked.set:
        _setting(writing, text, Place(f"--set {text}"), faults)
    for text in asked.remove:
        _removal(writing, text, Place(f"--remove {text}"), faults)
    for text in asked.add:
        _addition(writing, text, Place(f"--add {text}"), faults)
    keys = dict(writing.places)
    inside: Value = {"scenarios": {"": writing.value}}
    moved = {("scenarios", "", *path): place for path, place in keys.items()}
    raw = {("scenarios", "", *path): text for path, text in writing.raw.items()}
    whole = in_one_form(Located(asked.name, inside, moved, moved, raw), faults)
    return part(whole, ("scenarios", ""))


def _setting(writing: _Writing, text: str, place: Place, faults: Faults) -> None:
    left, equals, right = text.partition("=")
    left, right = left.strip(), right.strip()
    if not equals or not left:
        faults.error(
            place, "wrong-value", "this sets nothing", "write table.row.column=value, such as sites.B.power_kw=11"
        )
        return
    top = left.partition(".")[0]
    if top in MODEL_KEYS:
        parsed = parse_yaml(right, faults, place.file)
        if parsed is not None:
            writing.put(tuple(left.split(".")), parsed.value, place)
        return
    sign = left[-1] if left[-1] in "*+-" and not left.endswith(".*") else ""
    path = left.removesuffix(sign).strip() if sign else left
    if path.count(".") < 2:
        message = f'"{path}" names neither a cell nor a key of the model'
        known = ", ".join(sorted(MODEL_KEYS))
        faults.error(place, "wrong-value", message, f"write table.row.column=value, or begin with one of: {known}")
        return
    kind = {"*": "scale", "+": "increase", "-": "increase"}.get(sign, "set")
    value = f"-{right}".replace("--", "", 1) if sign == "-" else right
    writing.put((kind, path), value, place)
    writing.raw[kind, path] = value


def _removal(writing: _Writing, text: str, place: Place, faults: Faults) -> None:
    table, dot, key = text.strip().partition(".")
    if not dot or not key:
        faults.error(place, "wrong-value", f'"{text}" names no row', "write table.row, such as sites.B")
        return
    writing.append(("remove", table), key, place)


def _addition(writing: _Writing, text: str, place: Place, faults: Faults) -> None:
    parsed = parse_yaml(text, faults, place.file)
    if parsed is None:
        return
    rows = parsed.value if isinstance(parsed.value, dict) else {}
    if len(rows) != 1 or not all(isinstance(row, dict) for row in rows.values()):
        fix = "write table: {column: value}, such as sites: {site: C, power_kw: 10}"
        faults.error(place, "wrong-value", f'"{text}" is no row', fix)
        return
    [(table, row)] = rows.items()
    number = writing.append(("add", table), row, place)
    for path, raw in parsed.raw.items():
        if path[:1] == (table,):
            writing.raw["add", table, number, *path[1:]] = raw
            writing.places["add", table, number, *path[1:]] = place
