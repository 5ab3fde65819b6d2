"""Small records by 64-bit key, packed close together; the oldest give way to new ones.

A dictionary takes some 130 bytes for each record besides the record: its place, its key, the head of its bytes. Here a bucket of some sixteen
records is three byte strings, and a record takes 10 bytes besides itself. The price is a microsecond or two to read one, and up to
four to write it.
"""

from array import array
from collections.abc import Iterator
from typing import Final

KEY_BYTES: Final = 8
KEY_BITS: Final = 64
SIZE_BYTES: Final = 2
PER_BUCKET: Final = 16
BUCKET_MAX: Final = 8 * PER_BUCKET
"""Records in one bucket, whatever the others hold: hashes never come near it by chance, and whoever picks them may not make a bucket long."""


class Bounded:
    """At most `most` records of up to 65,535 bytes, and `BUCKET_MAX` in one bucket; beyond it the oldest of a new one's bucket gives way, or of the next bucket that has any.

    Keys are hashes, so that buckets fill and forget alike: what gives way is among the oldest of all. Their high bits choose the bucket: the low ones
    have chosen the shard. A record that is written again stays in its place.
    """

    __slots__ = ("_count", "_data", "_keys", "_mask", "_most", "_shift", "_sizes")

    def __init__(self, most: int) -> None:
        bits = max(0, (most // PER_BUCKET).bit_length() - 1)
        buckets = 1 << bits
        self._most, self._mask, self._shift = most, buckets - 1, KEY_BITS - bits
        self._keys, self._sizes, self._data = [b""] * buckets, [b""] * buckets, [b""] * buckets
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[bytes]:
        """All records."""
        for bucket in range(self._mask + 1):
            for place in range(len(self._keys[bucket]) // KEY_BYTES):
                start, end = self._span(bucket, place)
                yield self._data[bucket][start:end]

    def get(self, key: int) -> bytes | None:
        """The record, or None."""
        bucket = key >> self._shift
        place = _place(self._keys[bucket], key)
        if place < 0:
            return None
        start, end = self._span(bucket, place)
        return self._data[bucket][start:end]

    def put(self, key: int, packed: bytes) -> int | None:
        """Keep a record; the key of the one that gave way to it is returned, mostly None. Raises OverflowError, and keeps nothing, for one too long."""
        bucket = key >> self._shift
        place = _place(self._keys[bucket], key)
        if place >= 0:
            self._replace(bucket, place, packed)
            return None
        size = len(packed).to_bytes(SIZE_BYTES, "little")
        self._keys[bucket] += key.to_bytes(KEY_BYTES, "little")
        self._sizes[bucket] += size
        self._data[bucket] += packed
        self._count += 1
        is_full = self._count > self._most or len(self._keys[bucket]) > BUCKET_MAX * KEY_BYTES
        return self._give_way(bucket, key) if is_full else None

    def pop(self, key: int) -> bool:
        """Forget a record; whether there was one."""
        bucket = key >> self._shift
        place = _place(self._keys[bucket], key)
        if place < 0:
            return False
        self._remove(bucket, place)
        return True

    def _span(self, bucket: int, place: int) -> tuple[int, int]:
        sizes = array("H", self._sizes[bucket][: (place + 1) * SIZE_BYTES])
        end = sum(sizes)
        return end - sizes[place], end

    def _replace(self, bucket: int, place: int, packed: bytes) -> None:
        start, end = self._span(bucket, place)
        data, sizes, at = self._data[bucket], self._sizes[bucket], place * SIZE_BYTES
        size = len(packed).to_bytes(SIZE_BYTES, "little")
        self._data[bucket] = data[:start] + packed + data[end:]
        self._sizes[bucket] = sizes[:at] + size + sizes[at + SIZE_BYTES :]

    def _remove(self, bucket: int, place: int) -> None:
        start, end = self._span(bucket, place)
        keys, sizes, data = self._keys[bucket], self._sizes[bucket], self._data[bucket]
        self._keys[bucket] = keys[: place * KEY_BYTES] + keys[(place + 1) * KEY_BYTES :]
        self._sizes[bucket] = sizes[: place * SIZE_BYTES] + sizes[(place + 1) * SIZE_BYTES :]
        self._data[bucket] = data[:start] + data[end:]
        self._count -= 1

    def _give_way(self, bucket: int, newest: int) -> int:
        while (oldest := int.from_bytes(self._keys[bucket][:KEY_BYTES], "little")) == newest or not self._keys[bucket]:
            bucket = bucket + 1 & self._mask
        self._remove(bucket, 0)
        return oldest


def _place(keys: bytes, key: int) -> int:
    """Where among these keys it is; -1 if it is not."""
    wanted = key.to_bytes(KEY_BYTES, "little")
    at = keys.find(wanted)
    while at >= 0 and at % KEY_BYTES:
        at = keys.find(wanted, at + 1)
    return at // KEY_BYTES if at >= 0 else -1


def taken(records: dict[bytes, bytes], prefix: bytes, most: int) -> tuple[Bounded, list[bytes]]:
    """Those of a shard's recovered records whose keys begin with `prefix`, taken out of them; and the keys of those that are too many now."""
    found, gone = Bounded(most), []
    for key in [key for key in records if key.startswith(prefix)]:
        old = found.put(int.from_bytes(key[len(prefix) :], "little"), records.pop(key))
        if old is not None:
            gone.append(prefix + old.to_bytes(KEY_BYTES, "little"))
    return found, gone
