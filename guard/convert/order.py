"""Events into the order of their time in bounded memory: sorted runs on disk, merged at the end.

An entry is the time in fixed width and the event's body, so the order of bytes is the order of time, then of event id.
"""

import heapq
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from typing import IO, Final, Self

TIME_DIGITS: Final = 15
"""The last millisecond of the year 9999 has 15."""
ENTRIES_MAX: Final = 200_000
"""About 80 MB in memory; one run on disk for each such lot."""


class TimeOrder:
    """Takes bodies with their times in any order and gives them back by time. Ends with its `with` block."""

    def __init__(self, entries_max: int = ENTRIES_MAX) -> None:
        self._entries_max = entries_max
        self._entries: list[bytes] = []
        self._runs: list[IO[bytes]] = []
        self._files = ExitStack()
        self.first_ms: int | None = None
        self.last_ms = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()

    def add(self, at_ms: int, body: bytes) -> None:
        """Take one event. `body` has no line break; `at_ms` is not negative."""
        self.first_ms = at_ms if self.first_ms is None else min(self.first_ms, at_ms)
        self.last_ms = max(self.last_ms, at_ms)
        self._entries.append(b"%0*d%s\n" % (TIME_DIGITS, at_ms, body))
        if len(self._entries) >= self._entries_max:
            self._spill()

    def _spill(self) -> None:
        run = self._files.enter_context(tempfile.TemporaryFile(prefix="guard-convert-"))  # noqa: SIM115 - the exit stack closes it
        run.writelines(sorted(self._entries))
        run.seek(0)
        self._runs.append(run)
        self._entries = []

    def in_order(self) -> Iterator[tuple[int, bytes]]:
        """Time and body of every event, by time."""
        for entry in heapq.merge(*self._runs, sorted(self._entries)):
            yield int(entry[:TIME_DIGITS]), entry[TIME_DIGITS:-1]
