"""How far a run's stages stood apart in event time, read from what they told one another."""

from collections.abc import Iterable, Sequence
from typing import Final

from aiokafka import ConsumerRecord
from msgspec import Struct

from guard.control.topics_read import read_topic
from guard.engine.forwards import Told, decode_told
from guard.events.partition import partition_of
from guard.topics import Topic

SHARES: Final = (50, 95, 100)


class Disorder(Struct, frozen=True):
    """Seconds of event time at the median, at 95 % and at the most."""

    behind: tuple[float, ...]
    """By how much a record of contacts is behind the newest that its links shard took in before it."""
    apart: tuple[float, ...]
    """Between the accounts shards furthest ahead and furthest behind, at each record of contacts, in order of append time."""


async def read_disorder(bootstrap: str, shards: int) -> Disorder:
    """Measure the committed contacts of a run."""
    return disorder_of([record for record in await read_topic(bootstrap, Topic.LINKS) if record.value is not None], shards)


def disorder_of(records: Sequence[ConsumerRecord], shards: int) -> Disorder:
    """Measure records of the links topic; each comes from one accounts shard, the one that owns its accounts."""
    told = [(record, one) for record in records if (one := decode_told(record.value)).contacts]
    return Disorder(_shares(_behind(told)), _shares(_apart(told, shards)))


def _behind(told: Iterable[tuple[ConsumerRecord, Told]]) -> list[float]:
    newest: dict[int, int] = {}
    found = []
    for record, one in sorted(told, key=lambda pair: (pair[0].partition, pair[0].offset)):
        at = max(contact.at for contact in one.contacts)
        newest[record.partition] = max(at, newest.get(record.partition, 0))
        found.append((newest[record.partition] - at) / 1_000)
    return found


def _apart(told: Iterable[tuple[ConsumerRecord, Told]], shards: int) -> list[float]:
    newest: dict[int, int] = {}
    found = []
    for _, one in sorted(told, key=lambda pair: pair[0].timestamp):
        source = partition_of(one.contacts[0].account, shards)
        newest[source] = max(newest.get(source, 0), *(contact.at for contact in one.contacts))
        if len(newest) == shards:
            found.append((max(newest.values()) - min(newest.values())) / 1_000)
    return found


def _shares(found: list[float]) -> tuple[float, ...]:
    found.sort()
    return tuple(found[min(len(found) - 1, len(found) * share // 100)] if found else 0.0 for share in SHARES)
