"""The chart of a sweep: what every scenario costs, as bars, with what it leaves without a home."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from capplan.sweeping.rows import Tried
from capplan.units import Currency

ROW, TOP, LABELS, BARS, RIGHT = 24, 56, 300, 460, 240
LONGEST_NAME = 38
# Okabe and Ito's colours, which people with any colour vision tell apart.
BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#777777"

STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#222}.t{font-weight:600;font-size:16px}.n{text-anchor:end}"
    "svg{background:#fff}@media(prefers-color-scheme:dark){svg{background:#1b1b1b}text{fill:#eee}}"
)


def chart(title: str, currency: Currency, all_tried: Sequence[Tried]) -> str:
    """An SVG image of the costs; equal input gives equal bytes."""
    dearest = max((one.row.cost or 0 for one in all_tried), default=0) or 1
    height, width = TOP + ROW * len(all_tried) + 16, LABELS + BARS + RIGHT
    base = next((one.row.cost for one in all_tried if one.variant.kind == "base"), None)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'role="img" aria-labelledby="title desc">',
        f'<title id="title">{escape(title)}: cost of every scenario</title>',
        f'<desc id="desc">{escape(_in_words(currency, all_tried))}</desc>',
        f"<style>{STYLE}</style>",
        f'<text class="t" x="8" y="24">{escape(title)}: cost of every scenario</text>',
    ]
    if any(one.row.homeless for one in all_tried):
        lines.append(
            f'<rect x="{LABELS + BARS + 8}" y="13" width="12" height="12" fill="{ORANGE}"/>'
            f'<text x="{LABELS + BARS + 26}" y="24">something has no home</text>'
        )
    for number, one in enumerate(all_tried):
        lines += _bar(currency, one, TOP + ROW * number, dearest)
    if base:
        x = LABELS + _length(base, dearest)
        lines.append(
            f'<path d="M{x} {TOP - 8}V{height - 12}" stroke="{GREY}" stroke-dasharray="4 3" fill="none"/>'
            f'<text x="{x}" y="{TOP - 12}" text-anchor="middle">base</text>'
        )
    return "\n".join([*lines, "</svg>", ""])


def _length(pence: int, dearest: int) -> int:
    return max(0, pence) * BARS // dearest


def _bar(currency: Currency, one: Tried, y: int, dearest: int) -> list[str]:
    name, row = one.variant.name, one.row
    short = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
    label = f'<text class="n" x="{LABELS - 8}" y="{y + 15}"><title>{escape(name)}</title>{escape(short)}</text>'
    length = _length(row.cost or 0, dearest)
    # Beside all bars, so that the line of the base strikes none of it through.
    text = f'<text x="{LABELS + BARS + 8}" y="{y + 15}">{escape(_text(currency, one))}</text>'
    if row.cost is None:
        return [label, text]
    colour = ORANGE if row.homeless else BLUE
    return [label, f'<rect x="{LABELS}" y="{y + 3}" width="{max(1, length)}" height="16" fill="{colour}"/>', text]


def _text(currency: Currency, one: Tried) -> str:
    row = one.row
    if row.cost is None:
        return row.status
    gone = f", {len(row.homeless)} without a home" if row.homeless else ""
    return f"{currency.text(row.cost)}{gone}"


def _in_words(currency: Currency, all_tried: Sequence[Tried]) -> str:
    return "; ".join(f"{one.variant.name}: {_text(currency, one)}" for one in all_tried)
