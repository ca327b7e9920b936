"""Explanations of worlds without a plan: conflicts are real and minimal, changes do what they say."""

from __future__ import annotations

import csv
import itertools
import json
import os
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from capplan.compile import open_options, problem_of, program_of
from capplan.engine import Status, Watch
from capplan.explain import changes, written
from capplan.explain.case import OWN, Case, read_changed
from capplan.explain.infeasible import Infeasible, explain_infeasible
from capplan.explain.relaxing import figures
from capplan.explain.statements import Conflict, Member, every_option, exclusions
from capplan.explain.written import FOLDER, RELAXATIONS, nature, write_infeasible
from capplan.load import read_inventory, read_model
from capplan.model import Model, override
from capplan.problem import Problem
from capplan.program import Program
from capplan.rules import RULES
from capplan.solving import solve
from capplan.units import Ints, decimal_text
from tests.cli_calls import capplan
from tests.explained_worlds import LARGE, LIBRARY, MIDDLE, SMALL, Made, Wanted, made

SECONDS = 60.0
"""Small worlds take a second or two; the time is there for busy machines."""


MOST_WAYS = 10_000
"""Ways to place the workloads of a conflict that are tried one by one."""


def explained(wanted: Wanted, folder: Path) -> tuple[Problem, Infeasible | None]:
    """A world and its explanation; None where it has a plan."""
    made(wanted).write(folder)
    model = read_model(folder / "model.yaml")
    problem = problem_of(read_inventory(folder, model.overlay), model)
    if solve(problem.inventory, model).status is not Status.INFEASIBLE:
        return problem, None
    return problem, explain_infeasible(Case.of(problem, folder, SECONDS))


def every_change_does(found: Infeasible, folder: Path, run: Path) -> int:
    """Apply each change that is offered as a user would, and solve: there is a plan. Returns how many there are."""
    run.mkdir()
    target = write_infeasible(run, found)
    if not (target / RELAXATIONS).exists():
        return 0
    names = [name for name in read_model(target / RELAXATIONS).scenarios if name != OWN]
    for name in names:
        # Any plan will do.
        model = override(read_model(target / RELAXATIONS, name), gap=Fraction(1))
        result = solve(read_inventory(folder, model.overlay), model)
        assert result.measured is not None, name
        assert not result.measured.breaches, name
    return len(names)


def explains(wanted: Wanted, tmp_path: Path) -> Infeasible | None:
    """What every world of the library has to pass."""
    problem, found = explained(wanted, tmp_path / "i")
    assert (found is None) == ("tight" in wanted.causes)
    if found is None:
        return None
    assert found.exact or any(conflict.minimal for conflict in found.conflicts)
    for conflict in found.conflicts:
        for member in conflict.members:
            assert member.text
            assert member.place is not None
            assert member.place.line > 0 or member.rule in ("budget", "moves")
    assert every_change_does(found, tmp_path / "i", tmp_path / "run") > 0
    # Each conflict has workloads of its own.
    named = [item for conflict in found.conflicts for item in conflict.items]
    assert len(named) == len(set(named))
    assert len(problem.workloads) >= wanted.workloads
    return found


def test_the_library_holds_forty_worlds_of_many_causes():
    """Worlds are told apart by size, cause and seed."""
    assert len(LIBRARY) >= 40
    assert len({wanted.name for wanted in LIBRARY}) == len(LIBRARY)
    assert {wanted.workloads for wanted in LIBRARY} >= {10, 100, 1000}


@pytest.mark.parametrize("wanted", SMALL, ids=lambda wanted: wanted.name)
def test_worlds_are_explained_and_every_change_offered_does(wanted: Wanted, tmp_path: Path):
    """A verified minimal conflict or an exact shortage, and changes that make a plan possible."""
    found = explains(wanted, tmp_path)
    if found is not None and wanted.workloads <= 10:
        holds = _Brute(made(wanted))
        for conflict in found.conflicts:
            holds.confirm(conflict)


