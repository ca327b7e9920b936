"""Examples of `licences` that a reader can check on paper; the laws are in test_laws.py."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capplan.errors import BadInput
from capplan.solving import solve
from tests.small import measured, messages, problem, sites, solved

BASE = {
    "sites": "site,power_kw,open_cost\nA,10,0\nB,10,0\n",
    "workloads": "workload,organisation,power_kw\nW1,O,1\nW2,O,1\nW3,O,1\n",
    "licence_needs": "workload,licence,quantity\nW1,L,8\nW2,L,8\nW3,L,4\n",
}


def licences(metric: str, owned: int, pack: int, cost: int, more: str = "") -> dict[str, str]:
    header = "licence,metric,owned,pack,pack_cost,max_packs,sites"
    return BASE | {"licences": f"{header}\nL,{metric},{owned},{pack},{cost},{more or ','}\n"}


def row(result, name: str) -> list[list[str]]:
    return next(table.rows for table in result.tables if table.name == name)


def test_a_pool_is_bought_in_whole_packs():
    """20 are needed, 10 owned: packs of 4 must be 3, at £100 each; 2 are spare."""
    found = solved(problem(licences("pool", 10, 4, 100)))
    assert row(found, "licences") == [
        ["L", "all", "2016-01-01..2016-12-30", "20", "10", "12", "2", "300.00", "2016-01-01", "3 workloads"]
    ]


def test_what_is_short_is_said_in_licences():
    """Nothing may be bought: 10 of 20 are missing."""
    small = problem(licences("pool", 10, 4, 100), "extends: standard\npurchases: none\n")
    assert messages(measured(small, W1="A", W2="A", W3="A")) == [
        "L: need 20 licences, limit 10 licences: short 10 licences; largest: W1 8, W2 8, W3 4"
    ]
    assert solved(small).status == "infeasible"


def test_only_what_is_in_scope_counts():
    """The pool covers site A only: two workloads go to B rather than buy."""
    found = solved(problem(licences("pool", 8, 1, 100, ",A")))
    assert sorted(sites(found).values()) == ["A", "B", "B"]


def test_a_site_charge_is_paid_once_for_each_site_used():
    """£1,000 a site: everything goes to one site."""
    found = solved(problem(licences("site", 0, 1, 1000)))
    assert found.measured is not None
    assert found.measured.cost == 100000
    assert len(set(sites(found).values())) == 1


def test_a_licence_is_paid_for_the_days_on_which_it_counts():
    """A £365 licence that ends after 100 days costs £100."""
    tables = licences("site", 0, 1, 365)
    tables["licences"] = "licence,metric,pack_cost,to\nL,site,365,2016-04-10\n"
    found = solved(problem(tables))
    assert found.measured is not None
    assert found.measured.cost == 10000


# --- metrics of hosts -----------------------------------------------------------------------------

HOSTS = {
    "sites": "site,power_kw\nA,100\n",
    "hosts": "host_group,site,hosts,processors,cores,failures\nESX,A,4,2,16,1\n",
}


def need(tables: dict[str, str], model: str = "extends: standard\n") -> dict[str, int]:
    """What the best plan needs of each licence in the only period."""
    found = solved(problem(tables, model))
    assert found.status == "optimal", found.status
    return {cells[0]: int(cells[3]) for cells in row(found, "licences")}


def machines(count: int, licence: str = "L", each: int = 1) -> dict[str, str]:
    """So many workloads, all with a licence."""
    names = [f"W{n:02d}" for n in range(count)]
    return HOSTS | {
        "workloads": "workload,organisation,power_kw,cores\n" + "".join(f"{w},O,1,2\n" for w in names),
        "licence_needs": "workload,licence,quantity\n" + "".join(f"{w},{licence},{each}\n" for w in names),
        "sites": "site,power_kw,cores\nA,100,unlimited\n",
    }


def test_windows_standard_counts_the_most_machines_after_a_failure():
    """10 machines on 4 hosts, one of which may fail: 4 on a host, so 2 x 32 cores on each of 4 hosts = 256."""
    tables = machines(10) | {"licences": "licence,metric,terms,pack_cost\nL,standard_core,windows-server,1\n"}
    assert need(tables) == {"L": 256}


@pytest.mark.parametrize(("count", "standard", "datacenter"), [(15, 384, 0), (18, 384, 0), (19, 0, 128)])
def test_the_cheaper_edition_is_taken_host_group_by_host_group(count: int, standard: int, datacenter: int):
    """Standard £1,070, Datacenter £3,500 for 16 cores: three stacks (£3,210), six machines on a host, are cheaper."""
    tables = machines(count) | {
        "licences": "licence,metric,terms,pack,pack_cost,datacenter\n"
        "DC,core,windows-server,16,3500,\nSTD,standard_core,windows-server,16,1070,DC\n",
        "licence_needs": machines(count, "STD")["licence_needs"],
    }
    assert need(tables) == {"STD": standard, "DC": datacenter}


def test_datacenter_may_be_taken_where_it_is_owned_though_nothing_may_be_bought():
    tables = machines(15) | {
        "licences": "licence,metric,terms,owned,datacenter\nDC,core,windows-server,128,\n"
        "STD,standard_core,windows-server,300,DC\n",
        "licence_needs": machines(15, "STD")["licence_needs"],
    }
    assert need(tables, "extends: standard\npurchases: none\n") == {"STD": 0, "DC": 128}


def test_the_table_says_why():
    """15 machines, at most five on a host: three stacks; with Datacenter owned it is taken instead."""
    header = "licence,metric,terms,owned,pack_cost,datacenter\n"
    tables = machines(15, "STD") | {
        "licences": f"{header}DC,core,windows-server,0,,\nSTD,standard_core,windows-server,0,1,DC\n"
    }
    tables["licences"] = tables["licences"].replace("windows-server,0,,", "windows-server,0,99,")
    said = [cells[-1] for cells in row(solved(problem(tables)), "licences")]
    assert said == [
        "no workload in scope needs it",
        "ESX: 4 hosts of 2 × 16 cores, 15 machines, at most 5 on a host: 32 cores × 3 for two machines each = 384"
        " (Microsoft Product Terms, October 2022)",
    ]
    tables["licences"] = f"{header}DC,core,windows-server,128,,\nSTD,standard_core,windows-server,0,1,DC\n"
    said = [cells[-1] for cells in row(solved(problem(tables)), "licences")]
    assert said == [
        "ESX: 4 hosts of 2 × 16 cores, 32 cores each, instead of STD (Microsoft Product Terms, October 2022)",
        "ESX: DC is taken instead (Microsoft Product Terms, October 2022)",
    ]


def test_a_whole_cluster_is_counted_when_a_machine_can_reach_it():
    """Two sites in one cluster: 4 x 32 + 2 x 16 cores at factor 0.5 = 80, wherever the one machine runs."""
    tables = machines(1) | {
        "sites": "site,power_kw,cores\nA,10,9\nB,10,9\n",
        "hosts": "host_group,site,hosts,processors,cores,cluster\nE1,A,4,2,16,V\nE2,B,2,2,8,V\n",
        "licences": "licence,metric,terms,pack_cost\nL,processor,oracle-ee,1\n",
    }
    assert need(tables) == {"L": 80}
    tables["licences"] = "licence,metric,terms,pack_cost,partitioning\nL,processor,oracle-ee,1,hard\n"
    assert need(tables) == {"L": 1}


def test_processors_are_rounded_once_for_each_kind():
    """Two servers of three x86 cores are three licences, not four."""
    tables = machines(2) | {
        "sites": "site,power_kw,cores\nA,1.25,9\nB,1.25,9\n",
        "hosts": "host_group,site,hosts,processors,cores\nE1,A,1,1,3\nE2,B,1,1,3\n",
        "licences": "licence,metric,terms,pack_cost\nL,processor,oracle-ee,1\n",
    }
    assert need(tables) == {"L": 3}


def test_why_ends_in_the_sum_and_in_the_document_whose_figures_it_uses():
    """Two servers of three x86 cores; the contract's own factor names its own document."""
    tables = machines(2) | {
        "sites": "site,power_kw,cores\nA,1.25,9\nB,1.25,9\n",
        "hosts": "host_group,site,hosts,processors,cores\nE1,A,1,1,3\nE2,B,1,1,3\n",
        "licences": "licence,metric,terms,pack_cost\nL,processor,oracle-ee,1\n",
    }
    cores = "E1: 1 host of 1 × 3 cores = 3; E2: 1 host of 1 × 3 cores = 3"
    by = "Oracle Processor Core Factor Table"
    assert row(solved(problem(tables)), "licences")[0][-1] == f"{cores}; 6 x86 cores × 0.5 = 3 ({by})"
    tables["licence_terms"] = 'terms,figure,value,source\noracle-ee,factor_x86,0.75,"Our contract, 2019: page 3"\n'
    assert row(solved(problem(tables)), "licences")[0][-1] == f"{cores}; 6 x86 cores × 0.75 = 5 (Our contract, 2019)"


