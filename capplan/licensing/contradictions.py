"""What is wrong with the tables of licences, as far as it shows without solving."""

from __future__ import annotations

from collections.abc import Iterator

from capplan.errors import Fault, Severity, did_you_mean
from capplan.licensing.schemas import PEOPLE, POOLED
from capplan.licensing.scope import quantities, terms_of
from capplan.problem import Problem


def contradictions(problem: Problem) -> Iterator[Fault]:
    """Every fault, table by table."""
    yield from _licences(problem)
    yield from _hosts(problem)
    yield from _unread(problem, "licence_peaks", ("concurrent",))
    yield from _unread(problem, "licence_reserves", POOLED)
    yield from _unread(problem, "licence_people", PEOPLE)
    yield from _people(problem)


def _licences(problem: Problem) -> Iterator[Fault]:
    table, known = problem.inventory.table("licences"), terms_of(problem).named()
    metrics, others = table.text("metric"), table.refs("datacenter").tolist()
    for i, terms in enumerate(table.text("terms")):
        if terms and terms not in known:
            fix = did_you_mean(terms, sorted(known), "give their figures in licence_terms.csv")
            yield Fault(table.place(i, "terms"), "unknown-reference", f'no terms are named "{terms}"', fix)
        if others[i] >= 0 and (metrics[i] != "standard_core" or metrics[others[i]] != "core"):
            message = f"{table.ids[i]} is {metrics[i]}, {table.ids[others[i]]} is {metrics[others[i]]}"
            fix = "name it on a licence of metric standard_core; it is one of metric core"
            yield Fault(table.place(i, "datacenter"), "contradictory-rules", message, fix)
        if table.text("mobility")[i] == "none" and not table.given("assigned")[i]:
            message = f"{table.ids[i]} has no mobility, and nobody says when it was last assigned: it may move"
            fix = "write the day in assigned"
            yield Fault(table.place(i, "mobility"), "contradictory-rules", message, fix, Severity.WARNING)
        if metrics[i] == "machine_core" and all(resource.name != "cores" for resource in problem.resources):
            message = f"{table.ids[i]} counts cores, and no workload has any: every machine counts the minimum"
            fix = "fill in the column cores of workloads.csv"
            yield Fault(table.place(i, "metric"), "contradictory-rules", message, fix, Severity.WARNING)


def _hosts(problem: Problem) -> Iterator[Fault]:
    hosts, seen = problem.inventory.table("hosts"), dict[tuple[int, str], int]()
    for i, key in enumerate(zip(hosts.refs("site").tolist(), hosts.text("platform"), strict=True)):
        if seen.setdefault(key, i) != i:
            other, site = hosts.ids[seen[key]], problem.sites.ids[key[0]]
            message = f"{hosts.ids[i]} and {other} are both at {site} for the same platform"
            fix = "give each a platform, and the workloads too"
            yield Fault(hosts.place(i, "platform"), "contradictory-rules", message, fix)


def _unread(problem: Problem, name: str, metrics: tuple[str, ...]) -> Iterator[Fault]:
    """Rows about a licence whose metric does not read them."""
    table, licences = problem.inventory.table(name), problem.inventory.table("licences")
    for i, licence in enumerate(table.refs("licence").tolist()):
        metric = licences.text("metric")[licence] if licence >= 0 else metrics[0]
        if metric not in metrics:
            message = f"{licences.ids[licence]} is counted by {metric}, which does not read this table"
            fix = f"delete the row, or change the metric to {' or '.join(metrics)}"
            yield Fault(table.place(i, "licence"), "contradictory-rules", message, fix)


def _people(problem: Problem) -> Iterator[Fault]:
    """More people that are shared than an organisation has, or an organisation that shares them with itself."""
    table, owner = problem.inventory.table("licence_people"), problem.workloads.refs("organisation")
    ids, shared = problem.inventory.table("organisations").ids, dict[tuple[int, int], int]()
    columns = (table.refs("licence"), table.refs("organisation"), table.refs("other"), table.counts("people"))
    for i, (licence, one, other, people) in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
        if one == other:
            message = f"{ids[one]} cannot share people with itself"
            yield Fault(table.place(i, "other"), "contradictory-rules", message, "name another organisation")
        need = quantities(problem, licence)
        for organisation in (one, other):
            total = shared[licence, organisation] = shared.get((licence, organisation), 0) + people
            mine = need[(owner == organisation) & (need > 0)]
            if len(mine) and total > mine.min():
                least = int(mine.min())
                message = f"{total} people of {ids[organisation]} are shared, its smallest workload has {least}"
                yield Fault(table.place(i, "people"), "contradictory-rules", message, f"lower it, to {least} in all")
