"""Explanations of a plan as text for a mail."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from capplan.cli.summary import breach_text, goal_text, subject_text
from capplan.cli.terminal import aligned, counted
from capplan.engine import Status
from capplan.errors import printable
from capplan.explain.placement import AtSite, Outcome, Placement, others
from capplan.explain.tables import alternatives_rows, move_text, site_name, verdict
from capplan.explain.variants import Alternative, Variant, Worth, physical
from capplan.measure import Measured
from capplan.problem import NOWHERE, Problem
from capplan.units import percent_text, with_unit

MOVES_NAMED, BREACHES_NAMED = 6, 3


def placement_text(found: Placement) -> str:
    """Where a workload is, and what every other site comes to."""
    problem, name = found.problem, found.problem.workloads.ids[found.workload]
    where = "is left out of" if found.site == NOWHERE else f"is at {site_name(problem, found.site)} in"
    lines = [f"{name} {where} the plan for {subject_text(problem)} ({_money(problem, found.plan.cost)})."]
    lines += [f"  The plan breaks a rule: {breach_text(problem, breach)}" for breach in found.broken]
    for one in found.sites:
        lines += ["", *_site(found, one)]
    return "\n".join(map(printable, lines))


def _site(found: Placement, one: AtSite) -> list[str]:
    problem = found.problem
    lines = [f"{problem.sites.ids[one.site]}: {verdict(one)}"]
    lines += [f"  {no.reason} [{no.rule}]{_row(problem, no.source)}" for no in one.obstacles]
    if one.here:
        return [*lines, *(f"  {reason}" for reason in why_here(found))]
    if one.fixed is not None:
        lines.append(f"  with all else as it is: {_comparison(problem, one.fixed)}")
    lines += [f"  with all else as it is: {breach_text(problem, breach)}" for breach in one.short[:BREACHES_NAMED]]
    lines += _free(found, one.free) if one.free is not None else []
    if one.free is None and not one.obstacles and one.status == "infeasible":
        lines.append("  whatever else is moved: no plan has it there (proved)")
    return lines


def why_here(found: Placement) -> list[str]:
    """Why a workload is where the plan has it: what stands against every other site."""
    others_ = [one for one in found.sites if not one.here]
    if not others_:
        return ["the only site there is"]
    if all(one.obstacles for one in others_):
        return ["the only site that no rule forbids"]
    best = found.best_elsewhere
    if best is None:
        proved = all(one.obstacles or one.status == "infeasible" for one in others_)
        return ["no other site has room, whatever else is moved" if proved else "at no other site a plan was found"]
    one, outcome, anew = best
    how = "all else planned anew" if anew else "all else as it is"
    said = f"the best other site is {found.problem.sites.ids[one.site]}, with {how}"
    decides = found.deciding(outcome)
    if decides is None:
        return [f"{said}: as good by every goal; of equally good plans one is taken"]
    goal, here, there = decides
    values = [goal_text(found.problem, goal.reads, goal.natural(value)) for value in (there, here)]
    verdict_ = "worse" if there > here else "better: to move it there would pay"
    return [f"{said}: {goal.name} {values[0]} instead of {values[1]}, {verdict_}"]


def _free(found: Placement, outcome: Outcome) -> list[str]:
    problem = found.problem
    moved = others(outcome, [found.workload])
    proved = "" if outcome.proved else ", at most: not proved"
    what = f"{counted(len(moved), 'other workload')} moved" if moved else "nothing else moved"
    lines = [f"  with all else planned anew: {_comparison(problem, outcome)}{proved}, {what}"]
    lines += [f"    {move_text(problem, move)}" for move in moved[:MOVES_NAMED]]
    return [*lines, *([f"    and {len(moved) - MOVES_NAMED} more"] if len(moved) > MOVES_NAMED else [])]


def _row(problem: Problem, source: tuple[str, int, str] | None) -> str:
    if source is None:
        return ""
    place = problem.inventory.table(source[0]).place(source[1], source[2])
    return f"  ({Path(place.file).name}:{place.line})"


def _money(problem: Problem, pence: int | Fraction) -> str:
    return problem.inventory.currency.text(pence)


def _difference(problem: Problem, pence: int) -> str:
    if not pence:
        return "the same cost"
    return f"{_money(problem, abs(pence))} {'more' if pence > 0 else 'less'}"


def _comparison(problem: Problem, outcome: Outcome) -> str:
    """Money more or less, and value given up or won."""
    text = _difference(problem, outcome.cost)
    if outcome.forgone:
        what = "more given up" if outcome.forgone > 0 else "more kept"
        text += f", value of {_money(problem, abs(outcome.forgone))} a year {what}"
    return text


def worth_text(plan: Measured, found: Sequence[Worth]) -> str:
    """What is nearly used up, and what one more unit of it is worth."""
    problem = plan.problem
    lines = [f"What one more unit is worth in the plan for {subject_text(problem)} ({_money(problem, plan.cost)})"]
    for one in found:
        lines.append(f"  {one.way.text}")
        lines.append(f"    {one.subject} has {with_unit(one.free, one.unit)} free; {_gain(problem, one.variant)}")
        if one.estimate is not None:
            lines.append(f"    {_estimated(problem, one.variant, int(one.estimate))}")
    if not found:
        lines.append("  No limit is used.")
    return "\n".join(map(printable, lines))


def _estimated(problem: Problem, variant: Variant, estimate: int) -> str:
    """What the relaxation's price says, and which of the two figures to believe where they differ."""
    said = f"quick estimate from the relaxation: {_saving(problem, estimate)}"
    if variant.cost is None or (variant.cost, variant.left_out) == (estimate, 0):
        return said
    if variant.proved:
        return f"{said}; that is for a small part of a workload, and workloads come whole: the figure above counts"
    return f"{said}; the figure above is what was found in the time given, so neither is certain"


