"""Elements of HTML and SVG, escaped as they are made."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from markupsafe import Markup, escape


def tag(element: str, *children: object, **attributes: object) -> Markup:
    """An element. ``class_`` and ``data_tip`` become ``class`` and ``data-tip``; attributes that are None are left out.

    >>> tag("text", "a < b", x=3, class_="label")
    Markup('<text x="3" class="label">a &lt; b</text>')
    """
    given = ((name, value) for name, value in attributes.items() if value is not None)
    written = Markup("").join(Markup(' {}="{}"').format(Markup(_name(name)), _value(value)) for name, value in given)
    content = Markup("").join(map(escape, children))
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(element), written, content)


def _name(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


def _value(value: object) -> object:
    """Numbers with at most two decimals: finer than any screen, and the same on every machine."""
    if isinstance(value, float | Fraction):
        return number(value)
    return value


def number(value: float | Fraction) -> str:
    """A coordinate: at most two decimals, none where it is whole."""
    text = f"{float(value):.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def svg(width: int, height: int, children: Sequence[object], **attributes: object) -> Markup:
    """A drawing that is as wide as its place."""
    return tag("svg", *children, viewBox=f"0 0 {width} {height}", **attributes)
