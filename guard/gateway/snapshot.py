"""What an enforcer knows, kept in a file, so that a restart need not read the whole topic, nor Kafka be there at all.

A file that is too old, of another version, cut short or changed is not used: the topic says everything anyway.
"""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import xxhash
from msgspec import Struct

from guard.gateway.order import CODES
from guard.gateway.orders import Orders
from guard.gateway.places import Place
from guard.units import DAY_MS

AGE_MS_MAX: Final = DAY_MS
"""Kafka keeps a tombstone for a day after compaction (`delete.retention.ms`, its default): beyond that a removal may have been missed."""
FORMAT: Final = 2
CHUNK_ENTRIES: Final = 5_000
"""Entries encoded between two turns of the event loop: a few milliseconds."""
_MAGIC: Final = b"guard-orders\n"
_DIGEST_BYTES: Final = 16


class Header(Struct, frozen=True):
    """What stands first in the file."""

    format: int
    saved_at: int
    """UTC milliseconds."""
    places: dict[int, Place]
    """Up to where each partition of `guard.decisions` was read."""
    paused_until: int
    codes: tuple[str, ...]
    """Reason codes by their number in the packed orders."""
    enforcers: int = 1
    """How many shared each account's rate."""


class Loaded(NamedTuple):
    """What a file held."""

    orders: Orders
    places: dict[int, Place]
    """Where to go on, by partition."""
    enforcers: int


class Chunk(Struct, array_like=True):
    """Some entries."""

    scope: str
    orders: list[tuple[str, bytes]] = []
    parts: list[tuple[str, int, tuple[str, ...]]] = []


class UnusableSnapshotError(Exception):
    """Why the file is not used; one line."""


_encode = msgspec.msgpack.Encoder().encode
_header_of = msgspec.msgpack.Decoder(Header).decode
_chunk_of = msgspec.msgpack.Decoder(Chunk).decode


async def save(path: Path, orders: Orders, places: dict[int, Place], at: int, enforcers: int = 1) -> None:
    """Write the file anew, whole or not at all. Raises OSError when it cannot be written."""
    header = Header(FORMAT, at, dict(places), orders.paused_until, CODES, enforcers)
    chunks = list(orders.chunks(CHUNK_ENTRIES))
    beside = path.with_name(f"{path.name}.new")
    digest = xxhash.xxh3_128()
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(_MAGIC)
        for entry in (header, *(Chunk(*chunk) for chunk in chunks)):
            frame = _framed(_encode(entry))
            digest.update(frame)
            out.write(frame)
            await asyncio.sleep(0)
        out.write(_framed(b"") + digest.digest())
        out.flush()
        await asyncio.to_thread(os.fsync, out.fileno())
    beside.replace(path)


def load(path: Path, at: int) -> Loaded:
    """What was saved. Raises UnusableSnapshotError, and OSError when it cannot be read."""
    data = path.read_bytes()
    frames = _frames(data)
    try:
        header = _header_of(next(frames))
        _check(header, at)
        orders = Orders(header.paused_until)
        for frame in frames:
            chunk = _chunk_of(frame)
            orders.restore(chunk.scope, chunk.orders, chunk.parts)
    except (msgspec.MsgspecError, KeyError, StopIteration) as error:
        raise UnusableSnapshotError(f"it holds something else than orders ({type(error).__name__})") from error
    return Loaded(orders, header.places, header.enforcers)


def _check(header: Header, at: int) -> None:
    if header.format != FORMAT or header.codes != CODES:
        raise UnusableSnapshotError("another version of guard wrote it")
    if not 0 <= at - header.saved_at <= AGE_MS_MAX:
        raise UnusableSnapshotError(
            f"it was saved {(at - header.saved_at) / 3_600_000:.1f} hours ago; at most {AGE_MS_MAX // 3_600_000} are good"
        )


def _framed(entry: bytes) -> bytes:
    return len(entry).to_bytes(4, "big") + entry


def _frames(data: bytes) -> Iterator[bytes]:
    """The entries, after all of them were found whole."""
    if not data.startswith(_MAGIC):
        raise UnusableSnapshotError("it is no snapshot")
    spans: list[tuple[int, int]] = []
    at = len(_MAGIC)
    while True:
        size = int.from_bytes(data[at : at + 4], "big")
        if at + 4 + size > len(data):
            raise UnusableSnapshotError("it is cut short")
        if size == 0:
            break
        spans.append((at + 4, at + 4 + size))
        at += 4 + size
    if data[at + 4 :] != xxhash.xxh3_128(data[len(_MAGIC) : at]).digest():
        raise UnusableSnapshotError("its checksum is wrong")
    return (data[start:end] for start, end in spans)
