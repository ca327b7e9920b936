"""The need of a licence as sums over the columns of a Program, metric by metric.

What owned and bought licences must cover is one or more sums, each of which they must cover by itself: that is how a
maximum ("users, but at least 25 a processor") is written. Whole numbers that only arise after rounding up are derived
amounts.
"""

from __future__ import annotations

import numpy as np

from capplan.licensing.by_host import BY_HOST, per_host, processors, terms_name
from capplan.licensing.by_workload import concurrent, people, pooled, used
from capplan.licensing.counting import Counting, Need
from capplan.licensing.groups import Groups
from capplan.licensing.schemas import HOSTED, PEOPLE, POOLED
from capplan.licensing.scope import terms_of


def needs(counting: Counting) -> list[Need]:
    """Every sum that must be covered."""
    metric = counting.metric
    if metric in POOLED:
        found = [pooled(counting)]
    elif metric in PEOPLE or metric == "population":
        found = [people(counting)]
        if metric == "named_user":
            found += _least_users(counting)
    elif metric == "concurrent":
        found = concurrent(counting)
    elif metric in HOSTED:
        found = [BY_HOST[metric](counting)]
    else:
        found = [used(counting)]
    return [*found, *_order(counting)]


def _least_users(counting: Counting) -> list[Need]:
    """So many named users for each processor licence or server that the workloads can reach, whoever they are."""
    each = counting.whole("users_each")
    if not each or not len(Groups.of(counting.problem)):
        return []
    day = int(counting.problem.periods.start[counting.t])
    if terms_of(counting.problem).factors(terms_name(counting), day):
        need = processors(counting, each)
    else:
        need = per_host(counting, [each] * len(Groups.of(counting.problem)))
    need.label = "minimum"
    return [need]


def _order(counting: Counting) -> list[Need]:
    """The smallest order, where anything is needed at all."""
    least = counting.whole("minimum_order")
    if not least or not len(counting.rows.row):
        return []
    fact = counting.builder.any_of(np.zeros(len(counting.rows.row), dtype=np.int32), counting.option, 1)
    return [Need("minimum order", least, facts=[(fact, np.array([least]))])]
