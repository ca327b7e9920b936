"""A plan in words: what ``solve`` prints and ``show`` repeats.

Lines that are not indented are headings. Every figure is read off the measured plan.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import groupby

from capplan.cli.account_text import account_sections
from capplan.cli.licence_use import licence_use
from capplan.cli.links_held import links_held
from capplan.cli.site_loss import site_loss
from capplan.cli.site_use import site_use
from capplan.cli.terminal import counted
from capplan.engine import Status, Stopped
from capplan.errors import printable
from capplan.measure import Breach, Measured, measure
from capplan.obstacles import why_not
from capplan.problem import NOWHERE, Plan, Problem
from capplan.solving import Reached, Result
from capplan.tables import Output
from capplan.units import decimal_text, percent_text, round_half_up

PURCHASES_EXPLAINED = 10
LINES_OF_A_LIST = 20
BREACHES_NAMED = 5

TODAY, START = "today", "the start"
"""What a plan is compared with: the inventory's current allocation, or the plan that was started from."""

_STOPPED = {
    Stopped.PROVED: "proved",
    Stopped.GAP: "stopped at the gap asked for",
    Stopped.TIME: "stopped at the time limit",
    Stopped.EFFORT: "stopped at the limit of effort that the time limit stands for",
    Stopped.INTERRUPTED: "interrupted",
}


@dataclass(frozen=True)
class Summary:
    """A plan and how it was found. A goal that is met level by level is one entry of ``goals``.

    ``today`` is what the plan is compared with, where there is something, and ``compared`` what that is.
    """

    plan: Measured
    today: Measured | None
    status: Status
    stopped_because: Stopped
    goals: tuple[Reached, ...]
    tables: Mapping[str, Output]
    warnings: Sequence[str]
    compared: str = TODAY

    @staticmethod
    def of(result: Result, warnings: Sequence[object], start: Plan | None) -> Summary:
        """The summary of a solve that found a plan."""
        assert result.measured is not None
        tables = {table.name: table for table in result.tables}
        said = [str(warning) for warning in warnings]
        goals = tuple(_merged(result.goals))
        how = result.status, result.stopped_because, goals
        return Summary(result.measured, result.today, *how, tables, said, TODAY if start is None else START)

    @property
    def problem(self) -> Problem:
        """What was planned."""
        return self.plan.problem

    def rows(self, table: str) -> list[dict[str, str]]:
        """A table as rows by column."""
        found = self.tables[table]
        return [dict(zip(found.columns, cells, strict=True)) for cells in found.rows]


def _merged(goals: Sequence[Reached]) -> Iterator[Reached]:
    for (name, reads), group in groupby(goals, key=lambda goal: (goal.goal, goal.reads)):
        levels = list(group)
        value, bound = sum(goal.value for goal in levels), sum(goal.bound for goal in levels)
        yield Reached(name, reads, Fraction(value), Fraction(bound))


def summary_text(summary: Summary) -> str:
    """The whole text, without an end of line."""
    sections = (
        [*_headline(summary), *_cost(summary), *_counts(summary)],
        _goals(summary),
        _bought(summary),
        site_use(summary.rows("sites"), _use_today(summary), summary.compared.removeprefix("the ")),
        licence_use(summary.rows("licences")),
        _left_out(summary),
        site_loss(summary.rows("lost"), summary.rows("limits")),
        links_held(summary.rows("links")),
        _today(summary),
        *account_sections(summary.rows, summary.problem.inventory.currency, summary.compared),
        _notes(summary),
    )
    return "\n\n".join("\n".join(map(printable, lines)) for lines in sections if lines)


def subject_text(problem: Problem) -> str:
    """What was planned: title, scenario and horizon."""
    scenario = f" (scenario {problem.model.scenario})" if problem.model.scenario else ""
    first, last = int(problem.periods.start[0]), int(problem.periods.end[-1]) - 1
    return f"{problem.inventory.title}{scenario}, {date.fromordinal(first)}..{date.fromordinal(last)}"


def _headline(summary: Summary) -> list[str]:
    subject = subject_text(summary.problem)
    if summary.status is Status.OPTIMAL:
        return [f"Optimal plan for {subject}, proved: no better plan exists."]
    open_goal = next(goal for goal in summary.goals if goal.gap)
    how_far = f"{open_goal.goal} is within {percent_text(open_goal.gap)} of the best possible"
    return [f"Feasible plan for {subject}, {_STOPPED[summary.stopped_because]}: {how_far}."]


