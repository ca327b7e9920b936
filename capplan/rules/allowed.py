"""Where a workload may go at all: pins, allowed and forbidden sites, listed pairs, dates, countries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date

import numpy as np

from capplan.errors import Fault
from capplan.inventory import Column, Kind, TableSchema
from capplan.problem import Options, Problem
from capplan.problem.easing import other_dates, other_lists
from capplan.problem.periods import FIRST_DAY, LAST_DAY
from capplan.problem.ways import Way, blanked, set_cell
from capplan.program.statements import Source
from capplan.rules.base import Exclusion, Rule
from capplan.units import Bools, Ints


class Allowed(Rule):
    """A workload may go only where pins, lists, dates and countries let it."""

    summary = "pinned, allowed and forbidden sites, listed placements, site dates, countries"
    schemas = (
        TableSchema(
            "workloads",
            ("workload",),
            (
                Column("pinned_site", Kind.REF, "the one site it must be at", refers_to="sites", inherits=False),
                Column("allowed_sites", Kind.REFS, "the only sites it may be at (blank: all)", refers_to="sites"),
                Column("forbidden_sites", Kind.REFS, "sites it may not be at", refers_to="sites"),
                Column("countries", Kind.WORDS, "the only countries it may be in (blank: all)"),
            ),
            "",
        ),
        TableSchema(
            "placements",
            ("workload", "site"),
            (Column("allowed", Kind.FLAG, "whether this workload may be at this site", default="yes"),),
            "",
        ),
    )

    def exclusions(self, problem: Problem, options: Options) -> Iterable[Exclusion]:
        """Options that put a workload where something written forbids it."""
        checks = (
            self._removed,
            self._dates,
            self._kept,
            self._pinned,
            self._allowed,
            self._forbidden,
            self._countries,
            self._placements,
        )
        for check in checks:
            yield from check(problem, options)

    def _exclusion(
        self,
        options: Options,
        bad: Bools,
        reason: Callable[[int, int], str],
        source: Callable[[int, int], Source | None],
    ) -> Iterable[Exclusion]:
        """One exclusion out of a mask over placed rows; texts are made for (workload, site)."""
        rows = np.flatnonzero(bad)
        if not len(rows):
            return
        workload, site = options.workload[rows], options.site[rows]
        yield Exclusion(
            self.name,
            options.option[rows],
            lambda i: reason(int(workload[i]), int(site[i])),
            lambda i: source(int(workload[i]), int(site[i])),
            rows,
        )

    def _removed(self, problem: Problem, options: Options) -> Iterable[Exclusion]:
        ids, removed = problem.sites.ids, problem.inventory.removed_sites
        if not removed.any():
            return ()
        return self._exclusion(
            options,
            removed[options.site],
            lambda w, s: f"{ids[s]} is removed in this scenario",
            lambda w, s: ("sites", s, "site"),
        )

    def _dates(self, problem: Problem, options: Options) -> Iterable[Exclusion]:
        table = problem.sites
        opens, closes = table.dates("from", FIRST_DAY), table.dates("to", LAST_DAY)
        first, last = problem.window
        if (opens <= problem.periods.start[0]).all() and (closes >= problem.periods.end[-1]).all():
            return ()
        w, s = options.workload, options.site
        runs = first[w] < last[w]

        def reason(workload: int, site: int) -> str:
            need = f"{_day(first[workload])} to {_day(last[workload])}"
            have = f"from {_day(opens[site])} to {_day(closes[site])}"
            return f"needed {need}, but {table.ids[site]} is open {have}"

        bad = runs & ((first[w] < opens[s]) | (last[w] > closes[s]))
        return self._exclusion(options, bad, reason, lambda w, s: ("sites", s, "from"))

    def _kept(self, problem: Problem, options: Options) -> Iterable[Exclusion]:
        """Workloads that a file of placements to keep puts elsewhere."""
        keep = problem.keep
        if keep is None:
            return ()
        here = keep.site[options.workload]
        return self._exclusion(
            options,
            (here >= 0) & (here != options.site),
            # The same for every site, so that lists of obstacles can name the sites together.
            lambda w, s: f"kept at {problem.sites.ids[keep.site[w]]} ({keep.place(w)})",
            # Not the inventory but the file demands it, and the reason names its line.
            lambda w, s: None,
        )

    def _pinned(self, problem: Problem, options: Options) -> Iterable[Exclusion]:
        pinned = problem.workloads.refs("pinned_site")
        if not (pinned >= 0).any():
            return ()
        mine = pinned[options.workload]
        return self._exclusion(
            options,
            (mine >= 0) & (mine != options.site),
            lambda w, s: f"pinned to {problem.sites.ids[pinned[w]]}",
            lambda w, s: ("workloads", w, "pinned_site"),
        )

    def _allowed(self, problem: Problem, options: Options) -> Iterable[Exclusion]:
        lists, which, listed = _lists(problem, "allowed_sites")
        if not listed.any():
            return ()
        # A list that names no site allows all.
        inside = (listed | ~listed.any(axis=1, keepdims=True))[which[options.workload], options.site]
        return self._exclusion(
            options,
            ~inside,
            lambda w, s: f"allowed only at {', '.join(problem.sites.ids[x] for x in lists[which[w]])}",
            lambda w, s: ("workloads", w, "allowed_sites"),
        )

    def _forbidden(self, problem: Problem, options: Options) -> Iterable[Exclusion]:
        _, which, listed = _lists(problem, "forbidden_sites")
        if not listed.any():
            return ()
        return self._exclusion(
            options,
            listed[which[options.workload], options.site],
            lambda w, s: f"forbidden at {problem.sites.ids[s]}",
            lambda w, s: ("workloads", w, "forbidden_sites"),
        )

    def _countries(self, problem: Problem, options: Options) -> Iterable[Exclusion]:
        lists, which = problem.workloads.distinct_words("countries")
        if not any(lists):
            return ()
        country = problem.sites.text("country")
        allowed = problem.shared(
            "countries",
            lambda: np.array([[not words or name in words for name in country] for words in lists], dtype=np.bool_),
        )

        def reason(w: int, s: int) -> str:
            allowed = ", ".join(lists[which[w]])
            return f"{problem.sites.ids[s]} is in {country[s] or 'no stated country'}, allowed: {allowed}"

        bad = ~allowed[which[options.workload], options.site]
        return self._exclusion(options, bad, reason, lambda w, s: ("workloads", w, "countries"))

    def _placements(self, problem: Problem, options: Options) -> Iterable[Exclusion]:
        table = problem.inventory.table("placements")
        listed = problem.inventory.placements_listed
        if not listed and table.flags("allowed").all():
            return
        at = problem.placement_at(options.workload, options.site)

        def row(w: int, s: int) -> int:
            return int(problem.placement_at(np.array([w]), np.array([s]))[0])

        def source(w: int, s: int) -> Source:
            return ("workloads", w, "workload") if row(w, s) < 0 else ("placements", row(w, s), "allowed")

        def reason(w: int, s: int) -> str:
            note = table.text("reason")[row(w, s)]
            return "not allowed by placements.csv" + (f": {note}" if note else "")

        if len(table):
            refused = (at >= 0) & ~table.flags("allowed")[at]
            yield from self._exclusion(options, refused, reason, source)
        if listed:
            yield from self._exclusion(options, at < 0, lambda w, s: "not listed in placements.csv", source)

    def eased(self, problem: Problem, source: Source, workloads: Sequence[int]) -> Iterable[Way]:
        """One site more or fewer in a list, other dates, a cell left blank."""
        table, row, column = source
        if table == "sites" and column == "from":
            yield from other_dates(problem, row, workloads)
        elif table == "placements":
            key = problem.inventory.table("placements").keys[row]
            text = f"allow {key.replace('.', ' at ')} in placements.csv"
            yield Way("workload", text, set_cell("placements", key, "allowed", "yes"))
        elif table == "workloads" and column in ("allowed_sites", "forbidden_sites"):
            yield from other_lists(problem, row, column)
        elif table == "workloads" and column == "pinned_site":
            name, pin = problem.workloads.ids[row], problem.workloads.text(column)[row]
            yield blanked(problem, row, column, f"do not pin {name} to {pin}")
        elif table == "workloads" and column == "countries":
            yield blanked(problem, row, column)

    def faults(self, problem: Problem) -> Iterable[Fault]:
        """Pins that the same row's other columns contradict."""
        table, sites = problem.workloads, problem.sites.ids
        pinned = table.refs("pinned_site")
        allowed, forbidden = table.ref_lists("allowed_sites"), table.ref_lists("forbidden_sites")
        for w in np.flatnonzero(pinned >= 0):
            pin = int(pinned[w])
            if allowed[w] and pin not in allowed[w]:
                whose = _whose(problem, int(w), allowed)
                message = f"{table.ids[w]} is pinned to {sites[pin]}, which is not among its allowed_sites{whose}"
                yield _contradiction(problem, int(w), message, f"add {sites[pin]} to allowed_sites or unpin it")
            if pin in forbidden[w]:
                whose = _whose(problem, int(w), forbidden)
                message = f"{table.ids[w]} is pinned to {sites[pin]}, which is among its forbidden_sites{whose}"
                yield _contradiction(problem, int(w), message, "remove one of the two")


