"""Twelve licensed products for an estate: what its workloads need, on which hosts, at which prices.

Every site has a group of hosts of each platform, so that whatever is open to a workload without licences still is.
General hosts follow the size of the site, hosts of databases do not. A twelfth of the workloads runs on SQL Server
Enterprise, a twentieth on Oracle, all others on general hosts. Prices are list prices of 2023 to 2025 in pounds (a
dollar at 0.75), support or subscription for a year.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.estate import Estate, Ints

Row = tuple[str, ...]

LICENCES: tuple[Row, ...] = (
    ("licence", "metric", "terms", "owned", "pack", "pack_cost", "datacenter", "assurance"),
    ("VMW", "core", "vmware", "0", "1", "101.25", "", ""),
    ("WIN-STD", "standard_core", "windows-server", "0", "2", "40", "WIN-DC", ""),
    ("WIN-DC", "core", "windows-server", "0", "2", "230", "", ""),
    ("SQL-EE", "core", "sql-server", "0", "2", "4075.50", "", "yes"),
    ("SQL-STD", "pool", "", "200", "2", "1063.50", "", "yes"),
    ("ORA-EE", "processor", "oracle-ee", "0", "1", "7837.50", "", ""),
    ("ORA-SE2", "socket", "oracle-se2", "0", "1", "2887.50", "", ""),
    ("ORA-NUP", "named_user", "oracle-ee", "500", "25", "3918.75", "", ""),
    ("MAIL", "user", "", "0", "100", "4000", "", ""),
    ("EPR", "concurrent", "", "1000", "50", "1250", "", ""),
    ("GATEWAY", "site", "", "0", "1", "5000", "", ""),
    ("TOOL", "pool", "", "20", "10", "2000", "", ""),
)
PLATFORMS = ("general", "sql", "oracle")
SQL, ORACLE = 12, 20
"""One workload in so many runs on the platform."""
GENERAL_HOST = 8000
"""Units of the first resource that a general host takes."""


def platforms(estate: Estate) -> Ints:
    """The platform of each workload: number in PLATFORMS. int64 [workload]."""
    draw = _random(estate, 0).random(len(estate.users))
    return np.where(draw < 1 / SQL, 1, np.where(draw < 1 / SQL + 1 / ORACLE, 2, 0))


def hosts(estate: Estate, sites: list[str]) -> Iterator[Row]:
    """The host groups of every site, heads first."""
    yield ("host_group", "site", "platform", "hosts", "processors", "cores", "failures")
    for s, site in enumerate(sites):
        general = max(2, -(-int(estate.capacity[s, 0]) // GENERAL_HOST))
        yield (f"{site}-general", site, "general", str(general), "2", "16", "1")
        yield (f"{site}-sql", site, "sql", "2", "1", "16", "0")
        yield (f"{site}-oracle", site, "oracle", "2", "1", "8", "0")


def needs(estate: Estate, workloads: list[str]) -> Iterator[Row]:
    """What each workload needs, heads first. Each product is drawn by itself, so that none depends on another."""
    yield ("workload", "licence", "quantity")
    platform = platforms(estate)
    draws = {licence[0]: _random(estate, k).random(len(workloads)) for k, licence in enumerate(LICENCES) if k}
    machines = _random(estate, len(LICENCES)).integers(1, 5, len(workloads))
    for w, workload in enumerate(workloads):
        for licence, share, on, quantity in (
            ("VMW", 1.0, 0, int(machines[w])),
            ("WIN-STD", 0.5, 0, int(machines[w])),
            ("SQL-EE", 1.0, 1, 1),
            ("SQL-STD", 0.1, 0, 4 * int(machines[w])),
            ("ORA-EE", 0.6, 2, 1),
            ("ORA-SE2", 0.4, 2, 1),
            ("ORA-NUP", 0.2, 2, int(estate.users[w])),
            ("MAIL", 0.05, 0, int(estate.users[w])),
            ("EPR", 0.05, 0, int(estate.users[w])),
            ("GATEWAY", 0.03, 0, 1),
            ("TOOL", 0.1, 0, 1),
        ):
            if platform[w] == on and draws[licence][w] < share:
                yield (workload, licence, str(quantity))


def _random(estate: Estate, product: int) -> np.random.Generator:
    return np.random.default_rng([estate.seed, len(estate.users), len(estate.opening), product])
