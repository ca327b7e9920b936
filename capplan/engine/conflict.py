"""Which statements of an infeasible Program contradict each other.

Every answer stands on solves of its own: a conflict is one because the Program with nothing but its members has no
solution, and it is minimal because without any one of them it has.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
import scipy.sparse as sp

from capplan.engine.cpsat import Answer, Callback, Model, greatest_use
from capplan.engine.proof import impossible
from capplan.engine.result import Limits, Watch
from capplan.program import Coefficients, Program, Purchases
from capplan.units import Bools

SECONDS_A_QUESTION = 5.0
"""Longest time for one question whether some of the statements can be kept together."""

EFFORT_PER_SECOND = 0.5

MANY = 12
"""Items from which a quick proof is looked for first: searches count pigeons one by one."""


@dataclass(frozen=True)
class Kept:
    """Statements of a Program that are asked for together. bool [item], bool [limit], bool [option].

    Items that are not asked for may take an option or none. Options that are not open may not be taken.
    """

    items: Bools
    limits: Bools
    open: Bools


class Part(Model):
    """A model of some of a Program's statements, to which all of its items can help."""

    def __init__(self, program: Program, kept: Kept) -> None:
        self._kept = kept
        super().__init__(program)

    def _choices(self) -> None:
        start, usable = self.program.item_start, self._kept.open
        for item, asked in enumerate(self._kept.items.tolist()):
            columns = np.arange(start[item], start[item + 1])
            literals = columns[usable[columns]].tolist()
            if asked:
                self._proto.constraints.add().exactly_one.literals.extend(literals)
            elif len(literals) > 1:
                self._proto.constraints.add().at_most_one.literals.extend(literals)
        self.forbid(np.flatnonzero(~usable))

    def _always_kept(self) -> Bools:
        return np.asarray(~self._kept.limits)


def only(program: Program, kept: Kept) -> Program:
    """The Program of the statements that are kept: its size is theirs. Items that are not asked for have no options."""
    option = np.flatnonzero(kept.items[program.item] & kept.open)
    rows, first = np.flatnonzero(kept.limits), program.options
    limits: Any = program.limits.of_rows(rows)
    other = np.unique(limits[:, first:].nonzero()[1])
    fact, purchase = other[other < program.facts], other[other >= program.facts] - program.facts
    column = np.concatenate([option, first + other])
    items = np.flatnonzero(kept.items)
    item = np.searchsorted(items, program.item[option])
    bought, any_of = program.purchases, cast("Any", program.any_of)
    names = tuple(bought.names[p] for p in purchase.tolist())
    none = np.zeros((0, 0), dtype=np.int64)
    return replace(
        program,
        item=item,
        items=len(items),
        any_of=any_of[fact][:, option].tocsr(),
        purchases=Purchases(names, bought.upper[purchase], bought.derived[purchase]),
        limits=Coefficients(limits[:, column].tocsr(), item, None, none.astype(np.int32), none),
        bound=program.bound[rows],
        limit_names=tuple(program.limit_names[row] for row in rows.tolist()),
        goals=(),
        make_ties=lambda: sp.csr_array((0, len(column)), dtype=np.int64),
        tie_base=np.zeros(0, dtype=np.int64),
        charges=(),
        prices=(),
    )


@dataclass
class Questions:
    """Asks whether statements can be kept together, until the time is up.

    ``until`` is a moment of ``time.monotonic``; ``asked`` counts the questions.
    """

    program: Program
    limits: Limits
    watch: Watch
    until: float
    asked: int = 0
    never: Bools = field(init=False)
    helped: Bools = field(init=False)

    def __post_init__(self) -> None:
        self.never = np.asarray(greatest_use(self.program) <= self.program.bound)
        self.helped = helped(self.program)

    @property
    def over(self) -> bool:
        """Whether there is no time for another question."""
        return self.watch.stopped or time.monotonic() >= self.until

    def possible(self, kept: Kept) -> bool | None:
        """Whether these statements can be kept together; None where that was not found out."""
        usable = kept.items[self.program.item] & kept.open
        homes = np.bincount(self.program.item[usable], minlength=self.program.items)
        if (kept.items & (homes == 0)).any():
            return False
        if self.over:
            return None
        self.asked += 1
        binding = Kept(kept.items, kept.limits & ~self.never, kept.open)
        if (binding.limits & self.helped).any():
            answer = solved(Part(self.program, binding), self)
        else:
            part = only(self.program, binding)
            if part.items > MANY and impossible(part, self.seconds):
                return False
            answer = solved(Model(part), self)
        if answer.x is not None:
            return True
        return False if answer.finished else None

    @property
    def seconds(self) -> float:
        """Seconds for one question, as long as there are any left."""
        return max(0.05, min(SECONDS_A_QUESTION, self.until - time.monotonic()))


def helped(program: Program) -> Bools:
    """Limits that a choice can help to keep, such as a least use; of the others nothing placed is best. bool [limit].

    Items that nobody asks for can be left out of account where no such limit is asked for.
    """
    entries = program.limits.tocsr().tocoo()
    found = np.zeros(len(program.bound), dtype=np.bool_)
    found[entries.row[(entries.data < 0) & (entries.col < program.options + program.facts)]] = True
    return found


def solved(model: Model, ask: Questions) -> Answer:
    """A model solved within the time of a question."""
    effort = ask.seconds * EFFORT_PER_SECOND
    return model.solve(ask.limits, ask.seconds, effort, ask.watch, Callback(lambda *_: None))


def fewest(members: Sequence[int], without: Callable[[list[int]], bool | None]) -> tuple[list[int], bool]:
    """Members of which none can be spared, and whether that is proved.

    ``without(kept)`` says whether what is kept can be kept together: False, and the others are not needed for the
    contradiction; True, and some of them are; None where it is not known. Larger chunks are tried first.
    """
    kept, size, known = list(members), max(1, len(members) // 2), True
    while True:
        at, known = 0, True
        while at < len(kept):
            rest = kept[:at] + kept[at + size :]
            answer = without(rest)
            if answer is False:
                kept = rest
                continue
            known = known and answer is True
            at += size
        if size == 1:
            return kept, known
        size = max(1, size // 4)
