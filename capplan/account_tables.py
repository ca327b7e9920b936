"""Tables of a run about organisations and packages: who costs what, who is charged what, what packages earn."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from capplan.accounts import NOBODY, accounts
from capplan.charging import Charges
from capplan.measure import Measured
from capplan.units import decimal_text

Rows = list[Mapping[str, object]]

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "organisations": (
        *("organisation", "users", "population", "mean_power_kw", "cost", "cost_today"),
        *("cost_per_user", "cost_per_head", "cost_per_kw", "charged", "charged_per_head"),
    ),
    "charges": ("organisation", "package", "unit_basis", "volume", "price", "amount", "period"),
    "packages": (
        *("package", "period", "unit_basis", "customers", "volume", "take_up", "income", "cost", "margin"),
        *("full_income", "stranded", "underpriced"),
    ),
    "stranded": (
        *("organisation", "package", "period", "pays", "would_pay"),
        *("stranded", "stranded_if_left", "to_others_if_left"),
    ),
}
"""Columns of these tables, by name."""

NUMBERS = frozenset(
    "users population mean_power_kw cost cost_today cost_per_user cost_per_head cost_per_kw charged charged_per_head "
    "volume price amount customers take_up income margin full_income stranded underpriced pays would_pay "
    "stranded_if_left to_others_if_left".split()
)
"""Their columns that hold numbers."""

PRICE_DIGITS = 18


def account_rows(measured: Measured, today: Measured | None = None) -> dict[str, Rows]:
    """The rows of each table, sorted."""
    charges = Charges(measured.problem)
    return {
        "organisations": _organisations(measured, today),
        "charges": _charges(measured, charges),
        "packages": _packages(measured, charges),
        "stranded": _stranded(measured, charges),
    }


def _organisations(measured: Measured, today: Measured | None) -> Rows:
    ids, money = measured.problem.inventory.table("organisations").ids, _money(measured)
    return [
        {
            "organisation": ids[one.organisation] if one.organisation != NOBODY else "",
            "users": "" if one.users is None else one.users,
            "population": "" if one.population is None else one.population,
            "mean_power_kw": decimal_text(one.mean_kw),
            "cost": money(one.cost),
            "cost_today": money(one.cost_today),
            "cost_per_user": money(one.cost_per_user),
            "cost_per_head": money(one.cost_per_head),
            "cost_per_kw": money(one.cost_per_kw),
            "charged": money(one.charged),
            "charged_per_head": money(one.charged_per_head),
        }
        for one in accounts(measured, today)
    ]


def _charges(measured: Measured, charges: Charges) -> Rows:
    inventory, periods, money = measured.problem.inventory, measured.problem.periods, _money(measured)
    organisations, packages = inventory.table("organisations").ids, inventory.table("packages").ids
    return [
        {
            "organisation": organisations[row.organisation],
            "package": packages[row.package],
            "unit_basis": charges.basis(row.package),
            "volume": decimal_text(row.volume, PRICE_DIGITS),
            "price": decimal_text(charges.price(row.package), PRICE_DIGITS),
            "amount": money(row.pence),
            "period": periods.text(row.period),
        }
        for row in charges.rows
    ]


def _packages(measured: Measured, charges: Charges) -> Rows:
    packages, periods = measured.problem.inventory.table("packages").ids, measured.problem.periods
    money = _money(measured)
    return [
        {
            "package": packages[one.package],
            "period": periods.text(one.period),
            "unit_basis": charges.basis(one.package),
            "customers": one.customers,
            "volume": decimal_text(one.volume, PRICE_DIGITS),
            "take_up": decimal_text(one.volume / one.full_volume) if one.full_volume else "",
            "income": money(one.income),
            "cost": money(one.cost),
            "margin": money(one.margin),
            "full_income": money(one.full),
            "stranded": money(one.stranded) if one.cost is not None else "",
            "underpriced": money(one.underpriced) if one.cost is not None else "",
        }
        for one in charges.packages
    ]


def _stranded(measured: Measured, charges: Charges) -> Rows:
    inventory, periods, money = measured.problem.inventory, measured.problem.periods, _money(measured)
    organisations, packages = inventory.table("organisations").ids, inventory.table("packages").ids
    return [
        {
            "organisation": organisations[row.organisation],
            "package": packages[row.package],
            "period": periods.text(row.period),
            "pays": money(row.pays),
            "would_pay": money(row.would_pay),
            "stranded": money(row.stranded),
            "stranded_if_left": money(row.if_left),
            "to_others_if_left": money(row.to_others),
        }
        for row in charges.stranded
    ]


def _money(measured: Measured) -> Callable[[int | None], str]:
    """Writes pence as a plain decimal, blank where there are none to tell."""
    currency = measured.problem.inventory.currency
    return lambda pence: "" if pence is None else currency.decimal(pence)
