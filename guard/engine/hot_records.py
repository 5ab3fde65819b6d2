"""A stage's records: hot ones as objects, cold ones as the bytes that the changelog holds. Never both.

Bound: `hot_max` objects; beyond it the ones untouched longest in insertion order are packed again. Cold bytes are bounded
by the number of subjects alone.
"""

from collections.abc import Callable, Hashable, Iterator
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

HOT_MAX: Final = 2_500
"""Hot records per stage and shard, some 3 KB each: who comes back within the next thousands of others is not restored."""


class HotRecords(Generic[K, T]):
    """Records by key over the recovered `cold` mapping, which this object owns from now on."""

    __slots__ = ("_dirty", "_hot", "_hot_max", "_is_journaled", "_pack", "_restore", "_to_key", "cold")

    def __init__(
        self,
        cold: dict[bytes, bytes],
        to_key: Callable[[K], bytes],
        pack: Callable[[T], bytes],
        restore: Callable[[bytes, K], T],
        *,
        is_journaled: bool = True,
        hot_max: int = HOT_MAX,
    ) -> None:
        self.cold = cold
        self._to_key = to_key
        self._pack = pack
        self._restore = restore
        self._is_journaled = is_journaled
        self._hot_max = hot_max
        self._hot: dict[K, T] = {}
        self._dirty: dict[K, T] = {}

    def __len__(self) -> int:
        return len(self._hot) + len(self.cold)

    def get(self, name: K) -> T | None:
        """The record of `name`, warmed up if it was cold; None for a newcomer."""
        record = self._hot.get(name)
        if record is None:
            packed = self.cold.pop(self._to_key(name), None)
            if packed is not None:
                record = self._hot[name] = self._restore(packed, name)
        return record

    def put(self, name: K, record: T) -> None:
        """Take in a newcomer's record."""
        self._hot[name] = record

    def touch(self, name: K, record: T) -> None:
        """The record has changed and belongs into the next drain; where nobody keeps a journal, that costs nothing."""
        if self._is_journaled:
            self._dirty[name] = record

    @property
    def is_full(self) -> bool:
        """More hot records than the bound; the next drain cools them."""
        return len(self._hot) > self._hot_max

    def drain(self) -> Iterator[tuple[bytes, bytes]]:
        """Key and bytes of every record touched since the last drain; afterwards hot records beyond the bound are cooled."""
        for name, record in self._dirty.items():
            yield self._to_key(name), self._pack(record)
        self._dirty = {}
        self._cool()

    def _cool(self) -> None:
        excess = len(self._hot) - self._hot_max
        if excess <= 0:
            return
        for name in list(self._hot)[: excess + self._hot_max // 8]:
            self.cold[self._to_key(name)] = self._pack(self._hot.pop(name))
