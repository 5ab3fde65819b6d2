"""Processor time per event through Kafka: the floor, the guard's stages, a stock Faust agent with a Table; ratios of one run."""

import asyncio
import os
import random
import re
import subprocess
import sys
import time

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from guard.events.decode import Decoder
from guard.streaming.broker import EmbeddedBroker
from guard.topics import Topic
from tests.support.broker import fresh_topics

EVENTS = 200_000
STOCK_EVENTS = 15_000
ACCOUNTS = 50_000
SHARDS = 8
T0 = 1_790_000_000_000


def value(number: int, account: int) -> bytes:
    """A typical event of about 370 bytes."""
    fields = {
        "event_id": f"e-{number:09d}", "event_time": T0 + number, "account_id": f"acct-{account}", "model": "large-4", "input_tokens": 500,
        "output_tokens": 300, "payment_fingerprint": f"k1:{account:012x}", "client_fingerprint": f"ja4-{account % 40}", "account_created": T0 - account,
        "ip_prefix": f"k1:{account % 5000:08x}", "prefix": f"k1:{account % 2000:08x}", "shape": f"k1:{account % 20000:08x}", "messages": 2,
        "rate_limit_rpm": 60, "reasoning_elicitation": 0.05,
    }  # fmt: skip
    return msgspec.json.encode(fields)


async def fill(bootstrap: str, events: int) -> None:
    """Zipf-popular accounts, as real traffic has them."""
    dice = random.Random(3)
    weights = [1 / (rank + 1) ** 1.1 for rank in range(ACCOUNTS)]
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=5, max_batch_size=200_000) as producer:
        for number, account in enumerate(dice.choices(range(ACCOUNTS), weights=weights, k=events)):
            await producer.send(Topic.REQUESTS, value(number, account), key=f"acct-{account}".encode())


async def floor_us(bootstrap: str, events: int) -> float:
    """Aiokafka's `getmany` and decoding, nothing else."""
    decoder, seen = Decoder(), 0
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", isolation_level="read_committed") as consumer:
        consumer.assign([TopicPartition(Topic.REQUESTS, number) for number in range(SHARDS)])
        began = time.process_time()
        while seen < events:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    decoder.decode(record.value)
                seen += len(records)
        return (time.process_time() - began) / events * 1e6


def worker_us(bootstrap: str, program: str, events: int) -> float:
    """A worker process of its own, so that each starts clean; it prints its own figure."""
    command = [sys.executable, "-m", program, bootstrap, str(events)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env={**os.environ, "PYTHONWARNINGS": "ignore"}, check=False)
    found = re.search(r"us_per_event=([\d.]+)", done.stdout)
    assert found, done.stdout[-500:] + done.stderr[-1_500:]
    return float(found.group(1))


def main() -> None:
    """Print microseconds of processor time per event, and the ratios to the floor. Every worker begins without state."""
    with EmbeddedBroker() as broker:
        _renew(broker.bootstrap)
        floor = asyncio.run(floor_us(broker.bootstrap, EVENTS))
        print(f"floor (getmany and decode) {floor:.1f} us/event", flush=True)
        accounts = worker_us(broker.bootstrap, "tests.bench.accounts_worker", EVENTS)
        print(f"accounts stage, exactly once {accounts:.1f} us/event: {accounts / floor:.1f}x the floor (budget 4x)", flush=True)
        _renew(broker.bootstrap)
        whole = worker_us(broker.bootstrap, "tests.bench.stages_worker", EVENTS)
        print(f"all three stages, exactly once {whole:.1f} us/event: {whole / floor:.1f}x the floor (budget 6x)", flush=True)
        stock = worker_us(broker.bootstrap, "tests.bench.stock_worker", STOCK_EVENTS)
        print(f"stock Faust agent with a Table {stock:.0f} us/event: {stock / accounts:.0f} times the accounts stage", flush=True)


def _renew(bootstrap: str) -> None:
    fresh_topics(bootstrap, SHARDS)
    asyncio.run(fill(bootstrap, EVENTS))
