"""The port: answers from memory, bounds every connection, keeps out who does not know the token."""

import asyncio
import hmac
import ssl
import time
from typing import Final

from aiohttp import web

from guard.errors import UsageError
from guard.gateway.enforcer import Enforcer
from guard.gateway.http.dialects import DIALECTS, Reply, caller_of, reply_of

CONNECTIONS_MAX: Final = 1_024
"""When another one comes, the connection that has been silent longest is closed, if for more than `SILENT_SECONDS`; else the new one."""
SILENT_SECONDS: Final = 5.0
IDLE_SECONDS_MAX: Final = 120.0
"""A connection that asks nothing for so long is closed."""
SWEEP_SECONDS: Final = 5.0
HEADER_BYTES_MAX: Final = 16_384
TOKEN_HEADER: Final = "x-guard-token"  # noqa: S105 (the name of the header)
PORT_MAX: Final = 65_535


class EnforcerServer:
    """Serves an enforcer within a running event loop. Port 0 takes a free one; `url` tells which."""

    def __init__(self, enforcer: Enforcer, host: str, port: int, *, token: str = "", tls: ssl.SSLContext | None = None) -> None:
        self._enforcer = enforcer
        self._host, self._port = host, port
        self._token = token.encode()
        self._tls = tls
        self._heard_at: dict[web.RequestHandler, float] = {}
        self._server: asyncio.Server | None = None
        self._handlers: web.Server | None = None
        self._sweeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen. Raises UsageError when the address cannot be had."""
        if not 0 <= self._port <= PORT_MAX:
            raise UsageError(f"port {self._port}: it should be 0 to {PORT_MAX}; 0 takes a free one")
        self._handlers = web.Server(
            self._answer, access_log=None, lingering_time=0, max_line_size=HEADER_BYTES_MAX, max_field_size=HEADER_BYTES_MAX
        )  # fmt: skip
        try:
            self._server = await asyncio.get_running_loop().create_server(self._protocol, self._host, self._port, ssl=self._tls)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise UsageError(f"address {self._host}:{self._port}: {reason}; give another host or port, 0 for a free one") from None
        self._sweeper = asyncio.create_task(self._sweep())

    async def stop(self) -> None:
        """Close the port and every connection."""
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

    def _protocol(self) -> asyncio.BaseProtocol:
        assert self._handlers is not None
        if len(self._handlers.connections) >= CONNECTIONS_MAX and not self._close_silent(SILENT_SECONDS, most=1):
            return _Turned()
        handler = self._handlers()
        self._heard_at[handler] = time.monotonic()
        return handler

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self._close_silent(IDLE_SECONDS_MAX, most=CONNECTIONS_MAX)

    def _close_silent(self, seconds: float, most: int) -> int:
        """Close connections that have asked nothing for so long, longest first; how many."""
        assert self._handlers is not None
        alive = set(self._handlers.connections)
        self._heard_at = {
            handler: at for handler, at in self._heard_at.items() if handler in alive or at > time.monotonic() - SILENT_SECONDS
        }
        silent = sorted((at, id(handler), handler) for handler, at in self._heard_at.items() if at <= time.monotonic() - seconds)[:most]
        for _, _, handler in silent:
            del self._heard_at[handler]
            handler.force_close()
        return len(silent)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self._heard_at[request.protocol] = time.monotonic()
        if self._token and not hmac.compare_digest(request.headers.get(TOKEN_HEADER, "").encode("utf-8", "surrogateescape"), self._token):
            return web.Response(status=401, text="the token is missing or wrong\n")
        name, _, rest = request.path.removeprefix("/").partition("/")
        dialect = DIALECTS.get(name)
        if dialect is None:
            return web.Response(status=404, text=f"ask /{', /'.join(DIALECTS)}\n")
        caller = caller_of(dialect.path_of(f"/{rest}", request.headers), request.headers)
        return _response(reply_of(self._enforcer.rule(caller), dialect))


class _Turned(asyncio.Protocol):
    """A connection for which there is no room."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.abort()


def _response(reply: Reply) -> web.Response:
    return web.Response(status=reply.status, headers=reply.headers, body=reply.body)
