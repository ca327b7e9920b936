"""What to open and to buy, one proposal after the other: the best by the cuts so far, then the best of all others."""

from __future__ import annotations

from dataclasses import dataclass

from capplan.engine.master import Master
from capplan.units import Floats, Ints

FIRST, FURTHER, LOOKS = 0.7, 0.15, 4
"""How far from what was good so far to a proposal it is priced at first, how much further at each later look, and after
how many the best proposal counts as priced."""
SAME = 1e-5
"""Share of a bound by which what it says of a proposal may be less than what that comes to."""


@dataclass(frozen=True)
class Proposal:
    """``z`` int64 [k], priced ``at`` float [k], which may be on the way to it; no proposal costs less than ``bound``.

    ``first``: it was not made before. ``proves``: the bound is one of all there are, not of those that are left.
    """

    z: Ints
    at: Floats
    bound: int
    first: bool
    proves: bool

    @property
    def whole(self) -> bool:
        """Whether it is priced at itself."""
        return bool((self.at == self.z).all())


class Proposals:
    """Those of a master problem; ``centre`` float [k] is what the relaxation would open and buy."""

    def __init__(self, master: Master, centre: Floats) -> None:
        self.master, self._centre = master, centre
        self._seen: dict[bytes, int] = {}
        self._settled: list[Ints] = []

    def next(self, seconds: float, known: float) -> Proposal | None:
        """The next one; None where no other may be better than the value ``known``, or none was found in time."""
        answer = self.master.solve(seconds, self._settled)
        if answer is None or (self._settled and answer[1] >= known):
            return None
        z, bound = answer
        seen = self._seen[z.tobytes()] = self._seen.get(z.tobytes(), 0) + 1
        # Prices halfway to what was good so far make deeper cuts than those at the proposal itself.
        step = 1.0 if self._settled else min(1.0, FIRST + FURTHER * (seen - 1))
        at = step * z + (1 - step) * self._centre
        if seen == 1:
            self._centre = 0.5 * (self._centre + z)
        return Proposal(z, at, bound, seen == 1, not self._settled)

    def go_on(self, proposal: Proposal, value: float) -> bool:
        """Whether there is more to propose, where the relaxation came to ``value`` for a proposal.

        The best one may leave too little room for a plan: those that come next may be better.
        """
        priced = value - proposal.bound <= SAME * abs(proposal.bound)
        if proposal.whole and (self._settled or priced or self._seen[proposal.z.tobytes()] > LOOKS):
            if not self.master.only_whether:
                return False
            self._settled.append(proposal.z)
        return True
