"""From an inventory and a model to a Program: which rules are on, which options are open, what they add."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import scipy.sparse as sp

from capplan.errors import Fault, Faults, did_you_mean
from capplan.goals import GOALS, Goal
from capplan.goals.cost import charges
from capplan.inventory import Allocation, Inventory
from capplan.mending import mended, stays, tolerate, what_remains
from capplan.model import Model
from capplan.problem import Options, Periods, Problem, combine, joined, one_by_one
from capplan.program import Builder, Form, Program, WorstGoal, weighted
from capplan.program.sparse import sparse
from capplan.program.statements import Goal as ProgramGoal
from capplan.rules import RULES, RuleOptions
from capplan.units import BUILT_IN, Bools, Ints, decimal_text

PAIRS_AT_ONCE = 1_000_000
"""Workload × site pairs checked together: bounds the memory of eligibility, whatever the size."""


def problem_of(
    inventory: Inventory, model: Model, faults: Faults | None = None, keep: Allocation | None = None
) -> Problem:
    """The planning problem. Contradictions that need no solving are faults: recorded in ``faults``, or raised.

    ``keep`` names workloads that stay at the site it gives them.
    """
    found = faults if faults is not None else Faults()
    on = rules_on(model)
    periods = Periods.of(model.periods, inventory.as_of)
    alone = Problem(inventory, model, on, periods, [], keep)
    problem = replace(alone, blocks=_blocks(alone))
    found.extend(_unknown_names(problem))
    for name in on:
        found.extend(RULES[name].faults(problem))
    if faults is None:
        found.raise_errors()
    return problem


def _unknown_names(problem: Problem) -> Iterator[Fault]:
    """Names in the model that the inventory does not have: a misspelt one would silently change the plan."""
    inventory, model = problem.inventory, problem.model
    resources = {resource.name for resource in (*BUILT_IN, *inventory.declared)}
    for name in sorted(set(model.headroom) - resources):
        hint = did_you_mean(name, resources, "declare it in inventory.yaml, or remove it here")
        yield Fault(model.place("headroom", name), "unknown-reference", f'no resource is named "{name}"', hint)
    if isinstance(model.purchases, tuple):
        known = {*inventory.table("expansions").ids, *inventory.table("licences").ids}
        for i, name in enumerate(model.purchases):
            if name not in known:
                hint = did_you_mean(name, known, "name an expansion or a licence of the inventory")
                message = f'nothing that can be bought is named "{name}"'
                yield Fault(model.place("purchases", i), "unknown-reference", message, hint)


def rules_on(model: Model) -> Mapping[str, RuleOptions]:
    """The rules in force with their options: what the model says, else each rule's default."""
    on: dict[str, RuleOptions] = {}
    for name, rule in RULES.items():
        written = model.rules.get(name)
        if isinstance(written, RuleOptions):
            on[name] = written
        elif name not in model.rules and rule.on_by_default:
            on[name] = rule.options()
    return on


def _blocks(problem: Problem) -> list[list[list[int]]]:
    """Items and their blocks: workloads that rules place as one, and those among them that share a site."""
    one_site = [pair for name in problem.rules for pair in RULES[name].colocated(problem)]
    one_item = [pair for name in problem.rules for pair in RULES[name].joined(problem)]
    block, item = (_components(len(problem.workloads), pairs) for pairs in (one_site, one_site + one_item))
    items: dict[int, dict[int, list[int]]] = {}
    for w in range(len(problem.workloads)):
        items.setdefault(item[w], {}).setdefault(block[w], []).append(w)
    return [list(blocks.values()) for blocks in items.values()]


def _components(count: int, pairs: Sequence[tuple[int, int]]) -> list[int]:
    """Number of the connected component of each of ``count`` things."""
    if not count:
        return []
    ends = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    links = sp.csr_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(count, count))
    numbers: list[int] = sp.csgraph.connected_components(links, directed=False)[1].tolist()
    return numbers


def open_options(problem: Problem, may_leave_out: Bools | None = None) -> Options:
    """Every option that no rule forbids. An item without any is left with none: nothing can place it.

    ``may_leave_out`` bool [item] stands in for what the model says, where given.
    """
    leave = problem.may_leave_out if may_leave_out is None else may_leave_out
    return joined(len(problem.blocks), _open_parts(problem, leave))


def _open_parts(problem: Problem, may_leave_out: Bools) -> Iterator[Options]:
    """The open options of some items after the other."""
    sites = len(problem.sites)
    ends = np.cumsum([len(group) * sites for group in problem.members])
    number = ends // PAIRS_AT_ONCE
    for items in np.split(np.arange(len(ends)), np.flatnonzero(np.diff(number)) + 1) if len(ends) else ():
        workloads = np.array(sorted(w for i in items.tolist() for w in problem.members[i]), dtype=np.int32)
        pairs = one_by_one(
            np.repeat(workloads, sites),
            np.tile(np.arange(sites, dtype=np.int32), len(workloads)),
            len(problem.workloads),
        )
        keep = ~excluded(problem, pairs)
        count = keep.reshape(len(workloads), sites).sum(axis=1)
        eligible = np.split(pairs.site[keep], np.cumsum(count)[:-1])
        options = combine(problem.blocks, items, dict(zip(workloads.tolist(), eligible, strict=True)), may_leave_out)
        yield options if options.alone else options.kept(~excluded(problem, options))


