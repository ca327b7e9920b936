"""The page of one run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

import capplan
from capplan.report.blocks import Answers, Block, Page, Section
from capplan.report.facts import Facts
from capplan.report.page import html
from capplan.report.sections import (
    allocation,
    answers,
    basis,
    charges,
    fullness,
    left_out,
    licences,
    limits,
    money,
    network,
    no_plan,
    purchases,
    search,
    site_loss,
    today,
    whereabouts,
)
from capplan.report.words import joined
from capplan.runs import Run

SECTIONS = (
    answers.section,
    no_plan.section,
    whereabouts.section,
    fullness.section,
    site_loss.section,
    network.section,
    money.section,
    charges.section,
    today.section,
    licences.section,
    purchases.section,
    left_out.section,
    allocation.section,
    limits.section,
    search.section,
    basis.section,
)
"""In the order in which people ask. Each is None where its tables have nothing."""


def run_report(run: Run) -> str:
    """The report of a run: one HTML file that needs nothing else.

    It shows the tables as they are now and says which of them were edited. Equal runs give equal bytes: nothing in it
    depends on the clock or the machine. Raises BadInput where the run is damaged.
    """
    return html(run_page(Facts.of(run)))


def run_page(facts: Facts) -> Page:
    """What the report of a run shows."""
    status, tone = search.verdict(facts)
    info = facts.info
    scenario = f", scenario {info['model']['scenario']}" if info["model"]["scenario"] else ""
    return Page(
        title=info["title"],
        subtitle=f"Capacity plan, {facts.horizon}{scenario}",
        status=status,
        tone=tone,
        notices=_notices(facts),
        sections=linked([made for section in SECTIONS if (made := section(facts)) is not None]),
        footer=f"Made by capplan {capplan.__version__} from the run's own tables. Fingerprint of the inputs: "
        f"{fingerprint(facts)}.",
    )


def linked(sections: Sequence[Section]) -> list[Section]:
    """The sections, their answers without links to sections that this page does not have."""
    there = {section.anchor for section in sections}
    return [replace(section, blocks=[_linked(block, there) for block in section.blocks]) for section in sections]


def _linked(block: Block, there: set[str]) -> Block:
    if not isinstance(block, Answers):
        return block
    return Answers([one if one.anchor in there else replace(one, anchor="") for one in block.answers])


def fingerprint(facts: Facts) -> str:
    """A few characters that differ when any input differs."""
    return sha256("".join(facts.info["input_hashes"].values()).encode()).hexdigest()[:12]


def _notices(facts: Facts) -> list[str]:
    found = []
    edited = facts.run.edited()
    if edited:
        names = joined([f"{name}.csv" for name in edited])
        found.append(
            f"{names} changed since the run was solved. This page shows the tables as they are now, but goals and "
            "headline figures are those of the plan as it was found; capplan check measures an edited allocation."
        )
    found += [f"{fault.place.file} {fault.message}." for fault in facts.run.altered()]
    return found
