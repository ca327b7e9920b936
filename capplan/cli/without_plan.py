"""Why there is no plan, in words, and what may be tried."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from capplan.cli.summary import LINES_OF_A_LIST, breach_text, subject_text
from capplan.engine import Status, Stopped
from capplan.errors import printable
from capplan.measure import Breach
from capplan.obstacles import by_reason
from capplan.problem import Problem
from capplan.solving import Explanation, Result
from capplan.units import decimal_text, percent_text

PLACEMENTS_NAMED = 5


def without_plan_text(result: Result) -> str:
    """What stands in the way of a plan that was proved impossible; else why the search ended without one."""
    if result.explanation is None:
        return _unknown(result)
    problem, why = result.problem, result.explanation
    sections = (
        [f"No plan is possible for {subject_text(problem)}: proved infeasible."],
        _homeless(problem, why),
        _shortages(problem, why),
        _nothing_found(why),
        _advice(problem, why),
    )
    return "\n\n".join("\n".join(map(printable, lines)) for lines in sections if lines)


def _unknown(result: Result) -> str:
    subject = subject_text(result.problem)
    if result.status is Status.INFEASIBLE:
        return f"No plan is possible for {subject}: proved infeasible."
    if result.stopped_because is Stopped.INTERRUPTED:
        return f"Interrupted before a plan was found for {subject}; whether there is one is not known."
    limit = decimal_text(Fraction(result.problem.model.solver.time_limit_s))
    return (
        f"No plan was found for {subject} within {limit} seconds ({result.stopped_because}); "
        "whether there is one is not known.\n"
        "  Try a longer --time-limit."
    )


def _homeless(problem: Problem, why: Explanation) -> list[str]:
    lines: list[str] = []
    for w, obstacles in list(why.homeless.items())[:LINES_OF_A_LIST]:
        kept = f", kept at {_kept_at(problem, w)}" if _is_kept(problem, w) else ""
        lines.append(f"  {problem.workloads.ids[w]}{kept}")
        lines += [f"    {text}" for text in by_reason(problem, [(s, no.reason) for s, no in obstacles])]
    more = len(why.homeless) - LINES_OF_A_LIST
    lines += [f"  and {more:,} more: see run.json"] if more > 0 else []
    return ["What no site may take", *lines] if lines else []


def _shortages(problem: Problem, why: Explanation) -> list[str]:
    lines: list[str] = []
    for breach in why.shortages[:LINES_OF_A_LIST]:
        lines.append(f"  {breach_text(problem, breach)}")
        if breach.policy_only:
            lines.append("    It is there physically; only the headroom that the model keeps stands in the way.")
    more = len(why.shortages) - LINES_OF_A_LIST
    lines += [f"  and {more:,} more: see run.json"] if more > 0 else []
    least = "" if why.least else " (a smaller shortage may exist: the search for the smallest was cut short)"
    return [f"What falls short, in the plan that exceeds limits least{least}", *lines] if lines else []


def _nothing_found(why: Explanation) -> list[str]:
    if why.homeless or why.shortages:
        return []
    return ["What stands in the way was not found in the time given; try a longer --time-limit."]


def _is_kept(problem: Problem, workload: int) -> bool:
    return problem.keep is not None and bool(problem.keep.site[workload] >= 0)


def _kept_at(problem: Problem, workload: int) -> str:
    """The site at which a file keeps a workload, and the line that says so."""
    assert problem.keep is not None
    return f"{problem.sites.ids[problem.keep.site[workload]]} ({problem.keep.place(workload)})"


def _advice(problem: Problem, why: Explanation) -> list[str]:
    lines = list(_free(problem, why))
    lines += [line for breach in why.shortages for line in (*_purchases(problem, breach), *_headroom(problem, breach))]
    if problem.model.left_out == "optional":
        lines.append("let workloads without a value be left out too (left_out: any in the model)")
    return ["What to try", *(f"  {line}" for line in dict.fromkeys(lines))]


def _free(problem: Problem, why: Explanation) -> Iterator[str]:
    """Placements to keep that take part in what stands in the way, those without any site first."""
    concerned = [*why.homeless, *(w for breach in why.shortages for w in breach.workloads)]
    kept = [w for w in dict.fromkeys(concerned) if _is_kept(problem, w)]
    for w in kept[:PLACEMENTS_NAMED]:
        yield f"do not keep {problem.workloads.ids[w]} at {_kept_at(problem, w)}: delete the row, or its site"
    if len(kept) > PLACEMENTS_NAMED:
        yield f"or one of {len(kept) - PLACEMENTS_NAMED:,} more that are kept there"


def _purchases(problem: Problem, breach: Breach) -> Iterator[str]:
    """What the inventory offers for a site and resource that are short, and the model does not allow."""
    if breach.source is None or breach.source[0] != "sites":
        return
    site, resource = breach.source[1], breach.source[2]
    table, currency = problem.inventory.table("expansions"), problem.inventory.currency
    rows = np.flatnonzero(table.refs("site") == site).tolist()
    offers = [i for i in rows if table.text("resource")[i] == resource]
    unit = next(one.unit for one in problem.resources if one.name == resource)
    where = problem.sites.ids[site]
    for i in offers:
        if problem.may_buy(table.ids[i]):
            continue
        amount, most = table.decimals("amount").fraction(i), int(table.counts("max")[i])
        prices = [
            f"{currency.text(problem.exact_pence(table, column, i))} {when}"
            for column, when in (("cost", "a year"), ("cost_once", "once"))
            if table.decimals(column).mantissa[i]
        ]
        price = " and ".join(prices) or "nothing"
        up_to = f", up to {most} times" if most > 1 else ""
        yield (
            f"allow the purchase of {table.ids[i]}: {decimal_text(amount)} {unit} more of {resource} at {where} "
            f"for {price}{up_to} (purchases in the model)"
        )
    if not offers:
        yield f"offer something to buy that widens {resource} at {where} (a row of expansions.csv)"


def _headroom(problem: Problem, breach: Breach) -> Iterator[str]:
    """The headroom that would be left if the need were met, where that is all that stands in the way."""
    if not breach.policy_only or breach.source is None or breach.amount is None:
        return
    site, resource = breach.source[1], breach.source[2]
    r = next(i for i, one in enumerate(problem.resources) if one.name == resource)
    workloads = np.array(breach.workloads, dtype=np.int64)
    steps = problem.demand_at(workloads, np.full(len(workloads), site), r)[:, breach.period].sum()
    need = problem.resources[r].amount(int(steps))
    keep = problem.headroom(resource)
    physical = (need - breach.amount) / (1 - keep)
    # Rounded down: a tenth of a percent more would not do.
    left = Fraction((1 - need / physical) * 1000 // 1, 1000)
    shares = f"{percent_text(left)} instead of {percent_text(keep)}"
    yield f"waive headroom of {resource}: {shares} would do at {problem.sites.ids[site]}"
