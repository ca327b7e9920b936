"""The process that runs HiGHS: ``python -m capplan.highs.child``, spoken to through its standard input and output.

A step is a moment at which HiGHS asks whether to go on. The same problem, told of the same plans at the same steps,
gives the same answers at the same steps.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
from typing import IO, Any

import highspy
import numpy as np

from capplan.highs.messages import Floats, Problem, receive, send

OFF_WHOLE, OFF_ROW, OFF_PRICE = 1e-6, 1e-7, 1e-9
"""How far whole numbers, rows and prices may be off.

The first two are also the room that HiGHS has for its own errors when it rounds what a row leaves to a column, or calls
a relaxation impossible: with 1e-9 it now and then ruled the best plan out. Too much room only loses proofs, as every
plan is evaluated exactly and a bound that is too low is still one.
"""


class Child:
    """One problem and what is said about it."""

    def __init__(self, answers: IO[bytes], problem: Problem) -> None:
        self.answers, self.problem = answers, problem
        self.asked: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()
        self.steps, self.allowed = 0, 0.0
        self.bound = -np.inf
        # Not as a start: where presolve merges columns, HiGHS 1.16 took the value of a start for less than it is and
        # ended with everything cut off that costs more. What is offered on the way it takes for what it is.
        self.given: Floats | None = problem.hint

    def run(self) -> None:
        """Solve and tell."""
        highs = _loaded(self.problem)
        highs.cbMipImprovingSolution += self._improved
        highs.cbMipInterrupt += self._step
        highs.cbMipUserSolution += self._offered
        self._wait()
        highs.run()
        solution = highs.getSolution()
        if solution.value_valid:
            # Not every last plan is told as an improving one.
            send(self.answers, "plan", self.steps, np.array(solution.col_value, dtype=np.float64))
        impossible = highs.getModelStatus() == highspy.HighsModelStatus.kInfeasible
        send(self.answers, "ended", self.steps, np.inf if impossible else float(highs.getInfo().mip_dual_bound))

    def _improved(self, event: Any) -> None:
        send(self.answers, "plan", self.steps, np.array(event.data_out.mip_solution, dtype=np.float64))

    def _step(self, event: Any) -> None:
        self.steps += 1
        # Only at the end is it known whether nothing is possible.
        if self.bound < event.data_out.mip_dual_bound < np.inf:
            self.bound = float(event.data_out.mip_dual_bound)
            send(self.answers, "bound", self.steps, self.bound)
        self._wait()

    def _wait(self) -> None:
        """Hear what was said; with all allowed steps done, until there is more to hear."""
        while self.steps >= self.allowed or not self.asked.empty():
            if self.steps >= self.allowed and self.asked.empty():
                send(self.answers, "paused", self.steps)
            word, value = self.asked.get()
            if word == "allow":
                self.allowed = np.inf if value is None else float(value)
            else:
                self.given = value

    def _offered(self, event: Any) -> None:
        if self.given is not None:
            event.data_in.setSolution(self.given)
            self.given = None


def _loaded(problem: Problem) -> Any:
    highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    for option, value in (
        ("output_flag", False),
        ("threads", 1),
        ("random_seed", problem.seed),
        ("mip_rel_gap", 0.0),
        ("mip_abs_gap", 0.0),
        ("mip_feasibility_tolerance", OFF_WHOLE),
        ("primal_feasibility_tolerance", OFF_ROW),
        ("dual_feasibility_tolerance", OFF_PRICE),
    ):
        highs.setOptionValue(option, value)
    rows, columns = len(problem.low), len(problem.cost)
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = columns, rows
    model.col_cost_, model.col_lower_, model.col_upper_ = problem.cost, np.zeros(columns), problem.upper
    model.row_lower_, model.row_upper_ = problem.low, problem.high
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_, model.a_matrix_.index_ = problem.start, problem.row
    model.a_matrix_.value_ = problem.value
    model.integrality_ = [highspy.HighsVarType.kInteger] * columns
    highs.passModel(model)
    return highs


def main() -> None:
    """Speak through the standard streams until the one at the other end is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    questions, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    # HiGHS greets on standard output, which is taken.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    _, problem = receive(questions)
    child = Child(answers, problem)

    def listen() -> None:
        try:
            while True:
                child.asked.put(receive(questions))
        except EOFError:
            os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    child.run()


if __name__ == "__main__":
    main()