def test_vmware_counts_sixteen_cores_a_processor_and_an_order_of_at_least_72():
    tables = machines(1) | {"licences": "licence,metric,terms,pack_cost\nL,core,vmware,1\n"}
    tables["hosts"] = "host_group,site,hosts,processors,cores\nE1,A,1,2,8\n"
    assert need(tables) == {"L": 32}  # in 2016 there was no minimum of an order
    tables["licence_terms"] = "terms,figure,value\nvmware,minimum_order,72\nvmware,per_processor,16\n"
    assert need(tables) == {"L": 72}


def test_servers_by_machines_and_cores():
    """39 machines on three hosts of 72 cores: four licences each."""
    tables = machines(3, each=13) | {
        "licences": "licence,metric,terms,pack_cost\nL,server,sql-server-enterprise-cal,1\n"
    }
    tables["hosts"] = "host_group,site,hosts,processors,cores\nE1,A,3,2,36\n"
    assert need(tables) == {"L": 12}


def test_standard_edition_2_is_kept_off_servers_with_room_for_more_than_two_sockets():
    tables = machines(1) | {
        "sites": "site,power_kw,cores\nA,10,9\nB,10,9\n",
        "hosts": "host_group,site,hosts,processors,cores,sockets\nE1,A,1,2,16,4\nE2,B,2,2,8,\n",
        "licences": "licence,metric,terms,pack_cost\nL,socket,oracle-se2,1\n",
    }
    assert need(tables) == {"L": 4}
    small = problem(tables)
    assert "at most 2 sockets" in messages(measured(small, W00="A"))[0]


