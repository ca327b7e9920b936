"""Laws over small worlds: rules, goals, money and engine against the brute-force oracle.

`CAPPLAN_EXAMPLES=5000 pytest tests/test_laws.py` searches harder than the quick run does.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from capplan.compile import open_options, problem_of, program_of
from capplan.engine import Limits, Status, Watch, smallest_shortage, solve_exact, solve_program
from capplan.errors import Faults, Severity
from capplan.ledger import shares_of
from capplan.load import read_inventory, read_model
from capplan.measure import Measured, measure
from capplan.problem import NOWHERE, Options, Plan, Problem
from capplan.program import Program, evaluate
from capplan.solving import solve
from tests.oracle import Oracle
from tests.oracle import Plan as TheirPlan
from tests.worlds import FEATURES, World, worlds

EXAMPLES = int(os.environ.get("CAPPLAN_EXAMPLES", "25"))
PLANS_PER_WORLD = 40

lawful = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
thorough = settings(lawful, max_examples=8 * EXAMPLES)


@dataclass
class Case:
    """One world in both readings: the oracle's and the package's."""

    oracle: Oracle
    problem: Problem
    options: Options
    program: Program

    def plan(self, theirs: TheirPlan) -> Plan:
        """The oracle's plan in the package's terms."""
        sites, workloads = self.problem.sites, self.problem.workloads.ids
        places = [theirs.sites[w] for w in workloads]
        site = [NOWHERE if place is None else sites.row(place) for place in places]
        bought = {(name, sites.row(s) if s else -1, t): steps for (name, s, t), steps in theirs.bought.items() if steps}
        return Plan(np.array(site, dtype=np.int64), bought)

    def admits(self, plan: Plan) -> bool:
        """Whether the Program that an engine is given lets this plan through."""
        taken = np.zeros(self.program.options, dtype=np.bool_)
        site = np.full((len(self.options), len(self.problem.workloads)), NOWHERE)
        site[self.options.option, self.options.workload] = self.options.site
        for i, group in enumerate(self.problem.members):
            mine = np.flatnonzero(self.options.item == i)
            match = [o for o in mine if all(site[o, w] == plan.site[w] for w in group)]
            if not match:
                return False
            taken[match[0]] = True
        names = self.program.purchases.names
        bought = np.array([plan.bought.get(name[:3], 0) for name in names], dtype=np.int64)
        if (bought > self.program.purchases.upper)[~self.program.purchases.derived].any():
            return False
        used = evaluate(self.program, taken, bought).used
        return bool((used <= self.program.bound).all())


def case_of(world: World) -> Case:
    """Both readings of a world; where the package calls it bad input, the oracle must find it infeasible."""
    with tempfile.TemporaryDirectory() as folder:
        path = world.write(Path(folder) / "world")
        model = read_model(path / "model.yaml")
        inventory, faults = read_inventory(path, model.overlay), Faults()
        problem = problem_of(inventory, model, faults)
    if faults.has_errors:
        codes = {fault.code for fault in faults.sorted() if fault.severity is Severity.ERROR}
        assert codes <= {"workload-too-large", "contradictory-rules"}
        # A pin against its own lists is an error even where the model could leave the workload out.
        assert "contradictory-rules" in codes or Oracle(world).best()[0] == "infeasible"
        reject()
    options = open_options(problem)
    return Case(Oracle(world), problem, options, program_of(problem, options))


def plans(case: Case) -> Iterator[TheirPlan]:
    """A spread of the plans there are, good and bad ones."""
    count = sum(1 for _ in islice(case.oracle.plans(), 4000))
    return islice(case.oracle.plans(), 0, 4000, max(1, count // PLANS_PER_WORLD))


def solved(case: Case) -> tuple[str, dict[str, str | None] | None, Mapping[tuple[str, str, int], int] | None]:
    """What the engine finds, in the oracle's terms."""
    found = solve_exact(case.program, Limits(), Watch())
    if found.x is None:
        return str(found.status), None, None
    assert found.ties == len(case.program.tie_base)
    plan = Plan.of(case.problem, case.program, case.options, found.x)
    ids = case.problem.sites.ids
    sites = {w: ids[s] if s >= 0 else None for w, s in zip(case.problem.workloads.ids, plan.site, strict=True)}
    bought = {(name, ids[s] if s >= 0 else "", t): steps for (name, s, t), steps in plan.bought.items()}
    return str(found.status), sites, bought


def broken(measured: Measured) -> set[tuple[object, ...]]:
    """What a measured plan breaks, in the oracle's terms."""
    found: set[tuple[object, ...]] = set()
    for breach in measured.breaches:
        workload = measured.problem.workloads.ids[breach.workloads[0]] if breach.workloads else ""
        if breach.amount is None and breach.rule == "left_out":
            found.add(("left_out", workload))
        elif breach.amount is None:
            site = measured.problem.sites.ids[measured.plan.site[breach.workloads[0]]]
            found.add((breach.rule, workload, site))
        elif breach.rule == "capacity":
            found.add(("capacity", *breach.subject.split(" "), breach.period))
        else:
            found.add((breach.rule, breach.subject, breach.period))
    return found


@pytest.mark.parametrize("feature", FEATURES)
def test_optimum_is_the_brute_force_optimum(feature: str) -> None:
    """Status, plan and purchases are those of the oracle, ties included, for every feature alone."""

    @lawful
    @given(worlds(feature, others=()))
    def law(world: World) -> None:
        case = case_of(world)
        status, _, plan = case.oracle.best()
        want = (status, dict(plan.sites) if plan else None, dict(plan.bought) if plan else None)
        assert solved(case) == want

    law()


