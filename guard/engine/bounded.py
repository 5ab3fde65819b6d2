"""Records by 64-bit key, the oldest of which give way to new ones."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

KEY_BYTES: Final = 8
AT_ONCE_SHARE: Final = 1 / 64
"""Of the bound, so many records give way at once: a dictionary looks for its first entry past the places of all that were deleted before it,
and looks once for all of them. An OrderedDict would not, and takes 53 bytes a record more."""


class Bounded:
    """At most `most` records; a record that is written again keeps its place in the order.

    About 180 bytes for a record of 45: the record, its key (48), and their place in the dictionary (50).
    """

    __slots__ = ("_at_once", "_most", "_records")

    def __init__(self, records: Iterator[tuple[int, bytes]], most: int) -> None:
        self._records = dict(records)
        self._most = most
        self._at_once = max(1, int(most * AT_ONCE_SHARE))

    def __len__(self) -> int:
        return len(self._records)

    def get(self, key: int) -> bytes | None:
        """The record, or None."""
        return self._records.get(key)

    def values(self) -> Iterator[bytes]:
        """All records, oldest first."""
        return iter(self._records.values())

    def put(self, key: int, packed: bytes) -> list[int]:
        """Keep a record; the keys of those that gave way to it are returned, mostly none. 0.3 us, and now and then a scan of all places."""
        self._records[key] = packed
        if len(self._records) <= self._most:
            return []
        gone = list(islice(self._records, self._at_once))
        for old in gone:
            del self._records[old]
        return gone

    def pop(self, key: int) -> bool:
        """Forget a record; whether there was one."""
        return self._records.pop(key, None) is not None


def taken(records: dict[bytes, bytes], prefix: bytes, most: int) -> Bounded:
    """Those of a shard's recovered records whose keys begin with `prefix`, taken out of them."""
    found = [key for key in records if key.startswith(prefix)]
    return Bounded(((int.from_bytes(key[len(prefix) :], "little"), records.pop(key)) for key in found), most)
