"""When a shard may flush: few and large transactions, because each costs about 5 ms of processor time whatever its size."""

from typing import Final

FLUSH_RECORDS: Final = 5_000
"""So many waiting records are flushed without waiting for the clock: a transaction of a few megabytes at most."""


BEHIND_RECORDS: Final = 1_000
"""With so many fetched records still to be stepped a worker is behind: a decision waits for the backlog, not for the flush."""
BEHIND_FACTOR: Final = 3
"""Flushes of a worker that is behind lie further apart, which leaves more of the processor for the backlog."""


class Pace:
    """Spaces the beginnings of flushes `flush_ms` apart, three times that while behind, unless enough records wait."""

    def __init__(self, flush_ms: int) -> None:
        self._flush_seconds = flush_ms / 1_000
        self._began = float("-inf")

    def delay(self, now: float, waiting: int, queued: int = 0) -> float:
        """Seconds until the next flush may begin, with records `waiting` for it and `queued` before the stage.

        `now` is a monotonic clock in seconds.
        """
        if waiting >= FLUSH_RECORDS:
            return 0.0
        distance = self._flush_seconds * (BEHIND_FACTOR if queued >= BEHIND_RECORDS else 1)
        return max(0.0, self._began + distance - now)

    def began(self, now: float) -> None:
        """A flush begins now."""
        self._began = now