def test_a_site_without_hosts_cannot_take_what_is_counted_by_hosts():
    tables = machines(1) | {"licences": "licence,metric\nL,core\n", "hosts": "host_group,site,hosts,cores\n"}
    assert "no host group" in messages(measured(problem(tables), W00="A"))[0]


# --- metrics of machines and people ---------------------------------------------------------------


def test_machine_cores_have_a_minimum_and_packs():
    """Two machines of one core each and one of seven: 4 + 4 + 8 for SQL Server."""
    tables = HOSTS | {
        "sites": "site,cores\nA,100\n",
        "workloads": "workload,organisation,cores\nW1,O,2\nW2,O,7\n",
        "licence_needs": "workload,licence,quantity\nW1,L,2\nW2,L,1\n",
        "licences": "licence,metric,terms,pack_cost\nL,machine_core,sql-server-vm,1\n",
    }
    assert need(tables) == {"L": 16}


def people(metric: str, terms: str = "") -> dict[str, str]:
    return HOSTS | {
        "organisations": "organisation,population\nO,5000\nP,700\n",
        "workloads": "workload,organisation,power_kw,users\nW1,O,1,300\nW2,O,1,120\nW3,P,1,40\n",
        "licence_needs": "workload,licence,quantity\nW1,L,\nW2,L,\nW3,L,\n",
        "licences": f"licence,metric,terms,pack_cost\nL,{metric},{terms},1\n",
    }


@pytest.mark.parametrize(
    ("metric", "terms", "expected"),
    [
        ("user", "", 340),
        ("population", "", 5700),
        ("organisation", "", 2),
        ("named_user", "oracle-ee", 1600),  # 4 x 32 cores x 0.5 = 64 processors, 25 each
        ("named_user", "oracle-se2", 340),  # 4 servers, 10 each
    ],
)
def test_people(metric: str, terms: str, expected: int):
    assert need(people(metric, terms)) == {"L": expected}


def test_concurrent_users_are_added_at_each_time_of_day():
    """300 + 100 in the morning, 150 + 350 in the afternoon: 500."""
    tables = people("concurrent") | {
        "licence_needs": "workload,licence\nW1,L\nW3,L\n",
        "licence_peaks": "workload,licence,time,users\nW1,L,morning,300\nW1,L,afternoon,150\n"
        "W3,L,morning,100\nW3,L,afternoon,350\n",
    }
    assert need(tables) == {"L": 500}


# --- rights ---------------------------------------------------------------------------------------


