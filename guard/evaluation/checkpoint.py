"""A run laid aside in a file between two of its exchanges, so that hours of play survive an interruption.

The file is this machine's own scratch, made and read by one version of the program: pickle serves, where a baseline, which travels and outlives
versions, must not be one. Before anything is unpickled the file must be the user's own, and its stamp (code, world, seed, variant) and SHA-256 be
right: that keeps torn and foreign files out; whoever can write the user's files can run programs as the user anyway.
"""

import gc
import hashlib
import os
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from guard.evaluation.play import Play

BLOCK_BYTES: Final = 1 << 20
DIGEST_BYTES: Final = 32


class _Hashing:
    """Writes to a file and hashes what it writes: the state of a million accounts is not held a second time."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        """Write and hash."""
        self.digest.update(data)
        return self._file.write(data)


class Checkpoint:
    """The file of one run; `stamp` says of which, and of which code."""

    def __init__(self, path: Path, stamp: str) -> None:
        self._path = path
        self._stamp = stamp.encode() + b"\n"

    def save(self, play: Play) -> None:
        """Write the run as it stands; the file before is replaced when the new one is whole. Raises OSError."""
        unfinished = self._path.with_suffix(".unfinished-checkpoint")
        with unfinished.open("wb") as file:
            hashing = _Hashing(file)
            hashing.write(self._stamp)
            with _collector_paused():
                pickle.dump(play, hashing, protocol=pickle.HIGHEST_PROTOCOL)
            file.write(hashing.digest.digest())
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._path)

    def load(self) -> tuple[Play | None, str]:
        """The run that was laid aside; or None, and why it cannot be gone on with (empty where there is none)."""
        try:
            with self._path.open("rb") as file:
                if os.fstat(file.fileno()).st_uid != os.geteuid():
                    return None, "belongs to another user"
                if file.readline() != self._stamp:
                    return None, "is of another version, world, seed or variant"
                if not _is_whole(file, self._stamp):
                    return None, "is torn"
                file.seek(len(self._stamp))
                return _unpickled(file)
        except FileNotFoundError:
            return None, ""
        except OSError as error:
            return None, f"cannot be read ({error.strerror})"


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Millions of objects are made and none becomes garbage: looking for cycles among them would take most of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _unpickled(file: IO[bytes]) -> tuple[Play | None, str]:
    try:
        with _collector_paused():
            return pickle.load(file), ""  # noqa: S301 - see above
    except Exception as error:  # noqa: BLE001 - another version of a library that the state is made of may raise anything
        return None, f"cannot be taken up here ({type(error).__name__})"


def _is_whole(file: IO[bytes], stamp: bytes) -> bool:
    digest, tail = hashlib.sha256(stamp), b""
    while block := file.read(BLOCK_BYTES):
        block = tail + block
        digest.update(block[:-DIGEST_BYTES])
        tail = block[-DIGEST_BYTES:]
    return digest.digest() == tail
