"""What every stage of the engine is to the shell around it: records in, an outcome out, state as bytes by key.

The shell knows nothing else. A stage knows no Kafka, no clock and no random number: the same records in the same order
give the same decisions, whatever the batches and flushes between them.
"""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from guard.decisions.decision import Decision
from guard.engine.control import Control
from guard.topics import Topic


class SourceRecord(Protocol):
    """What a stage reads of one Kafka record. aiokafka's `ConsumerRecord` fits as it is."""

    @property
    def topic(self) -> str:
        """Where the record lies."""

    @property
    def partition(self) -> int:
        """Its partition there."""

    @property
    def offset(self) -> int:
        """Its offset there."""

    @property
    def timestamp(self) -> int:
        """Append time, milliseconds since the epoch."""

    @property
    def key(self) -> bytes | None:
        """Its key, if any."""

    @property
    def value(self) -> bytes | None:
        """Its bytes; None is a tombstone."""


class Message(Struct, frozen=True):
    """One record to be written in the flush: `value` None is a tombstone."""

    topic: Topic
    partition: int
    key: bytes | None
    value: bytes | None


class Outcome(Struct):
    """All that came of the records since the last drain. It is written whole, in one transaction, or not at all."""

    changes: list[tuple[bytes, bytes | None]]
    """State records by key, for this stage's changelog partition."""
    messages: list[Message]
    """Decisions, forwards, dead letters and campaign records."""
    decided: list[Decision]
    """The decisions among the messages, for the log and the metrics."""
    tallies: dict[str, int]
    """Counts by name since the last drain, for the metrics; a closed list (guard.engine.tallies)."""

    @property
    def is_empty(self) -> bool:
        """Nothing to write; the source offsets may still have moved."""
        return not (self.changes or self.messages)


class Stage(Protocol):
    """One stage over one partition. Its state lives in the `records` mapping it was made with, and in hot objects."""

    def step(self, records: Sequence[SourceRecord]) -> None:
        """Take records in, in the partition's order. No exception for any record's content."""

    def follow(self, control: Control) -> None:
        """Work by this policy, these labels and this watch-list from the next record on."""

    def drain(self) -> Outcome:
        """Hand over everything that came of the records since the last drain, and forget it."""

    @property
    def newest_at(self) -> int:
        """The stage's clock: newest event time taken in, milliseconds; 0 before the first."""

    @property
    def is_quiet(self) -> bool:
        """A drain would write nothing but changed records: who keeps no journal may put it off."""
