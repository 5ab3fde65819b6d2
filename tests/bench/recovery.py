"""How long a worker takes to be ready over the state of a million accounts."""

import asyncio
import tempfile
import time
from pathlib import Path

from aiokafka import AIOKafkaProducer

from guard.cli.demonstration import processes
from guard.engine.accounts import AccountsStage
from guard.events.partition import partition_of
from guard.streaming.broker import EmbeddedBroker
from guard.topics import Topic
from tests.support.broker import fresh_topics
from tests.support.events import T0, event, open_control

ACCOUNTS = 1_000_000
SHARDS = 8


def main() -> None:
    """Print the seconds from the worker's start to ready, with and without that state."""
    with EmbeddedBroker() as broker:
        fresh_topics(broker.bootstrap, SHARDS)
        empty = asyncio.run(_ready_seconds(broker.bootstrap))
        asyncio.run(_fill(broker.bootstrap))
        full = asyncio.run(_ready_seconds(broker.bootstrap))
    print(
        f"start to ready: {empty:.1f} s without state, {full:.1f} s with {ACCOUNTS:,} accounts: {full - empty:.1f} s of recovery (budget 10)"
    )


def _record() -> bytes:
    stage = AccountsStage(0, 1, {}, open_control())
    for turn in range(4):
        one = event(
            "account",
            T0 + turn * 60_000,
            account_created=T0,
            payment_fingerprint="k1:0123456789abcdef",
            prefix="k1:0123456789abcdef",
            messages=2,
        )
        stage.take(one, one.event_time)
    return next(value for key, value in stage.drain().changes if key == b"a:account" and value is not None)


async def _fill(bootstrap: str) -> None:
    record = _record()
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=20, max_batch_size=500_000) as producer:
        for number in range(ACCOUNTS):
            account = f"account-{number:07d}"
            await producer.send(Topic.ACCOUNTS_STATE, record, key=b"a:" + account.encode(), partition=partition_of(account, SHARDS))


async def _ready_seconds(bootstrap: str) -> float:
    with tempfile.TemporaryDirectory() as folder:
        worker = processes.worker("worker", bootstrap, Path(folder) / "log")
        began = time.monotonic()
        await worker.start()
        try:
            await worker.wait_until_ready()
            return time.monotonic() - began
        finally:
            await worker.end()
