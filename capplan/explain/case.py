"""What is explained: an inventory folder under a model, and the same with something changed."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
import yaml

from capplan.compile import open_options, problem_of, program_of
from capplan.engine import Limits, Status, Stopped, Watch, chosen, impossible, repaired, solve_program
from capplan.engine import Result as Found
from capplan.errors import CapplanError
from capplan.inventory import Inventory
from capplan.load import read_inventory, read_model
from capplan.measure import Measured, measure
from capplan.model import Model
from capplan.problem import Options, Plan, Problem
from capplan.problem.ways import Changes
from capplan.program import Program
from capplan.solving import WORTH_A_PROOF, hint
from capplan.units import Bools, Ints

SCENARIO, OWN = "explained", "as-asked"
"""Names of a change that is tried, and of the scenario that it is tried upon."""

LEAST_S = 0.1
"""Seconds for a search that was begun, however late it is."""

SECONDS_TO_REPAIR = 1.0
"""Time to make the plan found last one of another problem, before a plan is looked for from nothing."""


@dataclass(frozen=True)
class Case:
    """A problem that can be changed as a scenario changes it.

    ``folder`` is where its tables lie, ``until`` a moment of ``time.monotonic``; ``say`` hears what is being done.
    ``near`` holds the plan found last: that of a changed problem is often close to one of another,
    but for the workloads in ``focus``.
    """

    problem: Problem
    folder: Path
    limits: Limits
    watch: Watch
    until: float
    say: Callable[[str], None] = lambda text: None
    near: list[Plan] = field(default_factory=list)
    focus: tuple[int, ...] = ()

    @staticmethod
    def of(
        problem: Problem,
        folder: Path,
        seconds: float,
        watch: Watch | None = None,
        say: Callable[[str], None] = lambda text: None,
    ) -> Case:
        """A case to be explained within ``seconds`` from now."""
        solver = problem.model.solver
        limits = Limits(seconds, seed=solver.seed, workers=solver.workers, deterministic=solver.deterministic)
        return Case(problem, folder, limits, watch or Watch(), time.monotonic() + seconds, say)

    @property
    def left(self) -> float:
        """Seconds that are left, none once somebody asked to stop."""
        return 0.0 if self.watch.stopped else max(0.0, self.until - time.monotonic())

    def part(self, share: float) -> Case:
        """The same case with a share of the time that is left."""
        return replace(self, until=time.monotonic() + share * self.left)

    def changed(self, changes: Changes) -> Problem | None:
        """The problem under a scenario, read from its files as a user's scenario is; None where that is no problem."""
        try:
            model = read_changed(self.problem.model, changes)
            inventory = read_inventory(self.folder, model.overlay)
            return problem_of(self._where_all_is(inventory), model, keep=self.problem.keep)
        except CapplanError:
            return None

    def _where_all_is(self, inventory: Inventory) -> Inventory:
        """Current sites as a plan to start from gave them, where the scenario removes nothing."""
        now, then = self.problem.inventory, inventory
        same = (
            now.table("workloads").ids == then.table("workloads").ids
            and now.table("sites").ids == then.table("sites").ids
        )
        return replace(then, title=now.title, current_site=now.current_site) if same else then

    def any_plan(self, problem: Problem, seconds: float) -> Measured | None:
        """A plan that breaks no rule, measured; None where there is none or none was found in time."""
        return self._found(problem, seconds, goals=False)[1]

    def decided(self, problem: Problem, seconds: float) -> Measured | bool | None:
        """A plan that breaks no rule; False where it was proved that there is none, None where neither was found."""
        status, plan = self._found(problem, seconds, goals=False)
        return plan if plan is not None else False if status is Status.INFEASIBLE else None

    def best_plan(self, problem: Problem, seconds: float) -> tuple[Status, Measured | None]:
        """The best plan that was found in time, measured, and what is known of it."""
        return self._found(problem, seconds, goals=True)

    def placing(self, problem: Problem, workloads: Sequence[int], seconds: float) -> Measured | None:
        """A plan that places some workloads and breaks no rule, whatever else it leaves out (the model lets it)."""
        wanted = set(workloads)
        leave = np.array([not wanted & set(group) for group in problem.members], dtype=np.bool_)
        return self._found(problem, seconds, goals=False, leave=leave)[1]

    def _found(
        self, problem: Problem, seconds: float, *, goals: bool, leave: Bools | None = None
    ) -> tuple[Status, Measured | None]:
        seconds = min(seconds, self.left)
        if seconds <= 0:
            return Status.UNKNOWN, None
        end = time.monotonic() + seconds
        options = open_options(problem, leave)
        program = program_of(problem, options, ledger=False)
        limits = replace(self.limits, time_limit_s=seconds)
        x = None if goals else self._repaired(problem, options, program, limits)
        if x is not None:
            found = Found(Status.FEASIBLE, x, (), Stopped.GAP)
        elif program.options >= WORTH_A_PROOF and impossible(program, self._until(end).time_limit_s / 2):
            found = Found(Status.INFEASIBLE, None, (), Stopped.PROVED)
        elif chosen(program) == "large":
            found = self._large(program, end, first=not goals)
        else:
            if not goals:
                program = replace(program, goals=(), make_ties=_no_ties, tie_base=np.zeros(0, dtype=np.int64))
            found = self.solved(program, self._until(end), Watch())
        if found.x is None:
            return found.status, None
        measured = measure(problem, Plan.of(problem, program, options, found.x))
        if measured.breaches:
            return found.status, None
        self.near[:] = [measured.plan]
        return found.status, measured

    def _repaired(self, problem: Problem, options: Options, program: Program, limits: Limits) -> Ints | None:
        """The plan found last made into one of this Program; None where there is none or that fails."""
        if not self.near:
            return None
        focus = set(self.focus)
        free = np.array([bool(focus & set(group)) for group in problem.members], dtype=np.bool_)
        seconds = min(SECONDS_TO_REPAIR, limits.time_limit_s / 2)
        return repaired(
            program, hint(program, options, self.near[-1]), free, replace(limits, time_limit_s=seconds), self.watch
        )

    def _until(self, end: float) -> Limits:
        """Limits up to a moment of ``time.monotonic``: what came before the search has taken its part."""
        return replace(self.limits, time_limit_s=max(LEAST_S, end - time.monotonic()))

    def _large(self, program: Program, end: float, *, first: bool) -> Found:
        """A large problem solved, up to the first plan if asked."""
        watch, limits = Watch(), self._until(end)
        if first:
            watch.report = lambda heard: watch.stop() if heard.best is not None else None
            limits = replace(limits, workers=1)  # others would take longer to start than the first plan takes
        return self.solved(program, limits, watch)

    def solved(self, program: Program, limits: Limits, watch: Watch) -> Found:
        """A solve with a clock of its own, asked to stop when the case is."""
        self.watch.on_stop(watch.stop)
        found: Found = solve_program(program, limits, watch)
        self.watch.on_stop(None)
        return found


