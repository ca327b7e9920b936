"""The documentation is complete, generated pages are up to date, and every worked example is run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from capplan import shipped
from capplan.cli.schemas import Schema
from capplan.goals import GOALS
from capplan.rules import RULES
from tests.small import measured, messages, problem
from tests.test_golden_inventories import capplan

DOCS = Path(__file__).resolve().parent.parent / "docs"
RULE_PAGE = (DOCS / "rules.md").read_text("utf-8")


def section(heading: str) -> str:
    """What stands below a heading, up to the next one of its level."""
    level = heading.split(" ", maxsplit=1)[0]
    return RULE_PAGE.partition(f"\n{heading}\n")[2].partition(f"\n{level} ")[0]


def rows(heading: str) -> list[str]:
    """The names in the first column of the table below a heading, in order."""
    return re.findall(r"^\| `(\w+)`", section(heading), re.MULTILINE)


@pytest.mark.parametrize(("heading", "named"), [("## Rules", RULES), ("## Goals", GOALS)])
def test_every_rule_and_goal_has_one_row(heading: str, named: Mapping[str, object]):
    """What can be named in a model is told in docs/rules.md, once, and nothing else is."""
    assert sorted(rows(heading)) == sorted(named)


def test_rules_that_must_be_asked_for_are_marked():
    """A reader learns from the row which rules are off by default."""
    marked = re.findall(r"^\| `(\w+)` \(asked for\)", section("## Rules"), re.MULTILINE)
    assert marked == [name for name in rows("## Rules") if not RULES[name].on_by_default]


def test_every_column_and_option_of_a_rule_stands_in_its_row():
    """The third cell of a row names all columns that the rule brings and all options of its own."""
    common = RULES["allowed"].options.model_fields
    for line in re.findall(r"^\| `\w+`.*$", section("## Rules"), re.MULTILINE):
        name, cell = re.findall(r"`(\w+)`", line)[0], line.split(" | ")[-1]
        rule = RULES[name]
        tables = [table for table in rule.schemas if table.name not in re.findall(r"`(\w+)`", cell)]
        columns = [column.name for table in tables for column in table.columns if column.name not in table.key]
        missing = [word for word in [*columns, *(set(rule.options.model_fields) - set(common))] if word not in cell]
        assert not missing, name


@pytest.mark.parametrize("rule", RULES)
def test_the_worked_example_of_a_rule_says_what_check_says(rule: str):
    """Read from docs/rules.md, planned as shown, and measured: the same words, from that rule alone."""
    text = section(f"### {rule}")
    blocks: dict[str, str] = dict(re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    tables = dict(re.findall(r"^# (\w+)[.a-z]*\n([^#]*)", blocks["csv"], re.MULTILINE))
    plan = dict(line.split(",") for line in tables.pop("plan").split())
    bought = dict(line.split(",") for line in tables.pop("purchases", "").split())
    found = measured(problem(tables, "extends: standard\n" + blocks.get("yaml", "")), bought, **plan)
    assert [text.partition("; largest: ")[0] for text in messages(found)] == blocks["text"].splitlines()
    assert {breach.rule for breach in found.breaches} == {rule}


@pytest.mark.parametrize("what", [Schema.INVENTORY, Schema.MODEL])
def test_generated_pages_are_up_to_date(what: Schema):
    """docs/inventory.md and docs/model.md are what their first line says that they are."""
    page = (DOCS / f"{what}.md").read_text("utf-8")
    said = capplan("schema", what, "--format", "markdown")
    assert said.code == 0, said.text
    assert page == said.out, f"run: capplan schema {what} --format markdown > docs/{what}.md"
    assert f"capplan schema {what} --format markdown > docs/{what}.md" in page.partition("\n")[0]


def test_schema_pages_of_tables_and_of_everything():
    """Without a name both pages are printed; the tables alone are part of the inventory's page."""
    tables = capplan("schema", "tables", "--format", "markdown").out
    every = capplan("schema", "--format", "markdown").out
    assert tables in (DOCS / "inventory.md").read_text("utf-8")
    assert all((DOCS / f"{page}.md").read_text("utf-8").rstrip("\n") in every for page in ("inventory", "model"))


@pytest.mark.parametrize(("kind", "page"), [("models", "models.md"), ("inventories", "inventories.md")])
def test_what_is_shipped_is_told(kind: str, page: str):
    """Every shipped model and inventory stands in its guide."""
    text = (DOCS / page).read_text("utf-8")
    assert [name for name in shipped.names(kind) if f"`{name}`" not in text] == []
