"""The reader of machine reassignment problems: capplan's own rules are the challenge's rules.

``CAPPLAN_ROADEF=FOLDER`` names a folder with the published instances; their initial costs are then compared as well.
"""

from __future__ import annotations

import csv
import gzip
import os
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from benchmarks import roadef
from capplan.engine import Limits, Status, Watch, solve_exact
from capplan.program import Program

# Two resources, the first transient; three machines, three services, four processes, one balance.
TINY = """
2  1 10  0 5
3
0 0  10 10  6 6  0 2 3
0 1  10 10  6 6  2 0 1
1 1  8 12   5 8  3 1 0
3
2 0
1 1 0
1 0
4
0 3 2 5
0 4 1 7
1 2 3 1
2 4 4 2
1
0 1 2
3
1 10 2
"""
START = [0, 1, 0, 2]
OF_RULE = {
    ("capacity", False): "capacity",
    ("moves", False): "transient",
    ("apart", False): "conflict",
    ("apart", True): "spread",
    ("same_neighbourhood", False): "dependency",
}
"""The challenge's word for a limit, by its rule and whether it counts regions."""


@pytest.fixture
def tiny(tmp_path: Path) -> roadef.Instance:
    (tmp_path / "model_tiny.txt.gz").write_bytes(gzip.compress(TINY.encode()))
    (tmp_path / "assignment_tiny.sol").write_text(" ".join(map(str, START)), "ascii")
    return roadef.read(tmp_path, "tiny")


def broken_rules(program: Program, x: roadef.Ints) -> set[str]:
    """What ``x`` breaks in the Program, in the challenge's words."""
    names = [program.limit_names[row] for row in np.flatnonzero(program.limits @ x > program.bound)]
    return {OF_RULE[name.rule, name.unit == "regions"] for name in names}


def test_the_initial_assignment_by_hand(tiny: roadef.Instance):
    """Used: (5, 5), (4, 1), (4, 4), within safety. Balance: 2×5−5, 2×6−9, 2×4−8 are 5, 3, 0, at 3 each."""
    assert roadef.evaluate(tiny, tiny.start) == (True, 24, [])


def test_a_move_by_hand(tiny: roadef.Instance):
    """The last process to machine 0: used (9, 9), 3 above safety in both. It costs 2, its service 10, the way 2×3."""
    moved = np.array([0, 1, 0, 0])
    assert roadef.costs(tiny, moved) == {
        "load": 3 * 10 + 3 * 5,
        "balance": 3 * (1 + 3 + 4),
        "process move": 2,
        "service move": 10,
        "machine move": 6,
    }


def test_every_assignment_breaks_and_costs_in_the_program_what_the_challenge_says(tiny: roadef.Instance):
    """All 81, good and bad ones; every rule is broken somewhere."""
    program, decode = roadef.program(tiny)
    (goal,) = program.goals
    seen: set[str] = set()
    for places in product(range(3), repeat=4):
        x = roadef.solution(tiny, program, np.array(places))
        feasible, cost, broken = roadef.evaluate(tiny, np.array(places))
        assert tuple(decode(x)) == places
        assert goal.natural(goal.value(x)) == cost
        assert broken_rules(program, x) == set(broken)
        assert feasible == (not broken)
        seen |= set(broken)
    assert seen == {"capacity", "transient", "conflict", "spread", "dependency"}


def test_the_optimum_is_that_of_brute_force(tiny: roadef.Instance):
    """What the engine proves is the least cost of a feasible assignment."""
    program, decode = roadef.program(tiny)
    measured = [roadef.evaluate(tiny, np.array(places)) for places in product(range(3), repeat=4)]
    found = solve_exact(program, Limits(), Watch())
    assert found.status == Status.OPTIMAL
    assert found.x is not None
    assert roadef.evaluate(tiny, decode(found.x))[1] == min(cost for feasible, cost, _ in measured if feasible)


def test_a_start_is_a_whole_column(tiny: roadef.Instance):
    """The initial assignment with facts and derived purchases keeps every limit."""
    program, decode = roadef.program(tiny)
    x = roadef.start(tiny, program)
    assert x.shape == (program.columns,)
    assert (program.limits @ x <= program.bound).all()
    assert decode(x).tolist() == START


def test_problems_without_balance_or_transient_resources(tiny: roadef.Instance):
    """What an instance does not have is simply absent; a service may move without any price."""
    plain = replace(tiny, transient=tiny.transient & False, balance=tiny.balance[:0], weights=tiny.weights * 0)
    program, _ = roadef.program(plain)
    (goal,) = program.goals
    for places in ([0, 1, 0, 0], [2, 0, 2, 1]):
        x = roadef.solution(plain, program, np.array(places))
        assert goal.natural(goal.value(x)) == roadef.evaluate(plain, np.array(places))[1]


def test_an_assignment_of_other_processes_is_refused(tmp_path: Path):
    """A file that is cut off, or that belongs to another instance."""
    (tmp_path / "model_tiny.txt").write_text(TINY, "ascii")
    (tmp_path / "assignment_tiny.sol").write_text("0 1 0", "ascii")
    with pytest.raises(ValueError, match="tiny: the model has more numbers"):
        roadef.read(tmp_path, "tiny")


PUBLISHED = Path(os.environ.get("CAPPLAN_ROADEF", ""))


@pytest.mark.skipif("CAPPLAN_ROADEF" not in os.environ, reason="CAPPLAN_ROADEF names no folder of instances")
@pytest.mark.parametrize("name", "a1_1 a1_2 a1_3 a1_4 a1_5 a2_1 a2_2 b_1".split())
def test_initial_assignments_cost_what_was_published(name: str):
    """By the challenge's text, and as the goal of the Program."""
    with (PUBLISHED / "best.csv").open(encoding="utf-8") as file:
        cost = next(int(row["initial_cost"]) for row in csv.DictReader(file) if row["instance"] == name)
    instance = roadef.read(PUBLISHED, name)
    program, _ = roadef.program(instance)
    (goal,) = program.goals
    x = roadef.start(instance, program)
    assert roadef.evaluate(instance, instance.start) == (True, cost, [])
    assert goal.natural(goal.value(x)) == cost
    assert broken_rules(program, x) == set()


@pytest.mark.skipif("CAPPLAN_ROADEF" not in os.environ, reason="CAPPLAN_ROADEF names no folder of instances")
def test_a_published_solution_costs_what_its_file_is_named_after():
    """The optimum of a1_1."""
    instance = roadef.read(PUBLISHED, "a1_1")
    program, _ = roadef.program(instance)
    (goal,) = program.goals
    best = roadef.read_assignment(PUBLISHED / "solution_a1_1_44306501.sol")
    assert roadef.evaluate(instance, best) == (True, 44306501, [])
    assert goal.natural(goal.value(roadef.solution(instance, program, best))) == 44306501
