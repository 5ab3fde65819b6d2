"""The port of ingest: what is sent to it, and what each answer promises.

202: every event that is not named as refused is in Kafka, on all replicas, or synced to the spool. 429, 503: nothing is promised, send
the same again. 400, 413, 422: nothing was taken, and the same again would fare no better.
"""

import asyncio
import ssl
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Final

import msgspec
import structlog
from aiohttp import web

from guard.errors import DecodeError
from guard.gateway.http.port import TOKEN_HEADER, Limits, Port, Token
from guard.gateway.ingest.intake import Intake, NotYetError
from guard.gateway.ingest.reading import Read, Reading
from guard.gateway.ingest.refused import refused
from guard.gateway.ingest.spool import SpoolFullError

BODY_BYTES_MAX: Final = 8 << 20
"""One body: a million tokens of text are about four megabytes."""
HELD_BYTES_MAX: Final = 64 << 20
"""All bodies at once."""
BODY_SECONDS_MAX: Final = 10.0
"""A body that takes longer is given up."""
CHUNK_BYTES: Final = 1 << 16
CONNECTIONS_MAX: Final = 256
IDLE_SECONDS_MAX: Final = 75.0
BODY_PATH: Final = "/body/"
"""Where Envoy's ext_authz shows the body of a request, the client's path behind it."""
RETRY_SECONDS: Final = (1, 5)
RESULTS: Final = ("taken", "refused", "unauthorised", "too_large", "too_slow", "unreadable", "turned_away", "not_yet", "failed", "shown")
"""What can become of a body."""
_encode: Final = msgspec.json.Encoder().encode
_log = structlog.get_logger(__name__)


class BodyError(Exception):
    """A body that was not read: the status that tells so, and the word it is counted under."""

    def __init__(self, status: int, word: str) -> None:
        super().__init__(word)
        self.status = status
        self.word = word


class IngestServer:
    """Serves an intake. Port 0 takes a free one; `url` tells which."""

    def __init__(
        self, reading: Reading, intake: Intake, host: str, port: int, *, token: str = "", tls: ssl.SSLContext | None = None
    ) -> None:
        self._reading = reading
        self._intake = intake
        self._token = Token(token)
        self._dice = Random()
        self._held_bytes = 0
        self._reader = ThreadPoolExecutor(1, "reading")
        self._port = Port(self._answer, host, port, tls, Limits(CONNECTIONS_MAX, IDLE_SECONDS_MAX))
        self.bodies = dict.fromkeys(RESULTS, 0)
        self.refusals: Counter[str] = Counter()
        """Refused items by reason."""

    async def start(self) -> None:
        """Listen. Raises UsageError when the address cannot be had."""
        await self._port.start()

    async def stop(self) -> None:
        """Close the port."""
        await self._port.stop()
        self._reader.shutdown(wait=False)

    @property
    def url(self) -> str:
        """Where it listens, without a path; only after `start`."""
        return self._port.url

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await self._result(request)
        except BodyError as error:
            return self._said(error.status, error.word, {"error": error.word})
        except Exception as error:  # noqa: BLE001 (its text may hold what was sent: only its name is told)
            _log.error("ingest_failed", kind=type(error).__name__, path=request.path if request.path in self._reading.paths else "")
            return self._said(500, "failed", {"error": "failed"})

    async def _result(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path.startswith(BODY_PATH):
            return await self._shown(request)
        if not self._is_known(request.headers):
            raise BodyError(401, "unauthorised")
        if request.path not in self._reading.paths:
            return web.Response(status=404, text=f"send to {', '.join(self._reading.paths)}\n")
        if request.method != "POST":
            return web.Response(status=405, text="only POST\n", headers={"allow": "POST"})
        return await self._held(request)

    async def _shown(self, request: web.BaseRequest) -> web.StreamResponse:
        """A request on its way to the model: remember what its event needs.

        Let it pass whatever it holds and whatever is wrong here: to Envoy any other answer is a refusal.
        """
        if not self._is_known(request.headers):
            self.bodies["unauthorised"] += 1
            return _unread()
        body, word, log = bytearray(), "shown", self._reading.access_log
        try:
            await self._fill(request, body)
            await asyncio.get_running_loop().run_in_executor(self._reader, log.see, request.headers, bytes(body))
        except BodyError as error:
            word = error.word
            log.see(request.headers, b"", max(len(body), request.content_length or 0))
        finally:
            self._held_bytes -= len(body)
        self.bodies[word] += 1
        return web.Response() if word == "shown" else _unread()

    async def _held(self, request: web.BaseRequest) -> web.StreamResponse:
        body = bytearray()
        try:
            await self._fill(request, body)
            try:
                read = await asyncio.get_running_loop().run_in_executor(self._reader, self._reading.read, request.path, bytes(body))
            except DecodeError as error:
                return self._said(400, "unreadable", {"accepted": 0, "duplicates": 0, "refused_total": 1, "refused": [refused(0, error)]})
        finally:
            self._held_bytes -= len(body)
        return await self._taken(read)

    async def _fill(self, request: web.BaseRequest, body: bytearray) -> None:
        """Read the body within its bounds. Raises BodyError."""
        if (request.content_length or 0) > BODY_BYTES_MAX:
            raise BodyError(413, "too_large")
        try:
            async with asyncio.timeout(BODY_SECONDS_MAX):
                async for chunk in request.content.iter_chunked(CHUNK_BYTES):
                    body += chunk
                    self._held_bytes += len(chunk)
                    if len(body) > BODY_BYTES_MAX:
                        raise BodyError(413, "too_large")
                    if self._held_bytes > HELD_BYTES_MAX:
                        raise BodyError(429, "turned_away")
        except TimeoutError:
            raise BodyError(408, "too_slow") from None
        except (web.PayloadAccessError, web.RequestPayloadError, ConnectionError, ValueError, web.HTTPException):
            raise BodyError(400, "unreadable") from None

    async def _taken(self, read: Read) -> web.StreamResponse:
        self.refusals.update(read.refusals)
        told: dict[str, object] = {"refused_total": sum(read.refusals.values()), "refused": read.refused}
        try:
            taken = await self._intake.take(read.events)
        except SpoolFullError:
            raise BodyError(429, "turned_away") from None
        except NotYetError:
            raise BodyError(503, "not_yet") from None
        counts = {"accepted": taken.accepted, "duplicates": taken.duplicates}
        return self._said(202, "taken", counts | told) if read.events else self._said(422, "refused", counts | told)

    def _said(self, status: int, word: str, content: object) -> web.Response:
        self.bodies[word] += 1
        headers = {"content-type": "application/json"}
        if status in {429, 503}:
            headers["retry-after"] = str(self._dice.randint(*RETRY_SECONDS))
        response = web.Response(status=status, headers=headers, body=_encode(content))
        if status in {401, 408, 413, 429}:
            response.force_close()  # what is left of the body is not read
        return response

    def _is_known(self, headers: Mapping[str, str]) -> bool:
        said = headers.get(TOKEN_HEADER) or headers.get("authorization", "").removeprefix("Bearer ")
        return self._token.is_known(said)


def _unread() -> web.Response:
    """Let a request pass whose body was not read to its end."""
    response = web.Response()
    response.force_close()
    return response
