"""`guard ingest` as a process of its own, and what lies on a broker's topics."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from aiokafka import AIOKafkaConsumer, TopicPartition

from guard.topics import Topic
from tests.support.background import free_port

PATIENCE_SECONDS = 40.0
SECRET = f"k1:{'63' * 32}"


class Process:
    """It runs, and takes what is sent."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, metrics_port: int, log: Path) -> None:
        self.process, self._port, self._metrics_port, self._log = process, port, metrics_port, log

    def send(self, body: bytes, path: str = "/events") -> requests.Response:
        return requests.post(f"http://127.0.0.1:{self._port}{path}", data=body, headers={"x-guard-token": "sesame"}, timeout=20)

    def metrics(self) -> str:
        return requests.get(f"http://127.0.0.1:{self._metrics_port}/metrics", timeout=5).text

    def metric(self, name: str) -> float:
        return next(float(line.split()[1]) for line in self.metrics().splitlines() if line.startswith(f"{name} "))

    def said(self) -> str:
        """Everything it printed and logged so far."""
        return self._log.read_text()

    def until(self, name: str, value: float) -> None:
        """Wait for a metric."""
        end = time.monotonic() + PATIENCE_SECONDS
        while self.metric(name) < value:
            assert time.monotonic() < end, f"{name} is {self.metric(name)}, not {value}"
            time.sleep(0.05)


@contextmanager
def ingesting(bootstrap: str, folder: Path, *, spool: bool = True) -> Iterator[Process]:
    """The command, with a spool in `folder` and its log beside it; killed at the end, if it has not ended."""
    port, metrics_port, log = free_port(), free_port(), folder / "log"
    command = [sys.executable, "-m", "guard.cli.main", "ingest", "--bootstrap", bootstrap, "--port", str(port)]
    command += ["--metrics-port", str(metrics_port), "--log-level", "debug", *(["--spool", str(folder / "spool")] if spool else [])]
    environment = {**os.environ, "GUARD_HASH_KEY": SECRET, "GUARD_INGEST_TOKEN": "sesame"}
    with log.open("ab") as out, subprocess.Popen(command, stdout=out, stderr=out, env=environment) as process:
        try:
            end = time.monotonic() + PATIENCE_SECONDS
            while f"send to http://127.0.0.1:{port}/events" not in log.read_text():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < end, "it does not listen"
                time.sleep(0.05)
            yield Process(process, port, metrics_port, log)
        finally:
            process.kill()


async def records(bootstrap: str, topic: str = Topic.REQUESTS) -> list[Any]:
    """All that lies on a topic now."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [
            TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or await _partitions(consumer, topic)
        ]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        found: list[Any] = []
        async with asyncio.timeout(PATIENCE_SECONDS):
            while any([await consumer.position(partition) < end for partition, end in ends.items()]):
                for some in (await consumer.getmany(timeout_ms=200)).values():
                    found += some
        return found
    finally:
        await consumer.stop()


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> set[int]:
    await consumer._client.force_metadata_update()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (found := consumer.partitions_for_topic(topic)):
            await consumer._client.add_topic(topic)
            await asyncio.sleep(0.05)
    return set(found)


async def topics(bootstrap: str) -> set[str]:
    """Every topic there is."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await consumer.start()
    try:
        return set(await consumer.topics())
    finally:
        await consumer.stop()