def test_parts_of_a_pool_can_be_reserved():
    """P keeps 5 though it uses 3; O needs 10: the pool must hold 15."""
    tables = people("pool") | {
        "licence_needs": "workload,licence,quantity\nW1,L,10\nW3,L,3\n",
        "licence_reserves": "licence,organisation,reserved\nL,P,5\n",
    }
    assert need(tables) == {"L": 15}


@pytest.mark.parametrize(("terms", "assurance", "expected"), [("sql-server-vm", "yes", 4), ("sql-pdw", "yes", 8)])
def test_passive_replicas_are_free_where_the_terms_say_so(terms: str, assurance: str, expected: int):
    tables = {
        "sites": "site,cores\nA,10\nB,10\n",
        "workloads": "workload,organisation,cores,replica_of\nW,O,4,\nR,O,4,W\n",
        "licences": f"licence,metric,terms,assurance,pack_cost\nL,machine_core,{terms},{assurance},1\n",
        "licence_needs": "workload,licence\nW,L\nR,L\n",
        "licence_terms": "terms,figure,value\nsql-server-vm,passives,1\n",
    }
    assert need(tables) == {"L": expected}


def test_a_farm_has_at_most_two_sites():
    tables = BASE | {
        "sites": "site,power_kw\nA,1.25\nB,1.25\nC,1.25\n",
        "licences": "licence,metric,owned,mobility\nL,pool,99,farm\n",
    }
    assert messages(measured(problem(tables), W1="A", W2="B", W3="C")) == [
        "L farm: need 3 sites, limit 2 sites: short 1 site"
    ]


def test_a_licence_without_mobility_moves_once_in_ninety_days():
    tables = BASE | {
        "workloads": "workload,organisation,power_kw,current_site\nW1,O,1,A\n",
        "licence_needs": "workload,licence\nW1,L\n",
        "licences": "licence,metric,owned,mobility,assigned\nL,pool,9,none,2015-12-01\n",
    }
    assert "cannot be reassigned before 2016-02-29" in messages(measured(problem(tables), W1="B"))[0]
    assert not messages(measured(problem(tables), W1="A"))


def test_customers_own_licences_need_dedicated_hosts():
    tables = machines(1) | {
        "sites": "site,power_kw,cores\nA,10,9\nB,10,9\n",
        "hosts": "host_group,site,hosts,cores,dedicated_to,listed_provider\nE1,A,1,8,,yes\nE2,B,1,8,O,\n",
        "licences": "licence,metric,pack_cost,bring_own\nL,pool,1,yes\n",
    }
    assert sites(solved(problem(tables))) == {"W00": "B"}
    assert "dedicated" in messages(measured(problem(tables), W00="A"))[0]


def test_durable_packs_are_bought_once_and_stay():
    """Two packs for the first quarter, a third for the second, each paid once and by the days it is held."""
    tables = BASE | {
        "workloads": "workload,organisation,power_kw,from\nW1,O,1,\nW2,O,1,\nW3,O,1,2016-04-01\n",
        "licences": "licence,metric,pack,pack_cost,pack_cost_once,kind\nL,pool,8,0,100,durable\n",
    }
    model = "extends: standard\nperiods: {from: 2016-01-01, every: quarter, count: 2}\n"
    found = solved(problem(tables, model))
    assert [(cells[3], cells[5], cells[7]) for cells in row(found, "licences")] == [
        ("16", "16", "200.00"),
        ("20", "24", "100.00"),
    ]
    assert found.measured is not None
    assert found.measured.cost == 30000


# --- what is wrong with the tables ----------------------------------------------------------------


def faults(tables: dict[str, str]) -> list[str]:
    with pytest.raises(BadInput) as raised:
        problem(tables)
    return [fault.message for fault in raised.value.faults]


def test_contradictions_are_told_all_at_once():
    tables = machines(1) | {
        "hosts": "host_group,site,hosts,cores\nE1,A,1,8\nE2,A,1,8\n",
        "licences": "licence,metric,terms,datacenter\nL,pool,sql-servr,\nM,user,,L\n",
        "licence_peaks": "workload,licence,time,users\nW00,L,am,1\n",
        "licence_reserves": "licence,organisation,reserved\nM,O,1\n",
    }
    assert sorted(faults(tables)) == [
        "E2 and E1 are both at A for the same platform",
        "L is counted by pool, which does not read this table",
        "M is counted by user, which does not read this table",
        "M is user, L is pool",
        'no terms are named "sql-servr"',
    ]


