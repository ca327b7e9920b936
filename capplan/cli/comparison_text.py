"""Comparisons in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import groupby

from capplan.cli.terminal import aligned, counted
from capplan.comparing import Comparison, Difference, Measure, Move, Organisation, Subject, TableDifference
from capplan.errors import printable
from capplan.units import Currency, decimal_text, percent_text

LINES = 20
NAMED = 8
BROKEN_NAMED = 2
LISTS = {("sites", "used"), ("workloads", "left out")}
"""Figures whose notes are lists of names."""


def comparison_text(compared: Comparison) -> str:
    """The whole comparison, without an end of line."""
    sections = [
        _subjects(compared.subjects),
        *(_inputs(compared, i) for i in range(1, len(compared.subjects))),
        _measures(compared.measures, compared.subjects),
        _organisations(compared),
    ]
    return "\n\n".join("\n".join(map(printable, lines)) for lines in sections if lines)


def difference_text(found: Difference) -> str:
    """What moves, in words, without an end of line."""
    sections = (
        [f"{_moved(found)}, {_more(found.one.inventory.currency, found.cost)} the first plan."],
        _moves(found),
        _purchases(found),
        _measures([m for m in found.measures if m.difference(1)], (found.one, found.other)),
    )
    return "\n\n".join("\n".join(map(printable, lines)) for lines in sections if lines)


def _subjects(subjects: Sequence[Subject]) -> list[str]:
    lines = ["Compared"]
    for subject in subjects:
        info, gap = subject.info, subject.info.get("gap")
        how = f"{info['status']}, within {percent_text(Fraction(str(gap)))}" if gap else str(info["status"])
        model = f"model {subject.model.name}"
        if subject.model.scenario:
            model += f", scenario {subject.model.scenario}"
        lines += [f"  {subject.name}: {how}, {model}", f"    {subject.run.folder}"]
    return lines


def _inputs(compared: Comparison, i: int) -> list[str]:
    """What one subject has otherwise than the first."""
    one, other = compared.subjects[0].name, compared.subjects[i].name
    tables = compared.inputs[i]
    if not tables:
        return [f"Inputs of {other}", f"  The same as those of {one}."]
    lines = [f"Inputs of {other}, against {one}"]
    for table in tables:
        lines.append(f"  {table.table}: {_counts(table)}")
        lines += [f"    {line}" for line in _limited(list(_rows(table)), table.table)]
    return lines


def _counts(table: TableDifference) -> str:
    kinds = ((len(table.added), "added"), (len(table.removed), "removed"), (table.rows_changed, "changed"))
    return ", ".join(f"{counted(n, 'row')} {what}" for n, what in kinds if n)


def _rows(table: TableDifference) -> Iterator[str]:
    for sign, keys in (("+", table.added), ("-", table.removed)):
        if keys:
            yield f"{sign} {_first(keys)}"
    for change in table.changed:
        name = f"{change.key}.{change.column}" if change.column else change.key
        yield f"{name}: {change.before or '(blank)'} -> {change.after or '(blank)'}"


def _limited(lines: list[str], what: str) -> list[str]:
    return lines if len(lines) <= LINES else [*lines[:LINES], f"and {len(lines) - LINES:,} more in {what}"]


def _measures(measures: Sequence[Measure], subjects: Sequence[Subject]) -> list[str]:
    if not measures:
        return []
    currency, two = subjects[0].inventory.currency, len(subjects) == 2
    body: list[list[str]] = []
    for group, members in groupby(measures, key=lambda measure: measure.group):
        for n, measure in enumerate(members):
            values = [value_text(currency, measure.unit, value) for value in measure.values]
            gained = measure.difference(1) if two else None
            change = [] if not two else [_signed(currency, measure.unit, gained)]
            body.append([group if not n else "", measure.name, *values, *change, _note(measure, subjects)])
    header = ["", "", *(subject.name for subject in subjects), *(["difference"] if two else []), ""]
    return ["Results", *aligned(header, body, lambda i: 1 < i < len(header) - 1)]


def _note(measure: Measure, subjects: Sequence[Subject]) -> str:
    """Where a figure comes from; of lists of names those that are not in all of them."""
    if (measure.group, measure.name) not in LISTS:
        return " | ".join(dict.fromkeys(note for note in measure.notes if note))
    lists = [note.split(", ") if note else [] for note in measure.notes]
    common = set(lists[0]).intersection(*lists)
    own = [[name for name in names if name not in common] for names in lists]
    said = zip(subjects, own, strict=True)
    return "; ".join(f"only {one.name}: {_first(names)}" for one, names in said if names)


def _first(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED:,} more" if len(names) > NAMED else "")


def value_text(currency: Currency, unit: str, value: Fraction | None) -> str:
    """A figure in its unit; nothing where there is none."""
    if value is None:
        return ""
    if unit == "money":
        return currency.text(value * currency.pence_per_unit)
    return percent_text(value, 1) if unit == "share" else f"{_grouped(decimal_text(value, 2))} {unit}".rstrip()


def _grouped(number_: str) -> str:
    """A decimal with its thousands apart."""
    whole, point, rest = number_.partition(".")
    return f"{int(whole):,}{point}{rest}" if whole not in ("-0", "") else number_


def _signed(currency: Currency, unit: str, value: Fraction | None) -> str:
    text = value_text(currency, unit, value)
    return f"+{text}" if value is not None and value > 0 else text


def _organisations(compared: Comparison) -> list[str]:
    """Cost of each organisation in every plan, those that differ most first."""
    if not compared.organisations:
        return []
    currency, two = compared.subjects[0].inventory.currency, len(compared.subjects) == 2
    rows = sorted(compared.organisations, key=lambda one: (-_spread(one), one.name))
    body = []
    for row in rows[:LINES]:
        costs = ["" if one is None else currency.text(one.cost) for one in row.accounts]
        change = [_change(currency, row)] if two else []
        left = [f"{row.left_out[i]} left out" for i in range(len(costs)) if row.left_out[i]]
        body.append([row.name or "(nobody)", *costs, *change, *(charge_texts(currency, row)), ", ".join(left)])
    charged = any(one.charged for row in rows for one in row.accounts if one)
    names = [subject.name for subject in compared.subjects]
    header = ["organisation", *names, *(["difference"] if two else []), "", ""]
    if charged:
        header[-2] = "charges"
    more = [f"  and {len(rows) - LINES:,} more"] if len(rows) > LINES else []
    return ["Cost by organisation", *aligned(header, body, lambda i: 0 < i < len(header) - 1), *more]


def charge_texts(currency: Currency, row: Organisation) -> list[str]:
    """What an organisation is charged in every plan, in one cell."""
    charges = [one.charged if one else None for one in row.accounts]
    if not any(charges):
        return [""]
    texts = ["" if charge is None else currency.text(charge) for charge in charges]
    return [texts[0] if len(set(texts)) == 1 else " | ".join(texts)]


def _spread(row: Organisation) -> int:
    costs = [one.cost if one else 0 for one in row.accounts]
    return max(costs) - min(costs)


def _change(currency: Currency, row: Organisation) -> str:
    first, second = (one.cost if one else 0 for one in row.accounts)
    return _signed(currency, "money", Fraction(second - first, currency.pence_per_unit))


# ---------------------------------------------------------------- diff


def _moved(found: Difference) -> str:
    kinds = Counter(move.kind for move in found.moves)
    parts = [f"{counted(n, 'workload')} {kind}" for kind, n in sorted(kinds.items())]
    return ", ".join(parts) or "Nothing moves"


def _more(currency: Currency, pence: int) -> str:
    if not pence:
        return "at the cost of"
    return f"{currency.text(abs(pence))} {'more' if pence > 0 else 'less'} than"


def _moves(found: Difference) -> list[str]:
    if not found.moves:
        return []
    currency = found.one.inventory.currency
    body = [
        [
            move.workload,
            move.kind,
            f"{move.before or '-'} -> {move.after or '-'}",
            _signed(currency, "money", Fraction(move.cost, currency.pence_per_unit)),
            "" if move.rtt_ms is None else _signed(currency, "ms", move.rtt_ms),
            _undone(currency, move),
        ]
        for move in found.moves[: 5 * LINES]
    ]
    header = ["workload", "", "sites", "own cost", "round trip", "if this alone were undone"]
    more = len(found.moves) - len(body)
    lines = aligned(header, body, lambda i: i in (3, 4))
    return ["Moves", *lines, *([f"  and {more:,} more: see --json"] if more > 0 else [])]


def _undone(currency: Currency, move: Move) -> str:
    """What the second plan would cost and break without the move."""
    parts = []
    if move.undone is not None:
        parts.append("the same cost" if not move.undone else f"{_more(currency, move.undone).removesuffix(' than')}")
    parts += [text.partition("; largest")[0] for text in (move.broken or ())[:BROKEN_NAMED]]
    more = len(move.broken or ()) - BROKEN_NAMED
    return "; ".join([*parts, *([f"{more} more broken"] if more > 0 else [])])


def _purchases(found: Difference) -> list[str]:
    lines = [
        f"  {purchase}{f' at {site}' if site else ''} {period}: {steps[0]} -> {steps[1]}"
        for (purchase, site, period), steps in found.purchases.items()
    ]
    return ["Purchases", *_limited(lines, "purchases")] if lines else []
