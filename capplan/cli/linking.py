"""``capplan links``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from capplan.cli.command import Exit
from capplan.cli.faults import complain
from capplan.cli.terminal import FORMAT_VERSION, Terminal, aligned, counted
from capplan.compile import open_options, problem_of
from capplan.errors import Faults, UsageError, printable
from capplan.inventory import read_allocation
from capplan.links.checks import listed
from capplan.links.export import dot, graphml
from capplan.links.report import Report
from capplan.links.row import FAIL, PASS, WARN, Check
from capplan.links.state import states_of
from capplan.links.variants import Unplanned, fixed_sites
from capplan.problem import Problem
from capplan.runs import is_run, read_run
from capplan.tasks import read_task

COLUMNS = ("link", "check", "status", "measured", "limit", "unit", "path", "note")
SUFFIXES = {".graphml": graphml, ".dot": dot, ".gv": dot}


def links(
    terminal: Terminal,
    folder: Path,
    run: Path | None,
    names: tuple[str | None, str | None],
    graph: Path | None,
    *,
    every: bool,
    as_json: bool,
) -> int:
    """Check every link of an inventory, or of the plan of a run."""
    if graph is not None and graph.suffix.casefold() not in SUFFIXES:
        raise UsageError(f"{graph}: the graph is written as .graphml or .dot; name the file so")
    task = read_task(folder, *names)
    complain(terminal, task.warnings)
    problem = problem_of(task.inventory, task.model)
    rows = _planned(problem, run) if run is not None else _unplanned(problem)
    if graph is not None:
        graph.write_text(SUFFIXES[graph.suffix.casefold()](problem), encoding="utf-8")
        terminal.note(f"graph written to {graph}")
    if as_json:
        terminal.say_json(_json(rows))
    else:
        terminal.page("\n".join(map(printable, _text(problem, rows, every=every))))
    return Exit.FINDINGS if any(row.status != PASS for row in rows) else Exit.DONE


def _planned(problem: Problem, run: Path) -> list[Check]:
    """Links of a plan, read from a run's folder or an allocation.csv."""
    path = run / "allocation.csv" if run.is_dir() else run
    if run.is_dir():
        if not is_run(run):
            raise UsageError(f"{run} is no run; name the folder of a run, or an allocation.csv")
        if "allocation" not in read_run(run).tables:
            raise UsageError(f"{run} has no plan ({read_run(run).info['status']})")
    elif not path.is_file():
        raise UsageError(f"there is no {run}; name the folder of a run, or an allocation.csv")
    faults = Faults()
    allocation = read_allocation(path, problem.inventory, faults)
    faults.raise_errors()
    return Report(problem, allocation.site).rows


def _unplanned(problem: Problem) -> list[Check]:
    fixed = fixed_sites(problem)
    if (fixed >= 0).all():
        return Report(problem, fixed).rows
    return Unplanned(problem, fixed, open_options(problem)).rows


def _json(rows: Sequence[Check]) -> dict[str, object]:
    count = Counter(row.status for row in rows)
    return {
        "format_version": FORMAT_VERSION,
        "passed": count[PASS],
        "warnings": count[WARN],
        "failed": count[FAIL],
        "checks": [_check_json(row) for row in rows],
    }


def _check_json(row: Check) -> dict[str, object]:
    numbers = {"measured": row.measured, "limit": row.limit}
    found: dict[str, object] = {name: text or None for name, text in row.row().items()}
    return found | {name: None if value is None else float(value) for name, value in numbers.items()}


def _text(problem: Problem, rows: Sequence[Check], *, every: bool) -> Iterator[str]:
    """What fails, what to look at, single points of failure; everything with ``every``."""
    if not rows:
        yield f"{problem.inventory.title}: no circuits and no interfaces, so there are no links to check."
        return
    yield _headline(problem, rows)
    points = [row for row in rows if row.check == "point_of_failure"]
    rest = [row for row in rows if row.check != "point_of_failure"]
    yield from _section("Fails", [row for row in rest if row.status == FAIL])
    # What has no second path has a single point of failure, which is named below with all that hangs on it.
    told = ("single_points", "disjoint")
    yield from _section("Look at", [row for row in rest if row.status == WARN and row.check not in told])
    yield from _points("Single points of failure", [row for row in points if row.status == WARN])
    yield from _points("Single points of failure, accepted", [row for row in points if row.status == PASS])
    yield from _harmless(problem, points)
    if every:
        yield from _section("Passes", [row for row in rest if row.status == PASS])


def _headline(problem: Problem, rows: Sequence[Check]) -> str:
    links = {row.link for row in rows if row.check in ("exists", "standard")}
    bad = {row.link for row in rows if row.status == FAIL}
    failing = f"{counted(len(bad), 'of them fails', 'of them fail')}" if bad else "none fails"
    count = Counter(row.status for row in rows)
    text = f"{counted(len(links), 'link')} of {problem.inventory.title}, {failing}: "
    return text + f"{count[FAIL]:,} checks failed, {count[WARN]:,} to look at, {count[PASS]:,} passed."


def _section(title: str, rows: Sequence[Check]) -> Iterator[str]:
    if not rows:
        return
    yield ""
    yield title
    cells = [[row.link, row.check, _measure(row), row.path, row.note] for row in rows]
    yield from aligned(["link", "check", "measured", "path", "note"], cells, lambda i: False)


def _harmless(problem: Problem, points: Sequence[Check]) -> Iterator[str]:
    """Shared risks, each of which may be lost without cutting anything."""
    cutting = {row.link for row in points}
    names = dict.fromkeys(str(failure) for state in states_of(problem) for failure in state.risk_failures)
    safe = [name.removeprefix("shared risk ") for name in names if name not in cutting]
    if safe:
        yield ""
        yield "Shared risks whose loss cuts no link"
        yield f"  {listed(safe)}"


def _measure(row: Check) -> str:
    if row.measured is None:
        return ""
    found = row.row()
    limit = f" of {found['limit']}" if row.limit is not None else ""
    return f"{found['measured']}{limit} {row.unit}"


def _points(title: str, rows: Sequence[Check]) -> Iterator[str]:
    if not rows:
        return
    yield ""
    yield title
    for row in rows:
        yield f"  {row.link}: {row.note.removeprefix('accepted; ')}"
