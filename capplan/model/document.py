"""The keys of a model file: types, defaults and descriptions, of which the JSON Schema is made."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Collection, Iterator
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from capplan.errors import did_you_mean
from capplan.model.fields import Day, Number, Options, Share, Switch, Text, Whole, kind_of, wrong
from capplan.units import decimal_text, percent_text

LARGEST_SEED = 2**31 - 1
MOST_WORKERS = 1024
_MONTHS = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}
_DAYS = {"day": 1, "week": 7}
_PLAIN_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)


def known_goal(name: str, info: ValidationInfo) -> str:
    """The name of a goal, if the validation context (a collection of names, or None) has it."""
    goals: Collection[str] | None = info.context
    if goals is None or name in goals:
        return name
    known = ", ".join(sorted(goals))
    raise wrong("unknown-goal", f'there is no goal "{name}"', did_you_mean(name, goals, f"known: {known}"))


def _weighted(goal: object) -> object:
    return {goal: 1} if isinstance(goal, str) else goal


GoalName = Annotated[Text, AfterValidator(known_goal)]
Goal = Annotated[
    dict[GoalName, Annotated[Number, Field(gt=0)]],
    BeforeValidator(_weighted, json_schema_input_type=Text | dict[Text, Annotated[Number, Field(gt=0)]]),
    Field(min_length=1, examples=[{"cost": 1, "forgone": 1}]),
]


def below_whole(share: Fraction) -> Fraction:
    """The headroom, if it leaves something to use."""
    if share < 1:
        return share
    said = f"headroom of {percent_text(share)} leaves nothing to use"
    raise wrong("headroom-inverted", said, "headroom is the share kept free: write less than 100%")


def _purchases(value: object) -> object:
    if isinstance(value, list) or value in ("all", "none"):
        return value
    said = f"{kind_of(value)} does not say what may be bought"
    raise wrong("wrong-value", said, "write all, none or a list of ids")


def _purchases_form(value: object) -> str:
    return "ids" if isinstance(value, list) else "word"


class Periods(Options):
    """The horizon, cut into periods; either ``from``, ``every`` and ``count``, or ``cuts``."""

    from_: Day | None = Field(None, alias="from", description="first day of the first period")
    every: Literal["day", "week", "month", "quarter", "half_year", "year"] | None = Field(
        None, description="length of a period"
    )
    count: Annotated[Whole, Field(ge=1, le=1000)] | None = Field(None, description="number of periods")
    cuts: list[Day] | None = Field(
        None,
        min_length=2,
        description="n + 1 days that cut the horizon into n periods",
        examples=[["2016-01-01", "2017-01-01"]],
    )

    @model_validator(mode="after")
    def one_form(self) -> Periods:
        """Either form, whole, with days that exist and ascend."""
        regular = (self.from_, self.every, self.count)
        if (self.cuts is None) != all(part is not None for part in regular) or (
            self.cuts is not None and any(part is not None for part in regular)
        ):
            fix = "write {from: 2016-01-01, every: quarter, count: 4} or {cuts: [2016-01-01, 2017-01-01]}"
            raise wrong("wrong-value", "periods need from, every and count, or cuts alone", fix)
        try:
            days = list(self.days())
        except (OverflowError, ValueError):
            raise wrong(
                "impossible-date", "the last period ends after the year 9999", "write a smaller count"
            ) from None
        for one, next_one in pairwise(days):
            if one >= next_one:
                raise wrong("impossible-date", f"{next_one} does not come after {one}", "write the cuts in order")
        return self

    def days(self) -> Iterator[date]:
        """The days that cut the horizon: one more than there are periods."""
        if self.cuts is not None or self.from_ is None or self.every is None or self.count is None:
            yield from self.cuts or ()
            return
        for step in range(self.count + 1):
            if self.every in _DAYS:
                yield self.from_ + timedelta(days=step * _DAYS[self.every])
            else:
                yield months_later(self.from_, step * _MONTHS[self.every])


def months_later(day: date, months: int) -> date:
    """The same day so many months later; a month that is too short gives its last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > date.max.year:
        raise OverflowError("after the year 9999")
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


