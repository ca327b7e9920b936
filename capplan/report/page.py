"""A page as one file: its style and script inside, nothing fetched, and a policy that forbids everything else."""

from __future__ import annotations

import json
from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from capplan.report.blocks import Block, Explorer, Fold, Page, Section

ROWS_WRITTEN = 100
"""Rows of a long table that stand in the page as they are: what is seen without a script."""


def html(page: Page) -> str:
    """The page as HTML."""
    style, script = _asset("report.css"), _asset("report.js")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    explorers = {block.name: _data(block) for section in page.sections for block in _explorers(section)}
    text = _environment().get_template("page.html.j2")
    return text.render(
        page=page,
        # Both are ours and hold no "</"; a hash of them would not hold for an escaped text.
        style=Markup(style),
        script=Markup(script),
        policy=policy,
        explorers=explorers,
        rows_written=ROWS_WRITTEN,
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("capplan.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _asset(name: str) -> str:
    return files("capplan.report").joinpath("assets", name).read_text("utf-8").strip()


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _explorers(section: Section) -> list[Explorer]:
    found: list[Explorer] = []
    blocks: list[Block] = list(section.blocks)
    while blocks:
        block = blocks.pop(0)
        if isinstance(block, Explorer):
            found.append(block)
        elif isinstance(block, Fold):
            blocks = [*block.blocks, *blocks]
    return found


def _data(explorer: Explorer) -> Markup:
    """The rows as JSON by column: its different texts, and for each row which of them it has."""
    columns = []
    for number, column in enumerate(explorer.columns):
        cells = [row[number] for row in explorer.rows]
        values = list(dict.fromkeys(cells))
        entry: dict[str, object] = {"label": column.label, "numeric": column.numeric, "values": values}
        if len(values) < len(cells):
            which = {value: code for code, value in enumerate(values)}
            entry["codes"] = [which[cell] for cell in cells]
        entry["choose"] = column.label in explorer.choose
        columns.append(entry)
    content = {"file": explorer.file or explorer.name, "count": len(explorer.rows), "columns": columns}
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    # Inside a script element only "<" can end it or begin a comment; JSON knows it by its number as well.
    return Markup(text.replace("<", "\\u003c"))
