"""A whole ingest for a test: reading, spool and port, with Kafka away unless told otherwise."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from guard.events.hashing import HashKey
from guard.gateway.ingest.reading import Reading
from guard.gateway.ingest.server import IngestServer
from guard.gateway.ingest.service import SPOOL_BYTES_MAX, IngestConfig, IngestService

KEY = HashKey("k1", b"c" * 32)
NOWHERE = "127.0.0.1:1"
"""Nobody listens there."""
EVENT = {"event_id": "e-1", "event_time": 1_790_000_000_000, "account_id": "acct-7", "model": "m-1", "input_tokens": 9, "output_tokens": 1}


class House:
    """Ingest, running."""

    def __init__(self, service: IngestService, server: IngestServer, reading: Reading, spool: Path | None) -> None:
        self.service, self.server, self.reading, self.spool = service, server, reading, spool

    def spooled(self) -> list[dict[str, Any]]:
        """What lies on disk."""
        paths = sorted(self.spool.glob("*.jsonl")) if self.spool else []
        return [json.loads(line) for path in paths for line in path.read_bytes().splitlines()]


@asynccontextmanager
async def ingest(spool: Path | None, bootstrap: str = NOWHERE, bytes_max: int = SPOOL_BYTES_MAX, token: str = "") -> AsyncIterator[House]:
    """It runs within the block."""
    service = IngestService(IngestConfig(bootstrap=bootstrap, spool=spool, spool_bytes_max=bytes_max))
    reading = Reading(KEY)
    server = IngestServer(reading, service.intake, "127.0.0.1", 0, token=token)
    service.start()
    await server.start()
    try:
        yield House(service, server, reading, spool)
    finally:
        await server.stop()
        await service.stop()


def events(*names: str) -> bytes:
    """A batch of events of these ids."""
    return json.dumps([EVENT | {"event_id": name} for name in names]).encode()


async def send(house: House, body: Any, path: str = "/events", **headers: str) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Status, body and headers of the answer."""
    async with aiohttp.ClientSession() as session, session.post(f"{house.server.url}{path}", data=body, headers=headers) as answer:
        told = await answer.json() if answer.content_type == "application/json" else {"text": await answer.text()}
        return answer.status, told, {name.lower(): value for name, value in answer.headers.items()}
