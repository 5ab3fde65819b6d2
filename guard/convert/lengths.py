"""Token counts drawn from ServeGen's tables: per client and six hours, the share of every length seen."""

import random
from bisect import bisect_right
from itertools import accumulate
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from guard.convert.source import LINE_BYTES_MAX, open_source
from guard.errors import InputError
from guard.events.decode import COUNT_MAX

DATASET_BYTES_MAX: Final = 64 * LINE_BYTES_MAX
"""The largest one of the trace unpacks to a few million bytes."""


class Shares(Struct, frozen=True):
    """Values and their cumulated shares."""

    values: list[float]
    cumulated: list[float]

    def draw(self, dice: random.Random) -> float:
        """One value, each as likely as its share."""
        place = bisect_right(self.cumulated, dice.random() * self.cumulated[-1])
        return self.values[min(place, len(self.values) - 1)]


class Lengths(Struct, frozen=True):
    """What one client sent in one window."""

    input_tokens: Shares
    output_tokens: Shares
    reason_ratio: Shares | None


class Dataset:
    """A client's lengths by window; the tables stay text until a window is asked for, and one at a time is kept."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._windows = _read(path)
        self._starts = sorted(start for start, window in self._windows.items() if all(len(window.get(n, "")) > 2 for n in _NEEDED))
        self._held: tuple[int, Lengths] | None = None

    @property
    def is_empty(self) -> bool:
        """There is no window to draw from."""
        return not self._starts

    def at(self, second: int) -> Lengths:
        """The lengths of the window nearest to this second of the trace. Raises InputError when its table is broken."""
        start = min(self._starts, key=lambda start: (abs(start - second), start))
        if self._held is None or self._held[0] != start:
            self._held = start, self._parse(self._windows[start])
        return self._held[1]

    def _parse(self, window: dict[str, str]) -> Lengths:
        try:
            reason = _shares(window.get("reason_ratio", "{}"))
            found = [_shares(window[name]) for name in _NEEDED]
        except ValueError:
            found = []
        if not all(found) or len(found) != len(_NEEDED):
            raise InputError(f"{self._path}: a table of lengths; it should be like {{12: 0.25, 40: 0.75}}")
        return Lengths(found[0], found[1], reason)  # type: ignore[arg-type]


_NEEDED: Final = ("input_tokens", "output_tokens")
_decode: Final = msgspec.json.Decoder(dict[int, dict[str, str]], strict=False).decode


def _read(path: Path) -> dict[int, dict[str, str]]:
    try:
        with open_source(path) as file:
            return _decode(file.read(DATASET_BYTES_MAX))
    except (OSError, EOFError, ValueError, RecursionError):
        raise InputError(f"{path}: it should be JSON of window starts and their tables of lengths") from None


def _shares(text: str) -> Shares | None:
    """The table in `text`; None when it is empty or all zero. Raises ValueError when it is none."""
    pairs = [entry.split(":") for entry in text.strip("{} ").split(",") if entry.strip()]
    weighted = [(float(value), float(share)) for value, share in pairs]
    if not all(0 <= value <= COUNT_MAX and 0 <= share <= COUNT_MAX for value, share in weighted):
        raise ValueError(text[:20])
    kept = [(value, share) for value, share in weighted if share > 0]
    return Shares([value for value, _ in kept], list(accumulate(share for _, share in kept))) if kept else None
