"""What a format is to the converter: a reader of rows, and the table from its columns to the event's fields."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, Generic, TypeVar

from msgspec import Struct

from guard.events.hashing import HashKey

NAMED_MAX: Final = 20
"""Bad lines named one by one; further ones are only counted."""


class Row(Struct):
    """One exchange as its source tells it: when it ended, in milliseconds on the source's own clock, and where it stands."""

    at_ms: int
    path: Path
    line: int


R_contra = TypeVar("R_contra", bound=Row, contravariant=True)
R = TypeVar("R", bound=Row)


class Column(Struct, Generic[R_contra], frozen=True):
    """One field of the event: where it comes from, in words, and how it is taken from the row. None is missing."""

    field: str
    source: str
    take: Callable[[R_contra], str | float | None]
    keyed: str = ""
    """If given, the value is an identifier of this kind and only its keyed hash passes through."""


class Plan(Struct, frozen=True):
    """What the caller asked for. Every format says which of these it heeds."""

    seed: int = 7
    clients: int | None = None
    days: float = 1.0
    rate_max: float = 1.0
    key: HashKey | None = None
    """For logs of real gateways."""


class Problems(Struct):
    """Lines that could not be read: all are counted, the first `NAMED_MAX` named."""

    count: int = 0
    named: list[str] = []

    def add(self, path: Path, line: int, what: str) -> None:
        """Take note of one bad line."""
        self.count += 1
        if len(self.named) < NAMED_MAX:
            self.named.append(f"{path}: line {line}: {what}")


class Kind(Struct, Generic[R], frozen=True):
    """One format."""

    name: str
    about: str
    """What it is, where it comes from, under which licence."""
    notes: tuple[str, ...]
    """What a reader of the result has to know: accounts, times, and what was left out."""
    table: tuple[Column[R], ...]
    read: Callable[[Sequence[Path], Plan, Problems], Iterator[R]]
    """The rows of the files, in any order unless `span_ms` is given."""
    span_ms: Callable[[Plan], int] | None = None
    """If given, rows come in the order of time and end before this."""
    is_evaluation_only: bool = False
    keeps_times: bool = False
    """Whether events stay where they were on the calendar, unless --start moves them."""


def mapping_of(kind: Kind[R]) -> str:
    """The table in words: what a user must see before believing a converted file."""
    width = max(len(column.field) for column in kind.table)
    lines = [f"{kind.name}: {kind.about}"]
    lines += [f"  {column.field:<{width}}  <- {column.source}{' (keyed hash)' if column.keyed else ''}" for column in kind.table]
    if all(column.field != "event_id" for column in kind.table):
        lines += [f"  {'event_id':<{width}}  <- the kind and a running number"]
    lines += [f"  {note}" for note in kind.notes]
    return "\n".join([*lines, "  Every other field stays missing."])
