"""Readers and evaluators of the benchmark sets, on instances solved on paper."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from benchmarks import sets
from benchmarks.files import scaled
from benchmarks.plans import read_plan, write_plan
from benchmarks.sets import cloudbalancing, gap, pmedcap, sscflp, vbp
from benchmarks.sets.estate import named
from capplan.engine import Limits, Watch, solve_exact
from tests.benchmark_files import FILES, GAP, PMEDCAP, VBP, write


def plan(*places: int):
    return np.array(places, dtype=np.int64)


@pytest.mark.parametrize("name", FILES)
def test_the_optimum_is_the_one_found_on_paper(tmp_path: Path, name: str):
    """Read, solved, decoded and evaluated: the value is the published one, and the goal says the same."""
    instance = write(tmp_path, name)
    chosen = sets.find(name)
    assert chosen.instances(tmp_path) == [instance]
    problem, published = chosen.read(tmp_path, instance), chosen.published(tmp_path, instance)
    compiled = problem.compile()
    found = solve_exact(compiled.program, Limits(), Watch())
    assert found.x is not None
    score = problem.evaluate(compiled.decode(found.x))
    assert score.feasible, score.broken
    assert score.value == published.value == published.bound == compiled.goal.natural(found.goals[0].value)


@pytest.mark.parametrize("name", FILES)
def test_what_is_no_assignment_is_not_feasible(tmp_path: Path, name: str):
    """Too few items, items nowhere and items beyond the last place are said, not scored."""
    problem = sets.find(name).read(tmp_path, write(tmp_path, name))
    for assignment in (plan(0), plan(*[-1] * 4), plan(*[99] * 4), plan(*[-1] * 3), plan(*[99] * 2)):
        assert problem.evaluate(assignment).broken


def test_generalised_assignment():
    """Costs 3 2 4 and 5 7 6, weights 2 3 2 and 1 2 2, capacities 5 and 2: all at agent 0 weigh 7."""
    problem = gap.parse(GAP)
    assert problem.evaluate(plan(0, 0, 1)).value == 11
    assert problem.evaluate(plan(1, 0, 0)).value == 11
    assert problem.evaluate(plan(0, 0, 0)).broken == "place 0 holds 7 of resource 0, its capacity is 5"


def test_facility_location_is_exact_in_decimals():
    """5.5 + 1.25 to open, 1 + 1 + 2.005 to serve; an opened facility that serves nobody is not open."""
    problem = sscflp.parse(FILES["sscflp"][1])
    assert problem.scale == 1000
    assert problem.evaluate(plan(0, 0, 1)).value == Fraction("10.755")
    assert problem.evaluate(plan(2, 2, 2)).value == 20
    assert not problem.evaluate(plan(0, 0, 0)).feasible


def test_medians_are_counted_and_distances_rounded_down():
    """From (10, 0) to (11, 1) is √2, counted as 1; three medians are too many; the file's optimum is not read."""
    problem = pmedcap.parse(PMEDCAP)
    assert problem.evaluate(plan(0, 0, 2, 2)).value == 2
    assert problem.evaluate(plan(1, 1, 3, 3)).value == 2
    assert problem.evaluate(plan(0, 1, 2, 2)).broken == "3 medians are used, 2 are allowed"
    halves = pmedcap.parse(PMEDCAP.replace("3 10 0 2", "3 10.5 0 2"))
    assert halves.evaluate(plan(0, 0, 2, 2)).value == 2  # √(0.5² + 1²) = 1.118
    assert halves.evaluate(plan(0, 2, 2, 0)).value == 9 + 11  # 9.5 and √122


def test_bins_used_are_counted_and_any_names_do():
    """Items are 6×1, 6×1, 3×9, 4×1 in file order; which numbers the bins have is nobody's business."""
    problem = vbp.parse(VBP)
    assert problem.size.tolist() == [[6, 1], [6, 1], [3, 9], [4, 1]]
    assert problem.evaluate(plan(3, 1, 3, 1)).value == 2
    assert problem.evaluate(plan(0, 1, 2, 3)).value == 4
    assert not problem.evaluate(plan(0, 0, 1, 1)).feasible


def test_bins_of_the_program_are_told_apart_by_their_largest_items():
    """Item i of the decreasing order may use the bins 0 to i only, and first fit decreasing says how many there are."""
    compiled = vbp.parse(VBP).compile()
    assert compiled.program.facts == 2
    assert np.bincount(compiled.program.item).tolist() == [1, 2, 2, 2]


def test_an_item_larger_than_a_bin_is_refused():
    with pytest.raises(ValueError, match="larger than a bin"):
        vbp.parse("1\n5\n1\n6 1\n").compile()


