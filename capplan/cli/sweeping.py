"""``capplan sweep``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from capplan.cli.command import Exit
from capplan.cli.faults import complain
from capplan.cli.jobs import all_done
from capplan.cli.terminal import FORMAT_VERSION, Terminal, aligned, counted
from capplan.cli.without_plan import without_plan_text
from capplan.errors import UsageError, printable
from capplan.jobs import REFUSED, Job, Tuning
from capplan.model.adhoc import Asked
from capplan.runs.facts import number
from capplan.sweeping import Sweep, Task, Tried, Variant, Wishes, open_sweep, row_table, tried, variants, write_tables
from capplan.sweeping.variants import over
from capplan.tasks import read_task
from capplan.units import Currency

BEREFT_SHOWN = 20
HOMELESS_NAMED = 10
LONGEST_REASON = 110
EVERY = "all"


@dataclass(frozen=True)
class Wanted:
    """What the command line asked for."""

    inventory: Path
    model: str | None
    wishes: Wishes
    asked: Asked
    output: Path | None
    jobs: int | None
    tuning: Tuning
    fresh: bool


def sweep(terminal: Terminal, wanted: Wanted, *, as_json: bool) -> int:
    """Try everything, save, print. Returns the exit code."""
    task = read_task(wanted.inventory, wanted.model, None, asked=wanted.asked)
    complain(terminal, task.warnings)
    wishes = _wishes(wanted.wishes, task.model.scenarios)
    to_try = variants(wishes, task.inventory, task.model)
    _check_scenarios(to_try, task.model.scenarios)
    currency = task.inventory.currency
    place = open_sweep(wanted.output, task.inventory.title, currency, to_try, sys.argv[1:])
    found = _try_all(terminal, wanted, place, to_try)
    refused = [one for one in found if one.row.status == REFUSED]
    for one in refused:
        terminal.complain(printable(f"{one.variant.name}: refused"))
        complain(terminal, one.done.faults)
    if as_json:
        terminal.say_json(_json(place, found))
    else:
        terminal.page(f"{_text(place, found)}\n")
        terminal.say(str(place.folder))
    return Exit.FINDINGS if refused else Exit.DONE


def _wishes(wishes: Wishes, names: Sequence[str]) -> Wishes:
    """All scenarios of the model where nothing, or ``all``, was asked for."""
    if EVERY in wishes.scenarios and EVERY not in names:
        return replace(wishes, scenarios=tuple(names))
    if wishes:
        return wishes
    if not names:
        more = "--each-site-lost, --each-operator-lost, --growth or --range"
        raise UsageError(f"there is nothing to try: the model has no scenarios; give {more}")
    return replace(wishes, scenarios=tuple(names))


def _check_scenarios(to_try: Sequence[Variant], names: Sequence[str]) -> None:
    """Tell an unknown name before anything is solved."""
    unknown = dict.fromkeys(
        part
        for one in to_try
        if one.scenario and one.scenario not in names
        for part in (name.strip() for name in one.scenario.split("+"))
        if part not in names
    )
    if unknown:
        known = ", ".join(names) or "none"
        raise UsageError(f"the model has no scenario {' and no '.join(unknown)}; scenarios of this model: {known}")


def _try_all(terminal: Terminal, wanted: Wanted, place: Sweep, to_try: Sequence[Variant]) -> list[Tried]:
    """Every variant tried, in the order asked for; what is known is saved even where the rest is cut short."""
    tasks = [_task(wanted, one, folder) for one, folder in zip(to_try, place.runs, strict=True)]
    found: dict[int, Tried] = {}
    try:
        found.update(all_done(terminal, tried, tasks, wanted.jobs, lambda _, one: _news(place.currency, one)))
    except KeyboardInterrupt:
        with suppress(OSError):
            write_tables(place, [found[i] for i in sorted(found)])
        again = f"the same command with -o {place.folder} goes on from here"
        terminal.note(f"stopped after {len(found)} of {len(tasks)}; {again}")
        raise
    in_order = [found[i] for i in range(len(tasks))]
    write_tables(place, in_order)
    return in_order


def _task(wanted: Wanted, variant: Variant, folder: Path) -> Task:
    laid = over(variant, None, wanted.asked)
    job = Job(
        wanted.inventory,
        wanted.model,
        folder,
        laid.scenario,
        laid.asked,
        wanted.tuning,
        tuple(sys.argv[1:]),
        without_plan_text,
    )
    return Task(variant, job, wanted.fresh)


def _news(currency: Currency, one: Tried) -> str:
    cost = "" if one.row.cost is None else f", {currency.text(one.row.cost)}"
    gone = f", {len(one.row.homeless)} without a home" if one.row.homeless else ""
    known = ", known from before" if one.done.reused else f", {one.done.seconds:.1f} s"
    return f"{one.variant.name}: {one.row.status}{cost}{gone}{known}"


def _text(place: Sweep, found: Sequence[Tried]) -> str:
    bereft = [one for one in found if one.row.homeless]
    sections = [_table(place.currency, found), *(_homeless(one) for one in bereft[:BEREFT_SHOWN])]
    short = [one for one in found if one.row.short]
    sections.insert(1, _short(short))
    if len(bereft) > BEREFT_SHOWN:
        sections.append([f"And {counted(len(bereft) - BEREFT_SHOWN, 'more scenario')}: see homeless.csv"])
    return "\n\n".join("\n".join(map(printable, lines)) for lines in sections if lines)


def _table(currency: Currency, found: Sequence[Tried]) -> list[str]:
    base = next((one.row.cost for one in found if one.variant.kind == "base"), None)
    body = []
    for one in found:
        values = {(m.group, m.name): m.values[0] for m in one.row.measures}
        counts = [values.get(key) for key in (("workloads", "left out"), ("workloads", "moved"), ("sites", "used"))]
        cost = one.row.cost
        change = "" if cost is None or base is None or cost == base else _change(currency, cost - base)
        texts = ["" if count is None else str(count) for count in counts]
        money = "" if cost is None else currency.text(cost)
        gone = str(len(one.row.homeless)) if cost is not None else ""
        body.append([one.variant.name, one.row.status, money, change, texts[0], gone, *texts[1:]])
    header = ["scenario", "status", "cost", "against base", "left out", "no home", "moved", "sites used"]
    return ["Scenarios", *aligned(header, body, lambda i: i > 1)]


def _short(found: Sequence[Tried]) -> list[str]:
    """What stands in the way where there is no plan."""
    lines = [
        f"  {one.variant.name}: {_cut(one.row.short[0].partition('; largest')[0])}" for one in found[:BEREFT_SHOWN]
    ]
    more = [f"  and {len(found) - BEREFT_SHOWN:,} more: see scenarios.csv"] if len(found) > BEREFT_SHOWN else []
    return ["No plan, because", *lines, *more] if lines else []


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_REASON else text[:LONGEST_REASON].rsplit(" ", 1)[0] + " …"


def _change(currency: Currency, pence: int) -> str:
    return f"{'+' if pence > 0 else ''}{currency.text(pence)}"


def _homeless(one: Tried) -> list[str]:
    """What a scenario leaves without a home, and in short why."""
    gone, lines = one.row.homeless, []
    for row in gone[:HOMELESS_NAMED]:
        named = f"{row.workload} ({row.organisation})" + (
            f" {row.name or row.service}" if row.name or row.service else ""
        )
        lines += [f"  {named}", f"    {_cut(row.reason)}"]
    more = [f"  and {len(gone) - HOMELESS_NAMED:,} more: see homeless.csv"] if len(gone) > HOMELESS_NAMED else []
    owners = len({row.organisation for row in gone})
    heading = (
        f"{one.variant.name}: {counted(len(gone), 'workload')} of {counted(owners, 'organisation')} without a home"
    )
    return [heading, *lines, *more]


def _json(place: Sweep, found: Sequence[Tried]) -> dict[str, object]:
    columns, rows = row_table(place, found)
    return {
        "format_version": FORMAT_VERSION,
        "sweep": str(place.folder),
        "scenarios": [
            {
                **{column: _plain(column, cell) for column, cell in zip(columns, row, strict=True)},
                "homeless": [gone.workload for gone in one.row.homeless],
            }
            for one, row in zip(found, rows, strict=True)
        ],
    }


def _plain(column: str, cell: object) -> object:
    texts = {"scenario", "kind", "subject", "value", "status", "short", "run"}
    return cell if cell is None or column in texts else number(Fraction(str(cell)))
