"""The schema of an inventory describes what the reader does."""

import json
import re
from typing import Any

import pytest

from capplan.inventory import CORE, Column, Kind, TableSchema, inventory_schema, tables_schema
from capplan.inventory.schema import merged
from capplan.inventory.settings import KEYS, REQUIRED, RESOURCE_KEYS
from capplan.shipped import folder as shipped
from capplan.units import BUILT_IN
from tests.inventory_folders import EXTRA, YAML, faults_of


def conforms(value: object, schema: dict[str, Any]) -> bool:
    """Whether a value fits the few words of JSON Schema that we use."""
    if "anyOf" in schema and not any(conforms(value, one) for one in schema["anyOf"]):
        return False
    if ("const" in schema and value != schema["const"]) or ("enum" in schema and value not in schema["enum"]):
        return False
    types: dict[str, type | tuple[type, ...]] = {
        "string": str,
        "object": dict,
        "array": list,
        "integer": int,
        "number": (int, float),
    }
    if "type" in schema and not isinstance(value, types[schema["type"]]):
        return False
    if "pattern" in schema and not re.search(schema["pattern"], str(value)):
        return False
    if isinstance(value, list):
        return all(conforms(item, schema.get("items", {})) for item in value)
    if not isinstance(value, dict):
        return True
    if not set(schema.get("required", ())) <= value.keys():
        return False
    return all(conforms(item, _of_key(key, schema)) for key, item in value.items())


def _of_key(key: str, schema: dict[str, Any]) -> dict[str, Any]:
    if key in schema.get("properties", {}):
        return dict(schema["properties"][key])
    for pattern, found in schema.get("patternProperties", {}).items():
        if re.search(pattern, key):
            return dict(found)
    other = schema.get("additionalProperties", {})
    named = re.search(schema.get("propertyNames", {}).get("pattern", ""), key)
    return other if isinstance(other, dict) and named else {"enum": []}


def test_the_schemas_are_plain_json():
    for schema in (inventory_schema(EXTRA), tables_schema(EXTRA), inventory_schema(), tables_schema()):
        assert json.loads(json.dumps(schema)) == schema


def test_inventory_yaml_has_the_keys_that_are_read():
    schema = inventory_schema(EXTRA)
    assert set(schema["properties"]) == set(KEYS)
    assert schema["required"] == list(REQUIRED)
    assert set(schema["properties"]["resources"]["additionalProperties"]["properties"]) == set(RESOURCE_KEYS)
    assert set(schema["properties"]["defaults"]["properties"]) == set(merged(CORE, EXTRA))


DOCUMENTS = [
    "",
    "sources: one\nassumptions: [a, b]\nplacements: listed\n",
    "placements: some\n",
    "colour: red\n",
    "resources: {gpu: {unit: GPU, step: 0.25}}\n",
    "resources: {gpu: {step: 1}}\n",
    "resources: {GPU: {unit: x}}\n",
    "defaults: {sites: {pue: 1.5, kind: hub, committed: 'no', cost_power_kw: 3, power_kw: unlimited}}\n",
    "defaults: {sites: {kind: barn}}\n",
    "defaults: {sites: {site: A}}\n",
    "defaults: {workloads: {users: 1.5}}\n",
    "defaults: {workload: {users: 1}}\n",
]


@pytest.mark.parametrize("more", DOCUMENTS)
def test_what_the_schema_of_inventory_yaml_admits_is_what_the_reader_reads(tmp_path, more):
    import yaml

    document = {**yaml.safe_load(YAML + more), "as_of": "2016-04-01"}
    assert conforms(document, inventory_schema(EXTRA)) == (faults_of(tmp_path, {"inventory.yaml": YAML + more}) == [])


@pytest.mark.parametrize("name", ["dudley", "north-central-london"])
def test_shipped_inventories_conform(name):
    import yaml

    text = (shipped("inventories") / name / "inventory.yaml").read_text(encoding="utf-8")
    document = yaml.safe_load(text)
    assert conforms({**document, "as_of": str(document["as_of"])}, inventory_schema())


def test_every_table_and_column_is_described():
    tables = {table["name"]: table for table in tables_schema(EXTRA)["tables"]}
    for name, schema in merged(CORE, EXTRA).items():
        assert tables[name]["file"] == f"{name}.csv"
        assert tables[name]["key"] == list(schema.key)
        assert tables[name]["description"]
        assert len(tables[name]["columns"]) == len(schema.columns)
        assert all(column["description"] for column in tables[name]["columns"])
    assert [resource["name"] for resource in tables_schema()["resources"]] == [r.name for r in BUILT_IN]


def test_a_column_is_described_by_hand():
    extra = (TableSchema("sites", (), (Column("fill_", Kind.QUANTITY, "least use", per_resource=True),), ""),)
    (sites,) = (table for table in tables_schema(extra)["tables"] if table["name"] == "sites")
    columns = {column["name"]: column for column in sites["columns"]}
    assert columns["fill_<resource>"] == {
        "name": "fill_<resource>",
        "kind": "quantity",
        "description": "least use",
        "required": False,
        "minimum": 0,
    }
    assert columns["pue"]["default"] == "1"
    assert columns["<resource>"]["choices"] == ["unlimited"]
    assert columns["site"]["required"]


def test_two_rules_that_declare_a_column_differently_are_a_defect():
    one, other = (TableSchema("sites", (), (Column("zone", kind, ""),), "") for kind in (Kind.TEXT, Kind.DATE))
    with pytest.raises(ValueError, match=r"two rules declare sites\.zone differently"):
        inventory_schema((one, other))
    assert inventory_schema((one, one))
