"""What is left of the time, or of the effort, that a search may take."""

from __future__ import annotations

from collections.abc import Callable

from capplan.engine.result import Limits, Watch

SPARE_S, SPARE_S_PER_OPTION = 0.3, 4e-7
"""Seconds kept for what comes after the search, and more where plans take long to measure."""
SHARE_OF_EFFORT = 0.6
"""Effort in seconds of a quiet core that a second of the limit stands for, so that the clock rarely ends the search."""


class Budget:
    """Seconds of the clock; in deterministic mode effort, in seconds of a quiet core, as long as the clock allows."""

    def __init__(self, limits: Limits, watch: Watch, most: float | None = None) -> None:
        """``most`` is the effort that deterministic mode allows, a share of the time limit where it is not given."""
        self.limits, self.watch = limits, watch
        self.most = SHARE_OF_EFFORT * limits.time_limit_s if most is None else most
        self.effort, self.spare = 0.0, SPARE_S
        self.enough: Callable[[], bool] = lambda: False

    def spend(self, effort: float) -> None:
        """Count deterministic work."""
        self.effort += effort

    def clock(self, seconds: float) -> float:
        """Seconds of the clock that work worth ``seconds`` may take: in deterministic mode its effort ends it."""
        left = max(0.1, self.limits.time_limit_s - self.watch.seconds - self.spare)
        return left if self.limits.deterministic else min(seconds, left)

    @property
    def left(self) -> float:
        """Seconds, or effort, left. The clock may end deterministic work, but has no say in it before."""
        clock = self.limits.time_limit_s - self.watch.seconds - self.spare
        return self.most - self.effort if self.limits.deterministic and clock > 0 else clock

    @property
    def used_up(self) -> bool:
        """Whether nothing is left, somebody asked to stop, or what others found is ``enough``."""
        return self.left <= 0 or self.watch.stopped or self.enough()
