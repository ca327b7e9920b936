"""The planning problem: an inventory under a model, over periods, with everything resolved to arrays."""

from capplan.problem.joining import joined
from capplan.problem.options import NOWHERE, Options, combine, elsewhere, one_by_one
from capplan.problem.periods import Periods
from capplan.problem.plan import Plan
from capplan.problem.problem import Problem

__all__ = ["NOWHERE", "Options", "Periods", "Plan", "Problem", "combine", "elsewhere", "joined", "one_by_one"]
