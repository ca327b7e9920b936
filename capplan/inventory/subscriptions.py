"""How many units of a package an organisation buys, and the faults of prices and volumes that do not match."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from capplan.errors import Faults
from capplan.inventory.table import Inventory, Table
from capplan.units import decimal_text

FIXED = "fixed"
COUNTED_IN: Mapping[str, str] = {"population": "population", "user": "users", FIXED: "population"}
"""The column of organisations that counts a basis; one organisation is one organisation."""

UNITS: Mapping[str, str] = {"population": "head of population", "user": "user", "organisation": "organisation"}
_COUNTED = {"population": "heads of population", "users": "users"}
_OTHER = {"population": "users", "users": "population"}


class Volumes:
    """Units by organisation and package, as the tables of an inventory give them; rows by number."""

    def __init__(self, inventory: Inventory) -> None:
        table, packages = inventory.table("subscriptions"), inventory.table("packages")
        organisations = inventory.table("organisations")
        self._volume = table.decimals("volume")
        self._owner = table.refs("organisation").tolist()
        self._package = table.refs("package").tolist()
        self._basis = packages.text("unit_basis")
        self._numbers = {column: organisations.decimals(column) for column in _COUNTED}

    def basis(self, package: int) -> str:
        """The unit_basis of a package."""
        return self._basis[package]

    def own(self, organisation: int, basis: str) -> Fraction | None:
        """How many units the organisation itself is, 1 where nothing is counted; None where its number is blank."""
        column = COUNTED_IN.get(basis)
        if column is None:
            return Fraction(1)
        numbers = self._numbers[column]
        return numbers.fraction(organisation) if numbers.given[organisation] else None

    def bought(self, subscription: int) -> Fraction | None:
        """Units of a row of subscriptions: its volume, else what the organisation itself is."""
        if self._volume.given[subscription]:
            return self._volume.fraction(subscription)
        return self.own(self._owner[subscription], self.basis(self._package[subscription]))


def check_subscriptions(inventory: Inventory, faults: Faults) -> None:
    """Packages that cannot be priced, and subscriptions whose volume is unknown or counted in something else."""
    _check_prices(inventory.table("packages"), faults)
    checked = _Checked(inventory, faults)
    for row in range(len(inventory.table("subscriptions"))):
        checked.row(row)


def _check_prices(packages: Table, faults: Faults) -> None:
    for row, basis in enumerate(packages.text("unit_basis")):
        shared = basis == FIXED
        if packages.given("price")[row] or (shared and packages.given("cost")[row]):
            continue
        message = f'price: the package "{packages.ids[row]}" has no price'
        fix = "fill in price, or the cost that its customers share" if shared else "fill in the price of one unit"
        faults.error(packages.place(row, "price"), "empty-mandatory-cell", message, fix)


class _Checked:
    """The rows of subscriptions, their volumes held against what organisations say of themselves."""

    def __init__(self, inventory: Inventory, faults: Faults) -> None:
        self.faults, self.volumes = faults, Volumes(inventory)
        self.table = inventory.table("subscriptions")
        self.organisations, self.packages = (inventory.table(name) for name in ("organisations", "packages"))
        self.known = set(self.packages.cells["unit_basis"].column.choices)
        self.owners, self.bought = (self.table.refs(column).tolist() for column in ("organisation", "package"))

    def row(self, row: int) -> None:
        """One subscription; what names nothing was told already."""
        owner, package = self.owners[row], self.bought[row]
        if owner < 0 or package < 0 or self.volumes.basis(package) not in self.known:
            return
        if self.table.given("volume")[row]:
            self._given(row, owner, package)
        elif self.volumes.bought(row) is None:
            self._unknown(row, owner, package)

    def _unknown(self, row: int, owner: int, package: int) -> None:
        """A volume that nobody gives: users are no stand-in for heads of population, nor heads for users."""
        basis, name = self.volumes.basis(package), self.organisations.ids[owner]
        column = COUNTED_IN[basis]
        other = _OTHER[column]
        fix = f"fill in {column} of {name} in organisations"
        if self.organisations.given(other)[owner]:
            number = f"{self.organisations.text(other)[owner]} {_COUNTED[other]}"
            message = f'{self._priced(package)}, and of "{name}" only the {number} are known'
            fix += f": {_COUNTED[other]} cannot stand for {_COUNTED[column]}"
            self.faults.error(self.table.place(row, "package"), "unit-basis-mismatch", message, fix)
            return
        message = f'volume: is empty, and "{name}" has no {column}; {self._priced(package)}'
        fix += ", or volume here"
        self.faults.error(self.table.place(row, "volume"), "empty-mandatory-cell", message, fix)

    def _given(self, row: int, owner: int, package: int) -> None:
        """A volume that is the organisation's other number was counted in the wrong unit.

        A fixed price may be shared by whatever the customers agree on.
        """
        basis = self.volumes.basis(package)
        column = COUNTED_IN.get(basis)
        if column is None or basis == FIXED:
            return
        other, volume = _OTHER[column], self.table.decimals("volume").fraction(row)
        own, wrong = (self.organisations.decimals(name).fraction(owner) for name in (column, other))
        if not volume or volume != wrong or volume == own:
            return
        number = f'{decimal_text(volume)} {_COUNTED[other]} are what "{self.organisations.ids[owner]}" has'
        message = f"volume: {number}, but {self._priced(package)}"
        fix = f"write the {_COUNTED[column]}, or leave volume empty to take them from organisations"
        self.faults.error(self.table.place(row, "volume"), "unit-basis-mismatch", message, fix)

    def _priced(self, package: int) -> str:
        basis = self.volumes.basis(package)
        how = "shared by population" if basis == FIXED else f"priced per {UNITS[basis]}"
        return f'the package "{self.packages.ids[package]}" is {how}'
