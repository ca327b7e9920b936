"""``python -m benchmarks SET``: see ``python -m benchmarks --help`` and README.md."""

from __future__ import annotations

import argparse
import fnmatch
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks import rows, running, sets, summary
from benchmarks.duels import duels
from benchmarks.estate_inventory import write_inventory
from benchmarks.growth import growth
from benchmarks.interface import Instance, ProblemSet, Published
from benchmarks.plans import read_plan
from benchmarks.sets.estate import named
from benchmarks.task import Task

PEERS = ("cp-sat", "highs", "scip")
DATA_VARIABLE = "CAPPLAN_BENCHMARK_DATA"
DEFAULT_DATA = Path(__file__).parent / "data"
DESCRIPTION = """Run published problems and estates of our own through capplan's engine and its peers, score every plan
independently, and print a summary. Progress goes to stderr."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; 0 if nothing is at fault, 1 if some run was, 2 if the command is wrong."""
    given = parser().parse_args(arguments)
    try:
        if given.set == "summary":
            _print_summary(rows.read(_required_out(given)))
            return 0
        chosen = sets.find(given.set)
        folder = data_folder(chosen, given.data)
        names = select(chosen, folder, given.instances)
        if given.score:
            return _score(chosen, folder, names, given.score)
        if given.write:
            return _write(chosen, names, given.write, licences=given.licences)
        return _run_all(chosen, folder, names, given)
    except (ValueError, OSError) as fault:
        print(f"benchmarks: {fault}", file=sys.stderr)
        return 2


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(prog="python -m benchmarks", description=DESCRIPTION)
    found.add_argument(
        "set", choices=[*sets.names(), "summary"], help="the set; summary prints what --out has gathered"
    )
    found.add_argument("--instances", metavar="A,B,…|GLOB", help="names or patterns, separated by commas; default: all")
    found.add_argument(
        "--data", type=Path, metavar="DIR", help=f"instances; default: ${DATA_VARIABLE}, benchmarks/data"
    )
    found.add_argument(
        "--time-limit", type=_seconds, default=60.0, metavar="S", help="seconds after reading; default 60"
    )
    found.add_argument("--seed", type=int, default=1, metavar="N", help="random seed; default 1")
    found.add_argument("--engine", default="auto", metavar="NAME", help="engine of capplan, or none; default auto")
    found.add_argument("--peer", nargs="+", choices=PEERS, default=[], metavar="NAME", help=f"also: {', '.join(PEERS)}")
    found.add_argument("--out", type=Path, metavar="CSV", help="append rows; runs that are already there are skipped")
    found.add_argument("--again", action="store_true", help="repeat runs that are already there")
    found.add_argument(
        "--list", action="store_true", help="list the instances and what is published of them, run nothing"
    )
    found.add_argument("--plans", type=Path, metavar="DIR", help="keep the plans in this folder, as item,container")
    found.add_argument("--score", type=Path, metavar="FILE", help="score a plan of one instance instead of running")
    found.add_argument("--write", type=Path, metavar="DIR", help="estate: write an inventory folder instead of running")
    found.add_argument("--licences", action="store_true", help="with --write: its workloads need twelve products")
    return found


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < 1e6:
        raise argparse.ArgumentTypeError("seconds are more than 0")
    return seconds


def _required_out(given: argparse.Namespace) -> Path:
    if given.out is None:
        raise ValueError("summary needs --out, the file of rows")
    return Path(given.out)


def data_folder(chosen: ProblemSet, given: Path | None) -> Path:
    """The folder of a set: the one given, or the set's own folder in it. Raises ValueError if there is none."""
    if not chosen.origin:
        return Path()
    folder = given or Path(os.environ.get(DATA_VARIABLE) or DEFAULT_DATA)
    own = folder / chosen.name
    folder = own if own.is_dir() else folder
    if folder.is_dir() and (given or folder == own):
        return folder
    raise ValueError(
        f"no instances of {chosen.name}: {own if given is None else given} is no folder. "
        f"Give one with --data. Where they come from: {chosen.origin}; see benchmarks/README.md"
    )


def select(chosen: ProblemSet, folder: Path, wanted: str | None) -> list[str]:
    """Names of the instances asked for, in order. Raises ValueError for what is not there."""
    listed = chosen.instances(folder)
    if not listed:
        raise ValueError(f"{folder} has no instances of {chosen.name}: {chosen.origin}")
    found: list[str] = []
    for pattern in wanted.split(",") if wanted else ["*"]:
        found += _matching(chosen, listed, pattern.strip(), folder)
    return list(dict.fromkeys(found))


