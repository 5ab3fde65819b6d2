"""Source files line by line, plain, gzip or zstandard, in bounded memory; CSV rows by the names in their header."""

import gzip
import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

import zstandard

from guard.convert.table import Problems
from guard.errors import InputError

LINE_BYTES_MAX: Final = 1 << 20
"""No trace here has lines near this long; a longer one is read in pieces, which no format takes for a row."""


def open_source(path: Path) -> IO[bytes]:
    """The file's bytes, unpacked by its ending. Raises InputError."""
    try:
        if path.suffix == ".gz":
            return io.BufferedReader(gzip.open(path))
        raw = path.open("rb")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); name a file, plain, .gz or .zst") from None
    if path.suffix == ".zst":
        return io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(raw, closefd=True))
    return raw


def read_lines(path: Path, bytes_max: int = LINE_BYTES_MAX) -> Iterator[tuple[int, bytes]]:
    """Number (from 1) and bytes of every line that is not blank. Raises InputError where the file is damaged."""
    number = 0
    with open_source(path) as file:
        try:
            while line := file.readline(bytes_max):
                number += 1
                if not line.isspace():
                    yield number, line
        except (OSError, EOFError, zstandard.ZstdError) as error:
            raise InputError(f"{path}: after line {number}: the file is damaged ({error}); fetch it again") from None


def read_csv(path: Path, columns: Sequence[str], problems: Problems) -> Iterator[tuple[int, list[str]]]:
    """Number and the wanted columns of every row. Raises InputError when the header lacks one.

    These traces have no quoted values; a row with another number of values than the header is a bad line.
    """
    lines = read_lines(path)
    header = [name.strip() for name in next(lines, (0, b""))[1].decode("utf-8", "replace").split(",")]
    lacking = [name for name in columns if name not in header]
    if lacking:
        raise InputError(f"{path}: line 1: no column {lacking[0]}; the header should name {', '.join(columns)}")
    places = [header.index(name) for name in columns]
    for number, line in lines:
        values = line.decode("utf-8", "replace").rstrip("\r\n").split(",")
        if len(values) == len(header):
            yield number, [values[place] for place in places]
        else:
            problems.add(path, number, f"{len(values)} values; it should be {len(header)}")


def utc_ms(text: str) -> int:
    """Epoch milliseconds of `2023-11-16 18:17:03.9799600`, read as UTC. Raises ValueError."""
    return int(datetime.fromisoformat(text[:23]).replace(tzinfo=UTC).timestamp() * 1_000)
