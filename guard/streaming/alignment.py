"""Whose records go next: those of the partition whose next record is oldest in event time, so that a backlog is read evenly.

Links and campaigns compare what shards tell of one another's accounts. Were one partition read minutes of event time ahead of
the others, they would see accounts of one pool one after the other that came together.
"""

import re
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from aiokafka import ConsumerRecord, TopicPartition
from msgspec import Struct

from guard.streaming.batches import Batch

CHUNK_RECORDS: Final = 16
"""Taken from one partition at a time: its event time is looked at once in so many records, which costs less than 1 % of a step."""
LIVE_MS: Final = 30_000
"""What happened less than so long ago is no backlog: its decisions wait for no slower partition, only for its turn."""
TURN_RECORDS: Final = 4 * CHUNK_RECORDS
"""After so many records of others it is the turn of a live one; a backlog beside it is read all the same."""

_EVENT_TIME: Final = re.compile(rb'"event_time"\s*:\s*(\d{1,15})')


def event_time_of(record: ConsumerRecord) -> int:
    """When the exchange happened, as its record says without being decoded, milliseconds; never later than it was appended.

    The append time where the record says nothing: what cannot be read is a dead letter soon enough.
    """
    found = _EVENT_TIME.search(record.value or b"")
    appended_at: int = record.timestamp
    return min(int(found[1]), appended_at) if found else appended_at


HasRoom = Callable[[TopicPartition, int], bool]
"""Whether a partition's stage takes a record of this event time now."""


class Chunk(Struct, frozen=True):
    """Consecutive records of one batch."""

    batch: Batch
    records: Sequence[ConsumerRecord]


class _Queue:
    """Batches of one partition that wait."""

    def __init__(self, where: TopicPartition) -> None:
        self.where = where
        self.batches: deque[Batch] = deque()
        self.taken = 0
        """Records of the first batch that are gone."""
        self.head_at = 0
        """Event time of the next record."""
        self.waits_since = 0
        """How many records of all partitions had gone when this one's last chunk went, or when it began to wait."""

    def put(self, batch: Batch, gone: int) -> None:
        self.batches.append(batch)
        if len(self.batches) == 1:
            self.waits_since = gone
            self._look()

    def take(self, gone: int) -> Chunk:
        batch = self.batches[0]
        records = batch.records[self.taken : self.taken + CHUNK_RECORDS]
        self.taken += len(records)
        self.waits_since = gone
        if self.taken >= len(batch.records):
            self.batches.popleft()
            self.taken = 0
        if self.batches:
            self._look()
        return Chunk(batch, records)

    def _look(self) -> None:
        self.head_at = event_time_of(self.batches[0].records[self.taken])


class Alignment:
    """Batches that wait to be stepped, by partition. A partition where nothing waits holds back none of the others.

    Bounded by what the shards let be fetched (`Shards.has_room`).
    """

    def __init__(self, has_room: HasRoom) -> None:
        self._has_room = has_room
        self._queues: dict[TopicPartition, _Queue] = {}
        self._gone = 0

    @property
    def is_empty(self) -> bool:
        """Nothing waits."""
        return not any(queue.batches for queue in self._queues.values())

    def put(self, batch: Batch) -> None:
        """The batch waits behind those of its partition."""
        where = TopicPartition(batch.topic, batch.partition)
        self._queues.setdefault(where, _Queue(where)).put(batch, self._gone)

    def next(self, now: int) -> Chunk | None:
        """The records to step next; None if nothing is to be stepped. `now` in milliseconds since the epoch."""
        waiting = [queue for queue in self._queues.values() if queue.batches]
        while waiting:
            queue = self._choose(waiting, now)
            if self._has_room(queue.where, queue.head_at):
                chunk = queue.take(self._gone)
                self._gone += len(chunk.records)
                return chunk
            waiting.remove(queue)
        return None

    def _choose(self, waiting: list[_Queue], now: int) -> _Queue:
        due = [queue for queue in waiting if queue.head_at > now - LIVE_MS and queue.waits_since <= self._gone - TURN_RECORDS]
        if due:
            return min(due, key=lambda queue: queue.waits_since)
        return min(waiting, key=lambda queue: queue.head_at)

    def clear(self) -> None:
        """Forget what waits: it is read again by whoever owns it next."""
        self._queues.clear()
