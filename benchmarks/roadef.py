"""Machine reassignment: the problems of the ROADEF/EURO challenge 2012.

A machine is a site, a process a workload, a service what a workload is part of; the initial assignment is where
workloads are today. Every rule and every kind of cost of the challenge is a rule or a charge of capplan's own:

=====================================  ===============================================================
capacity, safety capacity              ``capacity`` with ``safety``: capacity holds, use above a level is paid
transient resources                    ``moves`` with ``both_ends`` of these resources
conflict, spread                       ``apart``, with ``regions`` for the locations
dependency                             ``same_neighbourhood``
balance                                ``balance``
cost of moving a process               ``move_cost_once``
cost of moving from machine to machine ``move_costs``
cost of the service that moves most    ``moves`` with ``busiest_service_once``
=====================================  ===============================================================

Costs are whole numbers and stand as yen, which have no smaller unit; the horizon is one year of 365 days, so that a
price for a year is the price. `evaluate` shares nothing with capplan and follows the challenge's text (Google,
ROADEF/EURO challenge 2012: machine reassignment, problem description of 2011-11-23).
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from capplan.compile import open_options, problem_of, program_of
from capplan.inventory import Inventory
from capplan.load import read_inventory, read_model
from capplan.model import Model
from capplan.problem import Options
from capplan.program import Program
from capplan.program import evaluate as evaluated

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Instance:
    """One problem. All int64 unless it says otherwise; ``start`` is the initial assignment.

    By resource: ``transient`` bool, ``load_weight``. By machine: ``neighbourhood``, ``location``, ``capacity`` and
    ``safety`` [machine, resource], ``move`` [from, to]. By service: ``spread``, ``needs``. By process: ``service``,
    ``requirement`` [process, resource], ``move_cost``, ``start``. ``balance`` [k, 4]: two resources, target, weight.
    ``weights`` [3]: of the move of a process, of a service, between machines.
    """

    name: str
    transient: npt.NDArray[np.bool_]
    load_weight: Ints
    neighbourhood: Ints
    location: Ints
    capacity: Ints
    safety: Ints
    move: Ints
    spread: Ints
    needs: tuple[tuple[int, ...], ...]
    service: Ints
    requirement: Ints
    move_cost: Ints
    balance: Ints
    weights: Ints
    start: Ints


# --- reading --------------------------------------------------------------------------------------


def read(folder: Path, name: str) -> Instance:
    """The instance ``model_<name>.txt`` (or ``.txt.gz``) with its ``assignment_<name>.sol``."""
    numbers = iter(_text(folder / f"model_{name}.txt").split())

    def table(rows: int, columns: int) -> Ints:
        cells = np.array(list(islice(numbers, rows * columns)), dtype=np.int64)
        return cells.reshape(rows, columns)

    transient, load = table(int(next(numbers)), 2).T
    count, machines = len(load), int(next(numbers))
    rows = table(machines, 2 + 2 * count + machines)
    places, capacity, safety, move = np.split(rows, [2, 2 + count, 2 + 2 * count], axis=1)
    near, where = places.T
    spread, needs = _services(numbers)
    processes = table(int(next(numbers)), 2 + count)
    service, need, once = processes[:, 0], processes[:, 1:-1], processes[:, -1]
    pairs, weights = table(int(next(numbers)), 4), table(1, 3)[0]
    start = read_assignment(folder / f"assignment_{name}.sol")
    if next(numbers, None) is not None or len(start) != len(service):
        raise ValueError(f"{name}: the model has more numbers than it should, or the assignment other processes")
    parts = (transient > 0, load, near, where, capacity, safety, move, spread, needs, service, need, once, pairs)
    return Instance(name, *parts, weights, start)


def read_assignment(path: Path) -> Ints:
    """The machine of each process, as the challenge writes solutions. int64 [process]."""
    return np.array(_text(path).split(), dtype=np.int64)


def _text(path: Path) -> str:
    packed = path.with_name(path.name + ".gz")
    if packed.exists() and not path.exists():
        return gzip.decompress(packed.read_bytes()).decode("ascii")
    return path.read_text("ascii")


def _services(numbers: Iterator[str]) -> tuple[Ints, tuple[tuple[int, ...], ...]]:
    spread, needs = [], []
    for _ in range(int(next(numbers))):
        spread.append(int(next(numbers)))
        needs.append(tuple(int(s) for s in islice(numbers, int(next(numbers)))))
    return np.array(spread, dtype=np.int64), tuple(needs)


# --- the challenge's own text ---------------------------------------------------------------------


def evaluate(instance: Instance, assignment: Ints) -> tuple[bool, int, list[str]]:
    """Whether an assignment int64 [process] is feasible, what it costs, and the names of the rules it breaks."""
    used = _used(instance, assignment)
    moved = np.flatnonzero(assignment != instance.start)
    both = used + np.where(instance.transient, _used(instance, instance.start, moved), 0)
    checks = {
        "capacity": (used > instance.capacity).any(),
        "transient": ((both > instance.capacity) & instance.transient).any(),
        "conflict": len(_pairs(instance.service, assignment)) < len(assignment),
        "spread": (_different(instance, instance.location[assignment]) < instance.spread).any(),
        "dependency": not _dependencies_kept(instance, assignment),
    }
    broken = [rule for rule, is_broken in checks.items() if is_broken]
    return not broken, sum(costs(instance, assignment).values()), broken


def costs(instance: Instance, assignment: Ints) -> dict[str, int]:
    """The cost of an assignment int64 [process] by kind."""
    used = _used(instance, assignment)
    free = instance.capacity - used
    moved = np.flatnonzero(assignment != instance.start)
    first, second, target, weight = instance.balance.T
    short = np.maximum(0, target * free[:, first] - free[:, second])
    by_service = np.bincount(instance.service[moved], minlength=1)
    between = instance.move[instance.start, assignment]
    of_process, of_service, of_machines = instance.weights.tolist()
    return {
        "load": int((np.maximum(0, used - instance.safety) * instance.load_weight).sum()),
        "balance": int((short * weight).sum()),
        "process move": of_process * int(instance.move_cost[moved].sum()),
        "service move": of_service * int(by_service.max()),
        "machine move": of_machines * int(between.sum()),
    }


def _used(instance: Instance, assignment: Ints, processes: Ints | None = None) -> Ints:
    """What (some) processes use. int64 [machine, resource]."""
    some = np.arange(len(assignment)) if processes is None else processes
    used = np.zeros_like(instance.capacity)
    np.add.at(used, assignment[some], instance.requirement[some])
    return used


def _pairs(a: Ints, b: Ints) -> Ints:
    """The different pairs that two columns hold. int64 [k, 2]."""
    return np.unique(np.stack([a, b], axis=1), axis=0)


def _different(instance: Instance, place: Ints) -> Ints:
    """In how many different places each service is; services without a process need none. int64 [service]."""
    found = np.bincount(_pairs(instance.service, place)[:, 0], minlength=len(instance.spread))
    return np.where(found > 0, found, instance.spread)


def _dependencies_kept(instance: Instance, assignment: Ints) -> bool:
    places = int(instance.neighbourhood.max()) + 1
    here = np.zeros((len(instance.spread), places), dtype=np.bool_)
    here[instance.service, instance.neighbourhood[assignment]] = True
    links = [(a, b) for a, needed in enumerate(instance.needs) for b in needed]
    needing, needed = np.array(links, dtype=np.int64).reshape(-1, 2).T
    return not (here[needing] & ~here[needed]).any()


# --- as a Program ---------------------------------------------------------------------------------


def inventory(instance: Instance) -> tuple[Inventory, Model]:
    """The instance as capplan reads it: through the files that a user would write."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in _files(instance).items():
            (folder / file).write_text(text, "utf-8")
        model = read_model(folder / "model.yaml")
        return read_inventory(folder, model.overlay), model


