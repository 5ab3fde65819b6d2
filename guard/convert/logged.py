"""Logs of real gateways: they hold persons and texts, so every line passes the fingerprint and the cleaner, under a real key."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from guard.convert.source import read_lines
from guard.convert.table import Column, Kind, Plan, Problems, Row
from guard.errors import DecodeError, UsageError
from guard.events.clean import Cleaner, CleanEvent
from guard.events.fingerprint import KeyRing
from guard.events.fingerprint.fields import ContentFields
from guard.events.hashing import HashKey
from guard.events.identifiers import Identifiers
from guard.events.items import items_of
from guard.events.told import Told, read_told, told

Payload = dict[str, object]
LINE_BYTES_MAX: Final = 64 << 20
"""A line holds a whole conversation, or a batch of them."""
NUMBER_MAX: Final = 1e15
"""No time, length or setting of a log is larger."""
_FROM_TEXT: Final = "the texts, by guard.events.fingerprint"


class Source(Struct, frozen=True):
    """One field of the event that stands in the log as it is: where, in words, and how it is taken. None is missing."""

    field: str
    words: str
    take: Callable[[Payload], object]


class LoggedRow(Row):
    """One exchange, cleaned."""

    fields: dict[str, str | float]


class Log(Struct, frozen=True):
    """One format of a log: the fields it tells, where request and reply are, and how a line is divided into exchanges."""

    known: tuple[Source, ...]
    request_of: Callable[[Payload], object]
    reply_of: Callable[[Payload], object]
    exchanges_of: Callable[[Payload], Iterable[Payload]]
    wanted: str
    untold: frozenset[str] = frozenset()
    """Content fields that the log says nothing of: the request is put together from what it has, and what it lacks is not zero."""

    def told(self, payload: Payload, identifiers: Identifiers, keys: KeyRing) -> Told:
        """One exchange as event fields, not checked yet."""
        known = {source.field: source.take(payload) for source in self.known}
        found = told(known, self.request_of(payload), self.reply_of(payload), identifiers, keys)
        for name in self.untold:
            found.fields.pop(name, None)
        return found

    def kind(self, name: str, about: str, *notes: str) -> Kind[LoggedRow]:
        """The format for `guard convert`."""
        words = {source.field: source.words for source in self.known}
        words |= {field: _FROM_TEXT for field in ContentFields.__struct_fields__ if field not in {*words, *self.untold}}
        table = tuple(Column(field, source, _taker(field)) for field, source in words.items())
        keyed = "Identifiers that are not opaque are hashed under --hash-key; a key that is not the gateways' own makes other hashes."
        return Kind(name, about, (*notes, keyed), table, self._read, keeps_times=True)

    def _read(self, paths: Sequence[Path], plan: Plan, problems: Problems) -> Iterator[LoggedRow]:
        if plan.key is None:
            raise UsageError("no hash key: such a log holds persons; set GUARD_HASH_KEY to NAME:HEX, the gateways' own key")
        reader = LogReader(self, plan.key)
        for path in paths:
            for line, value in read_lines(path, LINE_BYTES_MAX):
                for found in reader.read(value):
                    if isinstance(found, DecodeError):
                        problems.add(path, line, f"{found}; the line should be {self.wanted}")
                    else:
                        yield LoggedRow(_time_of(found), path, line, msgspec.json.decode(found.body))


class LogReader:
    """Reads lines of one format under one key."""

    def __init__(self, log: Log, key: HashKey) -> None:
        self._log = log
        self._identifiers, self._keys = Identifiers(key), KeyRing(key)
        self._cleaner = Cleaner(self._identifiers)

    def read(self, line: bytes) -> Iterator[CleanEvent | DecodeError]:
        """The events of one line, and what is wrong with each exchange that gave none."""
        try:
            for item in items_of(line):
                for payload in self._log.exchanges_of(read_told(item)):
                    yield self._event(payload)
        except DecodeError as error:
            yield error

    def _event(self, payload: Payload) -> CleanEvent | DecodeError:
        try:
            return self._cleaner.clean(self._log.told(payload, self._identifiers, self._keys).encoded())
        except DecodeError as error:
            return error
        except RecursionError:
            return DecodeError("illegal_field", "nested without end; it should be flat")


def number(value: object) -> float | None:
    """A number no larger than `NUMBER_MAX` either way, or None."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= NUMBER_MAX else None


def _taker(field: str) -> Callable[[LoggedRow], str | float | None]:
    return lambda row: row.fields.get(field)


def _time_of(event: CleanEvent) -> int:
    return int(msgspec.json.decode(event.body)["event_time"])
