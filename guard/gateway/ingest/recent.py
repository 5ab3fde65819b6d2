"""Which exchanges were taken lately: what makes a retried batch write nothing twice."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

RECENT_MAX: Final = 200_000
"""About 40 MB; the one taken longest ago is forgotten. A retry that comes later still is a duplicate to the guard, which knows its own."""


class Recent:
    """Keys of exchanges that are safe, at most `keys_max`."""

    def __init__(self, keys_max: int = RECENT_MAX) -> None:
        self._keys: OrderedDict[str, None] = OrderedDict()
        self._keys_max = keys_max

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def add(self, keys: Iterable[str]) -> None:
        """Remember these."""
        for key in keys:
            self._keys[key] = None
        while len(self._keys) > self._keys_max:
            self._keys.popitem(last=False)
