"""The enforcer's port: answers from memory, keeps out who does not know the token."""

import ssl
from typing import Final

from aiohttp import web

from guard.gateway.enforcer import Enforcer
from guard.gateway.http.dialects import DIALECTS, Reply, caller_of, reply_of
from guard.gateway.http.port import TOKEN_HEADER, Limits, Port, Token

CONNECTIONS_MAX: Final = 1_024
IDLE_SECONDS_MAX: Final = 120.0


class EnforcerServer:
    """Serves an enforcer within a running event loop. Port 0 takes a free one; `url` tells which."""

    def __init__(self, enforcer: Enforcer, host: str, port: int, *, token: str = "", tls: ssl.SSLContext | None = None) -> None:
        self._enforcer = enforcer
        self._token = Token(token)
        self._port = Port(self._answer, host, port, tls, Limits(CONNECTIONS_MAX, IDLE_SECONDS_MAX))

    async def start(self) -> None:
        """Listen. Raises UsageError when the address cannot be had."""
        await self._port.start()

    async def stop(self) -> None:
        """Close the port and every connection."""
        await self._port.stop()

    @property
    def url(self) -> str:
        """Where it listens, without a path; only after `start`."""
        return self._port.url

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if not self._token.is_known(request.headers.get(TOKEN_HEADER, "")):
            return web.Response(status=401, text="the token is missing or wrong\n")
        name, _, rest = request.raw_path.removeprefix("/").partition("/")
        dialect = DIALECTS.get(name.partition("?")[0])
        if dialect is None:
            return web.Response(status=404, text=f"ask /{', /'.join(DIALECTS)}\n")
        caller = caller_of(dialect.target_of(f"/{rest}", request.headers), request.headers)
        return _response(reply_of(self._enforcer.rule(caller), dialect))


def _response(reply: Reply) -> web.Response:
    return web.Response(status=reply.status, headers=reply.headers, body=reply.body)
