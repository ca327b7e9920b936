"""Folders of instances: listing them, reading numbers exactly, and the published values beside them."""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path

import numpy as np

from benchmarks.interface import Instance, Published
from capplan.units import Ints

NO_INSTANCE = {"README", "LICENSE", "LICENCE", "NOTICE", "COPYING"}


@dataclass(frozen=True)
class FolderSet:
    """A set whose instances are files of one format, with one of ``suffixes`` or that and ``.gz``."""

    name: str
    suffixes: tuple[str, ...]
    parse: Callable[[str], Instance]
    origin: str

    def instances(self, folder: Path) -> list[str]:
        """Paths below the folder without their endings."""
        return sorted(self._files(folder), key=natural)

    def read(self, folder: Path, name: str) -> Instance:
        """Read one file. Raises ValueError, with its name, where it is not of the format."""
        file = self._files(folder)[name]
        try:
            return self.parse(text_of(file))
        except (ValueError, IndexError, KeyError, TypeError, UnicodeDecodeError, EOFError) as fault:
            raise ValueError(f"{file} is no instance of {self.name}: {fault}") from fault

    def published(self, folder: Path, name: str) -> Published:
        """From ``best.csv`` in the folder, or in the one above it."""
        for place, prefix in ((folder, ""), (folder.parent, folder.name + "/")):
            if (place / "best.csv").is_file():
                return best_values(place / "best.csv").get(prefix + name, Published())
        return Published()

    def _files(self, folder: Path) -> dict[str, Path]:
        found: dict[str, Path] = {}
        for file in sorted(folder.rglob("*")):
            plain = file.name.removesuffix(".gz")
            suffix = next((s for s in self.suffixes if plain.endswith(s)), None)
            if suffix is None or plain.removesuffix(suffix) in NO_INSTANCE or not file.is_file():
                continue
            below = file.relative_to(folder).with_name(plain.removesuffix(suffix))
            found.setdefault(below.as_posix(), file)
        return found


def natural(name: str) -> list[tuple[int, str]]:
    """A sort key under which p2 comes before p10."""
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def text_of(file: Path) -> str:
    """The text of a file, unpacked where its name ends in ``.gz``."""
    data = file.read_bytes()
    return (gzip.decompress(data) if file.suffix == ".gz" else data).decode("utf-8-sig")


def best_values(file: Path) -> dict[str, Published]:
    """Published value and bound of each instance in a ``best.csv``."""
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return {row["instance"]: _published(row) for row in csv.DictReader(lines)}


def _published(row: dict[str, str]) -> Published:
    value, bound = row.get("value"), row.get("lower_bound")
    if not bound and row.get("is_optimal") == "1":
        bound = value
    return Published(Fraction(value) if value else None, Fraction(bound) if bound else None)


def scaled(words: Sequence[str]) -> tuple[Ints, int]:
    """Numbers as exact integers int64 [word] and the power of ten by which they were multiplied."""
    try:
        return np.array(words, dtype=np.int64), 1
    except ValueError:
        pass
    try:
        exact = [Decimal(word) for word in words]
    except InvalidOperation as fault:
        word = next(w for w in words if not _is_number(w))
        raise ValueError(f'"{word}" is no number') from fault
    digits = max((-int(number.normalize().as_tuple().exponent) for number in exact), default=0)
    digits = max(0, digits)
    return np.array([int(number.scaleb(digits)) for number in exact], dtype=np.int64), 10**digits


def integers(text: str) -> Ints:
    """All numbers of a text, which must be whole. int64 [number]."""
    numbers, scale = scaled(text.split())
    if scale != 1:
        raise ValueError("whole numbers are expected, decimals were found")
    return numbers


def _is_number(word: str) -> bool:
    try:
        Decimal(word)
    except InvalidOperation:
        return False
    return True


class Numbers:
    """Whole numbers handed out from the left, however lines are broken."""

    def __init__(self, values: Ints) -> None:
        self.values = values
        self._at = 0

    def take(self, count: int) -> Ints:
        """The next ``count``. int64 [count]."""
        part = self.values[self._at : self._at + count]
        if count < 0 or len(part) < count:
            raise ValueError(f"it ends after {len(self.values)} numbers, {self._at + count} are expected")
        self._at += count
        return part

    def one(self) -> int:
        """The next number."""
        return int(self.take(1)[0])

    def end(self) -> None:
        """Raise ValueError unless all are used up."""
        if self._at < len(self.values):
            raise ValueError(f"it has {len(self.values)} numbers, {self._at} are expected")