def _gain(problem: Problem, variant: Variant) -> str:
    if variant.cost is None or variant.left_out is None:
        impossible = variant.status is Status.INFEASIBLE
        return "there is no plan so" if impossible else "not solved in the time given; a longer --time-limit may do"
    parts = [_saving(problem, variant.cost)]
    if variant.left_out:
        parts.append(
            f"{counted(abs(variant.left_out), 'workload')} {'more' if variant.left_out > 0 else 'fewer'} left out"
        )
    return f"solved again: {', '.join(parts)}{'' if variant.proved else ' (not proved to be the best)'}"


def _saving(problem: Problem, cost: int) -> str:
    if not cost:
        return "changes no cost"
    return f"{'saves' if cost < 0 else 'costs'} {_money(problem, abs(cost))}"


def sensitivity_text(plan: Measured, found: Sequence[Variant]) -> str:
    """What each rule costs."""
    problem = plan.problem
    rows = [
        [one.name, "physical" if physical(one.name) else "policy", _gain(problem, one).removeprefix("solved again: ")]
        for one in found
    ]
    head = f"What each rule costs: the plan for {subject_text(problem)} ({_money(problem, plan.cost)}) without it"
    return "\n".join([printable(head), *aligned(["rule", "kind", "without it"], rows, lambda i: False)])


def alternatives_text(plan: Alternative, found: Sequence[Alternative], within: Fraction) -> str:
    """Other plans that cost little more, and what each is like."""
    problem = plan.plan.problem
    rows = [[str(cell) for cell in row.values()] for row in alternatives_rows(plan, found)]
    head = f"Plans for {subject_text(problem)} that cost at most {percent_text(within)} more"
    columns = list(alternatives_rows(plan, [])[0])
    lines = [printable(head), *aligned(columns, rows, lambda i: i > 0)]
    return "\n".join(lines if found else [*lines, "  No other plan was found within that."])
