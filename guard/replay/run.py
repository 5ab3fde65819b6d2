"""Recorded events through the engine: decode each line, feed the driver, write every decision in order."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import IO, Final

from msgspec import Struct

from guard.convert.source import read_lines
from guard.decisions.decision import Decision, encode_decision
from guard.engine.driver import Driver
from guard.errors import DecodeError, InputError
from guard.events.decode import Decoder

NAMED_MAX: Final = 20
"""Unreadable lines named one by one; further ones are only counted."""


class Replayed(Struct):
    """What a replay saw and did."""

    events: int = 0
    unreadable: int = 0
    decisions: int = 0
    named: list[str] = []
    """`file: line N: reason` of the first unreadable lines."""
    tallies: dict[str, int] = {}
    invalid_fields: dict[str, int] = {}


def replay(
    paths: Sequence[Path],
    driver: Driver,
    decisions: IO[bytes] | None,
    *,
    strict: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> tuple[Replayed, dict[bytes, bytes]]:
    """Run the files through the engine of a fresh driver; the campaigns' last records by id come back with the summary.

    Raises InputError when no line can be read, or at the first unreadable one if `strict`.
    """
    decoder = Decoder()
    seen = Replayed()
    for path in paths:
        for number, line in read_lines(path):
            try:
                event = decoder.decode(line)
            except DecodeError as error:
                _refuse(seen, f"{path}: line {number}: {error}", strict=strict)
                continue
            seen.events += 1
            driver.take(event, event.append_time or event.event_time)
            if driver.decided:
                seen.decisions += _write(driver.drained(), decisions)
            if not seen.events & 0x3FFF:
                progress(seen.events)
    if not seen.events and paths:
        raise InputError(f"{', '.join(map(str, paths))}: no readable event; one JSON object a line is needed" + _first(seen))
    driver.finish()
    seen.decisions += _write(driver.drained(), decisions)
    seen.tallies, seen.invalid_fields = driver.tallies, dict(decoder.invalid_fields)
    return seen, driver.campaigns


def _refuse(seen: Replayed, named: str, *, strict: bool) -> None:
    if strict:
        raise InputError(named)
    seen.unreadable += 1
    if len(seen.named) < NAMED_MAX:
        seen.named.append(named)


def _first(seen: Replayed) -> str:
    return f" (first: {seen.named[0]})" if seen.named else ""


def _write(decided: Iterable[Decision], decisions: IO[bytes] | None) -> int:
    count = 0
    for decision in decided:
        count += 1
        if decisions is not None:
            decisions.write(encode_decision(decision) + b"\n")
    return count
