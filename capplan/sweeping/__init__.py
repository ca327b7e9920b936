"""Many scenarios of one inventory: what to try, each a run of its own, and one table of what became of them."""

from capplan.sweeping.chart import chart
from capplan.sweeping.rows import Homeless, Row, Task, Tried, tried
from capplan.sweeping.sweep import Sweep, open_sweep, read_sweep, row_table, write_tables
from capplan.sweeping.variants import Variant, Wishes, variants

__all__ = [
    "Homeless",
    "Row",
    "Sweep",
    "Task",
    "Tried",
    "Variant",
    "Wishes",
    "chart",
    "open_sweep",
    "read_sweep",
    "row_table",
    "tried",
    "variants",
    "write_tables",
]
