"""Where a run's exchanges come from: a built world, or a recorded file with its truth beside it."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from guard.convert.source import read_lines
from guard.errors import DecodeError, InputError
from guard.events.decode import Decoder
from guard.policy.labels import LabelBook, decode_label
from guard.simulation.client import Truth
from guard.simulation.presets import build
from guard.simulation.world import Exchange, Gateway

WORLD_END: Final = 1_790_000_000_000
"""Every world ends in September 2026, at the same millisecond, so that a figure can be made again."""


class Source(Struct, frozen=True):
    """Exchanges in the order of time, and the truth about everybody in them."""

    truths: Sequence[Truth]
    play: Callable[[Gateway], Iterator[Exchange]]
    """The exchanges; the gateway is asked before each where the world can be told, a recording cannot."""
    labels: LabelBook = LabelBook.empty()
    """What analysts, appeals and compliance say meanwhile."""
    span: tuple[int, int] | None = None
    """When the first and the last exchange may be, epoch milliseconds; None where that is not known."""


def world(name: str, seed: int) -> Source:
    """A world of guard.simulation.presets. Raises UsageError for a name that is none."""
    built = build(name, seed, WORLD_END)
    lines = [msgspec.json.encode(line) for line in built.labels]
    book, _ = LabelBook.empty().with_records((decode_label(line).key, line) for line in lines)
    return Source(built.truths, built.world.play, book, (built.start, built.end))


def recording(events: Path, truth: Path) -> Source:
    """Recorded events with their truth, as `guard simulate` writes them. Raises InputError with file and line."""
    truths = _truths(truth)
    by_account = {one.account_id: one for one in truths}

    def play(gateway: Gateway) -> Iterator[Exchange]:
        del gateway
        decoder = Decoder()
        for number, line in read_lines(events):
            try:
                event = decoder.decode(line)
            except DecodeError as error:
                raise InputError(f"{events}: line {number}: {error}") from None
            found = by_account.get(event.account_id)
            if found is None:
                raise InputError(f"{truth}: no line for account {event.account_id[:40]!a} of {events} line {number}; there should be one")
            yield Exchange(event, found, event.was_refused_by_guard)

    return Source(truths, play)


class _Without(Struct, frozen=True):
    """Plays a source, some accounts left out."""

    play: Callable[[Gateway], Iterator[Exchange]]
    gone: frozenset[str]

    def __call__(self, gateway: Gateway) -> Iterator[Exchange]:
        return (exchange for exchange in self.play(gateway) if exchange.truth.account_id not in self.gone)


def without(source: Source, family: str) -> Source:
    """The same source with one family left out: neither its exchanges nor its labels are there; all else is."""
    gone = frozenset(truth.account_id for truth in source.truths if truth.family == family)
    tombstones = ((label.key, None) for label in source.labels.labels.values() if label.subject in gone)
    truths = [truth for truth in source.truths if truth.account_id not in gone]
    return Source(truths, _Without(source.play, gone), source.labels.with_records(tombstones)[0], source.span)


def _truths(path: Path) -> list[Truth]:
    decoder = msgspec.json.Decoder(Truth)
    found = []
    for number, line in read_lines(path):
        try:
            found.append(decoder.decode(line))
        except msgspec.MsgspecError as error:
            raise InputError(f"{path}: line {number}: {error}; each line should be an account's truth") from None
    if not found:
        raise InputError(f"{path}: no line; each should be an account's truth, as `guard simulate` writes it")
    return found
