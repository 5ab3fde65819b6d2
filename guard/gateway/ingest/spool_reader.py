"""The reading end of a spool: where it stands, which files are done with."""

from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Final

from guard.events.request import RECORD_BYTES_MAX

_CHUNK_BYTES: Final = 1 << 20
_POSITION: Final = "position"


class SpoolReader:
    """Reads the lines of numbered files one after the other. Its position is kept in a file, by name and offset."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._offset = 0
        self._newest = 0
        self._peeked: list[int] = []
        """Lengths of the lines that were peeked; they lie one behind the other, from `_offset` on."""
        self.segments: list[int] = []
        """Numbers of the files, the first being read, the last being written or done."""
        self.waiting = 0
        """Lines that are synced and not done with."""
        self.freed_bytes = 0
        """Of files that were deleted, less what was found at the beginning."""

    def path(self, number: int) -> Path:
        """The file of that number."""
        return self._folder / f"{number:012d}.jsonl"

    def find(self) -> int:
        """Go to where an earlier process stood. The highest number a file has or had."""
        self.segments = sorted(int(path.stem) for path in self._folder.glob("*.jsonl") if path.stem.isdigit())
        number, offset = self._position()
        self._newest = max([*self.segments, number])
        while self.segments and self.segments[0] < number:
            self._delete_first()
        if self.segments and self.segments[0] == number:
            self._offset = offset
        self.waiting = sum(self._lines(number, self._offset if number == self.segments[0] else 0) for number in self.segments)
        self.freed_bytes = -sum(self.path(number).stat().st_size for number in self.segments)
        return self._newest

    def _lines(self, number: int, offset: int) -> int:
        """Whole lines from `offset` on; a torn one at the end was never accepted."""
        count = 0
        with self.path(number).open("rb") as file:
            file.seek(offset)
            while chunk := file.read(_CHUNK_BYTES):
                count += chunk.count(b"\n")
        return count

    def peek(self, limit: int) -> list[bytes]:
        """Up to `limit` lines of the file being read; fewer where it ends."""
        self._peeked = []
        if not self.waiting:
            return []
        self._pass_files()
        with self.path(self.segments[0]).open("rb") as file:
            file.seek(self._offset)
            lines = [line for line in islice(file, min(limit, self.waiting)) if line.endswith(b"\n")]
        self._peeked = [len(line) for line in lines]
        return [line[:-1] for line in lines]

    def advance(self, count: int) -> None:
        """Pass over `count` of the lines last peeked."""
        self._offset += sum(self._peeked[:count])
        del self._peeked[:count]
        self.waiting -= count
        self._pass_files()
        self._remember()

    def drop(self) -> None:
        """Delete the files: nothing waits, and none is being written."""
        while self.segments:
            self._newest = self.segments[0]
            self._delete_first()
        self._remember()

    def _pass_files(self) -> None:
        while self._is_done():
            self._delete_first()

    def _is_done(self) -> bool:
        """Whether the first file was read to its end and another one follows."""
        return len(self.segments) > 1 and self._offset >= self._whole_bytes()

    def _whole_bytes(self) -> int:
        """Up to the end of the last whole line."""
        path = self.path(self.segments[0])
        size = path.stat().st_size
        with path.open("rb") as file:
            file.seek(max(0, size - 2 * RECORD_BYTES_MAX))
            tail = file.read()
        return size - len(tail) + tail.rfind(b"\n") + 1 if b"\n" in tail else 0

    def _delete_first(self) -> None:
        path = self.path(self.segments.pop(0))
        self.freed_bytes += path.stat().st_size
        path.unlink()
        self._offset = 0

    def _remember(self) -> None:
        """Not synced: a position that is lost with the power makes events come twice, which the guard knows to ignore."""
        beside = self._folder / f"{_POSITION}.new"
        with suppress(OSError):  # as on a disk that is full: what was read must be deleted all the same
            beside.write_text(f"{self.segments[0] if self.segments else self._newest} {self._offset}\n")
            beside.replace(self._folder / _POSITION)

    def _position(self) -> tuple[int, int]:
        try:
            number, offset = map(int, (self._folder / _POSITION).read_text().split())
        except (OSError, ValueError):
            return 0, 0
        return number, offset
