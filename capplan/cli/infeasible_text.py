"""Why there is no plan and what would end that, as text for a mail."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from capplan.cli.summary import subject_text
from capplan.cli.terminal import counted
from capplan.cli.without_plan import THERE, homeless_lines, kept_lines, shortage_lines
from capplan.engine import Status
from capplan.errors import Place, printable
from capplan.explain.changes import Relaxation, sort_of
from capplan.explain.conflicts import CONFLICTS_SOUGHT
from capplan.explain.infeasible import Infeasible, left_out
from capplan.explain.statements import Conflict, Member
from capplan.explain.written import COMBINED, FOLDER, RELAXATIONS, scenario_names
from capplan.problem import Problem
from capplan.problem.ways import Way

OF_A_SORT, LEFT_OUT_NAMED = 3, 10
MEMBERS_NAMED, WORKLOADS_NAMED = 3, 25


def infeasible_text(found: Infeasible) -> str:
    """The whole text, without an end of line."""
    problem = found.problem
    sections = (
        [_headline(found), *_nature(found)],
        _totals(found),
        homeless_lines(problem, found.why),
        shortage_lines(problem, found.why),
        _conflicts(found.conflicts),
        _relaxations(found),
        _without(found),
        kept_lines(problem, found.why),
    )
    return "\n\n".join("\n".join(map(printable, lines)) for lines in sections if lines)


def _headline(found: Infeasible) -> str:
    subject = subject_text(found.problem)
    if found.proved:
        return f"No plan is possible for {subject}: proved infeasible."
    return f"No plan was found for {subject}; whether there is one is not known. This is what makes it hard:"


def _nature(found: Infeasible) -> list[str]:
    if found.policy_only is None:
        return []
    if found.policy_only:
        return ["  Only policy stands in the way: without headroom and the rules this model asks for there is a plan."]
    return ["  Headroom and the rules this model asks for are not to blame: without them there is no plan either."]


def _totals(found: Infeasible) -> list[str]:
    lines = []
    for total in found.totals:
        lines.append(f"  {total.text(found.problem)}")
        if total.policy_only:
            lines.append(f"    It {THERE}")
    return ["What all sites together lack", *lines] if lines else []


def _conflicts(conflicts: Sequence[Conflict]) -> list[str]:
    lines: list[str] = []
    for number, conflict in enumerate(conflicts, 1):
        how = "drop any one of these and the rest can be kept" if conflict.minimal else "not proved to be the fewest"
        lines.append(f"  Conflict {number} ({how})")
        lines += [f"    {line}" for line in _members(conflict.members)]
    if len(conflicts) >= CONFLICTS_SOUGHT:
        lines.append(f"  There may be more: no more than {CONFLICTS_SOUGHT} are looked for.")
    return ["What cannot all be kept", *lines] if lines else []


def _members(members: Sequence[Member]) -> list[str]:
    """Workloads that must be placed in a line where they are many; of other members of a rule the first few."""
    lines: list[str] = []
    for (kind, rule), group in groupby(members, key=lambda member: (member.kind, member.rule)):
        alike = list(group)
        if kind == "workload" and len(alike) > MEMBERS_NAMED:
            lines.append(_together(alike))
            continue
        shown = alike if len(alike) <= MEMBERS_NAMED + 1 else alike[:MEMBERS_NAMED]
        lines += [f"{member.text}{_rule(member.rule, kind)}{_at(member.place)}" for member in shown]
        if len(alike) > len(shown):
            lines.append(
                f"and {len(alike) - len(shown)} more like these{_rule(rule, kind)}: see {FOLDER}/conflicts.csv"
            )
    return lines


def _together(alike: Sequence[Member]) -> str:
    """``A, B, C and 4 more must be placed (workloads.csv:2-9)``."""
    names = [member.text.partition(" must be placed")[0] for member in alike]
    more = f" and {len(names) - WORKLOADS_NAMED} more" if len(names) > WORKLOADS_NAMED else ""
    lines = [member.place.line for member in alike if member.place is not None and member.place.line]
    files = {Path(member.place.file).name for member in alike if member.place is not None}
    where = f"  ({files.pop()}:{min(lines)}-{max(lines)})" if len(files) == 1 and lines else ""
    return f"{', '.join(names[:WORKLOADS_NAMED])}{more} must be placed, all of them{where}"


def _rule(rule: str, kind: str) -> str:
    return "" if kind == "workload" else f" [{rule}]"


def _at(place: Place | None) -> str:
    if place is None:
        return ""
    line = f":{place.line}" if place.line else ""
    return f"  ({Path(place.file).name}{line})"


def _relaxations(found: Infeasible) -> list[str]:
    lines: list[str] = []
    sorts: dict[tuple[str, ...], int] = {}
    for name, one in zip(scenario_names(found), found.relaxations, strict=True):
        sort = sort_of(one.way)
        sorts[sort] = sorts.get(sort, 0) + 1
        if sorts[sort] <= OF_A_SORT:
            lines += [f"  {one.way.text}{_price(found.problem, one.way)}{_least(one)}", f"    --scenario {name}"]
    more = sum(max(0, count - OF_A_SORT) for count in sorts.values())
    lines += [f"  and {more} more like these in {RELAXATIONS}"] if more > 0 else []
    how = f"To try one: solve the inventory again with -m RUN/{FOLDER}/{RELAXATIONS} and its --scenario."
    head = ["What would do, each alone (verified by solving again)", *lines] if lines else []
    if not lines and found.combined is None:
        head = ["No single change was found that makes a plan possible."]
    if found.combined is not None:
        head += ["", "What would do together (verified)"] if head else ["What would do together (verified)"]
        head += [f"  {way.text}{_price(found.problem, way)}" for way in found.combined.ways]
        head.append(f"    --scenario {COMBINED}")
    if lines or found.combined is not None:
        head.append(f"  {how}")
    tried = found.tried
    if tried.undecided:
        head.append(f"  {counted(tried.undecided, 'more change')} may do as well: neither a plan nor a proof was found")
    if tried.untried:
        why = "so many better ones were found" if tried.enough else "a longer --time-limit tries them"
        head.append(f"  {counted(tried.untried, 'more change')} not tried when this ended: {why}")
    return head


def _least(one: Relaxation) -> str:
    return "" if one.least is None else "" if one.least else " (less may do: not proved)"


def _price(problem: Problem, way: Way) -> str:
    money = problem.inventory.currency.text
    parts = [f"{money(way.pence)} a year"] if way.pence else []
    parts += [f"{money(way.once)} once"] if way.once else []
    return f" for {' and '.join(parts)}" if parts else ""


def _without(found: Infeasible) -> list[str]:
    if found.without is None:
        return []
    ids, gone = found.problem.workloads.ids, left_out(found.without)
    named = ", ".join(ids[w] for w in gone[:LEFT_OUT_NAMED])
    more = f" and {len(gone) - LEFT_OUT_NAMED:,} more" if len(gone) > LEFT_OUT_NAMED else ""
    proved = "" if found.without_status is Status.OPTIMAL else " (a better one may exist: not proved)"
    money = found.problem.inventory.currency.text
    return [
        f"The best plan that leaves something out{proved}",
        f"  without {named}{more}: {counted(len(found.problem.workloads) - len(gone), 'workload')} placed, "
        f"{money(found.without.cost)}",
        "    To plan so write left_out: any in the model.",
    ]
