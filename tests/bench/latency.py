"""From produce to a read-committed reader of the decision: a burst of young accounts, each of which earns a throttle."""

import asyncio
import tempfile
import time
from pathlib import Path

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from guard.cli.demonstration import processes
from guard.streaming.broker import EmbeddedBroker
from guard.topics import Topic
from tests.support.broker import fresh_topics

SHARDS = 8
SECONDS = 20
RATES = (1_000, 5_000)
BURST = 16
"""A young account at twenty a second is throttled at its sixteenth exchange, which is therefore the one that is timed."""
SETTLE_SECONDS = 5.0


def main() -> None:
    """Print p50 and p99 for each rate."""
    with EmbeddedBroker() as broker:
        for rate in RATES:
            fresh_topics(broker.bootstrap, SHARDS)
            waits = sorted(_measure(broker.bootstrap, rate))
            middle, last = waits[len(waits) // 2], waits[len(waits) * 99 // 100]
            print(
                f"{rate:,} events/s: event to decision p50 {middle:.0f} ms, p99 {last:.0f} ms over {len(waits)} decisions (target p99 250)",
                flush=True,
            )


def _measure(bootstrap: str, rate: int) -> list[float]:
    return asyncio.run(_with_worker(bootstrap, rate))


async def _with_worker(bootstrap: str, rate: int) -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        worker = processes.worker("worker", bootstrap, Path(folder) / "log")
        await worker.start()
        try:
            await worker.wait_until_ready()
            return await _drive(bootstrap, rate)
        finally:
            await worker.end()


async def _drive(bootstrap: str, rate: int) -> list[float]:
    sent: dict[str, float] = {}
    waits: list[float] = []
    async with AIOKafkaConsumer(
        bootstrap_servers=bootstrap, isolation_level="read_committed", fetch_max_wait_ms=10, auto_offset_reset="earliest"
    ) as consumer:
        consumer.assign([TopicPartition(Topic.DECISIONS, number) for number in range(SHARDS + 1)])
        reader = asyncio.create_task(_read(consumer, sent, waits))
        async with AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=0) as producer:
            await _load(producer, rate, sent)
        await asyncio.sleep(SETTLE_SECONDS)
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
    return waits


async def _load(producer: AIOKafkaProducer, rate: int, sent: dict[str, float]) -> None:
    began, number, young = time.monotonic(), 0, 0
    while (elapsed := time.monotonic() - began) < SECONDS:
        while number < elapsed * rate:
            young, turn = divmod(number // 20, BURST) if number % 20 == 0 else (young, -1)
            account = f"young-{rate}-{young}" if turn >= 0 else f"old-{number % 3_000}"
            now = time.time_ns() // 1_000_000
            fields = {
                "event_id": f"{rate}-{number}", "event_time": now, "account_id": account, "model": "m", "input_tokens": 400, "output_tokens": 300,
                "account_created": now - 3_600_000 if turn >= 0 else now - 10**10, "messages": 2, "rate_limit_rpm": 60,
            }  # fmt: skip
            if turn >= 0:
                sent[account] = time.monotonic()
            await producer.send(Topic.REQUESTS, msgspec.json.encode(fields), key=account.encode())
            number += 1
        await asyncio.sleep(0.002)


async def _read(consumer: AIOKafkaConsumer, sent: dict[str, float], waits: list[float]) -> None:
    while True:
        for records in (await consumer.getmany(timeout_ms=20)).values():
            for record in records:
                subject = record.key.decode().partition(":")[2]
                if subject in sent:
                    waits.append((time.monotonic() - sent.pop(subject)) * 1_000)