@thorough
@given(worlds())
def test_optimum_of_mixed_worlds_is_the_brute_force_optimum(world: World) -> None:
    """The same where features meet."""
    case = case_of(world)
    status, _, plan = case.oracle.best()
    want = (status, dict(plan.sites) if plan else None, dict(plan.bought) if plan else None)
    assert solved(case) == want


@thorough
@given(worlds())
def test_oracle_measured_and_admitted_agree_on_every_plan(world: World) -> None:
    """A plan breaks for the checker what it breaks for the oracle; an engine may take it just when that is nothing."""
    case = case_of(world)
    for theirs in plans(case):
        expected, ours = case.oracle.measure(theirs), measure(case.problem, case.plan(theirs))
        buyable = {b for b in expected.broken if b[0] != "purchases"}
        if buyable == expected.broken:
            assert {rule for rule, *_ in broken(ours)} == {rule for rule, *_ in expected.broken}
            assert case.admits(case.plan(theirs)) == (not expected.broken)


@thorough
@given(worlds())
def test_goals_and_money_are_those_of_the_oracle(world: World) -> None:
    """Every goal's value and every amount by kind, period and site, on good plans and bad ones."""
    case = case_of(world)
    ids = case.problem.sites.ids
    for theirs in islice(plans(case), 12):
        expected, ours = case.oracle.measure(theirs), measure(case.problem, case.plan(theirs))
        if any(b[0] in ("purchases", "licences") for b in expected.broken):
            continue  # what more licences than can be had would cost is nobody's business
        money: Counter[tuple[str, int, str]] = Counter()
        for entry in ours.entries:
            money[entry.kind, entry.period, ids[entry.site] if entry.site >= 0 else ""] += entry.pence
        assert {key: pence for key, pence in money.items() if pence} == expected.amounts
        assert _values(ours) == _flat(case.oracle.goal_values(expected))
        by_payer = sum(share.pence for share in shares_of(case.problem, ours.options, ours.entries))
        assert by_payer == ours.cost == 100 * expected.goals["cost"]


def _values(measured: Measured) -> list[Fraction]:
    return [goal.natural(goal.value(measured.values.x)) for goal in measured.program.goals]


def _flat(values: tuple[Any, ...]) -> list[Any]:
    flat: list[Any] = []
    for value in values:
        flat += list(value) or [0] if isinstance(value, tuple) else [value]
    return flat


@lawful
@given(worlds(), st.data())
def test_bounds_are_valid_whenever_the_search_stops(world: World, data: st.DataObject) -> None:
    """However little effort is granted, no bound lies above the best value there is, given the goals before."""
    case = case_of(world)
    effort = data.draw(st.sampled_from([0.0001, 0.001, 0.01]))
    found = solve_exact(
        case.program, Limits(time_limit_s=effort, gap=Fraction(data.draw(st.integers(0, 3)), 10)), Watch()
    )
    _, best, _ = case.oracle.best()
    if found.x is None:
        assert found.status in ((Status.INFEASIBLE, Status.UNKNOWN) if best is None else (Status.UNKNOWN,))
        return
    assert best is not None
    values = _flat(best)
    for i, (goal, reached) in enumerate(zip(case.program.goals, found.goals, strict=True)):
        assert goal.natural(reached.bound) <= values[i] or any(
            goal.natural(earlier.value) != value
            for goal, earlier, value in zip(case.program.goals[:i], found.goals, values, strict=False)
        )
        assert reached.bound <= reached.value


@lawful
@given(worlds(), st.booleans())
def test_the_engine_for_large_programs_keeps_to_the_oracle(world: World, deterministic: bool) -> None:
    """Its plans keep every limit and its bounds are valid, goal by goal; what it calls proved is the optimum."""
    case = case_of(world)
    limits = Limits(time_limit_s=0.8, deterministic=deterministic)
    found = solve_program(case.program, limits, Watch(), engine="large")
    _, best, _ = case.oracle.best()
    if found.x is None:
        assert found.status in ((Status.INFEASIBLE, Status.UNKNOWN) if best is None else (Status.UNKNOWN,))
        return
    assert best is not None
    measured = measure(case.problem, Plan.of(case.problem, case.program, case.options, found.x))
    assert not measured.breaches
    earlier_met = True
    for goal, reached, value in zip(case.program.goals, found.goals, _flat(best), strict=True):
        assert goal.natural(reached.bound) <= value or not earlier_met
        assert reached.bound <= reached.value
        assert goal.natural(reached.value) >= value or not earlier_met
        earlier_met &= goal.natural(reached.value) == value


@lawful
@given(worlds())
def test_what_is_short_would_be_enough(world: World) -> None:
    """An infeasible world becomes feasible when the limits named are raised by exactly what is named."""
    case = case_of(world)
    if case.oracle.best()[2] is not None or (np.diff(case.program.item_start) == 0).any():
        return
    found = smallest_shortage(case.program, Limits(), Watch())
    assert found.x is not None
    assert (found.short > 0).any()
    raised = replace(case.program, bound=case.program.bound + found.short)
    assert solve_exact(raised, Limits(), Watch()).x is not None


@lawful
@given(worlds())
def test_solving_again_gives_the_same_tables(world: World) -> None:
    """Equal input gives equal tables, and what is found measures as it should."""
    case = case_of(world)
    first, second = (solve(case.problem.inventory, case.problem.model) for _ in range(2))
    assert first.status == second.status
    assert [(t.name, t.rows) for t in first.tables] == [(t.name, t.rows) for t in second.tables]
    assert first.measured is None or not first.measured.breaches
