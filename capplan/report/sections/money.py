"""What the plan costs: by kind, and whom."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

from capplan.report.bars import KINDS, part_bar
from capplan.report.blocks import Block, Column, Explorer, Fold, Key, Section, Table
from capplan.report.facts import Facts
from capplan.report.words import figure, percent, period_text

ORGANISATIONS_DRAWN = 40


def by(facts: Facts, *columns: str) -> dict[tuple[str, ...], Fraction]:
    """Sums of the table ``costs`` in pence, by the cells of some columns, largest first."""
    sums: dict[tuple[str, ...], Fraction] = defaultdict(Fraction)
    for row in facts.rows("costs"):
        sums[tuple(row[column] for column in columns)] += facts.pence(row["amount"])
    return dict(sorted(sums.items(), key=lambda item: (-item[1], item[0])))


def total(facts: Facts) -> Fraction:
    """What the plan costs, in pence."""
    return sum((facts.pence(row["amount"]) for row in facts.rows("costs")), Fraction(0))


def section(facts: Facts) -> Section | None:
    """Nothing where nothing has a price."""
    if not facts.rows("costs"):
        return None
    kinds = [kind for (kind,) in by(facts, "kind")]
    legend = tuple(Key(f"part-{k % KINDS}", kind) for k, kind in enumerate(kinds))
    blocks: list[Block] = [
        _shares(facts, "By kind", "kind", kinds, legend),
        _shares(facts, "By organisation", "organisation", kinds, legend),
        _shares(facts, "By site", "site", kinds, legend),
    ]
    if len(facts.periods) > 1:
        blocks.append(_shares(facts, "By period", "period", kinds, legend))
    blocks.append(Fold("Every amount", [_every(facts)]))
    cost = facts.info["cost"]
    days, money = cost["horizon_days"], facts.money(total(facts))
    lead = f"The plan costs {money} over {days:,} days ({facts.horizon})."
    if days != 365:
        lead += f" That is {facts.money(facts.pence(str(cost['per_year'])))} in a year of 365 days."
    lead += " Cost of a site that several organisations share is split by the power they use there."
    return Section("cost", "What it costs, and whom", blocks, lead)


def name(facts: Facts, column: str, value: str) -> str:
    """A cell of the table ``costs`` in words."""
    if column == "organisation":
        return facts.organisation(value)
    if column == "site":
        return facts.site(value) if value else "no site (licences, circuits)"
    return period_text(value) if column == "period" else value


def _shares(facts: Facts, caption: str, column: str, kinds: list[str], legend: tuple[Key, ...]) -> Table:
    sums, parts = by(facts, column), by(facts, column, "kind")
    if column == "period":
        sums = dict(sorted(sums.items()))
    whole = sum(sums.values(), Fraction(0))
    longest = max([*sums.values(), Fraction(0)])
    several = column != "kind" and len(kinds) > 1
    columns = [
        Column(caption.removeprefix("By ").capitalize()),
        Column("Share", bar=True),
        Column("Amount", numeric=True),
        Column("Of all", numeric=True),
        *([Column(kind, numeric=True) for kind in kinds] if several else []),
    ]
    rows = []
    for (value,), amount in list(sums.items())[:ORGANISATIONS_DRAWN]:
        mine = [(k, max(parts.get((value, kind), Fraction(0)), Fraction(0))) for k, kind in enumerate(kinds)]
        if column == "kind":
            mine = [(kinds.index(value), max(amount, Fraction(0)))]
        each = [facts.money(parts.get((value, kind), Fraction(0))) for kind in kinds] if several else []
        share = percent(amount / whole) if whole else ""
        rows.append([name(facts, column, value), part_bar(mine, longest), facts.money(amount), share, *each])
    more = len(sums) - ORGANISATIONS_DRAWN
    note = f"and {more:,} more: see every amount below" if more > 0 else ""
    return Table(caption, columns, rows, note, legend if several else ())


def _every(facts: Facts) -> Explorer:
    columns = [Column(n) for n in ("Organisation", "Site", "Period", "Kind")]
    rows = [
        [
            facts.organisation(row["organisation"]),
            facts.site(row["site"]) if row["site"] else "",
            row["period"],
            row["kind"],
            figure(Fraction(row["amount"]), facts.currency.digits),
        ]
        for row in facts.rows("costs")
    ]
    amount = Column(f"Amount, {facts.currency.code}", numeric=True)
    choose = ("Organisation", "Site", "Period", "Kind")
    return Explorer("costs", "Every amount", [*columns, amount], rows, choose, "costs.csv")
