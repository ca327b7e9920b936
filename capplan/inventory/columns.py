"""From columns of text to typed columns: each distinct text is parsed once, exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from fractions import Fraction

import numpy as np

from capplan.errors import FAULTS_KEPT_PER_CODE, Faults, Severity, did_you_mean
from capplan.inventory.cells import (
    MOST_DIGITS,
    Finding,
    id_fault,
    is_legal_code,
    is_placeholder,
    number_fault,
    parse_date,
    parse_number,
    placeholder,
)
from capplan.inventory.csvfile import Texts
from capplan.inventory.raw import RawTable, report
from capplan.inventory.schema import NUMERIC, Column, Kind
from capplan.inventory.source import no_rows
from capplan.inventory.table import Cells
from capplan.units import LARGEST, Decimals, Ints, Resource

_MANY = 2000


@dataclass(frozen=True)
class Names:
    """What references may name: rows by table and id, and nodes.

    ``partial`` tables could not be read whole: a name they lack is not a fault.
    """

    rows: Mapping[str, Mapping[str, int]]
    nodes: Mapping[str, int]
    partial: frozenset[str] = frozenset()


@dataclass
class _Parsed:
    """What the distinct texts of a column mean; see ``Cells``."""

    ints: Ints = field(default_factory=no_rows)
    numbers: Decimals | None = None
    lists: tuple[tuple[int, ...], ...] = ()
    words: tuple[tuple[str, ...], ...] = ()
    findings: dict[int, Finding] = field(default_factory=dict)


def typed(
    table: RawTable,
    column: Column,
    resource: Resource | None,
    names: Names,
    faults: Faults,
    told: str = "",
) -> Cells:
    """One column typed, its faults recorded. A faulty cell reads as blank.

    Nothing is recorded of cells that hold ``told``, because it has been told already.
    """
    found = table.texts.get(column.name) or Texts(("",), np.zeros(len(table), dtype=np.int64))
    blank = np.array([not text for text in found.distinct], dtype=bool)
    given = ~blank[found.code]
    if column.required and column.name in table.texts and not given.all():
        _empty_cells(table, column, found, faults)
    texts = tuple(text or column.default for text in found.distinct)
    parsed = _PARSERS[column.kind](_Parser(texts, column, names))
    if column.kind is Kind.QUANTITY and parsed.numbers is not None:
        _too_much(parsed, found, resource)
    findings = {i: finding for i, finding in parsed.findings.items() if texts[i] != told}
    report(table, column.name, Texts(texts, found.code), findings, faults)
    numbers = parsed.numbers or Decimals(no_rows(), 0, np.zeros(0, dtype=bool))
    for array in (given, found.code, parsed.ints, numbers.mantissa, numbers.given):
        array.setflags(write=False)
    return Cells(column, texts, found.code, given, numbers, parsed.ints, parsed.lists, parsed.words, resource)


def _empty_cells(table: RawTable, column: Column, texts: Texts, faults: Faults) -> None:
    finding = Finding("empty-mandatory-cell", "is empty, and a value is required", "fill it in")
    empty = {i: finding for i, text in enumerate(texts.distinct) if not text}
    report(table, column.name, texts, empty, faults)


def _unknown(
    texts: Sequence[str], ints: Ints, known: Mapping[str, int], table: str, names: Names
) -> dict[int, Finding]:
    if table in names.partial:
        return {}
    missing = [i for i in np.flatnonzero(ints < 0).tolist() if texts[i]]
    return {i: unknown_name(texts[i], known, table, brief=n >= FAULTS_KEPT_PER_CODE) for n, i in enumerate(missing)}


def unknown_name(text: str, known: Iterable[str], table: str, brief: bool = False) -> Finding:
    """The fault of naming a row that ``table`` does not have; no look for near names if ``brief``."""
    what = table.removesuffix("s")
    if brief:
        return Finding("unknown-reference", f"is no {what}", f"add it to {table}")
    if is_placeholder(text):
        return placeholder(required=False)
    number = _as_number(text)
    same = next((name for name in known if _as_number(name) == number), None) if number is not None else None
    if same is not None:
        message = f'is no {what}; a spreadsheet may have read the code "{same}" as a number'
        return Finding("code-read-as-number", message, f"write {same}, and format the column as text")
    fix = did_you_mean(text, _nearest(text, known), f"add it to {table}")
    return Finding("unknown-reference", f"is no {what}", fix)


def _as_number(text: str) -> Decimal | None:
    if not text[:1].isdigit():
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _nearest(text: str, known: Iterable[str]) -> list[str]:
    """The names worth comparing: all of a few, of many those that begin or end alike."""
    names = list(known)
    if len(names) <= _MANY:
        return names
    low = text.casefold()
    alike = [name for name in names if name[:3].casefold() == low[:3] or name[-3:].casefold() == low[-3:]]
    close = [name for name in alike if abs(len(name) - len(text)) <= 2]
    return close[:_MANY]


def _members(text: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in text.split(";") if part.strip()))


def _out_of_bounds(pair: tuple[int, int], column: Column) -> Finding | None:
    mantissa, digits = pair
    minimum = 0 if column.minimum is None and column.kind is Kind.QUANTITY else column.minimum
    if column.kind is Kind.COUNT and digits:
        return Finding("fractional-count", "is not a whole number", "write a whole number")
    if minimum is not None and mantissa < minimum * 10**digits:
        if minimum == 0:
            return Finding("non-positive-quantity", "is negative", "write 0 or more")
        return Finding("out-of-range", f"is less than {minimum}", f"write {minimum} or more")
    if column.maximum is not None and mantissa > column.maximum * 10**digits:
        return Finding("out-of-range", f"is more than {column.maximum}", f"write {column.maximum} or less")
    if column.unit == "share" and 10**digits < mantissa <= 100 * 10**digits:
        share = format(Decimal(mantissa).scaleb(-digits - 2).normalize(), "f")
        message = "is more than the whole; is it a percentage?"
        return Finding("percent-form", message, f"{mantissa / 10**digits:g} % is {share}", Severity.WARNING)
    return None


def _fit(pairs: list[tuple[int, int] | None], findings: dict[int, Finding]) -> None:
    """Refuse numbers that cannot stand in one column of 64-bit decimals, the longest first."""
    digits = max((p[1] for p in pairs if p), default=0)
    if all(abs(p[0]) < 10 ** (MOST_DIGITS - digits + p[1]) for p in pairs if p):
        return
    whole = max((len(str(abs(p[0]))) - p[1] for p in pairs if p), default=0)
    room = max(0, MOST_DIGITS - min(whole, 12))
    for i, pair in enumerate(pairs):
        if pair and (pair[1] > room or len(str(abs(pair[0]))) - pair[1] > 12):
            message = f"has too many digits; with this column's largest number, {room} decimals fit"
            findings[i] = Finding("too-large", message, "round it, or choose a larger unit")
            pairs[i] = None


def _too_much(parsed: _Parsed, texts: Texts, resource: Resource | None) -> None:
    """Refuse a column of quantities whose sum in steps would not fit."""
    numbers = parsed.numbers
    if numbers is None or not len(texts.code):
        return
    steps = 1 / ((resource.step if resource else Fraction(1)) * 10**numbers.digits)
    peak = int(np.abs(numbers.mantissa).argmax())
    if abs(int(numbers.mantissa[peak])) * len(texts.code) * steps > LARGEST:
        limit = "in a column this long"
        parsed.findings[peak] = Finding("too-large", f"is more than can be counted {limit}", "check the unit")
        numbers.mantissa[:] = 0


@dataclass(frozen=True)
class _Parser:
    """The distinct texts of one column, and a way to read them for each kind."""

    texts: Sequence[str]
    column: Column
    names: Names

    def text(self) -> _Parsed:
        if not self.column.required:
            return _Parsed()
        return _Parsed(findings=self._bare())

    def _bare(self) -> dict[int, Finding]:
        """Faults of the texts that are placeholders."""
        bare = (i for i, text in enumerate(self.texts) if is_placeholder(text) and not is_legal_code(text))
        return dict.fromkeys(bare, placeholder(self.column.required))

    def ids(self) -> _Parsed:
        found = ((i, id_fault(text)) for i, text in enumerate(self.texts) if text)
        return _Parsed(self._lookup(self.names.nodes), findings={i: fault for i, fault in found if fault})

    def references(self) -> _Parsed:
        return self._known(self.names.rows[self.column.refers_to], self.column.refers_to)

    def nodes(self) -> _Parsed:
        return self._known(self.names.nodes, "nodes")

    def ends(self) -> _Parsed:
        """A workload w is 2 × w, a node n is 2 × n + 1."""
        workloads, nodes = self.names.rows["workloads"], self.names.nodes
        parsed = _Parsed(np.full(len(self.texts), -1, dtype=np.int64))
        for i, text in enumerate(self.texts):
            if text in workloads and text in nodes:
                parsed.findings[i] = Finding("ambiguous-reference", "is a workload and a node", "rename one of them")
            elif text in workloads:
                parsed.ints[i] = 2 * workloads[text]
            elif text in nodes:
                parsed.ints[i] = 2 * nodes[text] + 1
        if not self.names.partial & {"workloads", "nodes"}:
            missing = [
                i for i in np.flatnonzero(parsed.ints < 0).tolist() if self.texts[i] and i not in parsed.findings
            ]
            for n, i in enumerate(missing):
                brief = n >= FAULTS_KEPT_PER_CODE
                found = unknown_name(self.texts[i], [*workloads, *nodes], "nodes", brief)
                message = found.message.replace("is no node", "is neither a workload nor a node")
                fix = found.fix.replace("add it to nodes", "add it to workloads.csv or nodes.csv")
                parsed.findings[i] = Finding(found.code, message, fix)
        return parsed

    def _known(self, rows: Mapping[str, int], table: str) -> _Parsed:
        ints = self._lookup(rows)
        return _Parsed(ints, findings=_unknown(self.texts, ints, rows, table, self.names))

    def _lookup(self, rows: Mapping[str, int]) -> Ints:
        return np.array([rows.get(text, -1) for text in self.texts], dtype=np.int64)

    def reference_lists(self) -> _Parsed:
        table = self.column.refers_to
        rows = self.names.rows[table]
        parsed = _Parsed(lists=tuple(tuple(rows[m] for m in _members(t) if m in rows) for t in self.texts))
        if table in self.names.partial:
            return parsed
        for i, text in enumerate(self.texts):
            missing = next((member for member in _members(text) if member not in rows), None)
            if missing is not None:
                found = unknown_name(missing, rows, table, brief=len(parsed.findings) >= FAULTS_KEPT_PER_CODE)
                message = f'names "{missing}", which {found.message}'
                parsed.findings[i] = Finding(found.code, message, found.fix)
        return parsed

    def words(self) -> _Parsed:
        return _Parsed(words=tuple(tuple(_members(text)) for text in self.texts), findings=self._bare())

    def choices(self) -> _Parsed:
        known = ("no", "yes") if self.column.kind is Kind.FLAG else self.column.choices
        parsed = _Parsed(self._lookup({choice: i for i, choice in enumerate(known)}))
        one_of = "write " + (" or ".join(known) if len(known) < 3 else "one of " + ", ".join(known))
        for i in np.flatnonzero(parsed.ints < 0).tolist():
            text = self.texts[i]
            if is_placeholder(text):
                parsed.findings[i] = placeholder(self.column.required)
            elif text:
                fix = did_you_mean(text, known, one_of)
                parsed.findings[i] = Finding("unknown-choice", "is not among the choices", fix)
        return parsed

    def dates(self) -> _Parsed:
        parsed = _Parsed(np.full(len(self.texts), -1, dtype=np.int64))
        for i, text in enumerate(self.texts):
            found = parse_date(text) if text else None
            if isinstance(found, Finding):
                parsed.findings[i] = found
            elif found is not None:
                parsed.ints[i] = found.toordinal()
        return parsed

    def numbers(self) -> _Parsed:
        words = self.column.choices
        pairs = [None if not text or text in words else parse_number(text) for text in self.texts]
        parsed = _Parsed(np.array([text in words for text in self.texts], dtype=np.int64))
        for i, (text, pair) in enumerate(zip(self.texts, pairs, strict=True)):
            finding = None
            if pair is not None:
                finding = _out_of_bounds(pair, self.column)
            elif text and text not in words:
                finding = number_fault(text)
            if finding:
                parsed.findings[i] = finding
                if finding.severity is Severity.ERROR:
                    pairs[i] = None
        _fit(pairs, parsed.findings)
        parsed.numbers = _decimals(pairs)
        return parsed


def _decimals(pairs: Sequence[tuple[int, int] | None]) -> Decimals:
    digits = max((pair[1] for pair in pairs if pair), default=0)
    mantissa = [pair[0] * 10 ** (digits - pair[1]) if pair else 0 for pair in pairs]
    given = np.array([pair is not None for pair in pairs], dtype=bool)
    return Decimals(np.array(mantissa, dtype=np.int64), digits, given)


_PARSERS: dict[Kind, Callable[[_Parser], _Parsed]] = {
    Kind.ID: _Parser.ids,
    Kind.TEXT: _Parser.text,
    Kind.REF: _Parser.references,
    Kind.REFS: _Parser.reference_lists,
    Kind.WORDS: _Parser.words,
    Kind.CHOICE: _Parser.choices,
    Kind.FLAG: _Parser.choices,
    Kind.DATE: _Parser.dates,
    Kind.NODE: _Parser.nodes,
    Kind.END: _Parser.ends,
    **dict.fromkeys(NUMERIC, _Parser.numbers),
}
