"""What each organisation is charged for the packages it takes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from fractions import Fraction

from capplan.report.bars import part_bar
from capplan.report.blocks import Block, Column, Explorer, Fold, Section, Table
from capplan.report.facts import Facts
from capplan.report.words import figure, percent, period_text

SHOWN, NAMED = 100, 6


def section(facts: Facts) -> Section | None:
    """Nothing where nobody subscribes to anything."""
    rows = facts.rows("charges")
    if not rows:
        return None
    blocks: list[Block] = [_sums(facts, "organisation"), _sums(facts, "package"), Fold("Every charge", [_every(facts)])]
    blocks[2:2] = [*_plain(facts, "packages", "What packages earn"), *_plain(facts, "stranded", "If a customer leaves")]
    return Section("charges", "What each organisation is charged", blocks)


def said(facts: Facts) -> list[str]:
    """Who is charged what, and what packages do not earn, in words; nothing where nobody is charged."""
    if not facts.rows("charges"):
        return []
    sums = _by(facts, "organisation")
    named = [f"{facts.organisation(key)} {facts.money(amount)}" for key, amount in sums[:NAMED]]
    more = f" and {len(sums) - NAMED:,} more" if len(sums) > NAMED else ""
    whole = sum((amount for _, amount in sums), Fraction(0))
    words = [f"{facts.money(whole)} is charged: {'; '.join(named)}{more}."]
    short = [row for row in facts.rows("packages") if Fraction(row["stranded"] or 0)]
    return words + [f"{row['package']} earns {facts.money(facts.pence(row['stranded']))} too little." for row in short]


def _by(facts: Facts, column: str) -> list[tuple[str, Fraction]]:
    """Charges by the cells of a column, largest first."""
    sums: dict[str, Fraction] = defaultdict(Fraction)
    for row in facts.rows("charges"):
        sums[row[column]] += facts.pence(row["amount"])
    return sorted(sums.items(), key=lambda item: (-item[1], item[0]))


def _plain(facts: Facts, table: str, caption: str) -> list[Block]:
    """A table as it is, columns in which nothing is written left out."""
    rows = facts.rows(table)[:SHOWN]
    names = [name for name in (rows[0] if rows else ()) if any(row[name] for row in rows)]
    texts = {"organisation", "package", "period", "unit_basis"}
    columns = [Column(name.replace("_", " ").capitalize(), numeric=name not in texts) for name in names]
    cells = [[_cell(facts, name, row[name]) for name in names] for row in rows]
    return [Table(caption, columns, cells)] if rows else []


def _cell(facts: Facts, name: str, text: str) -> str:
    shown: dict[str, Callable[[str], str]] = {
        "organisation": facts.organisation,
        "period": period_text,
        "package": str,
        "unit_basis": str,
        "take_up": lambda share: percent(Fraction(share)),
    }
    if not text:
        return ""
    return shown[name](text) if name in shown else figure(Fraction(text), 4)


def _sums(facts: Facts, column: str) -> Table:
    ordered = _by(facts, column)
    amounts = [amount for _, amount in ordered]
    longest = max([*amounts, Fraction(0)])
    rows = []
    for key, amount in ordered[:SHOWN]:
        shown = facts.organisation(key) if column == "organisation" else key
        rows.append([shown, part_bar([(0, max(amount, Fraction(0)))], longest), facts.money(amount)])
    whole = facts.money(sum(amounts, Fraction(0)))
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