def excluded(problem: Problem, options: Options) -> Bools:
    """Options that some rule forbids, but for what a mended rule tolerates. bool [option]."""
    out = np.zeros(len(options), dtype=np.bool_)
    mending = mended(problem)
    spared = stays(problem, options) if mending else out
    for name in problem.rules:
        for exclusion in RULES[name].exclusions(problem, options):
            option = exclusion.option
            out[option[~spared[option]] if name in mending else option] = True
    return out


def program_of(problem: Problem, options: Options, *, tolerant: bool = True, ledger: bool = True) -> Program:
    """The Program over an option table: limits of every rule that is on, charges, goals, ties.

    Unless ``tolerant``, rules that mend what is broken today are as strict as the others. Without a ``ledger`` the
    Program says what a plan costs but not for what.
    """
    builder = Builder(options.item, options.items, ledger=ledger)
    rows: dict[str, range] = {}
    for name in problem.rules:
        first = builder.limit_count
        RULES[name].build(problem, options, builder)
        rows[name] = range(first, builder.limit_count)
    charges(problem, options, builder)
    for name in problem.rules:
        RULES[name].limit_money(problem, options, builder)
    stages = [stage for goal in problem.model.goals for stage in _stages(problem, options, builder, goal)]
    if tolerant and mended(problem):
        tolerate(problem, builder, rows, lambda plan: program_of(problem, plan, tolerant=False))
        what = "broken today"
        stages.insert(0, (what, what, [(what_remains(problem, options, builder), Fraction(1))]))
    counts = builder.options, builder.fact_count, len(builder.purchase_names)
    goals = [_goal(stage, counts) for stage in stages]
    return builder.assemble(goals, *_ties(problem, options, builder))


Stage = WorstGoal | tuple[str, str, Sequence[tuple[Form, Fraction]]]


def _stages(problem: Problem, options: Options, builder: Builder, parts: Mapping[str, Fraction]) -> list[Stage]:
    """One entry of the model's ``goals`` as what is minimised in turn."""
    goals = {name: GOALS[name] for name in parts}
    if len(parts) == 1:
        ((name, goal),) = goals.items()
        if not goal.linear:
            return [goal.worst(problem, options, builder)]
        one = Fraction(1)
        return [(name, goal.unit, [(form, one)]) for form in goal.forms(problem, options, builder)]
    weighed = [(form, parts[name]) for name, goal in goals.items() for form in goal.forms(problem, options, builder)]
    return [(_sum_name(parts), _sum_unit(list(goals.values())), weighed)]


def _sum_name(parts: Mapping[str, Fraction]) -> str:
    return " + ".join(name if weight == 1 else f"{decimal_text(weight)} × {name}" for name, weight in parts.items())


def _sum_unit(goals: Sequence[Goal]) -> str:
    units = {goal.unit for goal in goals}
    return units.pop() if len(units) == 1 else ""


def _goal(stage: Stage, counts: tuple[int, int, int]) -> ProgramGoal:
    if isinstance(stage, WorstGoal):
        wide = sp.csr_array(
            (stage.use.data, stage.use.indices, stage.use.indptr), shape=(stage.use.shape[0], sum(counts))
        )
        return WorstGoal(stage.name, wide, stage.capacity)
    name, reads, parts = stage
    return weighted(name, reads, parts, *counts)


def _ties(problem: Problem, options: Options, builder: Builder) -> tuple[Callable[[], sp.csr_array], Ints]:
    """Digits of a plan: the site of each workload in id order, then steps of each decided purchase.

    Left out ranks after every site.
    """
    workloads, sites = len(problem.workloads), len(problem.sites)
    decided = [p for p, bought in enumerate(builder.purchase_names) if not builder.is_derived(p)]
    decided.sort(key=lambda p: builder.purchase_names[p][:3])
    first = builder.options + builder.fact_count
    shape = (workloads + len(decided), first + len(builder.purchase_names))

    def make() -> sp.csr_array:
        digit = [options.workload, options.absent_workload, workloads + np.arange(len(decided))]
        column = [options.option, options.absent_option, first + np.array(decided, dtype=np.int64)]
        rank = [options.site, np.full(len(options.absent_option), sites), np.ones(len(decided), dtype=np.int64)]
        return sparse(np.concatenate(digit), np.concatenate(column), np.concatenate(rank), shape)

    base = np.concatenate([np.full(workloads, sites + 1), [builder.upper(p) + 1 for p in decided]])
    return make, base.astype(np.int64)
