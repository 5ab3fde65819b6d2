"""A whole ingest for a test: reading, spool and port, with Kafka away unless told otherwise."""

import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from guard.events.hashing import HashKey
from guard.gateway.ingest.log_tail import LogTail
from guard.gateway.ingest.reading import Reading
from guard.gateway.ingest.server import IngestServer
from guard.gateway.ingest.service import SPOOL_BYTES_MAX, IngestConfig, IngestService
from tests.support.background import Background

KEY = HashKey("k1", b"c" * 32)
NOWHERE = "127.0.0.1:1"
"""Nobody listens there."""
PATIENCE_SECONDS = 10.0
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


class Ingesting:
    """Ingest in another thread's event loop, for a gateway that a plain test talks to."""

    def __init__(self, loop: Background, house: House) -> None:
        self.house = house
        self.port = int(house.server.url.rpartition(":")[2])
        self._loop = loop

    def event(self, event_id: str) -> dict[str, Any]:
        """The event of that exchange, once it was taken; there is one only."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not (found := [event for event in self.house.spooled() if event["event_id"] == event_id]):
            assert time.monotonic() < until, "the exchange was not taken"
            time.sleep(0.02)
        assert len(found) == 1
        return found[0]

    @contextmanager
    def following(self, log: Path) -> Iterator[None]:
        """The gateway's access log is followed within the block."""
        opened = following(self.house, log)
        self._loop.run(opened.__aenter__())
        yield
        self._loop.run(opened.__aexit__(None, None, None))


@contextmanager
def ingesting_behind(loop: Background, folder: Path) -> Iterator[Ingesting]:
    """It runs within the block, its spool in the folder."""
    opened = ingest(folder / "spool")
    yield Ingesting(loop, loop.run(opened.__aenter__()))
    loop.run(opened.__aexit__(None, None, None))


@asynccontextmanager
async def following(house: House, log: Path) -> AsyncIterator[LogTail]:
    """An access log is followed into the spool within the block."""
    tail = LogTail(log, lambda lines: house.reading.read_items("/access-log", lines), house.service.intake)
    tail.start()
    try:
        yield tail
    finally:
        await tail.stop()
