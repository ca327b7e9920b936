"""The vendors' formulas, each a pure function of whole numbers.

Every minimum and factor is an argument: the figures stand in dated tables (``terms.csv``), never here. Minimums apply
from the inside out: processor, server, machine, order. Cores are physical cores, not threads; a virtual machine's are
virtual.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import ceil


def rounded(number: int, step: int) -> int:
    """The least multiple of ``step`` that is not below ``number``: 7 cores in packs of two are 8."""
    return -(-number // step) * step


def server_cores(processors: Sequence[int], *, per_processor: int = 0, per_server: int = 0, step: int = 1) -> int:
    """Core licences of one server whose processors have so many cores each.

    ``rounded(max(Σ max(rounded(c), per_processor), per_server))``. Windows Server by physical core: 8 per processor,
    16 per server, packs of two (Microsoft Product Terms, October 2022). SQL Server by physical core: 4 per processor,
    packs of two. VMware Cloud Foundation: 16 per processor (Broadcom, 2024). A server without processors needs none.
    """
    if not processors:
        return 0
    return rounded(max(sum(max(rounded(c, step), per_processor) for c in processors), per_server), step)


def standard_cores(server: int, machines: int) -> int:
    """Windows Server Standard on a server of ``server`` core licences that may run so many virtual machines at most.

    All cores once more for every two machines: ``server × ⌈machines ÷ 2⌉`` (Microsoft Product Terms, October 2022).
    What counts is the most that the server may ever run, after a failure or a live migration, not today's number.
    """
    return server * ceil(Fraction(machines, 2))


def datacenter_cores(server: int, machines: int) -> int:
    """Windows Server Datacenter: all cores once, however many machines; nothing where there are none (as above)."""
    return server if machines else 0


def most_machines(machines: int, hosts: int, failures: int) -> int:
    """The most machines on one of ``hosts`` that share ``machines`` evenly when ``failures`` of them are down."""
    return ceil(Fraction(machines, max(1, hosts - failures)))


def machine_cores(machines: Iterable[int], *, per_machine: int, step: int = 1) -> int:
    """Core licences by virtual machine: ``Σ max(per_machine, rounded(v))`` over their virtual CPUs.

    Windows Server by machine: 8 per machine (Product Terms, October 2022). SQL Server by machine: 4 per machine, packs
    of two (SQL Server 2022 licensing guide).
    """
    return sum(max(per_machine, rounded(v, step)) for v in machines)


def machines_per_server(machines: int, cores: int, *, machines_each: int, cores_each: int) -> int:
    """Server licences of one server: ``max(⌈machines ÷ machines_each⌉, ⌈cores ÷ cores_each⌉)``.

    SQL Server Enterprise, server and client access licences (2012): four machines and 20 cores each, on the most
    machines possible.
    """
    return max(ceil(Fraction(machines, machines_each)), ceil(Fraction(cores, cores_each)))


def processors(cores: Mapping[str, int], factors: Mapping[str, Fraction]) -> int:
    """Processor licences: ``Σ ⌈factor × cores⌉`` over kinds of processor, whose cores are summed before rounding.

    Oracle Database Enterprise Edition, Processor Core Factor Table; a kind that it does not list counts 1. On soft
    partitions (VMware, Hyper-V, KVM) ``cores`` are those of every host that a machine can reach, on hard partitions the
    pinned ones.
    """
    return sum(ceil(factors.get(kind, Fraction(1)) * number) for kind, number in cores.items())


def named_users(users: int, counted: int, *, each: int) -> int:
    """Named users with a minimum: ``max(users, each × counted)``.

    Oracle Database: 25 per processor licence for Enterprise Edition, 10 per server for Standard Edition 2.
    """
    return max(users, each * counted)


def order(need: int, *, minimum: int) -> int:
    """An order of at least so many, where anything is needed at all: VMware, 72 cores an order line (10 April 2025)."""
    return max(need, minimum) if need else 0


def peak(users: Iterable[Mapping[str, int]]) -> int:
    """Concurrent users: the largest total at one time of day. Each mapping is one organisation's users by time of day.

    Peaks of different hours are not added.
    """
    total: dict[str, int] = {}
    for by_time in users:
        for time, number in by_time.items():
            total[time] = total.get(time, 0) + number
    return max(total.values(), default=0)


def distinct_users(users: Mapping[str, Iterable[int]]) -> int:
    """Users or devices over all servers of a product, by organisation: people count once, however many servers.

    The people of an organisation's smaller systems are taken to be among those of its largest.
    """
    return sum(max(numbers, default=0) for numbers in users.values())


def pool(needs: Mapping[str, int], reserved: Mapping[str, int]) -> int:
    """What a shared pool must hold: each organisation's need, or what is reserved for it if that is more."""
    return sum(max(needs.get(name, 0), reserved.get(name, 0)) for name in {*needs, *reserved})
