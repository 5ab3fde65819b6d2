"""The crowd: how far outside it a subject's features lie. Half-space trees (Tan, Ting, Liu, IJCAI 2011), ranked."""

from bisect import bisect_left
from collections import deque
from collections.abc import Mapping
from math import log10
from typing import Final

from river import anomaly

WINDOW: Final = 250
"""Lessons per window of the trees; before the first is full they know nothing."""
RANKS_MAX: Final = 1_000
RANK_FROM: Final = 0.99
"""Inside the crowd's 99 % nobody is unusual."""
CAP: Final = 0.1
"""What an unsupervised score may weigh: with the strongest content rule it still stays below the first rung."""
NEUTRAL: Final = 0.5
"""A missing feature sits in the middle: missing is not zero."""

PACE_DECADES: Final = 5.0


def squashed(features: Mapping[str, float]) -> dict[str, float]:
    """Features as the trees want them: all of them, in [0, 1], by fixed functions that no attacker can stretch."""
    ratio = features.get("output_per_input")
    pace = features.get("pace_rpm")
    burstiness = features.get("burstiness")
    return {
        "pace": NEUTRAL if pace is None else min(1.0, log10(pace + 1.0) / PACE_DECADES),
        "burstiness": NEUTRAL if burstiness is None else (burstiness + 1.0) / 2.0,
        "ratio": NEUTRAL if ratio is None else ratio / (1.0 + ratio),
        "elicitation": features.get("elicitation_share", NEUTRAL),
        "rubric": features.get("rubric_share", NEUTRAL),
        "single_turn": features.get("single_turn_share", NEUTRAL),
        "parameters": features.get("same_parameters_share", NEUTRAL),
        "reasoning": features.get("reasoning_share", NEUTRAL),
    }


class CrowdModel:
    """Ten trees of height six over eight features.

    Raw scores of ordinary vectors lie anywhere between 0.5 and 0.9, so they are ranked among the recent crowd's own.
    """

    def __init__(self, seed: int) -> None:
        self._trees = anomaly.HalfSpaceTrees(n_trees=10, height=6, window_size=WINDOW, seed=seed)
        self.lessons: deque[dict[str, float]] = deque()
        self.learned = 0
        self.ranks: deque[float] = deque()
        self._sorted: list[float] = []

    def rank(self, vector: dict[str, float]) -> float:
        """The share of the recent crowd that is less unusual, 0-1; 0 before the crowd is known."""
        if len(self.ranks) < WINDOW:
            return 0.0
        return bisect_left(self._sorted, self._trees.score_one(vector)) / len(self._sorted)

    def learn(self, vector: dict[str, float]) -> None:
        """Take in one of the crowd. Only what is benign may teach; the caller sees to that."""
        if self.learned >= WINDOW:
            self._take_rank(self._trees.score_one(vector))
        self._trees.learn_one(vector)
        self.learned += 1
        self.lessons.append(vector)
        if self.learned % WINDOW == 0:
            while len(self.lessons) > WINDOW:
                self.lessons.popleft()

    def _take_rank(self, raw: float) -> None:
        if len(self.ranks) == RANKS_MAX:
            del self._sorted[bisect_left(self._sorted, self.ranks.popleft())]
        self.ranks.append(raw)
        self._sorted.insert(bisect_left(self._sorted, raw), raw)

    def restore(self, lessons: list[dict[str, float]], learned: int, ranks: list[float]) -> None:
        """Become the model that had these lessons since the beginning of its last full window, and these ranks."""
        for vector in lessons:
            self._trees.learn_one(vector)
        self.lessons.extend(lessons)
        self.learned = learned
        self.ranks.extend(ranks)
        self._sorted = sorted(ranks)
