"""``capplan check``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from capplan.checking import Change, Checked, Finding, written
from capplan.checking import check as check_allocation
from capplan.cli.command import Exit
from capplan.cli.faults import complain
from capplan.cli.site_use import site_use
from capplan.cli.summary import breach_text, purchase_lines
from capplan.cli.terminal import FORMAT_VERSION, Terminal, counted
from capplan.errors import Faults, Place, UsageError, printable
from capplan.inventory import Allocation, Bought, Inventory, read_allocation, read_purchases
from capplan.load import read_model
from capplan.model import Model
from capplan.model.adhoc import Asked
from capplan.problem import NOWHERE, Plan, Problem
from capplan.runs import is_run, read_run
from capplan.tables import tables_of
from capplan.tasks import read_task

LINES_NAMED = 5
CHANGES_NAMED = 20

Paths = tuple[Path | None, Path | None]
Names = tuple[str | None, str | None]


@dataclass(frozen=True)
class _Subject:
    """What is checked: an inventory or a run, the files to read with it, and the plan to hold them against.

    ``keep`` are the placements that the run was told to keep, ``start`` is the plan it was started from.
    """

    inventory: Inventory
    model: Model
    allocation: Path | None
    purchases: Path | None
    before: Plan | None
    keep: Allocation | None = None
    start: Plan | None = None


def check(terminal: Terminal, subject: Path, files: Paths, names: Names, asked: Asked, *, as_json: bool) -> int:
    """Measure an allocation and tell every broken rule.

    ``files`` are those of the allocation and of the purchases, ``names`` model and scenario, each None where not given;
    ``asked`` are changes to an inventory beside these.
    """
    faults = Faults()
    if is_run(subject):
        found = _run(subject, files, names, asked, faults)
    else:
        found = _inventory(subject, files, names, asked, faults)
    allocation = None
    if found.allocation is not None:
        expected = written(found.inventory, found.model, found.before) if found.before is not None else None
        allocation = read_allocation(found.allocation, found.inventory, faults, expected)
    purchases: Sequence[Bought] = ()
    if found.purchases is not None:
        purchases = read_purchases(found.purchases, found.inventory, faults)
    faults.raise_errors()
    complain(terminal, faults.sorted())
    checked = check_allocation(
        found.inventory, found.model, allocation, purchases, found.before, found.keep, found.start
    )
    if as_json:
        terminal.say_json(_json(checked))
    else:
        terminal.page(_text(checked))
    return Exit.FINDINGS if checked.findings else Exit.DONE


def _inventory(folder: Path, files: Paths, names: Names, asked: Asked, faults: Faults) -> _Subject:
    task = read_task(folder, *names, asked=asked)
    faults.extend(task.warnings)
    return _Subject(task.inventory, task.model, *files, None)


def _run(folder: Path, files: Paths, names: Names, asked: Asked, faults: Faults) -> _Subject:
    """A run: its own inputs, allocation and purchases, as far as nothing else is named."""
    run = read_run(folder)
    faults.extend(run.altered())
    allocation, purchases = files
    if allocation is None and "allocation" not in run.tables:
        raise UsageError(f"{folder} has no plan to check ({run.info['status']}); name an allocation with --allocation")
    if purchases is None and "purchases" in run.tables:
        purchases = folder / "purchases.csv"
    allocation = allocation or folder / "allocation.csv"
    subject = _Subject(run.inventory(), run.model(), allocation, purchases, run.plan(), run.keep(), run.start())
    model, scenario = names
    if scenario is not None or asked:
        message = "a scenario changes the inventory, and a run keeps the one it was solved with"
        raise UsageError(f"{message}; check the inventory with --scenario or --set instead")
    if model is None:
        return subject
    return replace(subject, model=read_model(str(model)))


def _text(checked: Checked) -> str:
    sections = (
        [_headline(checked), _money(checked)],
        _changes(checked),
        _findings(checked),
        _completion(checked),
        site_use(_site_rows(checked), _use_today(checked)),
    )
    return "\n\n".join("\n".join(map(printable, lines)) for lines in sections if lines)


def _headline(checked: Checked) -> str:
    """``2 rules broken, 1 workload moved, £300 more than the plan``."""
    broken = counted(len(checked.findings), "rule") if checked.findings else "No rule"
    parts = [f"{broken} broken"]
    if checked.before is not None:
        parts += _change_counts(checked.changes)
        parts.append(f"{_difference(checked)} the plan")
    return ", ".join(parts) + "."


def _change_counts(changes: Sequence[Change]) -> list[str]:
    """How many workloads are elsewhere, in and out, compared with the plan."""
    into = sum(change.before == NOWHERE for change in changes)
    out = sum(change.after == NOWHERE for change in changes)
    kinds = ((len(changes) - into - out, "moved"), (into, "added"), (out, "taken out"))
    return [f"{counted(number, 'workload')} {what}" for number, what in kinds if number] or ["nothing moved"]


def _difference(checked: Checked) -> str:
    pence = checked.cost_difference or 0
    money = checked.problem.inventory.currency.text(abs(pence))
    return "at the cost of" if not pence else f"{money} {'more' if pence > 0 else 'less'} than"


def _money(checked: Checked) -> str:
    money = checked.problem.inventory.currency.text
    plan = f", the plan {money(checked.before.cost)}" if checked.before is not None else ""
    days = counted(checked.problem.periods.horizon_days, "day")
    return f"  Cost {money(checked.measured.cost)} over {days}{plan}"


def _changes(checked: Checked) -> list[str]:
    ids = checked.problem.workloads.ids
    lines = [
        f"  {ids[change.workload]}: {_site(checked.problem, change.before)} -> {_site(checked.problem, change.after)}"
        for change in checked.changes[:CHANGES_NAMED]
    ]
    more = len(checked.changes) - CHANGES_NAMED
    return ["Changed", *lines, *([f"  and {more:,} more"] if more > 0 else [])] if lines else []


def _site(problem: Problem, site: int) -> str:
    return problem.sites.ids[site] if site != NOWHERE else "left out"


def _findings(checked: Checked) -> list[str]:
    lines: list[str] = []
    for finding in checked.findings:
        lines.append(f"  {finding.breach.rule}: {breach_text(checked.problem, finding.breach)}")
        if finding.breach.policy_only:
            lines.append("    It is there physically; only the headroom that the model keeps is used up.")
        lines += _places(checked, finding)
    return ["Broken rules", *lines] if lines else []


def _places(checked: Checked, finding: Finding) -> list[str]:
    """Lines of the allocation, those that were changed first, and the row of the inventory."""
    lines = []
    places = _changed_first(checked, finding)
    if places:
        named = ", ".join(str(place) for place in places[:1]) + "".join(f", :{p.line}" for p in places[1:LINES_NAMED])
        more = f" and {len(places) - LINES_NAMED:,} more" if len(places) > LINES_NAMED else ""
        lines.append(f"    written at {named}{more}")
    if finding.demanded_by is not None:
        lines.append(f"    demanded by {finding.demanded_by}")
    return lines


def _changed_first(checked: Checked, finding: Finding) -> list[Place]:
    """Places of the finding, those of changed workloads first: they are what the reader just edited."""
    changed = {change.workload for change in checked.changes}
    workloads = [w for w in finding.breach.workloads if w in changed]
    if not workloads or len(finding.lines) != len(finding.breach.workloads):
        return list(finding.lines)
    pairs = list(zip(finding.breach.workloads, finding.lines, strict=True))
    return [place for _, place in sorted(pairs, key=lambda pair: pair[0] not in changed)]


def _completion(checked: Checked) -> list[str]:
    """What to buy so that the allocation keeps every limit that can be kept by buying."""
    if checked.completion is None:
        return []
    measured, money = checked.completion.measured, checked.problem.inventory.currency.text
    more = measured.cost - checked.measured.cost
    left = [breach for breach in measured.breaches if breach.amount is not None]
    lines = [f"  {line}" for line in purchase_lines(checked.problem, tables_of(measured))] or ["  nothing"]
    best = "the best there is" if checked.completion.proved else "perhaps not the best there is"
    lines.append(f"  In all {money(abs(more))} {'more' if more >= 0 else 'less'}, {best}.")
    lines += [f"  Still short: {breach_text(checked.problem, breach)}" for breach in left[:LINES_NAMED]]
    return ["What to buy for this allocation", *lines]


def _use_today(checked: Checked) -> dict[tuple[str, str, str], str]:
    """What is used today, by site, period and resource, where that is not what is checked."""
    if checked.today is None or (checked.today.plan.site == checked.measured.plan.site).all():
        return {}
    return {(row["site"], row["period"], row["resource"]): row["used_today"] for row in _site_rows(checked)}


def _site_rows(checked: Checked) -> list[dict[str, str]]:
    table = next(table for table in checked.tables if table.name == "sites")
    return [dict(zip(table.columns, cells, strict=True)) for cells in table.rows]


def _json(checked: Checked) -> dict[str, object]:
    problem = checked.problem
    return {
        "format_version": FORMAT_VERSION,
        "broken": len(checked.findings),
        "cost": _amount(problem, checked.measured.cost),
        "plan_cost": None if checked.before is None else _amount(problem, checked.before.cost),
        "difference": None if checked.cost_difference is None else _amount(problem, checked.cost_difference),
        "changes": [
            {
                "workload": problem.workloads.ids[change.workload],
                "before": None if change.before == NOWHERE else problem.sites.ids[change.before],
                "after": None if change.after == NOWHERE else problem.sites.ids[change.after],
            }
            for change in checked.changes
        ],
        "completion": _completion_json(checked),
        "findings": [_finding_json(problem, finding) for finding in checked.findings],
    }


def _completion_json(checked: Checked) -> dict[str, object] | None:
    if checked.completion is None:
        return None
    measured = checked.completion.measured
    purchases = next(table for table in tables_of(measured) if table.name == "purchases")
    return {
        "cost": _amount(checked.problem, measured.cost),
        "proved": checked.completion.proved,
        "purchases": [dict(zip(purchases.columns, cells, strict=True)) for cells in purchases.rows],
        "still_short": [breach_text(checked.problem, b) for b in measured.breaches if b.amount is not None],
    }


def _finding_json(problem: Problem, finding: Finding) -> dict[str, object]:
    breach = finding.breach
    return {
        "rule": breach.rule,
        "subject": breach.subject,
        "period": problem.periods.text(breach.period) or None,
        "message": breach.message,
        "workloads": [problem.workloads.ids[w] for w in breach.workloads],
        "unit": breach.unit or None,
        "short": None if breach.amount is None else _number(breach.amount),
        "policy_only": breach.policy_only,
        "allocation": [str(place) for place in finding.lines],
        "demanded_by": None if finding.demanded_by is None else str(finding.demanded_by),
    }


def _amount(problem: Problem, pence: int) -> int | float:
    return _number(Fraction(pence, problem.inventory.currency.pence_per_unit))


def _number(value: Fraction) -> int | float:
    return value.numerator if value.denominator == 1 else float(value)
