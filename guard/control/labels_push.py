"""Putting labels on their topic, and taking them off again."""

from collections.abc import Iterable
from pathlib import Path

from guard.control.produce import idempotent_producer
from guard.control.reach import reaching
from guard.control.topics_read import partition_counts
from guard.errors import InputError
from guard.policy.errors import LabelError
from guard.policy.labels import Label, decode_label
from guard.topics import Topic

Record = tuple[bytes, bytes | None]


def label_records(path: Path) -> list[Record]:
    """The (key, value) records of a file of labels, JSON Lines; raises InputError with file and line, all or nothing."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); it should be a file of labels, one JSON object a line") from None
    return [(_label(path, number, line).key, line) for number, line in enumerate(lines, 1) if line.strip()]


def _label(path: Path, number: int, line: bytes) -> Label:
    try:
        return decode_label(line)
    except LabelError as error:
        raise InputError(f"{path}:{number}: {error}") from None


async def push_records(bootstrap: str, records: Iterable[Record]) -> None:
    """Write the records in their order; a value of None takes the label off."""
    with reaching(bootstrap):
        await partition_counts(bootstrap, [Topic.LABELS])
        async with idempotent_producer(bootstrap) as producer:
            for key, value in records:
                await producer.send_and_wait(Topic.LABELS, value, key=key)