def program(instance: Instance) -> tuple[Program, Callable[[Ints], Ints]]:
    """The instance compiled, and what turns ``x`` int64 [column] into the machine of each process."""
    compiled, options = _compiled(instance)

    def decode(x: Ints) -> Ints:
        return options.kept(x[: compiled.options] > 0).sites_of(len(instance.service))

    return compiled, decode


def start(instance: Instance, program: Program) -> Ints:
    """The initial assignment as ``x`` int64 [column], with its facts and derived purchases."""
    return solution(instance, program, instance.start)


def solution(instance: Instance, program: Program, assignment: Ints) -> Ints:
    """An assignment int64 [process] as ``x`` int64 [column]. ValueError if a process is where no option puts it."""
    _, options = _compiled(instance)
    taken = np.zeros(program.options, dtype=np.bool_)
    taken[options.option[options.site == assignment[options.workload]]] = True
    if taken.sum() != len(assignment):
        raise ValueError(f"{instance.name}: a process is at a machine where it cannot be")
    return evaluated(program, taken, np.zeros(len(program.purchases), dtype=np.int64)).x


@lru_cache(maxsize=1)
def _compiled(instance: Instance) -> tuple[Program, Options]:
    problem = problem_of(*inventory(instance))
    options = open_options(problem)
    return program_of(problem, options), options


