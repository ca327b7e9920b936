"""A run without a plan: what stands in the way."""

from __future__ import annotations

from typing import Any

from capplan.report.blocks import Answer, Answers, Block, Column, Section, Table, Tone, Verbatim
from capplan.report.facts import Facts
from capplan.report.words import counted, joined, period_text

NAMED = 8
WORKLOADS_SHOWN = 100


def section(facts: Facts) -> Section | None:
    """Nothing for a run that has a plan."""
    if facts.has_plan:
        return None
    why = facts.info["explanation"] or {"homeless": [], "shortages": []}
    blocks: list[Block] = [Answers([_answer(facts, why)])]
    if why["shortages"]:
        blocks.append(_shortages(why["shortages"]))
    if why["homeless"]:
        blocks.append(_homeless(facts, why["homeless"]))
    if facts.run.explanation:
        blocks.append(Verbatim(facts.run.explanation))
    return Section("answers", "In short", blocks)


def _answer(facts: Facts, why: dict[str, Any]) -> Answer:
    if facts.info["status"] != "infeasible":
        said = ["The search stopped before it found a plan. That does not mean that there is none: give it more time."]
        return Answer("Is there a plan?", said, Tone.WATCH, "not found")
    said = ["No plan can keep all the rules. That is proved, not guessed."]
    if why["shortages"]:
        short = [f"{row['subject']}: {row['message']}" for row in why["shortages"][:NAMED]]
        least = "The least that is short" if why.get("least") else "What is short"
        said.append(f"{least}: {joined(short)}.")
    if why["homeless"]:
        names = [row["workload"] for row in why["homeless"]]
        said.append(f"No site may take {joined(names, NAMED)}.")
    return Answer("Is there a plan?", said, Tone.BAD, "infeasible")


def _shortages(rows: list[dict[str, Any]]) -> Table:
    columns = [Column("Limit"), Column("Period"), Column("What is short"), Column("Rule")]
    cells = []
    for row in rows:
        policy = ". Policy only: what is physically there would do." if row["policy_only"] else ""
        cells.append([row["subject"], period_text(row["period"]), f"{row['message']}{policy}", row["rule"]])
    return Table("What falls short", columns, cells)


def _homeless(facts: Facts, rows: list[dict[str, Any]]) -> Table:
    columns = [Column("Workload"), Column("Why each site is closed to it")]
    cells = [
        [row["workload"], "; ".join(f"{facts.site(no['site'])}: {no['reason']}" for no in row["sites"])]
        for row in rows[:WORKLOADS_SHOWN]
    ]
    more = len(rows) - WORKLOADS_SHOWN
    note = f"and {counted(more, 'more workload')}: see run.json" if more > 0 else ""
    return Table("Workloads that no site may take", columns, cells, note)