def _matching(chosen: ProblemSet, listed: Sequence[str], pattern: str, folder: Path) -> list[str]:
    hits = [name for name in listed if fnmatch.fnmatchcase(name, pattern)]
    hits = hits or [name for name in listed if fnmatch.fnmatchcase(name.rsplit("/", 1)[-1], pattern)]
    if not hits and not chosen.origin and not set(pattern) & set("*?["):
        return [pattern]
    if not hits:
        raise ValueError(f"no instance {pattern} in {folder}; --list shows the {len(listed)} that are there")
    return hits


def _run_all(chosen: ProblemSet, folder: Path, names: Sequence[str], given: argparse.Namespace) -> int:
    if given.list:
        for name in names:
            known = chosen.published(folder, name)
            print(f"{name}\t{rows.number(known.value)}\t{rows.number(known.bound)}")
        return 0
    done = {} if given.out is None else {row.key: row for row in rows.read(given.out)}
    solvers = ([] if given.engine == "none" else ["capplan"]) + list(dict.fromkeys(given.peer))
    gathered: list[rows.Row] = []
    try:
        for name in names:
            tasks = [
                Task(chosen.name, str(folder.resolve()), name, solver, given.engine, given.seed, given.time_limit)
                for solver in solvers
            ]
            kept = [] if given.again else [done[rows.key_of(task)] for task in tasks if rows.key_of(task) in done]
            gathered += kept
            rest = [task for task in tasks if rows.key_of(task) not in {row.key for row in kept}]
            gathered += _run_instance(chosen, name, rest, given)
    except KeyboardInterrupt:
        print("interrupted; this is what was run", file=sys.stderr)
    _print_summary(gathered)
    return int(any(summary.is_fault(row) for row in gathered))


def _run_instance(
    chosen: ProblemSet, name: str, tasks: Sequence[Task], given: argparse.Namespace
) -> Iterable[rows.Row]:
    """Run every solver on an instance; rows are written as they come."""
    if not tasks:
        return
    folder = Path(tasks[0].folder)
    instance: Instance | None = None
    published = Published()
    try:
        instance, published = chosen.read(folder, name), chosen.published(folder, name)
    except (ValueError, OSError, OverflowError) as fault:
        print(f"{name}: {fault}", file=sys.stderr)
    for task in tasks:
        print(f"{task.set} {name} {rows.solver_label(task)} …", end=" ", file=sys.stderr, flush=True)
        row = running.run(task, instance, published, given.plans)
        print(_line(row), file=sys.stderr, flush=True)
        if given.out is not None:
            rows.append(given.out, row)
        yield row


def _print_summary(found: Sequence[rows.Row]) -> None:
    """How well each solver did; then, where there is something to say, against each other, and how costs grow."""
    print("\n\n".join([summary.table(found), *filter(None, (duels(found), growth(found)))]))


def _line(row: rows.Row) -> str:
    parts = [row.status, f"value {row.value}" if row.value else "", f"bound {row.own_bound}" if row.own_bound else ""]
    if row.published_value:
        parts.append(f"published {row.published_value}")
    return ", ".join(part for part in [*parts, f"{row.seconds_total} s", f"{row.peak_mb} MiB", row.note] if part)


def _score(chosen: ProblemSet, folder: Path, names: Sequence[str], file: Path) -> int:
    """Print what the evaluator says of a plan."""
    if len(names) != 1:
        raise ValueError(f"--score takes one instance, {len(names)} are asked for")
    found = chosen.read(folder, names[0]).evaluate(read_plan(file))
    print(f"{names[0]}: {'feasible' if found.feasible else found.broken}, value {rows.number(found.value)}")
    return int(not found.feasible)


def _write(chosen: ProblemSet, names: Sequence[str], folder: Path, *, licences: bool) -> int:
    """Write one estate as an inventory, with licensed products if asked."""
    if chosen.name != "estate" or len(names) != 1:
        raise ValueError("--write takes the set estate and one name, such as --instances mild-1000x20-s1")
    write_inventory(named(names[0]), names[0], folder, licences=licences)
    print(f"{names[0]} is written to {folder}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
