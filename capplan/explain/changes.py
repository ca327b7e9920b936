"""Single changes that make a plan possible: each verified by solving the changed problem."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from capplan.compile import open_options, program_of
from capplan.engine import Kept, Questions, chosen, least_widening, only
from capplan.explain import relaxing
from capplan.explain.case import Case
from capplan.explain.conflicts import mask
from capplan.explain.statements import Conflict
from capplan.explain.totals import Total, totals
from capplan.measure import Breach, Measured
from capplan.problem import Problem
from capplan.problem.ways import INTRUSION, Changes, Figure, Way
from capplan.program import Program
from capplan.program.statements import Source
from capplan.rules import RULES
from capplan.units import Bools

CONTRIBUTORS_TRIED, ENOUGH = 4, 20
OF_A_SORT = 3
"""Changes of the same column, or to the same kind of thing, that are tried before all other sorts have been."""

MOST_FIGURES = 8
"""Figures that are sized, those that fall short themselves first."""

SECONDS_A_CHANGE = 3.0
"""Time for one change at least, as long as there is any, and a quarter of what is left."""


@dataclass(frozen=True)
class Relaxation:
    """A change that makes a plan possible: verified by solving the changed problem anew.

    ``least`` says that a smaller amount of it would not do (None where it has no amount). ``plan`` is the plan that
    was found, which need not be a good one.
    """

    way: Way
    changes: Changes
    least: bool | None
    plan: Measured


@dataclass(frozen=True)
class Tried:
    """Changes that do, the best first. ``undecided`` were tried without an answer, ``untried`` not at all.

    ``enough`` says that the untried ones were left because so many better ones had been found.
    """

    relaxations: tuple[Relaxation, ...]
    undecided: int
    untried: int
    enough: bool


Sized = tuple[Way, bool | None]
"""A way, and whether less of it could not do; None where it has no amount."""


def relaxations(case: Case, found: Sequence[Conflict], short: Sequence[Breach], lacking: Sequence[Total]) -> Tried:
    """Try what could end conflicts and shortages, one change at a time."""
    extra = [sized for total in lacking for sized in relaxing.in_all(case.problem, total)]
    # A change that leaves one conflict as it is cannot do, so with several only what is common to all is tried.
    items = [item for conflict in found for item in conflict.items]
    case = replace(case, focus=tuple(w for item in items for w in case.problem.members[item]))
    ways = in_order([*extra, *ways_for(case, case.problem, found, short, None)])
    kept: list[Relaxation] = []
    undecided: list[Way] = []
    number = 0
    for number, (way, least) in enumerate(ways):
        if not case.left or len(kept) >= ENOUGH:
            break
        if _covered(way, kept):
            continue
        case.say(f"trying change {number + 1} of {len(ways)}: {way.text}")
        answer = verified(case, way.changes, None)
        if isinstance(answer, Measured):
            kept.append(Relaxation(way, way.changes, least, answer))
        elif answer is None:
            undecided.append(way)
    else:
        number = len(ways)
    kept.sort(key=lambda one: _rank(one.way))
    untried = [way for way, _ in ways[number:] if not _covered(way, kept)]
    open_still = [way for way in undecided if way.figure not in {one.way.figure for one in kept} - {()}]
    return Tried(tuple(kept), len(open_still), len(untried), len(kept) >= ENOUGH)


def _covered(way: Way, kept: Sequence[Relaxation]) -> bool:
    """Whether a smaller change of the same figure, or a purchase alone, is among those that do."""
    if way.changes == {"purchases": "all"}:
        return any("purchases" in one.changes for one in kept)
    return bool(way.figure) and any(one.way.figure == way.figure and one.way.share <= way.share for one in kept)


def _rank(way: Way) -> tuple[object, ...]:
    return INTRUSION[way.kind], (way.pence or 0) + (way.once or 0), way.share, way.text


def in_order(ways: Sequence[Sized]) -> list[Sized]:
    """Each change once, the least intrusive first, then the cheaper, then the smaller; a few of each sort first."""
    unique = {repr(way.changes): (way, least) for way, least in reversed(ways)}
    return _varied(sorted(unique.values(), key=lambda sized: _rank(sized[0])))


def sort_of(way: Way) -> tuple[str, ...]:
    """What ways have in common that change the same column of different rows."""
    return (way.kind, *sorted(path.rpartition(".")[2] for path in way.changes.get("set", {})))


def _varied(ways: Sequence[Sized]) -> list[Sized]:
    """The first few of each sort, then the rest: twenty workloads that need not be apart are one piece of advice."""
    seen: dict[tuple[str, ...], set[object]] = {}
    first: list[Sized] = []
    rest: list[Sized] = []
    for way, least in ways:
        mates = seen.setdefault(sort_of(way), set())
        mates.add(way.figure or way.text)
        (first if len(mates) <= OF_A_SORT or way.kind == "rule off" else rest).append((way, least))
    return [*first, *rest]


def verified(case: Case, changes: Changes, must: Sequence[int] | None) -> Measured | bool | None:
    """A plan of the changed problem; False where there is none, None where that was not found out.

    Where ``must`` is given only these workloads have to be placed.
    """
    problem, seconds = case.changed(changes), min(case.left, max(SECONDS_A_CHANGE, case.left / 4))
    if problem is None:
        return False
    if must is not None:
        problem = replace(problem, model=replace(problem.model, left_out="any"))
        return case.placing(problem, must, seconds)
    if any(True for _ in totals(problem)):
        return False
    return case.decided(problem, seconds)


# --- what to try ----------------------------------------------------------------------------------------


def ways_for(
    case: Case, problem: Problem, found: Sequence[Conflict], short: Sequence[Breach], must: Sequence[int] | None
) -> Iterator[Sized]:
    """Changes worth trying for some conflicts and shortages; amounts are the least that do, and whether proved."""
    items = list(dict.fromkeys(item for conflict in found for item in conflict.items))
    for way in relaxing.purchases(problem):
        yield way, None
    for way in relaxing.rules_off(problem, _rules(found, short)):
        if not found or way.changes["rules"].keys() & set(_rules(found, short)):
            yield way, None
    for way in _of_members(problem, found):
        yield way, None
    if len(found) < 2:
        of = {w: item for item, group in enumerate(problem.members) for w in group}
        heavy = [of[w] for breach in short for w in breach.workloads[:CONTRIBUTORS_TRIED]]
        for way in relaxing.leave_out(problem, list(dict.fromkeys([*items, *heavy]))):
            yield way, None
    yield from _widened(case, problem, found, short, must)


def _rules(found: Sequence[Conflict], short: Sequence[Breach]) -> list[str]:
    """Rules that take part in every conflict, then those of what falls short."""
    of_each = [dict.fromkeys(m.rule for m in conflict.members if m.kind != "workload") for conflict in found]
    common = [rule for rule in (of_each[0] if of_each else ()) if all(rule in rules for rules in of_each)]
    return list(dict.fromkeys([*common, *(breach.rule for breach in short)]))


def _of_members(problem: Problem, found: Sequence[Conflict]) -> Iterator[Way]:
    """The rows behind the members of conflicts, asking for less: with several conflicts those that are in all."""
    of_each: list[dict[tuple[str, Source], set[int]]] = []
    for conflict in found:
        sources: dict[tuple[str, Source], set[int]] = {}
        for member in conflict.members:
            if member.rule in RULES and member.source is not None:
                sources.setdefault((member.rule, member.source), set()).update(member.workloads)
        of_each.append(sources)
    if len(found) == 1:
        named = [w for member in found[0].members if member.kind == "workload" for w in member.workloads]
        for rule in dict.fromkeys(rule for rule, _ in of_each[0]):
            yield from RULES[rule].released(problem, named)
    for rule, source in of_each[0] if of_each else ():
        if all((rule, source) in sources for sources in of_each):
            workloads = sorted({w for sources in of_each for w in sources[rule, source]})
            yield from RULES[rule].eased(problem, source, workloads)


def _widened(
    case: Case, problem: Problem, found: Sequence[Conflict], short: Sequence[Breach], must: Sequence[int] | None
) -> Iterator[Sized]:
    """Figures raised by the least that does, those that fall short first."""
    options = open_options(problem, _may_leave(problem, must))
    if (np.bincount(options.item, minlength=options.items) == 0).any():
        return
    program = program_of(problem, options, ledger=False)
    ask = Questions(program, case.limits, case.watch, case.part(0.5).until)
    rows = _rows(program, found, short)
    part, number = _part(program, found, rows)
    for count, figure in enumerate(relaxing.figures(problem, program, rows)):
        if ask.over or count >= MOST_FIGURES:
            return
        case.say(f"sizing what would do: {program.limit_names[min(figure.weight)].subject}")
        yield from _sizes(figure, replace(ask, program=part), number, whole=part is program)


def _sizes(figure: Figure, ask: Questions, number: dict[int, int], *, whole: bool) -> Iterator[Sized]:
    """The least of a figure that ends the contradiction; a little more, where that was sized for a part only."""
    weight = {number[row]: by for row, by in figure.weight.items() if row in number}
    if not weight:
        return
    answer = least_widening(ask.program, weight, ask)
    if not answer.amount:
        return
    yield figure.way(answer.amount), answer.least and figure.exact
    have = max(int(ask.program.bound[row]) // by for row, by in weight.items())
    for room in relaxing.ROOM[1:] if have > relaxing.FINE and not (answer.sure and whole) else ():
        yield figure.way(answer.amount + max(1, int(room * have))), False


def _part(program: Program, found: Sequence[Conflict], rows: Sequence[int]) -> tuple[Program, dict[int, int]]:
    """What a figure is sized for: of a large problem the conflicts alone, if nothing else can help to keep them.

    Also the number there of each limit of the whole.
    """
    items = [item for conflict in found for item in conflict.items]
    limits = np.array([not name.rule for name in program.limit_names], dtype=np.bool_)
    limits |= mask(rows, len(limits))
    entries = program.limits.of_rows(np.flatnonzero(limits)).tocoo()
    helps = entries.data[entries.col < program.options + program.facts] < 0
    if chosen(program) == "exact" or not items or helps.any():
        return program, {row: row for row in range(len(program.bound))}
    kept = Kept(mask(items, program.items), limits, np.ones(program.options, dtype=np.bool_))
    return only(program, kept), {row: i for i, row in enumerate(np.flatnonzero(limits).tolist())}


def _rows(program: Program, found: Sequence[Conflict], short: Sequence[Breach]) -> list[int]:
    """Limits that fall short or contradict something, then those of the same rule and resource elsewhere."""
    number = {name[:3]: row for row, name in enumerate(program.limit_names)}
    keys = [(breach.rule, breach.subject, breach.period) for breach in short]
    keys += [limit[:3] for conflict in found for member in conflict.members for limit in member.limits]
    rows = [number[key] for key in dict.fromkeys(keys) if key in number]
    like = {(program.limit_names[row].rule, _column(program, row)) for row in rows}
    others = [row for row, n in enumerate(program.limit_names) if n.rule and (n.rule, _column(program, row)) in like]
    return list(dict.fromkeys([*rows, *others]))


def _column(program: Program, row: int) -> str:
    source = program.limit_names[row].source
    return "" if source is None else source[2]


def _may_leave(problem: Problem, must: Sequence[int] | None) -> Bools:
    """Items that may be left out: where ``must`` names workloads, all but theirs."""
    if must is None:
        return problem.may_leave_out
    wanted = set(must)
    free = np.array([not wanted & set(group) for group in problem.members], dtype=np.bool_)
    return np.asarray(problem.may_leave_out | free)
