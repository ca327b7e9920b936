"""Where a workload may be and when: lists of sites and dates that could ask for less."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from fractions import Fraction

from capplan.problem.problem import Problem
from capplan.problem.ways import Way, blanked, set_cell


def other_lists(problem: Problem, w: int, column: str) -> Iterator[Way]:
    """One more site in a list of allowed ones, one fewer in a list of forbidden ones; then no list."""
    listed = problem.workloads.ref_lists(column)[w]
    name, sites = problem.workloads.ids[w], problem.sites.ids
    if column == "allowed_sites":
        tries = [((*listed, s), f"allow {name} at {sites[s]} too") for s in range(len(sites)) if s not in listed]
    else:
        tries = [(tuple(x for x in listed if x != s), f"do not forbid {name} at {sites[s]}") for s in listed]
    for chosen, text in tries:
        changes = set_cell("workloads", name, column, ";".join(sites[s] for s in chosen))
        yield Way("workload", text, changes, share=Fraction(1, 10))
    if column == "allowed_sites" or len(listed) > 1:
        yield blanked(problem, w, column)


def other_dates(problem: Problem, site: int, workloads: Sequence[int]) -> Iterator[Way]:
    """A workload that begins when its site opens, or a site that is open when it is needed."""
    opens, closes = problem.sites.text("from")[site], problem.sites.text("to")[site]
    where, (first, last) = problem.sites.ids[site], problem.window
    for w in workloads:
        name = problem.workloads.ids[w]
        if opens and first[w] < date.fromisoformat(opens).toordinal():
            yield Way("date", f"{name} from {opens} on, when {where} opens", set_cell("workloads", name, "from", opens))
        if closes and last[w] > date.fromisoformat(closes).toordinal():
            yield Way("date", f"{name} until {closes}, when {where} closes", set_cell("workloads", name, "to", closes))
    need = min(int(first[w]) for w in workloads), max(int(last[w]) for w in workloads)
    if opens and date.fromisoformat(opens).toordinal() > need[0]:
        day = date.fromordinal(need[0]).isoformat()
        text = f"open {where} on {day} instead of {opens}"
        yield Way("date", text, set_cell("sites", where, "from", day), physical=True)
    if closes and date.fromisoformat(closes).toordinal() < need[1]:
        day = date.fromordinal(need[1]).isoformat()
        text = f"keep {where} open until {day} instead of {closes}"
        yield Way("date", text, set_cell("sites", where, "to", day), physical=True)
