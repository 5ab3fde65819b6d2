"""The control topics on a real broker, made anew for a test, and what lies on them."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence

from aiokafka import AIOKafkaProducer, ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, for_code

from guard.control.answers import PolicyAnswer, decode_answers
from guard.control.topics_read import read_topic
from guard.errors import GuardError
from guard.topics import TOPICS, Topic

CONTROL = (Topic.POLICY, Topic.POLICY_STATUS, Topic.LABELS, Topic.CAMPAIGNS)
SHARDS = 2
PATIENCE_SECONDS = 30.0


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait until the condition holds; fail with TimeoutError if it never does."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            await asyncio.sleep(0.02)


async def fresh_topics(bootstrap: str, topics: Iterable[Topic] = CONTROL, shards: int = SHARDS) -> None:
    """Delete these topics if they are there and make them again, empty."""
    names = [topic.value for topic in topics]
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        there = set(await admin.list_topics())
        await admin.delete_topics([name for name in names if name in there])
        await _create(admin, [_new(topic, shards) for topic in topics])
    finally:
        await admin.close()
    for topic in topics:
        await _ready(bootstrap, topic)


async def delete_topic(bootstrap: str, topic: Topic) -> None:
    """Delete one topic."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_topics([topic.value])
    finally:
        await admin.close()


def _new(topic: Topic, shards: int) -> NewTopic:
    spread, settings = TOPICS[topic]
    return NewTopic(topic.value, spread.partitions(shards), 1, topic_configs={**settings, "message.timestamp.type": "LogAppendTime"})


async def _create(admin: AIOKafkaAdminClient, topics: Sequence[NewTopic]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    left = list(topics)
    while left:
        answer = await admin.create_topics(left)
        failed = {error[0]: for_code(error[1]) for error in answer.topic_errors if error[1] != 0}
        left = [topic for topic in left if topic.name in failed]
        assert time.monotonic() < until, failed


async def _ready(bootstrap: str, topic: Topic) -> None:
    """Wait until a new topic has a leader for each partition."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            await read_topic(bootstrap, topic)
        except (KafkaError, GuardError):
            if time.monotonic() > until:
                raise
        else:
            return


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
