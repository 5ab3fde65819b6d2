"""Takes events in: each once, and answered for only when it is safe."""

import asyncio
from typing import Final

from msgspec import Struct

from guard.events.clean import CleanEvent
from guard.gateway.ingest.delivery import Delivery
from guard.gateway.ingest.recent import RECENT_MAX, Recent
from guard.gateway.ingest.spool import SpoolFullError

ANSWER_SECONDS: Final = 8.0
"""A sender waits no longer than this for Kafka; then it is told to try again, and finds what was under way."""
PENDING_MAX: Final = 20_000
"""Events in memory that are not safe yet, about 20 MB."""


class Taken(Struct, frozen=True):
    """What became of a batch."""

    accepted: int
    duplicates: int


class NotYetError(Exception):
    """The events are under way and not safe; the same batch again will find them."""


class Intake:
    """Takes batches within one event loop."""

    def __init__(self, delivery: Delivery, recent_max: int = RECENT_MAX, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._delivery = delivery
        self._recent = Recent(recent_max)
        self._answer_seconds = answer_seconds
        self._pending: dict[str, asyncio.Task[bool]] = {}
        self.accepted = 0
        self.duplicates = 0
        self.turned_away = 0
        """Events that were not taken for want of room: lost if their senders do not try again."""

    @property
    def pending(self) -> int:
        """Events that are not safe yet."""
        return len(self._pending)

    async def take(self, events: list[CleanEvent]) -> Taken:
        """Returns once each event is in Kafka or synced to disk. Raises SpoolFullError if there is no room, NotYetError if it takes too long."""
        fresh = {event.key: event for event in events if event.key not in self._recent and event.key not in self._pending}
        waiting = {self._pending[event.key] for event in events if event.key in self._pending}
        if fresh:
            if len(self._pending) + len(fresh) > PENDING_MAX:
                self.turned_away += len(fresh)
                raise SpoolFullError
            task = asyncio.create_task(self._deliver(fresh))
            self._pending |= dict.fromkeys(fresh, task)
            waiting.add(task)
        await self._safe(waiting)
        self.duplicates += len(events) - len(fresh)
        return Taken(len(fresh), len(events) - len(fresh))

    async def _safe(self, tasks: set[asyncio.Task[bool]]) -> None:
        if not tasks:
            return
        done, slow = await asyncio.wait(tasks, timeout=self._answer_seconds)
        if not all(task.result() for task in done):
            raise SpoolFullError
        if slow:
            raise NotYetError

    async def _deliver(self, fresh: dict[str, CleanEvent]) -> bool:
        """Whether there was room. A value, for a sender that has gone hears of no error."""
        try:
            await self._delivery.deliver(list(fresh.values()))
        except SpoolFullError:
            self.turned_away += len(fresh)
            return False
        else:
            self._recent.add(fresh)
            self.accepted += len(fresh)
            return True
        finally:
            for key in fresh:
                del self._pending[key]
