"""Whose records go next: those of the partition whose next record is oldest in event time, so that a backlog is read evenly.

Links and campaigns compare what shards tell of one another's accounts. Were one partition read minutes of event time ahead of
the others, they would see accounts of one pool one after the other that came together.
"""

import re
from collections import deque
from collections.abc import Sequence
from typing import Final

from aiokafka import ConsumerRecord, TopicPartition
from msgspec import Struct

from guard.streaming.batches import Batch

CHUNK_RECORDS: Final = 16
"""Taken from one partition at a time: its event time is looked at once in so many records, which costs less than 1 % of a step."""
SLACK_MS: Final = 2_000
"""Partitions so close in event time count as aligned."""
HOLD_SECONDS: Final = 0.5
"""No longer than this does a partition wait for a slower one: a gap that has not closed by then is a backlog of the other's
own (a shard taken over from a dead worker), for which nobody else's decisions may be late. From then on both take turns."""

_EVENT_TIME: Final = re.compile(rb'"event_time"\s*:\s*(\d{1,15})')


def event_time_of(record: ConsumerRecord) -> int:
    """When the exchange happened, as its record says without being decoded, milliseconds; never later than it was appended.

    The append time where the record says nothing: what cannot be read is a dead letter soon enough.
    """
    found = _EVENT_TIME.search(record.value or b"")
    return min(int(found[1]), record.timestamp) if found else record.timestamp


class Chunk(Struct, frozen=True):
    """Consecutive records of one batch."""

    batch: Batch
    records: Sequence[ConsumerRecord]


class _Queue:
    """Batches of one partition that wait, and since when they have not moved."""

    def __init__(self) -> None:
        self.batches: deque[Batch] = deque()
        self.taken = 0
        """Records of the first batch that are gone."""
        self.head_at = 0
        """Event time of the next record."""
        self.served_at = 0.0
        """When a chunk was taken last or the queue began to wait, on the monotonic clock."""
        self.is_loose = False
        """It waited too long for a slower one and waits no more, until they are aligned again."""

    def put(self, batch: Batch, now: float) -> None:
        self.batches.append(batch)
        if len(self.batches) == 1:
            self.served_at = now
            self._look()

    def take(self, now: float) -> Chunk:
        batch = self.batches[0]
        records = batch.records[self.taken : self.taken + CHUNK_RECORDS]
        self.taken += len(records)
        self.served_at = now
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

    def __init__(self) -> None:
        self._queues: dict[TopicPartition, _Queue] = {}

    def put(self, batch: Batch, now: float) -> None:
        """The batch waits behind those of its partition. `now` is a monotonic clock in seconds."""
        where = TopicPartition(batch.topic, batch.partition)
        queue = self._queues.get(where)
        if queue is None:
            queue = self._queues[where] = _Queue()
        queue.put(batch, now)

    def next(self, now: float) -> Chunk | None:
        """The records to step next; None if nothing waits."""
        waiting = [queue for queue in self._queues.values() if queue.batches]
        if not waiting:
            return None
        if len(waiting) == 1:
            return waiting[0].take(now)
        slowest = min(waiting, key=_head_at)
        for queue in waiting:
            _judge(queue, slowest, now)
        return min((queue for queue in waiting if queue.is_loose or queue is slowest), key=_served_at).take(now)

    def clear(self) -> None:
        """Forget what waits: it is read again by whoever owns it next."""
        self._queues.clear()


def _judge(queue: _Queue, slowest: _Queue, now: float) -> None:
    """Whether the partition goes on waiting for the slowest one."""
    if queue is slowest or queue.head_at - slowest.head_at <= SLACK_MS:
        queue.is_loose = False
    elif now - queue.served_at > HOLD_SECONDS:
        queue.is_loose = True


def _head_at(queue: _Queue) -> int:
    return queue.head_at


def _served_at(queue: _Queue) -> float:
    return queue.served_at
