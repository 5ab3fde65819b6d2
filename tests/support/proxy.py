"""A TCP proxy in front of a real broker: what passes through it can be held, delayed and cut, as bad networks do."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Self

from guard.streaming.broker import EmbeddedBroker
from guard.streaming.broker.probe import free_port
from guard.streaming.broker.properties import HOST

CHUNK_BYTES: Final = 65_536
PATIENCE_SECONDS: Final = 30.0


class Proxy:
    """Passes connections on to a port of this machine, in a thread of its own. `hang`, `heal`, `delay` and `cut` work at once."""

    def __init__(self, target_port: int) -> None:
        self.port = free_port(HOST)
        self.accepted_at: list[float] = []
        """When each connection came, by the monotonic clock."""
        self._target_port = target_port
        self._delay_seconds = 0.0
        self._is_refusing = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._is_open = asyncio.Event()
        self._is_open.set()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        listening = asyncio.start_server(self._pass_on, HOST, self.port)
        self._server = asyncio.run_coroutine_threadsafe(listening, self._loop).result(PATIENCE_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(PATIENCE_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_SECONDS)
        self._loop.close()

    def hang(self) -> None:
        """Hold every byte from now on. Connections stay, and new ones are taken: nobody is told that something is wrong."""
        self._loop.call_soon_threadsafe(self._is_open.clear)

    def heal(self) -> None:
        """Let everything through again, what was held first: it arrives late, even from those who have ended meanwhile."""
        self._loop.call_soon_threadsafe(self._is_open.set)

    def delay(self, seconds: float) -> None:
        """Keep every chunk for so long, in either direction."""
        self._delay_seconds = seconds

    def cut(self) -> None:
        """Reset every connection there is."""
        self._loop.call_soon_threadsafe(self._cut)

    def refuse(self) -> None:
        """Reset every connection there is, and each that comes, as a broker does that is down."""
        self._is_refusing = True
        self.cut()

    def accept(self) -> None:
        """Take connections again."""
        self._is_refusing = False

    def _cut(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _end(self) -> None:
        if self._server is not None:
            self._server.close()
        self._cut()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted_at.append(time.monotonic())
        if self._is_refusing:
            writer.transport.abort()
            return
        self._writers.add(writer)
        try:
            far_reader, far_writer = await asyncio.open_connection(HOST, self._target_port)
            self._writers.add(far_writer)
            try:
                await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
            finally:
                self._writers.discard(far_writer)
        except OSError:  # the broker is not there, or somebody has cut the line
            writer.transport.abort()
        finally:
            self._writers.discard(writer)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            await asyncio.sleep(self._delay_seconds)
            await self._is_open.wait()
            writer.write(chunk)
            await writer.drain()
        await self._is_open.wait()
        with contextlib.suppress(OSError):
            writer.close()


@contextmanager
def broker_behind_proxy() -> Iterator[tuple[EmbeddedBroker, Proxy]]:
    """A broker with two addresses: `bootstrap` leads to it directly, the proxy's port through the proxy, and back the same way."""
    direct, behind, controller = free_port(HOST), free_port(HOST), free_port(HOST)
    with Proxy(behind) as proxy:
        settings = {
            "listeners": f"PLAINTEXT://{HOST}:{direct},PROXIED://{HOST}:{behind},CONTROLLER://{HOST}:{controller}",
            "advertised.listeners": f"PLAINTEXT://{HOST}:{direct},PROXIED://{HOST}:{proxy.port}",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT",
            "controller.quorum.voters": f"1@{HOST}:{controller}",
        }
        with EmbeddedBroker(port=direct, settings=settings) as broker:
            yield broker, proxy
