"""From files to one tree: ``extends`` chains and scenarios, merged, with the place of every value kept."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath, PureWindowsPath

from capplan import shipped
from capplan.errors import Faults, Place, did_you_mean
from capplan.located import Located, Path_, Retyped, Value, read_yaml

_FORMS = (frozenset({"cuts"}), frozenset({"from", "every", "count"}))


@dataclass(frozen=True)
class Source:
    """A model file: where it lies, and how messages name it."""

    path: Path
    shown: str

    @property
    def key(self) -> str:
        """The same for two ways to one file."""
        return os.path.realpath(self.path)


def is_name(text: str) -> bool:
    """Whether the text names a shipped model rather than a file."""
    return not Path(text).suffix and "/" not in text and "\\" not in text


def shipped_source(name: str) -> Source:
    """The file of a shipped model."""
    return Source(shipped.folder("models") / f"{name}.yaml", f"models/{name}.yaml")


def named_source(text: str, folder: Path, place: Place, faults: Faults) -> Source | None:
    """The file that a name or path inside another file means; None, with a fault, where there is none."""
    if is_name(text):
        known = shipped.names("models")
        if text in known:
            return shipped_source(text)
        hint = did_you_mean(text, known, f"shipped models: {', '.join(known)}; a file ends in .yaml")
        faults.error(place, "unknown-reference", f'no model called "{text}" comes with capplan', hint)
        return None
    if PurePosixPath(text).is_absolute() or PureWindowsPath(text).drive or text.startswith("\\"):
        message = f'the path "{text}" is not relative'
        faults.error(place, "unsafe-path", message, "write the path from this file's folder")
        return None
    if Path(text).suffix not in (".yaml", ".yml"):
        faults.error(place, "unsafe-path", f'"{text}" is not a YAML file', "name a file that ends in .yaml")
        return None
    path = Path(os.path.normpath(folder / text))
    if not path.is_file():
        faults.error(place, "unknown-reference", f'there is no file "{text}"', f"looked for {path}")
        return None
    return Source(path, str(path))


def read_chain(source: Source, faults: Faults) -> list[tuple[Source, Located]]:
    """The file and all it extends, the named file first; ends early, with faults, where one cannot be had."""
    chain: list[tuple[Source, Located]] = []
    seen: list[Source] = []
    following: Source | None = source
    while following:
        seen.append(following)
        located = read_yaml(following.path, faults, following.shown)
        if located is None:
            break
        if not isinstance(located.value, dict):
            hint = "begin with format: 1"
            faults.error(located.place(()), "wrong-value", "a model is a mapping of keys", hint)
            break
        chain.append((following, located))
        following = _extended(following, located, seen, faults)
    return chain


def _extended(source: Source, located: Located, seen: list[Source], faults: Faults) -> Source | None:
    value = located.value.get("extends") if isinstance(located.value, dict) else None
    place = located.place(("extends",))
    if value is None:
        return None
    if not isinstance(value, str) or isinstance(value, Retyped):
        hint = "write a shipped model's name or a path, in quotes"
        faults.error(place, "yaml-retyped-scalar", "extends takes one name or path", hint)
        return None
    found = named_source(value, source.path.parent, place, faults)
    keys = [one.key for one in seen]
    if found and found.key in keys:
        cycle = [*seen[keys.index(found.key) :], found]
        way = " -> ".join(one.shown for one in cycle)
        faults.error(place, "circular-reference", f"this model extends itself: {way}", "remove one extends")
        return None
    return found


def merged(below: Located, above: Located) -> Located:
    """``above`` laid over ``below``: mappings merge key by key, everything else is replaced."""
    replaced: set[Path_] = set()
    value = _merge(below.value, above.value, (), replaced)

    def kept(path: Path_) -> bool:
        return not any(path[:length] in replaced for length in range(len(path) + 1))

    return Located(
        above.file,
        value,
        {path: place for path, place in below.places.items() if kept(path)} | dict(above.places),
        {path: place for path, place in below.keys.items() if kept(path)} | dict(above.keys),
        {path: text for path, text in below.raw.items() if kept(path)} | dict(above.raw),
    )


def _merge(below: Value, above: Value, path: Path_, replaced: set[Path_]) -> Value:
    if not isinstance(below, dict) or not isinstance(above, dict):
        replaced.add(path)
        return above
    result = {key: value for key, value in below.items() if not _other_form(key, above, path)}
    replaced.update((*path, key) for key in below.keys() - result.keys())
    for key, value in above.items():
        result[key] = _merge(below[key], value, (*path, key), replaced) if key in result else value
    return result


def _other_form(key: str, above: dict[str, Value], path: Path_) -> bool:
    """Periods have two forms: keys of the one give way when the other is written above."""
    if path[-1:] != ("periods",):
        return False
    return any(key in form and above.keys() & other for form, other in (_FORMS, _FORMS[::-1]))


def part(located: Located, path: Path_) -> Located:
    """The subtree at ``path`` as a document of its own."""
    value = located.value
    for step in path:
        # The callers have looked before they ask; a path never leads into a scalar.
        value = value[step]  # type: ignore[index]
    length = len(path)
    return Located(
        located.file,
        value,
        {p[length:]: place for p, place in located.places.items() if p[:length] == path},
        {p[length:]: place for p, place in located.keys.items() if p[:length] == path},
        {p[length:]: text for p, text in located.raw.items() if p[:length] == path},
    )


def without(located: Located, *names: str) -> Located:
    """The document less some of its top-level keys."""
    if not isinstance(located.value, dict):
        return located
    return replace(located, value={key: part for key, part in located.value.items() if key not in names})
