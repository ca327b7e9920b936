"""What stands in the way of a plan, or why none was found, in words."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from capplan.cli.summary import LINES_OF_A_LIST, breach_text, subject_text
from capplan.cli.terminal import counted
from capplan.engine import Status, Stopped
from capplan.errors import printable
from capplan.measure import Breach
from capplan.obstacles import by_reason
from capplan.problem import Problem
from capplan.rules import RULES
from capplan.solving import Explanation, Result
from capplan.units import decimal_text

PLACEMENTS_NAMED = 5
THERE = "is there physically; only the headroom that the model keeps stands in the way."


def without_plan_text(result: Result) -> str:
    """What stands in the way of a plan that was proved impossible, in short; else why none was found."""
    if result.explanation is None:
        return unknown_text(result)
    problem, why = result.problem, result.explanation
    sections = (
        [f"No plan is possible for {subject_text(problem)}: proved infeasible."],
        homeless_lines(problem, why),
        shortage_lines(problem, why),
        kept_lines(problem, why),
    )
    return "\n\n".join("\n".join(map(printable, lines)) for lines in sections if lines)


def unknown_text(result: Result) -> str:
    """Why a search ended without a plan and without a proof that there is none."""
    subject = subject_text(result.problem)
    if result.status is Status.INFEASIBLE:
        return f"No plan is possible for {subject}: proved infeasible."
    if result.stopped_because is Stopped.INTERRUPTED:
        return f"Interrupted before a plan was found for {subject}; whether there is one is not known."
    limit = decimal_text(Fraction(result.problem.model.solver.time_limit_s))
    return (
        f"No plan was found for {subject} within {limit} seconds ({result.stopped_because}); "
        "whether there is one is not known.\n"
        "  Try a longer --time-limit; capplan explain on the run looks for what stands in the way."
    )


def homeless_lines(problem: Problem, why: Explanation) -> list[str]:
    """Workloads that no site may take, with the first obstacle at each."""
    lines: list[str] = []
    for w, obstacles in list(why.homeless.items())[:LINES_OF_A_LIST]:
        kept = f", kept at {_kept_at(problem, w)}" if _is_kept(problem, w) else ""
        lines.append(f"  {problem.workloads.ids[w]}{kept}")
        lines += [f"    {text}" for text in by_reason(problem, [(s, no.reason) for s, no in obstacles])]
    more = len(why.homeless) - LINES_OF_A_LIST
    lines += [f"  and {more:,} more: see run.json"] if more > 0 else []
    return ["What no site may take", *lines] if lines else []


def shortage_lines(problem: Problem, why: Explanation) -> list[str]:
    """What falls short in the plan that exceeds limits least, in natural units."""
    lines: list[str] = []
    worst: dict[tuple[str, str], list[Breach]] = {}
    for breach in why.shortages:
        worst.setdefault((breach.rule, breach.subject), []).append(breach)
    only_policy = len(worst) > 1 and all(breach.policy_only for breach in why.shortages)
    for (rule, _), alike in list(worst.items())[:LINES_OF_A_LIST]:
        breach = max(alike, key=lambda one: one.amount or 0)
        asked = "" if RULES[rule].physical else f" [{rule}]"
        lines.append(f"  {breach_text(problem, breach)}{asked}")
        if breach.policy_only and not only_policy:
            lines.append(f"    It {THERE}")
        if len(alike) > 1:
            lines.append(f"    and at most as much in {counted(len(alike) - 1, 'other period')}")
    more = len(worst) - LINES_OF_A_LIST
    lines += [f"  and {more:,} more: see run.json"] if more > 0 else []
    lines += [f"  All of it {THERE}"] if only_policy else []
    least = "" if why.least else " (a smaller shortage may exist: the search for the smallest was cut short)"
    return [f"What falls short, in the plan that exceeds limits least{least}", *lines] if lines else []


def _is_kept(problem: Problem, workload: int) -> bool:
    return problem.keep is not None and bool(problem.keep.site[workload] >= 0)


def _kept_at(problem: Problem, workload: int) -> str:
    """The site at which a file keeps a workload, and the line that says so."""
    assert problem.keep is not None
    return f"{problem.sites.ids[problem.keep.site[workload]]} ({problem.keep.place(workload)})"


def kept_lines(problem: Problem, why: Explanation) -> list[str]:
    """Placements to keep that take part in what stands in the way: a file's rows, which no scenario can change."""
    lines = list(_free(problem, why))
    return ["What to try in the file of placements to keep", *(f"  {line}" for line in lines)] if lines else []


def _free(problem: Problem, why: Explanation) -> Iterator[str]:
    """Placements to keep that take part in what stands in the way, those without any site first."""
    concerned = [*why.homeless, *(w for breach in why.shortages for w in breach.workloads)]
    kept = [w for w in dict.fromkeys(concerned) if _is_kept(problem, w)]
    for w in kept[:PLACEMENTS_NAMED]:
        yield f"do not keep {problem.workloads.ids[w]} at {_kept_at(problem, w)}: delete the row, or its site"
    if len(kept) > PLACEMENTS_NAMED:
        yield f"or one of {len(kept) - PLACEMENTS_NAMED:,} more that are kept there"
