"""What one table leaves unsaid because another says it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from capplan.errors import Faults
from capplan.inventory.cells import Finding
from capplan.inventory.csvfile import Texts
from capplan.inventory.raw import RawTable, report
from capplan.inventory.source import Places


def implied_organisations(organisations: RawTable, workloads: RawTable) -> RawTable:
    """The rows of an absent ``organisations.csv``: those that workloads name."""
    names = workloads.texts.get("organisation")
    if names is None:
        return organisations
    first: dict[str, int] = {}
    for row, text in enumerate(names.list()):
        if text:
            first.setdefault(text, row)
    rows = np.array(sorted(first.values()), dtype=np.int64)
    source = workloads.places.source
    fields = {name: index for name, index in source.fields.items() if name == "organisation"}
    places = Places(replace(source, fields=fields))
    texts = {"organisation": names.take(rows)}
    return replace(organisations, texts=texts, lines=workloads.lines[rows], places=places)


def at_the_only_site(expansions: RawTable, sites: RawTable, faults: Faults) -> RawTable:
    """Expansions whose blank site is the inventory's only one; where there is not just one, that is a fault."""
    texts = expansions.texts.get("site") or Texts(("",), np.zeros(len(expansions), dtype=np.int64))
    blank = [i for i, text in enumerate(texts.distinct) if not text]
    if not (blank and len(expansions) and sites.whole):
        return expansions
    if len(sites) != 1:
        message = f"is empty, and the inventory has not one site but {len(sites)}"
        finding = Finding("empty-mandatory-cell", message, "name the site")
        report(expansions, "site", texts, dict.fromkeys(blank, finding), faults)
        return expansions
    (only,) = sites.text("site")
    filled = tuple(text or only for text in texts.distinct)
    return expansions.with_texts("site", Texts(filled, texts.code))