@pytest.mark.slow
@pytest.mark.skipif("CAPPLAN_LARGE_WORLDS" not in os.environ, reason="CAPPLAN_LARGE_WORLDS is not set")
@pytest.mark.parametrize("wanted", [*MIDDLE, *LARGE], ids=lambda wanted: wanted.name)
def test_what_is_said_of_large_worlds_is_true(wanted: Wanted, tmp_path: Path):
    """Up to 1,000 workloads at 20 sites: what is short or conflicts is found, and what is offered does what it says."""
    problem, found = explained(wanted, tmp_path / "i")
    assert (found is None) == ("tight" in wanted.causes)
    if found is None:
        return
    assert len(problem.workloads) >= wanted.workloads
    assert found.exact or any(conflict.minimal for conflict in found.conflicts)
    assert every_change_does(found, tmp_path / "i", tmp_path / "run") > 0
    holds = _Brute(made(wanted))
    for conflict in found.conflicts:
        holds.confirm(conflict)


class _Brute:
    """Tries every way to place the workloads of a conflict, each statement checked on the cells alone."""

    def __init__(self, world: Made) -> None:
        self.rows = {row["workload"]: row for row in sorted(world.workloads, key=lambda row: row["workload"])}
        self.ids = list(self.rows)
        self.sites = {row["site"]: row for row in world.sites}
        self.tables = world.tables
        self.model = world.model

    def confirm(self, conflict: Conflict) -> None:
        """The members cannot be kept together; without any one of them the rest can."""
        checks = [self._check(member) for member in conflict.members]
        if any(check is None for check in checks) or len(self.sites) ** len(conflict.items) > MOST_WAYS:
            return  # a kind of statement that is not written here, or too many ways to try
        assert not self._possible(conflict.members, checks), "not a conflict"
        if conflict.minimal:
            for left in range(len(checks)):
                members = [m for i, m in enumerate(conflict.members) if i != left]
                rest = [check for i, check in enumerate(checks) if i != left]
                assert self._possible(members, rest), f"not needed: {conflict.members[left].text}"

    def _possible(self, members: Sequence[Member], checks: Sequence[object]) -> bool:
        placed = [self.ids[w] for member in members if member.kind == "workload" for w in member.workloads]
        for sites in itertools.product(self.sites, repeat=len(placed)):
            plan = dict(zip(placed, sites, strict=True))
            if all(check(plan) for check in checks):  # type: ignore[operator]
                return True
        return False

    def _check(self, member: Member) -> Callable[[dict[str, str]], bool] | None:
        if member.kind == "workload":
            return lambda plan: True
        if member.kind == "limit":
            limits = [self._limit(member.rule, limit.subject) for limit in member.limits]
            known = [limit for limit in limits if limit is not None]
            return (lambda plan: all(limit(plan) for limit in known)) if len(known) == len(limits) else None
        column = member.source[2] if member.source else ""
        if member.rule == "together":
            block = {self.ids[w] for w in member.workloads}
            return lambda plan: len({site for w, site in plan.items() if w in block}) <= 1
        [name] = [self.ids[w] for w in member.workloads] if len(member.workloads) == 1 else [""]
        row = self.rows.get(name, {})
        kept: dict[str, Callable[[str], bool]] = {
            "pinned_site": lambda site: site == row["pinned_site"],
            "forbidden_sites": lambda site: site not in row["forbidden_sites"].split(";"),
            "countries": lambda site: self.sites[site]["country"] in row["countries"].split(";"),
            "max_rtt_ms": lambda site: self._trip(row, site) <= Fraction(row["max_rtt_ms"]),
        }
        if column == "zones" and member.source is not None:
            closed = list(self.sites)[member.source[1]]
            return lambda plan: plan.get(name) != closed or row["zone"] in self.sites[closed]["zones"].split(";")
        if column not in kept or not name:
            return None
        return lambda plan: name not in plan or kept[column](plan[name])

    def _trip(self, row: dict[str, str], site: str) -> Fraction:
        direct = [c for c in self.tables["circuits"] if (c["a"], c["b"]) == (row["organisation"], site)]
        return Fraction(direct[0]["rtt_ms"])

    def _limit(self, rule: str, subject: str) -> Callable[[dict[str, str]], bool] | None:
        if rule == "capacity":
            site, resource = subject.split(" ")
            kept = Fraction(8, 10) if resource == "power_kw" else Fraction(1)
            most = Fraction(self.sites[site].get(resource, "0")) * kept
            return lambda plan: sum(Fraction(self.rows[w][resource]) for w, s in plan.items() if s == site) <= most
        if rule == "apart":
            group, _, at = subject.partition(" at ")
            return lambda plan: sum(self.rows[w].get("apart") == group for w, s in plan.items() if s == at) <= 1
        if rule == "licences":
            [licence] = self.tables["licences"]
            most = Fraction(licence["owned"]) + Fraction(licence["max_packs"])
            needing = {row["workload"] for row in self.tables["licence_needs"]}
            return lambda plan: len(needing & set(plan)) <= most
        if rule == "moves":
            allowed = self.model["rules"]["moves"]["at_most"]
            return lambda plan: sum(self.rows[w].get("current_site", s) != s for w, s in plan.items()) <= allowed
        return None


