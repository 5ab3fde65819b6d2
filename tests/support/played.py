"""One world's events through replay, and through a real broker with real workers: the decisions of both."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from aiokafka import AIOKafkaProducer
from msgspec import Struct

from guard.cli.demonstration import processes
from guard.control.board import opening_control
from guard.control.topics_read import read_topic
from guard.decisions.decision import Decision, decode_decision
from guard.engine.driver import Driver
from guard.engine.summary import summarize
from guard.errors import GuardError
from guard.events.request import RequestEvent
from guard.streaming.admin import create_topics
from guard.topics import Topic

SHARDS: Final = 8
WORKERS: Final = 2
SECONDS_MAX: Final = 300.0
"""For the last event to be counted and the decisions to end."""
QUIET_LOOKS: Final = 4
"""Looks half a second apart without a new decision: contacts and suspicions need a few flushes."""


class Pace(Struct, frozen=True):
    """How a world is sent."""

    name: str
    times: float | None
    """Event time over real time; None for as fast as the broker takes it."""
    waiting_ms: int = 0
    """So much of the world's time lies on the topic before the first worker starts."""


def replayed(events: Sequence[RequestEvent], shards: int = SHARDS) -> list[Decision]:
    """The enforced decisions of a replay by the built-in policy."""
    driver = Driver(shards, opening_control(enforce=True))
    for event in events:
        driver.take(event, event.event_time)
    driver.finish()
    return [decision for decision in driver.drained() if decision.mode == "enforce"]


async def streamed(bootstrap: str, events: Sequence[RequestEvent], pace: Pace, folder: Path) -> list[Decision]:
    """The enforced decisions of `WORKERS` workers over an empty broker; logs go to `folder`."""
    await create_topics(bootstrap, SHARDS)
    begin = events[0].event_time + pace.waiting_ms
    late = [event for event in events if event.event_time >= begin]
    await produce(bootstrap, events[: len(events) - len(late)], None)
    workers = [processes.worker(f"worker {number}", bootstrap, folder / f"{pace.name}-{number}.log") for number in range(WORKERS)]
    try:
        for worker in workers:
            await worker.start()
        if not pace.waiting_ms:
            await asyncio.gather(*(worker.wait_until_ready() for worker in workers))
        await produce(bootstrap, late, pace.times)
        await until_counted(bootstrap, len(events), workers)
    finally:
        await asyncio.gather(*(worker.end() for worker in workers))
    return await decisions_of(bootstrap)


async def produce(bootstrap: str, events: Sequence[RequestEvent], times: float | None) -> None:
    """Send the events, `times` as fast as they happened."""
    began = time.monotonic()
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, linger_ms=5) as producer:
        for event in events:
            due = began + (event.event_time - events[0].event_time) / 1_000 / times if times else 0.0
            if due > time.monotonic():
                await asyncio.sleep(due - time.monotonic())
            await producer.send(Topic.REQUESTS, as_json(event), key=event.account_id.encode())


def as_json(event: RequestEvent) -> bytes:
    """The event as a gateway sends it: what is not known is left out."""
    return msgspec.json.encode({name: value for name, value in msgspec.structs.asdict(event).items() if value is not None})


async def decisions_of(bootstrap: str) -> list[Decision]:
    """The committed decisions, each partition in its order."""
    return [decode_decision(record.value) for record in await read_topic(bootstrap, Topic.DECISIONS) if record.value is not None]


async def until_counted(bootstrap: str, events: int, workers: Sequence[processes.Program], seconds_max: float = SECONDS_MAX) -> float:
    """Wait until the committed state has counted all events and no decision comes any more.

    Returns when all were counted, on the monotonic clock; to about a second, since the state is read again and again. Raises
    GuardError when a worker ends before, TimeoutError when all of them take longer than `seconds_max`.
    """
    quiet, before, counted_at = 0, -1, 0.0
    async with asyncio.timeout(seconds_max):
        while quiet < QUIET_LOOKS:
            await asyncio.sleep(0.5)
            for worker in workers:
                if worker.has_ended:
                    raise GuardError(f"{worker.name} ended by itself; its last line: {worker.last_line()}")
            now = len(await read_topic(bootstrap, Topic.DECISIONS))
            if not counted_at and await counted(bootstrap) >= events:
                counted_at = time.monotonic()
            is_done = now == before and counted_at > 0
            quiet, before = (quiet + 1 if is_done else 0), now
    return counted_at


async def counted(bootstrap: str) -> int:
    """Exchanges in the committed state of the accounts stage."""
    newest = {record.key: record.value for record in await read_topic(bootstrap, Topic.ACCOUNTS_STATE)}
    return summarize(Topic.ACCOUNTS_STATE, {key: value for key, value in newest.items() if value is not None}).exchanges
