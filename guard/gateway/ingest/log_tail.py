"""A gateway's access log, followed: each whole line is read, taken, and only then passed. The log is the spool: nothing is lost while Kafka is away.

A log that is renamed and begun anew is read to its end first, as often as that happens; one that was cut, or that is another file than the
one which had its inode, is read from its beginning: what stands before the place where it was left says so, however long it is by now.
Where it stands is kept in a file beside it, so that a restart goes on; after a crash the lines of about a second are taken twice, which the
guard recognises.
"""

import asyncio
import os
import re
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
import structlog
import xxhash
from msgspec import Struct

from guard.errors import UsageError
from guard.gateway.ingest.intake import Intake
from guard.gateway.ingest.reading import Read

READ_BYTES: Final = 1 << 20
"""Read at once; a line that is longer is passed over."""
LINES_MAX: Final = 2_000
"""Taken at once."""
IDLE_SECONDS: Final = 0.1
RETRY_SECONDS: Final = 1.0
TURN_SECONDS: Final = 2.0
"""A renamed log that has not grown for so long, while its successor has, is at its end: gateways open the new one a little later."""
MARK_BYTES: Final = 256
"""How much of what was taken last is compared: a line of an access log holds an id and a time, so that no other log has the same there."""
_ROTATED: Final = re.compile(r"[.-]\d[\d.-]*", re.ASCII)
"""What logrotate puts behind a name: a number or a date. What is packed cannot be followed."""
_log = structlog.get_logger(__name__)


class Position(Struct, frozen=True):
    """Up to where a file was taken: the file by its inode, and bytes."""

    inode: int = 0
    offset: int = 0
    mark: str = ""
    """Hash of the `MARK_BYTES` before it, which other contents under the same inode do not have."""

    def after(self, before: bytes, taken: bytes) -> "Position":
        """The place once `taken` is, too, of which `before` is what was marked."""
        return Position(self.inode, self.offset + len(taken), _mark(before + taken))


