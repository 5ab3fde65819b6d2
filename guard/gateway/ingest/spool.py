"""The spool: events on disk while Kafka is away, in the order they came, and gone again once Kafka has them.

Append-only files of event JSON, one a line, readable by their owner alone. What `append` returned from has been synced to disk. After a
crash the same event may be read twice, never lost; a line that was being written then had not been accepted.
"""

import asyncio
import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import structlog

from guard.errors import UsageError
from guard.gateway.ingest.spool_reader import SpoolReader

SEGMENT_BYTES: Final = 8 << 20
"""Files are begun anew at this size; one is deleted as a whole, so this much may lie on disk beyond what waits."""
_log = structlog.get_logger(__name__)


class SpoolFullError(Exception):
    """There is no room on disk, or no more is allowed; nothing of the append was taken."""


class Spool:
    """Events that wait, at most `bytes_max` of files in `folder`. Usable within one event loop, by one process."""

    def __init__(self, folder: Path, bytes_max: int) -> None:
        self._folder = folder
        self._bytes_max = bytes_max
        self._segment_bytes = min(SEGMENT_BYTES, max(1, bytes_max // 4))
        self._lock: int | None = None
        self._out: int | None = None
        self._number = 0
        self._written = 0
        self._waiting: list[_Entry] = []
        self._writer: asyncio.Task[None] | None = None
        self._reader = SpoolReader(folder)
        self._is_open = False
        self._taken_bytes = 0
        self._appended = 0

    def open(self) -> None:
        """Find what an earlier process left. Raises UsageError when the folder cannot be used."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(f"spool {self._folder}: another process has it; every `guard ingest` needs one of its own") from None
        except OSError as error:
            raise UsageError(f"spool {self._folder}: {error.strerror or type(error).__name__}; name a folder to write to") from None
        self._number = self._reader.find()
        self._is_open = True

    async def close(self) -> None:
        """Finish what is being written, and leave everything on disk for the next process."""
        self._is_open = False
        if self._writer is not None:
            await self._writer
        for descriptor in (self._out, self._lock):
            if descriptor is not None:
                os.close(descriptor)
        self._out = self._lock = None

    def __len__(self) -> int:
        return self._reader.waiting

    @property
    def size_bytes(self) -> int:
        """On disk, or about to be."""
        return self._taken_bytes - self._reader.freed_bytes

    @property
    def has_room(self) -> bool:
        """Whether an event of the usual size could still be taken."""
        return self.size_bytes + 1_024 <= self._bytes_max

    async def append(self, bodies: list[bytes], place: Callable[[int], None] = lambda _: None) -> None:
        """Write these and sync them. `place` hears the number of the first before anybody can peek at it. Raises SpoolFullError."""
        size = sum(map(len, bodies)) + len(bodies)
        if not self._is_open or self.size_bytes + size > self._bytes_max:
            raise SpoolFullError
        self._taken_bytes += size
        entry = _Entry(bodies, place, asyncio.get_running_loop().create_future())
        self._waiting.append(entry)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        await entry.synced

    async def _write(self) -> None:
        """One sync for everything that came while the last one ran."""
        while self._waiting:
            lot, self._waiting = self._waiting, []
            data = b"".join(line + b"\n" for entry in lot for line in entry.bodies)
            try:
                await asyncio.to_thread(self._sync, data)
            except OSError as error:
                self._taken_bytes -= len(data)
                for entry in lot:
                    entry.settle(SpoolFullError())
                _log.error("spool_not_written", reason=error.strerror or type(error).__name__)  # last: the log may lie on the same disk
            else:
                for entry in lot:
                    self._count(entry)

    def _count(self, entry: "_Entry") -> None:
        entry.place(self._appended)
        self._appended += len(entry.bodies)
        self._reader.waiting += len(entry.bodies)
        entry.settle()

    def _sync(self, data: bytes) -> None:
        if self._out is None or self._written >= self._segment_bytes:
            self._begin_segment()
        assert self._out is not None
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._out, rest) :]
            os.fsync(self._out)
        except OSError:
            os.ftruncate(self._out, self._written)
            raise
        self._written += len(data)

    def _begin_segment(self) -> None:
        if self._out is not None:
            os.close(self._out)
        self._out, self._written = None, 0
        path = self._reader.path(self._number + 1)
        self._out = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._number += 1
        self._reader.segments.append(self._number)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def peek(self, limit: int) -> tuple[int, list[bytes]]:
        """The number of the first event that waits, and up to `limit` of them in their order; they stay."""
        bodies = self._reader.peek(limit)
        return self._appended - self._reader.waiting, bodies

    def advance(self, count: int) -> None:
        """The first `count` of what was peeked are in Kafka."""
        self._reader.advance(count)
        if not self._reader.waiting and (self._writer is None or self._writer.done()) and self._out is not None:
            os.close(self._out)
            self._out = None
            self._reader.drop()


class _Entry(NamedTuple):
    """What is written at once, and who waits for it."""

    bodies: list[bytes]
    place: Callable[[int], None]
    synced: asyncio.Future[None]

    def settle(self, error: SpoolFullError | None = None) -> None:
        """Tell who waits, unless it has gone."""
        if self.synced.done():
            return
        if error is None:
            self.synced.set_result(None)
        else:
            self.synced.set_exception(error)
