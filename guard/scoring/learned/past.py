"""A subject's own past: what it does lately (half-life one hour) beside what it used to do (half-life one week)."""

from math import exp2, log, log2
from typing import Final

from msgspec import Struct

from guard.units import DAY_MS, HOUR_MS

SLOW_HALF_LIFE_MS: Final = 7 * DAY_MS
FAST_HALF_LIFE_MS: Final = HOUR_MS
HISTORY_EXCHANGES_MIN: Final = 30
HISTORY_MS_MIN: Final = DAY_MS
"""Before thirty exchanges over a day there is no past to have moved from."""

MOVES: Final = ("rate", "output", "asking", "single_turn")
"""What may move, each turned so that up is toward extraction: log2 of the rate, log2 of output tokens, two shares."""


class OwnPast(Struct, array_like=True, gc=False):
    """Decaying sums over exchanges: weights, log2 of output tokens, elicitation or rubric share, single-turn share. 90 bytes."""

    first_at: int = 0
    at: int = 0
    exchanges: int = 0
    fast_weight: float = 0.0
    fast_output: float = 0.0
    fast_asking: float = 0.0
    fast_single: float = 0.0
    slow_weight: float = 0.0
    slow_output: float = 0.0
    slow_asking: float = 0.0
    slow_single: float = 0.0

    def observe(self, at: int, output_tokens: float, asking: float, single_turn: float, exchanges: int = 1) -> None:
        """Take in `exchanges` of the same kind at `at`. A missing share counts as 0: it accuses nobody. 1 us."""
        elapsed_ms = at - self.at if self.at else 0
        weight_fast = weight_slow = float(exchanges)
        if elapsed_ms > 0:
            self._age(exp2(-elapsed_ms / FAST_HALF_LIFE_MS), exp2(-elapsed_ms / SLOW_HALF_LIFE_MS))
        elif elapsed_ms < 0:
            weight_fast *= exp2(elapsed_ms / FAST_HALF_LIFE_MS)
            weight_slow *= exp2(elapsed_ms / SLOW_HALF_LIFE_MS)
        self.at = max(at, self.at)
        self.first_at = min(self.first_at, at) if self.first_at else at
        self.exchanges += exchanges
        output = log2(output_tokens + 1.0)
        self.fast_weight += weight_fast
        self.fast_output += weight_fast * output
        self.fast_asking += weight_fast * asking
        self.fast_single += weight_fast * single_turn
        self.slow_weight += weight_slow
        self.slow_output += weight_slow * output
        self.slow_asking += weight_slow * asking
        self.slow_single += weight_slow * single_turn

    def _age(self, fast: float, slow: float) -> None:
        self.fast_weight *= fast
        self.fast_output *= fast
        self.fast_asking *= fast
        self.fast_single *= fast
        self.slow_weight *= slow
        self.slow_output *= slow
        self.slow_asking *= slow
        self.slow_single *= slow

    def moves(self) -> tuple[float, float, float, float] | None:
        """How far lately lies above the past in each of `MOVES`; None while there is no past to speak of."""
        lived_ms = self.at - self.first_at
        if self.exchanges < HISTORY_EXCHANGES_MIN or lived_ms < HISTORY_MS_MIN or self.fast_weight <= 0:
            return None
        usual = self.slow_weight / _window_hours(SLOW_HALF_LIFE_MS, lived_ms)
        lately = self.fast_weight / _window_hours(FAST_HALF_LIFE_MS, lived_ms)
        fast, slow = self.fast_weight, self.slow_weight
        return (
            log2((lately + 1.0) / (usual + 1.0)),
            self.fast_output / fast - self.slow_output / slow,
            self.fast_asking / fast - self.slow_asking / slow,
            self.fast_single / fast - self.slow_single / slow,
        )


def _window_hours(half_life_ms: int, lived_ms: int) -> float:
    """The length of past that a decaying sum holds, hours: half-life / ln 2 once it has filled, less before."""
    return half_life_ms / HOUR_MS / log(2) * (1.0 - exp2(-lived_ms / half_life_ms))
