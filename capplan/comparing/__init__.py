"""Plans and inventories held against each other: what differs in what goes in, and in what comes out."""

from capplan.comparing.compare import Comparison, Organisation, compare
from capplan.comparing.inputs import CellChange, TableDifference, input_differences
from capplan.comparing.measures import Measure, measures_of
from capplan.comparing.moves import Difference, Move, diff
from capplan.comparing.subject import Subject, subject_of

__all__ = [
    "CellChange",
    "Comparison",
    "Difference",
    "Measure",
    "Move",
    "Organisation",
    "Subject",
    "TableDifference",
    "compare",
    "diff",
    "input_differences",
    "measures_of",
    "subject_of",
]
