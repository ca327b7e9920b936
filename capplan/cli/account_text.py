"""Who pays what, in words: cost by organisation, charges, what packages earn and what is stranded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction

from capplan.cli.terminal import aligned, counted
from capplan.units import Currency, percent_text

ROWS_SHOWN = 20
LEAVERS_SHOWN = 5
PACKAGES_NAMED = 6

Row = Mapping[str, str]
Money = Callable[[str | Fraction], str]


def account_sections(
    rows: Callable[[str], Sequence[Row]], currency: Currency, compared: str = "today"
) -> Iterable[list[str]]:
    """Sections for the tables that ``rows`` gives by name; ``compared`` is what ``cost_today`` was measured on."""

    def money(amount: str | Fraction) -> str:
        return currency.text(Fraction(amount) * currency.pence_per_unit) if amount != "" else ""

    yield _costs(rows("organisations"), money, compared.removeprefix("the "))
    yield _charges(rows("organisations"), rows("charges"), money)
    yield _packages(rows("packages"), money)
    yield _stranded(rows("stranded"), rows("packages"), money)


def _costs(rows: Sequence[Row], money: Money, compared: str) -> list[str]:
    """What each organisation bears; said only where there is more than one to tell apart."""
    bearing = [row for row in rows if Fraction(row["cost"]) or Fraction(row["cost_today"] or 0)]
    if len(bearing) < 2:
        return []
    shown = sorted(bearing, key=lambda row: -Fraction(row["cost"]))[:ROWS_SHOWN]
    figures = {"cost_today": compared, "cost": "plan", "cost_per_user": "a user", "cost_per_head": "a head"}
    figures["cost_per_kw"] = "a kW"
    kept = [column for column in figures if any(row[column] for row in shown)]
    body = [[row["organisation"] or "(nobody)", *(money(row[column]) for column in kept)] for row in shown]
    lines = aligned(["organisation", *(figures[column] for column in kept)], body, lambda i: i > 0)
    yearly = [figures[column] for column in kept if column.startswith("cost_per")]
    heading = f"Cost by organisation{', ' + ', '.join(yearly) + ' for a year' if yearly else ''}"
    return [heading, *lines, *_more(len(bearing) - len(shown), "organisations.csv")]


def _charges(organisations: Sequence[Row], rows: Sequence[Row], money: Money) -> list[str]:
    if not rows:
        return []
    bought: dict[str, dict[str, None]] = {}
    for row in rows:
        bought.setdefault(row["organisation"], {})[row["package"]] = None
    paying = [row for row in organisations if row["charged"]]
    heads = any(row["charged_per_head"] for row in paying)
    body = [
        [
            row["organisation"],
            money(row["charged"]),
            *([money(row["charged_per_head"])] if heads else []),
            _names(list(bought.get(row["organisation"], ()))) or "nothing",
        ]
        for row in paying
    ]
    header = ["organisation", "charge", *(["a head"] if heads else []), "for"]
    lines = aligned(header, body[:ROWS_SHOWN], lambda i: 0 < i < len(header) - 1)
    total = sum((Fraction(row["charged"]) for row in paying), Fraction(0))
    everyone = f"  {counted(len(bought), 'customer')}: {money(total)} in all"
    heading = f"Charges{', a head for a year' if heads else ''}"
    return [heading, *lines, *_more(len(body) - ROWS_SHOWN, "organisations.csv"), everyone]


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - PACKAGES_NAMED} more" if len(names) > PACKAGES_NAMED else ""
    return ", ".join(names[:PACKAGES_NAMED]) + more


def _packages(rows: Sequence[Row], money: Money) -> list[str]:
    if not rows:
        return []
    periods = len({row["period"] for row in rows}) > 1
    texts = ["package", *(["period"] if periods else []), "priced per"]
    amounts = ["income", "cost", "margin"]
    body = [
        [
            row["package"],
            *([row["period"]] if periods else []),
            row["unit_basis"],
            row["customers"],
            percent_text(Fraction(row["take_up"]), 1) if row["take_up"] else "",
            *(money(row[column]) for column in amounts),
        ]
        for row in rows[:ROWS_SHOWN]
    ]
    header = [*texts, "customers", "take-up", *amounts]
    lines = aligned(header, body, lambda i: i >= len(texts))
    income, full = (sum((Fraction(row[name]) for row in rows), Fraction(0)) for name in ("income", "full_income"))
    everyone = f"  Income {money(income)}; if every organisation bought everything, {money(full)}"
    return ["Packages", *lines, *_more(len(rows) - ROWS_SHOWN, "packages.csv"), everyone]


def _stranded(rows: Sequence[Row], packages: Sequence[Row], money: Money) -> list[str]:
    """Cost that nobody covers, by whose absence; then whose leaving would add most."""
    periods = len({row["period"] for row in packages}) > 1
    lines = []
    for package in packages:
        when = f" {package['period']}" if periods else ""
        if Fraction(package["stranded"] or 0):
            lines.append(f"  {package['package']}{when}: {money(package['stranded'])} of its cost is stranded")
            lines += [
                f"    {row['organisation']} does not buy all of it: {money(row['stranded'])} "
                f"(it would pay {money(Fraction(row['would_pay']) - Fraction(row['pays']))} more)"
                for row in rows
                if (row["package"], row["period"]) == (package["package"], package["period"])
                and Fraction(row["stranded"])
            ]
        if Fraction(package["underpriced"] or 0):
            text = f"{money(package['underpriced'])} of its cost would not be covered if every organisation bought it"
            lines.append(f"  {package['package']}{when}: {text}")
    leaving = sorted(rows, key=lambda row: -Fraction(row["stranded_if_left"]))
    for row in leaving[:LEAVERS_SHOWN]:
        if Fraction(row["stranded_if_left"]):
            when = f" {row['period']}" if periods else ""
            amount = money(row["stranded_if_left"])
            lines.append(f"  If {row['organisation']} left {row['package']}{when}: {amount} more stranded")
    return (
        ["Stranded cost", *lines[: 2 * ROWS_SHOWN], *_more(len(lines) - 2 * ROWS_SHOWN, "stranded.csv")]
        if lines
        else []
    )


def _more(number: int, table: str) -> list[str]:
    return [f"  and {number:,} more: see {table}"] if number > 0 else []
