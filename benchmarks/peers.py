"""Other solvers on the same Program, through MathOpt of OR-Tools: CP-SAT, HiGHS and SCIP.

MathOpt cannot set the threads of HiGHS, which then takes half of the cores of the machine. SCIP runs on one thread, its
default: two race two copies of it, in twice the memory, and say nothing of their plans before the end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from ortools.math_opt import (
    callback_pb2,
    model_parameters_pb2,
    model_pb2,
    parameters_pb2,
    result_pb2,
    solution_pb2,
    sparse_containers_pb2,
)

# What mathopt.solve itself calls. Its Model would be a copy of the message, 4 s and 600 MiB for a million options.
from ortools.math_opt.core.python import solver

from benchmarks.formulation import Formulation, formulate
from benchmarks.interface import Compiled
from benchmarks.task import THREADS, Outcome, Reporter, Task
from capplan.units import Ints

SOLVERS = {
    "cp-sat": parameters_pb2.SOLVER_TYPE_CP_SAT,
    "highs": parameters_pb2.SOLVER_TYPE_HIGHS,
    "scip": parameters_pb2.SOLVER_TYPE_GSCIP,
}
THREADS_OF = {"cp-sat": THREADS, "scip": 1}
STATUS = ("optimal", "feasible", "infeasible")


def solve(compiled: Compiled, task: Task, report: Reporter) -> Outcome:
    """Formulate and solve; both count against the time limit."""
    form = formulate(compiled.program, compiled.goal)
    model = proto(form)
    asked, told, log = callback_pb2.CallbackRegistrationProto(), None, None
    if task.solver == "highs":
        log = _log_watcher(report)
    else:
        asked.request_registration.append(callback_pb2.CALLBACK_EVENT_MIP_SOLUTION)
        asked.mip_solution_filter.skip_zero_values = True
        told = _plan_watcher(form, report)
    found = solver.solve(
        model,
        SOLVERS[task.solver],
        parameters_pb2.SolverInitializerProto(),
        _parameters(task, report),
        _given(compiled, form),
        log,
        asked,
        told,
        None,
    )
    return _outcome(found, form, report)


def _parameters(task: Task, report: Reporter) -> parameters_pb2.SolveParametersProto:
    """Limit, seed and threads; no gap is good enough to stop."""
    asked = parameters_pb2.SolveParametersProto(random_seed=task.seed, relative_gap_tolerance=0.0)
    asked.time_limit.FromMilliseconds(max(100, round(1000 * (task.time_limit - report.seconds))))
    if task.solver in THREADS_OF:
        asked.threads = THREADS_OF[task.solver]
    return asked


def _outcome(found: result_pb2.SolveResultProto, form: Formulation, report: Reporter) -> Outcome:
    """What the solver says, its best plan left to be scored."""
    reason = result_pb2.TerminationReasonProto.Name(found.termination.reason)
    reason = reason.removeprefix("TERMINATION_REASON_").lower()
    dual, claimed = found.termination.objective_bounds.dual_bound, ""
    plans = [solution.primal_solution for solution in found.solutions if solution.HasField("primal_solution")]
    if plans and plans[0].feasibility_status == solution_pb2.SOLUTION_STATUS_FEASIBLE:
        claimed = repr(plans[0].objective_value)
        report.plan(_values(form, plans[0].variable_values))
    bound = str(rounded_up(dual)) if math.isfinite(dual) else ""
    known = reason in STATUS
    return Outcome(reason if known else "unknown", bound, claimed, "" if known else reason)


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


def _given(compiled: Compiled, form: Formulation) -> model_parameters_pb2.ModelSolveParametersProto:
    """What the solver is told beside the model: the start that belongs to the problem, if any."""
    given = model_parameters_pb2.ModelSolveParametersProto()
    given.variable_values_filter.skip_zero_values = True
    if compiled.start is not None:
        hint = given.solution_hints.add().variable_values
        hint.ids.extend(range(len(form.kept)))
        hint.values.extend(compiled.start[form.kept].astype(np.float64).tolist())
    return given


def _values(form: Formulation, found: sparse_containers_pb2.SparseDoubleVectorProto) -> Ints:
    """A solution in the Program's columns. int64 [column]."""
    return form.column_values(np.array(found.ids, dtype=np.int64), np.array(found.values, dtype=np.float64))


def _plan_watcher(form: Formulation, report: Reporter) -> Callable[[Any], callback_pb2.CallbackResultProto]:
    """Keeps every new plan: when it was found, and what it was, in case the solver is killed."""

    def told(found: callback_pb2.CallbackDataProto) -> callback_pb2.CallbackResultProto:
        report.better()
        report.plan(_values(form, found.primal_solution_vector))
        return callback_pb2.CallbackResultProto()

    return told


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