def _cost(summary: Summary) -> list[str]:
    plan, money = summary.plan, summary.problem.inventory.currency.text
    by_kind: Counter[str] = Counter()
    for entry in plan.entries:
        by_kind[entry.kind] += entry.pence
    kinds = ", ".join(f"{kind} {money(pence)}" for kind, pence in sorted(by_kind.items()))
    days = summary.problem.periods.horizon_days
    yearly = "" if days == 365 else f", {money(round_half_up(Fraction(plan.cost * 365, days)))} a year"
    return [f"  Cost {money(plan.cost)} over {counted(days, 'day')}{yearly}{': ' if kinds else ''}{kinds}"]


def _counts(summary: Summary) -> list[str]:
    site, now = summary.plan.plan.site, summary.problem.inventory.current_site
    placed = site != NOWHERE
    if not len(site):
        return ["  The inventory has no workloads: there is nothing to place."]
    moved = int((placed & (now >= 0) & (site != now)).sum())
    used = len(set(site[placed].tolist()))
    return [
        f"  {counted(int(placed.sum()), 'workload')} placed, {int((~placed).sum())} left out, {moved} moved; "
        f"{used} of {counted(len(summary.problem.sites), 'site')} used"
    ]


def _goals(summary: Summary) -> list[str]:
    width = max((len(goal.goal) for goal in summary.goals), default=0)
    lines, proved = ["Goals, in order of priority"], True
    for goal in summary.goals:
        lines.append(f"  {goal.goal.ljust(width)}  {_reached(summary.problem, goal, given=not proved)}")
        proved = proved and not goal.gap
    return lines if summary.goals else []


def _reached(problem: Problem, goal: Reached, *, given: bool) -> str:
    value = goal_text(problem, goal.reads, goal.value)
    under = ", the goals above being as they are" if given else ""
    if not goal.gap:
        return f"{value}, proved{under}"
    bound = goal_text(problem, goal.reads, goal.bound)
    return f"{value}, at best {bound}: within {percent_text(goal.gap)} of the best possible{under}"


def goal_text(problem: Problem, reads: str, value: Fraction) -> str:
    """A goal's value in its unit."""
    if reads == "money":
        currency = problem.inventory.currency
        return currency.text(value * currency.pence_per_unit)
    if reads == "share":
        return percent_text(value)
    return f"{decimal_text(value)} {reads}".rstrip()


def _bought(summary: Summary) -> list[str]:
    lines = []
    explained = 0
    for row in summary.rows("purchases"):
        lines.append(_purchase(summary.problem, row))
        site = summary.problem.sites.find(row["site"]) if row["site"] else -1
        key = row["purchase"], site, summary.problem.periods.number(row["period"])
        if key in summary.plan.plan.bought and explained < PURCHASES_EXPLAINED:
            explained += 1
            lines += [f"    without it: {text}" for text in _short_without(summary.plan, key)]
    return ["Bought", *_first(lines, "purchases.csv")] if lines else []


def purchase_lines(problem: Problem, tables: Sequence[Output]) -> list[str]:
    """What is bought, a line each."""
    found = next(table for table in tables if table.name == "purchases")
    rows = [dict(zip(found.columns, cells, strict=True)) for cells in found.rows]
    return _first([_purchase(problem, row).strip() for row in rows], "purchases.csv")


def _purchase(problem: Problem, row: Mapping[str, str]) -> str:
    where = f" at {row['site']}" if row["site"] else ""
    when = f" from {row['period'].partition('..')[0]}" if len(problem.periods) > 1 else ""
    steps = f", {row['steps']} steps of {row['gives']}" if row["steps"] != "1" else f", {row['gives']}"
    currency = problem.inventory.currency
    yearly, once = (Fraction(row[name]) * currency.pence_per_unit for name in ("cost", "cost_once"))
    prices = [f"{currency.text(yearly)} running cost"] if yearly else []
    prices += [f"{currency.text(once)} once"] if once else []
    return f"  {row['purchase']}{where}{when}{steps}: {' and '.join(prices) or 'free'}"


def _short_without(plan: Measured, key: tuple[str, int, int]) -> list[str]:
    """What the plan would be short of without one of its purchases."""
    bought = {name: steps for name, steps in plan.plan.bought.items() if name != key}
    short = measure(plan.problem, Plan(plan.plan.site, bought)).breaches
    texts = [breach_text(plan.problem, breach) for breach in short[:BREACHES_NAMED]]
    return texts or ["nothing is short, but the goals are met less well"]


