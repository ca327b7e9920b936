"""Options that put all of an item at one site: what they use there is the same whichever site that is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capplan.problem.options import Options
from capplan.problem.problem import Problem
from capplan.units import Bools, Ints, Numbers, numbers


@dataclass(frozen=True)
class Places:
    """Where options put their item as a whole.

    ``place`` int32 [option]: the site, -1 where nothing is placed or ``explicit`` int64 [row] lists the placed rows
    of the option. None where no item has a place. ``need`` int64 [item, resource × period]: steps that the item uses
    wherever it is placed.
    """

    place: Numbers | None
    need: Ints
    explicit: Ints


def places_of(problem: Problem, options: Options) -> Places:
    """Separate the items that are always at one site, as a whole, with the same demand at each, from the rest."""
    apart, model = _apart(problem, options)
    place, rows = _placed(options, apart)
    need = np.zeros((options.items, len(problem.resources) * len(problem.periods)), dtype=np.int64)
    item = options.item[options.option[model]]
    whole = ~apart[item]
    demand = problem.demand.reshape(len(problem.workloads), need.shape[1])
    np.add.at(need, item[whole], demand[options.workload[model[whole]]])
    return Places(place if len(rows) < len(options.option) else None, need, rows)


def _placed(options: Options, apart: Bools) -> tuple[Numbers, Ints]:
    """The place of each option, and the rows of items that are ``apart`` bool [item]. int32 [option], int64 [k]."""
    if not apart.any() and options.alone and not len(options.absent_option):
        return numbers(options.site), np.zeros(0, dtype=np.int64)  # one row for each option: no copy
    place = np.full(len(options), -1, dtype=np.int32)
    explicit = [np.zeros(0, dtype=np.int64)]
    for row in options.parts():
        option = options.option[row]
        whole = ~apart[options.item[option]]
        place[option[whole]] = options.site[row][whole]
        explicit.append(np.flatnonzero(~whole) + row.start)
    return place, np.concatenate(explicit)


def _apart(problem: Problem, options: Options) -> tuple[Bools, Ints]:
    """Items whose placed options are not all alike but for one site, and every row of each item's first placed option.

    Returns bool [item], int64 [k].
    """
    apart, own = np.zeros(options.items, dtype=np.bool_), problem.has_own_demand
    first, size = np.full(options.items, -1, dtype=np.int64), np.zeros(options.items, dtype=np.int64)
    for row in options.parts():
        option, workload, site = options.option[row], options.workload[row], options.site[row]
        item = options.item[option]
        start = np.flatnonzero(np.append(True, option[1:] != option[:-1]))
        count = np.diff(np.append(start, len(option)))
        new = np.flatnonzero(first[item[start]] < 0)[::-1]  # backwards, so that an item's first option is written last
        first[item[start[new]]], size[item[start[new]]] = start[new] + row.start, count[new]
        begin, count = np.repeat(start, count), np.repeat(count, count)
        model = np.minimum(first[item] + np.arange(len(option)) - begin, len(options.option) - 1)
        alike = (count == size[item]) & (site == site[begin]) & (workload == options.workload[model]) & ~own[workload]
        apart[item[~alike]] = True
    models = np.repeat(first - np.cumsum(size) + size, size) + np.arange(size.sum())
    return apart, models
