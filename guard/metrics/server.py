"""The worker's only open port: GET /metrics, /healthz and /readyz, and nothing else; local unless told otherwise."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from guard.errors import UsageError

SCRAPE_SECONDS: Final = 1.0
"""A scrape is rendered at most this often; those in between get the same bytes, so that no crowd of them takes the worker's time."""

CONNECTIONS_MAX: Final = 64
"""Further connections are closed at once."""

CONNECTION_SECONDS_MAX: Final = 10.0
"""Every connection ends by then, whatever its other side does or leaves undone."""

HEADER_BYTES_MAX: Final = 4_096
PORT_MAX: Final = 65_535


class MetricsServer:
    """Serves a registry from within the worker's event loop. Port 0 takes a free one; `url` tells which."""

    def __init__(
        self,
        host: str,
        port: int,
        registry: CollectorRegistry,
        is_ready: Callable[[], bool],
        is_live: Callable[[], bool],
    ) -> None:
        self._host = host
        self._port = port
        self._registry = registry
        self._answers: dict[str, Callable[[], web.Response]] = {
            "/metrics": self._metrics,
            "/healthz": lambda: _probe(is_live(), "ok", "stalled"),
            "/readyz": lambda: _probe(is_ready(), "ready", "not ready"),
        }
        self._rendered = b""
        self._rendered_at = float("-inf")
        self._server: asyncio.Server | None = None
        self._handlers: web.Server | None = None

    async def start(self) -> None:
        """Listen. Raises UsageError when the address cannot be had."""
        if not 0 <= self._port <= PORT_MAX:
            raise UsageError(f"metrics port {self._port}: it should be 0 to {PORT_MAX}; 0 takes a free one")
        loop = asyncio.get_running_loop()
        self._handlers = web.Server(
            self._answer, access_log=None, lingering_time=0, max_line_size=HEADER_BYTES_MAX, max_field_size=HEADER_BYTES_MAX
        )  # fmt: skip
        try:
            self._server = await loop.create_server(self._protocol, self._host, self._port)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise UsageError(f"metrics address {self._host}:{self._port}: {reason}; give another host or port, 0 for a free one") from None

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        if self._handlers is not None:
            await self._handlers.shutdown(timeout=1.0)
        self._server = self._handlers = None

    @property
    def url(self) -> str:
        """Where it listens, without a path; only after `start`."""
        assert self._server is not None, "start it first"
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def _protocol(self) -> asyncio.BaseProtocol:
        assert self._handlers is not None
        if len(self._handlers.connections) >= CONNECTIONS_MAX:
            return _Refusal()
        handler = self._handlers()
        asyncio.get_running_loop().call_later(CONNECTION_SECONDS_MAX, handler.force_close)
        return handler

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        answer = self._answers.get(request.path)
        if answer is None:
            response = web.Response(status=404, text="not found\n")
        elif request.method != "GET":
            response = web.Response(status=405, text="only GET\n", headers={"Allow": "GET"})
        else:
            response = answer()
        response.force_close()
        return response

    def _metrics(self) -> web.Response:
        now = time.monotonic()
        if now - self._rendered_at >= SCRAPE_SECONDS:
            self._rendered, self._rendered_at = generate_latest(self._registry), now
        return web.Response(body=self._rendered, headers={"Content-Type": CONTENT_TYPE_LATEST})


class _Refusal(asyncio.Protocol):
    """A connection for which there is no room."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.abort()


def _probe(is_good: bool, good: str, bad: str) -> web.Response:  # noqa: FBT001 (a probe's own answer)
    return web.Response(text=f"{good}\n") if is_good else web.Response(status=503, text=f"{bad}\n")
