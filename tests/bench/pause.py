"""From `guard pause` to the first request that passes, with all workers down: the kill switch must not need what it switches off."""

import asyncio
import subprocess
import sys
import time

from aiokafka import AIOKafkaProducer

from guard.decisions.decision import Action, Decision, encode_decision, sealed
from guard.gateway.follower import DecisionFollower
from guard.gateway.orders import Orders
from guard.streaming.broker import EmbeddedBroker
from guard.topics import Topic
from tests.support.broker import fresh_topics

ROUNDS = 5
HOUR_MS = 3_600_000


def main() -> None:
    """Print the time from the command's start, interpreter included, and from its record on the topic."""
    with EmbeddedBroker() as broker:
        fresh_topics(broker.bootstrap, 8)
        waits = sorted(asyncio.run(_rounds(broker.bootstrap)))
    print(
        f"pause command started to first passed request: median {waits[len(waits) // 2]:.2f} s, worst {waits[-1]:.2f} s of {ROUNDS} (target 1 s)"
    )


async def _rounds(bootstrap: str) -> list[float]:
    orders, waits = Orders(), []
    follower = DecisionFollower(bootstrap, orders)
    await follower.start()
    now = time.time_ns() // 1_000_000
    block = sealed(
        Decision(
            scope="account", subject="alice", action="block", issued_at=now, expires_at=now + HOUR_MS, score=1.0, reasons=(), policy_version=0,
            model_version="none", origin="operator", mode="enforce",
        )
    )  # fmt: skip
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        await producer.send_and_wait(Topic.DECISIONS, encode_decision(block), key=block.key, partition=0)
    for _ in range(ROUNDS):
        await _until(orders, Action.BLOCK)
        began = time.monotonic()
        await _command(bootstrap, "pause", "--for", "1h", until=(orders, Action.ALLOW))
        waits.append(_seen_at[0] - began)
        await _command(bootstrap, "resume", until=(orders, Action.BLOCK))
    await follower.stop()
    return waits


_seen_at = [0.0]


async def _command(bootstrap: str, *words: str, until: tuple[Orders, Action]) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "guard.cli.main", *words, "--bootstrap", bootstrap, stdout=subprocess.DEVNULL
    )
    await _until(*until)
    _seen_at[0] = time.monotonic()
    assert await process.wait() == 0


async def _until(orders: Orders, action: Action) -> None:
    async with asyncio.timeout(30):
        while orders.answer("alice", None, None, time.time_ns() // 1_000_000).action is not action:
            await asyncio.sleep(0.002)