class LogTail:
    """Follows one log within an event loop. `read` makes events of lines."""

    def __init__(self, path: Path, read: Callable[[list[bytes]], Read], intake: Intake) -> None:
        self.refusals: Counter[str] = Counter()
        """Lines that gave no event, by reason."""
        self.lines = 0
        self._path = path
        self._kept = _kept_beside(path)
        self._read = read
        self._intake = intake
        self._position = Position()
        self._file: BinaryIO | None = None
        self._ended_at: float | None = None
        """Since when the end of a renamed log has stood still."""
        self._task: asyncio.Task[None] | None = None

    @property
    def behind_bytes(self) -> int:
        """How much of the log waits to be taken."""
        return 0 if self._file is None else max(0, os.fstat(self._file.fileno()).st_size - self._position.offset)

    def start(self) -> None:
        """Begin; returns at once. Raises UsageError if it cannot be kept where the log was left."""
        try:
            self._position = _kept(self._kept)
            self._keep()
        except OSError as error:
            raise UsageError(
                f"{self._kept}: {error.strerror}; where the log was left is kept beside it, so the folder should be writable"
            ) from None
        if not self._path.exists():
            _log.warning("log_not_there_yet", file=str(self._path))
        self._task = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        """Follow no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._file is not None:
            self._file.close()
            self._file = None

    async def _follow(self) -> None:
        while True:
            try:
                taken = await self._step()
            except Exception as error:  # noqa: BLE001 (its text may hold what was logged; a tail that ended unseen would be worse)
                _log.warning("log_waits", file=str(self._path), reason=type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if not taken:
                await asyncio.sleep(IDLE_SECONDS)

    async def _step(self) -> bool:
        """Take the next lines; whether there were any."""
        before, chunk = self._next()
        if not chunk:
            return self._turn()
        self._ended_at = None
        read = await asyncio.to_thread(self._read, [line for line in chunk.split(b"\n") if line.strip()])
        self.refusals.update(read.refusals)
        await self._intake.take(read.events)
        self.lines += chunk.count(b"\n")
        self._position = self._position.after(before, chunk)
        self._keep()
        return True

    def _next(self) -> tuple[bytes, bytes]:
        """What stands before, to be marked, and whole lines from there on; a line without end is passed over.

        Where something else stands before than what was taken last, the file is read from its beginning.
        """
        if self._file is None and not self._open():
            return b"", b""
        assert self._file is not None
        before = _standing_before(self._file, self._position.offset)
        if _mark(before) != self._position.mark:
            _log.warning("log_cut", file=str(self._path))
            self._position, before = Position(self._position.inode), b""
        chunk = os.pread(self._file.fileno(), READ_BYTES, self._position.offset)
        whole = chunk[: chunk.rfind(b"\n") + 1]
        return before, chunk if not whole and len(chunk) == READ_BYTES else _at_most(whole)

    def _open(self) -> bool:
        """The file it was left in, under whatever name, else the one that is written now."""
        found = next((path for path, stat in self._logs() if stat.st_ino == self._position.inode), self._path)
        if not found.exists():
            return False
        self._file = found.open("rb")
        inode = os.fstat(self._file.fileno()).st_ino
        if inode != self._position.inode:
            self._position = Position(inode)
        return True

    def _turn(self) -> bool:
        """At the end of a file that has been renamed, go on with its successor. Whether there is one."""
        following = self._successor()
        if self._file is None or following is None:
            return False
        self._ended_at = self._ended_at or time.monotonic()
        if time.monotonic() < self._ended_at + TURN_SECONDS:
            return False
        self._file.close()
        self._file, self._ended_at = None, None
        self._position = Position(following)
        return self._open()

    def _successor(self) -> int | None:
        """The inode of the log after this one: the oldest that was written to later, at last the one that is written now, unless empty."""
        if self._file is None:
            return None
        here = os.fstat(self._file.fileno())
        if not self._path.exists() or self._path.stat().st_ino == here.st_ino:
            return None  # it still has its name: the folder need not be looked through
        others = [(path, stat) for path, stat in self._logs() if stat.st_size and stat.st_ino != here.st_ino]
        if self._path not in (path for path, _ in others):
            return None
        later = [(path == self._path, stat.st_mtime_ns, stat.st_ino) for path, stat in others]
        return min(one for one in later if one[0] or one[1] > here.st_mtime_ns)[2]

    def _logs(self) -> list[tuple[Path, os.stat_result]]:
        """The log and those it was before, under the names that they have now."""
        name = self._path.name
        paths = (path for path in self._path.parent.iterdir() if path.name.startswith(name))
        return [(path, path.stat()) for path in paths if path == self._path or _ROTATED.fullmatch(path.name[len(name) :])]

    def _keep(self) -> None:
        beside = self._kept.with_name(f"{self._kept.name}.new")
        beside.write_bytes(msgspec.json.encode(self._position))
        beside.replace(self._kept)


def is_taken(log: Path) -> bool:
    """Whether whoever follows the log has taken all that is in it now."""
    with log.open("rb") as file:
        here = os.fstat(file.fileno())
        return _kept(_kept_beside(log)) == Position(here.st_ino, here.st_size, _mark(_standing_before(file, here.st_size)))


def _standing_before(file: BinaryIO, at: int) -> bytes:
    """What is marked of a place: the `MARK_BYTES` before it, fewer where the file begins or has become shorter."""
    return os.pread(file.fileno(), min(at, MARK_BYTES), max(0, at - MARK_BYTES))


def _mark(before: bytes) -> str:
    """What tells a place by what stands before it; nothing at the beginning."""
    return xxhash.xxh3_64_hexdigest(before[-MARK_BYTES:]) if before else ""


def _kept_beside(log: Path) -> Path:
    return log.with_name(f"{log.name}.guard-position")


def _kept(path: Path) -> Position:
    """The position in the file; the beginning if there is none, or what is there is none."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Position)
    except (FileNotFoundError, msgspec.MsgspecError):
        return Position()


def _at_most(chunk: bytes) -> bytes:
    """The first `LINES_MAX` lines: as many as one batch may have."""
    end = -1
    for _ in range(LINES_MAX):
        found = chunk.find(b"\n", end + 1)
        if found < 0:
            break
        end = found
    return chunk[: end + 1]
