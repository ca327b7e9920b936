"""Small charts of use over time, one for each site and resource."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction

from markupsafe import Markup

from capplan.report.fullness import Level
from capplan.report.markup import svg, tag
from capplan.report.words import MONTHS, dates, figure, percent, period_text

WIDTH, HEIGHT = 320, 150
LEFT, RIGHT, TOP, BOTTOM = 44, 8, 26, 24


def use_chart(title: str, levels: Sequence[Level]) -> Markup:
    """Steps of what is used, with lines at what may be used and at what there is, over the days of the periods.

    ``levels`` are those of one site and resource, in order of time.
    """
    axes = _Axes(levels)
    marks = [_column(axes, level) for level in levels]
    children = [
        tag("title", title),
        tag("text", title, x=0, y=14, class_="chart-title"),
        *axes.grid(),
        *marks,
        _steps(axes, levels, "usable"),
        _steps(axes, levels, "capacity"),
        *axes.days(),
    ]
    return svg(WIDTH, HEIGHT, children, class_="curve", role="img", aria_label=title)


class _Axes:
    """Days to the right, amounts upwards."""

    def __init__(self, levels: Sequence[Level]) -> None:
        spans = [dates(level.period) or (date.min, date.min) for level in levels]
        self.first, self.end = spans[0][0].toordinal(), spans[-1][1].toordinal() + 1
        amounts = [a for level in levels for a in (level.used, level.usable, level.capacity) if a is not None]
        self.top = max([*amounts, Fraction(1, 10**6)])

    def x(self, day: int) -> float:
        return LEFT + (day - self.first) * (WIDTH - LEFT - RIGHT) / max(self.end - self.first, 1)

    def y(self, amount: Fraction) -> float:
        return HEIGHT - BOTTOM - float(amount / self.top) * (HEIGHT - TOP - BOTTOM)

    def span(self, level: Level) -> tuple[float, float]:
        first, last = dates(level.period) or (date.min, date.min)
        return self.x(first.toordinal()), self.x(last.toordinal() + 1)

    def grid(self) -> list[Markup]:
        """The least and the greatest amount."""
        made = []
        for amount in (Fraction(0), self.top):
            y = self.y(amount)
            made.append(tag("line", class_="axis", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y))
            made.append(tag("text", figure(amount, 1), class_="tick", x=LEFT - 5, y=y + 4, text_anchor="end"))
        return made

    def days(self) -> list[Markup]:
        """The first and the last month."""
        first, last = date.fromordinal(self.first), date.fromordinal(self.end - 1)
        texts = ((LEFT, "start", first), (WIDTH - RIGHT, "end", last))
        return [
            tag("text", f"{MONTHS[when.month - 1]} {when.year}", class_="tick", x=x, y=HEIGHT - 7, text_anchor=anchor)
            for x, anchor, when in texts
        ]


def _column(axes: _Axes, level: Level) -> Markup:
    left, right = axes.span(level)
    top, floor = axes.y(level.used), axes.y(Fraction(0))
    classes = "used over" if level.mark == "over" else "used tight" if level.mark else "used"
    return tag(
        "rect",
        class_=f"{classes} mark",
        x=left,
        y=top,
        width=max(right - left - 1, 0.5),
        height=floor - top,
        data_tip=level_text(level),
    )


def level_text(level: Level) -> str:
    """A level in words: ``1 Apr – 30 Jun 2016: 8.9 of 11.2 kW usable, 79.5 %``."""
    used = f"{period_text(level.period)}: {figure(level.used)}"
    if level.usable is None:
        return f"{used} {level.unit}, unlimited"
    mark = f", {level.mark}" if level.mark else ""
    return f"{used} of {figure(level.usable)} {level.unit} usable, {percent(level.share)}{mark}"


def _steps(axes: _Axes, levels: Sequence[Level], name: str) -> Markup:
    """A line that steps from period to period."""
    points: list[str] = []
    for level in levels:
        amount = level.usable if name == "usable" else level.capacity
        if amount is None:
            continue
        left, right = axes.span(level)
        y = axes.y(amount)
        points.append(f"{'L' if points else 'M'}{left:.1f} {y:.1f}L{right:.1f} {y:.1f}")
    return tag("path", class_=name, d="".join(points), fill="none")
