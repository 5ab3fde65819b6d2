"""An enforcer at work: it follows the decisions, says that it is there, forgets what has expired, and keeps a snapshot."""

import asyncio
import secrets
import time
from pathlib import Path
from random import Random
from typing import Final

import structlog
from msgspec import Struct

from guard.control.produce import idempotent_producer
from guard.control.reach import reaching
from guard.errors import GuardError
from guard.gateway import snapshot
from guard.gateway.clock import SteadyClock
from guard.gateway.enforcer import Enforcer
from guard.gateway.follower import DecisionFollower
from guard.gateway.places import Place
from guard.gateway.presence import BEAT_SECONDS, Presence
from guard.topics import Topic

SNAPSHOT_SECONDS: Final = 60.0
FORGET_SECONDS: Final = 60.0
COUNT_SECONDS: Final = 1.0
FORGET_AT_ONCE: Final = 2_000
"""Orders looked at between two turns of the event loop: about a millisecond."""
_log = structlog.get_logger(__name__)


class ServiceConfig(Struct, frozen=True, kw_only=True):
    """What an enforcer needs to know beyond its answers."""

    bootstrap: str
    snapshot: Path | None = None
    enforcers: int = 0
    """How many share each account's rate; 0 counts those that say so on their topic."""
    name: str = ""
    """Of this enforcer among the others; made up if empty."""


class EnforcerService:
    """Runs an enforcer within a running event loop; `enforcer` answers from the first moment on."""

    def __init__(self, config: ServiceConfig, enforcer: Enforcer, clock: SteadyClock) -> None:
        self.enforcer = enforcer
        self.clock = clock
        self._config = config
        self._name = config.name or f"e-{secrets.token_hex(8)}"
        self._presence = Presence()
        self._dice = Random()
        self._saved_at: float | None = None
        self._tasks: list[asyncio.Task[None]] = []
        places = self._restored()
        self.follower = DecisionFollower(config.bootstrap, enforcer.orders, places=places, presence=self._presence)
        enforcer.enforcers = config.enforcers or enforcer.enforcers
        enforcer.is_ready = bool(places)

    @property
    def snapshot_age_seconds(self) -> float:
        """Since the last snapshot; 0 before the first."""
        return 0.0 if self._saved_at is None else time.monotonic() - self._saved_at

    def start(self) -> None:
        """Begin; returns at once. Whoever is asked before the topic was read answers by the snapshot, or by the route's failure mode."""
        self.follower.start_patiently()
        self._tasks = [asyncio.create_task(work()) for work in (self._become_ready, self._say, self._count, self._forget, self._keep)]

    async def stop(self) -> None:
        """Follow no more, save what is known, and take leave of the others."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.follower.stop()
        await self._save()

    def _restored(self) -> dict[int, Place]:
        path = self._config.snapshot
        if path is None or not path.exists():
            return {}
        try:
            found = snapshot.load(path, self.clock())
        except (snapshot.UnusableSnapshotError, OSError) as error:
            _log.warning("snapshot_not_used", file=str(path), reason=str(error)[:200])
            return {}
        self.enforcer.orders.replace_with(found.orders)
        self.enforcer.enforcers = found.enforcers
        return found.places

    async def _become_ready(self) -> None:
        await self.follower.ready()
        self.enforcer.is_ready = True

    async def _say(self) -> None:
        """Tell the others now and then, as long as the broker is there; first once the topic was read."""
        await self.follower.ready()
        while True:
            try:
                with reaching(self._config.bootstrap):
                    async with idempotent_producer(self._config.bootstrap) as producer:
                        try:
                            while True:
                                await producer.send_and_wait(Topic.ENFORCERS, b"here", key=self._name.encode())
                                await asyncio.sleep(BEAT_SECONDS)
                        except asyncio.CancelledError:
                            await asyncio.wait_for(producer.send_and_wait(Topic.ENFORCERS, None, key=self._name.encode()), 1.0)
                            raise
            except (GuardError, TimeoutError):
                await asyncio.sleep(BEAT_SECONDS * self._dice.uniform(0.5, 1.5))

    async def _count(self) -> None:
        """How many share a rate; while Kafka is away, as many as there were."""
        while not self._config.enforcers:
            if self.follower.stale_seconds < 2 * BEAT_SECONDS:
                self.enforcer.enforcers = self._presence.count
            await asyncio.sleep(COUNT_SECONDS)

    async def _forget(self) -> None:
        while True:
            await asyncio.sleep(FORGET_SECONDS)
            for scope, subjects in self.enforcer.orders.subjects(FORGET_AT_ONCE):
                self.enforcer.orders.forget_expired(scope, subjects, self.clock())
                await asyncio.sleep(0)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(SNAPSHOT_SECONDS)
            await self._save()

    async def _save(self) -> None:
        path = self._config.snapshot
        if path is None or not self.follower.is_whole:
            return
        try:
            await snapshot.save(path, self.enforcer.orders, self.follower.places.known, self.clock(), self.enforcer.enforcers)
            self._saved_at = time.monotonic()
        except OSError as error:
            _log.warning("snapshot_not_written", file=str(path), reason=(error.strerror or type(error).__name__))
