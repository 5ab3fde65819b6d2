"""When a shard may flush: few and large transactions, because each costs about 5 ms of processor time whatever its size."""

from typing import Final

FLUSH_RECORDS: Final = 5_000
"""So many waiting records are flushed without waiting for the clock: a transaction of a few megabytes at most."""


class Pace:
    """Spaces the beginnings of flushes `flush_ms` apart, unless enough records wait."""

    def __init__(self, flush_ms: int) -> None:
        self._flush_seconds = flush_ms / 1_000
        self._began = float("-inf")

    def delay(self, now: float, waiting: int) -> float:
        """Seconds until the next flush may begin; `now` is a monotonic clock in seconds."""
        if waiting >= FLUSH_RECORDS:
            return 0.0
        return max(0.0, self._began + self._flush_seconds - now)

    def began(self, now: float) -> None:
        """A flush begins now."""
        self._began = now
