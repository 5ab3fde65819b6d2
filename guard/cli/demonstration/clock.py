"""A clock that waits for the guard: simulated time is never more than ten seconds ahead of the slowest shard.

So the leak figures mean what they mean at real speed, however fast or slow the machine is, a killed worker included.
"""

import asyncio
from collections import deque
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from guard.topics import Topic
from guard.units import SECOND_MS

AHEAD_MS_MAX: Final = 10 * SECOND_MS
CHECKPOINT_MS: Final = SECOND_MS
POLL_SECONDS: Final = 0.02
STUCK_SECONDS: Final = 60.0


class GuardClock:
    """Produces request events and knows how far the guard has committed them."""

    def __init__(self, bootstrap: str, group: str, producer: AIOKafkaProducer) -> None:
        self._admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
        self._group = group
        self._producer = producer
        self._sending: list[asyncio.Future[object]] = []
        self._ends: dict[int, int] = {}
        self._checkpoints: deque[tuple[int, dict[int, int]]] = deque()
        self._reached_at = 0
        self._checked_at = 0
        self.waited_seconds = 0.0

    async def start(self) -> None:
        """Connect."""
        await self._admin.start()

    async def stop(self) -> None:
        """Disconnect."""
        await self._admin.close()

    async def send(self, account: str, value: bytes, at: int) -> None:
        """Send one event that happened at simulated time `at`, once the guard is near enough."""
        if not self._reached_at:
            self._reached_at = self._checked_at = at
        if at - self._checked_at >= CHECKPOINT_MS:
            await self._checkpoint(at)
        while at - self._reached_at > AHEAD_MS_MAX:
            await self._wait()
        self._sending.append(await self._producer.send(Topic.REQUESTS, value, key=account.encode()))

    async def _checkpoint(self, at: int) -> None:
        for sent in await asyncio.gather(*self._sending):
            self._ends[sent.partition] = sent.offset + 1  # type: ignore[attr-defined]
        self._sending = []
        self._checkpoints.append((self._checked_at, dict(self._ends)))
        self._checked_at = at

    async def _wait(self) -> None:
        began = asyncio.get_running_loop().time()
        committed = await self._committed()
        if not self._advance(committed):
            await asyncio.sleep(POLL_SECONDS)
        self.waited_seconds += asyncio.get_running_loop().time() - began

    def _advance(self, committed: dict[int, int]) -> bool:
        moved = False
        while self._checkpoints and all(committed.get(partition, 0) >= end for partition, end in self._checkpoints[0][1].items()):
            self._reached_at, _ = self._checkpoints.popleft()
            moved = True
        return moved

    async def _committed(self) -> dict[int, int]:
        offsets = await self._admin.list_consumer_group_offsets(self._group)
        return {where.partition: found.offset for where, found in offsets.items() if where.topic == Topic.REQUESTS}

    async def finish(self) -> None:
        """Wait until everything that was sent is committed."""
        await self._checkpoint(self._checked_at + CHECKPOINT_MS)
        async with asyncio.timeout(STUCK_SECONDS):
            while self._checkpoints:
                await self._wait()