def test_brute_force_refuses_what_is_no_conflict_and_what_is_not_minimal(tmp_path: Path):
    """The confirmation can fail: a member too few, and a member too many."""
    wanted = next(one for one in SMALL if one.causes == ("pins",))
    _, found = explained(wanted, tmp_path / "i")
    assert found is not None
    [conflict] = found.conflicts
    brute = _Brute(made(wanted))
    with pytest.raises(AssertionError, match="not a conflict"):
        brute.confirm(Conflict(conflict.members[:-1], True, conflict.items))
    with pytest.raises(AssertionError, match="not needed"):
        brute.confirm(Conflict((*conflict.members, conflict.members[0]), True, conflict.items))


@pytest.mark.parametrize(
    ("cause", "policy", "natures"), [("shortage", False, "physical"), ("headroom", True, "headroom")]
)
def test_policy_is_told_apart_from_what_physically_is_there(cause: str, policy: bool, natures: str, tmp_path: Path):
    """A shortage that only headroom makes is one of policy; one that remains without it is not."""
    wanted = next(one for one in SMALL if one.causes == (cause,))
    _, found = explained(wanted, tmp_path / "i")
    assert found is not None
    assert found.policy_only is policy
    assert natures in {nature(breach) for breach in found.why.shortages}


def test_the_least_widening_is_the_least(tmp_path: Path):
    """A watt less than what is offered as the least would not do."""
    wanted = next(one for one in SMALL if one.causes == ("headroom",))
    problem, found = explained(wanted, tmp_path / "i")
    assert found is not None
    more = [one for one in found.relaxations if one.way.kind == "capacity" and one.least]
    assert more
    for one in more:
        [(path, text)] = one.changes["set"].items()
        less = {"set": {path: decimal_text(Fraction(text) - Fraction(1, 1000))}}
        case = Case.of(problem, tmp_path / "i", SECONDS)
        changed = case.changed(less)
        assert changed is not None
        assert case.best_plan(changed, 10)[0] is Status.INFEASIBLE