class SolverKeys(Options):
    """How long and how hard to search."""

    time_limit_s: Annotated[Number, Field(gt=0)] = Field(Decimal(60), description="seconds before the search stops")
    gap: Share = Field(Fraction(0), description="distance from the best possible that is good enough")
    seed: Annotated[Whole, Field(ge=0, le=LARGEST_SEED)] = Field(1, description="start of the random numbers")
    workers: Annotated[Whole, Field(ge=1, le=MOST_WORKERS)] = Field(2, description="threads")
    deterministic: Switch = Field(True, description="same input, same plan")


class ModelKeys(Options):
    """A planning model of capplan."""

    format: Literal[1] = Field(description="version of this format")
    title: Text = Field("", description="what this model is, in a few words")
    description: Text = Field("", description="what it assumes, and when to use it")
    extends: Text | None = Field(
        None, description="a shipped model's name, or a relative path; what is written here wins"
    )
    headroom: dict[Text, Annotated[Share, AfterValidator(below_whole)]] = Field(
        {},
        description="share of physical capacity, bought capacity included, that is kept free, by resource",
        examples=[{"power_kw": "20%"}],
    )
    rules: dict[Text, Any] = Field(
        {}, description="rules by name: options, {} or on, or off", examples=[{"latency": {}}]
    )
    left_out: Literal["optional", "any"] = Field(
        "optional", description="what may be left out: only workloads with a value, or any"
    )
    purchases: Annotated[
        Annotated[Literal["all", "none"], Tag("word")] | Annotated[list[Text], Tag("ids")],
        Discriminator(_purchases_form),
        BeforeValidator(_purchases),
        WithJsonSchema({"anyOf": [{"enum": ["all", "none"]}, {"type": "array", "items": {"type": "string"}}]}),
    ] = Field("all", description="what may be bought: all, none, or a list of ids")
    goals: list[Goal] = Field(
        [{"unplaced": Decimal(1)}, {"cost": Decimal(1), "forgone": Decimal(1)}, {"moves": Decimal(1)}],
        min_length=1,
        description="what to make small, in order of priority; a goal may be a weighted sum",
        examples=[["unplaced", "cost"]],
    )
    periods: Periods | None = Field(
        None,
        description="the horizon; without it, 365 days from the inventory's as_of",
        examples=[{"from": "2016-01-01", "every": "quarter", "count": 4}],
    )
    solver: SolverKeys = Field(SolverKeys(), description="how long and how hard to search")
    scenarios: dict[Text, Any] = Field(
        {},
        description="named changes to this model and to the inventory",
        examples=[{"as-is": {"purchases": "none"}}],
    )


def _factor(text: str) -> str:
    """A factor as a plain number, written as one or as a percentage."""
    number = text.strip().removesuffix("%").strip()
    try:
        factor = Fraction(number if _PLAIN_NUMBER.fullmatch(number) else "")
    except ValueError:
        raise wrong("wrong-value", f'"{text}" is no factor', "write a number such as 1.1, or 110%") from None
    return decimal_text(factor / 100 if "%" in text else factor, 20)


def _amount(text: str) -> str:
    if _PLAIN_NUMBER.fullmatch(text.strip()):
        return text.strip()
    raise wrong("wrong-value", f'"{text}" is no amount', "write a number such as 5 or -2.5")


class Changes(Options):
    """What a scenario changes in the inventory."""

    stack: list[Text] = Field([], description="scenarios whose changes come first", examples=[["lose-b", "more-users"]])
    set: dict[Text, Text] = Field(
        {}, description="cells to replace: table.key.column: value; * in place of the key is every row"
    )
    scale: dict[Text, Annotated[Text, AfterValidator(_factor)]] = Field(
        {}, description="numbers to multiply: table.key.column: factor, such as 1.1 or 110%"
    )
    increase: dict[Text, Annotated[Text, AfterValidator(_amount)]] = Field(
        {}, description="numbers to add to: table.key.column: amount"
    )
    add: dict[Text, list[dict[Text, Text]]] = Field(
        {}, description="rows to add: table: [{column: value}]", examples=[{"sites": [{"site": "C", "power_kw": "10"}]}]
    )
    remove: dict[Text, list[Text]] = Field(
        {}, description="rows to leave out: table: [ids]", examples=[{"sites": ["B"]}]
    )
