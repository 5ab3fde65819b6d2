"""The enforcer's clock: UTC that does not jump. A step of the machine's clock neither ends a block early nor makes it last."""

import time
from collections.abc import Callable
from typing import Final

from guard.wall_clock import wall_clock

STEP_MS: Final = 1_000
"""A difference of more than a second between two looks is a step; less is the clock being trimmed, and followed."""
BELIEVED_MS: Final = 300_000
"""A step that lasts five minutes was a correction."""


class SteadyClock:
    """UTC milliseconds, carried on by the monotonic clock while the wall clock is off."""

    def __init__(
        self,
        wall: Callable[[], int] = wall_clock,
        monotonic: Callable[[], int] = lambda: time.monotonic_ns() // 1_000_000,
    ) -> None:
        self._wall, self._monotonic = wall, monotonic
        self._ahead = wall() - monotonic()
        """What the wall clock shows beyond the monotonic one, as it is believed."""
        self._stepped_at: int | None = None

    def __call__(self) -> int:
        """The time now, UTC milliseconds."""
        at, seen = self._monotonic(), self._wall()
        if abs(seen - at - self._ahead) <= STEP_MS:
            self._ahead, self._stepped_at = seen - at, None
        elif self._stepped_at is None:
            self._stepped_at = at
        elif at - self._stepped_at >= BELIEVED_MS:
            self._ahead, self._stepped_at = seen - at, None
        return at + self._ahead

    @property
    def step_ms(self) -> int:
        """How far the wall clock is from what is believed; about 0 unless it was stepped."""
        return self._wall() - self._monotonic() - self._ahead
