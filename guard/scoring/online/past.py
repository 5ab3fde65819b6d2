"""A subject's own past: what its exchanges are like lately, and what they have been like for days. For accounts and payment fingerprints.

Six quantities, each bounded to [0, 1] and oriented so that up means toward extraction. The *recent* side is a mean over
exchanges with a half-life of an hour. The *settled* side follows the recent one by hours of activity (a subject that works
an hour a day has one hour of it), never by number of exchanges: a burst cannot rewrite a past. Once formed, it may rise by
`RISE_PER_DAY` of event time at most, so that a slow ramp leaves its past behind; falling is free.
"""

from math import exp2, log1p
from struct import Struct as Layout
from typing import Final

from msgspec import Struct, field

from guard.units import DAY_MS, HOUR_MS, MINUTE_MS

QUANTITIES: Final = ("rate", "output", "lean", "elicitation", "rubric", "single_turn")
"""Exchanges in the decaying hour (log), output tokens (log), output / all tokens, and three shares as the event tells them."""

RATE_LOG_MAX: Final = log1p(1e5)
OUTPUT_LOG_MAX: Final = log1p(65_536)
"""Ceilings of the log scales: a doubling is 0.06 on both."""

RECENT_HALF_LIFE_MS: Final = HOUR_MS
SETTLED_HOURS_MAX: Final = 168.0
"""Hours of activity after which the settled side averages no longer but follows: a week of working round the clock."""

SETTLE_EVERY_MS: Final = MINUTE_MS
"""The settled side takes the recent one in at most once a minute, weighted by the time since."""

RISE_PER_DAY: Final = 0.02
"""Most that a formed past rises per day. A ramp must then last six weeks to hide a move of 0.85 (outside limits bound a slow poisoning)."""

FORMED_EXCHANGES: Final = 30
FORMED_MS: Final = DAY_MS
"""A past is formed after that many exchanges over at least a day; before, there is nothing to compare with."""

EXCHANGES_MAX: Final = 1 << 30
UNKNOWN: Final = -1.0
"""A quantity that no exchange has told: missing is not zero."""

_CELLS: Final = Layout("<13f")
_unpack: Final = _CELLS.unpack_from
_pack: Final = _CELLS.pack_into
_EMPTY: Final = _CELLS.pack(0.0, 0.0, *(UNKNOWN,) * 11)


def _new_cells() -> bytearray:
    return bytearray(_EMPTY)


class OwnPast(Struct, array_like=True, gc=False):
    """What one subject is like lately and for long. At most 85 bytes packed; `observe` costs about 1.5 us.

    Numbers are 32-bit floats also while hot, so that a restored past goes on exactly as one that never left memory.
    """

    at: int = 0
    """Newest event time taken in, milliseconds."""
    since_ms: int = 0
    """Event time of the first exchange."""
    exchanges: int = 0
    unsettled_ms: int = 0
    """Event time since the settled side last took the recent one in."""
    cells: bytearray = field(default_factory=_new_cells)
    """Weight of the recent side, hours of activity, five recent means, six settled means."""

    def observe(
        self,
        at: int,
        input_tokens: float,
        output_tokens: float,
        elicitation: float | None,
        rubric: float | None,
        single_turn: float | None,
        uses: float = 1.0,
    ) -> None:
        """Take in one exchange, or `uses` exchanges by their means. A late one counts for what it would be worth by now.

        Tokens per exchange (>= 0); the three shares in [0, 1], None when not told.
        """
        weight, hours, output, lean, elicits, grades, single, *settled = _unpack(self.cells)
        elapsed_ms = at - self.at
        if elapsed_ms >= 0:
            if self.at:
                self.unsettled_ms += elapsed_ms
            else:
                self.since_ms = at
            self.at = at
            weight = weight * exp2(-elapsed_ms / RECENT_HALF_LIFE_MS) + uses
            step = uses / weight
        else:
            late = uses * exp2(elapsed_ms / RECENT_HALF_LIFE_MS)
            weight += late
            step = late / weight if weight else 0.0
        length = log1p(output_tokens) / OUTPUT_LOG_MAX
        output = _toward(output, length if length < 1.0 else 1.0, step)
        tokens = input_tokens + output_tokens
        if tokens > 0:
            lean = _toward(lean, output_tokens / tokens, step)
        if elicitation is not None:
            elicits = _toward(elicits, elicitation, step)
        if rubric is not None:
            grades = _toward(grades, rubric, step)
        if single_turn is not None:
            single = _toward(single, single_turn, step)
        self.exchanges = min(self.exchanges + max(1, int(uses)), EXCHANGES_MAX)
        if self.unsettled_ms >= SETTLE_EVERY_MS:
            hours = self._settle(hours, settled, (_rate(weight), output, lean, elicits, grades, single))
        _pack(self.cells, 0, weight, hours, output, lean, elicits, grades, single, *settled)

    def _settle(self, hours: float, settled: list[float], recent: tuple[float, ...]) -> float:
        """Let the settled side take the recent one in, in place; the hours of activity afterwards."""
        elapsed_ms, self.unsettled_ms = self.unsettled_ms, 0
        active_hours = min(elapsed_ms / HOUR_MS, 1.0)
        hours = min(hours + active_hours, SETTLED_HOURS_MAX)
        step = active_hours / hours
        rise_max = RISE_PER_DAY * min(elapsed_ms / DAY_MS, 1.0) if self.is_formed else 1.0
        for place, value in enumerate(recent):
            before = settled[place]
            if value < 0.0:
                continue
            settled[place] = value if before < 0.0 else before + min(step * (value - before), rise_max)
        return hours

    @property
    def is_formed(self) -> bool:
        """Long enough to be compared with: 30 exchanges over at least a day."""
        return self.exchanges >= FORMED_EXCHANGES and self.at - self.since_ms >= FORMED_MS

    def moves(self) -> tuple[float, ...]:
        """How far the recent side stands from the settled one, in the order of `QUANTITIES`, -1 to 1; up is toward extraction.

        0 for what was never told. Few recent exchanges say little: with w of them a move counts w / (w + 8).
        """
        weight, _, *rest = _unpack(self.cells)
        trust = weight / (weight + TRUST_EXCHANGES)
        recent = (_rate(weight), *rest[:5])
        return tuple(
            0.0 if now < 0.0 or before < 0.0 else (now - before) * (trust if place else 1.0)
            for place, (now, before) in enumerate(zip(recent, rest[5:], strict=True))
        )


TRUST_EXCHANGES: Final = 8.0
"""Exchanges of the settled kind that a recent mean is diluted with, against the noise of the first few after a pause."""


def _rate(weight: float) -> float:
    return min(log1p(weight) / RATE_LOG_MAX, 1.0)


def _toward(mean: float, value: float, step: float) -> float:
    return value if mean < 0.0 else mean + (value - mean) * step