def test_computers_in_use_are_paid():
    """Both processes need 6 of 8 on the large computer, 150; apart they cost 250; the small one has 4."""
    problem = cloudbalancing.parse(FILES["cloudbalancing"][1])
    assert problem.evaluate(plan(1, 1)).value == 150
    assert problem.evaluate(plan(0, 1)).value == 250
    assert not problem.evaluate(plan(0, 0)).feasible


def test_an_estate_is_evaluated_as_it_was_drawn():
    """The goal of a plan is what the evaluator recomputes; a site too far away is not allowed; names draw the same."""
    problem = sets.find("estate").read(Path(), "tight-30x5-s3")
    compiled = problem.compile()
    found = solve_exact(compiled.program, Limits(), Watch())
    assert found.x is not None
    assignment = compiled.decode(found.x)
    assert problem.evaluate(assignment).value == found.goals[0].value
    estate = named("tight-30x5-s3")
    far = np.setdiff1d(np.arange(5), estate.nearest[4])[0]
    assignment[4] = far
    assert problem.evaluate(assignment).broken == "workload 4 is at a site that is too far away"
    with pytest.raises(ValueError, match="mild-1000x20-s11"):
        named("mild-20x1000")


def test_options_that_cannot_be_taken_are_left_out():
    """A job heavier than an agent's capacity has no option there."""
    assert gap.parse("2 1\n1 2\n5 5\n4 5\n").compile().program.options == 1


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("gap", "2 3 1 2", "it ends after 4 numbers, 8 are expected"),
        ("gap", GAP + "1", "it has 17 numbers, 16 are expected"),
        ("gap", "x 3", '"x" is no number'),
        ("gap", "2.5 3", "whole numbers are expected"),
        ("sscflp", "1 1 5 5 5", "it has 5 numbers, 6 are expected"),
        ("sscflp", "", "list index out of range"),
        ("pmedcap", "1 9 2 1 5 1 0 0 1", "it has 9 numbers, 13 are expected"),
        ("vbp", "2\n10 10\n2\n6 1 2\n", "it ends after 7 numbers, 10 are expected"),
        ("cloudbalancing", "{}", "computerList"),
        ("cloudbalancing", '{"computerList": [{"cost": 1.5}], "processList": []}', "must be whole numbers"),
    ],
)
def test_a_file_of_another_format_is_refused_by_name(tmp_path: Path, name: str, text: str, said: str):
    file = tmp_path / ("x" + sets.find(name).suffixes[0])  # type: ignore[attr-defined]  # sets in folders have them
    file.write_text(text)
    with pytest.raises(ValueError, match="x.* is no instance of " + name) as fault:
        sets.find(name).read(tmp_path, "x")
    assert said in str(fault.value)


def test_published_values_are_found_from_a_folder_below(tmp_path: Path):
    """--data may name a part of a set; an instance of which nothing is known runs all the same."""
    write(tmp_path, "gap")
    (tmp_path / "tiny" / "own.txt").write_text(GAP)
    (tmp_path / "README.txt").write_text("about them")
    chosen = sets.find("gap")
    assert chosen.instances(tmp_path) == ["tiny/a", "tiny/own"]
    assert chosen.published(tmp_path / "tiny", "a").value == 11
    assert chosen.published(tmp_path, "tiny/own").value is None


def test_numbers_are_exact():
    """As many decimals as any of them needs, trailing zeros not counted, exponents read."""
    assert scaled(["1.500", "2", "3e-3"])[1] == 1000
    assert scaled(["1.500", "2", "3e-3"])[0].tolist() == [1500, 2000, 3]
    assert scaled(["1e3", "2.0"])[0].tolist() == [1000, 2]
    assert scaled(["12"])[1] == 1


def test_plans_are_read_as_they_are_written(tmp_path: Path):
    """item,container in any order, or containers alone."""
    write_plan(tmp_path / "p.csv", plan(2, 0, 1))
    assert read_plan(tmp_path / "p.csv").tolist() == [2, 0, 1]
    (tmp_path / "q.csv").write_text("item,container\n1,5\n0,4\n")
    assert read_plan(tmp_path / "q.csv").tolist() == [4, 5]
    (tmp_path / "r.sol").write_text("4 5\n6\n")
    assert read_plan(tmp_path / "r.sol").tolist() == [4, 5, 6]
    (tmp_path / "q.csv").write_text("item,container\n1,5\n1,4\n")
    with pytest.raises(ValueError, match="every item"):
        read_plan(tmp_path / "q.csv")
    (tmp_path / "q.csv").write_text("site")
    with pytest.raises(ValueError, match="no assignment"):
        read_plan(tmp_path / "q.csv")
