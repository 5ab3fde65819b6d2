"""Lines of event files, plain, gzip or zstandard, in bounded memory."""

import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

import zstandard

from guard.errors import InputError

LINE_BYTES_MAX: Final = 1 << 20
"""A longer line is cut here; it is a dead letter in any case."""


def open_lines(path: Path) -> IO[bytes]:
    """The file's bytes, unpacked by its ending. Raises InputError when it cannot be opened."""
    try:
        raw = path.open("rb")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); it should be a JSON Lines file, plain, .gz or .zst") from None
    if path.suffix == ".gz":
        return io.BufferedReader(gzip.GzipFile(fileobj=raw))
    if path.suffix == ".zst":
        return io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(raw, closefd=True))
    return raw


def read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Line number (from 1) and bytes of every line that is not blank. Raises InputError when the file breaks off."""
    with open_lines(path) as file:
        number = 0
        while True:
            try:
                line = file.readline(LINE_BYTES_MAX)
            except (OSError, EOFError, zstandard.ZstdError) as error:
                raise InputError(f"{path}: line {number + 1}: the file is damaged ({error}); pack it again") from None
            if not line:
                return
            number += 1
            if not line.isspace():
                yield number, line
