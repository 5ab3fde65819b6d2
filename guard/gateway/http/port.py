"""A port for programs: it bounds every connection, says nothing of what it cannot read, and listens on the address it is given."""

import asyncio
import hmac
import logging
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from guard.errors import UsageError

SILENT_SECONDS: Final = 5.0
SWEEP_SECONDS: Final = 2.0
HEADER_BYTES_MAX: Final = 16_384
TOKEN_HEADER: Final = "x-guard-token"  # noqa: S105 (the name of the header)
PORT_MAX: Final = 65_535
_MUTE: Final = logging.getLogger("guard.muted")
"""For aiohttp, whose lines about unreadable requests repeat their bytes: those may hold what no log should."""
_MUTE.disabled = True


class Token:
    """What a caller of a port must say, in `x-guard-token`; an empty one lets everybody in."""

    def __init__(self, text: str) -> None:
        self._expected = text.encode()

    def is_known(self, said: str) -> bool:
        """Whether the caller said it; takes as long for a wrong one as for the right one."""
        return not self._expected or hmac.compare_digest(said.encode("utf-8", "surrogateescape"), self._expected)


class Limits:
    """Bounds of a port."""

    def __init__(self, connections: int = 1_024, idle_seconds: float = 120.0) -> None:
        self.connections: Final = connections
        """When another one comes, the connection that has been silent longest is closed, if for more than `SILENT_SECONDS`; else the new one."""
        self.idle_seconds: Final = idle_seconds
        """A connection that asks nothing for so long is closed."""


class Port:
    """Serves within a running event loop. Port 0 takes a free one; `url` tells which. `answer` never raises."""

    def __init__(
        self,
        answer: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        host: str,
        port: int,
        tls: ssl.SSLContext | None,
        limits: Limits,
    ) -> None:
        self._answer = answer
        self._host, self._port, self._tls, self._limits = host, port, tls, limits
        self._heard_at: dict[web.RequestHandler, float] = {}
        self._server: asyncio.Server | None = None
        self._handlers: web.Server | None = None
        self._sweeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen. Raises UsageError when the address cannot be had."""
        if not 0 <= self._port <= PORT_MAX:
            raise UsageError(f"port {self._port}: it should be 0 to {PORT_MAX}; 0 takes a free one")
        self._handlers = _Handlers(
            self._heard, access_log=None, logger=_MUTE, lingering_time=0, max_line_size=HEADER_BYTES_MAX, max_field_size=HEADER_BYTES_MAX
        )  # fmt: skip
        try:
            self._server = await asyncio.get_running_loop().create_server(self._protocol, self._host, self._port, ssl=self._tls)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise UsageError(f"address {self._host}:{self._port}: {reason}; give another host or port, 0 for a free one") from None
        self._sweeper = asyncio.create_task(self._sweep())

    async def stop(self) -> None:
        """Close the port and every connection; what is being answered has a second."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        if self._server is not None:
            self._server.close()
        if self._handlers is not None:
            await self._handlers.shutdown(timeout=1.0)
        if self._server is not None:
            await self._server.wait_closed()

    @property
    def url(self) -> str:
        """Where it listens, without a path; only after `start`."""
        assert self._server is not None, "start it first"
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"http{'s' if self._tls else ''}://{f'[{host}]' if ':' in host else host}:{port}"

    async def _heard(self, request: web.BaseRequest) -> web.StreamResponse:
        self._heard_at[request.protocol] = time.monotonic()
        return await self._answer(request)

    def _protocol(self) -> asyncio.BaseProtocol:
        assert self._handlers is not None
        if len(self._handlers.connections) >= self._limits.connections and not self._close_silent(SILENT_SECONDS, most=1):
            return _Turned()
        handler = self._handlers()
        self._heard_at[handler] = time.monotonic()
        return handler

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self._close_silent(self._limits.idle_seconds, most=self._limits.connections)

    def _close_silent(self, seconds: float, most: int) -> int:
        """Close connections that have asked nothing for so long, longest first; how many."""
        assert self._handlers is not None
        alive, now = set(self._handlers.connections), time.monotonic()
        self._heard_at = {handler: at for handler, at in self._heard_at.items() if handler in alive or at > now - SILENT_SECONDS}
        silent = sorted((at, id(handler), handler) for handler, at in self._heard_at.items() if at <= now - seconds)[:most]
        for _, _, handler in silent:
            del self._heard_at[handler]
            handler.force_close()
        return len(silent)


class _Handler(web.RequestHandler):
    """Answers what it cannot read without repeating a byte of it."""

    __slots__ = ()

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """A bare status. The arguments are aiohttp's."""
        del request, exc, message
        response = web.Response(status=status, text="this could not be read\n" if status < 500 else "our fault\n")
        response.force_close()
        return response


class _Handlers(web.Server):
    """Makes quiet handlers."""

    def __call__(self) -> web.RequestHandler:
        return _Handler(self, loop=self._loop, **self._kwargs)


class _Turned(asyncio.Protocol):
    """A connection for which there is no room."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.abort()
