"""How far each partition of a topic was read, by a mark that tells the topic from one of the same name that was made anew."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import xxhash


class Read(Protocol):
    """A record as it was read."""

    offset: int
    value: bytes | None


class Place(NamedTuple):
    """The last record that was read of a partition."""

    offset: int
    digest: bytes
    """Of its value, 8 bytes: a topic made anew has another record there, however long it is by now."""


class Places:
    """Where a reader stands, over its connections: each begins with the last record of the one before, to see whether it is still there.

    Where compaction has taken that record, the topic looks like another one, and is read anew as well: rare, and it costs no more than time.
    """

    def __init__(self, known: Mapping[int, Place] | None = None) -> None:
        self.known = dict(known or {})
        self._recognised: set[int] = set()

    def connect(self) -> None:
        """A new connection: nothing is recognised yet."""
        self._recognised.clear()

    def forget(self) -> None:
        """Everything is read from its beginning."""
        self.known.clear()

    def begin(self, partition: int, first: int) -> int:
        """The offset to read from, where the partition begins with `first`."""
        return max(first, self.known[partition].offset) if partition in self.known else first

    def is_beyond(self, partition: int, end: int) -> bool:
        """More was read of the partition than there is."""
        return partition in self.known and self.known[partition].offset >= end

    def unread(self, partition: int, records: Sequence[Read]) -> Sequence[Read] | None:
        """Those of the records, one at least, that were not read before; None when they are not of the topic that was read."""
        place, is_recognised = self.known.get(partition), partition in self._recognised
        if place is not None and (records[0].offset <= place.offset if is_recognised else _place(records[0]) != place):
            return None
        self._recognised.add(partition)
        self.known[partition] = _place(records[-1])
        return records if place is None or is_recognised else records[1:]


def _place(record: Read) -> Place:
    return Place(record.offset, xxhash.xxh3_64_digest(record.value or b""))
