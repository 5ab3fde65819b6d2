"""Requests and tokens at three scales: a minute, an hour, a day. The same memory serves accounts and payment fingerprints.

These are *decaying* windows: an exchange's weight halves every half-life of event time, so nothing is swept and nothing
has an edge. A steady rate r fills a window with r * half-life / ln 2; `steady` undoes that factor.
"""

from array import array
from math import exp2, log
from typing import Final

from guard.units import DAY_MS, HOUR_MS, MINUTE_MS

SCALES: Final = ("minute", "hour", "day")
QUANTITIES: Final = ("requests", "input_tokens", "output_tokens", "reasoning_tokens")
CELLS: Final = len(SCALES) * len(QUANTITIES)

MINUTE_REQUESTS, HOUR_REQUESTS, DAY_REQUESTS = 0, 4, 8
DAY_INPUT, DAY_OUTPUT, DAY_REASONING = 9, 10, 11
HOUR_OUTPUT = 6


class Windows:
    """Twelve decaying sums (scale x quantity) and their clock.

    Kept as 32-bit floats (relative error 6e-8), also while hot, so that a record restored from its bytes goes on exactly
    as one that never left memory. 56 bytes packed; 1.2 us per exchange.
    """

    __slots__ = ("at", "sums")

    def __init__(self, at: int = 0, sums: "array[float] | None" = None) -> None:
        self.at = at
        self.sums: array[float] = array("f", bytes(4 * CELLS)) if sums is None else sums

    def observe(self, at: int, requests: float, input_tokens: float, output_tokens: float, reasoning_tokens: float) -> None:
        """Add one exchange, or the sum of several; a late one counts for what it would be worth by now. Written out: the hot path."""
        elapsed_ms = at - self.at
        if elapsed_ms <= 0:
            self._add_late(elapsed_ms, requests, input_tokens, output_tokens, reasoning_tokens)
            return
        self.at = at
        s = self.sums
        minute, hour, day = exp2(-elapsed_ms / MINUTE_MS), exp2(-elapsed_ms / HOUR_MS), exp2(-elapsed_ms / DAY_MS)
        s[0] = s[0] * minute + requests
        s[1] = s[1] * minute + input_tokens
        s[2] = s[2] * minute + output_tokens
        s[3] = s[3] * minute + reasoning_tokens
        s[4] = s[4] * hour + requests
        s[5] = s[5] * hour + input_tokens
        s[6] = s[6] * hour + output_tokens
        s[7] = s[7] * hour + reasoning_tokens
        s[8] = s[8] * day + requests
        s[9] = s[9] * day + input_tokens
        s[10] = s[10] * day + output_tokens
        s[11] = s[11] * day + reasoning_tokens

    def _add_late(self, elapsed_ms: int, requests: float, input_tokens: float, output_tokens: float, reasoning_tokens: float) -> None:
        s = self.sums
        minute, hour, day = exp2(elapsed_ms / MINUTE_MS), exp2(elapsed_ms / HOUR_MS), exp2(elapsed_ms / DAY_MS)
        for place, weight in ((0, minute), (4, hour), (8, day)):
            s[place] += requests * weight
            s[place + 1] += input_tokens * weight
            s[place + 2] += output_tokens * weight
            s[place + 3] += reasoning_tokens * weight

    def steady_per_minute(self, cell: int) -> float:
        """The steady rate per minute that would fill this cell; right once traffic has lasted a few half-lives, low before."""
        half_life_min = (1.0, 60.0, 1_440.0)[cell // len(QUANTITIES)]
        return self.sums[cell] * log(2) / half_life_min

    @property
    def tokens_per_request(self) -> float:
        """Input and output tokens of the mean exchange of about the last day."""
        return (self.sums[DAY_INPUT] + self.sums[DAY_OUTPUT]) / self.sums[DAY_REQUESTS] if self.sums[DAY_REQUESTS] else 0.0

    def past(self, at: int, cell: int) -> float:
        """The cell's sum as it will have decayed by `at`; reading changes nothing."""
        half_life_ms = (MINUTE_MS, HOUR_MS, DAY_MS)[cell // len(QUANTITIES)]
        return float(self.sums[cell]) * exp2(min(0, self.at - at) / half_life_ms)