def _files(instance: Instance) -> dict[str, str]:
    """The files of the inventory and its model, by name."""
    names = [f"r{r}" for r in range(len(instance.load_weight))]
    machines, of_service = _ids("m", len(instance.capacity)), _ids("s", len(instance.spread))
    head = f"format: 1\ntitle: ROADEF/EURO 2012 {instance.name}\ncurrency: JPY\nas_of: 2012-01-01\nresources:\n"
    offers = (instance.location, instance.neighbourhood, *instance.capacity.T, *instance.safety.T)
    a, b = np.nonzero(instance.move)
    ways = ([machines[m] for m in a], [machines[m] for m in b], instance.move[a, b] * instance.weights[2])
    return {
        "inventory.yaml": head + "".join(f"  {name}: {{unit: {name}, step: 1}}\n" for name in names),
        "organisations.csv": "organisation\nO\n",
        "sites.csv": _csv(
            ("site", "region", "neighbourhood", *names, *(f"safety_{name}" for name in names)), machines, *offers
        ),
        "move_costs.csv": _csv(("current_site", "site", "cost_once"), *ways),
        "workloads.csv": _workloads(instance, names, machines, of_service),
        "model.yaml": _model(instance, names, of_service),
    }


def _workloads(instance: Instance, names: list[str], machines: list[str], of_service: list[str]) -> str:
    """``workloads.csv``: groups are named only where a rule has something to say about them."""
    size = np.bincount(instance.service, minlength=len(of_service))
    apart = [s if size[i] > 1 or instance.spread[i] > 1 else "" for i, s in enumerate(of_service)]
    wanted = {b for needed in instance.needs for b in needed}
    groups = [s if i in wanted else "" for i, s in enumerate(of_service)]
    near = [";".join(of_service[b] for b in needed if b != a) for a, needed in enumerate(instance.needs)]
    named = [[texts[s] for s in instance.service] for texts in (of_service, apart, groups, near)]
    here = [machines[m] for m in instance.start]
    head = ("workload", "organisation", "service", "apart", "groups", "needs_nearby", "current_site", "move_cost_once")
    once = instance.move_cost * instance.weights[0]
    ids, owner = _ids("p", len(here)), ["O"] * len(here)
    return _csv((*head, *names), ids, owner, *named, here, once, *instance.requirement.T)


def _model(instance: Instance, names: list[str], of_service: list[str]) -> str:
    """``model.yaml``: prices and the rules that a model must ask for."""
    safety = ", ".join(f"{name}: {weight}" for name, weight in zip(names, instance.load_weight, strict=True))
    spread = ", ".join(f"{of_service[s]}: {instance.spread[s]}" for s in _spread_out(instance))
    twice = ", ".join(name for name, is_transient in zip(names, instance.transient, strict=True) if is_transient)
    pairs = [
        f"{{free: {names[a]}, needs: {names[b]}, times: {target}, price: {weight}}}"
        for a, b, target, weight in instance.balance.tolist()
        if target > 0  # without a target nothing is short where capacity holds
    ]
    return (
        "format: 1\ntitle: Machine reassignment\nheadroom: {}\ngoals: [cost]\nrules:\n"
        f"  capacity: {{safety: {{{safety}}}}}\n"
        f"  apart: {{regions: {{{spread}}}}}\n"
        f"  moves: {{both_ends: [{twice}], busiest_service_once: {instance.weights[1]}}}\n"
        f"  balance: {{pairs: [{', '.join(pairs)}]}}\n"
    )


def _spread_out(instance: Instance) -> list[int]:
    """Services with processes that must be in several locations."""
    present = np.isin(np.arange(len(instance.spread)), instance.service)
    return np.flatnonzero((instance.spread > 1) & present).tolist()


def _ids(letter: str, count: int) -> list[str]:
    """Ids of one width, so that their order is that of the numbers."""
    return [f"{letter}{i:0{len(str(count))}d}" for i in range(count)]


def _csv(head: Sequence[str], *columns: Sequence[object] | Ints) -> str:
    """A table as text; no cell holds a comma."""
    lists = [column.tolist() if isinstance(column, np.ndarray) else column for column in columns]
    return "".join(",".join(map(str, row)) + "\n" for row in [head, *zip(*lists, strict=True)])
