"""The kinds of value a model file holds, shared by the model and by the options of rules.

A rule's options are a subclass of ``Options`` whose fields use these types (``Number``, ``Share``, ``Text``,
``Day``); plain ``int``, ``bool``, ``Literal`` and mappings of them work as well. Nothing here makes a float.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from capplan.located import LONGEST_NUMBER, Retyped, Value
from capplan.units import decimal_text

_PLAIN = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?", re.ASCII)
_SHARE = re.compile(r"([-+]?[0-9]+(?:\.[0-9]+)?)( ?%)?", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)

_ODD_NUMBERS = (
    (re.compile(r"[-+]?\d{1,3}(?:[, \u00a0']\d{3})+(?:\.\d+)?"), "number-with-separator", "has a separator"),
    (re.compile(r"[-+]?\d+,\d+%?"), "decimal-comma", "has a decimal comma"),
    (re.compile(r"[-+]?[\d_]*_[\d_.]*"), "number-with-underscore", "has an underscore"),
    (re.compile(r"[-+]?(\.?(nan|inf)|infinity|[\d.]+e[-+]?\d+)", re.IGNORECASE), "non-finite-number", ""),
    (re.compile(r"[-+]?[\d.]+ ?%"), "percent-form", "is a percentage"),
    (re.compile(r"[£$€]\s*[\d.,]+"), "currency-in-cell", "has a currency sign"),
)


class Options(BaseModel):
    """Base of every options class: nothing unknown, nothing changed afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class Odd:
    """A ``Retyped`` scalar on its way into pydantic, which would take it for plain text otherwise."""

    text: str
    becomes: str

    def __str__(self) -> str:
        return self.text


Wrapped: TypeAlias = "bool | int | Decimal | str | Odd | list[Wrapped] | dict[str, Wrapped] | None"


def wrapped(value: Value) -> Wrapped:
    """The value with every ``Retyped`` text made an ``Odd``."""
    if isinstance(value, Retyped):
        return Odd(str(value), value.becomes)
    if isinstance(value, list):
        return [wrapped(part) for part in value]
    if isinstance(value, dict):
        return {key: wrapped(part) for key, part in value.items()}
    return value


def wrong(code: str, message: str, fix: str) -> PydanticCustomError:
    """A validation error that carries its own code, words and fix."""
    return PydanticCustomError(code, "{message}", {"message": message, "fix": fix})


def _number(value: object) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    text = str(value)
    if isinstance(value, str) and _PLAIN.fullmatch(text) and len(text) <= LONGEST_NUMBER:
        return Decimal(text)
    raise _not_a_number(value, "a plain number such as 1.5")


def _not_a_number(value: object, wanted: str) -> PydanticCustomError:
    if not isinstance(value, (str, Odd)):
        return wrong("wrong-value", f"{kind_of(value)} stands where a number belongs", f"write {wanted}")
    text = str(value)
    if any(not mark.isascii() and (mark.isdigit() or mark == "\u2212") for mark in text):
        return wrong("non-ascii-number", f'"{text}" has other than ASCII digits or signs', f"write {wanted}")
    for pattern, code, why in _ODD_NUMBERS:
        if pattern.fullmatch(text):
            return wrong(code, f'"{text}" {why or "is not a plain finite number"}', f"write {wanted}")
    if isinstance(value, Odd):
        return wrong("yaml-retyped-scalar", f"{text} means different things to YAML readers", f"write {wanted}")
    return wrong("wrong-value", f'"{text}" is not a number', f"write {wanted}")


def kind_of(value: object) -> str:
    """What a value is, in words for a message."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _share(value: object) -> Fraction:
    if isinstance(value, Fraction):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, Decimal, str)):
        raise _not_a_number(value, "a share such as 20%")
    match = _SHARE.fullmatch(str(value))
    if not match or len(str(value)) > LONGEST_NUMBER:
        raise _not_a_number(value, "a share such as 20%")
    number = Fraction(match[1])
    if number < 0:
        raise wrong("non-positive-quantity", f"{value} is negative", "write a share from 0% to 100%")
    if match[2]:
        return number / 100
    if number > 1:
        raise wrong("percent-form", f"{value} is more than the whole", f"write {decimal_text(number)}% with the sign")
    return number


def _day(value: object) -> date:
    if isinstance(value, date):
        return value
    text = str(value)
    if not isinstance(value, str) or not _DAY.fullmatch(text):
        slashed = re.fullmatch(r"\d{1,2}[/.]\d{1,2}[/.]\d{2,4}", text)
        code = "ambiguous-date" if slashed else "impossible-date"
        raise wrong(code, f"{kind_of(value)} is not an ISO date", "write year-month-day, such as 2016-01-31")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise wrong("impossible-date", f'"{text}" is no day: {error}', "write a day that exists") from None


Number = Annotated[Decimal, BeforeValidator(_number)]
"""An exact decimal; ``Annotated[Number, Field(ge=0)]`` bounds it."""

Share = Annotated[
    Fraction,
    PlainValidator(_share),
    PlainSerializer(lambda share: f"{decimal_text(share * 100, LONGEST_NUMBER)}%", return_type=str),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)? ?%$"},
                {"type": "number", "minimum": 0, "maximum": 1},
            ],
            "examples": ["20%"],
        }
    ),
]
"""A share of a whole: ``20%`` or ``0.2``, as an exact fraction."""

Day = Annotated[date, PlainValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
"""A day, written as 2016-01-31."""

Whole = Annotated[int, Field(strict=True)]
"""A whole number; neither a truth value nor text in quotes."""

Switch = Annotated[bool, Field(strict=True)]
"""``true`` or ``false``."""

Text = Annotated[str, WithJsonSchema({"type": "string"})]
"""Text; what YAML would make a number or a truth value must stand in quotes."""


class RuleOptions(Options):
    """Base of the options of every rule."""

    broken_today: Literal["forbid", "mend"] = Field(
        default="forbid",
        description="mend: what the current allocation breaks may stay, is mended if possible, and never gets worse",
    )
