"""Links: what must talk to each other can, over circuits that carry it, within the round trip and the zones allowed.

An interface counts while it and all its workloads are active and placed. Its ways are the quickest ones; what it may
not do excludes placements of one workload, and combinations of placements of several. What circuits carry, normally and
after each single failure, is limited by their capacity in each direction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

import numpy as np
from pydantic import Field

from capplan.errors import Fault
from capplan.links.circuits import circuit_limits
from capplan.links.faults import link_faults
from capplan.links.forbidden import COLUMNS, combinations, forbidden_nodes, reason, reason_text
from capplan.links.interface import NONE, Interface, interfaces_of
from capplan.links.report import Report
from capplan.links.schema import SCHEMAS
from capplan.model import RuleOptions, Switch
from capplan.problem import Options, Problem
from capplan.problem.groups import RowsOf
from capplan.problem.ways import Figure, Way, evenly, rows_where, set_cell
from capplan.program import Builder, LimitName, Program, Values
from capplan.program.statements import Source
from capplan.rules.base import Exclusion, Row, Rule
from capplan.units import Ints, decimal_text


class LinksOptions(RuleOptions):
    """Options of the rule ``links``."""

    failures: Switch = Field(
        default=True, description="circuits must carry what is sent after each single failure as well"
    )


class Links(Rule):
    """Interfaces between placed workloads and outside systems, and what circuits carry."""

    summary = "interfaces keep their round trips, zones and diversity, and circuits carry what is sent"
    options = LinksOptions
    schemas = SCHEMAS

    def exclusions(self, problem: Problem, options: Options) -> Iterable[Exclusion]:
        """Placements that an interface with one workload forbids."""
        for interface in interfaces_of(problem):
            if len(interface.placed) == 1 and interface.periods:
                yield from self._of_one(problem, options, interface)

    def _of_one(self, problem: Problem, options: Options, interface: Interface) -> Iterable[Exclusion]:
        node, rows = problem.sites.nodes("node"), options.rows_of(np.array(interface.placed))
        key = f"links of {interface.name}"
        open_nodes = np.unique(node)
        nodes = _nodes_of(interface, {interface.placed[0]: open_nodes})
        bad, [axis] = problem.shared(key, lambda: forbidden_nodes(problem, interface, nodes))
        refused = open_nodes[bad.reshape(bad.shape[axis])]
        rows = rows[np.isin(node[options.site[rows]], refused)]
        if not len(rows):
            return
        site = options.site[rows]

        def why(i: int) -> tuple[str, Source]:
            stops = [
                n if w == NONE else int(node[site[i]])
                for w, n in zip(interface.workloads, interface.nodes, strict=True)
            ]
            check = reason(problem, interface, stops)
            return f"interface {interface.name}: {reason_text(check)}", _source(interface, check.check)

        yield Exclusion(self.name, options.option[rows], lambda i: why(i)[0], lambda i: why(i)[1], rows)

    def figures(self, problem: Problem, program: Program, name: LimitName) -> Iterable[Figure]:
        """A circuit that carries more."""
        if name.source is None or name.source[0] != "circuits":
            return
        _, row, column = name.source
        table = problem.inventory.table("circuits")
        circuit, have = table.ids[row], table.decimals(column).fraction(row)
        rows = rows_where(program, lambda other: other.source == name.source)

        def more(kbit: int) -> Way:
            mbps = have + Fraction(kbit, 1000)
            text = f"{decimal_text(mbps)} Mbit/s on the circuit {circuit} instead of {decimal_text(have)}"
            changes, share = (
                set_cell("circuits", circuit, column, decimal_text(mbps)),
                mbps / have - 1 if have else mbps,
            )
            return Way("capacity", text, changes, share=share, physical=True, figure=(self.name, circuit, column))

        yield Figure((self.name, circuit, column), evenly(rows), more, unit=1000)

    def eased(self, problem: Problem, source: Source, workloads: Sequence[int]) -> Iterable[Way]:
        """An interface that does not ask for this."""
        table, row, column = source
        if table == "interfaces":
            name = problem.inventory.table(table).keys[row]
            changes = set_cell(table, name, column, "")
            yield Way("workload", f"no {column} for the interface {name}", changes, share=Fraction(1, 2))

    def build(self, problem: Problem, options: Options, builder: Builder) -> None:
        """Combinations that interfaces with several workloads forbid, and the capacity of circuits."""
        rows_of = RowsOf(problem, options)
        for interface in interfaces_of(problem):
            if len(interface.placed) > 1 and interface.periods:
                self._of_several(problem, options, builder, (interface, rows_of))
        setting = problem.rules[self.name]
        assert isinstance(setting, LinksOptions)
        circuit_limits(problem, options, builder, self.name, failures=setting.failures)

    def _of_several(self, problem: Problem, options: Options, builder: Builder, what: tuple[Interface, RowsOf]) -> None:
        """Of the placements in each forbidden combination, at most all but one."""
        interface, rows_of = what
        node = problem.sites.nodes("node")
        rows = {w: rows_of(np.array([w])) for w in interface.placed}
        open_nodes = {w: np.unique(node[options.site[mine]]) for w, mine in rows.items()}
        if not all(map(len, open_nodes.values())):
            return
        nodes = _nodes_of(interface, open_nodes)
        bad, axes = forbidden_nodes(problem, interface, nodes)
        for positions, one in combinations(bad, axes):
            stops = list(interface.nodes)
            for axis, place in zip(axes, one, strict=True):
                stops[axis] = int(nodes[axis][place])
            check = reason(problem, interface, stops)
            names = [
                self._places(problem, interface.workloads[axis], nodes[axis][chosen])
                for axis, chosen in zip(axes, positions, strict=True)
            ]
            subject = f"{interface.name} with {', '.join(names)}: {reason_text(check)}"
            unit = "placement"
            name = LimitName(self.name, subject, -1, unit, Fraction(1), -1, _source(interface, check.check), least=True)
            block = builder.limits([name], np.array([len(axes) - 1]))
            for axis, chosen in zip(axes, positions, strict=True):
                mine = rows[interface.workloads[axis]]
                mine = mine[np.isin(node[options.site[mine]], nodes[axis][chosen])]
                block.options(np.zeros_like(mine), options.option[mine], np.ones_like(mine))

    def _places(self, problem: Problem, w: int, nodes: Ints) -> str:
        """``RIO at A or B``."""
        at = np.isin(problem.sites.nodes("node"), nodes)
        sites = [name for name, here in zip(problem.sites.ids, at.tolist(), strict=True) if here]
        shown = " or ".join(sites[:3]) + (f" or {len(sites) - 3} more" if len(sites) > 3 else "")
        return f"{problem.workloads.ids[w]} at {shown}"

    def faults(self, problem: Problem) -> Iterable[Fault]:
        """Mistakes in interfaces and circuits."""
        return link_faults(problem)

    def tables(self, problem: Problem, options: Options, program: Program, values: Values) -> Mapping[str, list[Row]]:
        """``links.csv``: every check of every link."""
        report = Report(problem, options.sites_of(len(problem.workloads)))
        return {"links": [check.row() for check in report.rows]}


def _nodes_of(interface: Interface, open_nodes: Mapping[int, Ints]) -> list[Ints]:
    """The nodes open to each stop. int64 [k] each."""
    pairs = zip(interface.workloads, interface.nodes, strict=True)
    return [np.array([n], dtype=np.int64) if w == NONE else open_nodes[w] for w, n in pairs]


def _source(interface: Interface, check: str) -> Source:
    return ("interfaces", interface.row, COLUMNS[check])
