"""One cell at a time: what its text means, or what is wrong with it and what would be right."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from capplan.errors import Severity

MOST_DIGITS = 18
"""Digits a number may have before and after the point together: more would not fit 64 bits."""

LONGEST_NUMBER = 60
"""Characters of a number that is looked at closely: converting thousands of digits would take long, or fail."""

LONGEST_ID = 200
INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad"

_PLAIN_ID = re.compile(r"[0-9A-Za-z][ -:<-~]*")
_NUMBER = re.compile(r"(-?)(\d+)(?:\.(\d+))?", re.ASCII)
_PLACEHOLDERS = frozenset(
    "n/a|na|n.a.|-|--|–|—|?|??|tbc|tbd|none|null|nil|nan|unknown|#n/a|#ref!|#value!|#name?|#div/0!|#num!|#null!".split(
        "|"
    )
)
_LEGAL_IDS = ("na", "unknown")
"""Placeholders that are also real codes (NA is Namibia), so an id or a word may be one."""

_SPREADSHEET_ERRORS = ("#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!")
_MONEY = re.compile(r"\([\d.,]+\)|(GBP|EUR|USD|CHF|JPY|CAD|AUD|NZD|SEK|NOK|DKK|PLN) ?[\d.,]+", re.ASCII)
_MONTHS = "jan feb mar apr may jun jul aug sep sept oct nov dec".split()
_EXCEL_DAY_0 = date(1899, 12, 30)
_QUOTED = re.compile(r"'+[=+\-@\t\r]")
_RISKY = re.compile(r"'*[=+\-@\t\r]")


@dataclass(frozen=True)
class Finding:
    """What is wrong with a cell, without saying where; ``message`` follows the cell in quotes."""

    code: str
    message: str
    fix: str = ""
    severity: Severity = Severity.ERROR


def trimmed(text: str) -> str:
    """The text without white space or invisible characters around it."""
    return text.strip().strip(INVISIBLE).strip() if text else text


def folded(text: str) -> str:
    """What two ids are compared by: case, width, spaces and invisible characters are ignored."""
    wide = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in wide if unicodedata.category(c) != "Cf").strip()


def unquoted(text: str) -> str:
    """A text cell without the apostrophe that keeps spreadsheets from running it as a formula."""
    return text[1:] if text[:1] == "'" and _QUOTED.match(text) else text


def quoted(text: str) -> str:
    """A text cell that no spreadsheet takes for a formula; ``unquoted`` undoes it.

    >>> quoted("=1+1"), quoted("'=1"), quoted("O'Neill")
    ("'=1+1", "''=1", "O'Neill")
    """
    return "'" + text if _RISKY.match(text) else text


def is_placeholder(text: str) -> bool:
    """Whether the cell says "nothing yet" in one of the usual ways (``N/A``, ``-``, ``TBC``, ``?`` …)."""
    return text.casefold() in _PLACEHOLDERS or text in _SPREADSHEET_ERRORS


def is_legal_code(text: str) -> bool:
    """Whether a placeholder is a real code as well."""
    return text.casefold() in _LEGAL_IDS


def placeholder(required: bool) -> Finding:
    """The fault of a placeholder where a value is read."""
    fix = "write the value" if required else "write the value, or leave the cell empty"
    return Finding("placeholder-cell", "is a placeholder, not a value", fix)


def parse_number(text: str) -> tuple[int, int] | None:
    """A plain decimal as (mantissa, digits after the point), trailing zeros dropped; None if it is none.

    >>> parse_number("3.50")
    (35, 1)
    """
    found = _NUMBER.fullmatch(text) if len(text) <= LONGEST_NUMBER else None
    if not found:
        return None
    sign, whole, decimals = found.groups()
    decimals = decimals.rstrip("0") if decimals else ""
    return int(sign + whole + decimals), len(decimals)


def number_fault(text: str) -> Finding:
    """Why a cell is not a plain number, by the most telling of its defects."""
    if len(text) > LONGEST_NUMBER:
        if _NUMBER.fullmatch(text):
            return Finding("too-large", f"has more than {LONGEST_NUMBER} digits", "round it")
        return Finding("not-a-number", "is not a number", "write a plain number such as 3.5")
    for fault in (_unreadable_characters, _written_as_money, _separators, _not_plain):
        finding = fault(text)
        if finding:
            return finding
    return Finding("not-a-number", "is not a number", "write a plain number such as 3.5")


def _unreadable_characters(text: str) -> Finding | None:
    bare = text.lstrip("+-").casefold()
    if bare in ("nan", "inf", "infinity") or _overflows(text):
        return Finding("non-finite-number", "is not a finite number", "write a number, or leave the cell empty")
    if is_placeholder(text):
        return placeholder(required=False)
    if text.endswith("%"):
        number = parse_number(text[:-1].strip())
        share = format(Decimal(number[0]).scaleb(-number[1] - 2).normalize(), "f") if number else "0.2"
        return Finding("percent-form", "is a percentage", f"write the share, {share}, or the unit the column names")
    odd = next((c for c in text if not c.isascii() and _plain_character(c) != c), None)
    if odd:
        plain = "".join(map(_plain_character, text))
        fix = f"write {plain}" if parse_number(plain) else "use the digits 0 to 9 and the hyphen"
        return Finding("non-ascii-number", f"holds {_character(odd)}", fix)
    return None


def _plain_character(c: str) -> str:
    """The ASCII digit or hyphen that a digit or dash of another script stands for; any other as it is."""
    if c.isdecimal():
        return str(unicodedata.decimal(c))
    return "-" if unicodedata.category(c) == "Pd" or c == "\u2212" else c


def _written_as_money(text: str) -> Finding | None:
    if not (any(c in text for c in "£€$¥") or _MONEY.fullmatch(text)):
        return None
    bracketed = re.fullmatch(r"\((\d+(?:\.\d+)?)\)", text, re.ASCII)
    fix = f"write -{bracketed[1]}" if bracketed else "write the plain number"
    return Finding("currency-in-cell", "is written as money", fix)


def _overflows(text: str) -> bool:
    try:
        return bool(re.fullmatch(r"[-+]?[\d.]+[eE]\+?\d+", text)) and Decimal(text) > Decimal("1e308")
    except InvalidOperation:
        return True


def _separators(text: str) -> Finding | None:
    if re.fullmatch(r"-?\d+(_\d+)+(\.\d+)?", text, re.ASCII):
        return Finding("number-with-underscore", "holds an underscore", f"write {text.replace('_', '')}")
    if re.fullmatch(r"-?[1-9]\d{0,2}([,'’\s\u00a0\u202f]\d{3})+(\.\d+)?", text, re.ASCII):
        plain = re.sub(r"[^\d.\-]", "", text)
        return Finding("number-with-separator", "has a thousands separator", f"write {plain}")
    if re.fullmatch(r"-?(\d+|\d{1,3}(\.\d{3})+),\d+", text, re.ASCII):
        return Finding("decimal-comma", "has a decimal comma", f"write {text.replace('.', '').replace(',', '.')}")
    return None


def _not_plain(text: str) -> Finding | None:
    scientific = re.fullmatch(r"[-+]?\d+(\.\d*)?[eE]([-+]?\d+)", text, re.ASCII)
    if scientific:
        near = abs(int(scientific[2])) <= MOST_DIGITS
        fix = f"write {format(Decimal(text), 'f').lstrip('+')}" if near else "write it out, in a fitting unit"
        return Finding("not-a-number", "is in scientific notation", fix)
    loose = re.fullmatch(r"\+?(-?)(\d*)\.?(\d*)", text, re.ASCII)
    if loose and (loose[2] or loose[3]):
        plain = f"{loose[1]}{loose[2] or '0'}" + (f".{loose[3]}" if loose[3] else "")
        return Finding("not-a-number", "is not written as a plain number", f"write {plain}")
    if _looks_like_date(text):
        return Finding("excel-date", "is a date; a spreadsheet may have made it one", "write the number")
    if re.fullmatch(r"-?\d+[OolI][\dOolI]*(\.\d+)?(?<=\d)", text, re.ASCII):
        digits = text.translate(str.maketrans("OolI", "0011"))
        return Finding("not-a-number", "holds a letter that looks like a digit", f"write {digits} if that is meant")
    unit = re.fullmatch(r"(-?\d+(?:\.\d+)?)\s*([A-Za-z°²³µ/]+[\w/²³]*)", text, re.ASCII)
    if unit:
        return Finding("unit-in-cell", f'holds the unit "{unit[2]}"', f"write {unit[1]} in the unit the column names")
    return None


def _character(c: str) -> str:
    return f'"{c}" (U+{ord(c):04X}, {unicodedata.name(c, "unnamed").lower()})'


def _looks_like_date(text: str) -> bool:
    low = text.casefold()
    month = re.fullmatch(r"(\d{1,4})?[-/ .]?([a-z]{3,4})[-/ .]?(\d{1,4})?", low)
    if month and month[2] in _MONTHS and (month[1] or month[3]):
        return True
    return bool(re.fullmatch(r"\d{1,4}[-/]\d{1,2}([-/]\d{1,4})?", low, re.ASCII))


def parse_date(text: str) -> date | Finding:
    """An ISO 8601 date, or what is wrong with it."""
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        try:
            found = date.fromisoformat(text)
        except ValueError:
            return Finding("impossible-date", "is no day of the calendar", "write a real date as YYYY-MM-DD")
        if 1900 <= found.year < 2300:
            return found
        return Finding("impossible-date", "lies outside 1900 to 2299", "check the year")
    return _date_fault(text)


def _date_fault(text: str) -> Finding:
    if is_placeholder(text):
        return placeholder(required=False)
    if re.match(r"\d{4}-\d{2}-\d{2}[T ]\d", text, re.ASCII):
        return Finding("impossible-date", "has a time; a day is wanted", f"write {text[:10]}")
    if re.fullmatch(r"\d{5}(\.0+)?", text, re.ASCII):
        day = _EXCEL_DAY_0 + timedelta(days=int(text[:5]))
        return Finding("excel-date", "looks like a spreadsheet's serial number", f"if it is {day}, write {day}")
    numeric = re.fullmatch(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})", text, re.ASCII)
    if numeric:
        return _numeric_date(*map(int, numeric.groups()))
    if _looks_like_date(text):
        return Finding("excel-date", "is a date as a spreadsheet shows it", "write it as YYYY-MM-DD")
    return Finding("impossible-date", "is not a date", "write it as YYYY-MM-DD")


def _numeric_date(first: int, second: int, year: int) -> Finding:
    if year < 100:
        return Finding("ambiguous-date", "may be read in several ways", "write it as YYYY-MM-DD")
    readings = []
    for day, month in ((first, second), (second, first)):
        try:
            readings.append(str(date(year, month, day)))
        except ValueError:
            continue
    readings = list(dict.fromkeys(readings))
    if not readings:
        return Finding("impossible-date", "is no day of the calendar", "write a real date as YYYY-MM-DD")
    why = "may be read in two ways" if len(readings) > 1 else "is not an ISO 8601 date"
    return Finding("ambiguous-date", why, "write " + " or ".join(readings))


def id_fault(text: str) -> Finding | None:
    """Why a text cannot be an id."""
    if _PLAIN_ID.fullmatch(text) and text.casefold() not in _PLACEHOLDERS and len(text) <= LONGEST_ID:
        return None
    if ";" in text:
        return Finding("bad-id", 'holds ";", which separates ids in a list', "choose an id without it")
    control = next((c for c in text if unicodedata.category(c) == "Cc"), None)
    if control:
        return Finding("bad-id", f"holds a control character (U+{ord(control):04X})", "remove it")
    if len(text) > LONGEST_ID:
        return Finding("bad-id", f"is longer than {LONGEST_ID} characters", "choose a shorter id")
    if is_placeholder(text) and not is_legal_code(text):
        return placeholder(required=True)
    return None


def stray_space(text: str, is_id: bool) -> Finding | None:
    """White space around a cell, or characters inside an id that nobody can see."""
    if text != trimmed(text):
        return _space("has white space around it", "remove it")
    if is_id and not text.isascii():
        hidden = next((c for c in text if c in INVISIBLE or (c.isspace() and c != " ")), None)
        if hidden:
            return _space(f"holds an invisible character, {_character(hidden)[4:]}", "retype it")
    return None


def _space(message: str, fix: str) -> Finding:
    return Finding("stray-whitespace", message, fix, Severity.WARNING)
