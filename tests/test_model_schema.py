"""The JSON Schema of model files says what the reader does."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from capplan import goals, rules, shipped
from capplan.errors import Faults
from capplan.located import parse_yaml, read_yaml
from capplan.model import model_schema
from tests.known_rules import GOALS, RULES, SCENARIOS

SCHEMA = model_schema(RULES, GOALS)
KINDS: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, Decimal),
    "boolean": (bool,),
    "null": (type(None),),
}
KNOWN = {
    *(
        "$ref",
        "$schema",
        "$defs",
        "title",
        "description",
        "default",
        "examples",
        "format",
        "type",
        "enum",
        "const",
    ),
    *("anyOf", "properties", "additionalProperties", "required", "items", "pattern", "minLength"),
    *("minItems", "minProperties", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
}


def fits(value: Any, node: Any) -> bool:
    """A small checker of the keywords that the schema uses; it fails on any other."""
    if isinstance(node, bool):
        return node
    assert set(node) <= KNOWN, set(node) - KNOWN
    if "$ref" in node:
        target: Any = SCHEMA
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        return fits(value, target)
    kinds = [node["type"]] if isinstance(node.get("type"), str) else node.get("type", list(KINDS))
    right_kind = any(
        isinstance(value, KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool)) for kind in kinds
    )
    in_range = isinstance(value, bool) or not isinstance(value, int | Decimal) or number_fits(value, node)
    return (
        right_kind
        and in_range
        and value in node.get("enum", [value])
        and value == node.get("const", value)
        and any(fits(value, choice) for choice in node.get("anyOf", [True]))
        and (not isinstance(value, str) or bool(re.search(node.get("pattern", ""), value)))
        and (not isinstance(value, dict) or mapping_fits(value, node))
        and (not isinstance(value, list) or list_fits(value, node))
    )


def number_fits(value: int | Decimal, node: Mapping[str, Any]) -> bool:
    low, high, above = (
        Decimal(str(node.get(key, d)))
        for key, d in (("minimum", "-inf"), ("maximum", "inf"), ("exclusiveMinimum", "-inf"))
    )
    return low <= value <= high and above < value


def mapping_fits(value: Mapping[str, Any], node: Mapping[str, Any]) -> bool:
    other, known = node.get("additionalProperties", True), node.get("properties", {})
    return (
        len(value) >= node.get("minProperties", 0)
        and set(node.get("required", ())) <= set(value)
        and all(fits(part, known.get(key, other)) for key, part in value.items())
    )


def list_fits(value: list[Any], node: Mapping[str, Any]) -> bool:
    return len(value) >= node.get("minItems", 0) and all(fits(part, node.get("items", True)) for part in value)


def value_of(text: str) -> Any:
    located = parse_yaml(text, Faults(), "m.yaml")
    assert located is not None
    return located.value


@pytest.mark.parametrize("name", shipped.names("models"))
def test_every_shipped_model_fits_the_schema(name, monkeypatch):
    """The schema with the real rules and goals, which `capplan schema model` prints."""
    real = model_schema({rule: found.options for rule, found in rules.RULES.items()}, goals.GOALS)
    monkeypatch.setitem(globals(), "SCHEMA", real)
    located = read_yaml(shipped.folder("models") / f"{name}.yaml", Faults())
    assert located is not None
    assert fits(located.value, real)


GOOD = [
    SCENARIOS.replace("zones: [1, NO], ", ""),
    "rules: {latency: off, capacity: on, allowed: , licences: true}",
    "rules: {capacity: {soft: {power_kw: 900.5}}, latency: {route_factor: 1.4, spare: 3%}}",
    "headroom: {a: 12.5 %, b: 0.2}",
    "goals: [cost, {cost: 1, moves: 0.5}]",
    "periods: {from: 2016-01-01, every: year, count: 2}",
    "periods: {cuts: [2016-01-01, 2017-01-01]}",
    "purchases: [a, b]",
    "solver: {time_limit_s: 0.5, gap: 1%, deterministic: false}",
]
BAD = [
    "formt: 1",
    "headroom: {a: 20}",
    "headroom: {a: 20 percent}",
    "rules: {latncy: on}",
    "rules: {latency: {route_factor: 9}}",
    "rules: {latency: {hops: 1.5}}",
    "rules: {capacity: {soft: {power_kw: -1}}}",
    "goals: [cots]",
    "goals: [{cost: 0}]",
    "goals: []",
    "left_out: none",
    "purchases: some",
    "periods: {every: fortnight}",
    "solver: {workers: 0}",
    "scenarios: {a: {title: x}}",
    "scenarios: {a: {goals: [cots]}}",
    "scenarios: {a: {remove: {sites: B}}}",
]


@pytest.mark.parametrize("text", GOOD)
def test_what_the_reader_takes_the_schema_takes(text):
    assert fits({"format": 1, **value_of(text)}, SCHEMA)


@pytest.mark.parametrize("text", BAD)
def test_what_the_reader_refuses_the_schema_refuses(text):
    assert not fits({"format": 1, **value_of(text)}, SCHEMA)


def test_a_file_without_its_format_does_not_fit():
    assert not fits({"title": "x"}, SCHEMA)


def test_every_key_is_described_so_that_editors_can_say_what_it_is():
    assert [key for key, node in SCHEMA["properties"].items() if not node.get("description")] == []
    assert SCHEMA["properties"]["rules"]["properties"]["latency"]["description"] == "Latency."


def test_the_schema_is_plain_json_and_the_same_every_time():
    assert json.dumps(SCHEMA) == json.dumps(model_schema(RULES, GOALS))
