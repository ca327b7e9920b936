"""What counts towards a licence: scopes, dates, quantities, free passive replicas."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from capplan.licensing.schemas import PEOPLE
from capplan.licensing.terms import Figure, Terms, shipped_terms
from capplan.problem import Options, Problem
from capplan.problem.periods import FIRST_DAY, LAST_DAY
from capplan.units import Bools, Ints


@dataclass(frozen=True)
class Rows:
    """Placed rows that count towards a licence: ``row`` in the option table and ``quantity``, int64 [k] each."""

    row: Ints
    quantity: Ints

    def active(self, problem: Problem, options: Options, t: int) -> Rows:
        """Those that are active in a period and need anything."""
        keep = problem.active[options.workload[self.row], t] & (self.quantity > 0)
        return Rows(self.row[keep], self.quantity[keep])


def terms_of(problem: Problem) -> Terms:
    """The shipped figures with the inventory's own in their place."""
    return problem.shared("licence terms", lambda: _terms(problem))


def _terms(problem: Problem) -> Terms:
    table = problem.inventory.table("licence_terms")
    value, start = table.decimals("value"), table.dates("from", FIRST_DAY)
    names = zip(table.text("terms"), table.text("figure"), start.tolist(), strict=True)
    sources = [text or "licence_terms.csv" for text in table.text("source")]
    return shipped_terms().overridden(Figure(*name, value.fraction(i), sources[i]) for i, name in enumerate(names))


def figure(problem: Problem, licence: int, name: str, t: int, default: int | Fraction = 0) -> Fraction:
    """A figure of a licence's terms on the first day of a period."""
    terms = problem.inventory.table("licences").text("terms")[licence]
    return terms_of(problem).value(terms, name, int(problem.periods.start[t]), default)


def counts_in(problem: Problem) -> Bools:
    """Periods in which each licence counts. bool [licence, period]."""
    table = problem.inventory.table("licences")
    days = problem.periods.overlap(table.dates("from", FIRST_DAY), table.dates("to", LAST_DAY))
    return np.asarray(days > 0)


def quantities(problem: Problem, licence: int) -> Ints:
    """What each workload needs of a licence wherever it is, free passive replicas left out. int64 [workload]."""
    table, needs = problem.inventory.table("licences"), problem.inventory.table("licence_needs")
    mine = needs.refs("licence") == licence
    workload, number = needs.refs("workload")[mine], needs.counts("quantity")[mine]
    if table.text("metric")[licence] in PEOPLE:
        number = np.where(needs.given("quantity")[mine], number, problem.workloads.counts("users")[workload])
    quantity = np.zeros(len(problem.workloads), dtype=np.int64)
    np.add.at(quantity, workload, number)
    organisations = table.ref_lists("organisations")[licence]
    if organisations:
        quantity[~np.isin(problem.workloads.refs("organisation"), organisations)] = 0
    if table.flags("assurance")[licence]:
        quantity[_free_replicas(problem, licence, quantity)] = 0
    return quantity


def _free_replicas(problem: Problem, licence: int, quantity: Ints) -> list[int]:
    """The first replicas, by id, of each workload that needs the licence itself, as many as its terms let go free."""
    free, seen, found = int(figure(problem, licence, "passives", 0)), dict[int, int](), []
    for w in np.flatnonzero(problem.primary >= 0).tolist():
        primary = int(problem.primary[w])
        if quantity[primary] > 0 and seen.get(primary, 0) < free:
            seen[primary] = seen.get(primary, 0) + 1
            found.append(w)
    return found


def sites_in_scope(problem: Problem, licence: int) -> Bools:
    """Sites at which a licence counts. bool [site]."""
    table = problem.inventory.table("licences")
    inside = np.ones(len(problem.sites), dtype=np.bool_)
    sites, countries = table.ref_lists("sites")[licence], table.words("countries")[licence]
    if sites:
        inside &= np.isin(np.arange(len(inside)), sites)
    if countries:
        inside &= np.array([country in countries for country in problem.sites.text("country")], dtype=np.bool_)
    return inside


def rows_of(problem: Problem, options: Options, licence: int) -> Rows:
    """Placed rows in the scope of a licence that need it."""
    quantity = problem.shared(f"licence {licence}", lambda: quantities(problem, licence))
    row = options.rows_of(np.flatnonzero(quantity > 0))
    row = row[sites_in_scope(problem, licence)[options.site[row]]]
    return Rows(row, quantity[options.workload[row]])
