"""Exact quantities: decimals as written, integers inside.

A resource is counted in whole steps (watts, half rack units, hundredths of a post), money in whole
pence. Nothing here touches a float: a cell ``3.5`` of ``power_kw`` becomes 3500 steps of 0.001, demand is
rounded up and capacity down where a cell is finer than its step.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]
Floats: TypeAlias = npt.NDArray[np.float64]
Numbers: TypeAlias = npt.NDArray[np.integer[Any]]
"""What only numbers things (options, items, workloads, sites): int32 where there may be millions. Multiply as int64."""

AT_ONCE = 1_000_000
"""Entries of a long array looked at together: bounds the memory of temporaries, whatever the size."""

UNLIMITED = int(np.iinfo(np.int64).max)
"""Capacity of a site whose cell says ``unlimited``."""

# Sums of a limit stay below this, so that products with a headroom's numerator still fit an int64.
LARGEST = 2**60


def numbers(values: Numbers) -> Numbers:
    """Numbers of things, as int32."""
    return values.astype(np.int32, copy=False)


def keys(first: Numbers, size: int, second: Numbers | int) -> Ints:
    """One number for each pair of numbers, ``second`` less than ``size``. int64 [k]."""
    return np.asarray(first.astype(np.int64) * size + second)


@dataclass(frozen=True)
class Resource:
    """A quantity that workloads use up and sites offer.

    ``name`` is the column in both tables, ``unit`` what people read, ``step`` the smallest amount counted.
    """

    name: str
    unit: str
    step: Fraction
    description: str = ""

    @property
    def label(self) -> str:
        """The resource in words: its name without the unit that ends it."""
        suffix = "_" + self.unit.lower()
        return self.name.removesuffix(suffix).replace("_", " ")

    def amount(self, steps: int | Fraction) -> Fraction:
        """Natural units in that many steps."""
        return self.step * steps

    def text(self, steps: int | Fraction) -> str:
        """Natural units as the shortest exact decimal: 3400 steps of 0.001 are ``3.4``."""
        if steps == UNLIMITED:
            return "unlimited"
        return decimal_text(self.amount(steps))


BUILT_IN = tuple(
    Resource(name, unit, Fraction(step), description)
    for name, unit, step, description in (
        ("power_kw", "kW", "0.001", "electrical power drawn, planning value"),
        ("cooling_kw", "kW", "0.001", "heat to remove; a workload's blank is its power"),
        ("rack_units", "U", "0.5", "height in racks"),
        ("weight_kg", "kg", "0.1", "weight on the floor"),
        ("cores", "cores", "1", "processor cores"),
        ("memory_gb", "GB", "0.1", "main memory"),
        ("storage_tb", "TB", "0.001", "storage"),
        ("ports", "ports", "1", "network ports"),
        ("fte", "FTE", "0.01", "staff, full-time equivalents"),
        ("desks", "desks", "1", "desks for staff"),
    )
)

# Currencies whose smallest unit is not a hundredth (ISO 4217, list of 2024).
_UNUSUAL_DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_MINOR_DIGITS = {code: digits for digits, codes in _UNUSUAL_DIGITS.items() for code in codes.split()}
_SIGNS = {"GBP": "£", "EUR": "€", "USD": "$"}


@dataclass(frozen=True)
class Currency:
    """An ISO 4217 currency; ``pence`` below means its smallest unit, whatever its name."""

    code: str

    @property
    def digits(self) -> int:
        """Decimal places of the smallest unit (ISO 4217)."""
        return _MINOR_DIGITS.get(self.code, 2)

    @property
    def pence_per_unit(self) -> int:
        """Smallest units in one unit: 100 pence in a pound."""
        return int(10**self.digits)

    def decimal(self, pence: int) -> str:
        """A plain decimal for tables: 129400000 pence are ``1294000.00``."""
        return str(Decimal(pence).scaleb(-self.digits)) if self.digits else str(pence)

    def text(self, pence: int | Fraction) -> str:
        """Money for people: ``£1,294,000`` or ``£0.25``; whole units lose their decimals."""
        whole = round_half_up(Fraction(pence))
        sign = "-" if whole < 0 else ""
        units, rest = divmod(abs(whole), self.pence_per_unit)
        mark = _SIGNS.get(self.code, self.code + " ")
        cents = f".{rest:0{self.digits}d}" if rest else ""
        return f"{sign}{mark}{units:,}{cents}"


@dataclass(frozen=True)
class Decimals:
    """A column of exact decimals: ``mantissa / 10**digits`` where ``given``.

    ``mantissa`` int64 [row], ``given`` bool [row] (False where the cell was blank and has no default;
    the mantissa is 0 there).
    """

    mantissa: Ints
    digits: int
    given: Bools

    def __len__(self) -> int:
        return len(self.mantissa)

    def fraction(self, row: int) -> Fraction:
        """The exact value of one row (0 where blank)."""
        return Fraction(int(self.mantissa[row]), 10**self.digits)

    def rounded(self, unit: Fraction | int, how: str) -> Ints:
        """Every value in whole ``unit`` steps; ``how`` is ``up``, ``down`` or ``half_up``. int64 [row]."""
        return scaled(self.mantissa, 1 / (Fraction(unit) * 10**self.digits), how)

    def take(self, rows: Ints) -> Decimals:
        """The values of some rows."""
        return Decimals(self.mantissa[rows], self.digits, self.given[rows])


def scaled(values: Ints, factor: Fraction, how: str = "half_up") -> Ints:
    """``values * factor`` rounded ``up``, ``down`` or ``half_up`` (halves towards +infinity), exactly.

    ``values`` int64 [any]; returns the same shape. Falls back to Python integers where an int64 product
    would overflow. Raises OverflowError when a result itself does not fit.
    """
    top, bottom = factor.numerator, factor.denominator
    if how == "half_up":
        top, bottom, offset = 2 * top, 2 * bottom, bottom
    elif how in ("up", "down"):
        offset = bottom - 1 if how == "up" else 0
    else:
        raise ValueError(f'"{how}" is no way to round; up, down and half_up are')
    # Not np.abs: the smallest int64 is its own absolute value.
    largest = max(abs(int(values.max(initial=0))), abs(int(values.min(initial=0))))
    if largest * abs(top) + offset < 2**62 and max(abs(top), bottom) < 2**62:
        return np.asarray((values * np.int64(top) + np.int64(offset)) // np.int64(bottom), dtype=np.int64)
    exact = [(int(v) * top + offset) // bottom for v in values.ravel()]
    return np.array(exact, dtype=np.int64).reshape(values.shape)


def round_half_up(value: Fraction) -> int:
    """The nearest integer, halves up."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


