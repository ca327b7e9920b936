"""Other solvers on the same Program, through MathOpt of OR-Tools: CP-SAT, HiGHS and SCIP.

MathOpt cannot set the threads of HiGHS, which then takes half of the cores of the machine. SCIP runs on one thread, its
default: two race two copies of it, in twice the memory, and say nothing of their plans before the end.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from ortools.math_opt import model_pb2
from ortools.math_opt.python import mathopt

from benchmarks.formulation import Formulation, formulate
from benchmarks.interface import Compiled
from benchmarks.task import THREADS, Outcome, Reporter, Task

SOLVERS = {
    "cp-sat": mathopt.SolverType.CP_SAT,
    "highs": mathopt.SolverType.HIGHS,
    "scip": mathopt.SolverType.GSCIP,
}
THREADS_OF = {"cp-sat": THREADS, "highs": None, "scip": 1}
STATUS = {
    mathopt.TerminationReason.OPTIMAL: "optimal",
    mathopt.TerminationReason.FEASIBLE: "feasible",
    mathopt.TerminationReason.INFEASIBLE: "infeasible",
}


def solve(compiled: Compiled, task: Task, report: Reporter) -> Outcome:
    """Formulate and solve; both count against the time limit."""
    form = formulate(compiled.program, compiled.goal)
    model = mathopt.Model.from_model_proto(proto(form))
    watch = _log_watcher(report) if task.solver == "highs" else None
    asks = {} if task.solver == "highs" else _asks(form, report)
    limit = dt.timedelta(seconds=max(0.1, task.time_limit - report.seconds))
    parameters = mathopt.SolveParameters(
        time_limit=limit, threads=THREADS_OF[task.solver], random_seed=task.seed, relative_gap_tolerance=0.0
    )
    given = _given(compiled, form, model)
    found = mathopt.solve(model, SOLVERS[task.solver], params=parameters, model_params=given, msg_cb=watch, **asks)
    bounds = found.termination.objective_bounds
    value = ""
    if found.solutions and found.has_primal_feasible_solution():
        value = repr(found.objective_value())
        report.plan(_values(form, found.variable_values()))
        report.tell("last plan")
    bound = str(rounded_up(bounds.dual_bound)) if math.isfinite(bounds.dual_bound) else ""
    reason = found.termination.reason
    return Outcome(STATUS.get(reason, "unknown"), bound, value, "" if reason in STATUS else reason.name.lower())


def rounded_up(bound: float) -> int:
    """A bound on a whole number, less the error that solvers allow themselves."""
    return math.ceil(bound - 1e-6 - 1e-9 * abs(bound))


def proto(form: Formulation) -> model_pb2.ModelProto:
    """The formulation as MathOpt's message, filled array by array."""
    model, variables, rows = model_pb2.ModelProto(), len(form.kept), form.rows
    model.variables.ids.extend(range(variables))
    model.variables.lower_bounds.extend(np.zeros(variables).tolist())
    model.variables.upper_bounds.extend(form.most.astype(np.float64).tolist())
    model.variables.integers.extend([True] * variables)
    priced = np.flatnonzero(form.cost)
    model.objective.offset = form.constant
    model.objective.linear_coefficients.ids.extend(priced.tolist())
    model.objective.linear_coefficients.values.extend(form.cost[priced].astype(np.float64).tolist())
    model.linear_constraints.ids.extend(range(rows.shape[0]))
    model.linear_constraints.lower_bounds.extend(form.lower.tolist())
    model.linear_constraints.upper_bounds.extend(form.upper.tolist())
    rows.eliminate_zeros()
    rows.sort_indices()
    matrix = model.linear_constraint_matrix
    matrix.row_ids.extend(np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr)).tolist())
    matrix.column_ids.extend(rows.indices.tolist())
    matrix.coefficients.extend(rows.data.astype(np.float64).tolist())
    return model


def _given(compiled: Compiled, form: Formulation, model: mathopt.Model) -> mathopt.ModelSolveParameters:
    """What the solver is told beside the model: the start that belongs to the problem, if any."""
    given = mathopt.ModelSolveParameters(
        variable_values_filter=mathopt.SparseVectorFilter(skip_zero_values=True),
    )
    if compiled.start is not None:
        values = compiled.start[form.kept].astype(np.float64).tolist()
        hint = dict(zip(model.variables(), values, strict=True))
        given.solution_hints.append(mathopt.SolutionHint(variable_values=hint))
    return given


def _values(form: Formulation, found: Mapping[mathopt.Variable, float]) -> Any:
    """A solution in the Program's columns."""
    variable = np.fromiter((v.id for v in found), dtype=np.int64, count=len(found))
    return form.column_values(variable, np.fromiter(found.values(), dtype=np.float64, count=len(found)))


def _asks(form: Formulation, report: Reporter) -> dict[str, Any]:
    """Ask for every new plan, so that it is known when it was found, and what it was if the solver is killed."""

    def new_plan(form: Formulation, found: mathopt.CallbackData) -> mathopt.CallbackResult:
        if found.solution is not None:
            report.better()
            report.plan(_values(form, found.solution))
        return mathopt.CallbackResult()

    registration = mathopt.CallbackRegistration(
        events={mathopt.Event.MIP_SOLUTION},
        mip_solution_filter=mathopt.SparseVectorFilter(skip_zero_values=True),
    )
    return {"callback_reg": registration, "cb": partial(new_plan, form)}


def _log_watcher(report: Reporter) -> Callable[[Sequence[str]], None]:
    """HiGHS tells new plans in its log only: lines that begin with a letter for the source, the 7th word its value."""
    best = [math.inf]

    def watch(lines: Sequence[str]) -> None:
        for words in (line.split() for line in lines):
            if len(words) > 7 and len(words[0]) == 1 and words[0].isalpha() and words[4].endswith("%"):
                value = float(words[6]) if words[6][-1].isdigit() else math.inf
                if value < best[0]:
                    best[0] = value
                    report.better()

    return watch
