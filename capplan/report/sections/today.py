"""The plan beside today: cost, moves, and the rules that today breaks."""

from __future__ import annotations

from fractions import Fraction

from capplan.report.blocks import Block, Column, Listing, Section, Table
from capplan.report.facts import Facts
from capplan.report.words import counted, percent

BROKEN_SHOWN = 12


def section(facts: Facts) -> Section | None:
    """Nothing where nothing is known of today."""
    base = facts.info["baseline"]
    if not base:
        return None
    named = "the plan it was started from" if facts.info["from"] else "today"
    blocks: list[Block] = []
    if base["saving"] is not None:
        blocks.append(_costs(facts, base))
    broken = base["broken_rules"]
    if broken:
        more = len(broken) - BROKEN_SHOWN
        rest = [f"and {more:,} more: see run.json"] if more > 0 else []
        heading = f"{named.capitalize()} breaks {counted(len(broken), 'rule')}"
        blocks.append(Listing([(heading, [*broken[:BROKEN_SHOWN], *rest])]))
    if not blocks:
        return None
    lead = f"What holds {named}, measured the same way as the plan."
    return Section("today", "Compared with today", blocks, lead)


def _costs(facts: Facts, base: dict[str, object]) -> Table:
    saving = facts.pence(str(base["saving"]))
    share = base["saving_share"]
    text = facts.money(saving)
    rows = [
        ["Today", facts.money(facts.pence(str(base["cost"])))],
        ["Plan", facts.money(facts.pence(str(facts.info["cost"]["total"])))],
        ["Saving", f"{text} ({percent(Fraction(str(share)))})" if share and base["like_for_like"] else text],
    ]
    note = "" if base["like_for_like"] else "The two are not about the same workloads: not like for like."
    return Table("Cost", [Column(""), Column("Amount", numeric=True)], rows, note)
