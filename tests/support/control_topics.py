"""The control topics on a real broker: what a test writes there, and what lies on them."""

import asyncio
from collections.abc import Callable

from aiokafka import AIOKafkaProducer, ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient

from guard.control.answers import PolicyAnswer, decode_answers
from guard.control.topics_read import read_topic
from guard.topics import Topic
from tests.support.broker import PATIENCE_SECONDS

CONTROL = (Topic.POLICY, Topic.POLICY_STATUS, Topic.LABELS, Topic.CAMPAIGNS)


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait until the condition holds; fail with TimeoutError if it never does."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            await asyncio.sleep(0.02)


async def delete_topic(bootstrap: str, topic: Topic) -> None:
    """Delete one topic."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_topics([topic.value])
    finally:
        await admin.close()


async def put(bootstrap: str, topic: Topic, *records: tuple[bytes, bytes | None]) -> None:
    """Write (key, value) records."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        for key, value in records:
            await producer.send_and_wait(topic, value, key=key)


async def put_policies(bootstrap: str, *documents: bytes) -> None:
    """Write policy documents in this order."""
    await put(bootstrap, Topic.POLICY, *[(b"policy", document) for document in documents])


async def answers(bootstrap: str) -> list[PolicyAnswer]:
    """All answers on the status topic."""
    records: list[ConsumerRecord] = await read_topic(bootstrap, Topic.POLICY_STATUS)
    return decode_answers(record.value for record in records)


async def answered(bootstrap: str, count: int) -> list[PolicyAnswer]:
    """Wait for this many answers; all there are then."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(found := await answers(bootstrap)) < count:
            await asyncio.sleep(0.05)
    return found
