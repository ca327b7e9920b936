"""Problem: what rules and goals read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import cached_property
from typing import TypeVar, cast

import numpy as np

from capplan.inventory import Allocation, Inventory, Table
from capplan.model import Model, RuleOptions
from capplan.problem.periods import FIRST_DAY, LAST_DAY, YEAR_DAYS, Periods, growth_factor
from capplan.units import Bools, Decimals, Ints, Numbers, Resource, keys, scaled

T = TypeVar("T")


@dataclass(frozen=True)
class Problem:
    """An inventory under a model.

    ``rules`` maps the name of each rule that is on to its options. ``blocks`` lists the items: each a list of blocks,
    each block the workloads that share one site; items in the order of their first workload. Workloads, sites and all
    other rows are numbered in id order. ``keep``, where given, says which workloads stay where it puts them.
    """

    inventory: Inventory
    model: Model
    rules: Mapping[str, RuleOptions]
    periods: Periods
    blocks: Sequence[Sequence[Sequence[int]]]
    keep: Allocation | None = None
    _shared: dict[str, object] = field(default_factory=dict, repr=False)

    def shared(self, key: str, make: Callable[[], T]) -> T:
        """What ``make`` returns, made once for the inventory and model: rules are asked for block after block."""
        if key not in self._shared:
            self._shared[key] = make()
        return cast("T", self._shared[key])

    @cached_property
    def members(self) -> list[list[int]]:
        """The workloads of each item, in id order."""
        return [sorted(w for block in item for w in block) for item in self.blocks]

    @property
    def workloads(self) -> Table:
        """The workloads."""
        return self.inventory.table("workloads")

    @property
    def sites(self) -> Table:
        """The sites."""
        return self.inventory.table("sites")

    @property
    def resources(self) -> tuple[Resource, ...]:
        """The resources that occur."""
        return self.inventory.resources

    def resource_number(self, name: str) -> int:
        """Number of the resource of that name (KeyError if it does not occur)."""
        return self._resource_numbers[name]

    @cached_property
    def _resource_numbers(self) -> dict[str, int]:
        return {resource.name: r for r, resource in enumerate(self.resources)}

    # -- time ---------------------------------------------------------------------------------------------

    @cached_property
    def active_days(self) -> Ints:
        """Days on which each workload is active. int64 [workload, period]."""
        table = self.workloads
        return self.periods.overlap(table.dates("from", FIRST_DAY), table.dates("to", LAST_DAY))

    @cached_property
    def active(self) -> Bools:
        """Whether a workload is active on any day of a period. bool [workload, period]."""
        return np.array(self.active_days > 0, dtype=np.bool_)

    @cached_property
    def window(self) -> tuple[Ints, Ints]:
        """First day and end of each workload's activity within the horizon. int64 [workload] each."""
        table = self.workloads
        first = np.maximum(table.dates("from", FIRST_DAY), self.periods.start[0])
        last = np.minimum(table.dates("to", LAST_DAY), self.periods.end[-1])
        return first, last

    @cached_property
    def first_period(self) -> Ints:
        """First period in which each workload is active, -1 if none. int64 [workload]."""
        return np.where(self.active.any(axis=1), self.active.argmax(axis=1), -1)

    # -- demand -------------------------------------------------------------------------------------------

    @cached_property
    def demand(self) -> Ints:
        """Demand in steps, 0 outside activity. int64 [workload, resource, period]."""
        rows = np.arange(len(self.workloads), dtype=np.int64)
        shape = (len(rows), len(self.resources), len(self.periods))
        steps = np.zeros(shape, dtype=np.int64)
        for r in range(len(self.resources)):
            steps[:, r, :] = self._grown(self._cells(self.workloads, rows, r), rows, r)
        return steps * self.active[:, None, :]

    def grown(self, column: str, r: int) -> tuple[Bools, Ints]:
        """Another demand of resource ``r`` in a column of workloads: where given, and grown like the demand itself.

        Returns bool [workload] and int64 [workload, period].
        """
        cells = self.workloads.decimals(column)
        return cells.given, self._grown(cells, np.arange(len(self.workloads), dtype=np.int64), r)

    def _cells(self, table: Table, workload: Ints, r: int) -> Decimals:
        """Demand cells of a table whose rows belong to ``workload`` int64 [row]; blank cooling is power."""
        cells = table.decimals(self.resources[r].name)
        if self.resources[r].name != "cooling_kw":
            return cells
        power = table.decimals("power_kw")
        blank = ~cells.given & ~self.workloads.given("cooling_kw")[workload]
        digits = max(cells.digits, power.digits)
        own = cells.mantissa * 10 ** (digits - cells.digits)
        heat = power.mantissa * 10 ** (digits - power.digits)
        return Decimals(np.where(blank, heat, own), digits, np.where(blank, power.given, cells.given))

    def _grown(self, cells: Decimals, workload: Ints, r: int) -> Ints:
        """Demand of one resource grown to each period and rounded up to its step. int64 [row, period]."""
        step = self.resources[r].step * 10**cells.digits
        grown = np.repeat(scaled(cells.mantissa, 1 / step, "up")[:, None], len(self.periods), axis=1)
        rates = self._growth(self.resources[r].name)
        for rate in sorted(set(rates) - {Fraction(0)}):
            which = np.flatnonzero(np.array([rates[w] == rate for w in workload], dtype=np.bool_))
            for t in range(len(self.periods)):
                grown[which, t] = scaled(cells.mantissa[which], self._factor(rate, t) / step, "up")
        return grown

    def _growth(self, resource: str) -> list[Fraction]:
        """Yearly growth of each workload in one resource."""
        table = self.workloads
        own, common = table.decimals("growth_" + resource), table.decimals("growth")
        if resource == "cooling_kw":
            # A blank demand for cooling is the power, and grows as the power does.
            power, blank = table.decimals("growth_power_kw"), ~table.given("cooling_kw")
            first = [power if blank[w] and not own.given[w] else own for w in range(len(table))]
        else:
            if not own.given.any() and not common.given.any():
                return [Fraction(0)] * len(table)
            first = [own] * len(table)
        return [(first[w] if first[w].given[w] else common).fraction(w) for w in range(len(table))]

    def _factor(self, rate: Fraction, t: int) -> Fraction:
        ends = int(self.periods.start[t]), int(self.periods.end[t]) - 1
        return max(growth_factor(rate, self.inventory.as_of, date.fromordinal(day)) for day in ends)

    def demand_at(self, workload: Numbers, site: Numbers, r: int) -> Ints:
        """Demand of resource ``r`` by each (workload, site) pair, placements' own figures included.

        ``workload``, ``site`` int64 [row]; returns int64 [row, period].
        """
        steps = self.demand[workload, r, :]
        pairs, own = self._own_demand(r)
        if len(pairs):
            key = keys(workload, len(self.sites), site)
            at = np.minimum(np.searchsorted(pairs, key), len(pairs) - 1)
            hit = pairs[at] == key
            steps[hit] = own[at[hit]] * self.active[workload[hit]]
        return np.asarray(steps)

    def _own_demand(self, r: int) -> tuple[Ints, Ints]:
        """Pairs (as workload × sites + site, ascending) with a demand of their own, and it [pair, period]."""
        return self.shared(f"own demand {r}", lambda: self._find_own_demand(r))

    def _find_own_demand(self, r: int) -> tuple[Ints, Ints]:
        table = self.inventory.table("placements")
        workload = table.refs("workload")
        key = keys(workload, len(self.sites), table.refs("site"))
        cells = self._cells(table, workload, r)
        grown = self._grown(cells, workload, r)
        order = np.argsort(key[cells.given], kind="stable")
        return key[cells.given][order], grown[cells.given][order]

    def placement_at(self, workload: Numbers, site: Numbers) -> Ints:
        """Row of ``placements`` that lists each (workload, site) pair, -1 where none does. int64 [row]."""
        pairs, row = self.shared("placements", self._placement_rows)
        if not len(pairs):
            return np.full(len(workload), -1, dtype=np.int64)
        key = keys(workload, len(self.sites), site)
        at = np.minimum(np.searchsorted(pairs, key), len(pairs) - 1)
        return np.where(pairs[at] == key, row[at], -1)

    def _placement_rows(self) -> tuple[Ints, Ints]:
        """Listed pairs (as workload × sites + site, ascending), and the row of each."""
        table = self.inventory.table("placements")
        key = keys(table.refs("workload"), len(self.sites), table.refs("site"))
        order = np.argsort(key, kind="stable")
        return key[order], order

    @cached_property
    def has_own_demand(self) -> Bools:
        """Whether a workload has a demand of its own at some site, for any resource. bool [workload]."""
        found = np.zeros(len(self.workloads), dtype=np.bool_)
        for r in range(len(self.resources)):
            found |= self.has_own(r)
        return found

    def has_own(self, r: int) -> Bools:
        """Whether a workload has a demand of its own at some site for resource ``r``. bool [workload]."""
        pairs, _ = self._own_demand(r)
        found = np.zeros(len(self.workloads), dtype=np.bool_)
        found[pairs // max(1, len(self.sites))] = True
        return found

    def own_demand_peak(self, r: int) -> int:
        """The sum of all pairs' own demands of resource ``r``: no site can need more on their account."""
        return int(self._own_demand(r)[1].sum())

    def headroom(self, resource: str) -> Fraction:
        """The share of capacity that the model keeps free."""
        return self.model.headroom.get(resource, Fraction(0))

    def may_buy(self, purchase: str) -> bool:
        """Whether the model allows this purchase to be decided."""
        allowed = self.model.purchases
        return allowed == "all" or (allowed != "none" and purchase in allowed)

    # -- money --------------------------------------------------------------------------------------------

    def pence(self, table: Table, column: str, days: Ints) -> Ints:
        """A yearly amount for so many days of each row, rounded half up to the penny.

        ``days`` int64 [row, period]; returns the same shape.
        """
        cells = table.decimals(column)
        factor = Fraction(self.inventory.currency.pence_per_unit, YEAR_DAYS * 10**cells.digits)
        return scaled(cells.mantissa[:, None] * days, factor)

    def pence_once(self, table: Table, column: str) -> Ints:
        """A one-off amount of each row, rounded half up to the penny. int64 [row]."""
        return table.decimals(column).rounded(Fraction(1, self.inventory.currency.pence_per_unit), "half_up")

    def exact_pence(self, table: Table, column: str, row: int) -> Fraction:
        """An amount in pence, unrounded."""
        return table.decimals(column).fraction(row) * self.inventory.currency.pence_per_unit

    # -- leaving out --------------------------------------------------------------------------------------

    @cached_property
    def optional(self) -> Bools:
        """Workloads that may be left out at the price of their value; a replica as its primary. bool [workload]."""
        given = self.workloads.given("value")
        return np.where(self.primary >= 0, given[self.primary], given)

    @cached_property
    def primary(self) -> Ints:
        """The workload that each replica copies, -1 for what is no replica. int64 [workload]."""
        return self.workloads.refs("replica_of")

    @cached_property
    def first_replica(self) -> Ints:
        """The replica that takes over from each workload, the first by id; -1 where there is none. int64 [workload]."""
        first = np.full(len(self.workloads), -1, dtype=np.int64)
        copies = np.flatnonzero(self.primary >= 0)[::-1]
        first[self.primary[copies]] = copies
        return first

    @cached_property
    def may_leave_out(self) -> Bools:
        """Items that the model allows to be left out, but for those that are kept at a site. bool [item]."""
        kept = np.zeros(len(self.workloads), dtype=np.bool_) if self.keep is None else self.keep.site >= 0
        free = np.array([not any(kept[w] for w in group) for group in self.members], dtype=np.bool_)
        return self._model_leaves_out & free

    @cached_property
    def _model_leaves_out(self) -> Bools:
        if self.model.left_out == "any":
            return np.ones(len(self.members), dtype=np.bool_)
        return np.array([all(self.optional[w] for w in group) for group in self.members], dtype=np.bool_)
