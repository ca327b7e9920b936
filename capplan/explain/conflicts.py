"""Small sets of rules that cannot be kept together: where to look for them, and which of their members are needed.

Quick proofs name the items and limits that contradict each other, and the rest is left out of account at once: what
contradicts itself in a part does so in the whole. What they do not see, because workloads come whole, is looked for
among the workloads that few sites may take, and at last among all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np

from capplan.compile import open_options, problem_of, program_of
from capplan.engine import Kept, Questions, fewest, proofs
from capplan.errors import Faults
from capplan.explain.case import Case
from capplan.explain.statements import (
    Conflict,
    Member,
    bound_together,
    every_option,
    exclusions,
    limit_member,
    must_be_placed,
)
from capplan.model import Model
from capplan.problem import Options, Problem
from capplan.program import Program
from capplan.program.statements import LimitName
from capplan.rules import RULES
from capplan.units import Bools, Ints

MOST_MEMBERS = 25
"""A conflict with more members than this tells nobody anything: it is a shortage, and told as one."""

MOST_OF_A_CROWD = 200
"""Workloads of a conflict about one or two limits, which can be told in a line however many they are."""

CONFLICTS_SOUGHT = 5
LARGEST, LARGEST_SEARCHED = 300_000, 60_000
"""Options up to which quick proofs take seconds, and up to which it is searched on where they say nothing."""

SEARCHED_AS_A_WHOLE = 3_000
"""Options up to which all is searched for contradictions of whole workloads although others have been found."""


def conflicts(case: Case) -> Iterator[Conflict]:
    """Conflicts that share no workload, one after the other, as long as the time lasts.

    Rules that place workloads as one are left out of account where there is a conflict without them. Where there is
    none, every conflict needs them: they are members of it.
    """
    problem = case.problem
    binding = [name for name in problem.rules if any(True for _ in RULES[name].colocated(problem))]
    if not binding:
        yield from islice(_conflicts(case, problem, [], known=True), CONFLICTS_SOUGHT)
        return
    free = problem_of(problem.inventory, _without(problem, binding), Faults(), problem.keep)
    found = False
    apart = replace(case, problem=free, until=case.part(0.5).until)
    for conflict in islice(_conflicts(apart, free, [], known=True), CONFLICTS_SOUGHT):
        found = True
        yield replace(conflict, items=_items(problem, conflict.members))
    if not found:
        known = case.any_plan(free, case.left / 2) is not None
        yield from islice(_conflicts(case, problem, binding, known=known), CONFLICTS_SOUGHT)


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
    now = replace(case, problem=problem)
    for one in _Search(options, program, ask).sets(~problem.may_leave_out):
        conflict = _with_exclusions(now, one, [program.limit_names[row] for row in one.rows], known=known)
        if conflict is not None:
            members = (*conflict.members, *bound_together(problem, binding, one.items))
            yield replace(conflict, members=members)


@dataclass(frozen=True)
class _Set:
    """Items and limits that contradict each other over the options that are open; ``exact``: none can be spared."""

    items: list[int]
    rows: list[int]
    exact: bool


class _Search:
    """Looks for small sets of items and limits that contradict each other."""

    def __init__(self, options: Options, program: Program, ask: Questions) -> None:
        self.options, self.program, self.ask = options, program, ask
        self.named = np.array([bool(name.rule) for name in program.limit_names], dtype=np.bool_)
        self.open = np.ones(program.options, dtype=np.bool_)
        self.short = False

    def sets(self, needed: Bools) -> Iterator[_Set]:
        """Sets that share no item. ``needed`` bool [item] must be placed."""
        needed, found = needed.copy(), False
        for item in np.flatnonzero((np.diff(self.program.item_start) == 0) & needed).tolist():
            needed[item], found = False, True
            yield _Set([item], [], True)
        for proved in self._proved(needed):
            needed[proved.items], found = False, True
            yield proved
        if self.program.options > LARGEST_SEARCHED:
            return
        rows = np.flatnonzero(self.named & ~self.ask.never).tolist()
        # Limits that others may help to keep are no matter of the crowd alone.
        alone = [row for row in rows if not self.ask.helped[row]]
        for crowd in self._crowds(needed):
            one = self._fewest(crowd.tolist(), alone) if needed[crowd].all() and not self.ask.over else None
            if one is not None:
                needed[one.items], found = False, True
                yield one
        while not (self.ask.over or self.short) and (not found or self.program.options <= SEARCHED_AS_A_WHOLE):
            one = self._fewest(np.flatnonzero(needed).tolist(), rows)
            if one is None or not one.items:
                return
            needed[one.items] = False
            yield one

    def _proved(self, needed: Bools) -> Iterator[_Set]:
        """Sets that quick proofs name. Limits of which all are short are left out, to see what else there is."""
        needed, kept = needed.copy(), np.ones(len(self.program.bound), dtype=np.bool_)
        while not self.ask.over:
            proof = next(proofs(self.program, needed, kept, self.ask.seconds, LARGEST), None)
            if proof is None:
                return
            items, rows = proof.items.tolist(), proof.rows[self.named[proof.rows]].tolist()
            least = self._fewest(items, rows) if self._can_be_told(items, rows) else None
            if least is not None:
                needed[least.items] = False
                yield least
            elif rows:
                # Too many for a conflict: more is asked for than there is.
                kept[rows], self.short = False, True
            else:
                needed[items] = False

    def _can_be_told(self, items: Sequence[int], rows: Sequence[int]) -> bool:
        statements = len(self._statements(rows))
        return len(items) + statements <= MOST_MEMBERS or (len(items) <= MOST_OF_A_CROWD and statements <= 2)

    def _statements(self, rows: Sequence[int]) -> list[list[int]]:
        """Limits by the statement that they come from: a group that is apart is so at every site."""
        found: dict[tuple[object, ...], list[int]] = {}
        for row in rows:
            found.setdefault(statement(self.program.limit_names[row]), []).append(row)
        return list(found.values())

    def _crowds(self, needed: Bools) -> Iterator[Ints]:
        """Items that only a few sites may take, by those sites, the smallest sets first. int64 [k] each."""
        sites = self._sites()
        of = {item: sites[item] for item in np.flatnonzero(needed).tolist()}
        everywhere = max((len(each) for each in of.values()), default=0)
        for few in sorted(
            {each for each in of.values() if len(each) < everywhere}, key=lambda each: (len(each), sorted(each))
        ):
            crowd = [item for item, each in of.items() if each <= few]
            if len(crowd) > 1:
                yield np.array(crowd, dtype=np.int64)

    def _sites(self) -> list[frozenset[int]]:
        """The sites that some workload of each item may be at."""
        found: list[set[int]] = [set() for _ in range(self.program.items)]
        item = self.options.item[self.options.option]
        for i, site in np.unique(np.stack([item, self.options.site]), axis=1).T.tolist():
            found[i].add(site)
        return [frozenset(each) for each in found]

    def possible(self, items: Sequence[int], rows: Sequence[int]) -> bool | None:
        """Whether these items can be placed within these limits; None where that was not found out."""
        asked = mask(items, self.program.items) & self._concerned(rows)
        return self.ask.possible(Kept(asked, self._with_tied(rows), self.open))

    def _with_tied(self, rows: Sequence[int]) -> Bools:
        """Limits and those without a name that tie to choices the amounts that they count. bool [limit].

        Others without a name only say how much of something there is that nobody asks about.
        """
        kept = mask(rows, len(self.named))
        while True:
            bought = np.unique(self._bought[np.flatnonzero(kept)].indices)
            tied = ~self.named & (np.diff(self._bought[:, bought].indptr) > 0) & ~kept
            if not tied.any():
                return kept
            kept |= tied

    @cached_property
    def _bought(self) -> Any:
        """What limits count of purchases. int64 sparse [limit, purchase]."""
        rest: Any = self.program.limits.rest
        return rest[:, self.program.options + self.program.facts :].tocsr()

    def _fewest(self, items: list[int], rows: list[int]) -> _Set | None:
        """Fewest of these that contradict each other; None where they do not, or not few enough of them do."""
        # Limits that only count are decided at once where those that weigh may not be decided at all.
        counts = [row for row in rows if self._counting[row]]
        if len(counts) < len(rows) and self.possible(items, counts) is False:
            rows = counts
        elif self.possible(items, rows) is not False:
            return None
        # Rules first: without the limits that do not matter the questions about workloads are easier.
        statements, _ = self._fewest_statements(items, rows)
        matters = self._concerned(_flat(statements))
        items, items_known = fewest(
            [item for item in items if matters[item]], lambda kept: self.possible(kept, _flat(statements))
        )
        statements, rows_known = self._fewest_statements(items, _flat(statements))
        if not self._can_be_told(items, _flat(statements)):
            return None
        return _Set(items, _flat(statements), items_known and rows_known)

    def _fewest_statements(self, items: Sequence[int], rows: Sequence[int]) -> tuple[list[list[int]], bool]:
        every = self._statements(rows)
        kept, known = fewest(range(len(every)), lambda chosen: self.possible(items, _flat([every[i] for i in chosen])))
        return [every[i] for i in kept], known

    @cached_property
    def _counting(self) -> Bools:
        """Limits in which everything counts the same. bool [limit]."""
        entries = self.program.limits.tocsr().tocoo()
        size, rows = np.abs(entries.data), len(self.program.bound)
        least, most = np.full(rows, np.iinfo(np.int64).max), np.zeros(rows, dtype=np.int64)
        np.minimum.at(least, entries.row, size)
        np.maximum.at(most, entries.row, size)
        return np.asarray(least == most)

    def _concerned(self, rows: Sequence[int]) -> Bools:
        """Items without an option that uses nothing of some limits: the others can always be placed. bool [item].

        Where a choice can help to keep a limit all items are concerned.
        """
        program = self.program
        if not len(rows) or self.ask.helped[list(rows)].any():
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


def statement(name: LimitName) -> tuple[object, ...]:
    """What limits of one statement share: the row that they come from, else their subject; and the period."""
    return (name.rule, name.source or name.subject, name.period, name.least)


def _flat(statements: Sequence[Sequence[int]]) -> list[int]:
    return [row for rows in statements for row in rows]


def mask(numbers: Sequence[int], size: int) -> Bools:
    """True at some numbers. bool [size]."""
    found = np.zeros(size, dtype=np.bool_)
    found[list(numbers)] = True
    return found


def _with_exclusions(case: Case, one: _Set, limits: Sequence[LimitName], *, known: bool) -> Conflict | None:
    """The conflict with the rules that close sites to its workloads, as few of them as will do."""
    problem, items = case.problem, one.items
    options = every_option(problem, items, others=any(name.least for name in limits))
    groups = exclusions(problem, options, set(items))
    program = program_of(problem, options, ledger=False)
    keys = {name[:3] for name in limits}
    rows = np.array([not name.rule or name[:3] in keys for name in program.limit_names], dtype=np.bool_)
    ask, asked = Questions(program, case.limits, case.watch, case.until), mask(items, program.items)

    def possible(kept: Sequence[int]) -> bool | None:
        closed = np.zeros(program.options, dtype=np.bool_)
        for group in kept:
            closed[groups[group].options] = True
        return ask.possible(Kept(asked, rows, ~closed))

    everything = list(range(len(groups)))
    if possible(everything) is not False:
        return None
    kept, exact = fewest(everything, possible)
    members = [must_be_placed(problem, item) for item in items]
    members += [groups[group].member(problem) for group in kept]
    same: dict[tuple[object, ...], list[int]] = {}
    for row, name in enumerate(program.limit_names):
        if name[:3] in keys:
            same.setdefault(statement(name), []).append(row)
    members += [limit_member(problem, program, found) for found in same.values()]
    return Conflict(tuple(members), known and one.exact and exact, tuple(items))
