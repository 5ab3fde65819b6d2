"""The decisions topic, followed: read committed, without a group, to the end before it is ready."""

import asyncio
from collections.abc import Callable

import msgspec
import structlog

from guard.control.reach import reaching
from guard.control.topics_read import groupless_consumer, read_to_end
from guard.decisions.decision import Decision, decode_decision
from guard.gateway.orders import Orders
from guard.topics import Topic

FETCH_MS = 50
_log = structlog.get_logger(__name__)


class DecisionFollower:
    """Keeps `orders` as the topic says. What is known stays in force while Kafka is away."""

    def __init__(self, bootstrap: str, orders: Orders, on_decision: Callable[[Decision], None] = lambda _: None) -> None:
        self._bootstrap = bootstrap
        self._on_decision = on_decision
        self.orders = orders
        self.decisions_read = 0
        self._task: asyncio.Task[None] | None = None
        self._is_ready = asyncio.Event()

    async def start(self) -> None:
        """Follow from the beginning; returns once the committed end was reached. Raises when no broker answers."""
        self._task = asyncio.create_task(self._follow())
        ready = asyncio.create_task(self._is_ready.wait())
        await asyncio.wait({ready, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if not self._is_ready.is_set():
            ready.cancel()
            self._task.result()

    async def stop(self) -> None:
        """Follow no more; the orders stay as they are."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _follow(self) -> None:
        with reaching(self._bootstrap):
            async with groupless_consumer(self._bootstrap, [Topic.DECISIONS]) as consumer:
                for record in await read_to_end(consumer):
                    self._take(record.value)
                self._is_ready.set()
                while True:
                    for records in (await consumer.getmany(timeout_ms=FETCH_MS)).values():
                        for record in records:
                            self._take(record.value)

    def _take(self, value: bytes | None) -> None:
        if value is None:
            return
        try:
            decision = decode_decision(value)
        except msgspec.MsgspecError as error:
            _log.warning("decision_unreadable", error=str(error)[:200])
            return
        self.orders.apply(decision)
        self._on_decision(decision)
        self.decisions_read += 1
