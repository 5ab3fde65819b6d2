"""Where a reporter hands events on to: an intake of its own, straight to Kafka, or a `guard ingest` somewhere."""

import asyncio
import io
import ssl
from typing import Final

import aiohttp

from guard.errors import UsageError
from guard.events.clean import CleanEvent
from guard.gateway.ingest.intake import Intake, NotYetError
from guard.gateway.ingest.reporter import Deliver, NotTakenError
from guard.gateway.ingest.spool import SpoolFullError

ANSWER_SECONDS: Final = 15.0
"""`guard ingest` answers within ten."""


def straight_to(intake: Intake) -> Deliver:
    """To an intake in this process, as of an `IngestService`."""

    async def deliver(events: list[CleanEvent]) -> None:
        try:
            await intake.take(events)
        except (SpoolFullError, NotYetError):
            raise NotTakenError from None

    return deliver


class IngestClient:
    """Sends events to `guard ingest`; no text leaves this process. Raises UsageError for what is no address."""

    def __init__(self, url: str, token: str = "", tls: ssl.SSLContext | None = None) -> None:
        if not url.startswith(("http://", "https://")):
            raise UsageError(f"ingest {url[:100]!a}; it should be http://HOST:PORT or https://HOST:PORT")
        self._url = f"{url.rstrip('/')}/events"
        self._headers = {"content-type": "application/x-ndjson"} | ({"x-guard-token": token} if token else {})
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None
        self.refused = 0
        """Events that ingest would not take, nor ever will."""

    async def deliver(self, events: list[CleanEvent]) -> None:
        """Returns once ingest has them. Raises NotTakenError."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(ANSWER_SECONDS))
        body = b"\n".join(event.body for event in events)
        try:
            async with self._session.post(self._url, data=io.BytesIO(body), headers=self._headers, ssl=self._tls or True) as answer:
                status, told = answer.status, await answer.json() if answer.content_type == "application/json" else {}
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            raise NotTakenError from None
        if status not in {202, 422}:
            raise NotTakenError
        self.refused += int(told.get("refused_total", 0))

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            await asyncio.sleep(0)
            self._session = None