def _no_ties() -> sp.csr_array:
    return sp.csr_array((0, 0), dtype=np.int64)


def read_changed(model: Model, changes: Changes) -> Model:
    """The model with the changes of one more scenario, upon its own. Raises BadInput."""
    content = {key: value for key, value in model.to_json().items() if value is not None}
    content["scenarios"] = upon(model, {SCENARIO: changes})
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "model.yaml"
        path.write_text(written_out(content), "utf-8")
        return replace(read_model(path, SCENARIO), name=model.name)


class _WithoutAliases(yaml.SafeDumper):
    """Writes what occurs twice twice: model files may not refer to themselves."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def written_out(content: object) -> str:
    """Plain data as YAML without anchors."""
    return yaml.dump(content, Dumper=_WithoutAliases, allow_unicode=True, sort_keys=False, width=100)


def upon(model: Model, scenarios: Mapping[str, Changes]) -> dict[str, Changes]:
    """Scenarios upon the model's own, which is applied before them; and those that it is stacked upon itself."""
    told = model.to_json().get("scenarios")
    known: dict[str, Changes] = dict(told) if isinstance(told, dict) else {}
    own = known.pop(model.scenario or "", {})
    if not any(own.values()):
        return {**known, **scenarios}
    return {**known, OWN: own, **{name: {"stack": [OWN], **changes} for name, changes in scenarios.items()}}


def merged(below: Changes, above: Changes) -> dict[str, Any]:
    """One scenario laid over another."""
    result = dict(below)
    for key, value in above.items():
        known = result.get(key)
        result[key] = merged(known, value) if isinstance(known, Mapping) and isinstance(value, Mapping) else value
    return result
