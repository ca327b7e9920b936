"""A sweep on disk: a folder with a run for each scenario, one table of all of them, and a chart."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from capplan.comparing import Measure
from capplan.errors import UsageError
from capplan.inventory import write_csv
from capplan.runs import read_table
from capplan.runs.folder import slug
from capplan.sweeping.chart import chart
from capplan.sweeping.rows import Tried
from capplan.sweeping.variants import Variant
from capplan.units import Currency, decimal_text

FILE, RUNS, SWEEPS = "sweep.json", "runs", Path("sweeps")
FORMAT_VERSION = 1
FIRST = (
    *("scenario", "kind", "subject", "value", "status", "gap", "cost", "cost_difference"),
    *("placed", "left_out", "homeless", "short", "run"),
)
"""Columns of every scenarios.csv; the figures of the plans follow."""

HOMELESS = ("scenario", "workload", "name", "organisation", "service", "reason")
ORGANISATIONS = ("scenario", "organisation", "cost", "left_out")

_OWN = {("cost", "total"), ("workloads", "placed"), ("workloads", "left out")}
TEXT = ("scenario", "kind", "subject", "value", "status", "short", "run")


@dataclass(frozen=True)
class Sweep:
    """A folder for a sweep of an inventory, and the run folder of each variant in it."""

    folder: Path
    title: str
    currency: Currency
    runs: tuple[Path, ...]


def open_sweep(
    folder: Path | None, title: str, currency: Currency, tried: Sequence[Variant], command: Sequence[str]
) -> Sweep:
    """A new folder, or that of an earlier sweep to go on with. Raises UsageError for any other folder."""
    if folder is None:
        folder = _new(SWEEPS / f"{datetime.now().astimezone():%Y-%m-%dT%H-%M-%S}-{slug(title)}")
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir()) and not (folder / FILE).is_file()):
        raise UsageError(f"{folder} is not empty and no sweep of capplan; name a folder that does not exist yet")
    try:
        (folder / RUNS).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"the sweep cannot be saved in {folder}: {error.strerror or error}") from error
    told = {
        "format_version": FORMAT_VERSION,
        "title": title,
        "currency": currency.code,
        "command": list(command),
        "scenarios": [{"scenario": one.name, "kind": one.kind} for one in tried],
    }
    text = json.dumps(told, ensure_ascii=False, indent=2) + "\n"
    _replace(folder / FILE, text.encode())
    return Sweep(folder, title, currency, tuple(folder / RUNS / name for name in _names(tried)))


def _new(wanted: Path) -> Path:
    folder, number = wanted, 1
    while folder.exists():
        number += 1
        folder = wanted.with_name(f"{wanted.name}-{number}")
    return folder


def _names(tried: Sequence[Variant]) -> list[str]:
    """A folder's name for each variant, all different."""
    taken: dict[str, int] = {}
    names = []
    for one in tried:
        name = slug(one.name)
        taken[name] = taken.get(name, 0) + 1
        names.append(name if taken[name] == 1 else f"{name}-{taken[name]}")
    return names


def read_sweep(folder: Path | str) -> tuple[Mapping[str, Any], Mapping[str, list[dict[str, str]]]]:
    """``sweep.json`` of a sweep and its tables by name, cells as text. Raises UsageError where there is none."""
    folder = Path(folder)
    path = folder / FILE
    if not path.is_file():
        raise UsageError(f"{folder} is no sweep: it has no {FILE}; capplan sweep writes them")
    info: Mapping[str, Any] = json.loads(path.read_bytes())
    return info, {name: read_table(folder / f"{name}.csv") for name in ("scenarios", "homeless", "organisations")}


def write_tables(sweep: Sweep, all_tried: Sequence[Tried]) -> None:
    """Write what is known so far: scenarios.csv, homeless.csv, organisations.csv and chart.svg."""
    columns, rows = row_table(sweep, all_tried)
    homeless = [
        [one.variant.name, gone.workload, gone.name, gone.organisation, gone.service, gone.reason]
        for one in all_tried
        for gone in one.row.homeless
    ]
    money = sweep.currency.decimal
    costs = [
        [one.variant.name, name, money(pence), left_out]
        for one in all_tried
        for name, pence, left_out in one.row.organisations
    ]
    _write(sweep, "scenarios", columns, rows, TEXT)
    _write(sweep, "homeless", HOMELESS, homeless, HOMELESS)
    _write(sweep, "organisations", ORGANISATIONS, costs, ORGANISATIONS[:2])
    _replace(sweep.folder / "chart.svg", chart(sweep.title, sweep.currency, all_tried).encode())


def _write(
    sweep: Sweep, name: str, columns: Sequence[str], rows: Sequence[Sequence[object]], text: Sequence[str]
) -> None:
    _replace(sweep.folder / f"{name}.csv", write_csv(None, columns, rows, text))


def _replace(path: Path, content: bytes) -> None:
    """Write a whole file or leave the old one."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(content)
    partial.replace(path)


def row_table(sweep: Sweep, all_tried: Sequence[Tried]) -> tuple[tuple[str, ...], list[list[object]]]:
    """Columns and rows of scenarios.csv, one row for each scenario."""
    figures = [{_column(measure): measure for measure in one.row.measures if _is_more(measure)} for one in all_tried]
    more = tuple(dict.fromkeys(column for found in figures for column in found))
    base = next((one.row.cost for one in all_tried if one.variant.kind == "base"), None)
    rows = [
        [
            *_first(sweep, one, base),
            *(_cell(sweep.currency, found.get(column), _absent(one, column)) for column in more),
        ]
        for one, found in zip(all_tried, figures, strict=True)
    ]
    return (*FIRST, *more), rows


def _first(sweep: Sweep, one: Tried, base: int | None) -> list[object]:
    variant, row = one.variant, one.row
    values = {(m.group, m.name): m.values[0] for m in row.measures}
    counts = [values.get(("workloads", name)) for name in ("placed", "left out")]
    more = None if row.cost is None or base is None else sweep.currency.decimal(row.cost - base)
    return [
        *(variant.name, variant.kind, variant.subject, variant.value, row.status),
        None if row.gap is None else decimal_text(Fraction(str(row.gap))),
        None if row.cost is None else sweep.currency.decimal(row.cost),
        more,
        *(None if count is None else decimal_text(count) for count in counts),
        None if row.cost is None else len(row.homeless),
        "; ".join(row.short),
        None if one.done.folder is None or row.status == "refused" else f"{RUNS}/{one.done.folder.name}",
    ]


def _is_more(measure: Measure) -> bool:
    return (measure.group, measure.name) not in _OWN


def _column(measure: Measure) -> str:
    """A name for a figure's column: ``cost_energy``, ``headroom_least_power_kw_free``."""
    unit = f"_{measure.unit}" if measure.unit not in ("", "money", "share", "workloads") else ""
    return re.sub(r"[^a-z0-9]+", "_", f"{measure.group} {measure.name}{unit}".lower()).strip("_")


def _absent(one: Tried, column: str) -> str | None:
    """A kind of cost that a plan does not have is nothing paid; other figures it does not have are blank."""
    return "0" if column.startswith("cost_") and one.row.cost is not None else None


def _cell(currency: Currency, measure: Measure | None, absent: str | None) -> str | None:
    value = measure.values[0] if measure is not None else None
    if measure is None or value is None:
        return absent
    if measure.unit == "money" and (value * currency.pence_per_unit).denominator == 1:
        return currency.decimal(int(value * currency.pence_per_unit))
    return decimal_text(value)
