"""Drift toward extraction: how far a subject moved from its own past, in units of how far the crowd's members move."""

from collections import deque
from typing import Final

from river import stats, utils

from guard.scoring.learned.past import MOVES
from guard.scoring.ramp import ramp

SCALES: Final = (4.0, 2.5, 0.4, 0.6)
"""Moves that count in full: sixteen times the rate, 5.7 times the output, 0.4 of all exchanges asking, 0.6 single-turn.

A launch multiplies its rate by twenty and nothing else (hard negative N6)."""

WEIGHTS: Final = (0.4, 0.35, 0.65, 0.35)
"""What each move may add by noisy-or: rate alone stays at 0.4, and only asking comes near a rung."""

SIGMAS: Final = 3.0
SCALE_GROWTH_MAX: Final = 2.0
"""A restless crowd widens the scales to three of its standard deviations, at most to twice their size: no more can be taught."""

LESSONS_MAX: Final = 500
LESSONS_MIN: Final = 50


class DriftModel:
    """One-sided: moving away from extraction scores nothing. Standard deviations over the last 500 lessons (river)."""

    def __init__(self) -> None:
        self.lessons: deque[tuple[float, ...]] = deque(maxlen=LESSONS_MAX)
        self._spread = [utils.Rolling(stats.Var, window_size=LESSONS_MAX) for _ in MOVES]
        self._limits: tuple[float, ...] = SCALES

    def score(self, moves: tuple[float, ...]) -> float:
        """How far the moves go toward extraction, 0-1."""
        left = 1.0
        for move, weight, scale in zip(moves, WEIGHTS, self._limits, strict=True):
            left *= 1.0 - weight * ramp(move, 0.0, scale)
        return 1.0 - left

    def learn(self, moves: tuple[float, ...]) -> None:
        """Take in how far one of the crowd moved. Only what is benign may teach; the caller sees to that."""
        self.lessons.append(moves)
        for spread, move in zip(self._spread, moves, strict=True):
            spread.update(move)
        if len(self.lessons) >= LESSONS_MIN:
            self._limits = tuple(self._scale(scale, spread.get()) for scale, spread in zip(SCALES, self._spread, strict=True))

    @staticmethod
    def _scale(scale: float, variance: float) -> float:
        """The crowd's three sigmas within limits. Rounded, so that sums rolled on and sums begun anew after a restart agree."""
        spread: float = max(0.0, variance) ** 0.5
        return round(min(max(scale, SIGMAS * spread), scale * SCALE_GROWTH_MAX), 6)
