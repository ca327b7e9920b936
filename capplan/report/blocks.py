"""What a page is made of. Every block is plain data; ``templates/blocks.html.j2`` says how it looks.

Text is escaped when it is written; only ``Markup`` made by ``markup.tag`` is taken as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, TypeAlias

from markupsafe import Markup


class Tone(StrEnum):
    """How an answer sounds; shown as a sign and a word, the colour only repeats it."""

    GOOD = "good"
    PLAIN = "plain"
    WATCH = "watch"
    BAD = "bad"


@dataclass(frozen=True)
class Text:
    """Paragraphs."""

    kind: ClassVar[str] = "text"
    paragraphs: Sequence[str]


@dataclass(frozen=True)
class Listing:
    """Points, each with points of its own."""

    kind: ClassVar[str] = "listing"
    items: Sequence[tuple[str, Sequence[str]]]

    @staticmethod
    def of(items: Sequence[str]) -> Listing:
        """Points without points below them."""
        return Listing([(item, ()) for item in items])


@dataclass(frozen=True)
class Verbatim:
    """Text whose lines and spaces stay as they are."""

    kind: ClassVar[str] = "verbatim"
    text: str


@dataclass(frozen=True)
class Answer:
    """A question a reader comes with, and its answer in words; ``anchor`` is the section that has the detail."""

    question: str
    paragraphs: Sequence[str]
    tone: Tone = Tone.PLAIN
    word: str = ""
    anchor: str = ""


@dataclass(frozen=True)
class Answers:
    """The headline answers."""

    kind: ClassVar[str] = "answers"
    answers: Sequence[Answer]


@dataclass(frozen=True)
class Column:
    """A column of a table: ``numeric`` ones stand to the right, a ``bar`` holds a drawing and gets the room left."""

    label: str
    numeric: bool = False
    bar: bool = False


@dataclass(frozen=True)
class Key:
    """One entry of a legend: a class of the style sheet and what it stands for."""

    mark: str
    text: str


@dataclass(frozen=True)
class Table:
    """A table to read, cells as text or markup. The first cell of a row names it."""

    kind: ClassVar[str] = "table"
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[str | Markup]]
    note: str = ""
    legend: Sequence[Key] = ()


@dataclass(frozen=True)
class Figure:
    """One or several drawings side by side, with the table that says the same."""

    kind: ClassVar[str] = "figure"
    caption: str
    drawings: Sequence[Markup]
    table: Table
    legend: Sequence[Key] = ()
    note: str = ""
    wide: bool = False


@dataclass(frozen=True)
class Explorer:
    """A long table to filter and sort, however many rows. ``choose`` are columns with a list to pick from."""

    kind: ClassVar[str] = "explorer"
    name: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    choose: Sequence[str] = ()
    file: str = ""


@dataclass(frozen=True)
class Fold:
    """Blocks that are shown when somebody asks."""

    kind: ClassVar[str] = "fold"
    label: str
    blocks: Sequence[Block]


Block: TypeAlias = Text | Listing | Verbatim | Answers | Table | Figure | Explorer | Fold


@dataclass(frozen=True)
class Section:
    """A part of a page with a heading."""

    anchor: str
    heading: str
    blocks: Sequence[Block]
    lead: str = ""


@dataclass(frozen=True)
class Page:
    """A whole page. ``facts`` are short pairs below the title, ``status`` how it stands in a word."""

    title: str
    subtitle: str
    sections: Sequence[Section]
    facts: Sequence[tuple[str, str]] = ()
    status: str = ""
    tone: Tone = Tone.PLAIN
    notices: Sequence[str] = field(default=())
    footer: str = ""
