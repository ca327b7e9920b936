"""What the plan rests on: assumptions and sources, as the inventory states them."""

from __future__ import annotations

from capplan.report.blocks import Block, Listing, Section, Text
from capplan.report.facts import Facts


def section(facts: Facts) -> Section | None:
    """Says so where the inventory states none."""
    inventory = facts.inventory
    blocks: list[Block] = []
    if inventory.description:
        blocks.append(Text([inventory.description]))
    none = f"{inventory.title} states none. Ask what the figures rest on before you rely on them."
    for heading, items in (("Assumptions", inventory.assumptions), ("Sources", inventory.sources)):
        blocks.append(Listing([(heading, list(items) or [none])]))
    return Section("basis", "Assumptions and sources", blocks)
