"""The statements that take part in conflicts, in the user's words, each with the row that it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from capplan.compile import excluded
from capplan.errors import Place
from capplan.obstacles import by_reason
from capplan.problem import Options, Problem, combine
from capplan.program import Program
from capplan.program.statements import LimitName, Source
from capplan.rules import RULES
from capplan.units import Ints, decimal_text, percent_text, with_unit

SITES_NAMED = 3
"""Limits of one statement that are named; the rest are counted."""


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
    limits: tuple[LimitName, ...] = ()


@dataclass(frozen=True)
class Conflict:
    """Statements that no plan keeps together. ``minimal``: without any one of them there is one, verified."""

    members: tuple[Member, ...]
    minimal: bool
    items: tuple[int, ...] = ()


def every_option(problem: Problem, items: Sequence[int], *, others: bool) -> Options:
    """Every way to place some items, forbidden or not; of the others, where asked for, the ways that are open."""
    chosen = np.array(sorted(items) if not others else range(len(problem.blocks)), dtype=np.int64)
    everywhere = np.arange(len(problem.sites), dtype=np.int32)
    sites = {w: everywhere for i in chosen.tolist() for w in problem.members[i]}
    options = combine(problem.blocks, chosen, sites, problem.may_leave_out)
    if not others:
        return options
    keep = np.isin(options.item, list(items)) | ~excluded(problem, options)
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
        place, keep = None, problem.keep
        if self.source is not None:
            table, row, column = self.source
            place = problem.inventory.table(table).place(row, column)
        elif keep is not None and len(self.workloads) == 1 and keep.site[self.workloads[0]] >= 0:
            place = keep.place(self.workloads[0])
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


def must_be_placed(problem: Problem, item: int) -> Member:
    """That an item's workloads must be placed: by the inventory, or because a file keeps one of them at a site."""
    members, keep = problem.members[item], problem.keep
    ids = ", ".join(problem.workloads.ids[w] for w in members)
    verb = "must be placed" if len(members) == 1 else "must be placed, all of them"
    kept = [] if keep is None else [w for w in members if keep.site[w] >= 0]
    place = keep.place(kept[0]) if keep is not None and kept else problem.workloads.place(members[0], "workload")
    return Member("workload", "left_out", f"{ids} {verb}", tuple(members), ("workloads", members[0], "value"), place)


def limit_member(problem: Problem, program: Program, rows: Sequence[int]) -> Member:
    """The limits of one statement in words, with what headroom and purchases make of them."""
    names = [program.limit_names[row] for row in rows]
    name, place = names[0], None
    if name.source is not None:
        table, row, column = name.source
        place = problem.inventory.table(table).place(row, column)
    elif problem.model.written is not None:
        place = problem.model.place("rules", name.rule)
    when = f" in {problem.periods.text(name.period)}" if name.period >= 0 and len(problem.periods) > 1 else ""
    more = f" and {len(names) - SITES_NAMED:,} more" if len(names) > SITES_NAMED else ""
    subject = ", ".join(one.subject for one in names[:SITES_NAMED]) + more
    asked = list(dict.fromkeys(_asked(program, row) for row in rows))
    each = " each" if len(names) > 1 and len(asked) == 1 else ""
    text = f": {' or '.join(asked)}{each}" if any(asked) else ""
    return Member("limit", name.rule, f"{subject}{when}{text}", (), name.source, place, tuple(names))


def _asked(program: Program, row: int) -> str:
    """What a limit asks for, in natural units; nothing where it asks for a balance of several things."""
    name, bound = program.limit_names[row], int(program.bound[row])
    if name.least:
        # Some limits of this kind forbid a combination, which their subject says in full.
        return f"at least {with_unit(-bound * name.per_unit, name.unit)}" if bound < 0 else ""
    text = f"at most {with_unit(bound * name.per_unit, name.unit)}"
    if name.share != 1:
        physical = decimal_text(bound * name.per_unit / name.share)
        text += f" ({physical} less {percent_text(1 - name.share)} headroom)"
    first, bought = program.options + program.facts, program.purchases
    part = program.limits.of_rows(np.array([row]))[:, first:].tocoo()
    widens = [(p, -v) for p, v in zip(part.col.tolist(), part.data.tolist(), strict=True) if v < 0]
    things = sorted({bought.names[p].purchase for p, _ in widens} - {""})
    most = bound + sum(v * int(bought.upper[p]) for p, v in widens if bought.names[p].purchase)
    if most == bound:
        return text
    return f"{text}, {with_unit(most * name.per_unit, name.unit)} with all that may be bought ({', '.join(things)})"


def bound_together(problem: Problem, binding: Sequence[str], items: Sequence[int]) -> Iterator[Member]:
    """The rules that place the workloads of an item at one site."""
    for name in binding:
        pairs = list(RULES[name].colocated(problem))
        for item in items:
            bound = sorted({w for pair in pairs for w in pair if w in problem.members[item]})
            if bound:
                ids = ", ".join(problem.workloads.ids[w] for w in bound)
                place = problem.workloads.place(bound[0], "workload")
                yield Member("rule", name, f"{ids} are at one site", tuple(bound), ("workloads", bound[0], name), place)
