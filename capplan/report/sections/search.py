"""How the plan was found and how good it is, in words."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from capplan.report.blocks import Block, Column, Listing, Section, Table, Text, Tone
from capplan.report.facts import Facts
from capplan.report.words import figure, joined, percent
from capplan.units import percent_text

STOPPED = {
    "proved": "it was proved that nothing better is possible",
    "gap": "it came as close to the best possible as was asked for",
    "time": "the time was up",
    "effort": "the effort that was allowed was spent",
    "interrupted": "somebody stopped it",
}

GOALS = {
    "unplaced": "leave out as little as possible",
    "cost": "spend as little as possible",
    "forgone": "forgo as little value as possible",
    "moves": "move as little as possible",
    "carbon": "emit as little carbon as possible",
    "latency": "keep round trips short",
    "worst_utilisation": "keep the fullest site as empty as possible",
    "sites_used": "use as few sites as possible",
}


def verdict(facts: Facts) -> tuple[str, Tone]:
    """How good the plan is, in a few words."""
    status = facts.info["status"]
    if status == "optimal":
        return "Proved: no plan is better", Tone.GOOD
    if status == "feasible":
        gap = facts.info["gap"]
        return f"Within {percent_text(Fraction(str(gap or 0)))} of the best possible", Tone.PLAIN
    if status == "infeasible":
        return "Proved: no plan keeps all the rules", Tone.BAD
    return "No plan found in the time given", Tone.WATCH


def section(facts: Facts) -> Section | None:
    """Goals with their bounds, why the search stopped, warnings."""
    info = facts.info
    ended = "" if info["status"] == "infeasible" else f" The search ended because {_stopped(info['stopped_because'])}."
    said = [f"{verdict(facts)[0]}.{ended}"]
    if info["model"]["scenario"]:
        said.append(f"Scenario: {info['model']['scenario']}.")
    said.append(
        f"Model: {info['model']['title']} ({info['model']['name']}). Random numbers start at {info['seed']}; the same "
        "inventory, model and version give the same plan."
        if info["parameters"].get("deterministic", True)
        else f"Model: {info['model']['title']} ({info['model']['name']}). Random numbers start at {info['seed']}."
    )
    blocks: list[Block] = [Text(said)]
    if info["goals"]:
        blocks.append(_goals(facts, info["goals"]))
    if info["warnings"]:
        blocks.append(Listing([("Warnings of the input", [_warning(w) for w in info["warnings"]])]))
    return Section("search", "How good the plan is", blocks)


def _stopped(reason: str) -> str:
    return STOPPED.get(reason, reason)


def _goals(facts: Facts, goals: list[dict[str, Any]]) -> Table:
    columns = [
        Column("Goal, most important first"),
        Column("Reached", numeric=True),
        Column("At best", numeric=True),
        Column("In words"),
    ]
    rows = []
    proved = True
    for goal in goals:
        given = "" if proved else " given what the goals above reached"
        gap = percent_text(Fraction(str(goal["gap"])))
        words = f"proved best{given}" if goal["proved"] else f"within {gap} of the best possible{given}"
        name = joined([_goal(part) for part in goal["goal"].split(" + ")])
        rows.append([name, _value(facts, goal, "value"), _value(facts, goal, "bound"), words])
        proved = proved and goal["proved"]
    return Table("Goals", columns, rows)


def _goal(text: str) -> str:
    """A goal in words; its weight stays in front of it."""
    name = text.rpartition(" ")[2]
    return f"{text}: {GOALS[name]}" if name in GOALS else text


def _value(facts: Facts, goal: dict[str, Any], which: str) -> str:
    value = Fraction(str(goal[which]))
    if goal["reads"] == "money":
        return facts.money(value * facts.currency.pence_per_unit)
    if goal["reads"] == "share":
        return percent(value)
    return f"{figure(value)} {goal['reads']}".strip()


def _warning(fault: dict[str, Any]) -> str:
    place = ":".join(str(fault[part]) for part in ("file", "line", "column") if fault[part])
    return f"{place}: {fault['message']}" + (f"; {fault['fix']}" if fault["fix"] else "")
