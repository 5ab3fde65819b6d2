"""Ingest at work, within any event loop: the way to Kafka, the spool and its replay. `guard ingest` puts a port before it, the ASGI middleware does not."""

import asyncio
from pathlib import Path
from typing import Final

import structlog
from msgspec import Struct

from guard.gateway.ingest.delivery import Delivery
from guard.gateway.ingest.intake import Intake
from guard.gateway.ingest.kafka import KafkaWay
from guard.gateway.ingest.spool import Spool

SPOOL_BYTES_MAX: Final = 1 << 30
"""About two million events."""
_log = structlog.get_logger(__name__)


class IngestConfig(Struct, frozen=True, kw_only=True):
    """Where events go."""

    bootstrap: str
    spool: Path | None = None
    """A folder of this process alone; without one, events that Kafka does not take are refused."""
    spool_bytes_max: int = SPOOL_BYTES_MAX


class IngestService:
    """Runs within an event loop. `intake` takes events from `start` on."""

    def __init__(self, config: IngestConfig) -> None:
        self.spool = None if config.spool is None else Spool(config.spool, config.spool_bytes_max)
        self.kafka = KafkaWay(config.bootstrap)
        self.delivery = Delivery(self.kafka, self.spool)
        self.intake = Intake(self.delivery)
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def is_ready(self) -> bool:
        """Events can be taken: Kafka is there, or the spool has room."""
        return self.kafka.is_up or (self.spool is not None and self.spool.has_room)

    def start(self) -> None:
        """Begin; returns at once. Raises UsageError when the spool cannot be used."""
        if self.spool is not None:
            self.spool.open()
            if len(self.spool):
                _log.info("spool_found", events=len(self.spool), bytes=self.spool.size_bytes)
        self._tasks = [asyncio.create_task(self.kafka.run()), asyncio.create_task(self.delivery.replay())]

    async def stop(self) -> None:
        """End. What is spooled stays on disk for the next process."""
        for task in reversed(self._tasks):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if self.spool is not None:
            await self.spool.close()
