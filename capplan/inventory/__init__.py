"""Inventories: what there is to place, and where it can go."""

from capplan.inventory.allocation import (
    Allocation,
    Bought,
    read_allocation,
    read_placements_to_keep,
    read_purchases,
)
from capplan.inventory.core import CORE
from capplan.inventory.describe import inventory_schema, tables_schema
from capplan.inventory.read import read_inventory
from capplan.inventory.schema import Column, Kind, TableSchema
from capplan.inventory.table import Inventory, Table
from capplan.inventory.write import write_csv, write_inventory, write_table

__all__ = [
    "CORE",
    "Allocation",
    "Bought",
    "Column",
    "Inventory",
    "Kind",
    "Table",
    "TableSchema",
    "inventory_schema",
    "read_allocation",
    "read_inventory",
    "read_placements_to_keep",
    "read_purchases",
    "tables_schema",
    "write_csv",
    "write_inventory",
    "write_table",
]
