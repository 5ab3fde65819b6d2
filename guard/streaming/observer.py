"""What the worker tells about itself. Metrics and logs implement this; the shell knows neither.

Every call is made in the worker's event loop, between two batches; none may block or raise.
"""

from typing import Protocol

from msgspec import Struct

from guard.engine.stage import Outcome
from guard.streaming.stages import StageKind


class LaneReport(Struct, frozen=True):
    """One stage's part of a committed flush."""

    kind: StageKind
    outcome: Outcome
    records: int
    """Source records taken in since the previous flush."""
    appended_first: int
    """Append time of the first of them, milliseconds since the epoch; 0 if there was none."""
    appended_last: int
    """Append time of the last of them."""
    newest_at: int
    """The stage's clock: newest event time taken in, milliseconds; 0 before the first."""


class FlushReport(Struct, frozen=True):
    """A flush whose transaction is committed: everything in it is visible to read-committed readers."""

    shard: int
    """0 to N-1, or N for the campaigns stage."""
    lanes: tuple[LaneReport, ...]
    transaction_seconds: float
    """From begin to commit."""
    committed_at: int
    """This machine's clock after the commit, milliseconds since the epoch."""


class Observer(Protocol):
    """Hears about flushes, recovery, lag and readiness."""

    def flushed(self, report: FlushReport) -> None:
        """A transaction has been committed. One log line per decision belongs here, and the decision metrics."""

    def recovered(self, shard: int, records: int, seconds: float) -> None:
        """A shard's state is back: `records` keys, `seconds` after the shard was assigned."""

    def released(self, shard: int) -> None:
        """The shard belongs to another worker now, or to none."""

    def lag(self, topic: str, partition: int, records: int) -> None:
        """So many records of a source partition are not committed yet (fetched ones included). About once a second."""

    def ready(self, *, is_ready: bool) -> None:
        """Whether all of this worker's shards are recovered and at work."""

    def interrupted(self, reason: str) -> None:
        """The worker ends for this reason; one line."""


class SilentObserver:
    """Hears everything and says nothing."""

    def flushed(self, report: FlushReport) -> None:
        """Nothing."""

    def recovered(self, shard: int, records: int, seconds: float) -> None:
        """Nothing."""

    def released(self, shard: int) -> None:
        """Nothing."""

    def lag(self, topic: str, partition: int, records: int) -> None:
        """Nothing."""

    def ready(self, *, is_ready: bool) -> None:
        """Nothing."""

    def interrupted(self, reason: str) -> None:
        """Nothing."""
