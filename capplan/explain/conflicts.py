"""Small sets of rules that cannot be kept together, each member with the row of the inventory it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from capplan.compile import excluded, open_options, problem_of, program_of
from capplan.engine import Kept, Questions, fewest
from capplan.errors import Faults, Place
from capplan.explain.case import Case
from capplan.model import Model
from capplan.obstacles import by_reason
from capplan.problem import Options, Problem, combine
from capplan.program import Program
from capplan.program.statements import LimitName, Source
from capplan.rules import RULES
from capplan.units import Bools, Ints, with_unit

MOST_MEMBERS = 25
"""A conflict with more members than this tells nobody anything: it is a shortage, and told as one."""

CONFLICTS_SOUGHT = 5


@dataclass(frozen=True)
class Member:
    """One of the statements that contradict each other.

    ``kind`` is ``workload`` (it must be placed), ``rule`` (it forbids sites) or ``limit``. ``workloads`` are those it
    speaks of, ``source`` and ``place`` the row of the inventory that says so.
    """

    kind: str
    rule: str
    text: str
    workloads: tuple[int, ...] = ()
    source: Source | None = None
    place: Place | None = None
    limit: LimitName | None = None


@dataclass(frozen=True)
class Conflict:
    """Statements that no plan keeps together. ``minimal``: without any one of them there is one, verified."""

    members: tuple[Member, ...]
    minimal: bool
    items: tuple[int, ...] = ()


def conflicts(case: Case) -> Iterator[Conflict]:
    """Conflicts that share no workload, one after the other, as long as the time lasts.

    Rules that place workloads as one are left out of account where there is a conflict without them. Where there is
    none, every conflict needs them: they are members of it.
    """
    problem = case.problem
    binding = [name for name in problem.rules if any(True for _ in RULES[name].colocated(problem))]
    if not binding:
        yield from _conflicts(case, problem, [], known=True)
        return
    free = problem_of(problem.inventory, _without(problem, binding), Faults(), problem.keep)
    found = False
    apart = replace(case, problem=free, until=case.part(0.5).until)
    for conflict in _conflicts(apart, free, [], known=True):
        found = True
        yield replace(conflict, items=_items(problem, conflict.members))
    if not found:
        yield from _conflicts(case, problem, binding, known=case.any_plan(free, case.left / 2) is not None)


def _without(problem: Problem, rules: Sequence[str]) -> Model:
    return replace(problem.model, rules={**problem.model.rules, **dict.fromkeys(rules)})


def _items(problem: Problem, members: Sequence[Member]) -> tuple[int, ...]:
    """Items whose workloads must be placed, as the problem numbers them."""
    of = {w: item for item, group in enumerate(problem.members) for w in group}
    return tuple(sorted({of[w] for member in members if member.kind == "workload" for w in member.workloads}))


def _conflicts(case: Case, problem: Problem, binding: Sequence[str], *, known: bool) -> Iterator[Conflict]:
    """Conflicts of a problem where ``binding`` rules place workloads as one; ``known``: without them there are none."""
    options = open_options(problem)
    program = program_of(problem, options, ledger=False)
    ask = Questions(program, case.limits, case.watch, case.until)
    needed = ~problem.may_leave_out
    for _ in range(CONFLICTS_SOUGHT):
        found = _of_open(program, needed, ask)
        if found is None:
            return
        items, rows, exact = found
        if len(items) + len(rows) > MOST_MEMBERS:
            return
        names = [program.limit_names[row] for row in rows]
        conflict = _with_exclusions(replace(case, problem=problem), items, names, known and exact)
        if conflict is None:
            return
        yield replace(conflict, members=(*conflict.members, *_bound_together(problem, binding, items)))
        if not items:
            return
        needed = needed.copy()
        needed[items] = False


def _bound_together(problem: Problem, binding: Sequence[str], items: Sequence[int]) -> Iterator[Member]:
    """The rules that place the workloads of an item at one site."""
    for name in binding:
        pairs = list(RULES[name].colocated(problem))
        for item in items:
            bound = sorted({w for pair in pairs for w in pair if w in problem.members[item]})
            if bound:
                ids = ", ".join(problem.workloads.ids[w] for w in bound)
                place = problem.workloads.place(bound[0], "workload")
                yield Member("rule", name, f"{ids} are at one site", tuple(bound), ("workloads", bound[0], name), place)


def _of_open(program: Program, needed: Bools, ask: Questions) -> tuple[list[int], list[int], bool] | None:
    """Fewest items and limits that contradict each other over the options that are open; None where none are found.

    Also whether each of them is proved to be needed.
    """
    open_, named, counting = np.ones(program.options, dtype=np.bool_), _named(program), _counting(program)

    def possible(items: Sequence[int], rows: Sequence[int]) -> bool | None:
        asked = _mask(items, program.items) & _concerned(program, rows, ask.helped)
        return ask.possible(Kept(asked, _mask(rows, len(named)) | ~named, open_))

    items = np.flatnonzero(needed).tolist()
    homeless = np.flatnonzero((np.diff(program.item_start) == 0) & needed)
    if len(homeless):
        return [int(homeless[0])], [], True
    rows = np.flatnonzero(named & ~ask.never).tolist()
    # Limits that only count are decided at once where those that weigh may not be decided at all.
    counts = [row for row in rows if counting[row]]
    if possible(items, counts) is False:
        rows = counts
    elif possible(items, rows) is not False:
        return None
    # Rules first: without the limits that do not matter the questions about workloads are easier.
    rows, _ = fewest(rows, lambda kept: possible(items, kept))
    matters = _concerned(program, rows, ask.helped)
    items = [item for item in items if matters[item]]
    items, items_known = fewest(items, lambda kept: possible(kept, rows))
    rows, rows_known = fewest(rows, lambda kept: possible(items, kept))
    return items, rows, items_known and rows_known


def _with_exclusions(case: Case, items: Sequence[int], limits: Sequence[LimitName], known: bool) -> Conflict | None:
    """The conflict with the rules that close sites to its workloads, as few of them as will do."""
    problem = case.problem
    options = _every_option(problem, items, others=any(_least(name) for name in limits))
    groups = exclusions(problem, options, set(items))
    program = program_of(problem, options, ledger=False)
    keys = {name[:3] for name in limits}
    rows = np.array([not name.rule or name[:3] in keys for name in program.limit_names], dtype=np.bool_)
    ask, asked = Questions(program, case.limits, case.watch, case.until), _mask(items, program.items)

    def possible(kept: Sequence[int]) -> bool | None:
        closed = np.zeros(program.options, dtype=np.bool_)
        for group in kept:
            closed[groups[group].options] = True
        return ask.possible(Kept(asked, rows, ~closed))

    everything = list(range(len(groups)))
    if possible(everything) is not False:
        return None
    kept, exact = fewest(everything, possible)
    members = [_workload(problem, item) for item in items]
    members += [groups[group].member(problem) for group in kept]
    bound = {name[:3]: (name, b) for name, b in zip(program.limit_names, program.bound.tolist(), strict=True)}
    members += [_limit(problem, *bound.get(name[:3], (name, None))) for name in limits]
    return Conflict(tuple(members), known and exact, tuple(items))


def _least(name: LimitName) -> bool:
    return name.least


def _named(program: Program) -> Bools:
    return np.array([bool(name.rule) for name in program.limit_names], dtype=np.bool_)


def _concerned(program: Program, rows: Sequence[int], helped: Bools) -> Bools:
    """Items without an option that uses nothing of some limits: the others can always be placed. bool [item].

    Where a choice can help to keep a limit all items are concerned.
    """
    if not len(rows) or helped[list(rows)].any():
        none: Bools = np.diff(program.item_start) == 0
        return none | bool(len(rows))
    part = program.limits.of_rows(np.array(rows, dtype=np.int64))
    columns = part.indices[part.data != 0]
    if ((columns >= program.options) & (columns < program.options + program.facts)).any():
        return np.ones(program.items, dtype=np.bool_)  # facts follow from options that have no entry of their own
    uses = np.zeros(program.options, dtype=np.bool_)
    uses[columns[columns < program.options]] = True
    free = np.zeros(program.items, dtype=np.bool_)
    free[program.item[~uses]] = True
    return np.asarray(~free)


def _counting(program: Program) -> Bools:
    """Limits in which everything counts the same. bool [limit]."""
    entries = program.limits.tocsr().tocoo()
    size, rows = np.abs(entries.data), len(program.bound)
    least, most = np.full(rows, np.iinfo(np.int64).max), np.zeros(rows, dtype=np.int64)
    np.minimum.at(least, entries.row, size)
    np.maximum.at(most, entries.row, size)
    return np.asarray(least == most)


def _mask(numbers: Sequence[int], size: int) -> Bools:
    mask = np.zeros(size, dtype=np.bool_)
    mask[list(numbers)] = True
    return mask


def _every_option(problem: Problem, items: Sequence[int], *, others: bool) -> Options:
    """Every way to place some items, forbidden or not; of the others, where asked for, the ways that are open."""
    chosen = np.array(sorted(items) if not others else range(len(problem.blocks)), dtype=np.int64)
    everywhere = np.arange(len(problem.sites), dtype=np.int32)
    sites = {w: everywhere for i in chosen.tolist() for w in problem.members[i]}
    options = combine(problem.blocks, chosen, sites, problem.may_leave_out)
    if not others:
        return options
    keep = _mask(items, options.items)[options.item] | ~excluded(problem, options)
    return options.kept(keep)


@dataclass
class Group:
    """Options that one statement of the inventory forbids, with the sites and the reason for each."""

    rule: str
    source: Source | None
    options: Ints
    reasons: list[tuple[int, str]]
    workloads: tuple[int, ...]

    def member(self, problem: Problem) -> Member:
        """The statement in words: whom it speaks of, and what it says of which sites."""
        ids = ", ".join(problem.workloads.ids[w] for w in self.workloads)
        said = list(dict.fromkeys(self.reasons))
        one = {reason for _, reason in said}
        text = said[0][1] if len(one) == 1 else "; ".join(by_reason(problem, said)[:4])
        place = None
        if self.source is not None:
            table, row, column = self.source
            place = problem.inventory.table(table).place(row, column)
        return Member("rule", self.rule, f"{ids}: {text}", self.workloads, self.source, place)


def exclusions(problem: Problem, options: Options, items: set[int]) -> list[Group]:
    """What forbids options of some items, by the statement that does; statements of one workload and rule are one.

    A statement that stands at a site (its zones, its dates) is one for each workload it meets, so that it can be told
    whom it concerns.
    """
    found: dict[tuple[object, ...], tuple[list[int], list[tuple[int, str]], tuple[int, ...], Source | None]] = {}
    for name in problem.rules:
        for exclusion in RULES[name].exclusions(problem, options):
            for i, option in enumerate(exclusion.option.tolist()):
                if int(options.item[option]) not in items:
                    continue
                rows = np.arange(options.first_row[option], options.first_row[option + 1])
                blamed = rows if exclusion.row is None else exclusion.row[i : i + 1]
                workloads = tuple(sorted(options.workload[blamed].tolist()))
                source = exclusion.source(i)
                key = (name, source if source is not None else exclusion.reason(i), workloads)
                entry = found.setdefault(key, ([], [], workloads, source))
                entry[0].append(option)
                entry[1].append((int(options.site[blamed[0]]), exclusion.reason(i)))
    return [
        Group(str(key[0]), source, np.array(sorted(set(closed)), dtype=np.int64), reasons, workloads)
        for key, (closed, reasons, workloads, source) in found.items()
    ]


def _workload(problem: Problem, item: int) -> Member:
    members = problem.members[item]
    ids = ", ".join(problem.workloads.ids[w] for w in members)
    verb = "must be placed" if len(members) == 1 else "must be placed, all of them"
    place = problem.workloads.place(members[0], "workload")
    return Member("workload", "left_out", f"{ids} {verb}", tuple(members), ("workloads", members[0], "value"), place)


def _limit(problem: Problem, name: LimitName, bound: int | None) -> Member:
    place = None
    if name.source is not None:
        table, row, column = name.source
        place = problem.inventory.table(table).place(row, column)
    elif problem.model.written is not None:
        place = problem.model.place("rules", name.rule)
    when = f" in {problem.periods.text(name.period)}" if name.period >= 0 and len(problem.periods) > 1 else ""
    return Member("limit", name.rule, f"{name.subject}{when}{_bound(name, bound)}", (), name.source, place, name)


def _bound(name: LimitName, bound: int | None) -> str:
    """What a limit asks for, in natural units; nothing where it asks for a balance of several things."""
    if bound is None or (name.least and not bound):
        return ""
    return f": at {'least' if name.least else 'most'} {with_unit(abs(bound) * name.per_unit, name.unit)}"
