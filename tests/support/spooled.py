"""Ingest without a Kafka: every event it takes can be read from its spool, as it would be written."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from guard.events.fingerprint import HashKey
from guard.gateway.ingest.reading import Reading
from guard.gateway.ingest.service import IngestConfig, IngestService

KEY = HashKey("k1", b"0123456789abcdef0123456789abcdef")


class Spooled:
    """A running service whose Kafka is away, and the reading that fills it."""

    def __init__(self, folder: Path) -> None:
        self.reading = Reading(KEY)
        self.service = IngestService(IngestConfig(bootstrap="127.0.0.1:1", spool=folder))

    def events(self) -> list[dict[str, Any]]:
        """What was taken, oldest first."""
        assert self.service.spool is not None
        _, bodies = self.service.spool.peek(100_000)
        return [msgspec.json.decode(body) for body in bodies]


@asynccontextmanager
async def spooled(folder: Path) -> AsyncIterator[Spooled]:
    """Within a running event loop."""
    found = Spooled(folder)
    found.service.start()
    try:
        yield found
    finally:
        await found.service.stop()
