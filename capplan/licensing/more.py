"""More licences than there are: owned, or packs where packs are sold."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

from capplan.problem import Problem
from capplan.problem.ways import Way, set_cell


def more_licences(problem: Problem, licence: int, number: int) -> Way:
    """So many more of a licence, in whole packs where it is sold in packs and the model lets it be bought."""
    table = problem.inventory.table("licences")
    name, pack, owned = table.ids[licence], int(table.counts("pack")[licence]), int(table.counts("owned")[licence])
    packs = ceil(Fraction(number, pack))
    price = problem.exact_pence(table, "pack_cost", licence) * packs
    if table.given("max_packs")[licence] and problem.may_buy(name):
        most = int(table.counts("max_packs")[licence])
        text = f"{packs} more pack{'s' * (packs > 1)} of {name}, {packs * pack} licences (max_packs {most + packs})"
        changes = set_cell("licences", name, "max_packs", str(most + packs))
    else:
        text = f"{number} more of licence {name} (owned {owned + number} instead of {owned})"
        changes = set_cell("licences", name, "owned", str(owned + number))
    share = Fraction(number, max(1, owned))
    return Way("licence", text, changes, price or None, share=share, physical=True, figure=("licence", name))
