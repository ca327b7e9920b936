"""A Program as a CP-SAT model, filled into the protobuf directly: no Python object per variable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse as sp
from ortools.sat.python import cp_model

from capplan.engine.columns import tied
from capplan.engine.result import Limits, Watch
from capplan.program import Program
from capplan.units import Bools, Ints

LEAST = -(2**62)
MOST_FOR_ONE_WORKER = 400
"""Below so many columns one worker is quicker than several."""


@dataclass(frozen=True)
class Answer:
    """What CP-SAT said.

    ``x`` int64 [column] or None; ``bound`` of the objective; ``finished``: it ended by itself, not by a limit;
    ``effort`` in deterministic time.
    """

    x: Ints | None
    bound: int
    finished: bool
    effort: float


class Model:
    """A CP-SAT model of a Program's choices, facts, purchases and limits; objectives come and go.

    Variables are numbered like the Program's columns.
    """

    def __init__(self, program: Program, slack: Ints | None = None, *, tie: bool = True) -> None:
        """Build the model. ``slack`` int64 [limit], where given, is how far each limit may be exceeded.

        ``tie``: without slack, tie limits to facts, which takes a moment and proves more (see ``columns``).
        """
        self.program = program
        self._model: Any = cp_model.CpModel()
        self._proto: Any = self._model.proto
        self._variables()
        self._choices()
        self._facts()
        self.slack_of = self._limits(slack, tie=tie and slack is None)

    def _variables(self) -> None:
        for _ in range(self.program.options + self.program.facts):
            self.variable(0, 1)
        for upper in self.program.purchases.upper.tolist():
            self.variable(0, upper)

    def variable(self, lower: int, upper: int) -> int:
        """A new integer variable. Returns its number."""
        self._proto.variables.add().domain.extend((lower, upper))
        return len(self._proto.variables) - 1

    def _choices(self) -> None:
        start = self.program.item_start.tolist()
        for first, end in pairwise(start):
            self._proto.constraints.add().exactly_one.literals.extend(range(first, end))

    def _facts(self) -> None:
        matrix, first = self.program.any_of, self.program.options
        for f in range(self.program.facts):
            options = matrix.indices[matrix.indptr[f] : matrix.indptr[f + 1]]
            some = self._proto.constraints.add()
            some.enforcement_literal.append(first + f)
            some.bool_or.literals.extend(options.tolist())
            none = self._proto.constraints.add()
            none.enforcement_literal.append(~(first + f))
            none.bool_and.literals.extend((~options.astype(np.int64)).tolist())

    def _limits(self, slack: Ints | None, *, tie: bool) -> dict[int, int]:
        """Add the limits that can bind; returns the slack variable of each row that has one.

        With ``tie`` a limit of options that all belong to one fact is multiplied by it: true of every plan, and what
        lets facts that cost something be bounded.
        """
        matrix, bound = self.program.limits.tocsr(), self.program.bound
        fact = tied(self.program) if tie else np.full(len(bound), -1)
        self._opens = bool((fact >= 0).any())
        slack_of: dict[int, int] = {}
        for row in np.flatnonzero(~self._always_kept()).tolist():
            part = slice(matrix.indptr[row], matrix.indptr[row + 1])
            columns, values = matrix.indices[part].tolist(), matrix.data[part].tolist()
            if slack is not None:
                slack_of[row] = self.variable(0, int(slack[row]))
                columns.append(slack_of[row])
                values.append(-1)
            if fact[row] >= 0:
                self.at_most([*columns, self.program.options + int(fact[row])], [*values, -int(bound[row])], 0)
            else:
                self.at_most(columns, values, int(bound[row]))
        return slack_of

    def _always_kept(self) -> Bools:
        """Limits that no choice can break. bool [limit]."""
        return greatest_use(self.program) <= self.program.bound

    def at_most(self, columns: list[int], values: list[int], bound: int) -> None:
        """Add ``Σ values · columns ≤ bound``."""
        linear = self._proto.constraints.add().linear
        linear.vars.extend(columns)
        linear.coeffs.extend(values)
        linear.domain.extend((LEAST, bound))

    def keep_at_most(self, coefficients: Ints, bound: int) -> None:
        """Add ``coefficients · x ≤ bound``; int64 [column]."""
        columns = np.flatnonzero(coefficients)
        self.at_most(columns.tolist(), coefficients[columns].tolist(), bound)

    def forbid(self, columns: Ints) -> None:
        """Fix columns at 0. int64 [k]."""
        for column in columns.tolist():
            self.fix(column, 0)

    def minimise(self, columns: list[int], values: list[int]) -> None:
        """Set the objective."""
        self.no_objective()
        self._proto.objective.vars.extend(columns)
        self._proto.objective.coeffs.extend(values)

    def no_objective(self) -> None:
        """Ask for any solution."""
        self._model.clear_objective()

    def fix(self, column: int, value: int) -> None:
        """Fix a column at a value."""
        domain = self._proto.variables[column].domain
        domain.clear()
        domain.extend((value, value))

    def copy(self) -> Model:
        """The same model, to which things can be added without touching this one."""
        twin = object.__new__(Model)
        twin.program, twin.slack_of, twin._opens = self.program, self.slack_of, self._opens
        twin._model = self._model.clone()
        twin._proto = twin._model.proto
        return twin

    def hint(self, x: Ints) -> None:
        """Start from ``x`` int64 [k], the values of the first k variables."""
        self._model.clear_hints()
        self._proto.solution_hint.vars.extend(range(len(x)))
        self._proto.solution_hint.values.extend(x.tolist())

    def solve(self, limits: Limits, seconds: float, effort: float, watch: Watch, callback: Callback) -> Answer:
        """Solve within ``seconds`` of the clock and ``effort`` of deterministic time."""
        solver = cp_model.CpSolver()
        _set_parameters(solver.parameters, limits, seconds, effort, len(self._proto.variables), opens=self._opens)
        solver.best_bound_callback = callback.on_bound
        watch.on_stop(solver.stop_search)
        callback.stop_if(lambda: watch.stopped, solver.stop_search)
        status = solver.solve(self._model, callback)
        watch.on_stop(None)
        if status == cp_model.MODEL_INVALID:
            raise OverflowError(f"the solver refused the model: {self._model.validate()}")
        solution = solver.response_proto.solution if status in _FOUND else None
        x = None if solution is None else np.array(solution, dtype=np.int64)[: self.program.columns]
        # Without a solution the bound may be one that was never computed.
        told = x is not None and self._proto.has_objective()
        bound = _safe_bound(solver.best_objective_bound) if told else LEAST
        finished = status in (cp_model.OPTIMAL, cp_model.INFEASIBLE)
        return Answer(x, bound, finished, solver.deterministic_time)


_FOUND = (cp_model.OPTIMAL, cp_model.FEASIBLE)

OPENING_PAIR = ("max_lp", "default_lp")
"""Searches of CP-SAT where limits are tied to facts and there are two workers: the relaxation with all its cuts is what
bounds those. By effort, where they take turns, its usual pair proves more."""


class Callback(cp_model.CpSolverSolutionCallback):
    """Hears of better plans and bounds while CP-SAT runs."""

    def __init__(self, improved: Any) -> None:
        super().__init__()
        self._improved = improved
        self._best: int | None = None
        self._bound: int | None = None
        self._asked: Callable[[], bool] = lambda: False
        self._stop: Callable[[], None] = lambda: None

    def stop_if(self, asked: Callable[[], bool], stop: Callable[[], None]) -> None:
        """Stop at the next sign of life when ``asked``: a request made before the search began would be lost."""
        self._asked, self._stop = asked, stop

    def on_solution_callback(self) -> None:
        """CP-SAT found a better plan."""
        self._best = round(self.objective_value)
        self._heard()

    def on_bound(self, bound: float) -> None:
        """CP-SAT proved a better bound."""
        self._bound = round(bound)
        self._heard()

    def _heard(self) -> None:
        self._improved(self._best, self._bound)
        if self._asked():
            self._stop()


def _safe_bound(bound: float) -> int:
    """A proven bound as an integer. CP-SAT reports its integer bound as a double: past 2^50 it may be off."""
    if abs(bound) < 2**50:
        return int(np.floor(bound + 1e-3))
    return int(np.floor(bound - abs(bound) * 1e-12))


def _set_parameters(
    parameters: Any, limits: Limits, seconds: float, effort: float, variables: int, *, opens: bool
) -> None:
    parameters.max_time_in_seconds = max(0.0, seconds)
    parameters.random_seed = limits.seed % (2**31)
    parameters.relative_gap_limit = float(limits.gap)
    parameters.num_workers = 1 if variables < MOST_FOR_ONE_WORKER else limits.workers
    if limits.deterministic:
        parameters.max_deterministic_time = max(0.0, effort)
        parameters.interleave_search = parameters.num_workers > 1
    elif opens and parameters.num_workers == len(OPENING_PAIR):
        parameters.subsolvers.extend(OPENING_PAIR)
    # Our own handler saves the best plan on Ctrl-C; CP-SAT's would end the process.
    parameters.catch_sigint_signal = False


def greatest_use(program: Program) -> Ints:
    """The most that each limit's left-hand side can come to, one option per item. int64 [limit]."""
    matrix = program.limits.tocsr()
    if not matrix.has_sorted_indices:
        matrix = matrix.sorted_indices()
    of_options = matrix[:, : program.options].tocoo()
    total = np.zeros(len(program.bound), dtype=np.int64)
    if of_options.nnz:
        # Within an item the greatest coefficient counts, and options are in the order of their items.
        key = of_options.row.astype(np.int64) * program.items + program.item[of_options.col]
        start = np.flatnonzero(np.append(True, key[1:] != key[:-1]))
        most = np.maximum.reduceat(of_options.data, start)
        np.add.at(total, key[start] // program.items, np.maximum(0, most))
    return with_others(total, matrix[:, program.options :], program.purchases.upper)


def with_others(greatest: Ints, others: sp.csr_array | sp.csc_array, upper: Ints) -> Ints:
    """``greatest`` int64 [limit], the most that options use, and the most that facts and purchases add. int64 [limit].

    ``others`` int64 sparse [limit, fact + purchase]; ``upper`` int64 [purchase].
    """
    entries = others.tocoo()
    most = np.ones(entries.shape[1], dtype=np.int64)
    most[len(most) - len(upper) :] = upper
    total = greatest.copy()
    np.add.at(total, entries.row, np.maximum(0, entries.data) * most[entries.col])
    return total
