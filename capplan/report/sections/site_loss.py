"""What breaks if a site is lost: what goes down with it, what another carries, how full that gets."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction

from capplan.report.bars import level_bar
from capplan.report.blocks import Block, Column, Explorer, Fold, Section, Table
from capplan.report.facts import Facts
from capplan.report.words import counted, figure, joined, percent, period_text, periods_text

NAMED = 8


@dataclass
class Loss:
    """The loss of one site. ``down`` and ``carried`` are by workload, each with the periods in which it is so."""

    site: str
    down: dict[str, list[str]] = field(default_factory=dict)
    carried: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    survivors: list[dict[str, str]] = field(default_factory=list)

    @property
    def fullest(self) -> dict[str, str] | None:
        """The limit that is fullest when this site is lost."""
        rows = [row for row in self.survivors if Fraction(row["limit"]) > 0]
        return max(rows, key=lambda row: Fraction(row["used"]) / Fraction(row["limit"]), default=None)


def losses(facts: Facts) -> list[Loss]:
    """The loss of each site that has anything, in id order."""
    found: dict[str, Loss] = {}
    for row in facts.rows("lost"):
        loss = found.setdefault(row["site"], Loss(row["site"]))
        if row["carried_by"]:
            loss.carried.setdefault((row["workload"], row["carried_by"]), []).append(row["period"])
        else:
            loss.down.setdefault(row["workload"], []).append(row["period"])
    for row in facts.rows("limits"):
        site = row["state"].removeprefix("loss of ")
        if site != row["state"] and site in found:
            found[site].survivors.append(row)
    return sorted(found.values(), key=lambda loss: loss.site)


def down_text(facts: Facts, loss: Loss) -> str:
    """What goes down, in words."""
    if not loss.down:
        return "Nothing goes down with it."
    whole = _periods_there(facts, loss.site)
    names = [facts.workload(w, _when(periods, whole)) for w, periods in _in_order(facts, loss.down)]
    verb = "goes" if len(names) == 1 else "go"
    return f"{counted(len(names), 'workload')} {verb} down with it: {joined(names, NAMED, 'more')}."


def carried_text(facts: Facts, loss: Loss) -> str:
    """What is carried and how full that gets, in words; blank where nothing is."""
    if not loss.carried:
        return "Nothing is carried by another site." if loss.down else ""
    by: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for (workload, carrier), periods in loss.carried.items():
        by[carrier].setdefault(workload, []).extend(periods)
    parts = []
    for carrier, workloads in sorted(by.items()):
        names = [facts.workload(w) for w, _ in _in_order(facts, workloads)]
        parts.append(f"{facts.site(carrier)} takes over {joined(names, NAMED, 'more')}")
    return f"{'; '.join(parts)}.{_fullest_text(facts, loss)}"


def _fullest_text(facts: Facts, loss: Loss) -> str:
    row = loss.fullest
    if row is None:
        return " Whether there is room for that is not checked: the model does not ask for it."
    used, limit = Fraction(row["used"]), Fraction(row["limit"])
    what = facts.about(row["subject"])
    return f" Then {what} is {percent(used / limit)} full: {figure(used)} of {figure(limit)} {row['unit']}."


def _in_order(facts: Facts, workloads: dict[str, list[str]]) -> list[tuple[str, list[str]]]:
    """Most important first."""
    return sorted(workloads.items(), key=lambda item: (facts.priority(item[0]), item[0]))


def _periods_there(facts: Facts, site: str) -> set[str]:
    return {row["period"] for row in facts.rows("lost") if row["site"] == site}


def _when(periods: list[str], whole: set[str]) -> str:
    return "" if set(periods) == whole else periods_text(periods)


def section(facts: Facts) -> Section | None:
    """One table of all sites, and each workload to look up."""
    found = losses(facts)
    if not found:
        return None
    blocks: list[Block] = [_table(facts, found)]
    survivors = _survivors(facts, found)
    if survivors is not None:
        blocks.append(survivors)
    blocks.append(Fold("Every workload of every site", [_every(facts)]))
    lead = "Each site lost in turn, whole, while all others stand. What has no copy elsewhere goes down with its site."
    return Section("loss", "What breaks if a site is lost", blocks, lead)


def _table(facts: Facts, found: list[Loss]) -> Table:
    columns = [Column("If this is lost"), Column("Goes down"), Column("Is carried")]
    rows = [[facts.site(loss.site), down_text(facts, loss), carried_text(facts, loss)] for loss in found]
    return Table("The loss of each site", columns, rows)


def _survivors(facts: Facts, found: list[Loss]) -> Table | None:
    """How full the others get, at the worst moment."""
    worst: dict[tuple[str, str], dict[str, str]] = {}
    for loss in found:
        for row in loss.survivors:
            key = loss.site, row["subject"]
            if key not in worst or Fraction(row["used"]) > Fraction(worst[key]["used"]):
                worst[key] = row
    rows = []
    for (site, subject), row in sorted(worst.items()):
        used, limit = Fraction(row["used"]), Fraction(row["limit"])
        bar = level_bar(used, limit, limit, "over" if used > limit else "")
        share = percent(used / limit) if limit else ""
        amounts = [f"{figure(a)} {row['unit']}" for a in (used, limit)]
        rows.append([facts.site(site), facts.about(subject), bar, *amounts, share, period_text(row["period"])])
    columns = [
        Column("If this is lost"),
        Column("Fills up"),
        Column("Use", bar=True),
        Column("Used", numeric=True),
        Column("There is", numeric=True),
        Column("Full", numeric=True),
        Column("Worst in"),
    ]
    note = (
        "Against everything that is there: headroom may be used in an emergency. Only the worst failure of each limit."
    )
    return Table("How full the survivors get", columns, rows, note) if rows else None


def _every(facts: Facts) -> Explorer:
    rows = [
        [
            facts.site(row["site"]),
            row["period"],
            facts.workload(row["workload"]),
            facts.site(row["carried_by"]) if row["carried_by"] else "",
            "carried" if row["carried_by"] else "goes down",
        ]
        for row in facts.rows("lost")
    ]
    columns = [Column(n) for n in ("If this is lost", "Period", "Workload", "Carried by", "What happens")]
    choose = ("If this is lost", "Period", "Carried by", "What happens")
    return Explorer("lost", "Every workload of every site", columns, rows, choose, "lost.csv")
