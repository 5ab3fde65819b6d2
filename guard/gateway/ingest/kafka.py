"""The way to `guard.requests`: an idempotent producer that is made anew when it breaks, and the contract's partition for every account."""

import asyncio
import time
from random import Random
from typing import Final

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from guard.control.reach import REQUEST_TIMEOUT_MS, reaching
from guard.errors import ClusterMismatchError, GuardError
from guard.events.clean import CleanEvent
from guard.events.partition import partition_of
from guard.gateway.backoff import Backoff
from guard.topics import Topic

LINGER_MS: Final = 5
"""How long the client waits for more events to one partition: a produce request costs the broker as much for one as for a hundred."""
BATCH_BYTES_MAX: Final = 1 << 18
"""One account's events lie on one partition, which takes one batch after the other: the client's 16 KiB are twenty of them."""
RETRY_SECONDS_MIN: Final = 0.5
RETRY_SECONDS_MAX: Final = 15.0
"""Between two attempts to connect (`Backoff`)."""
SILENT_SECONDS: Final = 1.0
"""Events that wait longer without any acknowledgement are a sign that Kafka is away."""
CLOSE_SECONDS: Final = 2.0
_log = structlog.get_logger(__name__)


class KafkaWay:
    """Brings events to the topic, each once, however often a broker has to be asked. `run` keeps it connected."""

    def __init__(self, bootstrap: str, dice: Random | None = None) -> None:
        self._bootstrap = bootstrap
        self._dice = dice or Random()
        self._producer: AIOKafkaProducer | None = None
        self._partitions = 0
        self._connected = asyncio.Event()
        self._broken = asyncio.Event()
        self._asked = 0
        self._heard_at = 0.0
        self.produced = 0

    @property
    def is_up(self) -> bool:
        """Connected, and acknowledging."""
        return self._producer is not None and self.silent_seconds < SILENT_SECONDS

    @property
    def silent_seconds(self) -> float:
        """How long events have been waiting without any being acknowledged; 0 while nothing waits."""
        return time.monotonic() - self._heard_at if self._asked else 0.0

    async def run(self) -> None:
        """Connect, and again whenever the producer breaks."""
        backoff = Backoff(RETRY_SECONDS_MIN, RETRY_SECONDS_MAX, self._dice)
        while True:
            try:
                await self._session()
                backoff.reset()
            except GuardError as error:
                _log.warning("requests_out_of_reach", error=str(error)[:300])
            await asyncio.sleep(backoff.next_seconds())

    async def _session(self) -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            acks="all",
            enable_idempotence=True,
            linger_ms=LINGER_MS,
            max_batch_size=BATCH_BYTES_MAX,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
        )
        try:
            with reaching(self._bootstrap):
                await producer.start()
                self._partitions = len(await producer.partitions_for(Topic.REQUESTS))
            if not self._partitions:
                raise ClusterMismatchError(f"{self._bootstrap}: {Topic.REQUESTS} has no partition; `guard topics create` makes the topics")
            self._broken.clear()
            self._producer = producer
            self._connected.set()
            await self._broken.wait()
        finally:
            self._producer = None
            self._connected.clear()
            await asyncio.wait({asyncio.ensure_future(producer.stop())}, timeout=CLOSE_SECONDS)

    async def bring(self, event: CleanEvent) -> None:
        """Returns once all replicas have the event, however long that takes."""
        while True:
            await self._connected.wait()
            producer = self._producer
            if producer is None:
                continue
            try:
                await self._ask(producer, event)
            except KafkaError as error:
                _log.warning("producer_broken", error=type(error).__name__)
                if self._producer is producer:
                    self._connected.clear()
                    self._broken.set()
            else:
                return

    async def _ask(self, producer: AIOKafkaProducer, event: CleanEvent) -> None:
        partition = partition_of(event.account_id, self._partitions)
        if not self._asked:
            self._heard_at = time.monotonic()
        self._asked += 1
        try:
            acknowledged = await producer.send(Topic.REQUESTS, event.body, key=event.account_id.encode(), partition=partition)
            await asyncio.shield(acknowledged)
        finally:
            self._asked -= 1
        self._heard_at = time.monotonic()
        self.produced += 1
