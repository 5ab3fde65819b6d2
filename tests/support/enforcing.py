"""An enforcer behind a port of its own that a test can take away, or give to somebody who talks nonsense."""

import asyncio
from random import Random
from typing import Any, Final

from guard.decisions.decision import Decision
from guard.gateway.answers import Answers
from guard.gateway.appeal import AppealTokens
from guard.gateway.enforcer import Enforcer
from guard.gateway.http.server import EnforcerServer
from tests.support.background import Background, free_port
from tests.support.decisions import decision

TOKENS: Final = AppealTokens(b"k" * 16)


class EnforcerPort:
    """Open from the beginning, its enforcer ready."""

    def __init__(self, loop: Background, **answers: str) -> None:
        self.port = free_port()
        self.enforcer = Enforcer(Answers(Random(1), **answers), TOKENS, closed_routes=("/closed/",))
        self.enforcer.is_ready = True
        self._loop = loop
        self._server: Any = None
        self.open()

    def open(self, instead: Any = None) -> None:
        """The port is served by the enforcer, or by something else in its place."""
        self._loop.run(self._open(instead))

    async def _open(self, instead: Any) -> None:
        if instead is None:
            self._server = EnforcerServer(self.enforcer, "127.0.0.1", self.port)
            await self._server.start()
        else:
            self._server = await asyncio.start_server(instead, "127.0.0.1", self.port)

    def shut(self) -> None:
        """Nobody serves the port."""
        self._loop.run(self._shut())

    async def _shut(self) -> None:
        server, self._server = self._server, None
        if isinstance(server, EnforcerServer):
            await server.stop()
        elif server is not None:
            server.close()
            await server.wait_closed()

    def decide(self, account: str, action: str, **more: Any) -> Decision:
        """Put an account under a decision."""
        made = decision(account, action, **more)
        self.enforcer.orders.apply(made)
        return made


async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers what is no HTTP."""
    await reader.read(10)
    writer.write(b"\x16\x03\x01 no such thing\r\n\r\n")
    writer.close()


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Never answers."""
    await reader.read()
    writer.close()


IN_ITS_PLACE: Final = {"dead": None, "garbage": garbage, "hung": silence}
"""What may be on an enforcer's port when it is not the enforcer."""
