"""HiGHS in a process of its own, which may be paused, told of plans, and ended at any moment.

Its library cannot be loaded beside OR-Tools, so nothing here but ``child`` imports it, and nothing imports ``child``.
"""

from capplan.highs.messages import Problem
from capplan.highs.search import Found, Search

__all__ = ["Found", "Problem", "Search"]
