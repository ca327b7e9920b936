"""What each organisation is charged for the packages it takes."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

from capplan.report.bars import part_bar
from capplan.report.blocks import Block, Column, Explorer, Fold, Section, Table
from capplan.report.facts import Facts
from capplan.report.words import figure

SHOWN = 100


def section(facts: Facts) -> Section | None:
    """Nothing where nobody subscribes to anything."""
    rows = facts.rows("charges")
    if not rows:
        return None
    blocks: list[Block] = [_sums(facts, "organisation"), _sums(facts, "package"), Fold("Every charge", [_every(facts)])]
    return Section("charges", "What each organisation is charged", blocks)


def _sums(facts: Facts, column: str) -> Table:
    sums: dict[str, Fraction] = defaultdict(Fraction)
    for row in facts.rows("charges"):
        sums[row[column]] += facts.pence(row["amount"])
    ordered = sorted(sums.items(), key=lambda item: (-item[1], item[0]))
    longest = max([*sums.values(), Fraction(0)])
    rows = []
    for key, amount in ordered[:SHOWN]:
        shown = facts.organisation(key) if column == "organisation" else key
        rows.append([shown, part_bar([(0, max(amount, Fraction(0)))], longest), facts.money(amount)])
    whole = facts.money(sum(sums.values(), Fraction(0)))
    columns = [Column(column.capitalize()), Column("Share", bar=True), Column("Charge", numeric=True)]
    return Table(f"By {column}", columns, rows, f"All charges together: {whole}.")


def _every(facts: Facts) -> Explorer:
    names = list(facts.rows("charges")[0])
    numeric = {"volume", "price", "amount"}
    rows = []
    for row in facts.rows("charges"):
        cells = {name: figure(Fraction(row[name]), 4) if name in numeric and row[name] else row[name] for name in names}
        cells["organisation"] = facts.organisation(row["organisation"])
        rows.append([cells[name] for name in names])
    columns = [Column(name.replace("_", " ").capitalize(), numeric=name in numeric) for name in names]
    return Explorer("charges", "Every charge", columns, rows, ("Organisation", "Package"), "charges.csv")
