"""The JSON Schema of a model file: what editors complete from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from capplan.model.checked import bounds_named
from capplan.model.document import Changes, ModelKeys
from capplan.model.scenarios import FIXED

_SWITCH = [{"enum": ["on", "off"]}, {"type": "boolean"}, {"type": "null"}]


def model_schema(rules: Mapping[str, type[BaseModel]], goals: Collection[str]) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a model file, with each rule's options and the names of the goals."""
    classes: list[type[BaseModel]] = [ModelKeys, Changes, *rules.values()]
    refs, shared = models_json_schema([(one, "validation") for one in classes])
    names = [refs[(one, "validation")]["$ref"].rsplit("/", 1)[-1] for one in classes]
    definitions: dict[str, Any] = _standard(shared["$defs"])
    model, changes = definitions.pop(names[0]), definitions.pop(names[1])["properties"]
    keys = model["properties"]
    keys["rules"] |= _rules_schema(dict(zip(rules, names[2:], strict=True)), rules)
    keys["goals"]["items"] = _goal_schema(sorted(goals))
    for key in ("set", "scale", "increase"):
        changes[key]["additionalProperties"] = True  # nested or dotted, any scalar
    changes["add"]["additionalProperties"]["items"]["additionalProperties"] = True
    keys["scenarios"]["additionalProperties"] = {
        "type": ["object", "null"],
        "properties": {key: {"$ref": f"#/properties/{key}"} for key in keys if key not in FIXED} | changes,
        "additionalProperties": False,
    }
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    schema: dict[str, Any] = {**head, **model, "title": "capplan planning model", "$defs": definitions}
    return schema


def _standard(node: Any) -> Any:
    """A copy with bounds by their standard names, at every depth."""
    if isinstance(node, list):
        return [_standard(part) for part in node]
    if not isinstance(node, dict):
        return node
    return bounds_named({key: _standard(part) for key, part in node.items()})


def _rules_schema(names: Mapping[str, str], rules: Mapping[str, type[BaseModel]]) -> dict[str, Any]:
    properties = {
        rule: {"description": _summary(rules[rule]), "anyOf": [{"$ref": f"#/$defs/{name}"}, *_SWITCH]}
        for rule, name in sorted(names.items())
    }
    return {"properties": properties, "additionalProperties": False}


def _summary(options: type[BaseModel]) -> str:
    return (options.__doc__ or "").strip().partition("\n")[0]


def _goal_schema(goals: list[str]) -> dict[str, Any]:
    weight = {"type": "number", "exclusiveMinimum": 0}
    weighted = {
        "type": "object",
        "minProperties": 1,
        "properties": dict.fromkeys(goals, weight),
        "additionalProperties": False,
    }
    return {"anyOf": [{"enum": goals}, weighted]}
