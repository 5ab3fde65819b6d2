"""A conversion from beginning to end: rows through the table, into the order of time, moved to where the clock should stand."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any, Final

import msgspec
from msgspec import Struct

from guard.convert.order import TimeOrder
from guard.convert.table import Kind, Plan, Problems, Row
from guard.errors import DecodeError, InputError
from guard.events.decode import TIME_MS_MAX, Decoder
from guard.events.hashing import HashKey, KeyedHasher

ENDS_BEFORE_NOW_MS: Final = 60_000
"""Without --start, the newest event lies this far in the past."""
PROGRESS_EVERY: Final = 1 << 13
ACCOUNTS_COUNTED_MAX: Final = 1_000_000


class Converted(Struct):
    """What a conversion read and wrote."""

    events: int = 0
    accounts: int = 0
    first_at: int = 0
    last_at: int = 0
    problems: Problems = msgspec.field(default_factory=Problems)


class Times(Struct, frozen=True):
    """Where the events are put: the first one at `start_ms`, or else the last one before `now_ms`."""

    now_ms: int
    start_ms: int | None = None

    def shift_ms(self, first_ms: int, last_ms: int, *, keeps: bool = False) -> int:
        """What to add to the source's times; `keeps` leaves them unless a start is given. Raises InputError when no calendar reaches there."""
        if keeps and self.start_ms is None:
            return 0
        shift = self.start_ms - first_ms if self.start_ms is not None else self.now_ms - ENDS_BEFORE_NOW_MS - last_ms
        if first_ms + shift < 1 or last_ms + shift > TIME_MS_MAX:
            raise InputError(f"events from {first_ms + shift} to {last_ms + shift} ms; --start should keep them between 1970 and 9999")
        return shift


class Bodies:
    """Rows as event bodies without their time; a row that would be a dead letter is a bad line."""

    def __init__(self, kind: Kind[Any], plan: Plan, seen: Converted) -> None:
        self._kind = kind
        self._seen = seen
        self._columns = [column for column in kind.table if column.field != "event_time"]
        self._decoder = Decoder()
        self._accounts: set[str] = set()
        # The sources are public and so is the seed: the hash keeps their text out and makes equal seeds equal files.
        secret = hashlib.sha256(f"guard convert {plan.seed}".encode()).digest()
        self._hasher = KeyedHasher(HashKey(f"s{plan.seed}"[:16], secret))

    def of(self, rows: Iterable[Row]) -> Iterator[tuple[int, bytes]]:
        """Time on the source's clock and body of every readable row."""
        for row in rows:
            if not 0 <= row.at_ms <= TIME_MS_MAX:
                self._seen.problems.add(row.path, row.line, "its time lies outside of 1970 to 9999")
                continue
            event = self._event(row)
            body = msgspec.json.encode(event)
            try:
                self._decoder.decode(b'{"event_time":1,' + body[1:])
            except DecodeError as error:
                self._seen.problems.add(row.path, row.line, str(error))
                continue
            self._count(str(event["account_id"]))
            yield row.at_ms, body

    def _event(self, row: Row) -> dict[str, str | float]:
        event: dict[str, str | float] = {"event_id": f"{self._kind.name}-{self._seen.events:09d}"}
        for column in self._columns:
            value = column.take(row)
            if value is not None:
                event[column.field] = self._hasher.hash(column.keyed, str(value)) if column.keyed else value
        return event

    def _count(self, account: str) -> None:
        self._seen.events += 1
        if len(self._accounts) < ACCOUNTS_COUNTED_MAX:
            self._accounts.add(account)
            self._seen.accounts = len(self._accounts)


def convert_files(
    kind: Kind[Any],
    paths: Sequence[Path],
    plan: Plan,
    times: Times,
    open_out: Callable[[], AbstractContextManager[IO[bytes]]],
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> Converted:
    """Convert the files and write the events, one a line. `open_out` is called once the first event is there.

    Raises InputError when nothing is readable. The same files, plan and start give the same bytes.
    """
    seen = Converted()
    bodies = _noticed(Bodies(kind, plan, seen).of(kind.read(paths, plan, seen.problems)), seen, progress)
    if kind.span_ms is not None:
        _write(bodies, times.shift_ms(0, kind.span_ms(plan)), open_out, seen)
    else:
        with TimeOrder() as order:
            for at_ms, body in bodies:
                order.add(at_ms, body)
            if order.first_ms is not None:
                _write(order.in_order(), times.shift_ms(order.first_ms, order.last_ms, keeps=kind.keeps_times), open_out, seen)
    if not seen.events:
        first = f"; first: {seen.problems.named[0]}" if seen.problems.named else ""
        raise InputError(f"{', '.join(map(str, paths))}: nothing readable as {kind.name} ({kind.about}){first}")
    return seen


def _noticed(bodies: Iterator[tuple[int, bytes]], seen: Converted, progress: Callable[[int], None]) -> Iterator[tuple[int, bytes]]:
    for body in bodies:
        if not seen.events % PROGRESS_EVERY:
            progress(seen.events)
        yield body


def _write(
    bodies: Iterator[tuple[int, bytes]], shift_ms: int, open_out: Callable[[], AbstractContextManager[IO[bytes]]], seen: Converted
) -> None:
    first = next(bodies, None)
    if first is None:
        return
    with open_out() as out:
        seen.first_at = first[0] + shift_ms
        at_ms, body = first
        while True:
            seen.last_at = at_ms + shift_ms
            out.write(b'{"event_time":%d,%s\n' % (seen.last_at, body[1:]))
            following = next(bodies, None)
            if following is None:
                return
            at_ms, body = following