def decimal_text(value: Fraction | int, places: int = 6) -> str:
    """The shortest decimal, exact when it has at most ``places`` decimals, else rounded to them.

    >>> decimal_text(Fraction(17, 5))
    '3.4'
    """
    shift = 10**places
    whole = round_half_up(Fraction(value) * shift)
    sign = "-" if whole < 0 else ""
    units, rest = divmod(abs(whole), shift)
    digits = f"{rest:0{places}d}".rstrip("0")
    return f"{sign}{units}.{digits}" if digits else f"{sign}{units}"


def with_unit(value: Fraction, unit: str) -> str:
    """An amount with its unit, in the singular for one thing: ``1 licence``, ``2 licences``, ``3.4 kW``."""
    one = value == 1 and unit.endswith("s") and unit.islower()
    return f"{decimal_text(value)} {unit.removesuffix('s') if one else unit}"


def texts_of(values: Ints, unit: Fraction) -> list[str]:
    """``values`` int64 [k] × ``unit`` as decimals, each different value worked out once."""
    different, which = np.unique(values, return_inverse=True)
    texts = [decimal_text(value * unit) for value in different.tolist()]
    return [texts[i] for i in which.tolist()]


def percent_text(value: Fraction, places: int = 2) -> str:
    """A share as a percentage: 89/140 is ``63.57 %``."""
    return f"{decimal_text(value * 100, places)} %"


def largest_remainder(total: int, weights: Iterable[int]) -> list[int]:
    """Split ``total`` in proportion to ``weights`` so that the parts add up exactly.

    Everyone gets the floor of his share, the units left over go one each to the largest remainders, ties
    to the earlier weight. All weights 0: everything to the first. ``total`` may be negative, weights not.
    Raises ValueError for a negative weight, and for something to split among nobody.

    >>> largest_remainder(10000, [1, 1, 1])
    [3334, 3333, 3333]
    """
    parts = list(weights)
    if min(parts, default=0) < 0:
        raise ValueError("a share cannot be in proportion to a negative weight")
    if total and not parts:
        raise ValueError(f"{total} cannot be split among nobody")
    if total < 0:
        return [-part for part in largest_remainder(-total, parts)]
    whole = sum(parts)
    if whole == 0:
        return [total] + [0] * (len(parts) - 1) if parts else []
    shares = [divmod(total * weight, whole) for weight in parts]
    given = [share for share, _ in shares]
    order = sorted(range(len(parts)), key=lambda i: (-shares[i][1], i))
    for i in order[: total - sum(given)]:
        given[i] += 1
    return given
