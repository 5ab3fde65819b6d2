"""How far the other workers' shards have come in event time, heard from the contacts that they send to everybody's links stage."""

from collections.abc import Container, Sequence
from typing import Final

from aiokafka import ConsumerRecord

AHEAD_MS: Final = 60_000
"""Two flushes of event time: a shard further ahead of another worker's slowest one waits for it. What is heard is a few tenths of
a second old, so less would slow a backlog down."""
FRESH_SECONDS: Final = 3.0
"""A shard not heard of for so long has nothing to read, or its worker is stopped or dead: nobody waits for it."""
FAR_FUTURE: Final = 1 << 62


def progress_key(shard: int, newest_at: int) -> bytes:
    """The key of a record of contacts: the accounts shard that tells them and its clock, milliseconds."""
    return b"%d@%d" % (shard, newest_at)


class Others:
    """The clocks of accounts shards as last heard. One entry per shard."""

    def __init__(self) -> None:
        self._heard: dict[int, tuple[int, float]] = {}

    def hear(self, records: Sequence[ConsumerRecord], now: float) -> None:
        """Records of contacts have come in; `now` is a monotonic clock in seconds. Keys that say nothing are none of ours."""
        for key in {record.key for record in records}:
            shard, separator, newest_at = (key or b"").partition(b"@")
            if separator and shard.isdigit() and newest_at.isdigit():
                self._hear(int(shard), int(newest_at), now)

    def _hear(self, shard: int, newest_at: int, now: float) -> None:
        before, since = self._heard.get(shard, (-1, now))
        self._heard[shard] = (newest_at, now) if newest_at > before else (before, since)

    def horizon(self, own: Container[int], now: float) -> int:
        """Event time up to which a shard may go: not further than `AHEAD_MS` before the slowest of those that are not its worker's."""
        heard = [at for shard, (at, since) in self._heard.items() if shard not in own and now - since <= FRESH_SECONDS]
        return min(heard) + AHEAD_MS if heard else FAR_FUTURE
