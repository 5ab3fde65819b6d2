"""Where an accepted event goes: to Kafka at once, or to the spool while Kafka is away; and from there to Kafka, in order.

An event that the producer has taken and nobody acknowledged stays the producer's own, also when it is spooled: it is idempotent and
goes on trying, so sending the event again would be the only way to write it twice.
"""

import asyncio
from typing import Final

import msgspec
import structlog

from guard.events.clean import CleanEvent
from guard.gateway.ingest.kafka import KafkaWay
from guard.gateway.ingest.spool import Spool, SpoolFullError

ACK_SECONDS: Final = 2.0
"""Without an acknowledgement for so long, Kafka counts as away and the event is spooled."""
REPLAY_AT_ONCE: Final = 500
IDLE_SECONDS: Final = 0.1
UNREADABLE_SECONDS: Final = 5.0
"""Until a spool that could not be read is tried again."""
_log = structlog.get_logger(__name__)


class _Spooled(msgspec.Struct):
    event_id: str
    account_id: str


_keys_of: Final = msgspec.json.Decoder(_Spooled).decode


class Delivery:
    """Delivers events. Without a spool an event waits in memory, and its sender with it."""

    def __init__(self, kafka: KafkaWay, spool: Spool | None) -> None:
        self._kafka = kafka
        self._spool = spool
        self._under_way: dict[int, asyncio.Task[None]] = {}
        """Events in the spool, by number, that the producer has taken already."""
        self.spooled = 0
        self.lost = 0
        """Lines of the spool that could not be read."""

    async def deliver(self, events: list[CleanEvent]) -> None:
        """Returns once each event is in Kafka or synced to disk. Raises SpoolFullError; then none of them was taken."""
        if self._spool is None:
            await asyncio.gather(*map(self._kafka.bring, events))
            return
        tasks: list[asyncio.Task[None]] = []
        if not len(self._spool) and self._kafka.is_up:
            tasks = [asyncio.create_task(self._kafka.bring(event)) for event in events]
            await asyncio.wait(tasks, timeout=ACK_SECONDS)
        rest = [number for number in range(len(events)) if not tasks or not _is_brought(tasks[number])]
        if rest:
            await self._put(self._spool, [events[number].body for number in rest], [tasks[number] for number in rest] if tasks else [])

    async def _put(self, spool: Spool, bodies: list[bytes], tasks: list[asyncio.Task[None]]) -> None:
        try:
            await spool.append(bodies, lambda first: self._under_way.update(enumerate(tasks, first)))
        except SpoolFullError:
            if not tasks:
                raise
            await asyncio.gather(*tasks)  # the producer has them: they are safe when it says so, and not before
            return
        self.spooled += len(bodies)

    async def replay(self) -> None:
        """Bring what is spooled to Kafka, for as long as this runs."""
        while self._spool is not None:
            try:
                await asyncio.sleep(0 if await self._replay_some(self._spool) else IDLE_SECONDS)
            except OSError as error:
                _log.error("spool_not_read", reason=error.strerror or type(error).__name__)
                await asyncio.sleep(UNREADABLE_SECONDS)
            except Exception as error:  # noqa: BLE001 (what is on disk must be tried again, whatever it was)
                _log.error("replay_failed", kind=type(error).__name__)
                await asyncio.sleep(UNREADABLE_SECONDS)

    async def _replay_some(self, spool: Spool) -> int:
        """How many were brought."""
        first, bodies = spool.peek(REPLAY_AT_ONCE)
        if bodies:
            await asyncio.gather(*(self._replayed(number, body) for number, body in enumerate(bodies, first)))
            spool.advance(len(bodies))
        return len(bodies)

    async def _replayed(self, number: int, body: bytes) -> None:
        task = self._under_way.pop(number, None)
        if task is not None and (await asyncio.wait({task})) and _is_brought(task):
            return
        try:
            keys = _keys_of(body)
        except (ValueError, RecursionError):
            self.lost += 1
            _log.error("spool_line_unreadable", bytes=len(body))
            return
        await self._kafka.bring(CleanEvent(keys.account_id, keys.event_id, body))


def _is_brought(task: asyncio.Task[None]) -> bool:
    """Whether Kafka has it: a task that failed is done too."""
    return task.done() and not task.cancelled() and task.exception() is None
