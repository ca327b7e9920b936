"""A second opinion on tiny worlds: every rule and goal, evaluated by brute force on the raw tables.

This package is the readable statement of the rules. It shares nothing with capplan: it reads the cells of
the tables as text, computes in exact fractions, and looks at every plan there is. Names used throughout:
``w`` a workload, ``s`` a site, ``r`` a resource, ``t`` the number of a period (from 0).

Rules and their subjects in `Measured.broken` (`tests/oracle/rules.py` has those about several workloads at once):

    ("allowed", w, s)               pins, lists, countries, site dates, the placements table
    ("latency", w, s)               the round trip from the organisation to the site
    ("zone", w, s)                  the workload's information zone, or its organisation's
    ("capacity", s, r, t)           used against (1 - headroom) x (physical + bought)
    ("licences", licence, t)        need against owned + packs
    ("left_out", w)                 left out although it may not be
    ("purchases", id, s, t)         bought although it may not be: not for sale, too early, too many
    ("replicas", w, ...)            a replica missing, beside another, too near or too far
    ("together", group)             a group that is split
    ("apart", group, t, ...)        too many of a group at one site, or at too few sites
    ("tenancy", s, t)               a site of one's own, shared
    ("fill", s, r, t)               a site used too little
    ("same_neighbourhood", w, t)    a group that is needed nearby and is not
    ("moves", limit, ...)           too many moves, or no room while moving
    ("budget", limit, ...)          too much money
    ("share", cap, t)               certain purchases that add too large a part of what is needed
    ("balance", s, t)               too little free of one resource beside another
    ("survive_site_loss", f, s, r, t)   site s cannot carry what fails over when f is lost
"""

from __future__ import annotations

from tests.oracle.cells import Period, growth_factor, largest_growth
from tests.oracle.oracle import Measured, Oracle, Plan

__all__ = ["Measured", "Oracle", "Period", "Plan", "growth_factor", "largest_growth"]