def test_solve_and_explain_say_it_and_keep_it_in_the_run(tmp_path: Path):
    """Exit 3 with the text; tables and scenarios in the run; explain says the same and as JSON."""
    folder = made(next(one for one in SMALL if one.causes == ("pins",))).write(tmp_path / "i")
    said = capplan("solve", folder, "-o", tmp_path / "run")
    assert said.code == 3
    for words in (
        "proved infeasible",
        "Conflict 1 (drop any one of these",
        "pinned to S00",
        "workloads.csv:",
        "--scenario 1-",
    ):
        assert words in said.out
    with (tmp_path / "run" / FOLDER / "relaxations.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows
    again = capplan("explain", tmp_path / "run")
    assert again.code == 0
    assert again.out.strip() in said.out
    data = json.loads(capplan("explain", tmp_path / "run", "--json").out)
    assert [row["scenario"] for row in data["relaxations"]] == [row["scenario"] for row in rows]
    assert {row["line"] for row in data["conflicts"]} - {""}
    solved = capplan("solve", folder, "-m", tmp_path / "run" / FOLDER / RELAXATIONS, "--scenario", rows[0]["scenario"])
    assert solved.code == 0


def test_a_run_that_was_explained_may_be_replaced(tmp_path: Path):
    """What explain adds belongs to the run."""
    folder = made(SMALL[0]).write(tmp_path / "i")
    assert capplan("solve", folder, "-o", tmp_path / "run").code == 3
    assert capplan("solve", folder, "-o", tmp_path / "run").code == 3


def _reach(program: Program) -> Ints:
    """What each limit comes to with everything bought. int64 [limit]."""
    first = program.options + program.facts
    bought = program.limits.rest[:, first:].tocoo()
    reach = program.bound.copy()
    widens = bought.data < 0
    np.add.at(reach, bought.row[widens], -bought.data[widens] * program.purchases.upper[bought.col[widens]])
    return reach


@pytest.mark.parametrize("wanted", SMALL, ids=lambda wanted: wanted.name)
def test_a_figure_that_is_raised_widens_the_limits_it_says_it_widens(wanted: Wanted, tmp_path: Path):
    """Whatever rule the limit is of: read back as a scenario, ten units more of the figure let more be used."""
    folder = made(wanted).write(tmp_path / "i")
    _raises(folder, read_model(folder / "model.yaml"))


def test_figures_of_a_network_widen_its_circuits():
    """Cumbria with narrow circuits: what they carry, and what either data centre must carry alone."""
    folder = Path("inventories/cumbria")
    narrow = read_changed(read_model(folder / "model.yaml"), {"set": {"circuits.*.mbps": "20"}})
    keys = _raises(folder, narrow)
    assert {key[0] for key in keys} >= {"site", "headroom", "links"}


def _raises(folder: Path, model: Model) -> list[tuple[str, ...]]:
    """Raise every figure of an inventory by ten units and see what becomes of the limits. Returns the figures' keys."""
    problem = problem_of(read_inventory(folder, model.overlay), model)
    case = Case.of(problem, folder, SECONDS)
    program = program_of(problem, open_options(problem), ledger=False)
    before = dict(zip((name[:3] for name in program.limit_names), _reach(program).tolist(), strict=True))
    found = list(figures(problem, program, range(len(program.bound))))
    for figure in found:
        changed = case.changed(figure.way(10).changes)
        assert changed is not None, figure.key
        wider = program_of(changed, open_options(changed), ledger=False)
        after = dict(zip((name[:3] for name in wider.limit_names), _reach(wider).tolist(), strict=True))
        for row in figure.weight:
            name = program.limit_names[row][:3]
            assert after.get(name, before[name] + 1) > before[name] or program.limit_names[row].least
    return [figure.key for figure in found]


def test_what_asks_for_less_can_be_read_as_a_scenario(tmp_path: Path):
    """Every way that a rule offers for what it forbids: no scenario is refused, and no rule offers the same twice."""
    for wanted in SMALL:
        folder = made(wanted).write(tmp_path / wanted.name)
        model = read_model(folder / "model.yaml")
        problem = problem_of(read_inventory(folder, model.overlay), model)
        case = Case.of(problem, folder, SECONDS)
        items = set(range(len(problem.blocks)))
        options = every_option(problem, sorted(items), others=False)
        for group in exclusions(problem, options, items):
            if group.source is not None:
                ways = list(RULES[group.rule].eased(problem, group.source, group.workloads))
                assert len({repr(way.changes) for way in ways}) == len(ways)
                assert all(case.changed(way.changes) is not None for way in ways)


def test_a_large_problem_that_cannot_be_is_proved_so_before_a_plan_is_looked_for(tmp_path: Path):
    """Thirteen that must be apart at twelve sites, among three hundred: counted, not searched for."""
    folder = made(Wanted(1, 300, 12, ("apart",))).write(tmp_path / "i")
    said = capplan("solve", folder, "-o", tmp_path / "run", "--time-limit", "30")
    assert said.code == 3
    info = json.loads((tmp_path / "run" / "run.json").read_text("utf-8"))
    assert (info["status"], info["engine"]["name"]) == ("infeasible", "large")
    assert "at most 1 workload each [apart]" in said.out
    assert "must be placed, all of them" in said.out


def test_a_conflict_says_what_purchases_make_of_its_limit(tmp_path: Path):
    """16 kW usable as it is, 30.4 with what may be bought, and it is not enough: the figures of the shortage."""
    said = capplan("solve", "inventories/dudley", "--set", "sites.DUDLEY.power_kw=20", "-o", tmp_path / "run")
    assert said.code == 3
    assert "at most 16 kW (20 less 20 % headroom), 30.4 kW with all that may be bought (UPS-4)" in said.out
    assert "usable 30.4 kW (38 less 20 % headroom), 18 kW of it still to be bought: short 1.8 kW" in said.out


def test_a_row_that_all_conflicts_share_is_one_change(tmp_path: Path):
    """Whitehaven opens too late for all of which it must hold a copy: to open it earlier is the change."""
    said = capplan("solve", "inventories/cumbria", "--set", "sites.B.from=2016-08-01", "-o", tmp_path / "run")
    assert said.code == 3
    assert "Conflict 5" in said.out
    assert "open B on 2015-10-01 instead of 2016-08-01" in said.out


def test_a_smaller_change_of_the_same_figure_is_enough(tmp_path: Path):
    """No figure is offered twice, and what is offered of it is the least where that is said."""
    _, found = explained(next(one for one in SMALL if one.causes == ("headroom",)), tmp_path / "i")
    assert found is not None
    raised = [one.way.figure for one in found.relaxations if one.way.figure]
    assert raised
    assert len(set(raised)) == len(raised)


def test_changes_stand_upon_the_scenario_that_was_asked_for(tmp_path: Path):
    """A scenario that scales what a change sets: the change has the last word, and says what it comes to."""
    folder = made(next(one for one in SMALL if one.causes == ("headroom",))).write(tmp_path / "i")
    asked = ("--set", "sites.*.power_kw*=90%", "--set", "workloads.W0000.power_kw=1.5")
    assert capplan("solve", folder, *asked, "-o", tmp_path / "run").code == 3
    target = tmp_path / "run" / FOLDER / RELAXATIONS
    with (target.parent / "relaxations.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "capacity"]
    assert any("at every site" not in row["change"] for row in rows)
    for row in rows:
        model = read_model(target, row["scenario"])
        result = solve(read_inventory(folder, model.overlay), model)
        assert result.measured is not None
        assert result.problem.workloads.text("power_kw")[0] == "1.5"
        if "at every site" not in row["change"]:
            site, text = row["change"].split(" at ")[1].split(" (")
            steps = int(result.problem.inventory.capacity[result.problem.sites.row(site), 0])
            assert text.startswith(f"{result.problem.resources[0].text(steps)} instead of ")


def test_what_a_file_keeps_is_blamed_on_the_file(tmp_path: Path):
    """Both copies kept at one site: the members of the conflict are the lines of the file."""
    kept = tmp_path / "kept.csv"
    kept.write_text("workload,site\nRIO,A\nRIO-R,A\n", "utf-8")
    said = capplan("solve", "inventories/cumbria", "--pin", kept, "-o", tmp_path / "run")
    assert said.code == 3
    assert "RIO, RIO-R must be placed, all of them  (kept.csv:2)" in said.out
    assert "[allowed]  (kept.csv:3)" in said.out


def test_what_is_known_when_somebody_stops_is_kept(tmp_path: Path):
    """Stopped before it began: what needs no search is there all the same."""
    folder = made(next(one for one in SMALL if one.causes == ("shortage",))).write(tmp_path / "i")
    model = read_model(folder / "model.yaml")
    watch = Watch()
    watch.stop()
    found = explain_infeasible(Case.of(problem_of(read_inventory(folder, model.overlay), model), folder, 9, watch))
    assert found.totals
    assert found.proved
    assert not found.relaxations


def test_an_explanation_that_fails_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Whole folders or none."""
    _, found = explained(next(one for one in SMALL if one.causes == ("pins",)), tmp_path / "i")
    assert found is not None
    (tmp_path / "run").mkdir()
    target = write_infeasible(tmp_path / "run", found)
    before = {path.name: path.read_bytes() for path in target.iterdir()}

    def full(*_: object) -> str:
        raise OSError("no space left")

    monkeypatch.setattr(written, "model_of", full)
    with pytest.raises(OSError, match="no space left"):
        write_infeasible(tmp_path / "run", found)
    assert {path.name: path.read_bytes() for path in target.iterdir()} == before
    assert [path.name for path in (tmp_path / "run").iterdir()] == [FOLDER]


def test_no_rule_is_named_where_explanations_are_looked_for():
    """What a rule could ask for less of stands in its own file: adding one touches nothing here but what it prints."""
    folder = Path(changes.__file__).parent
    for path in (folder / "changes.py", folder / "relaxing.py", folder / "conflicts.py", folder / "infeasible.py"):
        text = path.read_text("utf-8")
        # A table has the same name as the rule that reads it.
        assert not [name for name in RULES if f'"{name}"' in text and name != "licences"], path.name
