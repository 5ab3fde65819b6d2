"""Is the worker alive? Judged by progress, never by the process: a worker that stands still must end and be started again."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from guard.errors import RestartMeError

BEAT_SECONDS: Final = 0.5
LAG_SECONDS: Final = 1.0


class Standstill:
    """Notices that the process did not run at all: it was stopped, or its machine slept.

    The group has given its partitions away then. Long work is none of it: that uses processor time.
    """

    def __init__(self, limit_seconds: float) -> None:
        self._limit = limit_seconds
        self._wall, self._cpu = time.monotonic(), time.process_time()

    def stood_still(self, wall: float, cpu: float) -> float:
        """Seconds without a run since the last call, if beyond the limit; else 0. Arguments: monotonic and process clocks."""
        idle = (wall - self._wall) - (cpu - self._cpu)
        self._wall, self._cpu = wall, cpu
        return idle if idle > self._limit + BEAT_SECONDS else 0.0


class Progress:
    """Since when each partition has had something to do without moving."""

    def __init__(self, limit_seconds: float) -> None:
        self._limit = limit_seconds
        self._positions: dict[TopicPartition, tuple[int, float]] = {}

    def forget(self) -> None:
        """What was seen is over: a rebalance or a recovery moves nothing, however long it takes."""
        self._positions = {}

    def stalled(self, now: float, at: Mapping[TopicPartition, tuple[int, int]]) -> TopicPartition | None:
        """A partition that has not moved for longer than the limit; `at` maps each one to (position, end)."""
        seen, self._positions = self._positions, {}
        found = None
        for where, (position, end) in at.items():
            before, since = seen.get(where, (-1, now))
            since = since if position == before and position < end else now
            self._positions[where] = (position, since)
            if now - since > self._limit:
                found = where
        return found


Fail = Callable[[RestartMeError], None]


class Silence:
    """Since when the broker has answered nothing. One question without an answer is none: our own loop may have been busy."""

    def __init__(self, limit_seconds: float) -> None:
        self._limit = limit_seconds
        self._since: float | None = None

    def answered(self) -> None:
        """The broker is there, or nobody asks it."""
        self._since = None

    def unanswered(self, asked_at: float, now: float) -> float:
        """Seconds without an answer, if beyond the limit and over more than one question; else 0. Monotonic clock."""
        if self._since is None:
            self._since = asked_at
            return 0.0
        return now - self._since if now - self._since > self._limit else 0.0


class Watchdog:
    """Ends the worker when it stood still, when records wait for a commit or never come, or when the broker does not answer."""

    def __init__(self, *, session_seconds: float, stall_seconds: float, fail: Fail) -> None:
        self._standstill = Standstill(session_seconds)
        self._progress = Progress(stall_seconds)
        self._silence = Silence(stall_seconds)
        self._stall_seconds = stall_seconds
        self._fail = fail
        self._unready_since: float | None = None

    async def run(
        self,
        waiting_since: Callable[[], Iterable[tuple[int, float]]],
        positions: Callable[[], Awaitable[Mapping[TopicPartition, tuple[int, int]]]],
        is_ready: Callable[[], bool],
    ) -> None:
        """Watch until cancelled. `waiting_since` yields (shard, since when its oldest record waits for a commit)."""
        measured_at = time.monotonic()
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            now = time.monotonic()
            self._check_standstill(now)
            self._check_waiting(now, waiting_since())
            self._check_ready(now, is_ready=is_ready())
            if not is_ready():
                self._silence.answered()
                self._progress.forget()
            elif now - measured_at >= LAG_SECONDS:
                measured_at = now
                await self._check_positions(now, positions)

    def _check_standstill(self, now: float) -> None:
        seconds = self._standstill.stood_still(now, time.process_time())
        if seconds:
            self._fail(RestartMeError(f"this worker stood still for {seconds:.1f} s; its partitions have gone to others"))

    def _check_waiting(self, now: float, waiting: Iterable[tuple[int, float]]) -> None:
        for shard, since in waiting:
            if now - since > self._stall_seconds:
                self._fail(RestartMeError(f"shard {shard}: records have waited {now - since:.0f} s for a commit"))

    def _check_ready(self, now: float, *, is_ready: bool) -> None:
        """Recovery and a rebalance take longer than a flush; twice the time is theirs."""
        if is_ready:
            self._unready_since = None
        elif self._unready_since is None:
            self._unready_since = now
        elif now - self._unready_since > 2 * self._stall_seconds:
            self._fail(RestartMeError(f"not ready for {now - self._unready_since:.0f} s: no end of the rebalance in sight"))

    async def _check_positions(self, now: float, positions: Callable[[], Awaitable[Mapping[TopicPartition, tuple[int, int]]]]) -> None:
        try:
            async with asyncio.timeout(self._stall_seconds):
                at = await positions()
        except (KafkaError, OSError):  # a broker away for a moment, or one that hangs: without records that wait, only silence tells
            seconds = self._silence.unanswered(now, time.monotonic())
            if seconds:
                self._fail(RestartMeError(f"no broker has answered for {seconds:.0f} s"))
            return
        self._silence.answered()
        stalled = self._progress.stalled(now, at)
        if stalled is not None:
            self._fail(RestartMeError(f"{stalled.topic}-{stalled.partition}: records are there and none arrive"))
