"""A real broker for a test, its topics made anew, and what lies on them."""

import asyncio
from collections.abc import Iterable

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import UnknownTopicOrPartitionError, for_code

from guard.streaming.admin import create_topics
from guard.topics import TOPICS, Topic

PATIENCE_SECONDS = 30.0
SHARDS = 2
"""Enough to be more than one; each costs the broker a dozen partitions."""


def fresh_topics(bootstrap: str, shards: int = SHARDS, topics: Iterable[Topic] = tuple(TOPICS)) -> None:
    """Make these topics anew, empty: all of the contract's unless named."""
    asyncio.run(renew_topics(bootstrap, shards, tuple(topics)))


async def renew_topics(bootstrap: str, shards: int = SHARDS, topics: tuple[Topic, ...] = tuple(TOPICS)) -> None:
    """`fresh_topics` for a test that is a coroutine itself."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await _delete(admin, {topic.value for topic in topics})
    finally:
        await admin.close()
    await create_topics(bootstrap, shards, topics)


async def _delete(admin: AIOKafkaAdminClient, names: set[str]) -> None:
    """Delete the topics that are there, and wait until the broker has heard of it from its controller."""
    answer = await admin.delete_topics(sorted(names))
    failed = {name: for_code(code) for name, code in answer.topic_error_codes if code}
    assert set(failed.values()) <= {UnknownTopicOrPartitionError}, failed
    async with asyncio.timeout(PATIENCE_SECONDS):
        while names & set(await admin.list_topics()):
            await asyncio.sleep(0.01)
