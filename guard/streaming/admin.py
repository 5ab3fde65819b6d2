"""The contract's topics on a cluster: made where they are missing, and compared with what they should be."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code

from guard.control.reach import REQUEST_TIMEOUT_MS, reaching
from guard.errors import ClusterMismatchError
from guard.topics import PARTITIONS_DEFAULT, TOPICS, Topic

COPIES_MAX: Final = 3
"""Copies of each partition where a cluster has that many brokers; fewer otherwise."""
READY_SECONDS_MAX: Final = 30.0
"""New topics have a leader for each partition after 0.1 s on one node."""
POLL_SECONDS: Final = 0.05

ALL_TOPICS: Final = {"message.timestamp.type": "LogAppendTime"}
"""What every topic has besides its own settings (contract)."""


async def create_topics(bootstrap: str, shards: int, topics: Iterable[Topic] = tuple(TOPICS)) -> list[str]:
    """Make the topics that are missing, for `shards` partitions of `guard.requests`, and wait for their leaders.

    Those there are left as they are (`check_topics` compares them). Returns the names made. Raises `BrokerUnreachableError`,
    or `ClusterMismatchError` when the cluster refuses.
    """
    async with _admin(bootstrap) as admin:
        there = set(await admin.list_topics())
        copies = min(COPIES_MAX, len((await admin.describe_cluster())["brokers"]))
        missing = [topic for topic in topics if topic.value not in there]
        if not missing:
            return []
        answer = await admin.create_topics([_new_topic(topic, shards, copies) for topic in missing])
        made = [name for name, code, reason in answer.topic_errors if _is_made(name, code, reason)]
        await _have_leaders(admin, made)
        return sorted(made)


async def check_topics(bootstrap: str, shards: int | None = None) -> list[str]:
    """One line per difference from the contract: missing, partitions, clean-up, retention, time stamps; none is fine.

    Without `shards`, N is what `guard.requests` has. Raises `BrokerUnreachableError`.
    """
    async with _admin(bootstrap) as admin:
        partitions = await _partitions(admin)
        settings = await _settings(admin, partitions)
    expected = shards or partitions.get(Topic.REQUESTS) or PARTITIONS_DEFAULT
    return [line for topic in TOPICS for line in differences(topic, expected, partitions.get(topic), settings.get(topic, {}))]


def differences(topic: Topic, shards: int, partitions: int | None, settings: Mapping[str, str]) -> list[str]:
    """How one topic differs from the contract, a line each; `partitions` is None for one that is not there."""
    spread, own = TOPICS[topic]
    wanted = spread.partitions(shards)
    if partitions is None:
        return [f"{topic}: no such topic; it should have {wanted} partitions"]
    lines = [] if partitions == wanted else [f"{topic}: {partitions} partitions; it should have {wanted} ({spread.value} for N = {shards})"]
    for name, value in {**own, **ALL_TOPICS}.items():
        if _parts(found := settings.get(name, "nothing")) != _parts(value):
            lines.append(f"{topic}: {name} is {found}; it should be {value}")
    return lines


def _parts(value: str) -> set[str]:
    """A setting's value; lists (`compact,delete`) compare without their order."""
    return {part.strip() for part in value.split(",")}


@asynccontextmanager
async def _admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    with reaching(bootstrap):
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=REQUEST_TIMEOUT_MS)
        try:
            await admin.start()
            yield admin
        finally:
            await admin.close()


def _new_topic(topic: Topic, shards: int, copies: int) -> NewTopic:
    spread, settings = TOPICS[topic]
    return NewTopic(topic.value, spread.partitions(shards), copies, topic_configs={**settings, **ALL_TOPICS})


def _is_made(name: str, code: int, reason: str | None) -> bool:
    error = for_code(code)
    if code and error is not TopicAlreadyExistsError:  # another `create` may run beside this one
        raise ClusterMismatchError(f"{name}: the cluster does not make it: {reason or error.__name__}")
    return not code


async def _have_leaders(admin: AIOKafkaAdminClient, names: list[str]) -> None:
    until = time.monotonic() + READY_SECONDS_MAX
    while not all(_has_leaders(topic) for topic in await admin.describe_topics(names)):
        if time.monotonic() > until:
            raise ClusterMismatchError(f"{', '.join(names)}: no leader after {READY_SECONDS_MAX:.0f} s; are all brokers up?")
        await asyncio.sleep(POLL_SECONDS)


def _has_leaders(topic: Mapping[str, object]) -> bool:
    partitions = topic["partitions"]
    assert isinstance(partitions, list)
    return not topic["error_code"] and bool(partitions) and all(partition["leader"] >= 0 for partition in partitions)


async def _partitions(admin: AIOKafkaAdminClient) -> dict[Topic, int]:
    described = await admin.describe_topics([topic.value for topic in TOPICS])
    return {Topic(topic["topic"]): len(topic["partitions"]) for topic in described if not topic["error_code"]}


async def _settings(admin: AIOKafkaAdminClient, topics: Iterable[Topic]) -> dict[Topic, dict[str, str]]:
    resources = [ConfigResource(ConfigResourceType.TOPIC, topic.value) for topic in topics]
    settings: dict[Topic, dict[str, str]] = {}
    for answer in await admin.describe_configs(resources) if resources else []:
        for code, reason, _kind, name, entries in answer.resources:
            if code:
                raise ClusterMismatchError(f"{name}: its settings cannot be read: {reason or for_code(code).__name__}")
            settings[Topic(name)] = {entry[0]: entry[1] for entry in entries}
    return settings
