"""Values checked by a pydantic class, with every mistake told in words at the place it was written."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from typing import Any, TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError

from capplan.errors import Fault, Faults, did_you_mean
from capplan.located import Located, Path_
from capplan.model.fields import Odd, kind_of, wrapped

SchemaNode: TypeAlias = Mapping[str, Any]
AnyKeys = TypeVar("AnyKeys", bound=BaseModel)

_BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
_MISSING = "missing"
_UNKNOWN = "extra_forbidden"


def checked(
    keys: type[AnyKeys],
    located: Located,
    faults: Faults,
    goals: Collection[str] | None = None,
    prefix: Path_ = (),
) -> AnyKeys | None:
    """The document as an instance of ``keys``; None, with all its faults recorded, where it is not one.

    ``goals`` are the known names of goals; ``prefix`` is where the document stands in messages' paths.
    """
    try:
        return keys.model_validate(wrapped(located.value), context=goals)
    except ValidationError as error:
        faults.extend(_faults(error, keys, located, prefix))
        return None


def faulty_keys(keys: type[BaseModel], located: Located, goals: Collection[str] | None) -> set[str]:
    """The top-level keys that ``checked`` would complain about."""
    try:
        keys.model_validate(wrapped(located.value), context=goals)
    except ValidationError as error:
        return {str(one["loc"][0]) for one in error.errors(include_url=False) if one["loc"]}
    return set()


def _faults(error: ValidationError, keys: type[BaseModel], located: Located, prefix: Path_) -> Iterator[Fault]:
    schema = keys.model_json_schema(mode="validation")
    for one in error.errors(include_url=False):
        path = _written_path(one["loc"], located)
        context = one.get("ctx", {})
        at_key = one["type"] == _UNKNOWN or one["loc"][-1:] == ("[key]",)
        place = located.key_place(path) if at_key else located.place(path)
        if "fix" in context:
            yield Fault(place, one["type"], context["message"], context["fix"])
            continue
        name = ".".join(step for step in (*prefix, *path) if isinstance(step, str)) or "this"
        if one["type"] == "value_error":
            yield Fault(place, "wrong-value", f"{name}: {context['error']}")
        elif one["type"] == "too_short":
            wanted = expected(_node(schema, one["loc"]), schema)
            yield Fault(place, "wrong-value", f"{name} holds fewer than {context['min_length']}", f"write {wanted}")
        else:
            yield Fault(place, *_words(one["type"], one["loc"], one["input"], name, schema))


def _written_path(location: tuple[int | str, ...], located: Located) -> Path_:
    """The steps of a pydantic location that the file has; tags of unions and the like drop out."""
    path: Path_ = ()
    for step in location:
        if (*path, step) in located.places:
            path = (*path, step)
    return path


def _words(
    kind: str, location: tuple[int | str, ...], value: object, name: str, schema: SchemaNode
) -> tuple[str, str, str]:
    """Code, message and fix for one of pydantic's own error types."""
    last = str(location[-1]) if location else ""
    if kind == _UNKNOWN:
        known = sorted(_node(schema, location[:-1]).get("properties", {}))
        hint = did_you_mean(last, known, f"known: {', '.join(known)}" if known else "it takes none")
        return "unknown-key", f'there is no key "{last}" here', hint
    node = _node(schema, location)
    wanted = expected(node, schema)
    if kind == _MISSING:
        return "missing-key", f'the key "{last}" is missing', f"add {last}: {wanted}"
    if kind == "string_type" and isinstance(value, Odd | bool | int | Decimal):
        written = str(value).lower() if isinstance(value, bool) else str(value)
        message = f"{written} without quotes is not text to every YAML reader"
        return "yaml-retyped-scalar", message, f'write "{written}" in quotes'
    if isinstance(value, Odd) and "number" in wanted:
        return "yaml-retyped-scalar", f"{value} means different things to YAML readers", f"write {wanted}"
    return "wrong-value", f"{name} is {kind_of(value)}", f"write {wanted}"


def _node(schema: SchemaNode, location: tuple[int | str, ...]) -> SchemaNode:
    """The part of a JSON Schema that describes the value at a location; empty where it says nothing."""
    node = _followed(schema, schema)
    for step in location:
        if isinstance(step, int):
            node = _branch(node, "items", schema).get("items", {})
        else:
            inside = _branch(node, "properties", schema).get("properties", {})
            node = inside.get(step) or _branch(node, "additionalProperties", schema).get("additionalProperties", {})
        node = _followed(node if isinstance(node, Mapping) else {}, schema)
    return node


def _followed(node: SchemaNode, schema: SchemaNode) -> SchemaNode:
    while "$ref" in node:
        target = schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]
        node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
    return node


def _branch(node: SchemaNode, keyword: str, schema: SchemaNode) -> SchemaNode:
    """The node itself, or the first of its alternatives that has the keyword."""
    choices = [node, *(_followed(choice, schema) for choice in node.get("anyOf", ()))]
    return next((choice for choice in choices if keyword in choice), {})


def expected(node: SchemaNode, schema: SchemaNode) -> str:
    """A JSON Schema node in words: ``a number from 0 to 100``."""
    node = bounds_named(_followed(node, schema))
    if "anyOf" in node:
        if "examples" in node:
            return f"a value such as {_plain(node['examples'][0])}"
        bounds = {key: node[key] for key in _BOUNDS.values() if key in node}
        choices = [{**_followed(choice, schema), **bounds} for choice in node["anyOf"]]
        number = [choice for choice in choices if choice.get("type") in ("number", "integer")]
        told = number or [choice for choice in choices if choice.get("type") != "null"]
        return " or ".join(dict.fromkeys(expected(choice, schema) for choice in told))
    if "const" in node or "enum" in node:
        words = [_plain(word) for word in node.get("enum", [node.get("const")])]
        return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
    example = f" such as {_plain(node['examples'][0])}" if node.get("examples") else ""
    return _kind_words(node) + example


def bounds_named(node: SchemaNode) -> dict[str, Any]:
    """The node with bounds by their JSON Schema names; behind a validator pydantic leaves its own."""
    return {
        # A property may be called "ge" as well; then its value is a schema, not a number.
        key if isinstance(value, Mapping) else _BOUNDS.get(key, key): value
        for key, value in node.items()
    }


def _kind_words(node: SchemaNode) -> str:
    kind = node.get("type")
    if kind in ("number", "integer"):
        return ("a whole number" if kind == "integer" else "a number") + _range(node)
    if kind == "string" and node.get("format") == "date":
        return "a day such as 2016-01-31"
    words = {"string": "text", "boolean": "true or false", "array": "a list", "object": "a mapping"}
    return words.get(str(kind), "a value")


def _range(node: SchemaNode) -> str:
    low, high = node.get("minimum"), node.get("maximum")
    above, under = node.get("exclusiveMinimum"), node.get("exclusiveMaximum")
    if low is not None and high is not None:
        return f" from {_plain(low)} to {_plain(high)}"
    bounds = [
        f"{words} {_plain(bound)}"
        for words, bound in (("at least", low), ("at most", high), ("above", above), ("below", under))
        if bound is not None
    ]
    return " " + " and ".join(bounds) if bounds else ""


def _plain(value: object) -> str:
    """Schema data as it would stand in a file: ``{power_kw: 20%}``."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_plain(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_plain(part) for part in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