def _contradiction(problem: Problem, w: int, message: str, fix: str) -> Fault:
    return Fault(problem.workloads.place(w, "pinned_site"), "contradictory-rules", message, fix)


def _whose(problem: Problem, w: int, lists: list[tuple[int, ...]]) -> str:
    """A remark where a replica has the list of its primary, whose cells fill its blank ones."""
    primary = int(problem.primary[w])
    same = primary >= 0 and lists[w] == lists[primary]
    return f" (those of its primary, {problem.workloads.ids[primary]})" if same else ""


def _lists(problem: Problem, column: str) -> tuple[tuple[tuple[int, ...], ...], Ints, Bools]:
    """The different lists of sites in a column, which of them each workload has, and what they name.

    The last two int64 [workload] and bool [list, site].
    """
    lists, which = problem.workloads.distinct_lists(column)
    return lists, which, problem.shared(column, lambda: _named(lists, len(problem.sites)))


def _named(lists: tuple[tuple[int, ...], ...], sites: int) -> Bools:
    found = np.zeros((len(lists), sites), dtype=np.bool_)
    for i, chosen in enumerate(lists):
        found[i, list(chosen)] = True
    return found


def _day(ordinal: Ints | int) -> str:
    day = int(ordinal)
    return "any time" if day in (FIRST_DAY, LAST_DAY) else date.fromordinal(day).isoformat()