def breach_text(problem: Problem, breach: Breach) -> str:
    """A broken rule: subject, period, and what is wrong."""
    period = f" {problem.periods.text(breach.period)}" if breach.period >= 0 else ""
    return f"{breach.subject}{period}: {breach.message}"


def _use_today(summary: Summary) -> Mapping[tuple[str, str, str], str]:
    """What each site uses today, by site, period and resource."""
    if summary.today is None:
        return {}
    return {(row["site"], row["period"], row["resource"]): row["used_today"] for row in summary.rows("sites")}


def _left_out(summary: Summary) -> list[str]:
    rows = summary.rows("left_out")
    shown = [summary.problem.workloads.row(row["workload"]) for row in rows[:LINES_OF_A_LIST]]
    reasons = why_not(summary.plan, shown)
    currency = summary.problem.inventory.currency
    lines = []
    for row, w in zip(rows, shown, strict=False):
        value = currency.text(Fraction(row["value"]) * currency.pence_per_unit) if row["value"] else ""
        lines.append(f"  {row['workload']}{f', worth {value} a year' if value else ''}")
        lines += [f"    {reason}" for reason in reasons[w]]
    more = [f"  and {len(rows) - len(shown):,} more: see left_out.csv"] if len(rows) > len(shown) else []
    return ["Left out, and why", *lines, *more] if lines else []


def _first(lines: list[str], table: str) -> list[str]:
    if len(lines) <= LINES_OF_A_LIST:
        return lines
    return [*lines[:LINES_OF_A_LIST], f"  and more: see {table}"]


def _today(summary: Summary) -> list[str]:
    """Today's cost beside the plan's, and whether the two are about the same workloads."""
    today, plan = summary.today, summary.plan
    if today is None:
        return []
    money, saving = summary.problem.inventory.currency.text, today.cost - plan.cost
    placed, known = plan.plan.site != NOWHERE, today.plan.site != NOWHERE
    new, lost = int((placed & ~known).sum()), int((known & ~placed).sum())
    # A share of a cost that is about other workloads would mean nothing.
    share = f" = {percent_text(Fraction(abs(saving), today.cost))}" if today.cost and not new + lost else ""
    text = f"saving {money(saving)}{share}" if saving >= 0 else f"{money(-saving)}{share} more"
    named = summary.compared.capitalize()
    lines = [f"Compared with {summary.compared}", f"  {named} {money(today.cost)}, plan {money(plan.cost)}: {text}."]
    if new:
        lines.append(
            f"  Not like for like: {counted(new, 'placed workload')} without a current site, only in the plan."
        )
    if lost:
        lines.append(f"  Not like for like: {counted(lost, 'workload')} with a current site left out of the plan.")
    if unpaid := _unpaid(today):
        lines.append(
            f"  Not like for like: {summary.compared} is short of licences, which its cost leaves out: {unpaid}."
        )
    # What has no site today breaks no rule by that: it may not exist yet.
    broken = [breach for breach in today.breaches if breach.rule != "left_out"]
    if broken:
        lines.append(f"  {named} breaks {counted(len(broken), 'rule')}:")
        lines += [f"    {breach_text(summary.problem, breach)}" for breach in broken[:BREACHES_NAMED]]
        more = len(broken) - BREACHES_NAMED
        lines += [f"    and {more:,} more: see run.json"] if more > 0 else []
    return lines


def _unpaid(today: Measured) -> str:
    """Licences that are used and neither owned nor bought: each with the most that is short in any period."""
    most: dict[str, Fraction] = {}
    for breach in today.breaches:
        if breach.rule == "licences" and breach.amount is not None and breach.unit == "licences":
            most[breach.subject] = max(most.get(breach.subject, Fraction(0)), breach.amount)
    return ", ".join(f"{subject} {decimal_text(amount)}" for subject, amount in most.items())


def _notes(summary: Summary) -> list[str]:
    notes = Counter(row["note"] for row in summary.rows("allocation") if row["note"])
    lines = [f"  {counted(number, 'workload')}: {note}" for note, number in sorted(notes.items())]
    lines += [f"  {warning}" for warning in summary.warnings]
    return ["Please note", *_first(lines, "allocation.csv and run.json")] if lines else []
