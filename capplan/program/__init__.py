"""The Program: a planning problem as a few kinds of exact integer statement, held as arrays."""

from capplan.program.build import Builder
from capplan.program.coefficients import Coefficients
from capplan.program.entries import LimitBlock
from capplan.program.evaluate import Values, evaluate, least_derived
from capplan.program.purse import Purse
from capplan.program.statements import (
    Charge,
    Form,
    Goal,
    LimitName,
    LinearGoal,
    Program,
    PurchaseName,
    Purchases,
    WorstGoal,
    weighted,
)

__all__ = [
    "Builder",
    "Charge",
    "Coefficients",
    "Form",
    "Goal",
    "LimitBlock",
    "LimitName",
    "LinearGoal",
    "Program",
    "PurchaseName",
    "Purchases",
    "Purse",
    "Values",
    "WorstGoal",
    "evaluate",
    "least_derived",
    "weighted",
]
