"""One stage of a shard with its place in the source partition: stepping it, and draining it together with that place."""

from collections.abc import Sequence
from typing import Final

from aiokafka import ConsumerRecord, TopicPartition
from msgspec import Struct

from guard.engine.control import Control
from guard.engine.stage import Outcome, Stage
from guard.streaming.stages import StageKind, changelog_of, source_of

SPAN_MS: Final = 30_000
"""Event time in one flush at most: a backlog's contacts then reach the links stage in portions that pools do not notice, and
decisions and watch-list keep up with it. A flush takes a few tenths of a second, so a backlog is read 100 times as fast as it
happened at least; events that come as they happen never fill a flush."""


class Drained(Struct, frozen=True):
    """What a lane has to write, taken at one instant: the outcome of all records before `offset`."""

    outcome: Outcome
    offset: int | None
    """The source offset to commit; None if it has not moved."""
    records: int
    appended_first: int
    appended_last: int


class Lane:
    """A stage and the next source offset it wants. Nothing in it waits: step and drain are whole or not at all."""

    def __init__(self, kind: StageKind, shard: int, stage: Stage, next_offset: int) -> None:
        self.kind = kind
        self.source: TopicPartition = source_of(kind, shard)
        self.changelog: TopicPartition = changelog_of(kind, shard)
        self.stage = stage
        self.next_offset = next_offset
        self._drained_offset = next_offset
        self._begun_at = 0
        """Event time at which this flush began."""
        self._records = 0
        self._appended_first = self._appended_last = 0

    def has_room(self, at: int) -> bool:
        """A record of event time `at` (milliseconds) belongs into this flush; else it waits for the next one."""
        if not self._records:
            self._begun_at = max(self.stage.newest_at, at)
        return at <= self._begun_at + SPAN_MS

    def follow(self, control: Control) -> None:
        """The stage works by this control from the next record on."""
        self.stage.follow(control)

    def step(self, records: Sequence[ConsumerRecord]) -> int:
        """Take in the records from the wanted offset on; those before it have been taken. Returns how many were new."""
        if records[0].offset < self.next_offset:
            records = [record for record in records if record.offset >= self.next_offset]
            if not records:
                return 0
        self.stage.step(records)
        self.next_offset = records[-1].offset + 1
        self._appended_first = self._appended_first or records[0].timestamp
        self._appended_last = records[-1].timestamp
        self._records += len(records)
        return len(records)

    @property
    def has_moved(self) -> bool:
        """Records have been taken in since the last drain."""
        return self.next_offset != self._drained_offset

    def drain(self) -> Drained:
        """Outcome and source offset of the same instant."""
        offset = self.next_offset if self.has_moved else None
        drained = Drained(self.stage.drain(), offset, self._records, self._appended_first, self._appended_last)
        self._drained_offset = self.next_offset
        self._records = self._appended_first = self._appended_last = 0
        return drained
