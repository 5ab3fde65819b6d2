"""A subject's own past: what its exchanges are like lately, and what they have been like for days.

The recent side is a mean over exchanges with a half-life of an hour. The settled side follows it by hours of activity, never
by number of exchanges, so that a burst cannot rewrite a past; once there is a past, it rises by a little per day at most, so
that a slow ramp leaves it behind (outside limits bound a poisoning). Falling is free.
"""

from math import exp2, log2
from typing import Final

from msgspec import Struct

from guard.units import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

RECENT_HALF_LIFE_MS: Final = HOUR_MS
SETTLED_HOURS_MAX: Final = 168.0
"""Hours of activity after which the settled side follows instead of averaging all: a week of working round the clock."""
SETTLE_EVERY_MS: Final = MINUTE_MS
"""The settled side takes the recent one in once a minute at most, for what time has passed since, an hour at most."""

HISTORY_EXCHANGES_MIN: Final = 30
HISTORY_MS_MIN: Final = DAY_MS
"""Before thirty exchanges over a day there is no past to have moved from."""

MOVES: Final = ("rate", "output", "asking", "single_turn")
"""What may move, each turned so that up is toward extraction: log2 of the rate when active, log2 of output tokens, two shares."""

RISE_PER_DAY: Final = (0.2, 0.125, 0.02, 0.03)
"""Most that a past rises per day of event time: a twentieth of what counts as a full move. Hiding one takes three weeks."""

TRUST_EXCHANGES: Final = 8.0
"""A recent mean over w exchanges counts w / (w + 8): one odd exchange after a pause is no move."""


class OwnPast(Struct, array_like=True, gc=False):
    """Recent weight and means, hours of activity, settled means. At most 107 bytes packed, mostly 102."""

    first_s: int = 0
    at: int = 0
    exchanges: int = 0
    unsettled_ms: int = 0
    weight: float = 0.0
    output: float = 0.0
    asking: float = 0.0
    single: float = 0.0
    hours: float = 0.0
    settled_rate: float = 0.0
    settled_output: float = 0.0
    settled_asking: float = 0.0
    settled_single: float = 0.0

    def observe(self, at: int, output_tokens: float, asking: float, single_turn: float, exchanges: int = 1) -> None:
        """Take in `exchanges` of the same kind at `at`; a late one counts for what it would be worth by now. 1.2 us."""
        elapsed_ms = at - self.at
        added = float(exchanges)
        if not self.at:
            self.at, self.first_s = at, at // SECOND_MS
        elif elapsed_ms >= 0:
            self.at = at
            self.unsettled_ms += elapsed_ms
            self.weight *= exp2(-elapsed_ms / RECENT_HALF_LIFE_MS)
        else:
            added *= exp2(elapsed_ms / RECENT_HALF_LIFE_MS)
        self.weight += added
        self.exchanges += exchanges
        step = added / self.weight if self.weight else 0.0
        self.output += step * (log2(output_tokens + 1.0) - self.output)
        self.asking += step * (asking - self.asking)
        self.single += step * (single_turn - self.single)
        if self.unsettled_ms >= SETTLE_EVERY_MS:
            self._settle()

    def _settle(self) -> None:
        elapsed_ms, self.unsettled_ms = self.unsettled_ms, 0
        active = min(elapsed_ms, HOUR_MS) / HOUR_MS
        self.hours = min(self.hours + active, SETTLED_HOURS_MAX)
        step = active / self.hours
        days = min(elapsed_ms / DAY_MS, 1.0) if self.has_past else 1e9
        rate, output, asking, single = RISE_PER_DAY
        self.settled_rate += min(step * (log2(self.weight + 1.0) - self.settled_rate), rate * days)
        self.settled_output += min(step * (self.output - self.settled_output), output * days)
        self.settled_asking += min(step * (self.asking - self.settled_asking), asking * days)
        self.settled_single += min(step * (self.single - self.settled_single), single * days)

    @property
    def has_past(self) -> bool:
        """Enough was seen, for long enough, to have moved from."""
        return self.exchanges >= HISTORY_EXCHANGES_MIN and self.at - self.first_s * SECOND_MS >= HISTORY_MS_MIN

    def moves(self) -> tuple[float, float, float, float] | None:
        """How far lately lies above the past in each of `MOVES`; None while there is no past to speak of."""
        if not self.has_past:
            return None
        trust = self.weight / (self.weight + TRUST_EXCHANGES)
        return (
            trust * (log2(self.weight + 1.0) - self.settled_rate),
            trust * (self.output - self.settled_output),
            trust * (self.asking - self.settled_asking),
            trust * (self.single - self.settled_single),
        )