PEOPLE = {
    "sites": "site,power_kw\nA,10\n",
    "organisations": "organisation\nO\nP\nQ\n",
    "workloads": "workload,organisation,power_kw\nO1,O,1\nO2,O,1\nP1,P,1\nQ1,Q,1\n",
    "licences": "licence,metric,pack_cost\nL,user,1\n",
    "licence_people": "licence,organisation,other,people\nL,O,P,3\nL,P,Q,2\n",
}


@settings(max_examples=30, deadline=None)
@given(
    st.fixed_dictionaries(
        {"O1": st.integers(3, 9), "O2": st.integers(3, 9), "P1": st.integers(5, 9), "Q1": st.integers(2, 9)}
    ),
    st.sets(st.sampled_from(["O1", "O2", "P1", "Q1"])),
)
def test_who_belongs_to_two_organisations_counts_once(users: dict[str, int], placed: set[str]):
    """Against people with names: those that two organisations share, then each organisation's own up to its number."""
    shared = {"O": {"op1", "op2", "op3"}, "P": {"op1", "op2", "op3", "pq1", "pq2"}, "Q": {"pq1", "pq2"}}
    everyone: set[str] = set()
    for workload in placed:
        organisation = workload[0]
        mine = shared[organisation] | {f"{organisation}{n}" for n in range(users[workload] - len(shared[organisation]))}
        assert len(mine) == users[workload]
        everyone |= mine
    needs = "".join(f"{workload},L,{number}\n" for workload, number in users.items())
    tables = PEOPLE | {"licence_needs": f"workload,licence,quantity\n{needs}"}
    plan = measured(problem(tables, "extends: standard\npurchases: none\n"), **dict.fromkeys(placed, "A"))
    [said] = [text.partition(";")[0] for text in messages(plan) if text.startswith("L:")] or [""]
    number = len(everyone)
    assert said == (f"L: need {number} licences, limit 0 licences: short {number} licences" if number else "")


def test_the_plan_buys_for_distinct_people_and_says_so():
    """9 + 5 + 4 people, 3 of O and 2 of Q belong to P as well: 13."""
    needs = "workload,licence,quantity\nO1,L,9\nO2,L,4\nP1,L,5\nQ1,L,4\n"
    [cells] = row(solved(problem(PEOPLE | {"licence_needs": needs})), "licences")
    assert (cells[3], cells[-1]) == (
        "13",
        "the people of O 9, P 5, Q 4, each organisation's once, less 5 who belong to two of them",
    )


@pytest.mark.parametrize("engine", ["exact", "large"])
def test_both_engines_place_by_what_shared_people_save(engine: str):
    """A head costs 1,000 at A, a workload 5,000 at B: P and Q at A are 5 + 4 - 2 = 7 heads, and O at B, 12,000 in all.

    All at A would be 13 heads; Q alone 4,000 + 10,000, the best if nobody were shared; all at B 15,000.
    """
    tables = PEOPLE | {
        "sites": "site,power_kw,cost_power_kw\nA,10,0\nB,10,5000\n",
        "workloads": "workload,organisation,power_kw\nO1,O,1\nP1,P,1\nQ1,Q,1\n",
        "licences": "licence,metric,pack_cost,sites\nL,user,1000,A\n",
        "licence_needs": "workload,licence,quantity\nO1,L,9\nP1,L,5\nQ1,L,4\n",
    }
    small = problem(tables)
    found = solve(small.inventory, small.model, engine=engine)
    assert sites(found) == {"O1": "B", "P1": "A", "Q1": "A"}
    assert found.measured is not None
    assert found.measured.cost == 1_200_000


@pytest.mark.parametrize(
    ("people", "said"),
    [
        ("L,O,P,5\n", "5 people of O are shared, its smallest workload has 4"),
        ("L,P,Q,3\nL,P,O,3\n", "6 people of P are shared, its smallest workload has 5"),
        ("L,O,O,1\n", "O cannot share people with itself"),
    ],
)
def test_people_that_cannot_be_shared_are_a_fault(people: str, said: str):
    needs = "workload,licence,quantity\nO1,L,9\nO2,L,4\nP1,L,5\nQ1,L,4\n"
    rows = f"licence,organisation,other,people\n{people}"
    with pytest.raises(BadInput, match=said):
        problem(PEOPLE | {"licence_needs": needs, "licence_people": rows})
