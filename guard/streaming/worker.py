"""The worker from start to end: control first, then the app; ends by a signal, or by the first fault with its exit code."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from aiokafka import TopicPartition
from faust.types import TP

from guard.config import WorkerConfig
from guard.control.reach import reaching
from guard.errors import GuardError, RestartMeError
from guard.streaming.app import GuardApp, create_app
from guard.streaming.control import ControlSource
from guard.streaming.observer import Observer
from guard.streaming.pace import Pace
from guard.streaming.preflight import shards_of_cluster
from guard.streaming.shard import Shard
from guard.streaming.shards import Shards
from guard.streaming.stages import SOURCES, StageTable
from guard.streaming.watchdog import Watchdog
from guard.streaming.writer import Writer

STOP_SECONDS: Final = 15.0
"""An orderly end: the last flush, the group, the producers. Beyond it the process goes, and nothing uncommitted counts."""
SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


async def run_worker(config: WorkerConfig, control: ControlSource, observer: Observer, stages: StageTable) -> None:
    """Work until SIGTERM or SIGINT; then commit what is done, leave the group and return.

    Raises BrokerUnreachableError and ClusterMismatchError at the start, ClusterMismatchError when the state was built for
    another N or N changes, RestartMeError when fenced or stalled.
    """
    shards_number = await shards_of_cluster(config.bootstrap)
    await control.start()
    try:
        shards = _shards(config, shards_number, stages, control, observer)
        control.subscribe(shards.follow)
        worker = _Worker(config, shards, observer, control)
        with _signals(worker.stop):
            await worker.run()
    except GuardError as error:
        observer.interrupted(str(error))
        raise
    finally:
        await control.stop()


def _shards(config: WorkerConfig, number: int, stages: StageTable, control: ControlSource, observer: Observer) -> Shards:
    def make(shard: int) -> Shard:
        name = "campaigns" if shard == number else str(shard)
        writer = Writer(config.bootstrap, config.group, f"{config.group}-{name}", config.session_timeout_ms)
        return Shard(shard, number, writer, Pace(config.flush_ms), observer, shards.fail)

    shards = Shards(number, make, stages, control.control, observer, waiting_max=config.waiting_records_max)
    return shards


@contextlib.contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)


class _Worker:
    """The running app, its watchdog, and the three ways in which it ends."""

    def __init__(self, config: WorkerConfig, shards: Shards, observer: Observer, control: ControlSource) -> None:
        self._config = config
        self._shards = shards
        self._observer = observer
        self._control = control
        self._stopping = asyncio.Event()
        self._app: GuardApp = create_app(config, shards)

    def stop(self) -> None:
        """End in order."""
        self._stopping.set()

    async def run(self) -> None:
        with reaching(self._config.bootstrap):
            tasks = self._tasks()
            try:
                waiting: set[asyncio.Future[Any]] = {*tasks, self._shards.failed}
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                await self._fault(tasks)
            finally:
                await self._end(tasks)
        if self._shards.has_failed:
            await self._shards.failed

    def _tasks(self) -> "set[asyncio.Task[Any]]":
        seconds = self._config.stall_ms / 1_000
        watchdog = Watchdog(session_seconds=self._config.session_timeout_ms / 1_000, stall_seconds=seconds, fail=self._shards.fail)
        tasks: set[asyncio.Task[Any]] = {
            asyncio.create_task(self._stopping.wait(), name="guard signal"),
            asyncio.create_task(self._run_app(), name="guard app"),
            asyncio.create_task(watchdog.run(self._waiting_since, self._positions, self._is_ready), name="guard watchdog"),
        }
        following = self._control.following
        return {*tasks, following} if following is not None else tasks

    async def _run_app(self) -> None:
        await self._app.start()
        await self._app.wait_until_stopped()
        raise RestartMeError(f"the stream runtime ended by itself ({self._app.crash_reason!r})")

    async def _fault(self, tasks: "set[asyncio.Task[Any]]") -> None:
        for task in tasks:
            if task.done() and not self._stopping.is_set():
                error = task.exception()
                ended = RestartMeError(f"{task.get_name()} ended by itself ({error!r})")
                self._shards.fail(error if isinstance(error, GuardError) else ended)

    async def _end(self, tasks: "set[asyncio.Task[Any]]") -> None:
        own = tasks - {self._control.following}
        app_task = next(task for task in own if task.get_name() == "guard app")
        for task in own - {app_task}:
            task.cancel()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._app.stop()
                await self._shards.close()
        except TimeoutError:
            self._shards.fail(RestartMeError(f"no orderly end within {STOP_SECONDS:.0f} s"))
        app_task.cancel()
        await asyncio.wait(own)

    def _is_ready(self) -> bool:
        return not self._app.rebalancing and all(shard.is_taking for shard in self._shards.owned.values())

    def _waiting_since(self) -> list[tuple[int, float]]:
        return [(shard.number, shard.waiting_since) for shard in self._shards.owned.values() if shard.waiting]

    async def _positions(self) -> Mapping[TopicPartition, tuple[int, int]]:
        """Per partition how far it has been fetched and where it ends. One without room waits for us: it moves while we step anything."""
        consumer = self._app.consumer
        sources = [tp for tp in consumer.assignment() if tp.topic in SOURCES]
        ends = await consumer.highwaters(*sources)
        found: dict[TopicPartition, tuple[int, int]] = {}
        stepped = self._shards.stepped
        for tp in sources:
            position = await consumer.position(tp) or 0
            where, end = TopicPartition(*tp), ends.get(TP(*tp)) or 0
            found[where] = (position, end) if self._shards.has_room(where) else (stepped, stepped + 1)
            self._observer.lag(tp.topic, tp.partition, max(0, end - position) + self._shards.uncommitted(where))
        return found
