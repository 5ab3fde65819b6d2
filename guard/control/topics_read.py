"""Reading small topics from their beginning to their committed end, once."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from guard.control.reach import REQUEST_TIMEOUT_MS
from guard.errors import ClusterMismatchError
from guard.topics import Topic

FETCH_WAIT_MS = 50
"""The broker answers a fetch after this time even without records: bounds how late a change is seen."""

READ_SECONDS_MAX = 60.0
"""A small topic is read in less than one second; beyond this the broker counts as out of reach."""


async def partition_counts(bootstrap: str, topics: Iterable[Topic]) -> dict[Topic, int]:
    """Partitions of each topic; raises ClusterMismatchError that names those that are not there."""
    wanted = list(topics)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=REQUEST_TIMEOUT_MS)
    try:
        await admin.start()
        described = await admin.describe_topics([topic.value for topic in wanted])
    finally:
        await admin.close()
    counts = {Topic(topic["topic"]): len(topic["partitions"]) for topic in described}
    missing = [topic.value for topic in wanted if not counts.get(topic)]
    if missing:
        raise ClusterMismatchError(f"{bootstrap}: no topic {', '.join(missing)}; `guard topics create` makes them")
    return counts


@asynccontextmanager
async def groupless_consumer(bootstrap: str, topics: Iterable[Topic]) -> AsyncIterator[AIOKafkaConsumer]:
    """A started consumer without a group that reads the topics' committed records from their beginning.

    Its partitions are assigned by hand and once: a subscription would begin anew whenever metadata has a gap.
    Raises ClusterMismatchError for a topic that is not there (the client itself would wait for it).
    """
    counts = await partition_counts(bootstrap, topics)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        fetch_max_wait_ms=FETCH_WAIT_MS,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
    )
    try:
        await consumer.start()
        consumer.assign([TopicPartition(topic.value, number) for topic, count in counts.items() for number in range(count)])
        yield consumer
    finally:
        await _stop(consumer)


async def _stop(consumer: AIOKafkaConsumer) -> None:
    """Stop it and close every connection: its own `stop` breaks off with a fetch that is cancelled under it, before it closes them."""
    try:
        await consumer.stop()
    except asyncio.CancelledError:
        await consumer._client.close()  # noqa: SLF001 (nothing public closes what `stop` has left open)
        raise


async def read_to_end(consumer: AIOKafkaConsumer) -> list[ConsumerRecord]:
    """All records that were committed when this was called and have not been read by this consumer yet."""
    ends = await consumer.end_offsets(sorted(consumer.assignment()))
    records: list[ConsumerRecord] = []
    behind = [partition for partition in ends if await consumer.position(partition) < ends[partition]]
    while behind:
        for batch in (await consumer.getmany(*behind, timeout_ms=FETCH_WAIT_MS)).values():
            records.extend(batch)
        behind = [partition for partition in behind if await consumer.position(partition) < ends[partition]]
    return records


async def read_topic(bootstrap: str, topic: Topic) -> list[ConsumerRecord]:
    """All committed records of a topic as it is now, each partition in its order."""
    async with asyncio.timeout(READ_SECONDS_MAX), groupless_consumer(bootstrap, [topic]) as consumer:
        return await read_to_end(consumer)
