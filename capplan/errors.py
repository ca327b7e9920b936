"""Faults in what a user wrote, and the exceptions that carry them.

    CapplanError
    ├── BadInput      faults in files: every one of them, each with its place and its fix
    ├── UsageError    a command or call that cannot mean anything (exit code 2)
    └── Defect        capplan contradicted itself (exit code 70); never the user's fault

An unsolvable model is none of these: it is a result.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from enum import StrEnum
from string import ascii_lowercase, digits

FAULTS_KEPT_PER_CODE = 50
FEW_ENOUGH_TO_COMPARE = 1000
_MARKS = ascii_lowercase + digits + " -_./"


class Severity(StrEnum):
    """How bad a fault is: an error stops, a warning is only said."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, order=True)
class Place:
    """A place in a file; line and column count from 1, 0 means unknown."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        parts = [self.file]
        if self.line:
            parts.append(str(self.line))
            if self.column:
                parts.append(str(self.column))
        return ":".join(parts)


@dataclass(frozen=True, order=True)
class Fault:
    """One mistake: where, what was read, why it is wrong, what would be right."""

    place: Place
    code: str
    message: str
    fix: str = ""
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        text = f"{self.place}: {self.severity}[{self.code}]: {self.message}"
        return printable(f"{text}; {self.fix}" if self.fix else text)

    def to_json(self) -> dict[str, object]:
        """The fault as plain data, for ``--format json``."""
        return {
            "file": self.place.file,
            "line": self.place.line or None,
            "column": self.place.column or None,
            "severity": str(self.severity),
            "code": self.code,
            "message": self.message,
            "fix": self.fix or None,
        }


@dataclass
class Faults:
    """Collects faults so that all of them are told in one pass.

    At most ``FAULTS_KEPT_PER_CODE`` of one code and severity in one file are kept; the rest are counted, so
    that a wrong separator in 100,000 rows does not print 100,000 lines.
    """

    kept: list[Fault] = field(default_factory=list)
    _seen: Counter[tuple[str, str, Severity]] = field(default_factory=Counter)

    def error(self, place: Place, code: str, message: str, fix: str = "") -> None:
        """Record a mistake that stops the run."""
        self.add(Fault(place, code, message, fix))

    def warning(self, place: Place, code: str, message: str, fix: str = "") -> None:
        """Record something suspicious that is said and changes nothing."""
        self.add(Fault(place, code, message, fix, Severity.WARNING))

    def add(self, fault: Fault) -> None:
        """Record one fault, or count it when its code is already common in this file."""
        key = (fault.place.file, fault.code, fault.severity)
        self._seen[key] += 1
        if self._seen[key] <= FAULTS_KEPT_PER_CODE:
            self.kept.append(fault)

    def room(self, file: str, code: str, severity: Severity = Severity.ERROR) -> int:
        """How many more faults of this code in this file would be kept in full."""
        return max(0, FAULTS_KEPT_PER_CODE - self._seen[(file, code, severity)])

    def count_only(self, file: str, code: str, number: int, severity: Severity) -> None:
        """Count ``number`` further faults that nobody will read one by one."""
        self._seen[(file, code, severity)] += number

    def extend(self, faults: Iterable[Fault]) -> None:
        """Record several faults."""
        for fault in faults:
            self.add(fault)

    @property
    def has_errors(self) -> bool:
        """Whether any fault is an error."""
        return any(number and severity is Severity.ERROR for (_, _, severity), number in self._seen.items())

    def sorted(self) -> list[Fault]:
        """Every fault in file order; codes that were cut end with a line that counts the rest."""
        return sorted(self.kept) + list(self._cut())

    def _cut(self) -> Iterator[Fault]:
        shown = Counter((fault.place.file, fault.code, fault.severity) for fault in self.kept)
        for (file, code, severity), number in sorted((self._seen - shown).items()):
            yield Fault(Place(file), code, f"and {number:,} more of the same", severity=severity)

    def raise_errors(self) -> None:
        """Raise ``BadInput`` with all faults, warnings included, if there is an error among them."""
        if self.has_errors:
            raise BadInput(self.sorted())

    def promote_warnings(self) -> None:
        """Turn every warning into an error (``--strict``)."""
        self.kept = [replace(fault, severity=Severity.ERROR) for fault in self.kept]
        promoted: Counter[tuple[str, str, Severity]] = Counter()
        for (file, code, _), number in self._seen.items():
            promoted[(file, code, Severity.ERROR)] += number
        self._seen = promoted


class CapplanError(Exception):
    """Anything capplan raises on purpose."""


class BadInput(CapplanError):
    """Mistakes in files. ``faults`` holds every one, in file order."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class UsageError(CapplanError):
    """A command or call that cannot mean anything, with a hint at what can."""


class Defect(CapplanError):
    """capplan contradicted itself: the plan it found does not measure as it should."""


def printable(text: str) -> str:
    """The text on one line, control characters escaped: what a file holds must not steer a terminal."""
    if text.isprintable():
        return text
    return "".join(mark if mark.isprintable() else ascii(mark)[1:-1] for mark in text)


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """A hint that names the nearest known words, or ``otherwise`` when none is near.

    >>> did_you_mean("Carlise", ["Carlisle", "Whitehaven"])
    'did you mean "Carlisle"?'
    """
    near = sorted(_likeness(word, name) for name in _comparable(word, list(known)))
    named = [f'"{name}"' for unlike, _, name in near[:3] if unlike <= 0.4]
    return f"did you mean {' or '.join(named)}?" if named else otherwise


def _comparable(word: str, known: list[str]) -> list[str]:
    """Of very many names only those one slip away: comparing with each would take half a second."""
    if len(known) <= FEW_ENOUGH_TO_COMPARE:
        return known
    folded = {name.casefold(): name for name in known}
    return [folded[near] for near in _one_slip(word.casefold()) & folded.keys()]


def _one_slip(word: str) -> set[str]:
    """The word, and every word that one mark less, more or other, or two marks swapped, make of it."""
    cuts = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    less = {start + end[1:] for start, end in cuts}
    swapped = {start + end[1] + end[0] + end[2:] for start, end in cuts if len(end) > 1}
    other = {start + mark + end[1:] for start, end in cuts for mark in _MARKS}
    more = {start + mark + end for start, end in cuts for mark in _MARKS}
    return less | swapped | other | more


def _likeness(word: str, name: str) -> tuple[float, int, str]:
    """Sorts the most like first: by share of equal parts, then by length of the common beginning."""
    one, other = word.casefold(), name.casefold()
    common = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return 1 - SequenceMatcher(None, one, other, autojunk=False).ratio(), -common, name
