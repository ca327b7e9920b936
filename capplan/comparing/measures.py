"""What a plan comes to, as figures that can stand beside those of another plan."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from capplan.comparing.subject import Subject
from capplan.goals import GOALS
from capplan.problem import NOWHERE
from capplan.problem.periods import YEAR_DAYS
from capplan.program import Builder

MONEY, SHARE, COUNT = "money", "share", ""


@dataclass(frozen=True)
class Measure:
    """One figure of several plans: ``values`` [subject], None where it does not exist; ``notes`` [subject] say where.

    ``unit`` is ``money`` (in the currency's units), ``share``, a unit, or nothing for a count. ``group`` is what it is
    about.
    """

    group: str
    name: str
    unit: str
    values: tuple[Fraction | None, ...]
    notes: tuple[str, ...] = ()

    def difference(self, subject: int) -> Fraction | None:
        """How much more than the first subject; None where either has none."""
        first, value = self.values[0], self.values[subject]
        return None if first is None or value is None else value - first


Figure = tuple[str, str, str, Fraction | int, str]
"""Group, name, unit, value, note."""


def measures_of(subjects: Sequence[Subject]) -> tuple[Measure, ...]:
    """Every figure that any of the plans has, in a fixed order of groups."""
    found: dict[tuple[str, str, str], dict[int, tuple[Fraction, str]]] = {}
    for number, subject in enumerate(subjects):
        for group, name, unit, value, note in _figures(subject):
            found.setdefault((group, name, unit), {})[number] = (Fraction(value), note)
    order = {group: place for place, group in enumerate(_GROUPS)}
    keys = sorted(found, key=lambda key: order[key[0]])
    numbers = range(len(subjects))
    return tuple(
        Measure(
            *key,
            tuple(found[key][i][0] if i in found[key] else _absent(key, subjects[i]) for i in numbers),
            tuple(found[key][i][1] if i in found[key] else "" for i in numbers),
        )
        for key in keys
    )


def _absent(key: tuple[str, str, str], subject: Subject) -> Fraction | None:
    """A kind of cost that a plan does not have is nothing paid; other figures that it does not have are unknown."""
    return Fraction(0) if key[0] in ("cost", "sites") and subject.measured is not None else None


def _figures(subject: Subject) -> Iterator[Figure]:
    if subject.measured is None:
        return
    for group, figures in _GROUPS.items():
        for name, unit, value, note in figures(subject):
            yield group, name, unit, value, note


Figures = Iterable[tuple[str, str, Fraction | int, str]]


def _workloads(subject: Subject) -> Figures:
    site = subject.plan.plan.site
    now = subject.inventory.current_site
    placed = site != NOWHERE
    yield "placed", COUNT, int(placed.sum()), ""
    gone = [subject.problem.workloads.ids[w] for w in np.flatnonzero(~placed).tolist()]
    yield "left out", COUNT, len(gone), ", ".join(gone)
    values = subject.problem.workloads.decimals("value")
    if values.given.any():
        forgone = sum((values.fraction(w) for w in np.flatnonzero(~placed).tolist()), Fraction(0))
        yield "value left out, a year", MONEY, forgone, ""
    if (now >= 0).any():
        yield "moved", COUNT, int((placed & (now >= 0) & (site != now)).sum()), ""


def _cost(subject: Subject) -> Figures:
    pence = subject.inventory.currency.pence_per_unit
    by_kind: Counter[str] = Counter()
    for entry in subject.plan.entries:
        by_kind[entry.kind] += entry.pence
    yield "total", MONEY, Fraction(subject.plan.cost, pence), ""
    days = subject.problem.periods.horizon_days
    if days != YEAR_DAYS:
        yield "a year", MONEY, Fraction(subject.plan.cost * YEAR_DAYS, pence * days), ""
    for kind, amount in sorted(by_kind.items()):
        yield kind, MONEY, Fraction(amount, pence), ""
    if subject.today is not None:
        yield "today", MONEY, Fraction(subject.today.cost, pence), ""


def _charges(subject: Subject) -> Figures:
    packages = subject.rows("packages")
    if packages:
        yield "income", MONEY, _sum(row["income"] for row in packages), ""
        yield "stranded", MONEY, _sum(row["stranded"] for row in packages), ""


def _sites(subject: Subject) -> Figures:
    site = subject.plan.plan.site
    used = np.unique(site[site != NOWHERE]).tolist()
    yield "used", COUNT, len(used), ", ".join(subject.problem.sites.ids[s] for s in used)
    yield "purchases", COUNT, int(_sum(row["steps"] for row in subject.rows("purchases"))), ""


def _resources(subject: Subject) -> Figures:
    """Use of each resource in its fullest period, over all sites."""
    used: dict[tuple[str, str], dict[str, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    for row in subject.rows("sites"):
        used[row["resource"], row["unit"]][row["period"]] += Fraction(row["used"])
    for (resource, unit), periods in used.items():
        yield f"{resource} used", unit if unit != resource else COUNT, max(periods.values()), ""


def _headroom(subject: Subject) -> Figures:
    """The fullest site of each resource, as a share of what may be used."""
    fullest: dict[str, tuple[Fraction, str]] = {}
    for row in subject.rows("sites"):
        if row["usable"] != "unlimited" and Fraction(row["usable"]):
            share = Fraction(row["used"]) / Fraction(row["usable"])
            if share > fullest.get(row["resource"], (Fraction(-1), ""))[0]:
                fullest[row["resource"]] = share, f"{row['site']} {row['period']}"
    for resource, (share, where) in fullest.items():
        yield f"least {resource} free", SHARE, 1 - share, where


def _licences(subject: Subject) -> Figures:
    rows = subject.rows("licences")
    for name in ("need", "bought", "spare"):
        if rows:
            yield f"{name} at most", COUNT, max(_by_period(rows, name).values()), ""
    if rows:
        yield "cost", MONEY, _sum(row["cost"] for row in rows), ""


def _by_period(rows: Sequence[dict[str, str]], column: str) -> dict[str, Fraction]:
    total: dict[str, Fraction] = defaultdict(Fraction)
    for row in rows:
        total[row["period"]] += Fraction(row[column] or 0)
    return total


def _latency(subject: Subject) -> Figures:
    rows = [row for row in subject.rows("allocation") if row["rtt_ms"]]
    if not rows:
        return
    worst = max(rows, key=lambda row: Fraction(row["rtt_ms"]))
    yield "mean round trip", "ms", _sum(row["rtt_ms"] for row in rows) / len(rows), ""
    yield "longest round trip", "ms", Fraction(worst["rtt_ms"]), f"{worst['workload']} at {worst['site']}"
    limited = [row for row in rows if row["max_rtt_ms"] and Fraction(row["max_rtt_ms"])]
    if limited:
        share, tightest = max(
            ((Fraction(row["rtt_ms"]) / Fraction(row["max_rtt_ms"]), row) for row in limited), key=lambda pair: pair[0]
        )
        yield "nearest to its limit", SHARE, share, f"{tightest['workload']} at {tightest['site']}"


def _carbon(subject: Subject) -> Figures:
    if not subject.problem.sites.given("carbon_g_kwh").any():
        return
    options = subject.plan.options
    [form] = GOALS["carbon"].forms(subject.problem, options, Builder(options.item, options.items, ledger=False))
    yield "emissions", "kg CO2e", int(form.options.sum()) * form.unit, ""


def _resilience(subject: Subject) -> Figures:
    """What goes down with the site whose loss takes most: nobody carries it."""
    down: Counter[tuple[str, str]] = Counter()
    rows = subject.rows("lost")
    for row in rows:
        down[row["site"], row["period"]] += not row["carried_by"]
    if rows:
        (site, period), most = min(down.items(), key=lambda item: (-item[1], item[0]))
        yield "down with the worst site", "workloads", most, f"{site} {period}" if most else ""
        carried = len({row["workload"] for row in rows if row["carried_by"]})
        yield "carried by a replica", "workloads", carried, ""


def _limits(subject: Subject) -> Figures:
    yield "rules broken", COUNT, len(subject.plan.breaches), ""
    yield "limits that bind", COUNT, sum(row["binding"] == "yes" for row in subject.rows("limits")), ""
    if subject.today is not None:
        broken = [breach for breach in subject.today.breaches if breach.rule != "left_out"]
        yield "rules broken today", COUNT, len(broken), ""


_GROUPS: dict[str, Callable[[Subject], Figures]] = {
    "workloads": _workloads,
    "cost": _cost,
    "charges": _charges,
    "sites": _sites,
    "use": _resources,
    "headroom": _headroom,
    "licences": _licences,
    "latency": _latency,
    "carbon": _carbon,
    "resilience": _resilience,
    "limits": _limits,
}


def _sum(texts: Iterable[str]) -> Fraction:
    return sum((Fraction(text) for text in texts if text), Fraction(0))
